//! The register tile: a few rows times one or two vectors of columns.

use super::simd::Simd;

/// One tile of work for a [`Kernel`].
pub(super) struct Tile<T> {
    /// Terms to add.
    pub k: usize,
    /// First element of the rows of `a`.
    pub a: *const T,
    /// Elements between rows of `a`.
    pub a_down: usize,
    /// Elements between terms of `a`.
    pub a_along: usize,
    /// First element of `b`, whose rows have adjacent elements.
    pub b: *const T,
    /// Elements between terms of `b`.
    pub b_down: usize,
    /// First element of the result, whose rows have adjacent elements.
    pub c: *mut T,
    /// Elements between rows of the result.
    pub c_down: usize,
    /// Columns, at most the kernel's vectors full.
    pub cols: usize,
    /// Whether to add to the result.
    pub more: bool,
}

/// Computes a tile.
///
/// # Safety
/// The machine must have the kernel's instruction set, all pointers must be valid for
/// the tile, and the columns must reach into the kernel's last vector.
pub(super) type Kernel<T> = unsafe fn(&Tile<T>);

/// `c (+)= a b`, each element as one chain of `k` fused multiply-adds from zero.
#[inline(always)]
unsafe fn tile<S: Simd, const M: usize, const V: usize>(t: &Tile<S::T>) {
    // SAFETY: by the contract of `Kernel`; the last vector is masked to the columns, and
    // rows `3 g + r` with `r < 3` are reached from every third row.
    unsafe {
        let mask = S::mask(t.cols - (V - 1) * S::LANES);
        let mut acc = [[S::zero(); V]; M];
        let mut b = t.b;
        // Every third row has a pointer; the others are reached by one or two strides.
        let mut a = [t.a; 5];
        for (g, a) in a.iter_mut().enumerate() {
            *a = a.wrapping_add(3 * g * t.a_down);
        }
        for _ in 0..t.k {
            let mut x = [S::zero(); V];
            for (v, x) in x.iter_mut().enumerate().take(V - 1) {
                *x = S::load(b.add(v * S::LANES));
            }
            x[V - 1] = S::load_part(b.add((V - 1) * S::LANES), mask);
            for i in 0..M {
                let y = S::splat(a[i / 3].add(i % 3 * t.a_down));
                for v in 0..V {
                    acc[i][v] = acc[i][v].madd(y, x[v]);
                }
            }
            for a in &mut a[..M.div_ceil(3)] {
                *a = a.wrapping_add(t.a_along);
            }
            b = b.wrapping_add(t.b_down);
        }
        finish(t, acc, mask);
    }
}

#[inline(always)]
unsafe fn finish<S: Simd, const M: usize, const V: usize>(
    t: &Tile<S::T>,
    acc: [[S; V]; M],
    mask: S::Mask,
) {
    // SAFETY: by the contract of `Kernel`.
    unsafe {
        let full = t.cols == V * S::LANES;
        for (i, row) in acc.iter().enumerate() {
            let c = t.c.add(i * t.c_down);
            for (v, &x) in row.iter().enumerate() {
                let c = c.add(v * S::LANES);
                if v + 1 < V || full {
                    let x = if t.more { S::load(c).add(x) } else { x };
                    x.store(c);
                } else {
                    let x = if t.more { S::load_part(c, mask).add(x) } else { x };
                    x.store_part(c, mask);
                }
            }
        }
    }
}

/// The tile, for any machine.
pub(super) unsafe fn plain<S: Simd, const M: usize, const V: usize>(t: &Tile<S::T>) {
    // SAFETY: by the contract of `Kernel`.
    unsafe { tile::<S, M, V>(t) }
}

/// The tile, compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn avx2<S: Simd, const M: usize, const V: usize>(t: &Tile<S::T>) {
    // SAFETY: by the contract of `Kernel`.
    unsafe { tile::<S, M, V>(t) }
}

/// The tile, compiled for AVX-512.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(super) unsafe fn avx512<S: Simd, const M: usize, const V: usize>(t: &Tile<S::T>) {
    // SAFETY: by the contract of `Kernel`.
    unsafe { tile::<S, M, V>(t) }
}

/// The instance of a kernel for the given numbers of rows and vectors.
macro_rules! table {
    ($kernel:path, $S:ty, $rows:expr, $vectors:expr, $($m:literal)*) => {{
        use $kernel as kernel;
        match ($rows, $vectors) {
            $(($m, 1) => kernel::<$S, $m, 1>, ($m, 2) => kernel::<$S, $m, 2>,)*
            (rows, vectors) => unreachable!("a tile of {rows} rows and {vectors} vectors"),
        }
    }};
}

pub(super) use table;
