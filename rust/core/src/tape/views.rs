//! What is done to a tensor's memory through one view is seen by the tensor and by all its
//! other views.
//!
//! A base lies in memory somehow; its *frame* is how it is made from the contiguous value of
//! that memory, and back. Regions of the memory are then regions of that value, for every
//! layout of base and view.

use smallvec::{SmallVec, smallvec};
use weft_kernels::{Layout, Shape};

use super::arena::{Edge, NodeRef, TapeNode};
use super::history::{Edges, here, own_edge, replace};
use crate::error::{Error, Result};
use crate::fact::Fact;
use crate::op::Op;
use crate::op::view::{AsStridedScatter, View};
use crate::tensor::{Made, Tensor};

/// The node that made `x`, after all that was done to the memory that it shows.
pub(crate) fn node(x: &Tensor) -> Result<Option<(NodeRef, u32)>> {
    if x.is_view() {
        settle(x)?;
    }
    Ok(x.auto().node.clone())
}

/// Gives a view whose memory changed a node that reads its base as it is now.
pub(crate) fn settle(x: &Tensor) -> Result<()> {
    let Some(base) = x.base() else { return Ok(()) };
    let now = x.buffer().version();
    {
        let auto = x.auto();
        if auto.seen == now || (auto.node.is_none() && !base.wants_grad()) {
            return Ok(());
        }
        if auto.made != Made::Tracked {
            let how = match auto.made {
                Made::Several => "as one of several results of one function",
                _ => "under no_grad",
            };
            return Err(Error::runtime(
                "view",
                format_args!(
                    "a view that was made {how} is used with gradients on after its memory was \
                     changed in place. Make it again after the change, or use .detach()"
                ),
            ));
        }
    }
    match Frame::of(base) {
        Some(frame) => follow(x, base, &frame),
        // The history of a base whose elements share places cannot change.
        None => x.auto().seen = now,
    }
    Ok(())
}

/// A base that has no history may get one later: the view is not up to date with it then.
fn follow(x: &Tensor, base: &Tensor, frame: &Frame) {
    let node = frame.show(base, x);
    if node.is_some() {
        x.auto().seen = x.buffer().version();
    }
    x.set_node(node);
}

/// A view was overwritten by `value`: its base becomes "itself with that region replaced".
pub(crate) fn write_through(base: &Tensor, view: &Tensor, value: (NodeRef, u32)) {
    let frame = Frame::of(base).expect("checked before the write");
    let memory = frame.memory(base);
    let scatter = Op::Region(Box::new(AsStridedScatter::new(&frame.region(view.layout()))));
    let written = Edge::Node(value.0, value.1);
    let facts = smallvec![frame.fact, view.fact()];
    let memory = step(scatter, smallvec![memory, written], facts, frame.fact);
    if let Edge::Node(node, output) = frame.base(memory) {
        replace(base, (node, output));
    }
    follow(view, base, &frame);
}

/// How a base lies in its memory.
pub(crate) struct Frame {
    /// The base.
    base: Layout,
    /// Without repetitions.
    lean: Layout,
    /// The dimensions of `lean` by falling stride.
    order: Shape,
    /// `lean` in that order.
    sorted: Layout,
    /// The value of the memory.
    fact: Fact,
}

impl Frame {
    /// `None` if elements share places otherwise than by being repeated along dimensions.
    pub(crate) fn of(base: &Tensor) -> Option<Frame> {
        let layout = *base.layout();
        if layout.is_contiguous() {
            let order = (0..layout.shape.len()).collect();
            let (lean, sorted, fact) = (layout, layout, base.fact());
            return Some(Frame { base: layout, lean, order, sorted, fact });
        }
        let lean = once(&layout);
        if lean.overlaps_itself() {
            return None;
        }
        let mut order: Shape = (0..lean.shape.len()).collect();
        order.sort_by_key(|&d| std::cmp::Reverse(lean.strides[d]));
        let sorted = lean.permute(&order);
        let span = Shape::new(&[sorted.end() - sorted.offset]);
        let shape = if sorted.is_contiguous() { sorted.shape } else { span };
        Some(Frame { base: layout, lean, order, sorted, fact: base.fact().with_shape(shape) })
    }

    /// Where `layout`, which shows elements of the base, lies in the memory's value.
    fn region(&self, layout: &Layout) -> Layout {
        Layout { offset: layout.offset.saturating_sub(self.base.offset), ..*layout }
    }

    fn with_shape(&self, shape: Shape) -> Fact {
        self.fact.with_shape(shape)
    }

    /// The memory's value, made from the base's; what the base does not show is 0.
    fn memory(&self, base: &Tensor) -> Edge {
        let mut edge = own_edge(base);
        let mut shape = self.base.shape;
        for dim in 0..shape.len() {
            if self.lean.shape[dim] != shape[dim] {
                let view = View::Slice { dim, start: 0.into(), len: 1.into(), step: 1 };
                let mut cut = shape;
                cut[dim] = 1;
                edge = self.seen(view, edge, shape, cut);
                shape = cut;
            }
        }
        if !self.order.iter().copied().eq(0..shape.len()) {
            edge = self.seen(View::Permute(self.order), edge, shape, self.sorted.shape);
        }
        if self.sorted.is_contiguous() {
            return edge;
        }
        let scatter = Op::Region(Box::new(AsStridedScatter::new(&self.region(&self.sorted))));
        let facts = smallvec![self.fact, self.with_shape(self.sorted.shape)];
        step(scatter, smallvec![Edge::None, edge], facts, self.fact)
    }

    /// The base's value, made from the memory's.
    fn base(&self, memory: Edge) -> Edge {
        let mut edge = memory;
        if !self.sorted.is_contiguous() {
            let view = View::as_strided(&self.region(&self.sorted));
            edge = self.seen(view, edge, self.fact.shape, self.sorted.shape);
        }
        if !self.order.iter().copied().eq(0..self.order.len()) {
            let mut inverse = self.order;
            self.order.iter().enumerate().for_each(|(i, &d)| inverse[d] = i);
            edge = self.seen(View::Permute(inverse), edge, self.sorted.shape, self.lean.shape);
        }
        self.repeated(edge, self.lean.shape, self.base.shape)
    }

    /// The node that shows `view` of `base` as it is now.
    fn show(&self, base: &Tensor, view: &Tensor) -> Option<(NodeRef, u32)> {
        let region = self.region(view.layout());
        let lean = once(&region);
        let shown =
            self.seen(View::as_strided(&lean), self.memory(base), self.fact.shape, lean.shape);
        match self.repeated(shown, lean.shape, region.shape) {
            Edge::Node(node, output) => Some((node, output)),
            _ => None,
        }
    }

    fn repeated(&self, edge: Edge, from: Shape, to: Shape) -> Edge {
        if from == to { edge } else { self.seen(View::Expand(to.into()), edge, from, to) }
    }

    fn seen(&self, view: View, edge: Edge, from: Shape, to: Shape) -> Edge {
        let facts = smallvec![self.with_shape(from)];
        step(Op::View(view), smallvec![edge], facts, self.with_shape(to))
    }
}

/// `layout` without repetitions: size 1 along dimensions of stride 0.
fn once(layout: &Layout) -> Layout {
    let mut lean = *layout;
    for (size, &stride) in lean.shape.iter_mut().zip(layout.strides.iter()) {
        if stride == 0 && *size > 1 {
            *size = 1;
        }
    }
    lean
}

/// A node that nobody computed: its operation says what became of memory. Without gradients
/// on the way in there is none.
fn step(op: Op, edges: Edges, input_facts: SmallVec<[Fact; 2]>, output: Fact) -> Edge {
    if edges.iter().all(|edge| matches!(edge, Edge::None)) {
        return Edge::None;
    }
    let node = TapeNode {
        op,
        seq: 0,
        edges,
        saved: SmallVec::new(),
        input_facts,
        output_facts: output.only(),
        released: false,
        site: here(),
    };
    Edge::Node(NodeRef::new(Box::new(node)), 0)
}
