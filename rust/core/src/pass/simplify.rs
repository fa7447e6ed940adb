//! Asks every operation for an equal but cheaper form of itself.

use smallvec::SmallVec;
use weft_kernels::Scalar;

use crate::error::Result;
use crate::fact::Fact;
use crate::graph::{Graph, NodeKind, Rewrite, ValueId};
use crate::op::{Known, Op, Simpler, Val};
use crate::site::Site;

struct Around<'a> {
    graph: &'a Graph,
    inputs: &'a [ValueId],
    result: Fact,
}

impl Known for Around<'_> {
    fn input(&self, i: usize) -> Val {
        Val(self.inputs[i].0)
    }

    fn fact(&self, i: usize) -> Fact {
        self.graph.fact(self.inputs[i])
    }

    fn result(&self) -> Fact {
        self.result
    }

    fn uniform(&self, i: usize) -> Option<Scalar> {
        self.graph.uniform(self.inputs[i])
    }

    fn producer(&self, i: usize) -> Option<(&Op, SmallVec<[Val; 4]>)> {
        let node = self.graph.maker(self.inputs[i]);
        match &node.kind {
            NodeKind::Call(op) => Some((op, node.inputs.iter().map(|v| Val(v.0)).collect())),
            _ => None,
        }
    }
}

/// What finally stands for an operation with one result.
fn settle(
    rewrite: &mut Rewrite,
    op: &Op,
    inputs: &[ValueId],
    result: Fact,
    site: Site,
) -> Result<Option<ValueId>> {
    let around = Around { graph: &rewrite.new, inputs, result };
    match op.simplify(&around) {
        None => Ok(None),
        Some(Simpler::Value(val)) => Ok(Some(ValueId(val.0))),
        Some(Simpler::Call(op, inputs)) => {
            let inputs: SmallVec<[ValueId; 4]> = inputs.iter().map(|v| ValueId(v.0)).collect();
            if let Some(value) = settle(rewrite, &op, &inputs, result, site)? {
                return Ok(Some(value));
            }
            Ok(Some(rewrite.call(op, &inputs, site)?[0]))
        }
    }
}

/// Replaces operations by their simpler forms.
pub fn simplify(graph: &Graph) -> Result<(Graph, usize)> {
    let mut rewrite = Rewrite::new(graph);
    let mut count = 0;
    for node in &graph.nodes {
        if let (NodeKind::Call(op), [output]) = (&node.kind, &node.outputs[..]) {
            let inputs = rewrite.inputs(node);
            let result = graph.fact(*output);
            if let Some(value) = settle(&mut rewrite, op, &inputs, result, node.site)? {
                rewrite.replace(*output, value);
                count += 1;
                continue;
            }
        }
        rewrite.keep(node);
    }
    Ok((rewrite.finish(), count))
}
