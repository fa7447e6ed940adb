//! Writing values that come from no tensor.

use crate::buffer::Arg;
use crate::chain::sweep;
use crate::dtype::{DType, Element};
use crate::float::with_whole;
use crate::half::{BF16, F16};
use crate::scalar::Scalar;
use crate::tile::splat;

/// A number as an element of one dtype.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(16))]
pub struct One {
    /// The element, in the low bytes.
    bytes: [u8; 16],
    dtype: DType,
}

impl One {
    /// `value`, converted to `dtype`.
    pub fn new(value: Scalar, dtype: DType) -> One {
        One { bytes: value.to_bytes(dtype), dtype }
    }

    /// Its dtype.
    #[inline]
    pub fn dtype(&self) -> DType {
        self.dtype
    }

    /// Where the element lies, aligned for its dtype.
    #[inline]
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.bytes.as_ptr()
    }
}

/// Sets every element to `value`, converted to the dtype of `out` (any strides).
///
/// # Panics
/// When `out` exceeds its buffer.
pub fn fill(value: Scalar, out: Arg) {
    let width = out.dtype.width();
    let element = One::new(value, out.dtype);
    sweep(&[], &[out], 1, 0, |operands, _, n| {
        // SAFETY: the sweep hands out an operand that is writable for `n` elements.
        unsafe { splat(element.as_ptr(), operands[0].ptr.cast_mut(), width, n) };
    });
}

/// Sets element i to `start + i * step`, computed in `f64` for floats and in wrapping `i64`
/// for integers.
///
/// # Panics
/// When `out` is not contiguous or exceeds its buffer.
pub fn arange(start: Scalar, step: Scalar, out: Arg) {
    let (a, d) = (start.as_f64(), step.as_f64());
    let (i, k) = (start.as_i64(), step.as_i64());
    let whole = move |n: usize| i.wrapping_add(k.wrapping_mul(n as i64));
    let real = move |n: usize| a + n as f64 * d;
    with_whole!(out.dtype, T => {
        let truth = out.dtype == DType::Bool;
        sequence::<T>(out, |n| if truth { T::from(whole(n) != 0) } else { whole(n) as T });
    };
        DType::F16 => sequence(out, |n| F16::from_f32(real(n) as f32)),
        DType::BF16 => sequence(out, |n| BF16::from_f32(real(n) as f32)),
        DType::F32 => sequence(out, |n| real(n) as f32),
        DType::F64 => sequence(out, real),
        DType::C64 | DType::C128 => panic!("a real dtype, got {}", out.dtype)
    )
}

/// Sets the elements to numbers evenly spaced from `start` to `end`, both included. They are
/// computed in `f64`, the first half from the start and the second from the end; integers are
/// truncated. A single element is the start.
///
/// # Panics
/// When `out` is not contiguous or exceeds its buffer.
pub fn linspace(start: Scalar, end: Scalar, out: Arg) {
    let n = out.numel();
    let last = n.saturating_sub(1);
    let (start, end) = if out.dtype.is_floating_point() {
        (start, end)
    } else {
        (Scalar::Int(start.as_i64()), Scalar::Int(end.as_i64()))
    };
    let (a, b) = (start.as_f64(), end.as_f64());
    let step = (b - a) / last.max(1) as f64;
    let at = move |i: usize| {
        if i < n / 2 || n == 1 { a + step * i as f64 } else { b - step * (last - i) as f64 }
    };
    let whole = move |i: usize| match i {
        0 => start.as_i64(),
        i if i == last => end.as_i64(),
        i => at(i) as i64,
    };
    with_whole!(out.dtype, T => {
        let truth = out.dtype == DType::Bool;
        sequence::<T>(out, |i| if truth { T::from(whole(i) != 0) } else { whole(i) as T });
    };
        DType::F16 => sequence(out, |i| F16::from_f32(at(i) as f32)),
        DType::BF16 => sequence(out, |i| BF16::from_f32(at(i) as f32)),
        DType::F32 => sequence(out, |i| at(i) as f32),
        DType::F64 => sequence(out, at),
        DType::C64 | DType::C128 => panic!("a real dtype, got {}", out.dtype)
    )
}

fn sequence<T: Element>(out: Arg, f: impl Fn(usize) -> T + Sync) {
    crate::shared::split_rows(out.slice_mut::<T>(), 1, 1, |first, part| {
        for (i, x) in part.iter_mut().enumerate() {
            *x = f(first + i);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Tensor;

    #[test]
    fn a_fill_reaches_every_element_of_a_window_and_no_other() {
        let t = Tensor::new(&[0i32; 12], &[3, 4]).view(|l| l.permute(&[1, 0]).slice(0, 1, 2, 2));
        fill(Scalar::Float(7.9), t.arg());
        let all = Tensor::new(&[0i32; 12], &[12]);
        let whole = Tensor { buffer: t.buffer.clone(), ..all };
        assert_eq!(whole.values::<i32>(), [0, 7, 0, 7, 0, 7, 0, 7, 0, 7, 0, 7]);
    }

    #[test]
    fn fills_convert_as_casts_do() {
        let b = Tensor::new(&[9u8; 3], &[3]);
        fill(Scalar::Float(0.5), Arg::new(&b.buffer, DType::Bool, &b.layout));
        assert_eq!(b.values::<u8>(), [1, 1, 1]);
        let f = Tensor::new(&[9f32; 2000], &[2000]);
        fill(Scalar::Int(3), f.arg());
        assert!(f.values::<f32>().iter().all(|&x| x == 3.0));
    }

    #[test]
    fn aranges_do_not_accumulate_rounding() {
        let f = Tensor::new(&[0f32; 100_000], &[100_000]);
        arange(Scalar::Float(0.0), Scalar::Float(0.1), f.arg());
        let exact = |i: usize| (i as f64 * 0.1) as f32;
        assert!(f.values::<f32>().iter().enumerate().all(|(i, &x)| x == exact(i)));
        let k = Tensor::new(&[0i64; 4], &[4]);
        arange(Scalar::Int(5), Scalar::Int(-2), k.arg());
        assert_eq!(k.values::<i64>(), [5, 3, 1, -1]);
    }

    #[test]
    fn even_spacing_meets_both_ends() {
        let f = Tensor::new(&[0f64; 8], &[8]);
        linspace(Scalar::Float(0.1), Scalar::Float(0.7), f.arg());
        let x = f.values::<f64>();
        assert!(x[0] == 0.1 && x[7] == 0.7 && x.is_sorted());
        let k = Tensor::new(&[0i64; 4], &[4]);
        linspace(Scalar::Int(10), Scalar::Int(0), k.arg());
        assert_eq!(k.values::<i64>(), [10, 6, 3, 0]);
        linspace(Scalar::Int(i64::MIN + 1), Scalar::Int(i64::MAX), k.arg());
        assert_eq!(k.values::<i64>()[0], i64::MIN + 1);
        assert_eq!(k.values::<i64>()[3], i64::MAX);
        let one = Tensor::new(&[0u8], &[1]);
        linspace(Scalar::Float(3.9), Scalar::Int(9), one.arg());
        assert_eq!(one.values::<u8>(), [3]);
    }
}
