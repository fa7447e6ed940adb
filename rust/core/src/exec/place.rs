//! Where values lie: roots (pieces of memory) and layouts in them.

use std::collections::HashMap;

use smallvec::SmallVec;
use weft_kernels::Arg;
use weft_kernels::{Buffer, DType, Layout, Scalar, Shape, fill};

use crate::error::{Error, Result};
use crate::fact::Fact;
use crate::graph::{Constant, ValueId};
use crate::op::Op;
use crate::site::Site;

/// A piece of memory, by number.
pub type RootId = usize;

/// What a root is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootKind {
    /// A piece of the slab.
    Slab,
    /// The memory of this input.
    Input(usize),
    /// Constant data of this number.
    Const(usize),
    /// Fresh memory for this output.
    Output(usize),
}

/// One root.
#[derive(Debug, Clone, Copy)]
pub struct Root {
    /// What it is.
    pub kind: RootKind,
    /// Bytes.
    pub bytes: usize,
}

/// Whether two layouts show the same elements in the same order: strides of dimensions of
/// size 1 say nothing.
pub fn alike(a: &Layout, b: &Layout) -> bool {
    let strides = || a.strides.iter().zip(b.strides.iter());
    let steps = || a.shape.iter().zip(strides()).all(|(&size, (s, t))| size == 1 || s == t);
    a.shape == b.shape && (a.numel() == 0 || (a.offset == b.offset && steps()))
}

/// One kernel call of a plan in the making: an operation, and numbers of places.
#[derive(Debug)]
pub struct Call {
    /// What runs.
    pub op: Op,
    /// Where it reads.
    pub ins: SmallVec<[u32; 4]>,
    /// Where it writes.
    pub outs: SmallVec<[u32; 2]>,
    /// The values that it reads.
    pub reads: SmallVec<[ValueId; 4]>,
    /// The values that it makes.
    pub makes: SmallVec<[ValueId; 2]>,
    /// The user's line.
    pub site: Site,
}

/// Constant data, shared where equal.
#[derive(Default)]
pub struct Pool {
    /// The data.
    pub buffers: Vec<Buffer>,
    scalars: HashMap<(DType, (u8, [u64; 2])), usize>,
}

impl Pool {
    /// The constant that holds one number.
    pub fn scalar(&mut self, dtype: DType, value: Scalar) -> Result<usize> {
        if let Some(&at) = self.scalars.get(&(dtype, value.bits())) {
            return Ok(at);
        }
        let none = || Error::memory("compile", Fact::new(dtype, Shape::SCALAR));
        let buffer = Buffer::try_zeroed(dtype.size()).ok_or_else(none)?;
        let layout = Layout::contiguous(Shape::SCALAR);
        fill::fill(value, Arg::new(&buffer, dtype, &layout));
        self.buffers.push(buffer);
        self.scalars.insert((dtype, value.bits()), self.buffers.len() - 1);
        Ok(self.buffers.len() - 1)
    }

    /// A constant with this data.
    pub fn data(&mut self, constant: &Constant) -> Result<usize> {
        let none = || Error::memory("compile", constant.fact);
        let buffer = Buffer::try_from_slice(&constant.bytes[..]).ok_or_else(none)?;
        self.buffers.push(buffer);
        Ok(self.buffers.len() - 1)
    }
}
