//! Sums, extremes and the like over some dimensions.

use smallvec::smallvec;
use weft_kernels::{Arg, DType, Layout, Scalar, Shape, reduce};

use super::join::Cat;
use super::sample::Domain;
use super::simplify::keep;
use super::view::inverse;
use super::{
    Batch, Class, Emit, Faults, Fields, Forward, Grad, Known, Nature, Op, Rule, Sample, Saves,
    Simpler, Val, Vals,
};
use crate::ensure;
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

pub use weft_kernels::reduce::ReduceKind;

const CONSTANT: &str = "its result is piecewise constant";

/// A reduction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reduce {
    /// What is computed.
    pub kind: ReduceKind,
    /// Bit mask of the dimensions that are reduced.
    pub dims: u32,
    /// Whether they stay, with size 1.
    pub keepdim: bool,
}

impl Reduce {
    fn is_reduced(&self, dim: usize) -> bool {
        self.dims >> dim & 1 == 1
    }

    fn reduced_shape(&self, shape: &Shape, keepdim: bool) -> Shape {
        let keep = |(d, &size): (usize, &usize)| match self.is_reduced(d) {
            false => Some(size),
            true if keepdim => Some(1),
            true => None,
        };
        shape.iter().enumerate().filter_map(keep).collect()
    }

    /// How many elements go into one result.
    fn count(&self, shape: &Shape) -> usize {
        (0..shape.len()).filter(|&d| self.is_reduced(d)).map(|d| shape[d]).product()
    }

    /// A value of the result's shape, repeated to the input's.
    fn spread(&self, e: &mut dyn Emit, x: Val, shape: Shape) -> Result<Val> {
        let kept = e.reshape(x, self.reduced_shape(&shape, true))?;
        e.expand(kept, shape)
    }

    fn check_dtype(&self, dtype: DType) -> Result<DType> {
        let unfit = |expected: &str| {
            Err(Error::type_(
                self.name(),
                format_args!("dtype not supported, expected {expected}, got {dtype}"),
            ))
        };
        let counts = matches!(self.kind, ReduceKind::Sum | ReduceKind::Any | ReduceKind::All);
        if dtype.is_complex() && !counts {
            return unfit("a real one");
        }
        match self.kind {
            ReduceKind::Sum | ReduceKind::Prod => {
                Ok(if dtype.is_differentiable() { dtype } else { DType::I64 })
            }
            ReduceKind::Mean if !dtype.is_differentiable() => unfit("a floating-point one"),
            ReduceKind::Mean | ReduceKind::Max | ReduceKind::Min => Ok(dtype),
            ReduceKind::Any | ReduceKind::All => {
                Ok(if dtype == DType::U8 { dtype } else { DType::Bool })
            }
            ReduceKind::ArgMax | ReduceKind::ArgMin => Ok(DType::I64),
        }
    }

    fn is_arg(&self) -> bool {
        matches!(self.kind, ReduceKind::ArgMax | ReduceKind::ArgMin)
    }

    /// The gradient of a product: the product of the other elements, from a tree of pairwise
    /// products, so that zeros need no division and gradients of any order are exact.
    fn prod_vjp(&self, e: &mut dyn Emit, x: Val, g: Val) -> Result<Val> {
        let fact = e.fact(x);
        let n = fact.shape.len();
        let (kept, reduced): (Vec<usize>, Vec<usize>) = (0..n).partition(|&d| !self.is_reduced(d));
        let order: Shape = kept.into_iter().chain(reduced).collect();
        let (count, rows) = (self.count(&fact.shape), e.fact(g).numel());
        if count == 0 || rows == 0 {
            return e.zeros(fact);
        }
        let last = e.permute(x, order)?;
        let moved = e.fact(last).shape;
        let mut level = e.reshape(last, Shape::new(&[rows, count]))?;
        let width = count.next_power_of_two();
        if width > count {
            let ones = Shape::new(&[rows, width - count]);
            let ones = e.full(Scalar::Int(1), fact.dtype, ones)?;
            level = e.one(Op::Cat(Cat { dim: 1 }), &[level, ones])?;
        }
        let mut halves = Vec::new();
        let mut size = width;
        while size > 1 {
            size /= 2;
            let (a, b) = (e.slice(level, 1, 0, size)?, e.slice(level, 1, size, size)?);
            level = e.mul(a, b)?;
            halves.push((a, b));
        }
        let mut grad = e.reshape(g, Shape::new(&[rows, 1]))?;
        for (a, b) in halves.into_iter().rev() {
            let (ga, gb) = (e.mul(grad, b)?, e.mul(grad, a)?);
            grad = e.one(Op::Cat(Cat { dim: 1 }), &[ga, gb])?;
        }
        let grad = e.slice(grad, 1, 0, count)?;
        let grad = e.reshape(grad, moved)?;
        e.permute(grad, inverse(&order))
    }

    /// The gradient of an extreme, shared evenly by the elements that attain it.
    fn extreme_vjp(&self, e: &mut dyn Emit, x: Val, y: Val, g: Val) -> Result<Val> {
        let fact = e.fact(x);
        let y = self.spread(e, y, fact.shape)?;
        let attains = e.eq(x, y)?;
        let attains = e.cast(attains, fact.dtype)?;
        let count = e.reduce(ReduceKind::Sum, attains, self.dims, true)?;
        let part = e.div(attains, count)?;
        let g = self.spread(e, g, fact.shape)?;
        e.mul(g, part)
    }
}

impl Reduce {
    pub(super) fn forms() -> Vec<Op> {
        use ReduceKind::{All, Any, ArgMax, ArgMin, Max, Mean, Min, Prod, Sum};
        [Sum, Mean, Prod, Max, Min, Any, All, ArgMax, ArgMin]
            .map(|kind| Op::Reduce(Reduce { kind, dims: 1, keepdim: false }))
            .into()
    }

    pub(super) fn simplify(&self, known: &dyn Known) -> Option<Simpler> {
        // A float sum over nothing is 0 + x, which is not -0 where x is.
        let same = match self.kind {
            ReduceKind::Max | ReduceKind::Min => true,
            ReduceKind::Sum => !known.fact(0).dtype.is_differentiable(),
            _ => false,
        };
        if same && self.dims == 0 { keep(known, 0) } else { None }
    }
}

impl Rule for Reduce {
    fn name(&self) -> &'static str {
        match self.kind {
            ReduceKind::Sum => "sum",
            ReduceKind::Mean => "mean",
            ReduceKind::Prod => "prod",
            ReduceKind::Max => "amax",
            ReduceKind::Min => "amin",
            ReduceKind::Any => "any",
            ReduceKind::All => "all",
            ReduceKind::ArgMax => "argmax",
            ReduceKind::ArgMin => "argmin",
        }
    }

    fn doc(&self) -> &'static str {
        match self.kind {
            ReduceKind::Sum => "Sum, by a tree that depends on the length alone.",
            ReduceKind::Mean => "Sum divided by the number of elements.",
            ReduceKind::Prod => "Product.",
            ReduceKind::Max => "Largest element; NaN if any is. Ties share the gradient evenly.",
            ReduceKind::Min => "Smallest element; NaN if any is. Ties share the gradient evenly.",
            ReduceKind::Any => "Whether any element is nonzero; uint8 of uint8.",
            ReduceKind::All => "Whether all elements are nonzero; uint8 of uint8.",
            ReduceKind::ArgMax => "Index of the first largest element.",
            ReduceKind::ArgMin => "Index of the first smallest element.",
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        f.dims("dim", &mut self.dims);
        f.field("keepdim", &mut self.keepdim);
    }

    fn nature(&self) -> Nature {
        let (forward, ulps) = match self.kind {
            ReduceKind::Sum | ReduceKind::Mean => (Forward::Linear, 1.0),
            ReduceKind::Prod => (Forward::Transposed, 24.0),
            ReduceKind::Max | ReduceKind::Min => (Forward::Transposed, 0.5),
            _ => (Forward::None(CONSTANT), 0.5),
        };
        Nature::new(Class::Reduce, Faults::Memory, forward).strided().ulps(ulps)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 1)?;
        let Fact { dtype, shape } = inputs[0];
        let dtype = self.check_dtype(dtype)?;
        let n = shape.len();
        ensure!(self.dims >> n == 0, self.name(), "dimension out of range, expected < {n}");
        let whole = self.dims == (1 << n) - 1;
        ensure!(
            !self.is_arg() || whole || self.dims.count_ones() == 1,
            self.name(),
            "expected one dimension or all"
        );
        let extreme = self.is_arg() || matches!(self.kind, ReduceKind::Max | ReduceKind::Min);
        if extreme && self.count(&shape) == 0 && self.reduced_shape(&shape, false).numel() > 0 {
            let what = format_args!("no elements to choose from, got shape {shape}");
            return Err(Error::index(self.name(), what));
        }
        Ok(Fact::new(dtype, self.reduced_shape(&shape, self.keepdim)).only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let out = outputs[0];
        let mut layout = Layout::contiguous(self.reduced_shape(&inputs[0].layout.shape, false));
        layout.offset = out.layout.offset;
        if layout.numel() == 0 {
            return Ok(());
        }
        let out = Arg::new(out.buffer, out.dtype, &layout);
        reduce::run(self.kind, inputs[0], self.dims, out)
            .map_err(|fault| Error::fault(self.name(), fault))
    }

    fn gradient(&self, _input: usize) -> Grad<Reduce> {
        match self.kind {
            ReduceKind::Sum => Grad::Of(Saves::NONE, |r, e, io, g| r.spread(e, g, io.fact().shape)),
            ReduceKind::Mean => Grad::Of(Saves::NONE, |r, e, io, g| {
                let shape = io.fact().shape;
                let count = e.scalar_like(r.count(&shape) as f64, g)?;
                let part = e.div(g, count)?;
                r.spread(e, part, shape)
            }),
            ReduceKind::Prod => {
                Grad::Of(Saves::inputs(&[0]), |r, e, io, g| r.prod_vjp(e, io.input(0), g))
            }
            ReduceKind::Max | ReduceKind::Min => {
                Grad::Of(Saves::both(&[0], &[0]), |r, e, io, g| {
                    r.extreme_vjp(e, io.input(0), io.output(0), g)
                })
            }
            _ => Grad::None(CONSTANT),
        }
    }

    /// Positions are counted in row-major order of all dimensions where all are reduced, so
    /// several of them become one first.
    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let fact = b.fact(0);
        if !self.is_arg() || self.dims.count_ones() == 1 {
            let inputs = b.plain();
            return b.emit(Op::Reduce(Reduce { dims: self.dims << 1, ..*self }), &inputs);
        }
        let flat = b.shape(&[fact.numel()])?;
        let flat = b.e.reshape(b.val(0), flat)?;
        let out = b.e.one(Op::Reduce(Reduce { dims: 0b10, keepdim: false, ..*self }), &[flat])?;
        let shape = b.shape(&self.reduced_shape(&fact.shape, self.keepdim))?;
        Ok(smallvec![b.e.reshape(out, shape)?])
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        inputs[0].numel() as u64
    }

    fn samples(&self) -> Vec<Sample> {
        let op = |dims, keepdim| Op::Reduce(Reduce { kind: self.kind, dims, keepdim });
        let spread = Domain::Uniform(0.3, 2.0);
        let special: &[f64] = &[0.0, 1.0, -2.0, f64::NAN, f64::INFINITY, -0.0, f64::NEG_INFINITY];
        let many = if self.is_arg() { 0b111 } else { 0b101 };
        let mut samples = vec![
            Sample::smooth(op(0b10, false), vec![(&[3, 5], spread.clone())]),
            Sample::smooth(op(0b01, true), vec![(&[7, 3], spread.clone())]),
            Sample::smooth(op(many, false), vec![(&[2, 3, 4], spread.clone())]),
            Sample::smooth(op(0, false), vec![(&[], spread.clone())]),
            Sample::values(op(0b10, false), vec![(&[2, 3000], spread.clone())]),
            Sample::values(op(0b01, false), vec![(&[300, 40], spread)]),
            Sample::values(op(0b1, false), vec![(&[7], Domain::Special(special))]),
            Sample::values(op(0b10, false), vec![(&[0, 4], Domain::Bool)]),
            Sample::values(op(0b10, true), vec![(&[4, 3], Domain::Index(5))]),
        ];
        if matches!(self.kind, ReduceKind::Prod) {
            let zeros: &[f64] = &[2.0, 0.0, 3.0, 4.0, 0.0, 0.0, 5.0, 6.0, 7.0];
            samples.push(Sample::smooth(op(0b10, false), vec![(&[3, 3], Domain::Special(zeros))]));
        }
        samples.retain(|s| self.infer(&s.sample_facts(DType::F32)).is_ok());
        samples
    }
}
