//! Single elements at places given by an index of as many dimensions as the data.

use super::{Plus, places, widened, with_terms};
use crate::Checked;
use crate::buffer::Arg;
use crate::complex::Complex;
use crate::dtype::by_width;
use crate::memory;
use crate::shape::Shape;
use crate::walk::Walk;

/// `out[i][j][k] = input[index[i][j][k]][j][k]` for `dim == 0`, and so on.
///
/// `input` has any strides; `index` is i32 or i64 with any strides, of as many dimensions,
/// nowhere but in `dim` larger than `input`; `out` is contiguous with the index's shape.
pub fn gather(input: Arg, dim: usize, index: Arg, out: Arg) -> Checked {
    assert_eq!(input.dtype, out.dtype, "dtypes");
    assert_eq!(out.layout.shape, index.layout.shape, "shapes");
    fits(&index.layout.shape, &input.layout.shape, dim);
    let at = places(index, input.layout.shape[dim], false)?;
    by_width!(out.dtype.width(), T => {
        let from = input.ptr() as *const T;
        let out = out.words_mut::<T>();
        each(&index.layout.shape, &input.layout.strides, dim, &at, |i, place| {
            // SAFETY: `fits` and `places` keep the element inside the window.
            out[i] = unsafe { *from.add(place) };
        });
    });
    Ok(())
}

/// `out[index[i][j][k]][j][k] = source[i][j][k]` for `dim == 0`, and so on, in row-major
/// order of the index: the last writer wins.
///
/// `out` is contiguous; `source` has any strides and is nowhere smaller than the index.
pub fn scatter(out: Arg, dim: usize, index: Arg, source: Arg) -> Checked {
    by_width!(out.dtype.width(), T => write::<T>(out, dim, index, source, |_, new| new))
}

/// As [`scatter`], but adds (integers wrap).
pub fn scatter_add(out: Arg, dim: usize, index: Arg, source: Arg) -> Checked {
    widened(
        out,
        source,
        |out, source| with_terms!(out.dtype, T => write::<T>(out, dim, index, source, T::plus)),
    )
}

fn write<T: Copy>(
    out: Arg,
    dim: usize,
    index: Arg,
    source: Arg,
    join: impl Fn(T, T) -> T,
) -> Checked {
    assert_eq!(source.dtype, out.dtype, "dtypes");
    let shape = &index.layout.shape;
    fits(shape, &out.layout.shape, dim);
    assert_eq!(shape.len(), source.layout.shape.len(), "numbers of dimensions");
    assert!(shape.iter().zip(source.layout.shape.iter()).all(|(i, s)| i <= s), "source too small");
    let at = places(index, out.layout.shape[dim], false)?;
    let from = source.ptr() as *const T;
    let to = out.words_mut::<T>();
    let walk = Walk::new(shape, &source.layout.strides);
    // One run of the source walk need not be one of the index; visit by flat position.
    let mut offsets = memory::try_list(at.len())?;
    for (offset, run, stride) in walk.runs(0..at.len()) {
        offsets.extend((0..run).map(|i| offset + i * stride));
    }
    each(shape, &out.layout.shape.strides(), dim, &at, |i, place| {
        // SAFETY: the source is nowhere smaller than the index, so the element lies in it.
        to[place] = join(to[place], unsafe { *from.add(offsets[i]) });
    });
    Ok(())
}

fn fits(index: &Shape, data: &Shape, dim: usize) {
    assert_eq!(index.len(), data.len(), "numbers of dimensions");
    let inside = |d: usize| d == dim || index[d] <= data[d];
    assert!(index.numel() == 0 || (0..index.len()).all(inside), "an index larger than the data");
}

/// Calls `body(i, place)` for each element of the index, `place` counting along `strides`
/// with the index value instead of the position in `dim`.
fn each(
    shape: &Shape,
    strides: &Shape,
    dim: usize,
    at: &[usize],
    mut body: impl FnMut(usize, usize),
) {
    let mut others = *strides;
    others[dim] = 0;
    let walk = Walk::new(shape, &others);
    let mut i = 0;
    for (offset, run, stride) in walk.runs(0..at.len()) {
        for k in 0..run {
            body(i, offset + k * stride + at[i] * strides[dim]);
            i += 1;
        }
    }
}
