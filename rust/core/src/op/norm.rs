//! Normalisation of rows to mean 0 and variance 1 (the core of layer norm, Ba et al. 2016).

use smallvec::smallvec;
use weft_kernels::{Arg, Scalar, Shape, fill, norm};

use super::reduce::ReduceKind;
use super::sample::Domain;
use super::{
    Batch, Class, Emit, Faults, Fields, Forward, Grad, Io, Nature, Op, Rule, Sample, Saves, Val,
    Vals,
};
use crate::ensure;
use crate::error::Result;
use crate::fact::{Fact, Facts};

/// Normalisation over the last `dims` dimensions, or its gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Standardize {
    /// How many trailing dimensions form a row.
    pub dims: usize,
    /// Added to the variance.
    pub eps: Scalar,
    /// False: `x -> (x̂, 1/σ)`. True: `(x̂, 1/σ, g) -> gradient of x`.
    pub backward: bool,
}

impl Standardize {
    fn rows(&self, shape: &Shape) -> Shape {
        Shape::new(&shape[..shape.len() - self.dims])
    }

    fn mask(&self, shape: &Shape) -> u32 {
        (shape.len() - self.dims..shape.len()).fold(0, |mask, d| mask | 1 << d)
    }

    fn mean(&self, e: &mut dyn Emit, x: Val) -> Result<Val> {
        let shape = e.fact(x).shape;
        e.reduce(ReduceKind::Mean, x, self.mask(&shape), true)
    }

    /// `rstd` as `like`, with sizes of 1 where the rows were.
    fn column(&self, e: &mut dyn Emit, rstd: Val, like: &Fact) -> Result<Val> {
        let (rstd, shape) = (e.cast(rstd, like.dtype)?, &like.shape);
        let mut column = *shape;
        let n = shape.len();
        column[n - self.dims..].fill(1);
        e.reshape(rstd, column)
    }

    fn gradient_op(&self) -> Op {
        Op::Norm(Standardize { backward: true, ..*self })
    }

    fn forward_vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Option<Val>> {
        let (xhat, rstd) = (io.output(0), io.output(1));
        let mut grad = None;
        if let Some(g) = grads[0] {
            grad = Some(e.one(self.gradient_op(), &[xhat, rstd, g])?);
        }
        if let Some(h) = grads[1] {
            let shape = io.input_facts[0].shape;
            let len: usize = shape[shape.len() - self.dims..].iter().product();
            let squared = e.square(rstd)?;
            let scale = e.mul(h, squared)?;
            let scale = e.mul_scalar(scale, -1.0 / len as f64)?;
            let scale = self.column(e, scale, &io.input_facts[0])?;
            let part = e.mul(xhat, scale)?;
            grad = Some(match grad {
                Some(sum) => e.add(sum, part)?,
                None => part,
            });
        }
        Ok(grad)
    }

    /// Gradient of `r * (g - mean(g) - x̂ * mean(g * x̂))` by x̂.
    fn by_normal(&self, e: &mut dyn Emit, io: &Io, h: Val) -> Result<Val> {
        let (xhat, rstd, g) = (io.input(0), io.input(1), io.input(2));
        let r = self.column(e, rstd, &io.fact())?;
        let gx = e.mul(g, xhat)?;
        let hx = e.mul(h, xhat)?;
        let (mg, mh) = (self.mean(e, gx)?, self.mean(e, hx)?);
        let (a, b) = (e.mul(h, mg)?, e.mul(g, mh)?);
        let sum = e.add(a, b)?;
        let scaled = e.mul(sum, r)?;
        e.neg(scaled)
    }

    /// The same by r.
    fn by_scale(&self, e: &mut dyn Emit, io: &Io, h: Val) -> Result<Val> {
        let (xhat, rstd, g) = (io.input(0), io.input(1), io.input(2));
        let shape = io.input_facts[0].shape;
        let r = self.column(e, rstd, &io.input_facts[0])?;
        let dx = e.one(self.gradient_op(), &[xhat, rstd, g])?;
        let part = e.mul(h, dx)?;
        let part = e.div(part, r)?;
        let sum = e.reduce(ReduceKind::Sum, part, self.mask(&shape), false)?;
        e.cast(sum, io.input_facts[1].dtype)
    }
}

impl Standardize {
    pub(super) fn forms() -> Vec<Op> {
        [false, true]
            .map(|backward| Op::Norm(Standardize { dims: 1, eps: Scalar::Float(1e-5), backward }))
            .into()
    }
}

impl Rule for Standardize {
    fn name(&self) -> &'static str {
        if self.backward { "standardize_backward" } else { "standardize" }
    }

    fn doc(&self) -> &'static str {
        if self.backward {
            "The gradient of standardize: r * (g - mean(g) - x̂ * mean(g * x̂))."
        } else {
            "x̂ = (x - mean) / sqrt(variance + eps) over trailing dimensions, and r = 1 / sqrt(variance + eps)."
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("dims", &mut self.dims);
        f.field("eps", &mut self.eps);
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Opaque, Faults::Memory, Forward::Transposed).ulps(1.0)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, if self.backward { 3 } else { 1 })?;
        let x = inputs[0];
        super::expect_float(self.name(), &x)?;
        let n = x.shape.len();
        ensure!(
            self.dims <= n && self.dims > 0,
            self.name(),
            "expected 1 to {n} dimensions, got {}",
            self.dims
        );
        let rstd = Fact::new(x.dtype.wide(), self.rows(&x.shape));
        if !self.backward {
            return Ok(smallvec![x, rstd]);
        }
        ensure!(
            inputs[1] == rstd && inputs[2] == x,
            self.name(),
            "expected {rstd} and {x}, got {} and {}",
            inputs[1],
            inputs[2]
        );
        Ok(x.only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let shape = &inputs[0].layout.shape;
        let len = shape[shape.len() - self.dims..].iter().product();
        if len == 0 {
            if !self.backward {
                fill::fill(Scalar::Float(f64::NAN), outputs[1]);
            }
        } else if self.backward {
            norm::standardize_backward(inputs[0], inputs[1], inputs[2], len, outputs[0]);
        } else {
            norm::standardize(inputs[0], len, self.eps.as_f64(), outputs[0], outputs[1]);
        }
        Ok(())
    }

    fn gradient(&self, input: usize) -> Grad<Standardize> {
        const ALL: Saves = Saves::inputs(&[0, 1, 2]);
        match (self.backward, input) {
            (false, _) => Grad::OfAll(Saves::outputs(&[0, 1]), Standardize::forward_vjp),
            (true, 0) => Grad::Of(ALL, Standardize::by_normal),
            (true, 1) => Grad::Of(ALL, Standardize::by_scale),
            (true, _) => Grad::Of(Saves::inputs(&[0, 1]), |norm, e, io, h| {
                e.one(norm.gradient_op(), &[io.input(0), io.input(1), h])
            }),
        }
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let inputs = b.all()?;
        b.emit(Op::Norm(*self), &inputs)
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        8 * inputs[0].numel() as u64
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        let op = |dims| Op::Norm(Standardize { dims, ..*self });
        if self.backward {
            let r = Domain::Uniform(0.5, 2.0);
            return vec![Sample::smooth(op(1), vec![(&[3, 5], x()), (&[3], r), (&[3, 5], x())])];
        }
        vec![
            Sample::smooth(op(1), vec![(&[3, 5], x())]),
            Sample::smooth(op(2), vec![(&[2, 3, 4], x())]),
            Sample::values(op(1), vec![(&[2, 4], Domain::Special(&[3.0]))]),
            Sample::values(op(1), vec![(&[0, 4], x())]),
        ]
    }
}
