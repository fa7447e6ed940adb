//! Finding what is not zero.

use crate::buffer::Arg;
use crate::dtype::Element;
use crate::float::with_element;
use crate::walk::Walk;

/// Row-major positions of the nonzero elements of `mask`: any dtype, any strides. NaN is
/// not zero.
pub fn nonzero(mask: Arg) -> Vec<i64> {
    with_element!(mask.dtype, T => find::<T>(mask, T::default()))
}

fn find<T: Element>(mask: Arg, zero: T) -> Vec<i64> {
    let data = mask.ptr() as *const T;
    let walk = Walk::of(mask.layout);
    let mut out = Vec::new();
    let mut flat = 0;
    for (offset, run, stride) in walk.runs(0..walk.numel()) {
        for i in 0..run {
            // SAFETY: the window lies inside its buffer, as `Arg::ptr` checked.
            if unsafe { *data.add(offset + i * stride) } != zero {
                out.push(flat + i as i64);
            }
        }
        flat += run as i64;
    }
    out
}
