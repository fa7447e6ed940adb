//! The loops that turn a scalar function into a tile.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use super::{Operand, TileFn};
use crate::dtype::{DType, Element, Width, by_width};

/// A tile's loop.
pub(crate) trait Kernel {
    /// Dtype of each input ([`DType::U8`] stands for truth values too).
    const INS: &'static [DType];
    /// Dtype of the output.
    const OUT: DType;

    /// Computes `n` elements.
    ///
    /// # Safety
    /// As [`TileFn`], and in addition every step is 1 and `out` overlaps no input.
    unsafe fn run(ins: &[Operand], out: *mut u8, n: usize);
}

/// A function of one operand.
pub(crate) trait Un<T, U> {
    fn f(x: T) -> U;
    /// Whether `x` needs [`Un::slow`] in place of [`Un::f`].
    #[inline(always)]
    fn rare(_: &T) -> bool {
        false
    }
    #[inline(always)]
    fn slow(x: T) -> U {
        Self::f(x)
    }
    /// Whether any element can be rare.
    const HAS_RARE: bool = false;
}

/// A function of two operands of one type.
pub(crate) trait Bi<T, U> {
    fn f(a: T, b: T) -> U;
}

/// A function of three operands.
pub(crate) trait Tri<C, T> {
    fn f(a: C, b: T, c: T) -> T;
}

pub(crate) struct Map1<F, T, U>(PhantomData<(F, T, U)>);
pub(crate) struct Map2<F, T, U>(PhantomData<(F, T, U)>);
pub(crate) struct Map3<F, C, T>(PhantomData<(F, C, T)>);

/// The elements of one input.
///
/// # Safety
/// The operand must be readable for `n` elements with step 1, while the slice is used.
#[inline(always)]
pub(crate) unsafe fn input<'a, T>(ins: &[Operand], index: usize, n: usize) -> &'a [T] {
    debug_assert!(index < ins.len());
    // SAFETY: the caller passes as many operands as the kernel has, each good for `n`.
    unsafe { std::slice::from_raw_parts(ins.get_unchecked(index).ptr.cast::<T>(), n) }
}

/// The elements of the output.
///
/// # Safety
/// `out` must be writable for `n` elements that nothing else refers to.
#[inline(always)]
pub(crate) unsafe fn output<'a, T>(out: *mut u8, n: usize) -> &'a mut [T] {
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts_mut(out.cast::<T>(), n) }
}

impl<F: Un<T, U>, T: Element, U: Element> Kernel for Map1<F, T, U> {
    const INS: &'static [DType] = &[T::DTYPE];
    const OUT: DType = U::DTYPE;
    #[inline(always)]
    unsafe fn run(ins: &[Operand], out: *mut u8, n: usize) {
        // SAFETY: the contract of `run`.
        let (x, out) = unsafe { (input::<T>(ins, 0, n), output::<U>(out, n)) };
        map1::<F, T, U>(x, out);
    }
}

#[inline(always)]
fn map1<F: Un<T, U>, T: Copy, U: Copy>(x: &[T], out: &mut [U]) {
    for (y, &x) in out.iter_mut().zip(x) {
        *y = F::f(x);
    }
    if F::HAS_RARE && x.iter().fold(false, |any, x| any | F::rare(x)) {
        for (y, x) in out.iter_mut().zip(x).filter(|(_, x)| F::rare(x)) {
            *y = F::slow(*x);
        }
    }
}

impl<F: Bi<T, U>, T: Element, U: Element> Kernel for Map2<F, T, U> {
    const INS: &'static [DType] = &[T::DTYPE, T::DTYPE];
    const OUT: DType = U::DTYPE;
    #[inline(always)]
    unsafe fn run(ins: &[Operand], out: *mut u8, n: usize) {
        // SAFETY: the contract of `run`.
        let (a, b) = unsafe { (input::<T>(ins, 0, n), input::<T>(ins, 1, n)) };
        // SAFETY: as above.
        let out = unsafe { output::<U>(out, n) };
        map2::<F, T, U>(a, b, out);
    }
}

#[inline(always)]
fn map2<F: Bi<T, U>, T: Copy, U: Copy>(a: &[T], b: &[T], out: &mut [U]) {
    for ((y, &a), &b) in out.iter_mut().zip(a).zip(b) {
        *y = F::f(a, b);
    }
}

impl<F: Tri<C, T>, C: Element, T: Element> Kernel for Map3<F, C, T> {
    const INS: &'static [DType] = &[C::DTYPE, T::DTYPE, T::DTYPE];
    const OUT: DType = T::DTYPE;
    #[inline(always)]
    unsafe fn run(ins: &[Operand], out: *mut u8, n: usize) {
        // SAFETY: the contract of `run`.
        let (a, b) = unsafe { (input::<C>(ins, 0, n), input::<T>(ins, 1, n)) };
        // SAFETY: as above.
        let (c, out) = unsafe { (input::<T>(ins, 2, n), output::<T>(out, n)) };
        map3::<F, C, T>(a, b, c, out);
    }
}

#[inline(always)]
fn map3<F: Tri<C, T>, C: Copy, T: Copy>(a: &[C], b: &[T], c: &[T], out: &mut [T]) {
    for (((y, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
        *y = F::f(a, b, c);
    }
}

/// Whether [`Kernel::run`] can be called as it is.
#[inline(always)]
fn plain(ins: &[Operand], out: *mut u8) -> bool {
    ins.iter().fold(true, |plain, x| plain & (x.step == 1) & (x.ptr != out.cast_const()))
}

macro_rules! version {
    ($name:ident $(, $features:literal)?) => {
        /// The tile of `K`.
        ///
        /// # Safety
        /// As [`TileFn`].
        $(#[target_feature(enable = $features)])?
        pub(super) unsafe fn $name<K: Kernel>(ins: &[Operand], out: *mut u8, n: usize) {
            if plain(ins, out) {
                // SAFETY: the caller keeps the contract of `TileFn`; `plain` checked the rest.
                unsafe { K::run(ins, out, n) }
            } else {
                // SAFETY: the caller keeps the contract of `TileFn`.
                unsafe { staged($name::<K>, K::INS, K::OUT, ins, out, n) }
            }
        }
    };
}

version!(baseline);
#[cfg(target_arch = "x86_64")]
version!(avx2, "avx2,fma,bmi1,bmi2");
#[cfg(target_arch = "x86_64")]
version!(avx512, "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,bmi1,bmi2");

/// Elements that are staged at a time.
const STAGE: usize = 512;

#[repr(align(64))]
struct Stage(MaybeUninit<[u8; STAGE * size_of::<[u64; 2]>()]>);

/// Calls `tile` piece by piece, with repeated values spread out and inputs that are also
/// the output copied aside, so that each loop exists in one form only.
///
/// # Safety
/// As [`TileFn`], for `tile` with inputs and output of these dtypes.
#[inline(never)]
unsafe fn staged(tile: TileFn, from: &[DType], to: DType, ins: &[Operand], out: *mut u8, n: usize) {
    let mut stages = [const { Stage(MaybeUninit::uninit()) }; 3];
    let stages = stages.each_mut().map(|stage| stage.0.as_mut_ptr().cast::<u8>());
    let mut now = [Operand { ptr: out, step: 1 }; 3];
    let (count, size) = (from.len(), to.size());
    for k in 0..count {
        if ins[k].step == 0 {
            // SAFETY: the operand holds one element, the stage STAGE of them.
            unsafe { splat(ins[k].ptr, stages[k], from[k].width(), n.min(STAGE)) };
            now[k].ptr = stages[k];
        }
    }
    let mut done = 0;
    while done < n {
        let len = (n - done).min(STAGE);
        for k in (0..count).filter(|&k| ins[k].step != 0) {
            now[k].ptr = ins[k].ptr.wrapping_add(done * from[k].size());
            if ins[k].ptr == out.cast_const() {
                // SAFETY: `len` elements are readable, and the stage holds them.
                unsafe { stages[k].copy_from_nonoverlapping(now[k].ptr, len * from[k].size()) };
                now[k].ptr = stages[k];
            }
        }
        // SAFETY: the pieces lie inside the operands; none is the output any more.
        unsafe { tile(&now[..count], out.wrapping_add(done * size), len) };
        done += len;
    }
}

/// Writes one element `n` times.
///
/// # Safety
/// `from` must be readable for one element of `width` bytes and `to` writable for `n`, both
/// aligned.
pub(crate) unsafe fn splat(from: *const u8, to: *mut u8, width: Width, n: usize) {
    // SAFETY: the caller's promise.
    by_width!(width, T => unsafe { output::<T>(to, n).fill(*from.cast::<T>()) });
}
