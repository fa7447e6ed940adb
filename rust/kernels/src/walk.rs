//! Visiting a strided window in row-major order.

use std::ops::Range;

use crate::layout::Layout;
use crate::shape::Shape;

/// A collapsed shape with strides: what remains to be looped over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Walk {
    shape: Shape,
    strides: Shape,
}

impl Walk {
    /// A single element.
    pub(crate) const POINT: Walk = Walk { shape: Shape::SCALAR, strides: Shape::SCALAR };

    pub(crate) fn new(shape: &Shape, strides: &Shape) -> Walk {
        let (shape, [strides]) = Layout::collapse(shape, [strides]);
        Walk { shape, strides }
    }

    pub(crate) fn of(layout: &Layout) -> Walk {
        Walk::new(&layout.shape, &layout.strides)
    }

    pub(crate) fn numel(&self) -> usize {
        self.shape.numel()
    }

    /// Size and stride of the innermost dimension.
    pub(crate) fn inner(&self) -> (usize, usize) {
        match self.shape.len() {
            0 => (1, 1),
            n => (self.shape[n - 1], self.strides[n - 1]),
        }
    }

    /// All dimensions but the innermost.
    pub(crate) fn outer(&self) -> Walk {
        let mut outer = *self;
        if let Some(last) = self.shape.len().checked_sub(1) {
            outer.shape.remove(last);
            outer.strides.remove(last);
        }
        outer
    }

    /// Where the element with row-major index `flat` lies.
    #[inline]
    pub(crate) fn offset(&self, flat: usize) -> usize {
        if self.shape.len() == 1 {
            return flat * self.strides[0];
        }
        let (mut rest, mut offset) = (flat, 0);
        for d in (0..self.shape.len()).rev() {
            offset += rest % self.shape[d] * self.strides[d];
            rest /= self.shape[d];
        }
        offset
    }

    /// The runs `(offset, len, stride)` along the innermost dimension that make up the
    /// row-major indices `range`.
    #[inline(always)]
    pub(crate) fn runs(&self, range: Range<usize>) -> Runs<'_> {
        let (size, stride) = self.inner();
        Runs { walk: self, size, stride, range }
    }
}

/// See [`Walk::runs`].
pub(crate) struct Runs<'a> {
    walk: &'a Walk,
    size: usize,
    stride: usize,
    range: Range<usize>,
}

impl Iterator for Runs<'_> {
    type Item = (usize, usize, usize);

    #[inline(always)]
    fn next(&mut self) -> Option<(usize, usize, usize)> {
        if self.range.is_empty() {
            return None;
        }
        let flat = self.range.start;
        let len = (self.size - flat % self.size).min(self.range.len());
        self.range.start += len;
        Some((self.walk.offset(flat), len, self.stride))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_visit_every_offset_in_order() {
        let layout = Layout::contiguous(Shape::new(&[3, 4, 5])).permute(&[2, 0, 1]);
        let walk = Walk::of(&layout);
        let mut seen = Vec::new();
        for (at, len, stride) in walk.runs(3..50) {
            seen.extend((0..len).map(|i| at + i * stride));
        }
        let expected: Vec<usize> =
            (3..50).map(|i| (i / 12) + (i / 4 % 3) * 20 + (i % 4) * 5).collect();
        assert_eq!(seen, expected);
    }
}
