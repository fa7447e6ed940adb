//! How a tensor's elements lie in a buffer.

use crate::shape::{MAX_DIMS, MAX_ELEMENTS, Shape};

/// Shape, strides and offset, counted in elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Layout {
    /// Size of each dimension.
    pub shape: Shape,
    /// Elements between neighbours along each dimension (0 where a value is repeated).
    pub strides: Shape,
    /// Elements before the first one.
    pub offset: usize,
}

impl Layout {
    /// Row-major, from the buffer's start.
    pub fn contiguous(shape: Shape) -> Layout {
        Layout { shape, strides: shape.strides(), offset: 0 }
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.shape.numel()
    }

    /// Whether elements follow each other in row-major order without gaps.
    pub fn is_contiguous(&self) -> bool {
        let mut step = 1;
        for (&size, &stride) in self.shape.iter().zip(self.strides.iter()).rev() {
            if size == 0 {
                return true;
            }
            if size != 1 {
                if stride != step {
                    return false;
                }
                step *= size;
            }
        }
        true
    }

    /// One past the last element that is touched; 0 when there are no elements, and
    /// `usize::MAX` where no memory reaches.
    #[inline]
    pub fn end(&self) -> usize {
        let mut last = self.offset;
        for (&size, &stride) in self.shape.iter().zip(self.strides.iter()) {
            if size == 0 {
                return 0;
            }
            last = last.saturating_add((size - 1).saturating_mul(stride));
        }
        last.saturating_add(1)
    }

    /// Whether nothing that is counted in it can overflow: the shape fits, and so does
    /// each stride and the offset.
    pub fn fits(&self) -> bool {
        self.shape.fits()
            && self.offset <= MAX_ELEMENTS
            && self.strides.iter().all(|&stride| stride <= MAX_ELEMENTS)
    }

    /// Whether two indices lead to the same element.
    pub fn overlaps_itself(&self) -> bool {
        if self.is_contiguous() || self.numel() == 0 {
            return false;
        }
        let mut dims: Vec<(usize, usize)> = self
            .strides
            .iter()
            .zip(self.shape.iter())
            .filter(|&(_, &size)| size > 1)
            .map(|(&stride, &size)| (stride, size))
            .collect();
        dims.sort_unstable();
        let mut reach: usize = 0;
        dims.into_iter().any(|(stride, size)| {
            let clash = stride <= reach;
            reach = reach.saturating_add(stride.saturating_mul(size - 1));
            clash
        })
    }

    /// Broadcast to `shape`, which must be reachable by numpy's rule.
    pub fn broadcast_to(&self, shape: &Shape) -> Layout {
        let skip = shape.len() - self.shape.len();
        let mut strides = Shape::filled(shape.len(), 0);
        for d in 0..self.shape.len() {
            if self.shape[d] != 1 {
                strides[d + skip] = self.strides[d];
            }
        }
        Layout { shape: *shape, strides, offset: self.offset }
    }

    /// Dimensions reordered so that new dimension `i` is old dimension `order[i]`.
    pub fn permute(&self, order: &[usize]) -> Layout {
        Layout {
            shape: order.iter().map(|&d| self.shape[d]).collect(),
            strides: order.iter().map(|&d| self.strides[d]).collect(),
            offset: self.offset,
        }
    }

    /// Every `step`-th index of `start..start + len * step` along `dim`.
    pub fn slice(&self, dim: usize, start: usize, len: usize, step: usize) -> Layout {
        let mut out = *self;
        out.offset = self.offset.saturating_add(start.saturating_mul(self.strides[dim]));
        out.shape[dim] = len;
        // A step beyond the size reaches nothing more than the first index.
        out.strides[dim] = self.strides[dim].saturating_mul(step.min(self.shape[dim].max(1)));
        out
    }

    /// The same elements in the same order under another shape, if no copy is needed.
    pub fn reshape(&self, shape: &Shape) -> Option<Layout> {
        if self.numel() == 0 || self.is_contiguous() {
            return Some(Layout { shape: *shape, strides: shape.strides(), offset: self.offset });
        }
        let strides = regroup(&self.shape, &self.strides, shape)?;
        Some(Layout { shape: *shape, strides, offset: self.offset })
    }

    /// Neighbouring dimensions merged wherever all of `layouts` (of one shape) allow it,
    /// and dimensions of size 1 dropped. Returns the shape and each layout's strides.
    pub fn collapse<const N: usize>(shape: &Shape, strides: [&Shape; N]) -> (Shape, [Shape; N]) {
        let mut dims = [0usize; MAX_DIMS];
        let mut out = [[0usize; MAX_DIMS]; N];
        let mut n = 0;
        for d in 0..shape.len() {
            if shape[d] == 1 {
                continue;
            }
            if n > 0 && (0..N).all(|k| out[k][n - 1] == strides[k][d].wrapping_mul(shape[d])) {
                dims[n - 1] *= shape[d];
                for k in 0..N {
                    out[k][n - 1] = strides[k][d];
                }
            } else {
                dims[n] = shape[d];
                for k in 0..N {
                    out[k][n] = strides[k][d];
                }
                n += 1;
            }
        }
        (Shape::new(&dims[..n]), out.map(|s| Shape::new(&s[..n])))
    }
}

/// Strides for `new` that visit the elements of (`old`, `strides`) in the same order.
fn regroup(old: &Shape, strides: &Shape, new: &Shape) -> Option<Shape> {
    let (old, [strides]) = Layout::collapse(old, [strides]);
    let mut out = Shape::filled(new.len(), 0);
    let mut n = new.len();
    for d in (0..old.len()).rev() {
        let (mut left, mut step) = (old[d], strides[d]);
        while left > 1 {
            if n == 0 || !left.is_multiple_of(new[n - 1]) {
                return None;
            }
            n -= 1;
            out[n] = step;
            step *= new[n];
            left /= new[n];
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(dims: &[usize]) -> Layout {
        Layout::contiguous(Shape::new(dims))
    }

    #[test]
    fn a_transpose_reshapes_only_where_order_allows() {
        let t = layout(&[2, 3, 4]).permute(&[1, 0, 2]);
        assert!(!t.is_contiguous());
        assert_eq!(t.reshape(&Shape::new(&[3, 8])), None);
        let split = t.reshape(&Shape::new(&[3, 2, 2, 2])).unwrap();
        assert_eq!(split.strides[..], [4, 12, 2, 1]);
    }

    #[test]
    fn a_broadcast_layout_overlaps_itself() {
        assert!(layout(&[1, 3]).broadcast_to(&Shape::new(&[2, 3])).overlaps_itself());
        assert!(!layout(&[2, 3]).permute(&[1, 0]).overlaps_itself());
    }

    #[test]
    fn the_end_is_one_past_the_last_element() {
        assert_eq!(layout(&[2, 3]).end(), 6);
        assert_eq!(layout(&[0, 3]).end(), 0);
        assert_eq!(layout(&[4, 4]).slice(1, 1, 2, 2).end(), 16);
    }

    #[test]
    fn what_reaches_beyond_all_memory_ends_there() {
        let far = Layout { shape: Shape::new(&[3]), strides: Shape::new(&[1 << 63]), offset: 2 };
        assert_eq!(far.end(), usize::MAX);
        assert!(!far.fits());
        assert_eq!(layout(&[8]).slice(0, usize::MAX - 3, 5, 1).end(), usize::MAX);
        let stepped = layout(&[8]).slice(0, 2, 1, usize::MAX);
        assert_eq!((stepped.offset, stepped.strides[0], stepped.fits()), (2, 8, true));
    }

    #[test]
    fn collapsing_merges_what_is_adjacent_in_all() {
        let a = layout(&[2, 3, 4]);
        let b = layout(&[1, 3, 4]).broadcast_to(&a.shape);
        let (shape, [sa, sb]) = Layout::collapse(&a.shape, [&a.strides, &b.strides]);
        assert_eq!((&shape[..], &sa[..], &sb[..]), (&[2, 12][..], &[12, 1][..], &[0, 1][..]));
    }
}
