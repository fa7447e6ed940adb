//! Pointwise operations and chains of them, bound.

use smallvec::SmallVec;
use weft_kernels::chain::{Applied, Course};
use weft_kernels::tile::Tile;

use super::{Bound, Operands, Spec};
use crate::error::Result;
use crate::op::chain::Chain;

/// The operands, repeated to the shape of the result.
fn spread<const N: usize>(ins: &[Spec], out: &Spec) -> SmallVec<[Spec; N]>
where
    [Spec; N]: smallvec::Array<Item = Spec>,
{
    let spread = |spec: &Spec| Spec {
        layout: match spec.layout.shape == out.layout.shape {
            true => spec.layout,
            false => spec.layout.broadcast_to(&out.layout.shape),
        },
        ..spec.clone()
    };
    ins.iter().map(spread).collect()
}

impl Bound for Applied {
    fn scratch(&self) -> usize {
        0
    }

    fn run(&self, operands: &Operands) -> Result<()> {
        Applied::run(self, &operands.inputs::<4>(), operands.output(0));
        Ok(())
    }
}

/// One tile.
pub(super) fn tile(tile: Tile, cost: usize, ins: &[Spec], outs: &[Spec]) -> Box<dyn Bound> {
    Box::new(Applied::new(tile, &spread::<3>(ins, &outs[0]), &outs[0], cost))
}

#[derive(Debug)]
struct Linked {
    chain: Chain,
    course: Course,
}

impl Bound for Linked {
    fn scratch(&self) -> usize {
        0
    }

    fn run(&self, operands: &Operands) -> Result<()> {
        let tiles = self.chain.tiles();
        if operands.ins.len() <= 8 {
            tiles.follow(&self.course, &operands.inputs::<8>(), &operands.outputs::<4>());
        } else {
            tiles.follow(&self.course, &operands.inputs::<32>(), &operands.outputs::<32>());
        }
        Ok(())
    }
}

/// A chain.
pub(super) fn chain(chain: &Chain, ins: &[Spec], outs: &[Spec]) -> Box<dyn Bound> {
    let course = chain.tiles().course(&spread::<8>(ins, &outs[0]), outs);
    Box::new(Linked { chain: chain.clone(), course })
}
