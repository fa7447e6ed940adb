//! Fusing pointwise operations of one shape into chains over tiles.
//!
//! Each operation joins the group of one of its producers if the graph of groups stays
//! free of cycles, found by a bounded walk upwards from its other inputs.

use std::collections::HashMap;

use smallvec::SmallVec;
use weft_kernels::{DType, Shape};

use crate::error::Result;
use crate::fact::{Fact, Facts};
use crate::graph::{Graph, Node, NodeKind, Rewrite, ValueId};
use crate::op::chain::{Chain, Member, Source};
use crate::op::{Class, Op};

/// Operations in one group at most.
const MOST_STEPS: usize = 32;
/// Values that a group reads at most, counted with repetition.
const MOST_INPUTS: usize = 24;
/// Nodes that one search for a cycle looks at before it gives up and says "maybe".
const SEARCH: usize = 256;

#[derive(Default)]
struct Group {
    members: Vec<usize>,
    inputs: usize,
}

struct Groups<'a> {
    graph: &'a Graph,
    groups: Vec<Group>,
    of: Vec<Option<usize>>,
}

/// Fuses pointwise operations; counts the operations that disappear into groups.
pub fn fuse(graph: &Graph) -> Result<(Graph, usize)> {
    let mut groups = Groups { graph, groups: Vec::new(), of: vec![None; graph.nodes.len()] };
    for at in 0..graph.nodes.len() {
        groups.place(at);
    }
    groups.rebuild()
}

fn pointwise(node: &Node) -> Option<&Op> {
    match &node.kind {
        NodeKind::Call(op) if op.class() == Class::Pointwise && node.outputs.len() == 1 => Some(op),
        _ => None,
    }
}

impl Groups<'_> {
    fn maker(&self, value: ValueId) -> usize {
        self.graph.values[value.0 as usize].node.0 as usize
    }

    fn shape(&self, at: usize) -> Shape {
        self.graph.fact(self.graph.nodes[at].outputs[0]).shape
    }

    fn place(&mut self, at: usize) {
        let node = &self.graph.nodes[at];
        if pointwise(node).is_none() {
            return;
        }
        let shape = self.shape(at);
        let mut candidates: SmallVec<[usize; 4]> =
            node.inputs.iter().filter_map(|v| self.of[self.maker(*v)]).collect();
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        candidates.dedup();
        let joined = candidates.into_iter().find(|&g| {
            let group = &self.groups[g];
            group.members.len() < MOST_STEPS
                && group.inputs + node.inputs.len() <= MOST_INPUTS
                && self.shape(group.members[0]) == shape
                && !self.reaches_around(node, g)
        });
        let g = joined.unwrap_or_else(|| {
            self.groups.push(Group::default());
            self.groups.len() - 1
        });
        self.groups[g].members.push(at);
        self.groups[g].inputs += node.inputs.len();
        self.of[at] = Some(g);
    }

    /// Whether some input of `node` outside group `g` may depend on the group.
    fn reaches_around(&self, node: &Node, g: usize) -> bool {
        let mut stack: Vec<usize> = node.inputs.iter().map(|v| self.maker(*v)).collect();
        stack.retain(|&at| self.of[at] != Some(g));
        let mut seen: Vec<usize> = Vec::new();
        while let Some(at) = stack.pop() {
            if self.of[at] == Some(g) {
                return true;
            }
            if seen.contains(&at) {
                continue;
            }
            if seen.len() == SEARCH {
                return true;
            }
            let single = [at];
            let members = self.of[at].map_or(&single[..], |h| &self.groups[h].members[..]);
            seen.extend_from_slice(members);
            for &member in members {
                stack.extend(self.graph.nodes[member].inputs.iter().map(|v| self.maker(*v)));
            }
        }
        false
    }

    fn rebuild(&self) -> Result<(Graph, usize)> {
        let mut rewrite = Rewrite::new(self.graph);
        let mut done = vec![false; self.graph.nodes.len()];
        let mut gone = 0;
        let outside = self.read_outside();
        for at in 0..self.graph.nodes.len() {
            let last = self.members(at).last() == Some(&at);
            if !last {
                continue;
            }
            let mut stack = vec![at];
            while let Some(&top) = stack.last() {
                let before = stack.len();
                if !done[top] {
                    self.push_missing(top, &done, &mut stack);
                }
                if stack.len() > before {
                    continue;
                }
                stack.pop();
                if !done[top] {
                    gone += self.emit(top, &outside, &mut rewrite)?;
                    self.members(top).iter().for_each(|&m| done[m] = true);
                }
            }
        }
        Ok((rewrite.finish(), gone))
    }

    /// The nodes that run together with `at`, itself included.
    fn members(&self, at: usize) -> SmallVec<[usize; 8]> {
        match self.of[at] {
            Some(g) => self.groups[g].members.iter().copied().collect(),
            None => SmallVec::from_slice(&[at]),
        }
    }

    fn push_missing(&self, at: usize, done: &[bool], stack: &mut Vec<usize>) {
        for member in self.members(at) {
            for value in &self.graph.nodes[member].inputs {
                let maker = self.maker(*value);
                let inside = self.of[maker].is_some() && self.of[maker] == self.of[at];
                if !inside && !done[maker] {
                    stack.push(maker);
                }
            }
        }
    }

    /// For each value, whether a node outside its maker's group or an output reads it.
    fn read_outside(&self) -> Vec<bool> {
        let mut outside = vec![false; self.graph.values.len()];
        for output in &self.graph.outputs {
            outside[output.value.0 as usize] = true;
        }
        for (at, node) in self.graph.nodes.iter().enumerate() {
            for value in &node.inputs {
                let maker = self.maker(*value);
                if self.of[maker].is_none() || self.of[maker] != self.of[at] {
                    outside[value.0 as usize] = true;
                }
            }
        }
        outside
    }

    fn emit(&self, at: usize, outside: &[bool], rewrite: &mut Rewrite) -> Result<usize> {
        let members = self.members(at);
        if let [single] = members[..] {
            rewrite.keep(&self.graph.nodes[single]);
            return Ok(0);
        }
        let mut inputs: SmallVec<[ValueId; 4]> = SmallVec::new();
        let mut dtypes: Vec<DType> = Vec::new();
        let mut made: HashMap<ValueId, usize> = HashMap::new();
        let (mut facts, mut results) = (Facts::new(), Vec::new());
        let mut links = Vec::new();
        for &member in &members {
            let node = &self.graph.nodes[member];
            let from = node.inputs.iter().map(|value| match made.get(value) {
                Some(&link) => Source::Member(link),
                None => {
                    let known = inputs.iter().position(|v| v == value);
                    Source::Input(known.unwrap_or_else(|| {
                        inputs.push(*value);
                        dtypes.push(self.graph.fact(*value).dtype);
                        inputs.len() - 1
                    }))
                }
            });
            let from = from.collect();
            let result = node.outputs[0];
            let fact: Fact = self.graph.fact(result);
            let output = outside[result.0 as usize].then(|| {
                facts.push(fact);
                results.push(result);
                facts.len() - 1
            });
            made.insert(result, links.len());
            let op = pointwise(node).expect("groups hold pointwise operations").clone();
            links.push(Member { op, from, dtype: fact.dtype, output });
        }
        let site = self.graph.nodes[members[members.len() - 1]].site;
        let gone = members.len() - 1;
        let chain = Op::Chain(Chain::new(links, &dtypes, facts)?);
        let inputs: SmallVec<[ValueId; 4]> = inputs.iter().map(|v| rewrite.get(*v)).collect();
        let outputs = rewrite.call(chain, &inputs, site)?;
        for (old, new) in results.into_iter().zip(outputs) {
            rewrite.replace(old, new);
        }
        Ok(gone)
    }
}
