//! One instruction over operands that lie one element after the other, as the result does.

use super::{MAX_OPERANDS, spread};
use crate::buffer::Buffer;
use crate::dtype::DType;
use crate::fill::One;
use crate::tile::{Operand, Tile};

/// Adjacent elements of a buffer, from `offset` on.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// The memory.
    pub buffer: &'a Buffer,
    /// Element type.
    pub dtype: DType,
    /// Elements before the first.
    pub offset: usize,
}

/// An input of [`flat`].
#[derive(Debug, Clone, Copy)]
pub enum Flat<'a> {
    /// An element for each of the result.
    Each(Span<'a>),
    /// One number for all.
    One(&'a One),
}

impl Span<'_> {
    /// Where `n` elements begin, which lie inside the buffer.
    #[inline]
    fn start(&self, n: usize) -> *mut u8 {
        let size = self.dtype.size();
        let end = self.offset.saturating_add(n).saturating_mul(size);
        assert!(n == 0 || end <= self.buffer.len(), "{n} elements exceed {self:?}");
        self.buffer.as_ptr().wrapping_add(self.offset.wrapping_mul(size))
    }
}

impl Flat<'_> {
    #[inline]
    fn dtype(&self) -> DType {
        match self {
            Flat::Each(span) => span.dtype,
            Flat::One(one) => one.dtype(),
        }
    }

    #[inline]
    fn operand(&self, n: usize) -> Operand {
        match self {
            Flat::Each(span) => Operand { ptr: span.start(n), step: 1 },
            Flat::One(one) => Operand { ptr: one.as_ptr(), step: 0 },
        }
    }
}

/// Runs one instruction over `n` elements; `cost` is the number of scalar operations per
/// element. `out` may be exactly an input.
///
/// # Panics
/// When the number of inputs or a dtype is wrong, or a span exceeds its buffer.
pub fn flat(tile: Tile, ins: &[Flat], out: Span, n: usize, cost: usize) {
    let reads = |(k, input): (usize, &Flat)| tile.reads(k, input.dtype());
    let fits = ins.len() == tile.arity() && tile.makes(out.dtype);
    assert!(fits && ins.iter().enumerate().all(reads), "{ins:?} and {out:?} for {tile:?}");
    let ptr = out.start(n);
    let mut operands = [Operand { ptr: ptr.cast_const(), step: 0 }; MAX_OPERANDS];
    for (operand, input) in operands.iter_mut().zip(ins) {
        *operand = input.operand(n);
    }
    let size = |k: usize| ins[k].dtype().size();
    // SAFETY: every span holds `n` elements, and a number is read with step 0.
    unsafe { spread(tile, &operands[..ins.len()], size, (ptr, out.dtype.size()), n, cost) };
}
