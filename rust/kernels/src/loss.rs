//! Negative log-likelihood of class numbers, alone and fused with log-softmax.
//!
//! Rows whose target is `ignore` count nothing and get no gradient. The mean divides by
//! the number of rows that count; of none it is NaN.

use crate::buffer::Arg;
use crate::cpu::{Work, dispatch};
use crate::dtype::DType;
use crate::float::{Float, Stored, with_float};
use crate::lanes;
use crate::shared::split_rows;
use crate::softmax::log_row;
use crate::{Checked, Fault, memory};

/// How the losses of the rows become the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reduction {
    /// One loss per row.
    None,
    /// Their mean.
    Mean,
    /// Their sum.
    Sum,
}

/// Scalar operations per element of a row with `exp`.
const COST: usize = 8;

/// `out = -logp[i, target[i]]`, reduced.
///
/// `logp` `[n, c]` holds floats and is contiguous, `target` `[n]` i64; `out` has `n` elements
/// (`None`) or one; `count`, one element of the same dtype (f32 for floats of sixteen bits,
/// which count less far), becomes the number of rows that count. A target outside `0..c` is a fault, and nothing is written.
pub fn nll(
    logp: Arg,
    target: Arg,
    ignore: i64,
    reduction: Reduction,
    out: Arg,
    count: Arg,
) -> Checked {
    let (target, _) = checked(logp, target, ignore)?;
    with_float!(logp.dtype, T => {
        let logp = logp.slice::<T>();
        pick(logp, target, ignore, reduction, out.slice_mut::<T>(), count.slice_mut())
    })
}

/// Gradient of [`nll`] with respect to `logp`, into `out` `[n, c]`.
///
/// `grad` has `n` elements (`None`) or one; `count` is what [`nll`] wrote. Targets are
/// checked as there.
pub fn nll_backward(
    grad: Arg,
    target: Arg,
    count: Arg,
    ignore: i64,
    reduction: Reduction,
    out: Arg,
) -> Checked {
    let (target, classes) = checked(out, target, ignore)?;
    if classes == 0 {
        return Ok(());
    }
    with_float!(out.dtype, T => {
        let scale = Scale::<T>::new(grad.slice::<T>(), count.slice(), reduction);
        split_rows(out.slice_mut::<T>(), classes.max(1), classes, |first, out| {
            out.fill(T::store(Float::ZERO));
            for (i, row) in out.chunks_exact_mut(classes).enumerate() {
                if target[first + i] != ignore {
                    row[target[first + i] as usize] = T::store(-scale.of(first + i));
                }
            }
        });
    });
    Ok(())
}

/// [`nll`] of `logp = log_softmax(logits)` along rows; `logp` `[n, c]` is an output.
pub fn cross_entropy(
    logits: Arg,
    target: Arg,
    ignore: i64,
    reduction: Reduction,
    out: Arg,
    logp: Arg,
    count: Arg,
) -> Checked {
    let (target, classes) = checked(logits, target, ignore)?;
    assert_eq!(logp.numel(), logits.numel(), "shape of logp");
    with_float!(logits.dtype, T => {
        let x = logits.slice::<T>();
        split_rows(logp.slice_mut::<T>(), classes.max(1), classes * COST, |first, y| {
            dispatch(LogRows { x: &x[first * classes..][..y.len()], y, classes });
        });
        let logp = logp.slice::<T>();
        pick(logp, target, ignore, reduction, out.slice_mut::<T>(), count.slice_mut())
    })
}

/// Gradient of [`cross_entropy`] with respect to the logits: `(exp(logp) - onehot) grad`,
/// divided by `count` for the mean, into `out` `[n, c]`.
pub fn cross_entropy_backward(
    grad: Arg,
    logp: Arg,
    target: Arg,
    count: Arg,
    ignore: i64,
    reduction: Reduction,
    out: Arg,
) -> Checked {
    let (target, classes) = checked(out, target, ignore)?;
    assert_eq!(logp.numel(), out.numel(), "shape of logp");
    if classes == 0 {
        return Ok(());
    }
    with_float!(out.dtype, T => {
        let logp = logp.slice::<T>();
        let scale = Scale::<T>::new(grad.slice::<T>(), count.slice(), reduction);
        split_rows(out.slice_mut::<T>(), classes.max(1), classes * COST, |first, out| {
            let logp = &logp[first * classes..][..out.len()];
            let target = &target[first..];
            dispatch(Backward { logp, target, scale, first, ignore, classes, out });
        });
    });
    Ok(())
}

/// The targets of `rows` and the number of classes, after checking that they fit.
fn checked<'a>(rows: Arg, target: Arg<'a>, ignore: i64) -> Result<(&'a [i64], usize), Fault> {
    assert!(target.dtype == DType::I64 && rows.layout.shape.len() == 2, "[n, c] and i64 [n]");
    assert_eq!(rows.layout.shape[0], target.numel(), "one target per row");
    let (target, classes) = (target.slice::<i64>(), rows.layout.shape[1]);
    let bad = |t: i64| t as u64 >= classes as u64 && t != ignore;
    match target.iter().find(|&&t| bad(t)) {
        Some(&index) => Err(Fault::Index { index, len: classes }),
        None => Ok((target, classes)),
    }
}

/// Picks the losses and reduces them; targets are checked.
fn pick<T: Stored>(
    logp: &[T],
    target: &[i64],
    ignore: i64,
    reduction: Reduction,
    out: &mut [T],
    count: &mut [T::Wide],
) -> Checked {
    let classes = logp.len() / target.len().max(1);
    let loss = |(i, &t): (usize, &i64)| {
        if t == ignore { T::Wide::ZERO } else { -logp[i * classes + t as usize].load() }
    };
    let some = reduction != Reduction::None;
    let mut losses = memory::try_list(if some { target.len() } else { 0 })?;
    let counted = target.iter().filter(|&&t| t != ignore).count();
    count[0] = T::Wide::from_f64(counted as f64);
    if reduction == Reduction::None {
        assert_eq!(out.len(), target.len(), "one loss per row");
        out.iter_mut().zip(target.iter().enumerate()).for_each(|(o, it)| *o = T::store(loss(it)));
        return Ok(());
    }
    assert_eq!(out.len(), 1, "one loss");
    losses.extend(target.iter().enumerate().map(loss));
    let sum = lanes::sum(&losses);
    out[0] = T::store(if reduction == Reduction::Mean { sum / count[0] } else { sum });
    Ok(())
}

/// What a row's gradient is multiplied by.
#[derive(Clone, Copy)]
struct Scale<'a, T: Stored> {
    grad: &'a [T],
    one: Option<T::Wide>,
}

impl<'a, T: Stored> Scale<'a, T> {
    fn new(grad: &'a [T], count: &[T::Wide], reduction: Reduction) -> Scale<'a, T> {
        let one = match reduction {
            Reduction::None => None,
            Reduction::Sum => Some(grad[0].load()),
            Reduction::Mean => Some(grad[0].load() / count[0]),
        };
        Scale { grad, one }
    }

    #[inline(always)]
    fn of(&self, row: usize) -> T::Wide {
        self.one.unwrap_or_else(|| self.grad[row].load())
    }
}

struct LogRows<'a, T> {
    x: &'a [T],
    y: &'a mut [T],
    classes: usize,
}

impl<T: Stored> Work for LogRows<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.x.chunks_exact(self.classes);
        for (x, y) in rows.zip(self.y.chunks_exact_mut(self.classes)) {
            log_row(x, y);
        }
    }
}

struct Backward<'a, T: Stored> {
    logp: &'a [T],
    target: &'a [i64],
    scale: Scale<'a, T>,
    first: usize,
    ignore: i64,
    classes: usize,
    out: &'a mut [T],
}

impl<T: Stored> Work for Backward<'_, T> {
    type Out = ();
    #[inline(always)]
    fn run(self) {
        let rows = self.logp.chunks_exact(self.classes);
        let rows = rows.zip(self.out.chunks_exact_mut(self.classes)).zip(self.target);
        for (i, ((logp, out), &target)) in rows.enumerate() {
            if target == self.ignore {
                out.fill(T::store(Float::ZERO));
                continue;
            }
            let scale = self.scale.of(self.first + i);
            for (o, &p) in out.iter_mut().zip(logp) {
                *o = T::store(p.load().exp() * scale);
            }
            let hit = target as usize;
            out[hit] = T::store((logp[hit].load().exp() - T::Wide::ONE) * scale);
        }
    }
}

#[cfg(test)]
mod tests;
