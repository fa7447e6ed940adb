//! Dropping what nobody reads and merging what is computed twice.

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::error::Result;
use crate::graph::{Graph, NodeKind, Rewrite, ValueId};
use crate::op::Faults;

/// Drops nodes that no output depends on, unless they raise on some values: they still do.
pub fn drop_dead(graph: &Graph) -> Result<(Graph, usize)> {
    let mut alive = vec![false; graph.nodes.len()];
    let maker = |value: ValueId| graph.values[value.0 as usize].node.0 as usize;
    for output in &graph.outputs {
        alive[maker(output.value)] = true;
    }
    for at in (0..graph.nodes.len()).rev() {
        alive[at] |= graph.faults(&graph.nodes[at]) == Faults::Values;
        if alive[at] {
            graph.nodes[at].inputs.iter().for_each(|v| alive[maker(*v)] = true);
        }
    }
    let mut rewrite = Rewrite::new(graph);
    let mut dropped = 0;
    for (node, alive) in graph.nodes.iter().zip(alive) {
        if alive || matches!(node.kind, NodeKind::Input(_)) {
            rewrite.keep(node);
        } else {
            dropped += usize::from(matches!(node.kind, NodeKind::Call(_)));
        }
    }
    Ok((rewrite.finish(), dropped))
}

/// What a node does, and to which values.
type Deed = (NodeKind, SmallVec<[ValueId; 4]>);

/// Merges nodes that do the same to the same values.
pub fn merge_equal(graph: &Graph) -> Result<(Graph, usize)> {
    let mut rewrite = Rewrite::new(graph);
    let mut seen: HashMap<Deed, SmallVec<[ValueId; 1]>> = HashMap::new();
    let mut merged = 0;
    for node in &graph.nodes {
        let key = (node.kind.clone(), rewrite.inputs(node));
        if let Some(twins) = seen.get(&key) {
            for (old, new) in node.outputs.iter().zip(twins) {
                rewrite.replace(*old, *new);
            }
            merged += usize::from(matches!(node.kind, NodeKind::Call(_)));
            continue;
        }
        rewrite.keep(node);
        seen.insert(key, node.outputs.iter().map(|v| rewrite.get(*v)).collect());
    }
    Ok((rewrite.finish(), merged))
}
