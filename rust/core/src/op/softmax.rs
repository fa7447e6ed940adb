//! Softmax, its logarithm, log-sum-exp, and their gradients.

use smallvec::smallvec;
use weft_kernels::softmax::{self, Form};
use weft_kernels::{Arg, Layout};

use super::reduce::ReduceKind;
use super::sample::Domain;
use super::{
    Attr, Attrs, Class, Emit, Faults, Grads, Io, Known, Op, Read, Rule, Sample, Saves, Simpler, Val,
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

    /// Gradients of `y * (g - sum(g * y))`.
    fn softmax_second(&self, e: &mut dyn Emit, io: &Io, h: Val) -> Result<Grads> {
        let (y, g) = (io.input(0), io.input(1));
        let gy = e.mul(g, y)?;
        let s = self.sum(e, gy)?;
        let centred = e.sub(g, s)?;
        let first = e.mul(h, centred)?;
        let hy = e.mul(h, y)?;
        let t = self.sum(e, hy)?;
        let second = e.mul(g, t)?;
        let for_y = e.sub(first, second)?;
        let for_g = e.one(self.other(SoftmaxBackward), &[y, h])?;
        Ok(smallvec![Some(for_y), Some(for_g)])
    }

    /// Gradients of `g - exp(y) * sum(g)`.
    fn log_second(&self, e: &mut dyn Emit, io: &Io, h: Val) -> Result<Grads> {
        let (y, g) = (io.input(0), io.input(1));
        let p = e.exp(y)?;
        let hp = e.mul(h, p)?;
        let total = self.sum(e, g)?;
        let for_y = e.mul(hp, total)?;
        let for_y = e.neg(for_y)?;
        let t = self.sum(e, hp)?;
        let for_g = e.sub(h, t)?;
        Ok(smallvec![Some(for_y), Some(for_g)])
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

    fn attrs(&self) -> Attrs {
        vec![("dim", Attr::Int(self.dim as i64))]
    }

    fn class(&self) -> Class {
        Class::Opaque
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let backward = matches!(self.kind, SoftmaxBackward | LogSoftmaxBackward);
        super::expect_inputs(self.name(), inputs, if backward { 2 } else { 1 })?;
        super::expect_float(self.name(), &inputs[0])?;
        let mut fact = inputs[0];
        ensure!(
            self.dim < fact.shape.len(),
            self.name(),
            "dimension out of range, expected < {}, got {}",
            fact.shape.len(),
            self.dim
        );
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

    fn reads(&self, _input: usize) -> Read {
        Read::Contiguous
    }

    fn overwrites(&self, _output: usize, _input: usize) -> bool {
        false
    }

    fn faults(&self, _inputs: &[Fact]) -> Faults {
        Faults::Memory
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

    fn saves(&self, _input: usize) -> Saves {
        match self.kind {
            SoftmaxKind::Softmax | MaskedSoftmax | LogSoftmax => Saves::output(0),
            SoftmaxBackward | LogSoftmaxBackward => Saves::inputs(0, 1),
            LogSumExp => Saves::input(0).and(Saves::output(0)),
        }
    }

    fn vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Grads> {
        let Some(g) = grads[0] else { return Ok(smallvec![None; io.inputs.len()]) };
        let grad = match self.kind {
            SoftmaxKind::Softmax | MaskedSoftmax => {
                e.one(self.other(SoftmaxBackward), &[io.output(0), g])?
            }
            LogSoftmax => e.one(self.other(LogSoftmaxBackward), &[io.output(0), g])?,
            SoftmaxBackward => return self.softmax_second(e, io, g),
            LogSoftmaxBackward => return self.log_second(e, io, g),
            LogSumExp => self.logsumexp_vjp(e, io.input(0), io.output(0), g)?,
        };
        Ok(smallvec![Some(grad)])
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        14 * inputs[0].numel() as u64
    }

    fn simplify(&self, _known: &dyn Known) -> Option<Simpler> {
        None
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
