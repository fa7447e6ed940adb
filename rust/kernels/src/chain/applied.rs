//! One instruction on operands of which the layouts are known before the memory is.

use super::sweep::Laid;
use super::{MAX_OPERANDS, check_end, gapless, repeats, same, spread};
use crate::buffer::{Arg, Spec};
use crate::layout::Layout;
use crate::tile::{Operand, Tile};

/// [`super::apply`], with all decided that layouts decide.
#[derive(Debug)]
pub struct Applied {
    tile: Tile,
    cost: usize,
    way: Way,
}

#[derive(Debug)]
enum Way {
    /// Every operand is contiguous (its step is 1) or one repeated value.
    Whole { n: usize, steps: [usize; MAX_OPERANDS] },
    /// Tile by tile.
    Swept(Laid),
}

impl Applied {
    /// `tile` on operands of one shape that lie like this.
    ///
    /// # Panics
    /// When the number of operands, a dtype or a shape is wrong.
    pub fn new(tile: Tile, ins: &[Spec], out: &Spec, cost: usize) -> Applied {
        let shapes = ins.iter().all(|spec| same(&spec.layout.shape, &out.layout.shape));
        assert!(shapes && ins.len() == tile.arity(), "{ins:?} for {:?}", out.layout);
        let way = Way::whole(ins, &out.layout)
            .unwrap_or_else(|| Way::Swept(Laid::new(ins, std::slice::from_ref(out))));
        Applied { tile, cost, way }
    }

    /// Runs it.
    ///
    /// # Panics
    /// When the number of arguments or a dtype is wrong, or an argument exceeds its buffer.
    pub fn run(&self, ins: &[Arg], out: Arg) {
        let reads = |(k, arg): (usize, &Arg)| self.tile.reads(k, arg.dtype);
        let fits = ins.len() == self.tile.arity() && self.tile.makes(out.dtype);
        assert!(fits && ins.iter().enumerate().all(reads), "{ins:?} and {out:?}");
        match &self.way {
            Way::Whole { n, steps } => self.whole(*n, steps, ins, out),
            Way::Swept(laid) => {
                let count = ins.len();
                laid.visit(ins, &[out], self.cost, 0, |operands, _, n| {
                    let to = operands[count].ptr.cast_mut();
                    // SAFETY: the sweep hands out operands good for `n` elements, 0 or 1 apart.
                    unsafe { self.tile.call(&operands[..count], to, n) };
                });
            }
        }
    }

    fn whole(&self, n: usize, steps: &[usize; MAX_OPERANDS], ins: &[Arg], out: Arg) {
        check_end(&out, n);
        let mut operands = [Operand { ptr: std::ptr::null(), step: 1 }; MAX_OPERANDS];
        for ((operand, arg), &step) in operands.iter_mut().zip(ins).zip(steps) {
            check_end(arg, if step == 1 { n } else { n.min(1) });
            let skip = arg.layout.offset.wrapping_mul(arg.dtype.size());
            *operand = Operand { ptr: arg.buffer.as_ptr().wrapping_add(skip), step };
        }
        let skip = out.layout.offset.wrapping_mul(out.dtype.size());
        let to = (out.buffer.as_ptr().wrapping_add(skip), out.dtype.size());
        let size = |k: usize| ins[k].dtype.size();
        // SAFETY: the checks found every operand good for `n` elements.
        unsafe { spread(self.tile, &operands[..ins.len()], size, to, n, self.cost) };
    }
}

impl Way {
    fn whole(ins: &[Spec], out: &Layout) -> Option<Way> {
        let (n, mut steps) = (gapless(out)?, [1; MAX_OPERANDS]);
        for (step, spec) in steps.iter_mut().zip(ins) {
            let alike = same(&spec.layout.strides, &out.strides);
            *step = if alike || gapless(&spec.layout).is_some() {
                1
            } else if repeats(&spec.layout) {
                0
            } else {
                return None;
            };
        }
        Some(Way::Whole { n, steps })
    }
}
