//! Fusing pointwise operations of one shape into chains over tiles.
//!
//! Each operation joins the group of one of its producers if the graph of groups stays
//! free of cycles. Levels tell: whatever reads something stands above it, so a producer
//! that stands below a group does not depend on it. Where one stands above, the group is
//! raised beyond it, with all that must then follow, unless that leads back to the producer
//! or too far.

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
/// Readers that one raise of a group follows before it gives up.
const MOST_RAISED: usize = 256;

#[derive(Default)]
struct Group {
    members: Vec<usize>,
    inputs: usize,
}

struct Groups<'a> {
    graph: &'a Graph,
    groups: Vec<Group>,
    of: Vec<Option<usize>>,
    levels: Levels,
}

/// What runs at once (a group, or one operation that is in none), by its first node.
#[derive(Default)]
struct Levels {
    /// By node, the first of those that it runs with.
    first: Vec<usize>,
    /// By first node: above the levels of all that is read.
    level: Vec<usize>,
    /// By first node, the first nodes of those who read it.
    readers: Vec<SmallVec<[usize; 2]>>,
    /// Readers that raises have followed.
    followed: usize,
}

impl Levels {
    fn add(&mut self, first: Option<usize>, from: &[usize]) {
        let at = self.first.len();
        let first = first.unwrap_or(at);
        self.first.push(first);
        self.readers.push(SmallVec::new());
        self.level.push(from.iter().map(|&f| self.level[f] + 1).max().unwrap_or(0));
        for &from in from.iter().filter(|&&from| from != first) {
            self.readers[from].push(first);
        }
    }

    /// Whether what runs with `first` can stand above all of `from`, and it does from now on.
    fn raise(&mut self, first: usize, from: &[usize]) -> bool {
        let below = || from.iter().filter(|&&from| from != first);
        let Some(level) = below().map(|&from| self.level[from] + 1).max() else { return true };
        let mut before: SmallVec<[(usize, usize); 8]> = SmallVec::new();
        let mut raised: SmallVec<[(usize, usize); 8]> = SmallVec::new();
        raised.push((first, level));
        let mut left = MOST_RAISED;
        while let Some((at, level)) = raised.pop() {
            if self.level[at] >= level {
                continue;
            }
            let readers = &self.readers[at];
            if left < readers.len() || below().any(|&from| from == at) {
                before.into_iter().rev().for_each(|(at, level)| self.level[at] = level);
                return false;
            }
            left -= readers.len();
            self.followed += readers.len();
            before.push((at, self.level[at]));
            self.level[at] = level;
            raised.extend(readers.iter().map(|&reader| (reader, level + 1)));
        }
        true
    }
}

/// Fuses pointwise operations; counts the operations that disappear into groups.
pub fn fuse(graph: &Graph) -> Result<(Graph, usize)> {
    Groups::of(graph).rebuild()
}

fn pointwise(node: &Node) -> Option<&Op> {
    match &node.kind {
        NodeKind::Call(op) if op.class() == Class::Pointwise && node.outputs.len() == 1 => Some(op),
        _ => None,
    }
}

impl Groups<'_> {
    fn of(graph: &Graph) -> Groups<'_> {
        let of = vec![None; graph.nodes.len()];
        let mut groups = Groups { graph, groups: Vec::new(), of, levels: Levels::default() };
        (0..graph.nodes.len()).for_each(|at| groups.place(at));
        groups
    }

    fn maker(&self, value: ValueId) -> usize {
        self.graph.values[value.0 as usize].node.0 as usize
    }

    fn shape(&self, at: usize) -> Shape {
        self.graph.fact(self.graph.nodes[at].outputs[0]).shape
    }

    fn place(&mut self, at: usize) {
        let node = &self.graph.nodes[at];
        let from = node.inputs.iter().map(|v| self.levels.first[self.maker(*v)]);
        let from: SmallVec<[usize; 4]> = from.collect();
        if pointwise(node).is_none() {
            return self.levels.add(None, &from);
        }
        let g = self.joined(at, &from).unwrap_or_else(|| {
            self.groups.push(Group::default());
            self.groups.len() - 1
        });
        self.levels.add(self.groups[g].members.first().copied(), &from);
        self.groups[g].members.push(at);
        self.groups[g].inputs += node.inputs.len();
        self.of[at] = Some(g);
    }

    /// The latest group of a producer that node `at`, which reads what runs with `from`, can
    /// join.
    fn joined(&mut self, at: usize, from: &[usize]) -> Option<usize> {
        let (inputs, shape) = (from.len(), self.shape(at));
        let mut candidates: SmallVec<[usize; 4]> =
            from.iter().filter_map(|&first| self.of[first]).collect();
        candidates.sort_unstable_by(|a, b| b.cmp(a));
        candidates.dedup();
        candidates.into_iter().find(|&g| {
            let group = &self.groups[g];
            let first = group.members[0];
            group.members.len() < MOST_STEPS
                && group.inputs + inputs <= MOST_INPUTS
                && self.shape(first) == shape
                && self.levels.raise(first, from)
        })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Output, Role};
    use crate::op::matmul::Matmul;
    use crate::op::pointwise::rows;
    use crate::site::Site;

    fn square() -> Fact {
        Fact::new(DType::F32, Shape::new(&[2, 2]))
    }

    fn call(graph: &mut Graph, op: Op, inputs: &[ValueId]) -> ValueId {
        graph.call(op, inputs, Site::UNKNOWN).unwrap()[0]
    }

    /// Layers with a sum around each: what a layer adds to is old, what it adds is new.
    fn residual(layers: usize) -> Graph {
        let mut g = Graph::default();
        let mut x = g.input(square());
        for _ in 0..layers {
            let w = g.input(square());
            let h = call(&mut g, Op::Matmul(Matmul::default()), &[x, w]);
            let h = call(&mut g, Op::Pointwise(&rows::RELU), &[h]);
            x = call(&mut g, Op::Pointwise(&rows::ADD), &[x, h]);
        }
        g.outputs.push(Output { value: x, role: Role::Return(0) });
        g
    }

    #[test]
    fn deep_graphs_are_fused_to_the_end_without_a_search() {
        let graph = residual(3000);
        let groups = Groups::of(&graph);
        assert!(groups.levels.followed <= graph.nodes.len(), "{}", groups.levels.followed);
        assert_eq!(groups.rebuild().unwrap().1, 3000);
    }

    #[test]
    fn a_group_is_raised_above_what_it_reads_unless_that_reads_the_group() {
        let mut g = Graph::default();
        let (x, w) = (g.input(square()), g.input(square()));
        let early = call(&mut g, Op::Pointwise(&rows::EXP), &[x]);
        let apart = call(&mut g, Op::Matmul(Matmul::default()), &[x, w]);
        let above = call(&mut g, Op::Matmul(Matmul::default()), &[apart, w]);
        let joins = call(&mut g, Op::Pointwise(&rows::ADD), &[early, above]);
        let reads = call(&mut g, Op::Matmul(Matmul::default()), &[joins, w]);
        let stays = call(&mut g, Op::Pointwise(&rows::ADD), &[joins, reads]);
        g.outputs.push(Output { value: stays, role: Role::Return(0) });
        let groups = Groups::of(&g);
        let of = |value| groups.of[groups.maker(value)];
        assert_eq!(of(early), of(joins));
        assert_ne!(of(joins), of(stays));
        let level = |value| groups.levels.level[groups.levels.first[groups.maker(value)]];
        assert!(level(apart) < level(above) && level(above) < level(joins));
        assert!(level(joins) < level(reads) && level(reads) < level(stays));
    }
}
