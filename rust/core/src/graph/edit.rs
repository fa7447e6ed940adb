//! Rebuilding a graph, node by node: how every pass changes one.

use smallvec::SmallVec;

use super::{Graph, Node, NodeKind, ValueId};
use crate::error::Result;
use crate::op::Op;
use crate::site::Site;

/// A new graph in the making, and where the old values went.
pub struct Rewrite<'a> {
    old: &'a Graph,
    /// The new graph.
    pub new: Graph,
    map: Vec<Option<ValueId>>,
}

impl<'a> Rewrite<'a> {
    /// An empty graph to rebuild `old` into.
    pub fn new(old: &'a Graph) -> Rewrite<'a> {
        let (nodes, values) =
            (Vec::with_capacity(old.nodes.len()), Vec::with_capacity(old.values.len()));
        let (inputs, names) = (old.inputs.clone(), old.names.clone());
        let new = Graph { nodes, values, inputs, outputs: Vec::new(), names };
        Rewrite { old, new, map: vec![None; old.values.len()] }
    }

    /// Where an old value went.
    ///
    /// # Panics
    /// When it has not been kept or replaced yet.
    pub fn get(&self, value: ValueId) -> ValueId {
        self.map[value.0 as usize].expect("an old value is rebuilt before it is read")
    }

    /// The new inputs of an old node.
    pub fn inputs(&self, node: &Node) -> SmallVec<[ValueId; 4]> {
        node.inputs.iter().map(|v| self.get(*v)).collect()
    }

    /// Copies an old node.
    pub fn keep(&mut self, node: &Node) {
        let facts = node.outputs.iter().map(|v| self.old.fact(*v)).collect();
        let inputs = self.inputs(node);
        let outputs = self.new.node(node.kind.clone(), inputs, facts, node.site);
        if let NodeKind::Input(i) = node.kind {
            self.new.inputs[i as usize] = outputs[0];
        }
        for (old, new) in node.outputs.iter().zip(outputs) {
            self.replace(*old, new);
        }
    }

    /// Says that `new` stands for `old`.
    pub fn replace(&mut self, old: ValueId, new: ValueId) {
        self.map[old.0 as usize] = Some(new);
    }

    /// Adds a new operation.
    pub fn call(
        &mut self,
        op: Op,
        inputs: &[ValueId],
        site: Site,
    ) -> Result<SmallVec<[ValueId; 1]>> {
        self.new.call(op, inputs, site)
    }

    /// The new graph, whose outputs are where the old ones went.
    pub fn finish(mut self) -> Graph {
        self.new.outputs = self
            .old
            .outputs
            .iter()
            .map(|output| super::Output { value: self.get(output.value), ..*output })
            .collect();
        self.new
    }
}
