//! Softmax, its logarithm, log-sum-exp, and their gradients.

use weft_kernels::softmax::{self, Form};
use weft_kernels::{Arg, Layout};

use super::reduce::ReduceKind;
use super::sample::Domain;
use super::{
    Batch, Class, Emit, Faults, Fields, Forward, Grad, Io, Nature, Op, Rule, Sample, Saves, Val,
    Vals,
};
use crate::ensure;
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// One of the family, over dimension `dim`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Softmax {
    /// Which one.
    pub kind: SoftmaxKind,
    /// The dimension whose elements compete.
    pub dim: usize,
}

/// Members of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SoftmaxKind {
    /// `exp(x) / sum(exp(x))`.
    Softmax,
    /// The same, with zeros for a row of minus infinity: what attention does where nothing may
    /// be looked at.
    MaskedSoftmax,
    /// Its logarithm.
    LogSoftmax,
    /// The gradient of the first, from its result and the result's gradient.
    SoftmaxBackward,
    /// The gradient of the second.
    LogSoftmaxBackward,
    /// `log(sum(exp(x)))`; the dimension stays with size 1.
    LogSumExp,
}

use SoftmaxKind::{LogSoftmax, LogSoftmaxBackward, LogSumExp, MaskedSoftmax, SoftmaxBackward};

impl Softmax {
    fn other(&self, kind: SoftmaxKind) -> Op {
        Op::Softmax(Softmax { kind, ..*self })
    }

    fn sum(&self, e: &mut dyn Emit, x: Val) -> Result<Val> {
        e.reduce(ReduceKind::Sum, x, 1 << self.dim, true)
    }

    /// Gradient of `y * (g - sum(g * y))` by y.
    fn softmax_second(&self, e: &mut dyn Emit, io: &Io, h: Val) -> Result<Val> {
        let (y, g) = (io.input(0), io.input(1));
        let gy = e.mul(g, y)?;
        let s = self.sum(e, gy)?;
        let centred = e.sub(g, s)?;
        let first = e.mul(h, centred)?;
        let hy = e.mul(h, y)?;
        let t = self.sum(e, hy)?;
        let second = e.mul(g, t)?;
        e.sub(first, second)
    }

    /// Gradient of `g - exp(y) * sum(g)` by y.
    fn log_second(&self, e: &mut dyn Emit, io: &Io, h: Val) -> Result<Val> {
        let (y, g) = (io.input(0), io.input(1));
        let p = e.exp(y)?;
        let hp = e.mul(h, p)?;
        let total = self.sum(e, g)?;
        let for_y = e.mul(hp, total)?;
        e.neg(for_y)
    }

    /// `g * exp(x - y)`: 0 for rows of minus infinity, NaN where x is infinite.
    fn logsumexp_vjp(&self, e: &mut dyn Emit, x: Val, y: Val, g: Val) -> Result<Val> {
        let (zero, least) = (e.scalar_like(0.0, y)?, e.scalar_like(f64::NEG_INFINITY, y)?);
        let nothing = e.eq(y, least)?;
        let shift = e.select(nothing, zero, y)?;
        let shifted = e.sub(x, shift)?;
        let p = e.exp(shifted)?;
        e.mul(g, p)
    }
}

impl Softmax {
    pub(super) fn forms() -> Vec<Op> {
        [
            SoftmaxKind::Softmax,
            MaskedSoftmax,
            LogSoftmax,
            SoftmaxBackward,
            LogSoftmaxBackward,
            LogSumExp,
        ]
        .map(|kind| Op::Softmax(Softmax { kind, dim: 0 }))
        .into()
    }
}

impl Rule for Softmax {
    fn name(&self) -> &'static str {
        match self.kind {
            SoftmaxKind::Softmax => "softmax",
            MaskedSoftmax => "masked_softmax",
            LogSoftmax => "log_softmax",
            SoftmaxBackward => "softmax_backward",
            LogSoftmaxBackward => "log_softmax_backward",
            LogSumExp => "logsumexp",
        }
    }

    fn doc(&self) -> &'static str {
        match self.kind {
            SoftmaxKind::Softmax => "exp(x) / sum(exp(x)), after subtracting the largest element.",
            MaskedSoftmax => "softmax, and zeros for rows of minus infinity.",
            LogSoftmax => "x - log(sum(exp(x))), after subtracting the largest element.",
            SoftmaxBackward => "The gradient of softmax: y * (g - sum(g * y)).",
            LogSoftmaxBackward => "The gradient of log_softmax: g - exp(y) * sum(g).",
            LogSumExp => {
                "log(sum(exp(x))), after subtracting the largest element; -inf where all are."
            }
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("dim", &mut self.dim);
    }

    fn nature(&self) -> Nature {
        let ulps = match self.kind {
            SoftmaxKind::Softmax | MaskedSoftmax => 16.0,
            LogSoftmax | LogSumExp => 4.0,
            SoftmaxBackward | LogSoftmaxBackward => 1.0,
        };
        Nature::new(Class::Opaque, Faults::Memory, Forward::Transposed).ulps(ulps)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let backward = matches!(self.kind, SoftmaxBackward | LogSoftmaxBackward);
        super::expect_inputs(self.name(), inputs, if backward { 2 } else { 1 })?;
        super::expect_float(self.name(), &inputs[0])?;
        let mut fact = inputs[0];
        super::expect_dim(self.name(), self.dim, fact.shape.len())?;
        ensure!(
            !backward || inputs[1] == fact,
            self.name(),
            "expected two inputs alike, got {fact} and {}",
            inputs[1]
        );
        if self.kind == LogSumExp {
            fact.shape[self.dim] = 1;
        }
        Ok(fact.only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let (dim, out) = (self.dim, outputs[0]);
        match self.kind {
            SoftmaxKind::Softmax => softmax::forward(Form::Plain, inputs[0], dim, out),
            MaskedSoftmax => softmax::forward(Form::Masked, inputs[0], dim, out),
            LogSoftmax => softmax::forward(Form::Log, inputs[0], dim, out),
            SoftmaxBackward => softmax::backward(false, inputs[0], inputs[1], dim, out),
            LogSoftmaxBackward => softmax::backward(true, inputs[0], inputs[1], dim, out),
            LogSumExp => {
                let mut shape = out.layout.shape;
                shape.remove(dim);
                let mut layout = Layout::contiguous(shape);
                layout.offset = out.layout.offset;
                softmax::logsumexp(inputs[0], dim, Arg::new(out.buffer, out.dtype, &layout))
            }
        }
        .map_err(|fault| Error::fault(self.name(), fault))
    }

    fn gradient(&self, input: usize) -> Grad<Softmax> {
        const YG: Saves = Saves::inputs(&[0, 1]);
        match (self.kind, input) {
            (SoftmaxKind::Softmax | MaskedSoftmax, _) => {
                Grad::Of(Saves::outputs(&[0]), |s, e, io, g| {
                    e.one(s.other(SoftmaxBackward), &[io.output(0), g])
                })
            }
            (LogSoftmax, _) => Grad::Of(Saves::outputs(&[0]), |s, e, io, g| {
                e.one(s.other(LogSoftmaxBackward), &[io.output(0), g])
            }),
            (SoftmaxBackward, 0) => Grad::Of(YG, Softmax::softmax_second),
            (SoftmaxBackward, _) => Grad::Of(Saves::inputs(&[0]), |s, e, io, h| {
                e.one(s.other(SoftmaxBackward), &[io.input(0), h])
            }),
            (LogSoftmaxBackward, 0) => Grad::Of(YG, Softmax::log_second),
            (LogSoftmaxBackward, _) => Grad::Of(Saves::inputs(&[0]), |s, e, io, h| {
                let p = e.exp(io.input(0))?;
                let hp = e.mul(h, p)?;
                let t = s.sum(e, hp)?;
                e.sub(h, t)
            }),
            (LogSumExp, _) => Grad::Of(Saves::both(&[0], &[0]), |s, e, io, g| {
                s.logsumexp_vjp(e, io.input(0), io.output(0), g)
            }),
        }
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let inputs = b.all()?;
        b.emit(Op::Softmax(Softmax { dim: self.dim + 1, ..*self }), &inputs)
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        14 * inputs[0].numel() as u64
    }

    fn samples(&self) -> Vec<Sample> {
        let op = |dim| Op::Softmax(Softmax { dim, ..*self });
        let x = || Domain::Uniform(-2.0, 2.0);
        let y = || Domain::Uniform(0.1, 0.4);
        if matches!(self.kind, SoftmaxBackward | LogSoftmaxBackward) {
            return vec![
                Sample::smooth(op(1), vec![(&[3, 5], y()), (&[3, 5], x())]),
                Sample::smooth(op(0), vec![(&[4, 2], y()), (&[4, 2], x())]),
            ];
        }
        let special: &[f64] = &[1000.0, -1000.0, 0.0, f64::NEG_INFINITY, 3.0, 88.0];
        vec![
            Sample::smooth(op(1), vec![(&[3, 5], x())]),
            Sample::smooth(op(0), vec![(&[4, 2, 3], x())]),
            Sample::smooth(op(1), vec![(&[4, 2, 3], x())]),
            Sample::smooth(op(1), vec![(&[0, 3], x())]),
            Sample::values(op(0), vec![(&[6], Domain::Special(special))]),
            Sample::values(op(1), vec![(&[2, 3], Domain::Special(&[f64::NEG_INFINITY]))]),
            Sample::values(op(1), vec![(&[3, 1000], x())]),
        ]
    }
}
