//! Chains of pointwise operations that run tile by tile.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use smallvec::SmallVec;
use weft_kernels::chain::{Chain as Tiles, Dst, Instr, Slots, Src};
use weft_kernels::tile::{self, Tile};
use weft_kernels::{Arg, DType};

use super::attr::{Attr, Field};
use super::{
    Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Over, Rule, Sample, Sizes, Vals, text,
};
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

const MADE_LATE: &str = "chains are made when all else is done";

/// Where an operation of a chain reads an operand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// Input of the chain.
    Input(usize),
    /// Result of an earlier operation of the chain.
    Member(usize),
}

/// One operation of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
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

/// A chain's operations, and the tiles made of them.
#[derive(Debug)]
struct Links {
    members: Vec<Member>,
    inputs: Vec<DType>,
    facts: Facts,
    flops: u64,
    /// For each input the last member that reads it, for each output the one that writes it.
    last_read: Vec<usize>,
    written: Vec<usize>,
    tiles: Tiles,
}

/// A chain of pointwise operations.
#[derive(Debug, Clone)]
pub struct Chain(Arc<Links>);

impl PartialEq for Chain {
    fn eq(&self, other: &Chain) -> bool {
        let key = |chain: &Chain| (chain.0.inputs.clone(), chain.0.facts.clone());
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.members == other.0.members && key(self) == key(other))
    }
}

impl Eq for Chain {}

impl Hash for Chain {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.members.hash(state);
        self.0.facts.hash(state);
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
        let inputs = inputs.to_vec();
        let links = Links { members, inputs, facts, flops, last_read, written, tiles };
        Ok(Chain(Arc::new(links)))
    }

    /// The kernel.
    pub(crate) fn tiles(&self) -> &weft_kernels::chain::Chain {
        &self.0.tiles
    }

    /// The operations, in order.
    pub fn members(&self) -> &[Member] {
        &self.0.members
    }

    /// A chain of one operation, to be given others.
    pub(super) fn forms() -> Vec<Op> {
        let neg = Op::Pointwise(&super::pointwise::rows::NEG);
        let from = smallvec::smallvec![Source::Input(0)];
        let member = Member { op: neg, from, dtype: DType::F32, output: Some(0) };
        let fact = Fact::new(DType::F32, weft_kernels::Shape::SCALAR);
        Chain::new(vec![member], &[DType::F32], fact.only()).map(Op::Chain).into_iter().collect()
    }

    pub(super) fn overwrites(&self, output: usize, input: usize) -> bool {
        self.0.last_read[input] <= self.0.written[output]
    }

    /// The chain of these attributes; `None` if they do not fit together.
    fn of(ops: &Written, inputs: &DTypes, results: &[usize], shape: Sizes) -> Option<Chain> {
        let mut members: Vec<Member> = Vec::new();
        for (op, from) in &ops.0 {
            let dtype = |source: &Source| match source {
                Source::Input(k) => inputs.0.get(*k).copied(),
                Source::Member(m) => members.get(*m).map(|member| member.dtype),
            };
            let fact = |source| Some(Fact::new(dtype(source)?, weft_kernels::Shape::SCALAR));
            let facts = from.iter().map(fact).collect::<Option<Vec<Fact>>>()?;
            let dtype = op.infer(&facts).ok()?[0].dtype;
            let output = results.iter().position(|&m| m == members.len());
            members.push(Member { op: op.clone(), from: from.clone(), dtype, output });
        }
        let fact = |&m: &usize| Some(Fact::new(members.get(m)?.dtype, *shape));
        let facts = results.iter().map(fact).collect::<Option<Facts>>()?;
        Chain::new(members, &inputs.0, facts).ok()
    }
}

/// The operations of a chain as text: `[mul($0, $1), tanh(%0)]`, with the chain's inputs
/// as `$` and results of its operations as `%`.
struct Written(Vec<(Op, SmallVec<[Source; 3]>)>);

impl Field for Written {
    const EXPECTED: &'static str = "pointwise operations in brackets";
    fn put(&self) -> Attr {
        let name = |source: &Source| match source {
            Source::Input(k) => format!("${k}"),
            Source::Member(m) => format!("%{m}"),
        };
        let ops = self.0.iter().map(|(op, from)| text::written(op, from.iter().map(name)));
        Attr::Text(format!("[{}]", ops.collect::<Vec<_>>().join(", ")))
    }
    fn take(attr: &Attr) -> Option<Written> {
        let Attr::Text(text) = attr else { return None };
        let source = |text: &str| match text.split_at_checked(1)? {
            ("$", k) => k.parse().ok().map(Source::Input),
            ("%", m) => m.parse().ok().map(Source::Member),
            _ => None,
        };
        let member = |text: &str| {
            let (op, inputs) = text::read(text).ok()?;
            Some((op, inputs.into_iter().map(source).collect::<Option<_>>()?))
        };
        let list = text.strip_prefix('[')?.strip_suffix(']')?;
        text::split(list).into_iter().map(member).collect::<Option<_>>().map(Written)
    }
}

struct DTypes(Vec<DType>);

impl Field for DTypes {
    const EXPECTED: &'static str = "short names of dtypes in brackets";
    fn put(&self) -> Attr {
        let names: Vec<_> = self.0.iter().map(|dtype| dtype.short()).collect();
        Attr::Text(format!("[{}]", names.join(", ")))
    }
    fn take(attr: &Attr) -> Option<DTypes> {
        match attr {
            Attr::Ints(ints) if ints.is_empty() => Some(DTypes(Vec::new())),
            Attr::Text(text) => {
                let list = text.strip_prefix('[')?.strip_suffix(']')?;
                let dtype = |name: &str| DType::take(&Attr::Text(name.to_string()));
                text::split(list).into_iter().map(dtype).collect::<Option<_>>().map(DTypes)
            }
            _ => None,
        }
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

    fn fields(&mut self, f: &mut Fields) {
        let links = &*self.0;
        let members = links.members.iter();
        let mut ops = Written(members.map(|m| (m.op.clone(), m.from.clone())).collect());
        let mut inputs = DTypes(links.inputs.clone());
        let (mut results, mut shape) = (links.written.clone(), Sizes::from(links.facts[0].shape));
        f.field("ops", &mut ops);
        f.field("inputs", &mut inputs);
        f.field("results", &mut results);
        f.field("shape", &mut shape);
        if !f.sets() {
            return;
        }
        match Chain::of(&ops, &inputs, &results, shape) {
            Some(chain) => *self = chain,
            None => f.fail("the operations do not fit together".to_string()),
        }
    }

    fn nature(&self) -> Nature {
        let none = Forward::None(MADE_LATE);
        Nature::new(Class::Pointwise, Faults::Never, none).strided().over(Over::Pairs)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, self.0.last_read.len())?;
        Ok(self.0.facts.clone())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        super::pointwise::spread(inputs, &outputs[0].layout.shape, |args| {
            self.0.tiles.run(args, outputs);
        });
        Ok(())
    }

    fn gradient(&self, _input: usize) -> Grad<Chain> {
        Grad::None(MADE_LATE)
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        Err(b.refuse(self.name(), MADE_LATE))
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        self.0.flops * self.0.facts[0].numel() as u64
    }

    /// Chains are made by the fusion pass and tested there.
    fn samples(&self) -> Vec<Sample> {
        Vec::new()
    }
}
