//! Floor 3, static: whole graphs.
//!
//! Nodes stand in an order in which every input comes before its readers. Edges name
//! values, so an operation with two results owns two values.

mod edit;
mod parse;
mod text;
mod verify;

use std::sync::Arc;

use smallvec::SmallVec;
use weft_kernels::Scalar;

use crate::error::Result;
use crate::fact::{Fact, Facts};
use crate::op::{Class, Emit, Faults, Op, Val, Vals};
use crate::site::Site;

pub use edit::Rewrite;
pub use parse::parse;
pub use verify::verify;

/// A value of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub u32);

/// A node of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub u32);

/// Data that is part of a graph, in row-major order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Constant {
    /// Dtype and shape.
    pub fact: Fact,
    /// The bytes.
    pub bytes: Arc<[u8]>,
}

/// What a node does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NodeKind {
    /// Stands for the graph's input of this number.
    Input(u32),
    /// Holds data.
    Const(Constant),
    /// Applies an operation.
    Call(Op),
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// What it does.
    pub kind: NodeKind,
    /// What it reads.
    pub inputs: SmallVec<[ValueId; 4]>,
    /// What it makes.
    pub outputs: SmallVec<[ValueId; 1]>,
    /// The user's line.
    pub site: Site,
}

impl Node {
    /// Whether it only shows what it reads in another way.
    pub fn is_view(&self) -> bool {
        matches!(&self.kind, NodeKind::Call(op) if op.class() == Class::View)
    }
}

/// What is known of a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value {
    /// Dtype and shape.
    pub fact: Fact,
    /// Who makes it.
    pub node: NodeId,
}

/// Why a value leaves the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It is returned, in this place.
    Return(u32),
    /// It becomes the contents of the input of this number.
    Update(u32),
    /// It becomes a gradient, in this place of a list kept beside the graph.
    Grad(u32),
}

/// A value that leaves the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Output {
    /// The value.
    pub value: ValueId,
    /// Why.
    pub role: Role,
}

/// What inputs and outputs are called, in order; those beyond the end of a list have no name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Names {
    /// Of inputs: `x`, `model.0.weight`.
    pub inputs: Vec<String>,
    /// Of outputs: `loss`.
    pub outputs: Vec<String>,
}

/// A whole computation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// In an order in which inputs come before their readers.
    pub nodes: Vec<Node>,
    /// By [`ValueId`].
    pub values: Vec<Value>,
    /// The value of each input.
    pub inputs: Vec<ValueId>,
    /// What leaves.
    pub outputs: Vec<Output>,
    /// What inputs and outputs are called.
    pub names: Arc<Names>,
}

impl Graph {
    /// An empty graph with room for `nodes`.
    pub(crate) fn with_room(nodes: usize) -> Graph {
        let (values, nodes) = (Vec::with_capacity(nodes), Vec::with_capacity(nodes));
        Graph { nodes, values, ..Graph::default() }
    }

    /// Adds an input.
    pub fn input(&mut self, fact: Fact) -> ValueId {
        let kind = NodeKind::Input(self.inputs.len() as u32);
        let value = self.node(kind, SmallVec::new(), fact.only(), Site::UNKNOWN)[0];
        self.inputs.push(value);
        value
    }

    /// Adds data.
    pub fn constant(&mut self, constant: Constant, site: Site) -> ValueId {
        let facts = constant.fact.only();
        self.node(NodeKind::Const(constant), SmallVec::new(), facts, site)[0]
    }

    /// Adds an operation, whose arguments are checked.
    pub fn call(
        &mut self,
        op: Op,
        inputs: &[ValueId],
        site: Site,
    ) -> Result<SmallVec<[ValueId; 1]>> {
        let outputs = op.infer(&self.facts(inputs))?;
        Ok(self.node(NodeKind::Call(op), inputs.into(), outputs, site))
    }

    /// Adds an operation that has run: its arguments were checked, and made `facts`.
    pub(crate) fn called(
        &mut self,
        op: Op,
        inputs: SmallVec<[ValueId; 4]>,
        facts: Facts,
        site: Site,
    ) -> SmallVec<[ValueId; 1]> {
        debug_assert_eq!(op.infer(&self.facts(&inputs)).ok().as_ref(), Some(&facts), "{op:?}");
        self.node(NodeKind::Call(op), inputs, facts, site)
    }

    pub(crate) fn node(
        &mut self,
        kind: NodeKind,
        inputs: SmallVec<[ValueId; 4]>,
        facts: Facts,
        site: Site,
    ) -> SmallVec<[ValueId; 1]> {
        let node = NodeId(self.nodes.len() as u32);
        let first = self.values.len() as u32;
        let outputs: SmallVec<[ValueId; 1]> =
            (first..first + facts.len() as u32).map(ValueId).collect();
        self.values.extend(facts.iter().map(|&fact| Value { fact, node }));
        self.nodes.push(Node { kind, inputs, outputs: outputs.clone(), site });
        outputs
    }

    /// Dtype and shape of a value.
    pub fn fact(&self, value: ValueId) -> Fact {
        self.values[value.0 as usize].fact
    }

    fn facts(&self, values: &[ValueId]) -> SmallVec<[Fact; 4]> {
        values.iter().map(|value| self.fact(*value)).collect()
    }

    /// Who makes a value.
    pub fn maker(&self, value: ValueId) -> &Node {
        &self.nodes[self.values[value.0 as usize].node.0 as usize]
    }

    /// The number that a value holds everywhere, if it is such a constant.
    pub fn uniform(&self, value: ValueId) -> Option<Scalar> {
        match &self.maker(value).kind {
            NodeKind::Call(Op::Create(create)) => create.uniform(),
            _ => None,
        }
    }

    /// When a node can fail.
    pub fn faults(&self, node: &Node) -> Faults {
        match &node.kind {
            NodeKind::Call(op) => op.faults(&self.facts(&node.inputs)),
            _ => Faults::Never,
        }
    }

    /// Number of operations (inputs and data not counted).
    pub fn calls(&self) -> usize {
        self.nodes.iter().filter(|n| matches!(n.kind, NodeKind::Call(_))).count()
    }

    /// Arithmetic operations of one run.
    pub fn flops(&self) -> u64 {
        self.nodes
            .iter()
            .map(|node| match &node.kind {
                NodeKind::Call(op) => op.flops(&self.facts(&node.inputs)),
                _ => 0,
            })
            .sum()
    }

    /// For each value, how many nodes and outputs read it.
    pub fn readers(&self) -> Vec<u32> {
        let mut readers = vec![0; self.values.len()];
        let inputs = self.nodes.iter().flat_map(|node| node.inputs.iter());
        for value in inputs.chain(self.outputs.iter().map(|o| &o.value)) {
            readers[value.0 as usize] += 1;
        }
        readers
    }
}

/// An emitter that appends to a graph.
pub struct Builder<'a> {
    /// The graph.
    pub graph: &'a mut Graph,
    /// The line that new nodes come from.
    pub site: Site,
}

impl Emit for Builder<'_> {
    fn emit(&mut self, op: Op, inputs: &[Val]) -> Result<Vals> {
        let inputs: SmallVec<[ValueId; 4]> = inputs.iter().map(|v| ValueId(v.0)).collect();
        let outputs = self.graph.call(op, &inputs, self.site)?;
        Ok(outputs.into_iter().map(|v| Val(v.0)).collect())
    }

    fn fact(&self, value: Val) -> Fact {
        self.graph.fact(ValueId(value.0))
    }
}
