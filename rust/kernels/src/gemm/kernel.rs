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
    /// Where the right operand of the next tile begins: fetched one line a term.
    pub ahead: *const T,
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

/// Repeats a statement for each row of the tile. A loop would do the same, but LLVM leaves
/// long ones rolled and then keeps the accumulators in memory.
macro_rules! each_row {
    ($M:ident, |$i:ident| $body:expr) => {
        each_row!($M, |$i| $body; 0 1 2 3 4 5 6 7 8 9 10 11 12 13)
    };
    ($M:ident, |$i:ident| $body:expr; $($n:literal)*) => {
        $(if $n < $M {
            const $i: usize = $n;
            $body
        })*
    };
}

/// A tile's accumulators; those beyond its rows and vectors are never touched.
type Sums<S> = [[S; 2]; 14];

/// `c (+)= a b`, each element as one chain of `k` fused multiply-adds from zero.
#[inline(always)]
unsafe fn tile<S: Simd, const M: usize, const V: usize>(t: &Tile<S::T>) {
    // SAFETY: by the contract of `Kernel`; the last vector is masked to the columns.
    unsafe {
        let mask = S::mask(t.cols - (V - 1) * S::LANES);
        each_row!(M, |I| S::fetch(t.c.wrapping_add(I * t.c_down)));
        let full = t.cols == V * S::LANES;
        let acc = match (t.a_down == 1, full) {
            (true, true) => terms::<S, M, V, true, true>(t, mask),
            (true, false) => terms::<S, M, V, true, false>(t, mask),
            (false, true) => terms::<S, M, V, false, true>(t, mask),
            (false, false) => terms::<S, M, V, false, false>(t, mask),
        };
        each_row!(M, |I| {
            let c = t.c.wrapping_add(I * t.c_down);
            if V == 2 {
                finish(acc[I][0], c, t.more, None);
            }
            let c = c.wrapping_add((V - 1) * S::LANES);
            finish(acc[I][1], c, t.more, if full { None } else { Some(mask) });
        });
    }
}

/// The sums of the products. `UNIT` says that the rows of `a` are neighbours, `FULL` that
/// the last vector has all its columns.
#[inline(always)]
unsafe fn terms<S: Simd, const M: usize, const V: usize, const UNIT: bool, const FULL: bool>(
    t: &Tile<S::T>,
    mask: S::Mask,
) -> Sums<S> {
    // SAFETY: by the contract of `Kernel`.
    unsafe {
        let mut acc = [[S::zero(); 2]; 14];
        let (mut b, mut ahead, down) = (t.b, t.ahead, t.a_down);
        // Every third row has a pointer, the others are one or two strides away. LLVM must
        // not see how they hang together: it would make one long chain of additions.
        let rows = std::array::from_fn(|g| t.a.wrapping_add(3 * g * down));
        let [mut a0, mut a1, mut a2, mut a3, mut a4]: [*const S::T; 5] =
            if UNIT { [t.a; 5] } else { std::hint::black_box(rows) };
        for _ in 0..t.k {
            S::fetch(ahead);
            ahead = ahead.wrapping_add(S::LINE);
            let x = if V == 2 { S::load(b) } else { S::zero() };
            let last = b.wrapping_add((V - 1) * S::LANES);
            let y = if FULL { S::load(last) } else { S::load_part(last, mask) };
            each_row!(M, |I| {
                let z = if UNIT {
                    S::splat(a0.wrapping_add(I))
                } else {
                    S::splat([a0, a1, a2, a3, a4][I / 3].wrapping_add(I % 3 * down))
                };
                if V == 2 {
                    acc[I][0] = acc[I][0].madd(z, x);
                }
                acc[I][1] = acc[I][1].madd(z, y);
            });
            a0 = a0.wrapping_add(t.a_along);
            a1 = a1.wrapping_add(t.a_along);
            a2 = a2.wrapping_add(t.a_along);
            a3 = a3.wrapping_add(t.a_along);
            a4 = a4.wrapping_add(t.a_along);
            b = b.wrapping_add(t.b_down);
        }
        acc
    }
}

/// Writes a vector of the result, or adds it.
#[inline(always)]
unsafe fn finish<S: Simd>(x: S, c: *mut S::T, more: bool, mask: Option<S::Mask>) {
    // SAFETY: by the contract of `Kernel`.
    unsafe {
        match mask {
            None => if more { S::load(c).add(x) } else { x }.store(c),
            Some(mask) => {
                if more { S::load_part(c, mask).add(x) } else { x }.store_part(c, mask);
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
