//! Chains of tiles: several elementwise instructions in one pass over memory.

mod applied;
mod flat;
mod scratch;
mod sweep;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::buffer::{Arg, Spec};
use crate::dtype::DType;
use crate::layout::Layout;
use crate::shape::Shape;
use crate::threads;
use crate::tile::{Operand, Tile};
pub use applied::Applied;
pub use flat::{Flat, Span, flat};
pub(crate) use sweep::sweep;
use sweep::{Laid, TILE};

/// Where an instruction reads an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Src {
    /// An input of the chain.
    In(u8),
    /// A register.
    Reg(u8),
    /// A value that an earlier instruction stored to an output.
    Out(u8),
}

/// Where an instruction stores its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dst {
    /// A register.
    Reg(u8),
    /// An output of the chain.
    Out(u8),
}

/// One instruction.
#[derive(Debug, Clone)]
pub struct Instr {
    /// What it computes.
    pub tile: Tile,
    /// Its operands, in the tile's order.
    pub ins: Vec<Src>,
    /// Where the result goes.
    pub dst: Dst,
}

/// The dtypes of what a chain names.
#[derive(Debug, Clone, Default)]
pub struct Slots {
    /// Of its inputs.
    pub ins: Vec<DType>,
    /// Of its outputs: at least one.
    pub outs: Vec<DType>,
    /// Of its registers.
    pub regs: Vec<DType>,
}

/// A straight line of instructions over tiles that stay in the first-level cache. One that
/// exists names nothing that it does not have, and every tile finds the dtypes it expects.
#[derive(Debug, Clone)]
pub struct Chain {
    instrs: Vec<Instr>,
    slots: Slots,
    /// Offsets of the registers in scratch memory, and the bytes of all.
    places: Vec<usize>,
    bytes: usize,
}

/// What layouts decide of a run of a chain.
#[derive(Debug)]
pub struct Course(Laid);

/// Most operands of one tile.
const MAX_OPERANDS: usize = 3;
/// Scalar operations that an instruction of a chain is taken for.
const INSTR_COST: usize = 4;

impl Slots {
    fn source(&self, src: Src) -> Option<DType> {
        match src {
            Src::In(k) => self.ins.get(k as usize).copied(),
            Src::Reg(r) => self.regs.get(r as usize).copied(),
            Src::Out(k) => self.outs.get(k as usize).copied(),
        }
    }

    fn target(&self, dst: Dst) -> Option<DType> {
        match dst {
            Dst::Reg(r) => self.regs.get(r as usize).copied(),
            Dst::Out(k) => self.outs.get(k as usize).copied(),
        }
    }

    /// Whether `instr` names what there is, of the dtypes that its tile expects.
    fn allow(&self, instr: &Instr) -> bool {
        let reads = |(k, src): (usize, &Src)| {
            self.source(*src).is_some_and(|dtype| instr.tile.reads(k, dtype))
        };
        instr.ins.len() == instr.tile.arity()
            && instr.ins.len() <= MAX_OPERANDS
            && instr.ins.iter().enumerate().all(reads)
            && self.target(instr.dst).is_some_and(|dtype| instr.tile.makes(dtype))
    }
}

impl Chain {
    /// A chain of these instructions; `None` if one of them names what is not there or
    /// something of another dtype than its tile expects, or if there is no output.
    pub fn new(instrs: Vec<Instr>, slots: Slots) -> Option<Chain> {
        let fits = !slots.outs.is_empty() && instrs.iter().all(|instr| slots.allow(instr));
        let mut bytes = 0;
        let place = |dtype: &DType| {
            bytes += TILE * dtype.size();
            bytes - TILE * dtype.size()
        };
        let places = slots.regs.iter().map(place).collect();
        fits.then_some(Chain { instrs, slots, places, bytes })
    }

    /// Runs the chain over inputs and outputs of one shape and any strides. An output may
    /// be exactly an input that no later instruction reads.
    ///
    /// # Panics
    /// When the number of arguments, a dtype or a shape is wrong, or an argument exceeds
    /// its buffer.
    pub fn run(&self, ins: &[Arg], outs: &[Arg]) {
        self.check(ins, outs);
        sweep(ins, outs, self.cost(), self.bytes, |operands, regs, n| {
            self.tile(operands, regs, n);
        });
    }

    /// What the layouts of inputs and outputs, of one shape, decide of a run.
    ///
    /// # Panics
    /// When shapes differ.
    pub fn course(&self, ins: &[Spec], outs: &[Spec]) -> Course {
        Course(Laid::new(ins, outs))
    }

    /// [`Chain::run`] on arguments that lie as `course` was told.
    ///
    /// # Panics
    /// As [`Chain::run`].
    pub fn follow(&self, course: &Course, ins: &[Arg], outs: &[Arg]) {
        self.check(ins, outs);
        course.0.visit(ins, outs, self.cost(), self.bytes, |operands, regs, n| {
            self.tile(operands, regs, n);
        });
    }

    /// Scalar operations that an element is taken for.
    fn cost(&self) -> usize {
        self.instrs.len() * INSTR_COST
    }

    fn check(&self, ins: &[Arg], outs: &[Arg]) {
        let agree = |args: &[Arg], own: &[DType]| {
            args.len() == own.len() && args.iter().zip(own).all(|(arg, own)| arg.dtype == *own)
        };
        let fits = agree(ins, &self.slots.ins) && agree(outs, &self.slots.outs);
        assert!(fits, "{ins:?} and {outs:?} for {:?}", self.slots);
    }

    /// Runs the chain over one tile of `n` elements.
    fn tile(&self, operands: &[Operand], regs: *mut u8, n: usize) {
        let reg = |r: u8| regs.wrapping_add(self.places[r as usize]);
        for instr in &self.instrs {
            let mut ins = [Operand { ptr: std::ptr::null(), step: 1 }; MAX_OPERANDS];
            for (operand, src) in ins.iter_mut().zip(&instr.ins) {
                *operand = match *src {
                    Src::In(k) => operands[k as usize],
                    Src::Out(k) => operands[self.slots.ins.len() + k as usize],
                    Src::Reg(r) => Operand { ptr: reg(r), step: 1 },
                };
            }
            let out = match instr.dst {
                Dst::Reg(r) => reg(r),
                Dst::Out(k) => operands[self.slots.ins.len() + k as usize].ptr.cast_mut(),
            };
            // SAFETY: the sweep hands out operands good for `n` elements (0 or 1 apart),
            // registers hold TILE; `new` and `check` found the dtypes that the tile expects.
            unsafe { instr.tile.call(&ins[..instr.ins.len()], out, n) };
        }
    }
}

/// Runs one instruction over inputs and an output of one shape and any strides; `cost` is
/// the number of scalar operations per element. `out` may be exactly an input.
///
/// # Panics
/// When the number of arguments, a dtype or a shape is wrong, or an argument exceeds its
/// buffer.
pub fn apply(tile: Tile, ins: &[Arg], out: Arg, cost: usize) {
    let reads = |(k, arg): (usize, &Arg)| tile.reads(k, arg.dtype);
    let fits = ins.len() == tile.arity() && tile.makes(out.dtype);
    assert!(fits && ins.iter().enumerate().all(reads), "{ins:?} and {out:?} for {tile:?}");
    if !apply_whole(tile, ins, out, cost) {
        apply_strided(tile, ins, out, cost);
    }
}

#[inline(never)]
fn apply_strided(tile: Tile, ins: &[Arg], out: Arg, cost: usize) {
    let count = ins.len();
    sweep(ins, &[out], cost, 0, |operands, _, n| {
        // SAFETY: the sweep hands out operands good for `n` elements, 0 or 1 apart.
        unsafe { tile.call(&operands[..count], operands[count].ptr.cast_mut(), n) };
    });
}

/// [`apply`] where every operand is contiguous or one repeated value; else `false`.
#[inline]
fn apply_whole(tile: Tile, ins: &[Arg], out: Arg, cost: usize) -> bool {
    let Some(n) = gapless(out.layout) else { return false };
    let skip = out.layout.offset.wrapping_mul(out.dtype.size());
    let ptr = out.buffer.as_ptr().wrapping_add(skip).cast_const();
    check_end(&out, n);
    let mut operands = [Operand { ptr, step: 1 }; MAX_OPERANDS];
    for (operand, arg) in operands.iter_mut().zip(ins) {
        let same_shape = same(&arg.layout.shape, &out.layout.shape);
        assert!(same_shape, "{:?} for {:?}", arg.layout, out.layout);
        let alike = same(&arg.layout.strides, &out.layout.strides);
        operand.step = if alike || gapless(arg.layout).is_some() {
            1
        } else if repeats(arg.layout) {
            0
        } else {
            return false;
        };
        check_end(arg, if operand.step == 1 { n } else { n.min(1) });
        let skip = arg.layout.offset.wrapping_mul(arg.dtype.size());
        operand.ptr = arg.buffer.as_ptr().wrapping_add(skip);
    }
    let size = |k: usize| ins[k].dtype.size();
    // SAFETY: the checks found every operand good for `n` elements.
    unsafe {
        spread(tile, &operands[..ins.len()], size, (ptr.cast_mut(), out.dtype.size()), n, cost);
    };
    true
}

/// Elements that pieces of a split run are multiples of: at least a cache line.
const LINE: usize = 64;

/// Runs a tile over `n` adjacent elements, split over threads if there are many. `size` is that
/// of an operand's elements; with `out` comes that of the result's.
///
/// # Safety
/// As [`Tile::call`].
#[inline]
unsafe fn spread(
    tile: Tile,
    operands: &[Operand],
    size: impl Fn(usize) -> usize,
    (out, out_size): (*mut u8, usize),
    n: usize,
    cost: usize,
) {
    if n.saturating_mul(cost.max(1)) >= 2 * threads::GRAIN {
        let mut pieces = Pieces { tile, operands, sizes: [0; MAX_OPERANDS], out, out_size };
        pieces.sizes.iter_mut().enumerate().take(operands.len()).for_each(|(k, s)| *s = size(k));
        // SAFETY: pieces of what the caller found good.
        threads::for_ranges(n, LINE, cost, |range| unsafe { pieces.run(range) });
    } else if n > 0 {
        // SAFETY: the caller's promise.
        unsafe { tile.call(operands, out, n) };
    }
}

/// A run of one tile, to be split over threads.
struct Pieces<'a> {
    tile: Tile,
    operands: &'a [Operand],
    sizes: [usize; MAX_OPERANDS],
    out: *mut u8,
    out_size: usize,
}

// SAFETY: the addresses are those of buffers that the caller of `spread` keeps alive; what
// several threads may do with them at once is documented on `Buffer`.
unsafe impl Sync for Pieces<'_> {}

impl Pieces<'_> {
    /// Runs a part of it.
    ///
    /// # Safety
    /// Every operand must be good for the elements up to the range's end.
    unsafe fn run(&self, range: Range<usize>) {
        let mut operands = [Operand { ptr: self.out, step: 0 }; MAX_OPERANDS];
        for ((part, whole), size) in operands.iter_mut().zip(self.operands).zip(self.sizes) {
            let ptr = whole.ptr.wrapping_add(range.start * whole.step * size);
            *part = Operand { ptr, ..*whole };
        }
        let out = self.out.wrapping_add(range.start * self.out_size);
        // SAFETY: the caller's promise.
        unsafe { self.tile.call(&operands[..self.operands.len()], out, range.len()) };
    }
}

/// The number of elements, if they follow each other without gaps in row-major order.
#[inline]
fn gapless(layout: &Layout) -> Option<usize> {
    let mut step: usize = 1;
    for d in (0..layout.shape.len()).rev() {
        let size = layout.shape[d];
        if layout.strides[d] != step && size != 1 {
            return if layout.numel() == 0 { Some(0) } else { None };
        }
        step = step.saturating_mul(size);
    }
    Some(step)
}

/// Whether all elements are one.
fn repeats(layout: &Layout) -> bool {
    layout.strides.iter().zip(layout.shape.iter()).all(|(&s, &d)| s == 0 || d == 1)
}

#[inline]
fn same(a: &Shape, b: &Shape) -> bool {
    a.len() == b.len() && a.iter().zip(b.iter()).fold(true, |same, (a, b)| same & (a == b))
}

/// Checks that `n` adjacent elements lie inside the buffer.
#[inline]
fn check_end(arg: &Arg, n: usize) {
    let end = arg.layout.offset.saturating_add(n).saturating_mul(arg.dtype.size());
    assert!(n == 0 || end <= arg.buffer.len(), "{:?} exceeds {:?}", arg.layout, arg.buffer);
}
