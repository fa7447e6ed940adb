//! Elements that are stored narrower than they are computed with.
//!
//! Every tile of a wide dtype has a form for the narrow ones: small blocks are widened on the
//! stack, the very function of the wide dtype runs, and its results are narrowed. So no
//! instruction is written for a narrow dtype, halves are rounded once an instruction, and the
//! bits are those of the wide function under every instruction set.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::kernel::{self, Kernel, input, output};
use super::{Operand, TileFn};
use crate::dtype::{DType, Element};
use crate::half::{BF16, F16};

/// An element that is computed with as another.
pub(crate) trait Narrow: Element {
    /// What it is computed as.
    type Wide: Element;
    /// The same number.
    fn widen(self) -> Self::Wide;
    /// The nearest element of a float, the last bits of an integer.
    fn narrow(x: Self::Wide) -> Self;
}

macro_rules! narrow {
    ($($t:ty as $wide:ty: |$x:ident| $widen:expr, |$y:ident| $narrow:expr;)+) => {
        $(impl Narrow for $t {
            type Wide = $wide;
            #[inline(always)]
            fn widen(self) -> $wide {
                let $x = self;
                $widen
            }
            #[inline(always)]
            fn narrow($y: $wide) -> $t {
                $narrow
            }
        })+
    };
}

narrow! {
    F16 as f32: |x| x.to_f32(), |y| F16::from_f32(y);
    BF16 as f32: |x| x.to_f32(), |y| BF16::from_f32(y);
    i8 as i32: |x| x.into(), |y| y as i8;
    i16 as i32: |x| x.into(), |y| y as i16;
    u16 as i32: |x| x.into(), |y| y as u16;
    u32 as i64: |x| x.into(), |y| y as u32;
}

/// The dtypes of `K` with those of `S` for those it is computed as.
pub(super) struct Names<S, K>(PhantomData<(S, K)>);

impl<S: Narrow, K: Kernel> Names<S, K> {
    const ALL: &'static [DType; 3] = &{
        let mut all = [DType::U8; 3];
        let mut k = 0;
        while k < K::INS.len() {
            all[k] = Self::name(K::INS[k]);
            k += 1;
        }
        all
    };
    pub(super) const INS: &'static [DType] = Self::ALL.split_at(K::INS.len()).0;
    pub(super) const OUT: DType = Self::name(K::OUT);

    const fn name(dtype: DType) -> DType {
        if dtype as u8 == S::Wide::DTYPE as u8 { S::DTYPE } else { dtype }
    }
}

/// Elements that are widened at a time.
const BLOCK: usize = 256;

#[repr(align(64))]
struct Block<T>(MaybeUninit<[T; BLOCK]>);

/// Runs `wide`, whose dtypes these are, on narrow operands.
///
/// # Safety
/// As [`TileFn`], of the tile that is made of `wide`.
#[inline(always)]
unsafe fn blocks<S: Narrow>(
    wide: TileFn,
    from: &[DType],
    to: DType,
    ins: &[Operand],
    out: *mut u8,
    n: usize,
) {
    let is_wide = |dtype: DType| dtype == S::Wide::DTYPE;
    let mut space = [const { Block::<S::Wide>(MaybeUninit::uninit()) }; 4];
    let [x, y, z, result] = space.each_mut().map(|block| block.0.as_mut_ptr().cast::<S::Wide>());
    let near = [x, y, z];
    let mut now = [Operand { ptr: out, step: 1 }; 3];
    for (k, operand) in ins.iter().enumerate() {
        now[k] = *operand;
        if is_wide(from[k]) {
            now[k] = Operand { ptr: near[k].cast(), step: 1 };
            if operand.step == 0 {
                // SAFETY: the operand holds one element, the block BLOCK of them.
                unsafe {
                    let value = (*operand.ptr.cast::<S>()).widen();
                    output::<S::Wide>(near[k].cast(), n.min(BLOCK)).fill(value);
                }
            }
        }
    }
    for done in (0..n).step_by(BLOCK) {
        let len = BLOCK.min(n - done);
        for k in (0..ins.len()).filter(|&k| ins[k].step != 0) {
            if is_wide(from[k]) {
                // SAFETY: `len` elements are readable from `done` on, and the block holds them.
                unsafe {
                    let at = Operand { ptr: ins[k].ptr.add(done * size_of::<S>()), step: 1 };
                    let block = output::<S::Wide>(near[k].cast(), len);
                    for (w, &s) in block.iter_mut().zip(input::<S>(&[at], 0, len)) {
                        *w = s.widen();
                    }
                }
            } else {
                now[k].ptr = ins[k].ptr.wrapping_add(done * from[k].size());
            }
        }
        // SAFETY: the pieces lie inside the operands and blocks; what is read of an operand that
        // is also the output lies where nothing was written yet, or was widened before.
        unsafe {
            if is_wide(to) {
                wide(&now[..ins.len()], result.cast(), len);
                let out = output::<S>(out.add(done * size_of::<S>()), len);
                let made = Operand { ptr: result.cast_const().cast(), step: 1 };
                for (s, &w) in out.iter_mut().zip(input::<S::Wide>(&[made], 0, len)) {
                    *s = S::narrow(w);
                }
            } else {
                wide(&now[..ins.len()], out.wrapping_add(done * to.size()), len);
            }
        }
    }
}

macro_rules! version {
    ($name:ident, $blocks:ident $(, $features:literal)?) => {
        /// The tile of `K` on elements `S`.
        ///
        /// # Safety
        /// As [`TileFn`].
        pub(super) unsafe fn $name<S: Narrow, K: Kernel>(
            ins: &[Operand],
            out: *mut u8,
            n: usize,
        ) {
            // SAFETY: the caller keeps the contract of `TileFn`.
            unsafe { $blocks::<S>(kernel::$name::<K>, K::INS, K::OUT, ins, out, n) }
        }

        /// # Safety
        /// As [`blocks`].
        $(#[target_feature(enable = $features)])?
        #[inline(never)]
        unsafe fn $blocks<S: Narrow>(
            wide: TileFn,
            from: &[DType],
            to: DType,
            ins: &[Operand],
            out: *mut u8,
            n: usize,
        ) {
            // SAFETY: the caller's promise.
            unsafe { blocks::<S>(wide, from, to, ins, out, n) }
        }
    };
}

version!(baseline, blocks_baseline);
#[cfg(target_arch = "x86_64")]
version!(avx2, blocks_avx2, "avx2,fma,bmi1,bmi2");
#[cfg(target_arch = "x86_64")]
version!(avx512, blocks_avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi1,bmi2");
