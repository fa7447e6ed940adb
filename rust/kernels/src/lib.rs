//! Floors 0 and 1 of weft: memory and numerics.
//!
//! Floor 0 (`dtype`, `half`, `complex`, `shape`, `layout`, `buffer`, `memory`, `cpu`, `threads`,
//! `fork`) knows bytes and strides.
//! Floor 1 (everything else) computes on [`Arg`]s. Neither knows operations, graphs,
//! gradients, error texts or Python. All `unsafe` numerics of the project live here;
//! every public function is safe to call with any arguments: it checks that each
//! argument lies inside its buffer, and panics on a broken internal contract.

pub mod buffer;
pub mod chain;
pub mod check;
pub mod complex;
pub mod copy;
pub mod cpu;
pub mod dtype;
pub mod fill;
mod float;
pub mod fork;
pub mod gemm;
pub mod half;
pub mod index;
mod lanes;
pub mod layout;
pub mod loss;
pub mod math;
pub mod memory;
pub mod norm;
pub mod optim;
pub mod reduce;
pub mod rng;
pub mod scalar;
pub mod scan;
pub mod shape;
mod shared;
pub mod softmax;
pub mod sparse;
#[cfg(test)]
mod testing;
pub mod threads;
pub mod tile;
mod walk;

pub use buffer::{Arg, Buffer, Spec, WeakBuffer};
pub use dtype::{DType, Element};
pub use layout::Layout;
pub use scalar::Scalar;
pub use shape::{MAX_DIMS, MAX_ELEMENTS, Shape};

/// What a kernel can fail of besides a broken contract. It has written nothing then.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// An index lies outside `0..len`.
    Index {
        /// The offending index.
        index: i64,
        /// How many places there are.
        len: usize,
    },
    /// A weight is negative, infinite or not a number.
    Weight {
        /// The offending weight.
        weight: f64,
    },
    /// A value lies outside its range.
    Outside {
        /// The offending value.
        value: f64,
    },
    /// Too few weights of a row are positive.
    Weights {
        /// How many are.
        positive: usize,
        /// How many must be.
        needed: usize,
    },
    /// There is no memory for this much working space or result.
    Memory {
        /// Bytes that were asked for.
        bytes: usize,
    },
}

/// Result of a kernel that checks values or needs working memory.
pub type Checked = Result<(), Fault>;
