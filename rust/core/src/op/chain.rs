//! Chains of pointwise operations that run tile by tile.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;
use weft_kernels::chain::{Chain as Tiles, Dst, Instr, Slots, Src};
use weft_kernels::tile::{self, Tile};
use weft_kernels::{Arg, DType};

use super::pointwise::no_gradient;
use super::{
    Attr, Attrs, Class, Emit, Faults, Grads, Io, Known, Op, Read, Rule, Sample, Saves, Simpler, Val,
};
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// Where an operation of a chain reads an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Input of the chain.
    Input(usize),
    /// Result of an earlier operation of the chain.
    Member(usize),
}

/// One operation of a chain.
#[derive(Debug, Clone)]
pub struct Member {
    /// A pointwise operation.
    pub op: Op,
    /// Its operands.
    pub from: SmallVec<[Source; 3]>,
    /// Dtype of its result.
    pub dtype: DType,
    /// The output that its result becomes, if any.
    pub output: Option<usize>,
}

/// A chain: its operations, and the tiles made of them.
#[derive(Debug)]
pub struct Links {
    members: Vec<Member>,
    facts: Facts,
    flops: u64,
    /// For each input the last member that reads it, for each output the member that writes it.
    last_read: Vec<usize>,
    written: Vec<usize>,
    tiles: Tiles,
}

/// A chain of pointwise operations, equal only to itself.
#[derive(Debug, Clone)]
pub struct Chain(Arc<Links>);

impl PartialEq for Chain {
    fn eq(&self, other: &Chain) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Chain {}

impl Hash for Chain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}

impl Chain {
    /// A chain whose inputs have the dtypes `inputs` and whose outputs have `facts`; an error
    /// if an operation does not find what it expects.
    pub fn new(members: Vec<Member>, inputs: &[DType], facts: Facts) -> Result<Chain> {
        let mut last_read = vec![0; inputs.len()];
        let mut written = vec![0; facts.len()];
        let mut flops = 0;
        for (i, member) in members.iter().enumerate() {
            for from in &member.from {
                if let Source::Input(k) = from {
                    last_read[*k] = i;
                }
            }
            if let Some(k) = member.output {
                written[k] = i;
            }
            let one = Fact::new(member.dtype, weft_kernels::Shape::SCALAR);
            flops += member.op.flops(&vec![one; member.from.len()]).max(1);
        }
        let outs = facts.iter().map(|fact| fact.dtype).collect();
        let tiles = assemble(&members, inputs, outs)
            .ok_or_else(|| Error::runtime("chain", "the operations do not fit together"))?;
        Ok(Chain(Arc::new(Links { members, facts, flops, last_read, written, tiles })))
    }

    /// The operations, in order.
    pub fn members(&self) -> &[Member] {
        &self.0.members
    }
}

/// The kernel of a pointwise operation on operands of these dtypes.
fn tile_of(op: &Op, operands: &[DType]) -> Option<Tile> {
    match op {
        Op::Pointwise(row) => row.tile.get(*operands.last()?),
        Op::Cast(cast) => Some(tile::cast(*operands.first()?, cast.dtype)),
        _ => None,
    }
}

/// Turns members into instructions; a register is free again after its last reader.
fn assemble(members: &[Member], inputs: &[DType], outs: Vec<DType>) -> Option<Tiles> {
    let mut last_use = vec![0; members.len()];
    for (i, member) in members.iter().enumerate() {
        for from in &member.from {
            if let Source::Member(s) = from {
                last_use[*s] = i;
            }
        }
    }
    let mut regs: Vec<DType> = Vec::new();
    let mut free: Vec<u8> = Vec::new();
    let mut place: Vec<Src> = Vec::new();
    let mut instrs = Vec::new();
    for (i, member) in members.iter().enumerate() {
        let dtype = |from: &Source| match from {
            Source::Input(k) => inputs[*k],
            Source::Member(s) => members[*s].dtype,
        };
        let operands: SmallVec<[DType; 3]> = member.from.iter().map(dtype).collect();
        let ins = member.from.iter().map(|from| match from {
            Source::Input(k) => Src::In(*k as u8),
            Source::Member(s) => place[*s],
        });
        let ins = ins.collect();
        for from in &member.from {
            if let Source::Member(s) = from
                && last_use[*s] == i
                && let Src::Reg(r) = place[*s]
                && !free.contains(&r)
            {
                free.push(r);
            }
        }
        let (dst, here) = match member.output {
            Some(k) => (Dst::Out(k as u8), Src::Out(k as u8)),
            None => {
                let reuse = free.iter().position(|&r| regs[r as usize] == member.dtype);
                let r = reuse.map_or_else(
                    || {
                        regs.push(member.dtype);
                        regs.len() as u8 - 1
                    },
                    |at| free.swap_remove(at),
                );
                (Dst::Reg(r), Src::Reg(r))
            }
        };
        place.push(here);
        instrs.push(Instr { tile: tile_of(&member.op, &operands)?, ins, dst });
    }
    Tiles::new(instrs, Slots { ins: inputs.to_vec(), outs, regs })
}

impl Rule for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn doc(&self) -> &'static str {
        "Pointwise operations that run together, tile by tile, each by the kernel it has alone."
    }

    fn attrs(&self) -> Attrs {
        let names: Vec<_> = self.0.members.iter().map(|member| member.op.name()).collect();
        vec![("ops", Attr::Text(format!("[{}]", names.join(", "))))]
    }

    fn class(&self) -> Class {
        Class::Pointwise
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, self.0.last_read.len())?;
        Ok(self.0.facts.clone())
    }

    fn reads(&self, _input: usize) -> Read {
        Read::Strided
    }

    fn overwrites(&self, output: usize, input: usize) -> bool {
        self.0.last_read[input] <= self.0.written[output]
    }

    fn faults(&self, _inputs: &[Fact]) -> Faults {
        Faults::Never
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let shape = &outputs[0].layout.shape;
        if inputs.iter().all(|arg| arg.layout.shape == *shape) {
            self.0.tiles.run(inputs, outputs);
            return Ok(());
        }
        let layouts: SmallVec<[_; 8]> =
            inputs.iter().map(|arg| arg.layout.broadcast_to(shape)).collect();
        let args: SmallVec<[Arg; 8]> = inputs
            .iter()
            .zip(&layouts)
            .map(|(arg, layout)| Arg::new(arg.buffer, arg.dtype, layout))
            .collect();
        self.0.tiles.run(&args, outputs);
        Ok(())
    }

    fn saves(&self, _input: usize) -> Saves {
        Saves::NONE
    }

    fn vjp(&self, _e: &mut dyn Emit, _io: &Io, _grads: &[Option<Val>]) -> Result<Grads> {
        Err(no_gradient(self.name(), "gradients are taken before operations are fused"))
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        self.0.flops * self.0.facts[0].numel() as u64
    }

    fn simplify(&self, _known: &dyn Known) -> Option<Simpler> {
        None
    }

    /// Groups are made by the fusion pass and tested there.
    fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}
