//! Programs of tiles: several elementwise instructions in one pass over memory.

mod scratch;
mod sweep;
#[cfg(test)]
mod tests;

use std::ops::Range;

use crate::buffer::Arg;
use crate::dtype::DType;
use crate::layout::Layout;
use crate::shape::Shape;
use crate::threads;
use crate::tile::{Operand, TileFn};
pub(crate) use sweep::Sweep;
use sweep::TILE;

/// Where an instruction reads an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Src {
    /// An input of the program.
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
    /// An output of the program.
    Out(u8),
}

/// One instruction.
#[derive(Debug, Clone)]
pub struct Instr {
    /// What it computes.
    pub tile: TileFn,
    /// Its operands, in the tile's order: at most three.
    pub ins: Vec<Src>,
    /// Where the result goes.
    pub dst: Dst,
    /// Dtype of the result.
    pub dtype: DType,
}

/// A straight line of instructions over tiles that stay in the first-level cache.
///
/// The dtypes of registers, inputs and outputs must be those that the instructions' tiles
/// read and write. A register may be an operand and the destination of one instruction
/// if the two have the same element size.
#[derive(Debug, Clone)]
pub struct Program {
    /// What is done, in order.
    pub instrs: Vec<Instr>,
    /// Number of inputs.
    pub ins: usize,
    /// Number of outputs, at least 1.
    pub outs: usize,
    /// What each register holds.
    pub regs: Vec<DType>,
}

/// Most operands of one tile.
const MAX_OPERANDS: usize = 3;
/// Scalar operations that an instruction of a program is taken for.
const INSTR_COST: usize = 4;
/// Registers whose places are kept without an allocation.
const FEW_REGS: usize = 16;

impl Program {
    /// Runs the program over inputs and outputs of one shape and any strides. An output may
    /// be exactly an input that no later instruction reads.
    ///
    /// # Panics
    /// When the number of arguments or a shape is wrong, an argument exceeds its buffer, or
    /// an instruction names what the program does not have.
    pub fn run(&self, ins: &[Arg], outs: &[Arg]) {
        self.check(ins, outs);
        let mut few = [0; FEW_REGS];
        let mut many = Vec::new();
        let places = if self.regs.len() <= FEW_REGS {
            &mut few[..self.regs.len()]
        } else {
            many.resize(self.regs.len(), 0);
            &mut many[..]
        };
        let mut bytes = 0;
        for (place, dtype) in places.iter_mut().zip(&self.regs) {
            *place = bytes;
            bytes += TILE * dtype.size();
        }
        let places = &*places;
        let sweep = Sweep::new(ins, outs);
        sweep.run(self.instrs.len() * INSTR_COST, bytes, |operands, regs, n| {
            self.tile(operands, |r| regs.wrapping_add(places[r as usize]), n);
        });
    }

    fn check(&self, ins: &[Arg], outs: &[Arg]) {
        assert!(ins.len() == self.ins && outs.len() == self.outs && self.outs > 0);
        let (ins, outs, regs) = (self.ins, self.outs, self.regs.len());
        for instr in &self.instrs {
            assert!(instr.ins.len() <= MAX_OPERANDS);
            let known = instr.ins.iter().all(|src| match *src {
                Src::In(k) => (k as usize) < ins,
                Src::Reg(r) => (r as usize) < regs,
                Src::Out(k) => (k as usize) < outs,
            });
            let stored = match instr.dst {
                Dst::Reg(r) => (r as usize) < regs,
                Dst::Out(k) => (k as usize) < outs,
            };
            assert!(known && stored, "an instruction of the program");
        }
    }

    /// Runs the program over one tile of `n` elements.
    fn tile(&self, operands: &[Operand], reg: impl Fn(u8) -> *mut u8, n: usize) {
        for instr in &self.instrs {
            let mut ins = [Operand { ptr: std::ptr::null(), step: 1 }; MAX_OPERANDS];
            for (operand, src) in ins.iter_mut().zip(&instr.ins) {
                *operand = match *src {
                    Src::In(k) => operands[k as usize],
                    Src::Out(k) => operands[self.ins + k as usize],
                    Src::Reg(r) => Operand { ptr: reg(r), step: 1 },
                };
            }
            let out = match instr.dst {
                Dst::Reg(r) => reg(r),
                Dst::Out(k) => operands[self.ins + k as usize].ptr.cast_mut(),
            };
            // SAFETY: the sweep hands out operands good for `n` elements (0 or 1 apart),
            // registers hold TILE; that dtypes agree is the program's contract.
            unsafe { (instr.tile)(&ins[..instr.ins.len()], out, n) };
        }
    }
}

/// Runs one instruction over inputs and an output of one shape and any strides; `cost` is
/// the number of scalar operations per element. `out` may be exactly an input.
///
/// # Panics
/// When shapes differ or an argument exceeds its buffer.
pub fn apply(tile: TileFn, ins: &[Arg], out: Arg, cost: usize) {
    if !apply_whole(tile, ins, out, cost) {
        apply_strided(tile, ins, out, cost);
    }
}

#[inline(never)]
fn apply_strided(tile: TileFn, ins: &[Arg], out: Arg, cost: usize) {
    let count = ins.len();
    Sweep::new(ins, &[out]).run(cost, 0, |operands, _, n| {
        // SAFETY: the sweep hands out operands good for `n` elements, 0 or 1 apart.
        unsafe { tile(&operands[..count], operands[count].ptr.cast_mut(), n) };
    });
}

/// [`apply`] where every operand is contiguous or one repeated value; else `false`.
#[inline]
fn apply_whole(tile: TileFn, ins: &[Arg], out: Arg, cost: usize) -> bool {
    let Some(n) = gapless(out.layout) else { return false };
    let ptr = out.buffer.as_ptr().wrapping_add(out.layout.offset * out.dtype.size()).cast_const();
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
        let skip = arg.layout.offset * arg.dtype.size();
        operand.ptr = arg.buffer.as_ptr().wrapping_add(skip);
    }
    if n.saturating_mul(cost.max(1)) >= 2 * threads::GRAIN {
        let pieces = Pieces { tile, operands, out: ptr.cast_mut() };
        threads::for_ranges(n, LINE, cost, |range| pieces.run(ins, out.dtype, range));
    } else if n > 0 {
        // SAFETY: the checks found every operand good for `n` elements.
        unsafe { tile(&operands[..ins.len()], ptr.cast_mut(), n) };
    }
    true
}

/// Elements that pieces of a split run are multiples of: at least a cache line.
const LINE: usize = 64;

/// A run of one tile, to be split over threads.
struct Pieces {
    tile: TileFn,
    operands: [Operand; MAX_OPERANDS],
    out: *mut u8,
}

// SAFETY: the addresses are those of buffers that the caller of `apply` keeps alive; what
// several threads may do with them at once is documented on `Buffer`.
unsafe impl Sync for Pieces {}

impl Pieces {
    fn run(&self, ins: &[Arg], dtype: DType, range: Range<usize>) {
        let mut operands = self.operands;
        for (operand, arg) in operands.iter_mut().zip(ins) {
            let bytes = range.start * operand.step * arg.dtype.size();
            operand.ptr = operand.ptr.wrapping_add(bytes);
        }
        let out = self.out.wrapping_add(range.start * dtype.size());
        // SAFETY: the checks found every operand good for the elements up to the range's end.
        unsafe { (self.tile)(&operands[..ins.len()], out, range.len()) };
    }
}

/// The number of elements, if they follow each other without gaps in row-major order.
#[inline]
fn gapless(layout: &Layout) -> Option<usize> {
    let mut step = 1;
    for d in (0..layout.shape.len()).rev() {
        let size = layout.shape[d];
        if layout.strides[d] != step && size != 1 {
            return if layout.numel() == 0 { Some(0) } else { None };
        }
        step *= size;
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
    let end = (arg.layout.offset + n) * arg.dtype.size();
    assert!(n == 0 || end <= arg.buffer.len(), "{:?} exceeds {:?}", arg.layout, arg.buffer);
}
