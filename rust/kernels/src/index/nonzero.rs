//! Finding what is not zero.

use crate::Fault;
use crate::buffer::Arg;
use crate::dtype::Element;
use crate::float::with_element;
use crate::memory;
use crate::walk::Walk;

/// Row-major positions of the nonzero elements of `mask`: any dtype, any strides. NaN is
/// not zero.
pub fn nonzero(mask: Arg) -> Result<Vec<i64>, Fault> {
    with_element!(mask.dtype, T => {
        let mut count = 0;
        each(mask, T::default(), |_| count += 1);
        let mut out = memory::try_list(count)?;
        each(mask, T::default(), |place| {
            // Another thread may write meanwhile.
            if out.len() < count {
                out.push(place);
            }
        });
        Ok(out)
    })
}

/// Calls `body` with the position of each element that is not zero.
fn each<T: Element>(mask: Arg, zero: T, mut body: impl FnMut(i64)) {
    let data = mask.ptr() as *const T;
    let walk = Walk::of(mask.layout);
    let mut flat = 0;
    for (offset, run, stride) in walk.runs(0..walk.numel()) {
        for i in 0..run {
            // SAFETY: the window lies inside its buffer, as `Arg::ptr` checked.
            if unsafe { *data.add(offset + i * stride) } != zero {
                body(flat + i as i64);
            }
        }
        flat += run as i64;
    }
}
