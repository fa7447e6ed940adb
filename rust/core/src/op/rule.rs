//! What there is to say of an operation.

use smallvec::{SmallVec, smallvec};
use weft_kernels::Arg;

use super::attr::Fields;
use super::batch::Batch;
use super::{Emit, Sample, Val, Vals};
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// What passes may know of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Each output element depends on the input elements at the same place.
    Pointwise,
    /// Sums or selects along dimensions.
    Reduce,
    /// Products summed over pairs.
    Contract,
    /// The same elements, seen otherwise; no arithmetic.
    View,
    /// A value made of attributes alone.
    Create,
    /// The same elements in other places; no arithmetic.
    Move,
    /// Anything else.
    Opaque,
}

/// How a kernel can read one of its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Any strides.
    Strided,
    /// Row-major without gaps; others are copied first.
    Contiguous,
}

/// When an operation whose arguments `infer` accepted can still fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Faults {
    /// Never: a plan may run it after outsiders have begun to see changes.
    Never,
    /// When there is no memory for its kernel, or on values that the operation whose result
    /// it reads has checked already.
    Memory,
    /// On values: it raises even if nobody reads its results, so no pass drops it.
    Values,
    /// On values if its inputs are whole numbers, else never.
    WholeValues,
}

/// Which outputs may be written over which inputs of the same layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// None.
    Nothing,
    /// Any over any.
    Any,
    /// Any over the first input.
    First,
    /// Those that the family names pair by pair.
    Pairs,
}

/// How tangents of the inputs become tangents of the results (forward mode).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forward {
    /// Linear in all inputs that have a gradient, together: the operation itself, applied to
    /// tangents, with zeros where there is none.
    Linear,
    /// Linear in each of its inputs that have a gradient: one such application per tangent,
    /// summed.
    Multilinear,
    /// A result's element depends on the elements at its place alone, so the gradient rule of
    /// an input maps its tangent too.
    Diagonal,
    /// The transpose of the gradient rule, which is linear: the gradient of the gradient.
    Transposed,
    /// There is none, and why.
    None(&'static str),
}

/// Some inputs or outputs of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Those of these numbers.
    These(&'static [usize]),
    /// All.
    All,
}

impl Which {
    /// Whether it names number `i`.
    #[inline]
    pub fn has(self, i: usize) -> bool {
        match self {
            Which::These(list) => list.contains(&i),
            Which::All => true,
        }
    }
}

/// The values that a gradient rule reads besides the incoming gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saves {
    /// Inputs.
    pub inputs: Which,
    /// Outputs.
    pub outputs: Which,
}

impl Saves {
    /// Nothing.
    pub const NONE: Saves = Saves::both(&[], &[]);

    /// Inputs of these numbers.
    pub const fn inputs(inputs: &'static [usize]) -> Saves {
        Saves::both(inputs, &[])
    }

    /// Outputs of these numbers.
    pub const fn outputs(outputs: &'static [usize]) -> Saves {
        Saves::both(&[], outputs)
    }

    /// Inputs and outputs of these numbers.
    pub const fn both(inputs: &'static [usize], outputs: &'static [usize]) -> Saves {
        Saves { inputs: Which::These(inputs), outputs: Which::These(outputs) }
    }
}

/// What several [`Saves`] name together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Saved {
    inputs: Marks,
    outputs: Marks,
}

impl Saved {
    /// Adds what `saves` names.
    #[inline]
    pub fn add(&mut self, saves: Saves) {
        self.inputs.add(saves.inputs);
        self.outputs.add(saves.outputs);
    }

    /// Whether nothing is named.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty() && self.outputs.is_empty()
    }

    /// Whether input `i` is named.
    pub fn input(&self, i: usize) -> bool {
        self.inputs.has(i)
    }

    /// Whether output `i` is named.
    pub fn output(&self, i: usize) -> bool {
        self.outputs.has(i)
    }
}

/// A set of numbers, as bits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Marks {
    all: bool,
    bits: SmallVec<[u64; 1]>,
}

impl Marks {
    #[inline]
    fn add(&mut self, which: Which) {
        match which {
            Which::All => self.all = true,
            Which::These(list) => list.iter().for_each(|&i| self.set(i)),
        }
    }

    fn set(&mut self, i: usize) {
        if self.bits.len() <= i / 64 {
            self.bits.resize(i / 64 + 1, 0);
        }
        self.bits[i / 64] |= 1 << (i % 64);
    }

    #[inline]
    fn is_empty(&self) -> bool {
        !self.all && self.bits.is_empty()
    }

    fn has(&self, i: usize) -> bool {
        self.all || self.bits.get(i / 64).is_some_and(|word| word >> (i % 64) & 1 == 1)
    }
}

/// From the gradient of the first result to that of the input.
pub type Vjp<R> = fn(&R, &mut dyn Emit, &Io, Val) -> Result<Val>;

/// From the gradients of all results to that of the input; `None` where none is known.
pub type VjpOfAll<R> = fn(&R, &mut dyn Emit, &Io, &[Option<Val>]) -> Result<Option<Val>>;

/// How the gradient of one input is made: what the rule reads stands beside the rule.
pub enum Grad<R> {
    /// From that of the first result, the only one that has a gradient.
    Of(Saves, Vjp<R>),
    /// From those of all results.
    OfAll(Saves, VjpOfAll<R>),
    /// The results are piecewise constant in this input: zero wherever it exists.
    Zero,
    /// No gradient flows into this input, which is no number to differentiate by.
    Nothing,
    /// There is none, and why.
    None(&'static str),
}

impl<R> Grad<R> {
    /// What the rule reads.
    #[inline]
    pub fn saves(&self) -> Saves {
        match self {
            Grad::Of(saves, _) | Grad::OfAll(saves, _) => *saves,
            Grad::Zero | Grad::Nothing | Grad::None(_) => Saves::NONE,
        }
    }

    /// `yes`, `zero` or `nothing`; or why there is none.
    pub fn say(&self) -> &'static str {
        match self {
            Grad::Of(..) | Grad::OfAll(..) => "yes",
            Grad::Zero => "zero",
            Grad::Nothing => "nothing",
            Grad::None(why) => why,
        }
    }
}

/// What a gradient rule is given: the saved values, and the facts of all.
#[derive(Clone, Copy)]
pub struct Io<'a> {
    /// The input whose gradient is asked for.
    pub of: usize,
    /// Inputs; `None` where not saved.
    pub inputs: &'a [Option<Val>],
    /// Outputs; `None` where not saved.
    pub outputs: &'a [Option<Val>],
    /// Facts of all inputs.
    pub input_facts: &'a [Fact],
    /// Facts of all outputs.
    pub output_facts: &'a [Fact],
    /// Which inputs' gradients are wanted.
    pub needs: &'a [bool],
}

impl Io<'_> {
    /// Saved input `i`.
    ///
    /// # Panics
    /// When the rule's [`Saves`] did not name it; a test tries every rule.
    pub fn input(&self, i: usize) -> Val {
        self.inputs[i].expect("a rule reads only the inputs that it names")
    }

    /// Saved output `i`.
    ///
    /// # Panics
    /// As [`Io::input`].
    pub fn output(&self, i: usize) -> Val {
        self.outputs[i].expect("a rule reads only the outputs that it names")
    }

    /// Fact of the input whose gradient is asked for.
    pub fn fact(&self) -> Fact {
        self.input_facts[self.of]
    }
}

/// Gradients of the inputs; `None` where not wanted or identically zero.
pub type Grads = SmallVec<[Option<Val>; 2]>;

/// What passes, executor and tests may know of an operation, whatever its inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Nature {
    /// What passes may know.
    pub class: Class,
    /// When it can fail on inputs that `infer` accepted.
    pub faults: Faults,
    /// Its forward mode.
    pub forward: Forward,
    /// Inputs that the kernel reads in row-major order only.
    pub contiguous: Which,
    /// What may be written over what.
    pub over: Over,
    /// Error bound in units in the last place of the result, where no terms cancel; half a
    /// unit is correctly rounded.
    pub ulps: f32,
}

impl Nature {
    /// Reads row-major inputs, overwrites nothing, rounds correctly.
    pub const fn new(class: Class, faults: Faults, forward: Forward) -> Nature {
        let (contiguous, over) = (Which::All, Over::Nothing);
        Nature { class, faults, forward, contiguous, over, ulps: 0.5 }
    }

    /// The same, reading inputs of any strides.
    pub const fn strided(self) -> Nature {
        self.contiguous(Which::These(&[]))
    }

    /// The same, reading only these inputs in row-major order.
    pub const fn contiguous(self, contiguous: Which) -> Nature {
        Nature { contiguous, ..self }
    }

    /// The same, writing outputs over inputs.
    pub const fn over(self, over: Over) -> Nature {
        Nature { over, ..self }
    }

    /// The same with another error bound.
    pub const fn ulps(self, ulps: f32) -> Nature {
        Nature { ulps, ..self }
    }
}

/// All that is known of an operation. No method has a default that hides an omission.
pub trait Rule: Sized {
    /// torch's name.
    fn name(&self) -> &'static str;
    /// One sentence: what it computes and how.
    fn doc(&self) -> &'static str;
    /// Walks over the attributes: one list for writing and reading.
    fn fields(&mut self, f: &mut Fields);
    /// What holds whatever the inputs are.
    fn nature(&self) -> Nature;
    /// The shape and dtype rule; callers go through [`Op::infer`](super::Op::infer).
    fn infer(&self, inputs: &[Fact]) -> Result<Facts>;
    /// A kernel call into memory that the caller owns. Outputs are contiguous, except
    /// those of pointwise operations.
    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()>;
    /// The gradient of input `input`, written in operations.
    fn gradient(&self, input: usize) -> Grad<Self>;
    /// The operation on many inputs at once (the batching rule of `vmap`): results have the
    /// batch as their first dimension.
    fn batch(&self, b: &mut Batch) -> Result<Vals>;
    /// Scalar arithmetic operations for inputs of these facts.
    fn flops(&self, inputs: &[Fact]) -> u64;
    /// Inputs where it is likely to be wrong.
    fn samples(&self) -> Vec<Sample>;
}

/// What follows from the gradient rules of single inputs.
pub(super) trait Differentiate: Rule {
    /// Applies the rules of the inputs that want a gradient.
    fn vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Grads> {
        let mut out: Grads = smallvec![None; io.input_facts.len()];
        for (i, place) in out.iter_mut().enumerate().filter(|(i, _)| io.needs[*i]) {
            let io = Io { of: i, ..*io };
            *place = match (self.gradient(i), grads[0]) {
                (Grad::OfAll(_, vjp), _) => vjp(self, e, &io, grads)?,
                (Grad::Of(_, vjp), Some(g)) => Some(vjp(self, e, &io, g)?),
                (Grad::Zero, Some(_)) => Some(e.zeros(io.fact())?),
                (Grad::None(why), Some(_)) => return Err(no_gradient(self.name(), why)),
                (Grad::Nothing, _) | (_, None) => None,
            };
        }
        Ok(out)
    }
}

impl<R: Rule> Differentiate for R {}

/// The error of an operation that has no gradient, and why.
pub(crate) fn no_gradient(op: &str, why: &str) -> Error {
    Error::runtime(op, format_args!("no gradient: {why}"))
}

/// Checks the number of inputs of `op`.
pub(crate) fn expect_inputs(op: &str, inputs: &[Fact], n: usize) -> Result<()> {
    crate::ensure!(
        inputs.len() == n,
        op,
        "wrong number of inputs, expected {n}, got {}",
        inputs.len()
    );
    Ok(())
}

/// Checks that `dim` is a dimension of a value of `n` dimensions.
pub(crate) fn expect_dim(op: &str, dim: usize, n: usize) -> Result<()> {
    crate::ensure!(dim < n, op, "dimension out of range, expected < {n}, got {dim}");
    Ok(())
}

/// Checks that an input of `op` is a floating-point value.
pub(crate) fn expect_float(op: &str, fact: &Fact) -> Result<()> {
    if fact.dtype.is_floating_point() {
        return Ok(());
    }
    Err(Error::type_(
        op,
        format_args!(
            "needs a floating-point input, expected float32 or float64, got {}",
            fact.dtype
        ),
    ))
}
