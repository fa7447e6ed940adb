//! Matrix products.
//!
//! Every element of a float result is the sum of blocks of some hundred terms
//! ([`Problem::block`]), each block one
//! chain of fused multiply-adds in order. Tiles, packing, strides, vector width and
//! threads decide only when that happens: the bits depend on the operands alone.

mod kernel;
mod narrow;
mod pack;
mod plain;
mod simd;
mod thin;
mod tiles;
mod view;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::buffer::Arg;
use crate::cpu;
use crate::dtype::DType;
use crate::half::{BF16, F16};
use crate::threads;
use simd::{Plain, Simd};
use view::Problem;

/// `out = a b` for `a` `[.., m, k]`, `b` `[.., k, n]` and `out` `[.., m, n]`.
///
/// All have the same number of dimensions (at least 2) and the same batch dimensions;
/// `a` and `b` may have any strides (0 repeats a matrix), `out` is contiguous and
/// overwritten. One real dtype; integers wrap, floats of sixteen bits are summed in f32. With `k == 0` the
/// product is 0.
pub fn matmul(a: Arg, b: Arg, out: Arg) {
    assert!(a.dtype == out.dtype && b.dtype == out.dtype, "one dtype");
    match out.dtype {
        DType::F32 => float32(&Problem::new(a, b, out), Out(out.slice_mut().as_mut_ptr())),
        DType::F64 => float64(&Problem::new(a, b, out), Out(out.slice_mut().as_mut_ptr())),
        DType::I32 => plain::run::<i32>(&Problem::new(a, b, out), out.slice_mut()),
        DType::I64 => plain::run::<i64>(&Problem::new(a, b, out), out.slice_mut()),
        DType::U8 => plain::run::<u8>(&Problem::new(a, b, out), out.slice_mut()),
        DType::I8 => plain::run::<i8>(&Problem::new(a, b, out), out.slice_mut()),
        DType::I16 => plain::run::<i16>(&Problem::new(a, b, out), out.slice_mut()),
        DType::U16 => plain::run::<u16>(&Problem::new(a, b, out), out.slice_mut()),
        DType::U32 => plain::run::<u32>(&Problem::new(a, b, out), out.slice_mut()),
        DType::U64 => plain::run::<u64>(&Problem::new(a, b, out), out.slice_mut()),
        DType::F16 => narrow::run::<F16>(&Problem::new(a, b, out), out.slice_mut()),
        DType::BF16 => narrow::run::<BF16>(&Problem::new(a, b, out), out.slice_mut()),
        DType::Bool | DType::C64 | DType::C128 => panic!("a real number dtype, got {}", out.dtype),
    }
}

fn float32(p: &Problem<f32>, out: Out<f32>) {
    match cpu::isa() {
        #[cfg(target_arch = "x86_64")]
        cpu::Isa::Avx512 => batches::<std::arch::x86_64::__m512>(p, out),
        #[cfg(target_arch = "x86_64")]
        cpu::Isa::Avx2 => batches::<std::arch::x86_64::__m256>(p, out),
        _ => batches::<Plain<f32, 4>>(p, out),
    }
}

fn float64(p: &Problem<f64>, out: Out<f64>) {
    match cpu::isa() {
        #[cfg(target_arch = "x86_64")]
        cpu::Isa::Avx512 => batches::<std::arch::x86_64::__m512d>(p, out),
        #[cfg(target_arch = "x86_64")]
        cpu::Isa::Avx2 => batches::<std::arch::x86_64::__m256d>(p, out),
        _ => batches::<Plain<f64, 2>>(p, out),
    }
}

/// The result, whose disjoint parts are written by different threads.
#[derive(Debug, Clone, Copy)]
struct Out<T>(*mut T);

impl<T> Out<T> {
    #[inline(always)]
    fn at(self, i: usize) -> *mut T {
        self.0.wrapping_add(i)
    }
}

// SAFETY: tasks write disjoint elements.
unsafe impl<T: Send> Send for Out<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Out<T> {}

/// Many products: of few large ones each uses all threads, of many each thread takes some.
fn batches<S: Simd>(p: &Problem<S::T>, out: Out<S::T>) {
    let size = p.m * p.n;
    let one = |i: usize| {
        let (a, b) = p.operands(i);
        product::<S>(&Problem { a, b, batch: 1, ..*p }, Out(out.at(i * size)));
    };
    if size == 0 || p.batch == 0 {
        return;
    }
    if p.k == 0 {
        // SAFETY: the result holds this many elements.
        unsafe { out.at(0).write_bytes(0, p.batch * size) };
    } else if p.batch == 1 {
        product::<S>(p, out);
    } else if p.batch < 4 && size * p.k > 1 << 20 {
        (0..p.batch).for_each(one);
    } else {
        threads::for_ranges(p.batch, 1, size * p.k / 8 + 16, |range| range.for_each(one));
    }
}

/// One product, by the way that its shape asks for.
fn product<S: Simd>(p: &Problem<S::T>, out: Out<S::T>) {
    if p.n == 1 && p.m > 1 {
        // A column is a row in memory.
        let turned = Problem { m: 1, n: p.m, a: p.b.turned(), b: p.a.turned(), ..*p };
        return product::<S>(&turned, out);
    }
    if p.m == 1 && p.b.along == 1 {
        thin::one_row::<S>(p, out);
    } else if p.m <= thin::ROWS && p.b.down == 1 && p.k >= 4 {
        thin::few_rows::<S>(p, out);
    } else {
        tiles::run::<S>(p, out);
    }
}

#[cfg(test)]
mod tests;
