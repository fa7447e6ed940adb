//! Reading and writing at places given by an index.
//!
//! Every index is checked before anything is written.

mod nonzero;
mod point;
mod row;

pub use nonzero::nonzero;
pub use point::{gather, scatter, scatter_add};
pub use row::{add, select};

use crate::Fault;
use crate::buffer::Arg;
use crate::dtype::{DType, Element};
use crate::memory;
use crate::walk::Walk;

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
}

#[cfg(test)]
mod tests;
