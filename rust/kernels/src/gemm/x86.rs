//! AVX2 and AVX-512 vectors.

use std::arch::x86_64::*;

use super::kernel::{self, Kernel, table};
use super::simd::Simd;

/// Implements what differs between the four vector types by name alone.
macro_rules! vector {
    ($v:ty, $t:ty, $lanes:literal, $rows:literal,
     $zero:ident $splat:ident $load:ident $store:ident $fma:ident $add:ident,
     $kernel:path, [$($m:literal)*], { $($own:item)* }) => {
        // SAFETY: intrinsics of the instruction set that callers promise.
        unsafe impl Simd for $v {
            type T = $t;
            const LANES: usize = $lanes;
            const ROWS: usize = $rows;
            const ZERO: $t = 0.0;
            #[inline(always)]
            unsafe fn fetch(x: *const $t) {
                // SAFETY: a prefetch of any address has no effect but on caches.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(x.cast()) }
            }
            #[inline(always)]
            unsafe fn zero() -> Self {
                // SAFETY: by the contract of the trait.
                unsafe { $zero() }
            }
            #[inline(always)]
            unsafe fn splat(x: *const $t) -> Self {
                // SAFETY: by the contract of the trait.
                unsafe { $splat(*x) }
            }
            #[inline(always)]
            unsafe fn load(x: *const $t) -> Self {
                // SAFETY: by the contract of the trait.
                unsafe { $load(x) }
            }
            #[inline(always)]
            unsafe fn store(self, x: *mut $t) {
                // SAFETY: by the contract of the trait.
                unsafe { $store(x, self) }
            }
            #[inline(always)]
            unsafe fn madd(self, a: Self, b: Self) -> Self {
                // SAFETY: by the contract of the trait.
                unsafe { $fma(a, b, self) }
            }
            #[inline(always)]
            unsafe fn add(self, other: Self) -> Self {
                // SAFETY: by the contract of the trait.
                unsafe { $add(self, other) }
            }
            #[inline(always)]
            fn kernel(rows: usize, vectors: usize) -> Kernel<$t> {
                table!($kernel, Self, rows, vectors, $($m)*)
            }
            $($own)*
        }
    };
}

vector!(__m512, f32, 16, 14,
    _mm512_setzero_ps _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_fmadd_ps _mm512_add_ps,
    kernel::avx512, [1 2 3 4 5 6 7 8 9 10 11 12 13 14], {
    type Mask = __mmask16;
    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __mmask16 {
        ((1u32 << lanes) - 1) as __mmask16
    }
    #[inline(always)]
    unsafe fn load_part(x: *const f32, mask: __mmask16) -> Self {
        // SAFETY: by the contract of the trait.
        unsafe { _mm512_maskz_loadu_ps(mask, x) }
    }
    #[inline(always)]
    unsafe fn store_part(self, x: *mut f32, mask: __mmask16) {
        // SAFETY: by the contract of the trait.
        unsafe { _mm512_mask_storeu_ps(x, mask, self) }
    }
    #[inline(always)]
    unsafe fn turn(row: impl Fn(usize) -> *const f32) -> [Self; 4] {
        // Quarter `q` of vector `i` is row `4 q + i`; then a 4 by 4 transpose in quarters.
        // SAFETY: by the contract of the trait.
        unsafe {
            let four = |i: usize| {
                let x = _mm512_castps128_ps512(_mm_loadu_ps(row(i)));
                let x = _mm512_insertf32x4::<1>(x, _mm_loadu_ps(row(4 + i)));
                let x = _mm512_insertf32x4::<2>(x, _mm_loadu_ps(row(8 + i)));
                _mm512_insertf32x4::<3>(x, _mm_loadu_ps(row(12 + i)))
            };
            let [a, b, c, d] = [four(0), four(1), four(2), four(3)];
            let (ab, cd) = (_mm512_unpacklo_ps(a, b), _mm512_unpacklo_ps(c, d));
            let (ef, gh) = (_mm512_unpackhi_ps(a, b), _mm512_unpackhi_ps(c, d));
            let (ab, cd) = (_mm512_castps_pd(ab), _mm512_castps_pd(cd));
            let (ef, gh) = (_mm512_castps_pd(ef), _mm512_castps_pd(gh));
            [
                _mm512_castpd_ps(_mm512_unpacklo_pd(ab, cd)),
                _mm512_castpd_ps(_mm512_unpackhi_pd(ab, cd)),
                _mm512_castpd_ps(_mm512_unpacklo_pd(ef, gh)),
                _mm512_castpd_ps(_mm512_unpackhi_pd(ef, gh)),
            ]
        }
    }
});

vector!(__m512d, f64, 8, 14,
    _mm512_setzero_pd _mm512_set1_pd _mm512_loadu_pd _mm512_storeu_pd _mm512_fmadd_pd _mm512_add_pd,
    kernel::avx512, [1 2 3 4 5 6 7 8 9 10 11 12 13 14], {
    type Mask = __mmask8;
    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __mmask8 {
        ((1u32 << lanes) - 1) as __mmask8
    }
    #[inline(always)]
    unsafe fn load_part(x: *const f64, mask: __mmask8) -> Self {
        // SAFETY: by the contract of the trait.
        unsafe { _mm512_maskz_loadu_pd(mask, x) }
    }
    #[inline(always)]
    unsafe fn store_part(self, x: *mut f64, mask: __mmask8) {
        // SAFETY: by the contract of the trait.
        unsafe { _mm512_mask_storeu_pd(x, mask, self) }
    }
    #[inline(always)]
    unsafe fn turn(row: impl Fn(usize) -> *const f64) -> [Self; 4] {
        // Quarter `q` of vector `i` is row `2 q + i`.
        // SAFETY: by the contract of the trait.
        unsafe {
            let two = |i: usize, k: usize| {
                let x = _mm512_castpd128_pd512(_mm_loadu_pd(row(i).add(k)));
                let x = _mm512_insertf64x2::<1>(x, _mm_loadu_pd(row(2 + i).add(k)));
                let x = _mm512_insertf64x2::<2>(x, _mm_loadu_pd(row(4 + i).add(k)));
                _mm512_insertf64x2::<3>(x, _mm_loadu_pd(row(6 + i).add(k)))
            };
            let [a, b, c, d] = [two(0, 0), two(1, 0), two(0, 2), two(1, 2)];
            [
                _mm512_unpacklo_pd(a, b),
                _mm512_unpackhi_pd(a, b),
                _mm512_unpacklo_pd(c, d),
                _mm512_unpackhi_pd(c, d),
            ]
        }
    }
});

vector!(__m256, f32, 8, 6,
    _mm256_setzero_ps _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_fmadd_ps _mm256_add_ps,
    kernel::avx2, [1 2 3 4 5 6], {
    type Mask = __m256i;
    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __m256i {
        // SAFETY: by the contract of the trait.
        unsafe {
            let count = _mm256_set1_epi32(lanes as i32);
            _mm256_cmpgt_epi32(count, _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
        }
    }
    #[inline(always)]
    unsafe fn load_part(x: *const f32, mask: __m256i) -> Self {
        // SAFETY: by the contract of the trait.
        unsafe { _mm256_maskload_ps(x, mask) }
    }
    #[inline(always)]
    unsafe fn store_part(self, x: *mut f32, mask: __m256i) {
        // SAFETY: by the contract of the trait.
        unsafe { _mm256_maskstore_ps(x, mask, self) }
    }
    #[inline(always)]
    unsafe fn turn(row: impl Fn(usize) -> *const f32) -> [Self; 4] {
        // Half `h` of vector `i` is row `4 h + i`; then a 4 by 4 transpose in halves.
        // SAFETY: by the contract of the trait.
        unsafe {
            let two = |i: usize| {
                let x = _mm256_castps128_ps256(_mm_loadu_ps(row(i)));
                _mm256_insertf128_ps::<1>(x, _mm_loadu_ps(row(4 + i)))
            };
            let [a, b, c, d] = [two(0), two(1), two(2), two(3)];
            let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
            let (ef, gh) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
            [
                _mm256_shuffle_ps::<0x44>(ab, cd),
                _mm256_shuffle_ps::<0xEE>(ab, cd),
                _mm256_shuffle_ps::<0x44>(ef, gh),
                _mm256_shuffle_ps::<0xEE>(ef, gh),
            ]
        }
    }
});

vector!(__m256d, f64, 4, 6,
    _mm256_setzero_pd _mm256_set1_pd _mm256_loadu_pd _mm256_storeu_pd _mm256_fmadd_pd _mm256_add_pd,
    kernel::avx2, [1 2 3 4 5 6], {
    type Mask = __m256i;
    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __m256i {
        // SAFETY: by the contract of the trait.
        unsafe {
            let count = _mm256_set1_epi64x(lanes as i64);
            _mm256_cmpgt_epi64(count, _mm256_setr_epi64x(0, 1, 2, 3))
        }
    }
    #[inline(always)]
    unsafe fn load_part(x: *const f64, mask: __m256i) -> Self {
        // SAFETY: by the contract of the trait.
        unsafe { _mm256_maskload_pd(x, mask) }
    }
    #[inline(always)]
    unsafe fn store_part(self, x: *mut f64, mask: __m256i) {
        // SAFETY: by the contract of the trait.
        unsafe { _mm256_maskstore_pd(x, mask, self) }
    }
    #[inline(always)]
    unsafe fn turn(row: impl Fn(usize) -> *const f64) -> [Self; 4] {
        // Half `h` of vector `i` is row `2 h + i`.
        // SAFETY: by the contract of the trait.
        unsafe {
            let two = |i: usize, k: usize| {
                let x = _mm256_castpd128_pd256(_mm_loadu_pd(row(i).add(k)));
                _mm256_insertf128_pd::<1>(x, _mm_loadu_pd(row(2 + i).add(k)))
            };
            let [a, b, c, d] = [two(0, 0), two(1, 0), two(0, 2), two(1, 2)];
            [
                _mm256_unpacklo_pd(a, b),
                _mm256_unpackhi_pd(a, b),
                _mm256_unpacklo_pd(c, d),
                _mm256_unpackhi_pd(c, d),
            ]
        }
    }
});
