//! Reading and writing at places given by an index.
//!
//! Every index is checked before anything is written.

mod nonzero;
mod point;
mod row;

pub use nonzero::nonzero;
pub use point::{gather, scatter, scatter_add};
pub use row::{add, select};

use crate::buffer::{Arg, Buffer};
use crate::complex::Complex;
use crate::dtype::{DType, Element};
use crate::layout::Layout;
use crate::walk::Walk;
use crate::{Checked, Fault, chain, memory, tile};

/// The index (any strides, i32 or i64) as places in `0..len`, in row-major order.
/// With `wrap`, negative ones count from the end.
fn places(index: Arg, len: usize, wrap: bool) -> Result<Vec<usize>, Fault> {
    match index.dtype {
        DType::I64 => collect::<i64>(index, len, wrap),
        DType::I32 => collect::<i32>(index, len, wrap),
        other => panic!("an index dtype, got {other}"),
    }
}

fn collect<I: Element + Into<i64>>(
    index: Arg,
    len: usize,
    wrap: bool,
) -> Result<Vec<usize>, Fault> {
    let data = index.ptr() as *const I;
    let walk = Walk::of(index.layout);
    let mut out = memory::try_list(walk.numel())?;
    let mut bad = None;
    for (offset, run, stride) in walk.runs(0..walk.numel()) {
        for i in 0..run {
            // SAFETY: the window lies inside its buffer, as `Arg::ptr` checked.
            let given: i64 = unsafe { *data.add(offset + i * stride) }.into();
            let place = if wrap && given < 0 { given + len as i64 } else { given };
            if (place as u64) >= len as u64 {
                bad = bad.or(Some(given));
            }
            out.push(place as usize);
        }
    }
    match bad {
        Some(index) => Err(Fault::Index { index, len }),
        None => Ok(out),
    }
}

/// Runs `add` on the elements of `out` and `source`, those of sixteen bits widened to `f32`
/// meanwhile: a place that sees many terms is rounded once.
fn widened(out: Arg, source: Arg, add: impl Fn(Arg, Arg) -> Checked) -> Checked {
    let wide = out.dtype.wide();
    if wide == out.dtype {
        return add(out, source);
    }
    let hold = |arg: Arg| -> Result<(Buffer, Layout), Fault> {
        let layout = Layout::contiguous(arg.layout.shape);
        let buffer = memory::try_buffer(layout.numel().saturating_mul(wide.size()))?;
        chain::apply(tile::cast(arg.dtype, wide), &[arg], Arg::new(&buffer, wide, &layout), 1);
        Ok((buffer, layout))
    };
    let ((sums, at), (terms, from)) = (hold(out)?, hold(source)?);
    let sums = Arg::new(&sums, wide, &at);
    add(sums, Arg::new(&terms, wide, &from))?;
    chain::apply(tile::cast(wide, out.dtype), &[sums], out, 1);
    Ok(())
}

/// Calls a generic function with the Rust type of a dtype that is added in itself.
macro_rules! with_terms {
    ($dtype:expr, $T:ident => $body:expr) => {
        $crate::float::with_whole!($dtype, $T => $body;
            $crate::dtype::DType::F32 => {
                type $T = f32;
                $body
            }
            $crate::dtype::DType::F64 => {
                type $T = f64;
                $body
            }
            $crate::dtype::DType::C64 => {
                type $T = Complex<f32>;
                $body
            }
            $crate::dtype::DType::C128 => {
                type $T = Complex<f64>;
                $body
            }
            other => panic!("a dtype that is added in itself, got {other}")
        )
    };
}

use with_terms;

/// Addition as scatters do it: integers wrap, bool is or.
trait Plus: Element {
    fn plus(self, other: Self) -> Self;
}

macro_rules! plus {
    ($($t:ty: |$a:ident, $b:ident| $e:expr;)*) => {$(
        impl Plus for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                let ($a, $b) = (self, other);
                $e
            }
        }
    )*};
}

plus! {
    f32: |a, b| a + b;
    f64: |a, b| a + b;
    i32: |a, b| a.wrapping_add(b);
    i64: |a, b| a.wrapping_add(b);
    u8: |a, b| a.wrapping_add(b);
    i8: |a, b| a.wrapping_add(b);
    i16: |a, b| a.wrapping_add(b);
    u16: |a, b| a.wrapping_add(b);
    u32: |a, b| a.wrapping_add(b);
    u64: |a, b| a.wrapping_add(b);
    Complex<f32>: |a, b| a + b;
    Complex<f64>: |a, b| a + b;
}

#[cfg(test)]
mod tests;
