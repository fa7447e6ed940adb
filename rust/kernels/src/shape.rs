//! Shapes, kept inline.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// Most dimensions a tensor can have.
pub const MAX_DIMS: usize = 8;

/// Most elements that a shape may promise, dimensions of size 0 left out: so many of the
/// widest dtype there will ever be are still addressed by an `isize`. Whatever is counted
/// within a shape that [fits](Shape::fits) (elements, strides, bytes) cannot overflow.
pub const MAX_ELEMENTS: usize = isize::MAX as usize / 16;

/// The sizes (or strides) of up to [`MAX_DIMS`] dimensions, without an allocation.
#[derive(Clone, Copy)]
pub struct Shape {
    len: u8,
    dims: [usize; MAX_DIMS],
}

impl Shape {
    /// The shape of a single number.
    pub const SCALAR: Shape = Shape { len: 0, dims: [0; MAX_DIMS] };

    /// A shape with these sizes.
    ///
    /// # Panics
    /// With more than [`MAX_DIMS`] sizes; use [`Shape::try_new`] for outside input.
    pub fn new(dims: &[usize]) -> Shape {
        Self::try_new(dims).expect("at most MAX_DIMS dimensions")
    }

    /// A shape with these sizes, or `None` with more than [`MAX_DIMS`] of them.
    pub fn try_new(dims: &[usize]) -> Option<Shape> {
        if dims.len() > MAX_DIMS {
            return None;
        }
        let mut shape = Shape { len: dims.len() as u8, dims: [0; MAX_DIMS] };
        shape.dims[..dims.len()].copy_from_slice(dims);
        Some(shape)
    }

    /// A shape of `n` dimensions, all of size `value`.
    pub fn filled(n: usize, value: usize) -> Shape {
        Shape::new(&[value; MAX_DIMS][..n])
    }

    /// Number of elements; `usize::MAX` for what no memory holds.
    pub fn numel(&self) -> usize {
        self.iter().fold(1, |n: usize, &size| n.saturating_mul(size))
    }

    /// Whether the sizes that are not 0 promise at most [`MAX_ELEMENTS`] together.
    pub fn fits(&self) -> bool {
        self.iter().fold(1, |n: usize, &size| n.saturating_mul(size.max(1))) <= MAX_ELEMENTS
    }

    /// Appends a dimension.
    ///
    /// # Panics
    /// When there are already [`MAX_DIMS`].
    pub fn push(&mut self, size: usize) {
        self.dims[self.len as usize] = size;
        self.len += 1;
    }

    /// Removes dimension `dim`.
    pub fn remove(&mut self, dim: usize) {
        let len = self.len as usize;
        self.dims.copy_within(dim + 1..len, dim);
        self.len -= 1;
        self.dims[len - 1] = 0;
    }

    /// Inserts a dimension before `dim`.
    ///
    /// # Panics
    /// When there are already [`MAX_DIMS`].
    pub fn insert(&mut self, dim: usize, size: usize) {
        let len = self.len as usize;
        assert!(len < MAX_DIMS && dim <= len);
        self.dims.copy_within(dim..len, dim + 1);
        self.dims[dim] = size;
        self.len += 1;
    }

    /// Row-major strides, in elements.
    pub fn strides(&self) -> Shape {
        let mut strides = *self;
        let mut step: usize = 1;
        for d in (0..self.len()).rev() {
            strides.dims[d] = step;
            step = step.saturating_mul(self.dims[d]);
        }
        strides
    }

    /// The shape both broadcast to by numpy's rule, or `None`.
    pub fn broadcast(&self, other: &Shape) -> Option<Shape> {
        if self == other {
            return Some(*self);
        }
        let (long, short) = if self.len >= other.len { (self, other) } else { (other, self) };
        let mut out = *long;
        let skip = long.len() - short.len();
        for (o, &s) in out[skip..].iter_mut().zip(short.iter()) {
            match (*o, s) {
                (a, b) if a == b => {}
                (1, b) => *o = b,
                (_, 1) => {}
                _ => return None,
            }
        }
        Some(out)
    }
}

impl Deref for Shape {
    type Target = [usize];
    fn deref(&self) -> &[usize] {
        &self.dims[..self.len as usize]
    }
}

impl DerefMut for Shape {
    fn deref_mut(&mut self) -> &mut [usize] {
        &mut self.dims[..self.len as usize]
    }
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl Eq for Shape {}

impl std::hash::Hash for Shape {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self[..].hash(state);
    }
}

impl From<&[usize]> for Shape {
    fn from(dims: &[usize]) -> Self {
        Shape::new(dims)
    }
}

impl FromIterator<usize> for Shape {
    fn from_iter<I: IntoIterator<Item = usize>>(iter: I) -> Self {
        let mut shape = Shape::SCALAR;
        for size in iter {
            shape.push(size);
        }
        shape
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self[..], f)
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self[..], f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broadcast_follows_numpy() {
        let s = |d: &[usize]| Shape::new(d);
        assert_eq!(s(&[8, 1, 6]).broadcast(&s(&[7, 1])), Some(s(&[8, 7, 6])));
        assert_eq!(s(&[]).broadcast(&s(&[0])), Some(s(&[0])));
        assert_eq!(s(&[1]).broadcast(&s(&[0])), Some(s(&[0])));
        assert_eq!(s(&[2]).broadcast(&s(&[3])), None);
    }

    #[test]
    fn what_no_memory_holds_does_not_wrap() {
        let s = |d: &[usize]| Shape::new(d);
        assert_eq!(s(&[1 << 62, 4]).numel(), usize::MAX);
        assert_eq!(s(&[1 << 40, 1 << 40, 0]).numel(), 0);
        assert!(s(&[MAX_ELEMENTS]).fits() && s(&[0, 3, 0]).fits());
        for dims in [&[MAX_ELEMENTS + 1][..], &[1 << 32, 1 << 32, 0], &[usize::MAX, 1 << 63]] {
            assert!(!s(dims).fits(), "{dims:?}");
        }
    }

    #[test]
    fn insert_and_remove_are_inverse() {
        let mut s = Shape::new(&[2, 3, 4]);
        s.insert(1, 9);
        assert_eq!(s[..], [2, 9, 3, 4]);
        s.remove(1);
        assert_eq!(s[..], [2, 3, 4]);
        assert_eq!(s.strides()[..], [12, 4, 1]);
    }
}
