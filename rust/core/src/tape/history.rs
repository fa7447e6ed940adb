//! How results and changed tensors get their place on the tape.

use std::collections::HashSet;

use smallvec::SmallVec;

use super::arena::{Edge, NodeRef, Saved, SavedValue, TapeNode};
use super::views::{self, Frame};
use crate::error::{Error, Result};
use crate::fact::Facts;
use crate::listen;
use crate::mode;
use crate::op::{self, Op};
use crate::site::Site;
use crate::tensor::{Made, Tensor};

pub(crate) type Edges = SmallVec<[Edge; 2]>;

/// Puts `op` on the tape as the maker of `outputs`, which get gradients if any input does
/// and they are floating-point.
pub(crate) fn push(op: &Op, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()> {
    settle(inputs)?;
    let node = make(op, edges(inputs), inputs, outputs);
    if let [output] = outputs {
        output.set_node(Some((node, 0)));
    } else {
        for (i, output) in outputs.iter().enumerate().filter(|(_, y)| y.dtype().is_differentiable())
        {
            output.set_node(Some((node.clone(), i as u32)));
        }
    }
    Ok(())
}

pub(crate) fn here() -> Site {
    if mode::listening() { listen::line() } else { Site::UNKNOWN }
}

/// What the gradients of those inputs read that have one.
pub(crate) fn saves(op: &Op, edges: &[Edge]) -> op::Saved {
    let mut all = op::Saved::default();
    for (i, edge) in edges.iter().enumerate() {
        if !matches!(edge, Edge::None) {
            all.add(op.saves(i));
        }
    }
    all
}

/// A node for `op`; `inputs` are as its gradient rule shall see them.
fn make(op: &Op, edges: Edges, inputs: &[&Tensor], outputs: &[Tensor]) -> NodeRef {
    let saves = saves(op, &edges);
    let saved =
        if saves.is_empty() { SmallVec::new() } else { saved(&saves, &edges, inputs, outputs) };
    NodeRef::new(Box::new(TapeNode {
        op: op.clone(),
        seq: 0,
        edges,
        saved,
        input_facts: inputs.iter().map(|x| x.fact()).collect(),
        output_facts: outputs.iter().map(Tensor::fact).collect::<Facts>(),
        released: false,
        site: here(),
    }))
}

fn saved(
    saves: &op::Saved,
    edges: &[Edge],
    inputs: &[&Tensor],
    outputs: &[Tensor],
) -> SmallVec<[Saved; 2]> {
    let mut saved: SmallVec<[Saved; 2]> = SmallVec::new();
    for (i, x) in inputs.iter().enumerate().filter(|(i, _)| saves.input(*i)) {
        let value = SavedValue::Input(i as u32, keep(x, &edges[i]));
        saved.push(Saved { value, version: x.buffer().version() });
    }
    for (i, y) in outputs.iter().enumerate().filter(|(i, _)| saves.output(*i)) {
        let value = SavedValue::Output(i as u32, y.detach());
        saved.push(Saved { value, version: y.buffer().version() });
    }
    saved
}

/// The input itself; of a view only what it is now, since its base may come to depend on
/// the node that keeps it.
fn keep(x: &Tensor, edge: &Edge) -> Tensor {
    if !x.is_view() || matches!(edge, Edge::Leaf(_)) {
        x.mark_saved();
        return x.clone();
    }
    let kept = x.detach();
    if let Edge::Node(node, output) = edge {
        kept.set_node(Some((node.clone(), *output)));
    }
    kept
}

/// Gives `x` the history of which `latest` is the last node. Nodes of that history that kept
/// `x` itself let it go, or the history would keep itself alive; to differentiate them is an
/// error already, since the memory of `x` was changed.
pub(crate) fn replace(x: &Tensor, latest: (NodeRef, u32)) {
    if x.take_saved() {
        let since = x.auto().node.as_ref().map_or(0, |(node, _)| node.seq());
        let alias = x.detach();
        let (mut ahead, mut known) = (vec![latest.0.clone()], HashSet::new());
        while let Some(node) = ahead.pop() {
            if node.seq() > since && known.insert(node.key()) {
                let _let_go = node.with(|n| swap(&mut n.saved, x, &alias));
                ahead.extend(node.sources());
            }
        }
    }
    x.set_node(Some(latest));
}

fn swap(saved: &mut [Saved], x: &Tensor, alias: &Tensor) -> Vec<Tensor> {
    let tensors = saved.iter_mut().filter_map(|saved| match &mut saved.value {
        SavedValue::Input(_, tensor) if tensor.same(x) => Some(tensor),
        _ => None,
    });
    tensors.map(|tensor| std::mem::replace(tensor, alias.clone())).collect()
}

/// Where the gradient of `x` goes.
pub(crate) fn edge(x: &Tensor) -> Result<Edge> {
    if x.is_view() {
        views::settle(x)?;
    }
    Ok(own_edge(x))
}

/// As [`edge`], of a tensor whose history is settled.
pub(crate) fn own_edge(x: &Tensor) -> Edge {
    match x.auto().node.clone() {
        Some((node, output)) => Edge::Node(node, output),
        None if x.wants_grad() => Edge::Leaf(x.clone()),
        None => Edge::None,
    }
}

/// Settles what the views among `inputs` see of their bases.
#[inline]
fn settle(inputs: &[&Tensor]) -> Result<()> {
    inputs.iter().filter(|x| x.is_view()).try_for_each(|x| views::settle(x))
}

/// Where the gradients of `inputs` go, whose histories are settled.
#[inline]
fn edges(inputs: &[&Tensor]) -> Edges {
    inputs.iter().map(|x| own_edge(x)).collect()
}

/// A change in place that is about to happen: all that can fail, and all that the change
/// would destroy.
pub(crate) struct Change {
    edges: Edges,
    saves: op::Saved,
}

impl Change {
    /// Checks that the history of each target can be replaced.
    pub(crate) fn prepare(op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<Change> {
        for target in targets.iter().filter(|t| t.dtype().is_differentiable()) {
            check_target(op, target)?;
        }
        settle(inputs)?;
        let edges = edges(inputs);
        let saves = saves(op, &edges);
        Ok(Change { edges, saves })
    }

    /// Whether the gradient rule will read input `i`.
    pub(crate) fn reads_input(&self, i: usize) -> bool {
        self.saves.input(i)
    }

    /// Puts `op`, which has just overwritten `targets`, on the tape. `kept` are the inputs as
    /// they were before.
    pub(crate) fn commit(self, op: &Op, kept: &[&Tensor], targets: &[Tensor]) {
        let node = make(op, self.edges, kept, targets);
        for (i, target) in targets.iter().enumerate().filter(|(_, t)| t.dtype().is_differentiable())
        {
            let value = (node.clone(), i as u32);
            match target.base() {
                Some(base) => views::write_through(base, target, value),
                None => replace(target, value),
            }
        }
    }
}

/// torch's rules for changes in place while gradients are recorded.
fn check_target(op: &Op, target: &Tensor) -> Result<()> {
    let refuse = |what: &str| Err(Error::runtime(op.name(), what));
    let Some(base) = target.base() else {
        if target.wants_grad() && target.is_leaf()? {
            return refuse(
                "a leaf that requires a gradient cannot be changed in place. Use weft.no_grad()",
            );
        }
        return Ok(());
    };
    match target.auto().made {
        Made::Tracked => {}
        Made::Untracked => {
            return refuse(
                "a view that was made under no_grad is changed in place with gradients on, expected \
                 both on one side. Make the view and the change inside no_grad, or both outside",
            );
        }
        Made::Several => {
            return refuse(
                "one of several views that one function returned is changed in place with \
                 gradients on. Take it by an index or narrow() instead",
            );
        }
    }
    if target.requires_grad() && base.is_leaf()? {
        return refuse(
            "a view of a leaf that requires a gradient cannot be changed in place. Use weft.no_grad()",
        );
    }
    if target.requires_grad() && target.is_leaf()? {
        return refuse(
            "a leaf that requires a gradient cannot be changed in place. Use weft.no_grad()",
        );
    }
    if Frame::of(base).is_none() {
        return refuse(
            "a view of a tensor whose elements share places in memory is changed in place. \
             Call .clone() first",
        );
    }
    Ok(())
}
