//! Matrix products.

mod plain;
mod view;

use crate::buffer::Arg;
use crate::dtype::DType;
use view::Problem;

/// `out = a b` for `a` `[.., m, k]`, `b` `[.., k, n]` and `out` `[.., m, n]`.
///
/// All have the same number of dimensions (at least 2) and the same batch dimensions;
/// `a` and `b` may have any strides (0 repeats a matrix), `out` is contiguous and
/// overwritten. One dtype: f32, f64, or i32, i64 and u8, which wrap. With `k == 0` the
/// product is 0.
pub fn matmul(a: Arg, b: Arg, out: Arg) {
    assert!(a.dtype == out.dtype && b.dtype == out.dtype, "one dtype");
    match out.dtype {
        DType::F32 => plain::run::<f32>(&Problem::new(a, b, out), out.slice_mut()),
        DType::F64 => plain::run::<f64>(&Problem::new(a, b, out), out.slice_mut()),
        DType::I32 => plain::run::<i32>(&Problem::new(a, b, out), out.slice_mut()),
        DType::I64 => plain::run::<i64>(&Problem::new(a, b, out), out.slice_mut()),
        DType::U8 => plain::run::<u8>(&Problem::new(a, b, out), out.slice_mut()),
        DType::Bool => panic!("a number dtype, got bool"),
    }
}
