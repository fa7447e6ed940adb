//! Operations on elements at the same place: one row each.

mod binary;
mod compare;
mod select;
mod unary;

use std::hash::{Hash, Hasher};

use smallvec::SmallVec;
use weft_kernels::tile::TileSet;
use weft_kernels::{Arg, DType, Fault, Layout, Shape, chain, memory, reduce};

use super::sample::Domain;
use super::{
    Batch, Class, Emit, Faults, Fields, Forward, Io, Known, Nature, Op, Over, Rule, Sample, Saves,
    Simpler, Val, Vals,
};
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// All rows by name.
pub mod rows {
    pub use super::binary::*;
    pub use super::compare::*;
    pub use super::select::*;
    pub use super::unary::*;
}

/// The gradient rule of one input.
pub enum Grad {
    /// What the rule reads, and the rule: from the gradient of the result to that of the
    /// input, before sums over broadcast dimensions.
    Of(Saves, fn(&mut dyn Emit, &Io, Val) -> Result<Val>),
    /// Piecewise constant: zero wherever it exists.
    Zero,
    /// There is none, and why.
    None(&'static str),
}

/// What the dtype of the result is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Out {
    /// That of the inputs.
    Same,
    /// `bool`.
    Bool,
    /// That of the inputs, or of the parts of complex ones.
    Real,
}

impl Out {
    /// The dtype of the result of a row that computes in `dtype`.
    #[inline]
    pub fn of(self, dtype: DType) -> DType {
        match self {
            Out::Same => dtype,
            Out::Bool => DType::Bool,
            Out::Real => dtype.to_real(),
        }
    }
}

/// What becomes of a Python number that the integer dtype of the other operands cannot hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// It is an error.
    Refuse,
    /// It wraps: the result is right but for a multiple of the dtype's range.
    Wrap,
    /// All operands become int64, and the result is that of the numbers.
    Widen,
    /// As a limit it stands at the end of the dtype's range, where it limits nothing.
    Limit,
}

/// One pointwise operation.
pub struct Row {
    /// torch's name.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    /// Number of inputs.
    pub arity: usize,
    /// The kernel, by dtype of the last input.
    pub tile: &'static TileSet,
    /// Dtype of the result.
    pub out: Out,
    /// Whether the first input is a `bool` condition.
    pub condition: bool,
    /// Whether the second input divides: integers are checked for zeros before anything is
    /// computed, so such a row is neither fused nor folded.
    pub divides: bool,
    /// What becomes of numbers out of range among integers.
    pub unfit: Unfit,
    /// Whether the gradient rules hold for complex numbers (conjugated, as torch has them).
    pub complex: bool,
    /// One gradient rule per input.
    pub grads: &'static [Grad],
    /// Arithmetic operations per element.
    pub flops: u64,
    /// Error bound in units in the last place; see [`Nature::ulps`].
    pub ulps: f32,
    /// Same bits, less work.
    pub simplify: fn(&dyn Known) -> Option<Simpler>,
    /// Where the gradient is smooth: an interval for each input.
    pub domain: &'static [(f64, f64)],
    /// Where the value is likely to be wrong: tried in all combinations.
    pub special: &'static [f64],
}

impl Row {
    /// What most unary rows share.
    const UNARY: Row = Row {
        name: "",
        doc: "",
        arity: 1,
        tile: &weft_kernels::tile::NEG,
        out: Out::Same,
        condition: false,
        divides: false,
        unfit: Unfit::Refuse,
        complex: false,
        grads: &[],
        flops: 1,
        ulps: 0.5,
        simplify: |_| None,
        domain: &[(-2.0, 2.0)],
        special: &[
            0.0,
            -0.0,
            1.0,
            -1.0,
            0.5,
            -2.5,
            1e30,
            -1e30,
            f64::INFINITY,
            f64::NEG_INFINITY,
            f64::NAN,
        ],
    };

    /// What most binary rows share.
    const BINARY: Row = Row { arity: 2, domain: &[(0.5, 2.0), (-2.0, -0.6)], ..Row::UNARY };

    /// What comparisons share.
    const COMPARE: Row = Row {
        out: Out::Bool,
        grads: &[Grad::None("its result is boolean"), Grad::None("its result is boolean")],
        ..Row::BINARY
    };

    /// The dtype of the kernel: that of the last input.
    fn compute(&self, inputs: &[Fact]) -> DType {
        inputs[self.arity - 1].dtype
    }

    fn check_dtypes(&self, inputs: &[Fact]) -> Result<DType> {
        let dtype = self.compute(inputs);
        for (i, fact) in inputs.iter().enumerate() {
            let expected = if self.condition && i == 0 { DType::Bool } else { dtype };
            if fact.dtype != expected {
                return Err(Error::type_(
                    self.name,
                    format_args!(
                        "dtypes differ, expected {expected} for input {i}, got {}",
                        fact.dtype
                    ),
                ));
            }
        }
        if self.tile.supports(dtype) {
            return Ok(dtype);
        }
        let names: Vec<_> =
            DType::ALL.into_iter().filter(|&d| self.tile.supports(d)).map(DType::name).collect();
        let what =
            format_args!("dtype not supported, expected one of {}, got {dtype}", names.join(", "));
        Err(Error::type_(self.name, what))
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Row) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Row {}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::ptr::from_ref(self).hash(state);
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl Rule for &'static Row {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn fields(&mut self, _f: &mut Fields) {}

    fn nature(&self) -> Nature {
        let (class, faults) = if self.divides {
            (Class::Opaque, Faults::WholeValues)
        } else {
            (Class::Pointwise, Faults::Never)
        };
        Nature::new(class, faults, Forward::Diagonal).strided().over(Over::Any).ulps(self.ulps)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name, inputs, self.arity)?;
        let dtype = self.check_dtypes(inputs)?;
        let mut shape = inputs[0].shape;
        for fact in &inputs[1..] {
            shape = shape.broadcast(&fact.shape).ok_or_else(|| {
                let shapes: Vec<_> = inputs.iter().map(|f| f.shape.to_string()).collect();
                Error::runtime(
                    self.name,
                    format_args!("shapes do not broadcast, got {}", shapes.join(" and ")),
                )
            })?;
        }
        Ok(Fact::new(self.out.of(dtype), shape).only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let fault = |fault| Error::fault(self.name, fault);
        if self.divides && has_zero(inputs[1]).map_err(fault)? {
            return Err(Error::runtime(self.name, "integer division by zero"));
        }
        let tile = self.tile.get(inputs[self.arity - 1].dtype).expect("infer checked the dtype");
        let cost = self.flops as usize;
        spread(inputs, &outputs[0].layout.shape, |args| {
            chain::apply(tile, args, outputs[0], cost);
        });
        Ok(())
    }

    fn gradient(&self, input: usize) -> super::Grad<&'static Row> {
        match &self.grads[input] {
            Grad::Of(saves, _) => super::Grad::Of(*saves, |row, e, io, g| {
                let Grad::Of(_, rule) = &row.grads[io.of] else { return Ok(g) };
                if io.input_facts[row.arity - 1].dtype.is_complex() && !row.complex {
                    return Err(crate::op::rule::no_gradient(
                        row.name,
                        "its rule holds for real numbers only",
                    ));
                }
                let full = rule(e, io, g)?;
                e.sum_to(full, io.fact().shape)
            }),
            Grad::Zero => super::Grad::Zero,
            Grad::None(why) => super::Grad::None(why),
        }
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let inputs = b.aligned(b.rank())?;
        b.emit(Op::Pointwise(self), &inputs)
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        self.infer(inputs).map_or(0, |facts| self.flops * facts[0].numel() as u64)
    }

    fn samples(&self) -> Vec<Sample> {
        let op = || Op::Pointwise(self);
        let smooth = |shapes: [&'static [usize]; 3]| {
            let inputs = (0..self.arity).map(|i| (shapes[i], self.domain_of(i))).collect();
            Sample::smooth(op(), inputs)
        };
        let mut samples = vec![smooth([&[3, 4], &[3, 4], &[3, 4]])];
        if self.arity > 1 {
            samples.push(smooth([&[2, 1, 3], &[4, 1], &[3]]));
            samples.push(smooth([&[], &[5], &[]]));
        }
        samples.push(smooth([&[0, 3], &[1, 3], &[3]]));
        let shapes: [&[usize]; 3] = [&[11], &[11, 1], &[11, 1, 1]];
        let special = (0..self.arity).map(|i| (shapes[i], self.special_of(i))).collect();
        samples.push(Sample::values(op(), special));
        samples
    }
}

impl Row {
    fn domain_of(&self, i: usize) -> Domain {
        if self.condition && i == 0 {
            return Domain::Bool;
        }
        let (low, high) = self.domain[i.min(self.domain.len() - 1)];
        Domain::Uniform(low, high)
    }

    fn special_of(&self, i: usize) -> Domain {
        if self.condition && i == 0 { Domain::Bool } else { Domain::Special(self.special) }
    }
}

/// Runs `body` on the inputs, broadcast to `shape`.
pub(super) fn spread(inputs: &[Arg], shape: &Shape, body: impl FnOnce(&[Arg])) {
    if inputs.iter().all(|arg| arg.layout.shape == *shape) {
        return body(inputs);
    }
    let layouts: SmallVec<[Layout; 4]> =
        inputs.iter().map(|arg| arg.layout.broadcast_to(shape)).collect();
    let args: SmallVec<[Arg; 4]> = inputs
        .iter()
        .zip(&layouts)
        .map(|(arg, layout)| Arg::new(arg.buffer, arg.dtype, layout))
        .collect();
    body(&args);
}

/// Whether some integer of `x` is zero.
fn has_zero(x: Arg) -> std::result::Result<bool, Fault> {
    if !x.dtype.is_whole() || x.numel() == 0 {
        return Ok(false);
    }
    let (found, layout) = (memory::try_buffer(1)?, Layout::contiguous(Shape::SCALAR));
    let out = Arg::new(&found, DType::Bool, &layout);
    reduce::run(reduce::ReduceKind::All, x, (1 << x.layout.shape.len()) - 1, out)?;
    Ok(out.slice::<u8>()[0] == 0)
}

/// The row of this name.
pub fn find(name: &str) -> Option<&'static Row> {
    all().find(|row| row.name == name)
}

/// Every pointwise row.
pub fn all() -> impl Iterator<Item = &'static Row> {
    unary::ROWS.iter().chain(binary::ROWS).chain(compare::ROWS).chain(select::ROWS).copied()
}

/// Whether every row says what no row may leave out.
const fn complete(rows: &[&Row]) -> bool {
    let mut i = 0;
    while i < rows.len() {
        let row = rows[i];
        if row.name.is_empty() || row.doc.is_empty() || row.grads.len() != row.arity {
            return false;
        }
        i += 1;
    }
    true
}
