//! Nodes, and the arena that owns them.
//!
//! A node lives as long as a tensor or a later node refers to it. References are counted
//! by the arena itself; a node whose count falls to zero is taken out first and dropped
//! later from a queue, so that dropping a chain of any length neither recurses nor holds
//! the lock.

use std::cell::RefCell;
use std::sync::Mutex;

use smallvec::SmallVec;
use weft_kernels::Buffer;

use crate::fact::{Fact, Facts};
use crate::op::Op;
use crate::site::Site;
use crate::tensor::Tensor;

/// Where the gradient of an input goes.
#[derive(Clone)]
pub enum Edge {
    /// Nowhere.
    None,
    /// To an output of another node.
    Node(NodeRef, u32),
    /// Into the `.grad` of a leaf.
    Leaf(Tensor),
}

/// A value kept for the gradient rule.
#[derive(Clone)]
pub struct Saved {
    /// The value.
    pub value: SavedValue,
    /// The buffer's version when it was saved.
    pub version: u32,
}

/// Inputs are kept as they are; an output is kept without its own history, which would
/// be a cycle.
#[derive(Clone)]
pub enum SavedValue {
    /// Input `.0`.
    Input(u32, Tensor),
    /// Output `.0`, as a tensor of its own on the same memory.
    Output(u32, Tensor),
}

impl Saved {
    pub(crate) fn buffer(&self) -> &Buffer {
        match &self.value {
            SavedValue::Input(_, tensor) | SavedValue::Output(_, tensor) => tensor.buffer(),
        }
    }
}

/// One operation that ran.
#[derive(Clone)]
pub struct TapeNode {
    /// The operation.
    pub op: Op,
    /// Where it stands in the order of execution.
    pub seq: u64,
    /// Where the gradients of its inputs go.
    pub edges: SmallVec<[Edge; 2]>,
    /// What its gradient rule reads.
    pub saved: SmallVec<[Saved; 2]>,
    /// Facts of its inputs.
    pub input_facts: SmallVec<[Fact; 2]>,
    /// Facts of its outputs.
    pub output_facts: Facts,
    /// Whether `backward` has passed and released what was saved.
    pub released: bool,
    /// The user's line, if it was known.
    pub site: Site,
}

struct Slot {
    refs: u32,
    node: Option<Box<TapeNode>>,
}

struct Arena {
    slots: Vec<Slot>,
    free: Vec<u32>,
    next_seq: u64,
}

static ARENA: Mutex<Arena> = Mutex::new(Arena { slots: Vec::new(), free: Vec::new(), next_seq: 1 });

fn arena() -> std::sync::MutexGuard<'static, Arena> {
    ARENA.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A counted reference to a node.
#[derive(Debug, PartialEq, Eq)]
pub struct NodeRef(u32);

impl NodeRef {
    /// Adds a node to the tape, with the next place in the order of execution.
    pub fn new(mut node: Box<TapeNode>) -> NodeRef {
        let mut arena = arena();
        node.seq = arena.next_seq;
        arena.next_seq += 1;
        let slot = Slot { refs: 1, node: Some(node) };
        if let Some(at) = arena.free.pop() {
            arena.slots[at as usize] = slot;
            return NodeRef(at);
        }
        arena.slots.push(slot);
        NodeRef(arena.slots.len() as u32 - 1)
    }

    /// Looks at the node. `look` must not touch tensors' histories or drop references.
    pub fn with<T>(&self, look: impl FnOnce(&mut TapeNode) -> T) -> T {
        let mut arena = arena();
        let node = arena.slots[self.0 as usize].node.as_mut();
        look(node.expect("a referenced node exists"))
    }

    /// The place in the order of execution.
    pub fn seq(&self) -> u64 {
        self.with(|node| node.seq)
    }

    /// A number that tells this node from every other one alive.
    pub fn key(&self) -> u32 {
        self.0
    }

    /// The nodes that the gradients of its inputs go to.
    pub(crate) fn sources(&self) -> Vec<NodeRef> {
        let mut arena = arena();
        let node = arena.slots[self.0 as usize].node.as_ref().expect("a referenced node exists");
        let places = node.edges.iter().filter_map(|edge| match edge {
            Edge::Node(to, _) => Some(to.0),
            _ => None,
        });
        let places: Vec<u32> = places.collect();
        places.iter().for_each(|&at| arena.slots[at as usize].refs += 1);
        places.into_iter().map(NodeRef).collect()
    }

    /// A copy of the node, with references of its own.
    pub fn snapshot(&self) -> TapeNode {
        // Edges hold references whose cloning takes the lock: clone them outside.
        let edges: Vec<(usize, u32, u32)> = self.with(|node| {
            let nodes = node.edges.iter().enumerate();
            nodes
                .filter_map(|(i, edge)| match edge {
                    Edge::Node(to, out) => Some((i, to.0, *out)),
                    _ => None,
                })
                .collect()
        });
        let mut arena = arena();
        for (_, to, _) in &edges {
            arena.slots[*to as usize].refs += 1;
        }
        let node = arena.slots[self.0 as usize].node.as_ref().expect("a referenced node exists");
        let mut copied: SmallVec<[Edge; 2]> = node
            .edges
            .iter()
            .map(|edge| match edge {
                Edge::Leaf(tensor) => Edge::Leaf(tensor.clone()),
                _ => Edge::None,
            })
            .collect();
        for (i, to, out) in edges {
            copied[i] = Edge::Node(NodeRef(to), out);
        }
        TapeNode {
            op: node.op.clone(),
            seq: node.seq,
            edges: copied,
            saved: node.saved.clone(),
            input_facts: node.input_facts.clone(),
            output_facts: node.output_facts.clone(),
            released: node.released,
            site: node.site,
        }
    }
}

impl Clone for NodeRef {
    fn clone(&self) -> NodeRef {
        arena().slots[self.0 as usize].refs += 1;
        NodeRef(self.0)
    }
}

thread_local! {
    /// Nodes taken out of the arena and not yet dropped; `None` when nobody drains it.
    /// They stay in their boxes: they come in boxes, and moving them would cost more.
    #[expect(clippy::vec_box)]
    static DOOMED: RefCell<Option<Vec<Box<TapeNode>>>> = const { RefCell::new(None) };
}

impl Drop for NodeRef {
    fn drop(&mut self) {
        let node = {
            let mut arena = arena();
            let slot = &mut arena.slots[self.0 as usize];
            slot.refs -= 1;
            if slot.refs > 0 {
                return;
            }
            let node = slot.node.take();
            arena.free.push(self.0);
            node
        };
        if let Some(node) = node {
            bury(node);
        }
    }
}

/// Drops a node; nodes that this sets free are dropped from the same loop.
fn bury(node: Box<TapeNode>) {
    let mut node = Some(node);
    let draining = DOOMED.try_with(|doomed| {
        let mut doomed = doomed.borrow_mut();
        match doomed.as_mut() {
            Some(queue) => {
                queue.extend(node.take());
                true
            }
            None => {
                *doomed = Some(Vec::new());
                false
            }
        }
    });
    if draining != Ok(false) {
        return;
    }
    while let Some(next) = node {
        drop(next);
        node = DOOMED.with(|doomed| doomed.borrow_mut().as_mut().and_then(Vec::pop));
    }
    DOOMED.with(|doomed| *doomed.borrow_mut() = None);
}

/// How many nodes are alive.
pub fn live_nodes() -> usize {
    let arena = arena();
    arena.slots.len() - arena.free.len()
}
