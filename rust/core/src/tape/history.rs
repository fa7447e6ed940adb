//! How results get their place on the tape.

use smallvec::SmallVec;
use weft_kernels::Layout;

use super::arena::{Edge, Node, NodeRef, Saved, SavedValue};
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};
use crate::mode;
use crate::op::Op;
use crate::op::view::{AsStridedScatter, View};
use crate::site::Site;
use crate::tensor::Tensor;

/// Puts `op` on the tape as the maker of `outputs`, which get gradients if any input does
/// and they are floating-point.
pub(crate) fn push(op: &Op, inputs: &[&Tensor], outputs: &[Tensor]) {
    let node = make(op, inputs, inputs, outputs, 0);
    if let [output] = outputs {
        output.mark_requires_grad();
        output.auto().node = Some((node, 0));
    } else {
        for (i, output) in outputs.iter().enumerate().filter(|(_, y)| y.dtype().is_float()) {
            output.mark_requires_grad();
            output.auto().node = Some((node.clone(), i as u32));
        }
    }
}

/// Remembers that `output` is a view of what `input` is, or is a view of.
pub(crate) fn link_view(input: &Tensor, output: &Tensor) {
    if !output.buffer().same(input.buffer()) {
        return;
    }
    let base = input.auto().base.clone().unwrap_or_else(|| input.clone());
    let rebased = base.auto().rebased;
    let mut auto = output.auto();
    auto.base = Some(base);
    auto.rebased = rebased;
}

/// `kept` are the inputs as the gradient rule shall see them; `ahead` is how many more times
/// the outputs' buffers are about to be declared changed.
fn make(op: &Op, inputs: &[&Tensor], kept: &[&Tensor], outputs: &[Tensor], ahead: u32) -> NodeRef {
    let edges: SmallVec<[Edge; 2]> = inputs.iter().map(|x| edge(x)).collect();
    let mut saves = crate::op::Saves::NONE;
    for (i, edge) in edges.iter().enumerate() {
        if !matches!(edge, Edge::None) {
            saves = saves.and(op.saves(i));
        }
    }
    let mut saved: SmallVec<[Saved; 2]> = SmallVec::new();
    for (i, x) in kept.iter().enumerate() {
        if saves.inputs >> i & 1 == 1 {
            let value = SavedValue::Input(i as u32, (*x).clone());
            saved.push(Saved { value, version: x.buffer().version() });
        }
    }
    for (i, y) in outputs.iter().enumerate() {
        if saves.outputs >> i & 1 == 1 {
            let value = SavedValue::Output(i as u32, y.detach());
            saved.push(Saved { value, version: y.buffer().version() + ahead });
        }
    }
    NodeRef::new(Box::new(Node {
        op: op.clone(),
        seq: 0,
        edges,
        saved,
        input_facts: inputs.iter().map(|x| x.fact()).collect(),
        output_facts: outputs.iter().map(Tensor::fact).collect::<Facts>(),
        released: false,
        site: if mode::recording() { Site::here() } else { Site::UNKNOWN },
    }))
}

/// Where the gradient of `x` goes.
pub(crate) fn edge(x: &Tensor) -> Edge {
    let mut auto = x.auto();
    if auto.base.is_some() {
        drop(auto);
        refresh(x);
        auto = x.auto();
    }
    match &auto.node {
        Some((node, output)) => Edge::Node(node.clone(), *output),
        None if x.requires_grad() => {
            drop(auto);
            Edge::Leaf(x.clone())
        }
        None => Edge::None,
    }
}

/// Gives a view of a base that was changed in place a node that reads the changed base.
fn refresh(x: &Tensor) {
    let (base, seen) = {
        let auto = x.auto();
        match &auto.base {
            Some(base) => (base.clone(), auto.rebased),
            None => return,
        }
    };
    let now = base.auto().rebased;
    if now == seen || !base.requires_grad() {
        return;
    }
    let Some(region) = region(&base, x) else { return };
    let view = Op::View(View::as_strided(&region));
    let node = make(&view, &[&base], &[&base], std::slice::from_ref(x), 0);
    x.mark_requires_grad();
    let mut auto = x.auto();
    auto.node = Some((node, 0));
    auto.rebased = now;
}

/// Where `view` lies in its contiguous `base`.
fn region(base: &Tensor, view: &Tensor) -> Option<Layout> {
    let offset = view.layout().offset.checked_sub(base.layout().offset)?;
    let region = Layout { offset, ..*view.layout() };
    (base.layout().is_contiguous() && region.end() <= base.numel()).then_some(region)
}

/// Puts `op`, which has just overwritten `targets`, on the tape, before the targets'
/// buffers are declared changed. `kept` are the inputs as they were before.
pub(crate) fn rebase(
    op: &Op,
    inputs: &[&Tensor],
    kept: &[&Tensor],
    targets: &[Tensor],
) -> Result<()> {
    let node = make(op, inputs, kept, targets, 1);
    for (i, target) in targets.iter().enumerate() {
        if !target.dtype().is_float() {
            continue;
        }
        let base = target.auto().base.clone();
        match base {
            Some(base) => write_through(&base, target, (node.clone(), i as u32))?,
            None => {
                target.mark_requires_grad();
                let mut auto = target.auto();
                auto.node = Some((node.clone(), i as u32));
                auto.rebased += 1;
            }
        }
    }
    Ok(())
}

/// A view was overwritten: its base becomes "itself with that region replaced".
fn write_through(base: &Tensor, view: &Tensor, value: (NodeRef, u32)) -> Result<()> {
    let Some(region) = region(base, view) else {
        return Err(Error::runtime(
            "backward",
            "an in-place change of a view of a non-contiguous tensor has no gradient. \
             Call .contiguous() or .clone() first",
        ));
    };
    let scatter = Op::Scatter(AsStridedScatter::new(&region));
    let edges: SmallVec<[Edge; 2]> = smallvec::smallvec![edge(base), Edge::Node(value.0, value.1)];
    let facts: SmallVec<[Fact; 2]> = smallvec::smallvec![base.fact(), view.fact()];
    let node = NodeRef::new(Box::new(Node {
        op: scatter,
        seq: 0,
        edges,
        saved: SmallVec::new(),
        input_facts: facts,
        output_facts: base.fact().only(),
        released: false,
        site: if mode::recording() { Site::here() } else { Site::UNKNOWN },
    }));
    base.mark_requires_grad();
    {
        let mut auto = base.auto();
        auto.node = Some((node, 0));
        auto.rebased += 1;
    }
    refresh(view);
    Ok(())
}
