//! What is known of a value that need not exist yet.

use std::fmt;

use smallvec::SmallVec;
use weft_kernels::{DType, Shape};

use crate::error::{Error, Result};

/// Dtype and shape of a value.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fact {
    /// Element type.
    pub dtype: DType,
    /// Size of each dimension.
    pub shape: Shape,
}

/// The facts of an operation's results: mostly one.
pub type Facts = SmallVec<[Fact; 1]>;

impl Fact {
    /// A fact.
    pub fn new(dtype: DType, shape: Shape) -> Fact {
        Fact { dtype, shape }
    }

    /// This fact as the only result.
    pub fn only(self) -> Facts {
        smallvec::smallvec![self]
    }

    /// Same shape, other dtype.
    pub fn with_dtype(self, dtype: DType) -> Fact {
        Fact { dtype, ..self }
    }

    /// Same dtype, other shape.
    pub fn with_shape(self, shape: Shape) -> Fact {
        Fact { shape, ..self }
    }

    /// This fact, as a result of operation `op`, if memory could ever hold it: see
    /// [`Shape::fits`].
    #[inline]
    pub fn checked(self, op: &str) -> Result<Fact> {
        if self.shape.fits() { Ok(self) } else { Err(Error::too_large(op, &self.shape)) }
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.shape.numel()
    }

    /// Number of bytes when contiguous; `usize::MAX` for what no memory holds.
    pub fn bytes(&self) -> usize {
        self.numel().saturating_mul(self.dtype.size())
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.dtype.short(), self.shape)
    }
}

impl fmt::Debug for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
