//! Vectors as the products see them: a few operations for each instruction set.

use super::kernel::Kernel;
use crate::dtype::Element;

/// A vector of [`Simd::LANES`] numbers.
///
/// # Safety
/// Its functions may be called only where the machine has the instruction set, and
/// with pointers valid for the lanes they touch.
pub(super) unsafe trait Simd: Copy + 'static {
    /// The number type.
    type T: Element;
    /// Which of the first lanes are touched.
    type Mask: Copy;
    /// Numbers in a vector.
    const LANES: usize;
    /// Most rows of a register tile that is two vectors wide.
    const ROWS: usize;
    const ZERO: Self::T;
    /// Numbers in a cache line.
    const LINE: usize = 64 / size_of::<Self::T>();

    /// Asks for a cache line that will be needed soon; any address will do.
    unsafe fn fetch(_: *const Self::T) {}
    unsafe fn zero() -> Self;
    unsafe fn splat(x: *const Self::T) -> Self;
    unsafe fn load(x: *const Self::T) -> Self;
    unsafe fn store(self, x: *mut Self::T);
    unsafe fn mask(lanes: usize) -> Self::Mask;
    unsafe fn load_part(x: *const Self::T, mask: Self::Mask) -> Self;
    unsafe fn store_part(self, x: *mut Self::T, mask: Self::Mask);
    /// `self + a * b`, rounded once where the machine can.
    unsafe fn madd(self, a: Self, b: Self) -> Self;
    unsafe fn add(self, other: Self) -> Self;
    /// The four vectors made of the first, second, … of four neighbouring numbers in each
    /// of [`Simd::LANES`] rows.
    unsafe fn turn(row: impl Fn(usize) -> *const Self::T) -> [Self; 4];
    /// The kernel for tiles of `rows` rows and one or two vectors.
    fn kernel(rows: usize, vectors: usize) -> Kernel<Self::T>;
}

/// Vectors for machines without x86 extensions: LLVM finds the best it can.
#[derive(Clone, Copy)]
#[repr(align(16))]
pub(super) struct Plain<T, const L: usize>([T; L]);

macro_rules! plain {
    ($t:ty, $lanes:literal) => {
        // SAFETY: no instruction set beyond the baseline is used.
        unsafe impl Simd for Plain<$t, $lanes> {
            type T = $t;
            type Mask = usize;
            const LANES: usize = $lanes;
            const ROWS: usize = 6;
            const ZERO: $t = 0.0;

            #[inline(always)]
            unsafe fn zero() -> Self {
                Plain([0.0; $lanes])
            }
            #[inline(always)]
            unsafe fn splat(x: *const $t) -> Self {
                // SAFETY: by the contract of the trait.
                Plain([unsafe { *x }; $lanes])
            }
            #[inline(always)]
            unsafe fn load(x: *const $t) -> Self {
                // SAFETY: by the contract of the trait.
                Plain(unsafe { *x.cast::<[$t; $lanes]>() })
            }
            #[inline(always)]
            unsafe fn store(self, x: *mut $t) {
                // SAFETY: by the contract of the trait.
                unsafe { *x.cast::<[$t; $lanes]>() = self.0 };
            }
            #[inline(always)]
            unsafe fn mask(lanes: usize) -> usize {
                lanes
            }
            #[inline(always)]
            unsafe fn load_part(x: *const $t, mask: usize) -> Self {
                if mask == $lanes {
                    // SAFETY: all lanes are touched.
                    return unsafe { Self::load(x) };
                }
                let mut out = [0.0; $lanes];
                for (i, out) in out.iter_mut().enumerate().take(mask) {
                    // SAFETY: by the contract of the trait.
                    *out = unsafe { *x.add(i) };
                }
                Plain(out)
            }
            #[inline(always)]
            unsafe fn store_part(self, x: *mut $t, mask: usize) {
                for (i, &v) in self.0.iter().enumerate().take(mask) {
                    // SAFETY: by the contract of the trait.
                    unsafe { *x.add(i) = v };
                }
            }
            #[inline(always)]
            unsafe fn madd(mut self, a: Self, b: Self) -> Self {
                for i in 0..$lanes {
                    if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
                        self.0[i] = a.0[i].mul_add(b.0[i], self.0[i]);
                    } else {
                        self.0[i] += a.0[i] * b.0[i];
                    }
                }
                self
            }
            #[inline(always)]
            unsafe fn add(mut self, other: Self) -> Self {
                for i in 0..$lanes {
                    self.0[i] += other.0[i];
                }
                self
            }
            #[inline(always)]
            unsafe fn turn(row: impl Fn(usize) -> *const $t) -> [Self; 4] {
                let mut out = [Plain([0.0; $lanes]); 4];
                for i in 0..$lanes {
                    for (k, out) in out.iter_mut().enumerate() {
                        // SAFETY: by the contract of the trait.
                        out.0[i] = unsafe { *row(i).add(k) };
                    }
                }
                out
            }
            #[inline(always)]
            fn kernel(rows: usize, vectors: usize) -> Kernel<$t> {
                super::kernel::table!(super::kernel::plain, Self, rows, vectors, 1 2 3 4 5 6)
            }
        }
    };
}

plain!(f32, 4);
plain!(f64, 2);
