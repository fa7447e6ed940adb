//! Floor 2: operations. One row of facts per operation, one file per family.
//!
//! A rule speaks to [`Emit`]; who listens (eager execution, the tape, a static graph) is
//! not its affair.

pub mod attr;
pub mod batch;
pub mod bind;
pub mod cast;
pub mod chain;
pub mod compose;
pub mod create;
pub mod emit;
pub mod fit;
pub mod forward;
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
pub mod rule;
pub mod sample;
pub mod scan;
pub mod simplify;
pub mod softmax;
pub mod sparse;
pub mod text;
pub mod view;
pub mod within;

use weft_kernels::Arg;

pub use attr::{Attr, Attrs, Fields, Size, Sizes};
pub use batch::Batch;
pub use emit::{Emit, Val, Vals};
use rule::Differentiate;
pub use rule::{
    Class, Faults, Forward, Grad, Grads, Io, Nature, Over, Read, Rule, Saved, Saves, Vjp, Which,
};
pub(crate) use rule::{expect_dim, expect_float, expect_inputs};
pub use sample::Sample;
pub use simplify::{Known, Simpler};

use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

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
    Region(Box<view::AsStridedScatter>),
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
    Random(Box<random::Random>),
    /// Values that must lie in a range.
    Within(within::Within),
    /// Optimiser updates.
    Optim(optim::Optim),
    /// A chain of pointwise operations.
    Chain(chain::Chain),
}

// Operations stand in every node of the tape and every step of a plan.
const _: () = assert!(size_of::<Op>() <= 80);

/// Calls what the rule of `$op`, whichever family it is of, has to say.
macro_rules! rule {
    ($op:expr, $rule:ident => $say:expr) => {
        match $op {
            Op::Pointwise($rule) => $say,
            Op::Cast($rule) => $say,
            Op::Reduce($rule) => $say,
            Op::Softmax($rule) => $say,
            Op::Matmul($rule) => $say,
            Op::View($rule) => $say,
            Op::Region($rule) => $say,
            Op::Cat($rule) => $say,
            Op::Index($rule) => $say,
            Op::Scan($rule) => $say,
            Op::Norm($rule) => $say,
            Op::Loss($rule) => $say,
            Op::Sparse($rule) => $say,
            Op::Create($rule) => $say,
            Op::Random($rule) => $say,
            Op::Within($rule) => $say,
            Op::Optim($rule) => $say,
            Op::Chain($rule) => $say,
        }
    };
}

impl Op {
    /// torch's name.
    pub fn name(&self) -> &'static str {
        rule!(self, rule => rule.name())
    }

    /// One sentence: what it computes and how.
    pub fn doc(&self) -> &'static str {
        rule!(self, rule => rule.doc())
    }

    /// Whether input `input` has a gradient, as [`Grad::say`] says it.
    pub fn gradient(&self, input: usize) -> &'static str {
        rule!(self, rule => rule.gradient(input).say())
    }

    /// Its attributes as data, of which [`register::make`] makes it again.
    pub fn attrs(&self) -> Attrs {
        let mut fields = Fields::tell();
        rule!(&mut self.clone(), rule => rule.fields(&mut fields));
        fields.told()
    }

    /// This operation with these attributes.
    pub(crate) fn with(mut self, attrs: &[(String, Attr)]) -> Result<Op> {
        let mut fields = Fields::set(attrs);
        rule!(&mut self, rule => rule.fields(&mut fields));
        fields.finish(self.name())?;
        Ok(self)
    }

    /// What holds whatever the inputs are.
    pub fn nature(&self) -> Nature {
        rule!(self, rule => rule.nature())
    }

    /// What passes may know.
    #[inline]
    pub fn class(&self) -> Class {
        self.nature().class
    }

    /// How the kernel reads input `input`.
    pub fn reads(&self, input: usize) -> Read {
        if self.nature().contiguous.has(input) { Read::Contiguous } else { Read::Strided }
    }

    /// Whether output `output` may be written over input `input` (same layout).
    pub fn overwrites(&self, output: usize, input: usize) -> bool {
        match self.nature().over {
            Over::Nothing => false,
            Over::Any => true,
            Over::First => input == 0,
            Over::Pairs => match self {
                Op::Optim(optim) => optim.overwrites(output, input),
                Op::Chain(chain) => chain.overwrites(output, input),
                _ => false,
            },
        }
    }

    /// When it can fail on inputs of these facts, which `infer` accepted: not
    /// [`Faults::WholeValues`].
    pub fn faults(&self, inputs: &[Fact]) -> Faults {
        match self.nature().faults {
            Faults::WholeValues if !inputs.iter().any(|fact| fact.dtype.is_whole()) => {
                Faults::Never
            }
            Faults::WholeValues => Faults::Values,
            faults => faults,
        }
    }

    /// The facts of the results for inputs of these facts: the shape and dtype rule, the
    /// only argument check, and a check that memory could hold what it promises, so that no
    /// rule can forget it.
    #[inline]
    pub fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let facts = rule!(self, rule => rule.infer(inputs))?;
        match facts.iter().find(|fact| !fact.shape.fits()) {
            None => Ok(facts),
            Some(fact) => Err(Error::too_large(self.name(), &fact.shape)),
        }
    }

    /// A kernel call into memory that the caller owns. Outputs are contiguous, except
    /// those of pointwise operations.
    #[inline]
    pub fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        rule!(self, rule => rule.run(inputs, outputs))
    }

    /// Which values the gradient of input `input` reads.
    #[inline]
    pub fn saves(&self, input: usize) -> Saves {
        rule!(self, rule => rule.gradient(input).saves())
    }

    /// Whether the gradient of input `input` exists; otherwise why not.
    pub fn differentiable(&self, input: usize) -> std::result::Result<bool, &'static str> {
        rule!(self, rule => match rule.gradient(input) {
            Grad::Of(..) | Grad::OfAll(..) => Ok(true),
            Grad::Zero | Grad::Nothing => Ok(false),
            Grad::None(why) => Err(why),
        })
    }

    /// Gradients of the inputs that want one, written in operations.
    pub fn vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Grads> {
        rule!(self, rule => rule.vjp(e, io, grads))
    }

    /// The operation on many inputs at once; see [`Rule::batch`].
    pub fn batch(&self, b: &mut Batch) -> Result<Vals> {
        rule!(self, rule => rule.batch(b))
    }

    /// Scalar arithmetic operations for inputs of these facts.
    pub fn flops(&self, inputs: &[Fact]) -> u64 {
        rule!(self, rule => rule.flops(inputs))
    }

    /// An equal but cheaper form, with the same bits, if there is one.
    pub fn simplify(&self, known: &dyn Known) -> Option<Simpler> {
        match self {
            Op::Pointwise(row) => (row.simplify)(known),
            Op::Cast(_) | Op::Cat(_) => simplify::keep(known, 0),
            Op::Reduce(reduce) => reduce.simplify(known),
            Op::View(view) => view.simplify(known),
            Op::Region(region) => region.simplify(known),
            Op::Softmax(_)
            | Op::Matmul(_)
            | Op::Index(_)
            | Op::Scan(_)
            | Op::Norm(_)
            | Op::Loss(_)
            | Op::Sparse(_)
            | Op::Create(_)
            | Op::Random(_)
            | Op::Within(_)
            | Op::Optim(_)
            | Op::Chain(_) => None,
        }
    }

    /// Inputs where it is likely to be wrong.
    pub fn samples(&self) -> Vec<Sample> {
        rule!(self, rule => rule.samples())
    }
}
