//! Running sums.

use std::ops::Range;

use crate::buffer::Arg;
use crate::dtype::{DType, Element};
use crate::shared::Shared;
use crate::threads;

/// `out[.., i, ..] = input[.., 0, ..] + … + input[.., i, ..]` along `dim`, added in order.
///
/// Both contiguous and of one shape. f32 and f64 keep their dtype; integers and bool
/// give i64 (wrapping).
pub fn cumsum(input: Arg, dim: usize, out: Arg) {
    assert_eq!(input.layout.shape, out.layout.shape, "shapes");
    let shape = &input.layout.shape;
    let size = [shape[..dim].iter().product(), shape[dim], shape[dim + 1..].iter().product()];
    match input.dtype {
        DType::F32 => scan(input.slice::<f32>(), out.slice_mut(), size, |x| x, |a, b| a + b),
        DType::F64 => scan(input.slice::<f64>(), out.slice_mut(), size, |x| x, |a, b| a + b),
        DType::I64 => scan(input.slice::<i64>(), out.slice_mut(), size, |x| x, i64::wrapping_add),
        DType::I32 => {
            scan(input.slice::<i32>(), out.slice_mut(), size, i64::from, i64::wrapping_add);
        }
        DType::U8 | DType::Bool => {
            scan(input.slice::<u8>(), out.slice_mut(), size, i64::from, i64::wrapping_add);
        }
    }
}

fn scan<A: Element, T: Element>(
    x: &[A],
    y: &mut [T],
    [outer, len, inner]: [usize; 3],
    lift: impl Fn(A) -> T + Sync,
    join: impl Fn(T, T) -> T + Sync,
) {
    if y.is_empty() {
        return;
    }
    let y = Shared::new(y);
    let slab = len * inner;
    // Threads take slabs, or where there is only one, columns of it.
    let (parts, cost) = if outer == 1 { (inner, len) } else { (outer, slab) };
    threads::for_ranges(parts, if outer == 1 { 16 } else { 1 }, cost * 2, |range| {
        let (slabs, columns) = if outer == 1 { (0..1, range) } else { (range, 0..inner) };
        for o in slabs {
            run_slab(x, &y, o * slab..(o + 1) * slab, inner, columns.clone(), &lift, &join);
        }
    });
}

fn run_slab<A: Element, T: Element>(
    x: &[A],
    y: &Shared<T>,
    slab: Range<usize>,
    inner: usize,
    columns: Range<usize>,
    lift: impl Fn(A) -> T,
    join: impl Fn(T, T) -> T,
) {
    if inner == 1 {
        // SAFETY: each slab is written by one thread.
        let y = unsafe { y.part(slab.clone()) };
        let mut x = x[slab].iter();
        let mut acc = lift(*x.next().expect("a slab is not empty"));
        y[0] = acc;
        for (y, &x) in y[1..].iter_mut().zip(x) {
            acc = join(acc, lift(x));
            *y = acc;
        }
        return;
    }
    for start in slab.clone().step_by(inner) {
        let span = start + columns.start..start + columns.end;
        // SAFETY: each column of each slab is written by one thread, row after row.
        let row = unsafe { y.part(span.clone()) };
        if start == slab.start {
            row.iter_mut().zip(&x[span]).for_each(|(y, &x)| *y = lift(x));
        } else {
            // SAFETY: the row before, which is not `row`.
            let above = unsafe { y.part(span.start - inner..span.end - inner) };
            for ((y, &above), &x) in row.iter_mut().zip(&*above).zip(&x[span]) {
                *y = join(above, lift(x));
            }
        }
    }
}

#[cfg(test)]
mod tests;
