//! Tiles: one elementwise instruction over a contiguous run of elements.
//!
//! The same tile serves eager calls over whole arrays and chains over pieces
//! that fit the first-level cache. Its bits do not depend on where a run begins or
//! ends, on the operands' steps, or on the instruction set. (Sign and payload of a NaN
//! are not specified.)

mod binary;
mod cast;
mod compare;
mod kernel;
mod narrow;
mod pow;
mod ternary;
#[cfg(test)]
mod tests;
mod unary;

pub use binary::*;
pub use cast::cast;
pub use compare::*;
pub use pow::POW;
pub use ternary::{CLAMP, WHERE};
pub use unary::*;

use crate::cpu::{Isa, isa};
use crate::dtype::DType;
use crate::half::{BF16, F16};
pub(crate) use kernel::{Kernel, splat};
use narrow::{Names, Narrow};

/// Where a tile reads one of its inputs.
#[derive(Debug, Clone, Copy)]
pub struct Operand {
    /// The first element.
    pub ptr: *const u8,
    /// Elements from one to the next: 0 (one value repeated) or 1.
    pub step: usize,
}

/// Computes `n` elements of `out` from `n` elements of each input.
///
/// # Safety
/// There must be as many inputs as the tile has operands, each readable for `n` elements
/// (one, where `step` is 0) of the dtype the tile expects, `out` must be writable for `n`
/// elements, all aligned. `out` may be exactly an input of the same element size and step
/// 1, and may not overlap an input otherwise. The machine must have the instruction set
/// the tile was compiled for.
pub type TileFn = unsafe fn(ins: &[Operand], out: *mut u8, n: usize);

/// A tile for this machine, which knows its dtypes.
#[derive(Debug, Clone, Copy)]
pub struct Tile {
    run: TileFn,
    ins: &'static [DType],
    out: DType,
}

impl Tile {
    /// Number of operands.
    pub fn arity(&self) -> usize {
        self.ins.len()
    }

    /// Whether operand `k` may be of `dtype`.
    #[inline]
    pub fn reads(&self, k: usize, dtype: DType) -> bool {
        self.ins.get(k).is_some_and(|&own| stands_for(own, dtype))
    }

    /// Whether the result may be stored as `dtype`.
    #[inline]
    pub fn makes(&self, dtype: DType) -> bool {
        stands_for(self.out, dtype)
    }

    /// Runs it.
    ///
    /// # Safety
    /// As [`TileFn`].
    #[inline]
    pub(crate) unsafe fn call(&self, ins: &[Operand], out: *mut u8, n: usize) {
        // SAFETY: the caller's promise.
        unsafe { (self.run)(ins, out, n) };
    }
}

/// Whether a kernel of `own` elements handles `dtype`: truth values are bytes to it.
#[inline]
fn stands_for(own: DType, dtype: DType) -> bool {
    own == dtype || (own == DType::U8 && dtype == DType::Bool)
}

/// One tile as compiled for each instruction set.
#[derive(Clone, Copy)]
pub(crate) struct Versions {
    runs: [TileFn; 3],
    ins: &'static [DType],
    out: DType,
}

impl Versions {
    pub(crate) const fn of<K: Kernel>() -> Versions {
        #[cfg(target_arch = "x86_64")]
        let runs: [TileFn; 3] = [kernel::baseline::<K>, kernel::avx2::<K>, kernel::avx512::<K>];
        #[cfg(not(target_arch = "x86_64"))]
        let runs: [TileFn; 3] = [kernel::baseline::<K>; 3];
        Versions { runs, ins: K::INS, out: K::OUT }
    }

    /// Without a version of its own for AVX-512: half the code for dtypes that are rare.
    pub(crate) const fn lean<K: Kernel>() -> Versions {
        #[cfg(target_arch = "x86_64")]
        let runs: [TileFn; 3] = [kernel::baseline::<K>, kernel::avx2::<K>, kernel::avx2::<K>];
        #[cfg(not(target_arch = "x86_64"))]
        let runs: [TileFn; 3] = [kernel::baseline::<K>; 3];
        Versions { runs, ins: K::INS, out: K::OUT }
    }

    /// `K` on elements that it reads and writes as others.
    const fn narrow<S: Narrow, K: Kernel>() -> Versions {
        #[cfg(target_arch = "x86_64")]
        let runs: [TileFn; 3] =
            [narrow::baseline::<S, K>, narrow::avx2::<S, K>, narrow::avx512::<S, K>];
        #[cfg(not(target_arch = "x86_64"))]
        let runs: [TileFn; 3] = [narrow::baseline::<S, K>; 3];
        Versions { runs, ins: Names::<S, K>::INS, out: Names::<S, K>::OUT }
    }

    pub(crate) fn get(&self, isa: Isa) -> Tile {
        Tile { run: self.runs[isa as usize], ins: self.ins, out: self.out }
    }
}

/// An instruction for every dtype that has it. The key is the dtype of the operands
/// (of [`WHERE`]: of the last two).
pub struct TileSet {
    versions: [Option<Versions>; DType::COUNT],
}

impl TileSet {
    const fn new() -> TileSet {
        TileSet { versions: [None; DType::COUNT] }
    }

    const fn with<K: Kernel>(mut self, dtype: DType) -> TileSet {
        self.versions[dtype as usize] = Some(Versions::of::<K>());
        self
    }

    /// [`TileSet::with`] for a rare dtype.
    const fn lean<K: Kernel>(mut self, dtype: DType) -> TileSet {
        self.versions[dtype as usize] = Some(Versions::lean::<K>());
        self
    }

    /// Adds `K`, which looks at no element, for a dtype of the same width.
    const fn moving<K: Kernel>(mut self, dtype: DType, ins: &'static [DType]) -> TileSet {
        self.versions[dtype as usize] = Some(Versions { ins, out: dtype, ..Versions::lean::<K>() });
        self
    }

    /// Adds what is computed in `f32` by `K` for the floats of sixteen bits.
    const fn halves<K: Kernel>(mut self) -> TileSet {
        self.versions[DType::F16 as usize] = Some(Versions::narrow::<F16, K>());
        self.versions[DType::BF16 as usize] = Some(Versions::narrow::<BF16, K>());
        self
    }

    /// Adds what is computed in `i32` by `K` and in `i64` by `L` for the narrow integers.
    const fn narrow_ints<K: Kernel, L: Kernel>(mut self) -> TileSet {
        self.versions[DType::I8 as usize] = Some(Versions::narrow::<i8, K>());
        self.versions[DType::I16 as usize] = Some(Versions::narrow::<i16, K>());
        self.versions[DType::U16 as usize] = Some(Versions::narrow::<u16, K>());
        self.versions[DType::U32 as usize] = Some(Versions::narrow::<u32, L>());
        self
    }

    /// The tile for this machine, if the dtype has the instruction.
    pub fn get(&self, dtype: DType) -> Option<Tile> {
        self.get_for(dtype, isa())
    }

    /// The tile for a given instruction set, which the machine must have when it is called.
    pub(crate) fn get_for(&self, dtype: DType, isa: Isa) -> Option<Tile> {
        self.versions[dtype as usize].map(|versions| versions.get(isa))
    }

    /// Whether the dtype has the instruction.
    pub fn supports(&self, dtype: DType) -> bool {
        self.versions[dtype as usize].is_some()
    }
}
