//! Batches of strided matrices.

use crate::buffer::Arg;
use crate::layout::Layout;
use crate::shape::Shape;
use crate::walk::Walk;

/// A matrix of `T`s inside a checked window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mat<T> {
    pub ptr: *const T,
    /// Elements between neighbours in one column.
    pub down: usize,
    /// Elements between neighbours in one row.
    pub along: usize,
}

// SAFETY: the elements are only read.
unsafe impl<T: Sync> Send for Mat<T> {}
// SAFETY: as above.
unsafe impl<T: Sync> Sync for Mat<T> {}

impl<T: Copy> Mat<T> {
    /// The matrix whose first element is element `(i, j)` of this one.
    #[inline(always)]
    pub fn at(self, i: usize, j: usize) -> Mat<T> {
        Mat { ptr: self.ptr.wrapping_add(i * self.down + j * self.along), ..self }
    }

    /// Rows for columns.
    #[inline(always)]
    pub fn turned(self) -> Mat<T> {
        Mat { ptr: self.ptr, down: self.along, along: self.down }
    }
}

/// The sizes of a product and where its operands lie.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem<T> {
    pub batch: usize,
    pub m: usize,
    pub n: usize,
    pub k: usize,
    /// Terms that are added up before they join the result.
    pub block: usize,
    pub a: Mat<T>,
    pub b: Mat<T>,
    pub steps: [Walk; 2],
}

impl<T: Copy> Problem<T> {
    /// Checks the shapes and folds batch dimensions into rows where `b` is the same for
    /// all of them and `a` allows it.
    pub fn new(a: Arg, b: Arg, out: Arg) -> Problem<T> {
        let (la, lb, lo) = (a.layout, b.layout, out.layout);
        let dims = la.shape.len();
        assert!(dims >= 2 && lb.shape.len() == dims && lo.shape.len() == dims, "dimensions");
        let outer = dims - 2;
        let (mut m, k, n) = (la.shape[outer], la.shape[dims - 1], lb.shape[dims - 1]);
        assert_eq!(la.shape[..outer], lb.shape[..outer], "batches");
        assert_eq!(la.shape[..outer], lo.shape[..outer], "batches");
        assert!(lb.shape[outer] == k && lo.shape[outer..] == [m, n], "matrix shapes");
        assert!(lo.is_contiguous(), "a contiguous output");
        if outer == 0 {
            let (a, b) = (mat(a, 0), mat(b, 0));
            return Problem { batch: 1, m, n, k, block: block(k), a, b, steps: [Walk::POINT; 2] };
        }
        let strides = |l: &Layout| Shape::new(&l.strides[..outer]);
        let (shape, [mut sa, mut sb]) =
            Layout::collapse(&Shape::new(&la.shape[..outer]), [&strides(la), &strides(lb)]);
        let mut shape = shape;
        let mut down = la.strides[outer];
        let last = shape.len().wrapping_sub(1);
        if !shape.is_empty() && sb[last] == 0 && (m == 1 || sa[last] == m * down) {
            if m == 1 {
                down = sa[last];
            }
            m *= shape[last];
            shape.remove(last);
            sa.remove(last);
            sb.remove(last);
        }
        Problem {
            batch: shape.numel(),
            m,
            n,
            k,
            block: block(k),
            a: Mat { down, ..mat(a, outer) },
            b: mat(b, outer),
            steps: [Walk::new(&shape, &sa), Walk::new(&shape, &sb)],
        }
    }

    /// Both operands of product `i` of the batch.
    #[inline(always)]
    pub fn operands(&self, i: usize) -> (Mat<T>, Mat<T>) {
        if i == 0 {
            return (self.a, self.b);
        }
        let (mut a, mut b) = (self.a, self.b);
        a.ptr = a.ptr.wrapping_add(self.steps[0].offset(i));
        b.ptr = b.ptr.wrapping_add(self.steps[1].offset(i));
        (a, b)
    }
}

/// The first matrix of a batch.
fn mat<T>(arg: Arg, outer: usize) -> Mat<T> {
    let strides = &arg.layout.strides;
    Mat { ptr: arg.ptr() as *const T, down: strides[outer], along: strides[outer + 1] }
}

/// Most terms of a block.
pub(super) const MOST: usize = 384;

/// `k` cut into equal blocks that leave a panel of the right operand in the first- and
/// some of the left one in the second-level cache.
fn block(k: usize) -> usize {
    k.div_ceil(k.div_ceil(MOST).max(1)).max(1)
}
