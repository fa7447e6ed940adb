//! What an operation's own simplify rule may look at, and what it may answer.

use smallvec::SmallVec;
use weft_kernels::Scalar;

use super::{Op, Val};
use crate::fact::Fact;

/// What is known around one operation of a static graph.
pub trait Known {
    /// Handle of input `i`.
    fn input(&self, i: usize) -> Val;
    /// Fact of input `i`.
    fn fact(&self, i: usize) -> Fact;
    /// Fact of the (first) result.
    fn result(&self) -> Fact;
    /// The number that input `i` holds in every element, if it is such a constant.
    fn uniform(&self, i: usize) -> Option<Scalar>;
    /// The operation that makes input `i`, with its inputs, if one does.
    fn producer(&self, i: usize) -> Option<(&Op, SmallVec<[Val; 4]>)>;
}

/// An equal but cheaper form.
#[derive(Debug, Clone, PartialEq)]
pub enum Simpler {
    /// Another value stands for the result.
    Value(Val),
    /// Another operation computes it.
    Call(Op, SmallVec<[Val; 4]>),
}

/// Input `i` itself, if it has the result's fact.
pub fn keep(known: &dyn Known, i: usize) -> Option<Simpler> {
    (known.fact(i) == known.result()).then(|| Simpler::Value(known.input(i)))
}

/// Whether input `i` is a constant that holds `value` (bit for bit) everywhere.
pub fn is(known: &dyn Known, i: usize, value: f64) -> bool {
    known.uniform(i).is_some_and(|s| s.as_f64().to_bits() == value.to_bits())
}
