//! What the tests of several kernels share.

use crate::buffer::{Arg, Buffer};
use crate::dtype::{DType, Element};
use crate::layout::Layout;
use crate::shape::Shape;

/// Numbers in `-1..1` that look random.
pub(crate) fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 40) as f64 / (1u64 << 23) as f64 - 1.0
    };
    (0..n).map(|_| next()).collect()
}

/// Numbers in `-1..1` that look random, as f32.
pub(crate) fn noise32(n: usize, seed: u64) -> Vec<f32> {
    noise(n, seed).into_iter().map(|x| x as f32).collect()
}

/// A buffer with a window.
pub(crate) struct Tensor {
    pub(crate) buffer: Buffer,
    pub(crate) dtype: DType,
    pub(crate) layout: Layout,
}

impl Tensor {
    pub(crate) fn new<T: Element>(data: &[T], dims: &[usize]) -> Tensor {
        let layout = Layout::contiguous(Shape::new(dims));
        assert_eq!(layout.numel(), data.len());
        Tensor { buffer: Buffer::from_slice(data), dtype: T::DTYPE, layout }
    }

    /// The same elements under another layout.
    pub(crate) fn view(mut self, layout: impl FnOnce(Layout) -> Layout) -> Tensor {
        self.layout = layout(self.layout);
        self
    }

    pub(crate) fn arg(&self) -> Arg<'_> {
        Arg::new(&self.buffer, self.dtype, &self.layout)
    }

    /// All elements in row-major order.
    pub(crate) fn values<T: Element>(&self) -> Vec<T> {
        let whole = Layout::contiguous(Shape::new(&[self.buffer.len() / size_of::<T>()]));
        let data = Arg::new(&self.buffer, self.dtype, &whole).slice::<T>();
        let (shape, strides) = (&self.layout.shape, &self.layout.strides);
        let place = |mut flat: usize| {
            let mut at = self.layout.offset;
            for d in (0..shape.len()).rev() {
                at += flat % shape[d] * strides[d];
                flat /= shape[d];
            }
            data[at]
        };
        (0..self.layout.numel()).map(place).collect()
    }
}

/// Whether all pairs differ by at most `tol`, relative to the larger of 1 and the second.
pub(crate) fn close(got: &[f32], expect: &[f64], tol: f64) -> bool {
    got.len() == expect.len()
        && got.iter().zip(expect).all(|(&g, &e)| {
            let g = f64::from(g);
            (g.is_nan() && e.is_nan()) || g == e || (g - e).abs() <= tol * e.abs().max(1.0)
        })
}
