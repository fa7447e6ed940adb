//! Copying between layouts.

mod transpose;

use std::ops::Range;

use crate::buffer::Arg;
use crate::dtype::by_width;
use crate::layout::Layout;
use crate::shape::{MAX_DIMS, Shape};
use crate::threads;

/// Copies the elements of `src` to those of `dst`, of the same dtype and shape. Any
/// strides; the two must not overlap.
///
/// # Panics
/// When dtypes or shapes differ, or an argument exceeds its buffer.
pub fn copy(src: Arg, dst: Arg) {
    assert!(src.dtype == dst.dtype && src.layout.shape == dst.layout.shape);
    if dst.numel() == 0 {
        return;
    }
    let route = Route::new(src.layout, dst.layout);
    let ends = Ends { src: src.ptr(), dst: dst.ptr() };
    by_width!(src.dtype.width(), T => route.run::<T>(ends));
}

/// Where a copy reads and writes.
#[derive(Clone, Copy)]
struct Ends {
    src: *const u8,
    dst: *mut u8,
}

// SAFETY: the addresses are those of buffers that the caller of `copy` keeps alive; the
// parts that threads write are disjoint.
unsafe impl Sync for Ends {}

impl Ends {
    /// The addresses this many elements on.
    fn at<T>(&self, src: usize, dst: usize) -> (*const T, *mut T) {
        (self.src.cast::<T>().wrapping_add(src), self.dst.cast::<T>().wrapping_add(dst))
    }
}

/// Dimensions in falling order of the destination's strides, merged.
struct Route {
    dims: Shape,
    src: Shape,
    dst: Shape,
}

impl Route {
    fn new(src: &Layout, dst: &Layout) -> Route {
        let mut order: [usize; MAX_DIMS] = std::array::from_fn(|d| d);
        let order = &mut order[..dst.shape.len()];
        order.sort_by_key(|&d| std::cmp::Reverse(dst.strides[d]));
        let (src, dst) = (src.permute(order), dst.permute(order));
        let (mut dims, [mut src, mut dst]) =
            Layout::collapse(&dst.shape, [&src.strides, &dst.strides]);
        if dims.is_empty() {
            (dims, src, dst) = (Shape::new(&[1]), Shape::new(&[1]), Shape::new(&[1]));
        }
        Route { dims, src, dst }
    }

    fn run<T: Copy + Default>(&self, ends: Ends) {
        let last = self.dims.len() - 1;
        if last == 0 {
            return self.line::<T>(ends);
        }
        match self.crossing() {
            Some(across) => self.transpose::<T>(across, ends),
            None => self.rows::<T>(ends),
        }
    }

    /// One dimension.
    fn line<T: Copy>(&self, ends: Ends) {
        let (from, to) = (self.src[0], self.dst[0]);
        threads::for_ranges(self.dims[0], 64, 1, |range| {
            let (src, dst) = ends.at::<T>(range.start * from, range.start * to);
            // SAFETY: `copy` checked that both windows lie inside their buffers.
            unsafe { run(src, from, dst, to, range.len()) };
        });
    }

    /// Row by row.
    fn rows<T: Copy>(&self, ends: Ends) {
        let last = self.dims.len() - 1;
        let outer = self.without(&[last]);
        threads::for_ranges(outer.count(), 1, self.dims[last] + 4, |range| {
            outer.each(range, |src, dst| {
                let (src, dst) = ends.at::<T>(src, dst);
                // SAFETY: as in `line`.
                unsafe { run(src, self.src[last], dst, self.dst[last], self.dims[last]) };
            });
        });
    }

    /// The dimension along which the source runs on, if that is not the destination's last
    /// and both are long enough for blocks.
    fn crossing(&self) -> Option<usize> {
        let last = self.dims.len() - 1;
        let across = (0..last).find(|&d| self.src[d] == 1)?;
        let long = self.dims[across] >= transpose::EDGE && self.dims[last] >= transpose::EDGE;
        (self.src[last] > 1 && self.dst[last] == 1 && long).then_some(across)
    }

    /// Blocks of dimensions `across` and the last.
    fn transpose<T: Copy + Default>(&self, across: usize, ends: Ends) {
        const BAND: usize = 2 * transpose::EDGE;
        let last = self.dims.len() - 1;
        let outer = self.without(&[across, last]);
        let bands = self.dims[across].div_ceil(BAND);
        let cost = 2 * BAND * self.dims[last];
        threads::for_ranges(outer.count() * bands, 1, cost, |range| {
            for unit in range {
                let first = unit % bands * BAND;
                let height = BAND.min(self.dims[across] - first);
                let place = unit / bands;
                outer.each(place..place + 1, |src, dst| {
                    let (src, dst) = ends.at::<T>(src + first, dst + first * self.dst[across]);
                    let strides = (self.src[last], self.dst[across]);
                    // SAFETY: as in `line`.
                    unsafe { transpose::band(src, dst, strides, height, self.dims[last]) };
                });
            }
        });
    }

    /// All dimensions but these.
    fn without(&self, gone: &[usize]) -> Route {
        let keep = |shape: &Shape| {
            (0..shape.len()).filter(|d| !gone.contains(d)).map(|d| shape[d]).collect()
        };
        Route { dims: keep(&self.dims), src: keep(&self.src), dst: keep(&self.dst) }
    }

    fn count(&self) -> usize {
        self.dims.numel()
    }

    /// Calls `body` with the offsets of the indices whose row-major numbers are in `range`.
    fn each(&self, range: Range<usize>, mut body: impl FnMut(usize, usize)) {
        let rank = self.dims.len();
        let mut index = [0; MAX_DIMS];
        let mut flat = range.start;
        for d in (0..rank).rev() {
            index[d] = flat % self.dims[d];
            flat /= self.dims[d];
        }
        let dot = |strides: &Shape| (0..rank).map(|d| index[d] * strides[d]).sum::<usize>();
        let (mut src, mut dst) = (dot(&self.src), dot(&self.dst));
        for _ in range {
            body(src, dst);
            for d in (0..rank).rev() {
                index[d] += 1;
                src += self.src[d];
                dst += self.dst[d];
                if index[d] < self.dims[d] {
                    break;
                }
                index[d] = 0;
                src -= self.src[d] * self.dims[d];
                dst -= self.dst[d] * self.dims[d];
            }
        }
    }
}

/// Copies `n` elements, `from` apart, to places `to` apart.
///
/// # Safety
/// `src` must be readable and `dst` writable at those places, without overlap.
#[inline]
unsafe fn run<T: Copy>(src: *const T, from: usize, dst: *mut T, to: usize, n: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        match (from, to) {
            (1, 1) if n <= 8 => (0..n).for_each(|i| *dst.add(i) = *src.add(i)),
            (1, 1) => src.copy_to_nonoverlapping(dst, n),
            (0, 1) => {
                let value = *src;
                (0..n).for_each(|i| *dst.add(i) = value);
            }
            _ => (0..n).for_each(|i| *dst.add(i * to) = *src.add(i * from)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Tensor;

    fn check<T: crate::Element + From<u8>>(dims: &[usize], order: &[usize], out_order: &[usize]) {
        let n: usize = dims.iter().product();
        let data: Vec<T> = (0..n).map(|i| T::from((i % 251) as u8)).collect();
        let src = Tensor::new(&data, dims).view(|l| l.permute(order));
        let out_dims: Vec<usize> = out_order.iter().map(|&d| src.layout.shape[d]).collect();
        let mut back = vec![0; out_order.len()];
        out_order.iter().enumerate().for_each(|(i, &d)| back[d] = i);
        let dst = Tensor::new(&vec![T::from(255); n], &out_dims).view(|l| l.permute(&back));
        copy(src.arg(), dst.arg());
        assert_eq!(src.values::<T>(), dst.values::<T>(), "{dims:?} {order:?} {out_order:?}");
    }

    #[test]
    fn every_order_of_three_dimensions_is_copied() {
        let orders = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
        for dims in [[5, 7, 3], [40, 33, 17], [2, 100, 70], [1, 16, 65]] {
            for a in orders {
                for b in orders {
                    check::<f32>(&dims, &a, &b);
                    check::<f64>(&dims, &a, &b);
                    check::<u8>(&dims, &a, &b);
                }
            }
        }
    }

    #[test]
    fn large_copies_are_split_over_threads() {
        threads::set_num_threads(4);
        check::<f32>(&[1000, 1003], &[1, 0], &[0, 1]);
        check::<f32>(&[1000, 1003], &[0, 1], &[0, 1]);
        check::<f32>(&[100, 10, 1003], &[1, 0, 2], &[0, 1, 2]);
    }

    #[test]
    fn broadcast_steps_and_empty_sources() {
        let row =
            Tensor::new(&[1f32, 2.0, 3.0], &[3, 1]).view(|l| l.broadcast_to(&Shape::new(&[3, 40])));
        let out = Tensor::new(&[0f32; 120], &[3, 40]);
        copy(row.arg(), out.arg());
        assert_eq!(row.values::<f32>(), out.values::<f32>());
        let even =
            Tensor::new(&(0..10i64).collect::<Vec<_>>(), &[10]).view(|l| l.slice(0, 0, 5, 2));
        let odd = Tensor::new(&[0i64; 10], &[10]).view(|l| l.slice(0, 1, 5, 2));
        copy(even.arg(), odd.arg());
        assert_eq!(odd.values::<i64>(), [0, 2, 4, 6, 8]);
        let none = Tensor::new::<f32>(&[], &[0, 3]);
        copy(none.arg(), none.arg());
        let one = Tensor::new(&[4f64], &[]);
        let to = Tensor::new(&[0f64], &[]);
        copy(one.arg(), to.arg());
        assert_eq!(to.values::<f64>(), [4.0]);
    }
}
