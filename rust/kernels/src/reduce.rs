//! Folding dimensions away.
//!
//! Every fold uses the tree of [`crate::lanes`]: its shape depends on the number of folded
//! elements alone, whichever of the two loops below (along rows, across columns) runs it.

mod arg;
mod fold;

use crate::Checked;
use crate::buffer::Arg;
use crate::dtype::DType;
use crate::shape::Shape;
use crate::walk::Walk;

/// What is computed from the elements that fall together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReduceKind {
    /// Sum; of nothing 0.
    Sum,
    /// Arithmetic mean; of nothing NaN.
    Mean,
    /// Product; of nothing 1.
    Prod,
    /// Greatest; NaN if there is one.
    Max,
    /// Least; NaN if there is one.
    Min,
    /// Whether one is not zero; of nothing false.
    Any,
    /// Whether none is zero; of nothing true.
    All,
    /// Where the greatest first occurs (NaN counts as the greatest).
    ArgMax,
    /// Where the least first occurs (NaN counts as the least).
    ArgMin,
}

/// Reduces the dimensions of `input` (any strides) that are set in the bit mask `dims`.
///
/// `out` is contiguous and has the shape of `input` without them. `Sum` and `Prod` keep
/// float dtypes and give i64 for integers and bool (wrapping); `Mean` takes floats; `Max`
/// and `Min` keep the dtype; `Any` and `All` give bool; `ArgMax` and `ArgMin` give i64,
/// counted along the one reduced dimension or in row-major order of all of them. `Max`,
/// `Min`, `ArgMax` and `ArgMin` of nothing are not defined and panic.
pub fn run(kind: ReduceKind, input: Arg, dims: u32, out: Arg) -> Checked {
    let view = View::new(input, dims);
    assert_eq!(out.numel(), view.kept.numel(), "one result per kept index");
    if out.numel() == 0 {
        return Ok(());
    }
    match kind {
        ReduceKind::Sum => fold::sum(view, input, out),
        ReduceKind::Mean => fold::mean(view, input, out),
        ReduceKind::Prod => fold::prod(view, input, out),
        ReduceKind::Max | ReduceKind::Min => {
            assert!(view.len > 0, "an extreme of nothing");
            fold::extreme(kind == ReduceKind::Max, view, input, out)
        }
        ReduceKind::Any => fold::any(view, input, out),
        ReduceKind::All => fold::all(view, input, out),
        ReduceKind::ArgMax | ReduceKind::ArgMin => {
            assert!(view.len > 0, "an extreme of nothing");
            assert_eq!(out.dtype, DType::I64, "positions are i64");
            arg::run(kind == ReduceKind::ArgMax, view, input, out);
            Ok(())
        }
    }
}

/// The input's dimensions, parted into those kept and those folded.
#[derive(Clone, Copy)]
struct View {
    kept: Walk,
    folded: Walk,
    /// Number of elements folded into one.
    len: usize,
}

impl View {
    fn new(input: Arg, dims: u32) -> View {
        let rank = input.layout.shape.len();
        if dims == (1 << rank) - 1 && input.layout.is_contiguous() {
            let len = input.numel();
            let folded = Walk::new(&Shape::new(&[len]), &Shape::new(&[1]));
            return View { kept: Walk::POINT, folded, len };
        }
        let part = |folded: bool| {
            let (mut shape, mut strides) = (Shape::SCALAR, Shape::SCALAR);
            for d in 0..rank {
                if (dims >> d & 1 == 1) == folded {
                    shape.push(input.layout.shape[d]);
                    strides.push(input.layout.strides[d]);
                }
            }
            Walk::new(&shape, &strides)
        };
        let (kept, folded) = (part(false), part(true));
        View { kept, folded, len: folded.numel() }
    }

    /// Whether neighbouring results lie closer together in memory than neighbouring
    /// elements of one result, so that it pays to work on many results at a time.
    fn across(&self) -> bool {
        let ((width, step), (_, stride)) = (self.kept.inner(), self.folded.inner());
        step == 1 && width >= 4 && (stride != 1 || self.len < 4)
    }
}

#[cfg(test)]
mod tests;
