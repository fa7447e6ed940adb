//! Operations bound to where their operands lie: what the steps of a plan run.
//!
//! Binding decides all that shapes and strides decide (which loop, in which order, in how
//! many blocks) and finds how much working memory that takes; running only looks up
//! addresses. The bits are those of [`super::Rule::run`].

mod tiles;

use std::fmt;

use smallvec::SmallVec;
use weft_kernels::{Arg, Buffer, DType, Layout, tile};

use super::Op;
use crate::error::Result;

pub use weft_kernels::Spec;

/// Where a value lies.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The number of the memory: a root while a plan is made, a buffer of a run afterwards.
    pub root: usize,
    /// Element type.
    pub dtype: DType,
    /// Which elements.
    pub layout: Layout,
}

/// What a bound operation is given: numbers of places, whose memory is among the buffers.
#[derive(Debug, Clone, Copy)]
pub struct Operands<'a> {
    /// The buffers of a run.
    pub buffers: &'a [Buffer],
    /// Places in them.
    pub places: &'a [Place],
    /// What is read.
    pub ins: &'a [u32],
    /// What is written.
    pub outs: &'a [u32],
    /// Working memory, as long as [`Bound::scratch`] says.
    pub scratch: Option<u32>,
}

impl<'a> Operands<'a> {
    fn arg(&self, place: u32) -> Arg<'a> {
        let place = &self.places[place as usize];
        Arg::new(&self.buffers[place.root], place.dtype, &place.layout)
    }

    /// Input `k`.
    pub fn input(&self, k: usize) -> Arg<'a> {
        self.arg(self.ins[k])
    }

    /// Output `k`.
    pub fn output(&self, k: usize) -> Arg<'a> {
        self.arg(self.outs[k])
    }

    /// All inputs.
    pub fn inputs<const N: usize>(&self) -> SmallVec<[Arg<'a>; N]>
    where
        [Arg<'a>; N]: smallvec::Array<Item = Arg<'a>>,
    {
        self.ins.iter().map(|&place| self.arg(place)).collect()
    }

    /// All outputs.
    pub fn outputs<const N: usize>(&self) -> SmallVec<[Arg<'a>; N]>
    where
        [Arg<'a>; N]: smallvec::Array<Item = Arg<'a>>,
    {
        self.outs.iter().map(|&place| self.arg(place)).collect()
    }

    /// Working memory: bytes.
    pub fn scratch(&self) -> Option<Arg<'a>> {
        self.scratch.map(|place| self.arg(place))
    }
}

/// An operation on operands that lie as they were said to lie.
pub trait Bound: fmt::Debug + Send + Sync {
    /// Bytes of working memory that a run is given, so that it need not ask for any.
    fn scratch(&self) -> usize;

    /// Computes the outputs.
    ///
    /// # Panics
    /// When the operands' dtypes are others, or what was decided reaches beyond a buffer.
    fn run(&self, operands: &Operands) -> Result<()>;
}

/// An operation about which shapes and strides decide nothing that is worth keeping.
#[derive(Debug)]
struct Plain(Op);

impl Bound for Plain {
    fn scratch(&self) -> usize {
        0
    }

    fn run(&self, operands: &Operands) -> Result<()> {
        self.0.run(&operands.inputs::<8>(), &operands.outputs::<4>())
    }
}

impl Op {
    /// Binds the operation to operands that lie as `ins` and `outs` say. Offsets count from
    /// wherever the memory of each will begin.
    pub fn bind(&self, ins: &[Spec], outs: &[Spec]) -> Box<dyn Bound> {
        match self {
            Op::Pointwise(row) if !row.divides => {
                let kernel = row.tile.get(ins[row.arity - 1].dtype).expect("infer checked it");
                tiles::tile(kernel, row.flops as usize, ins, outs)
            }
            Op::Cast(cast) => tiles::tile(tile::cast(ins[0].dtype, cast.dtype), 1, ins, outs),
            Op::Chain(chain) => tiles::chain(chain, ins, outs),
            _ => Box::new(Plain(self.clone())),
        }
    }
}
