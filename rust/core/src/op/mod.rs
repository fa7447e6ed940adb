//! Floor 2: operations. One row of facts per operation, one file per family.
//!
//! A rule speaks to [`Emit`]; who listens (eager execution, the tape, a static graph) is
//! not its affair.

pub mod cast;
pub mod chain;
pub mod compose;
pub mod create;
pub mod emit;
pub mod fit;
pub mod index;
pub mod join;
pub mod loss;
pub mod matmul;
pub mod norm;
pub mod optim;
pub mod pointwise;
pub mod promote;
pub mod random;
pub mod reduce;
pub mod register;
pub mod sample;
pub mod scan;
pub mod simplify;
pub mod softmax;
pub mod sparse;
pub mod view;
pub mod within;

use std::fmt;

use smallvec::SmallVec;
use weft_kernels::{Arg, DType, Scalar, Shape};

pub use emit::{Emit, Val, Vals};
pub use sample::Sample;
pub use simplify::{Known, Simpler};

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
}

/// Which values a gradient rule reads, as bit masks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Saves {
    /// Inputs.
    pub inputs: u32,
    /// Outputs.
    pub outputs: u32,
}

impl Saves {
    /// Nothing but the incoming gradient.
    pub const NONE: Saves = Saves { inputs: 0, outputs: 0 };

    /// Input `i`.
    pub const fn input(i: u32) -> Saves {
        Saves { inputs: 1 << i, outputs: 0 }
    }

    /// Inputs `i` and `j`.
    pub const fn inputs(i: u32, j: u32) -> Saves {
        Saves { inputs: 1 << i | 1 << j, outputs: 0 }
    }

    /// Output `i`.
    pub const fn output(i: u32) -> Saves {
        Saves { inputs: 0, outputs: 1 << i }
    }

    /// Both.
    pub const fn and(self, other: Saves) -> Saves {
        Saves { inputs: self.inputs | other.inputs, outputs: self.outputs | other.outputs }
    }

    /// Whether input `i` is named; only the first 32 can be.
    pub fn reads_input(self, i: usize) -> bool {
        i < 32 && self.inputs >> i & 1 == 1
    }

    /// Whether output `i` is named; only the first 32 can be.
    pub fn reads_output(self, i: usize) -> bool {
        i < 32 && self.outputs >> i & 1 == 1
    }
}

/// What a gradient rule is given: the saved values, and the facts of all.
pub struct Io<'a> {
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
    /// When the rule's `saves` did not name it.
    pub fn input(&self, i: usize) -> Val {
        self.inputs[i].expect("a rule reads only the inputs that its `saves` names")
    }

    /// Saved output `i`.
    ///
    /// # Panics
    /// When the rule's `saves` did not name it.
    pub fn output(&self, i: usize) -> Val {
        self.outputs[i].expect("a rule reads only the outputs that its `saves` names")
    }

    /// Whether the gradient of input `i` is wanted.
    pub fn needs(&self, i: usize) -> bool {
        self.needs[i]
    }
}

/// Gradients of the inputs; `None` where not wanted or identically zero.
pub type Grads = SmallVec<[Option<Val>; 2]>;

/// The value of an attribute, as texts show it.
#[derive(Debug, Clone, PartialEq)]
pub enum Attr {
    /// A whole number.
    Int(i64),
    /// A real number.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// A word.
    Text(String),
}

impl fmt::Display for Attr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Attr::Int(i) => write!(f, "{i}"),
            Attr::Float(x) => write!(f, "{x:?}"),
            Attr::Bool(b) => write!(f, "{b}"),
            Attr::Ints(v) => write!(f, "{v:?}"),
            Attr::Text(s) => f.write_str(s),
        }
    }
}

impl From<&Shape> for Attr {
    fn from(shape: &Shape) -> Attr {
        Attr::Ints(shape.iter().map(|&s| s as i64).collect())
    }
}

impl From<DType> for Attr {
    fn from(dtype: DType) -> Attr {
        Attr::Text(dtype.short().to_string())
    }
}

impl From<Scalar> for Attr {
    fn from(scalar: Scalar) -> Attr {
        match scalar {
            Scalar::Bool(b) => Attr::Bool(b),
            Scalar::Int(i) => Attr::Int(i),
            Scalar::Float(x) => Attr::Float(x),
        }
    }
}

/// Named attributes, in the order in which texts print them.
pub type Attrs = Vec<(&'static str, Attr)>;

/// All that is known of an operation. No method has a default that hides an omission.
pub trait Rule {
    /// torch's name.
    fn name(&self) -> &'static str;
    /// One sentence: what it computes and how.
    fn doc(&self) -> &'static str;
    /// Attributes for texts and comparisons.
    fn attrs(&self) -> Attrs;
    /// What passes may know.
    fn class(&self) -> Class;
    /// The shape and dtype rule; callers go through [`Op::infer`].
    fn infer(&self, inputs: &[Fact]) -> Result<Facts>;
    /// How the kernel reads input `i`.
    fn reads(&self, input: usize) -> Read;
    /// Whether output `output` may be written over input `input` (same layout).
    fn overwrites(&self, output: usize, input: usize) -> bool;
    /// When it can fail on inputs that `infer` accepted.
    fn faults(&self, inputs: &[Fact]) -> Faults;
    /// A kernel call into memory that the caller owns. Outputs are contiguous, except
    /// those of pointwise operations.
    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()>;
    /// Which values the gradient of input `input` reads.
    fn saves(&self, input: usize) -> Saves;
    /// Gradients of the inputs, written in operations. An operation without a gradient
    /// says why.
    fn vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Grads>;
    /// Scalar arithmetic operations for inputs of these facts.
    fn flops(&self, inputs: &[Fact]) -> u64;
    /// An equal but cheaper form, with the same bits, if there is one.
    fn simplify(&self, known: &dyn Known) -> Option<Simpler>;
    /// Inputs where it is likely to be wrong.
    fn samples(&self) -> Vec<Sample>;
}

/// An operation: a family and its attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Op {
    /// Unary, binary, compare and select operations.
    Pointwise(&'static pointwise::Row),
    /// Conversion of the element type.
    Cast(cast::Cast),
    /// Sums, extremes and the like.
    Reduce(reduce::Reduce),
    /// Softmax, its logarithm, and their gradients.
    Softmax(softmax::Softmax),
    /// Matrix products.
    Matmul(matmul::Matmul),
    /// The same elements, seen otherwise.
    View(view::View),
    /// Writing into a region of a value.
    Region(view::AsStridedScatter),
    /// Concatenation.
    Cat(join::Cat),
    /// Reading and writing by index.
    Index(index::Index),
    /// Running sums.
    Scan(scan::Cumsum),
    /// Normalisation of rows.
    Norm(norm::Standardize),
    /// Classification losses.
    Loss(loss::Loss),
    /// Products with sparse matrices.
    Sparse(sparse::Sparse),
    /// Constant and counting values.
    Create(create::Create),
    /// Random values.
    Random(random::Random),
    /// Values that must lie in a range.
    Within(within::Within),
    /// Optimiser updates.
    Optim(optim::Optim),
    /// A group of pointwise operations.
    Chain(chain::Chain),
}

impl Op {
    /// The facts of the results for inputs of these facts: the shape and dtype rule, the
    /// only argument check, and a check that memory could hold what it promises, so that no
    /// rule can forget it.
    #[inline]
    pub fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let facts = (**self).infer(inputs)?;
        match facts.iter().find(|fact| !fact.shape.fits()) {
            None => Ok(facts),
            Some(fact) => Err(Error::too_large(self.name(), &fact.shape)),
        }
    }
}

impl std::ops::Deref for Op {
    type Target = dyn Rule;

    fn deref(&self) -> &(dyn Rule + 'static) {
        match self {
            Op::Pointwise(row) => *row,
            Op::Cast(op) => op,
            Op::Reduce(op) => op,
            Op::Softmax(op) => op,
            Op::Matmul(op) => op,
            Op::View(op) => op,
            Op::Region(op) => op,
            Op::Cat(op) => op,
            Op::Index(op) => op,
            Op::Scan(op) => op,
            Op::Norm(op) => op,
            Op::Loss(op) => op,
            Op::Sparse(op) => op,
            Op::Create(op) => op,
            Op::Random(op) => op,
            Op::Within(op) => op,
            Op::Optim(op) => op,
            Op::Chain(op) => op,
        }
    }
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

/// Checks that input `i` of `op` is a floating-point value.
pub(crate) fn expect_float(op: &str, fact: &Fact) -> Result<()> {
    if fact.dtype.is_floating_point() {
        return Ok(());
    }
    Err(crate::Error::type_(
        op,
        format_args!(
            "needs a floating-point input, expected float32 or float64, got {}",
            fact.dtype
        ),
    ))
}
