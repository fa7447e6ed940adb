//! What must hold of a plan, found by running it on names of values instead of numbers.
//!
//! Every read sees the value of its node, nothing that is still read is overwritten, no
//! outsider sees a write before the commit point, nothing can fail after it, and in the
//! end inputs and outputs hold what the graph says. How the planner came to its places is
//! not looked at.

use std::collections::{BTreeMap, HashMap};

use smallvec::SmallVec;
use weft_kernels::{Arg, Buffer, DType, Layout, Shape};

use super::place::{Call, alike};
use super::plan::Plan;
use crate::error::{Error, Result};
use crate::fact::Fact;
use crate::graph::{Graph, NodeKind, Role, ValueId};
use crate::op::bind::Place;
use crate::op::{Faults, Op};

/// A stretch of a buffer that holds a value.
#[derive(Clone, Copy)]
struct Piece {
    end: usize,
    value: ValueId,
    layout: Layout,
    /// The step that wrote it.
    step: usize,
}

/// What buffers hold.
struct Memory<'a> {
    graph: &'a Graph,
    plan: &'a Plan,
    /// By buffer, pieces by their first byte.
    pieces: Vec<BTreeMap<usize, Piece>>,
    /// By buffer, its bytes.
    sizes: Vec<usize>,
}

fn wrong<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(Error::runtime("plan", format_args!("{what}. This is a bug in weft")))
}

/// The first byte and one past the last.
fn span(place: &Place) -> (usize, usize) {
    let size = place.dtype.size();
    (place.layout.offset * size, place.layout.end() * size)
}

/// Checks `plan` for `graph`, whose inputs lie as `layouts`; its steps make `calls`.
pub(super) fn verify(graph: &Graph, layouts: &[Layout], plan: &Plan, calls: &[Call]) -> Result<()> {
    let mut memory = Memory::new(graph, layouts, plan);
    for (at, (call, step)) in calls.iter().zip(&plan.steps).enumerate() {
        memory.step(at, call, step.scratch)?;
    }
    let mut ends: Vec<ValueId> = graph.inputs.clone();
    let mut targets = Vec::new();
    for output in &graph.outputs {
        match output.role {
            Role::Update(i) => ends[i as usize] = output.value,
            _ => targets.push(output.value),
        }
    }
    let first = 1 + plan.constants.len();
    for (i, value) in ends.into_iter().enumerate() {
        let dtype = graph.fact(value).dtype;
        memory.expect(value, &Place { root: first + i, dtype, layout: layouts[i] })?;
    }
    for (i, value) in targets.into_iter().enumerate() {
        let Fact { dtype, shape } = graph.fact(value);
        let root = first + layouts.len() + i;
        memory.expect(value, &Place { root, dtype, layout: Layout::contiguous(shape) })?;
    }
    Ok(())
}

impl<'a> Memory<'a> {
    fn new(graph: &'a Graph, layouts: &[Layout], plan: &'a Plan) -> Memory<'a> {
        let mut sizes = vec![plan.report.slab_bytes];
        sizes.extend(plan.constants.iter().map(Buffer::len));
        sizes.extend(&plan.inputs);
        sizes.extend(plan.targets.iter().map(|t| t.fact.bytes()));
        let pieces = vec![BTreeMap::new(); sizes.len()];
        let mut memory = Memory { graph, plan, pieces, sizes };
        for (i, value) in graph.inputs.iter().enumerate() {
            let root = 1 + plan.constants.len() + i;
            let place = Place { root, dtype: graph.fact(*value).dtype, layout: layouts[i] };
            memory.put(usize::MAX, *value, &place);
        }
        memory
    }

    fn put(&mut self, step: usize, value: ValueId, place: &Place) {
        let (start, end) = span(place);
        if start < end {
            let piece = Piece { end, value, layout: place.layout, step };
            self.pieces[place.root].insert(start, piece);
        }
    }

    /// The pieces that share bytes with `start..end`.
    fn touched(&self, root: usize, start: usize, end: usize) -> SmallVec<[(usize, Piece); 2]> {
        let before = self.pieces[root].range(..end).rev();
        before.take_while(|(_, p)| p.end > start).map(|(&at, p)| (at, *p)).collect()
    }

    fn place(&self, number: u32) -> &'a Place {
        &self.plan.places[number as usize]
    }

    fn step(&mut self, at: usize, call: &Call, scratch: Option<u32>) -> Result<()> {
        if at >= self.plan.commit {
            let fact = |place: &u32| {
                let place = self.place(*place);
                Fact::new(place.dtype, place.layout.shape)
            };
            let facts: Vec<Fact> = call.ins.iter().map(fact).collect();
            if call.op.faults(&facts) != Faults::Never {
                return wrong(format_args!("step {at}, {}, can fail too late", call.op.name()));
            }
        }
        let mut operands: HashMap<(usize, usize), SmallVec<[usize; 2]>> = HashMap::new();
        for (j, (&place, value)) in call.ins.iter().zip(&call.reads).enumerate() {
            let place = self.place(place);
            self.expect(*value, place)?;
            for (start, _) in self.touched(place.root, span(place).0, span(place).1) {
                operands.entry((place.root, start)).or_default().push(j);
            }
        }
        if let Some(scratch) = scratch {
            self.work(at, call, self.place(scratch))?;
        }
        for (k, (&place, value)) in call.outs.iter().zip(&call.makes).enumerate() {
            let place = self.place(place);
            self.write(at, call, k, place, &operands)?;
            self.put(at, *value, place);
        }
        Ok(())
    }

    /// A step works in `scratch`, which is part of the slab and of none of its operands.
    fn work(&mut self, at: usize, call: &Call, scratch: &Place) -> Result<()> {
        let (start, end) = span(scratch);
        let apart = |place: &u32| {
            let place = self.place(*place);
            let (from, to) = span(place);
            place.root != 0 || to <= start || end <= from
        };
        let legal = scratch.root == 0 && end <= self.sizes[0];
        if !legal || !call.ins.iter().chain(&call.outs).all(apart) {
            return wrong(format_args!("step {at}, {}, works in its operands", call.op.name()));
        }
        for (from, _) in self.touched(0, start, end) {
            self.pieces[0].remove(&from);
        }
        Ok(())
    }

    /// Output `k` of a step is written to `place`.
    fn write(
        &mut self,
        at: usize,
        call: &Call,
        k: usize,
        place: &Place,
        operands: &HashMap<(usize, usize), SmallVec<[usize; 2]>>,
    ) -> Result<()> {
        let ((start, end), name) = (span(place), call.op.name());
        let inputs = 1 + self.plan.constants.len();
        let outputs = inputs + self.plan.inputs.len();
        if end > self.sizes[place.root] {
            return wrong(format_args!("step {at}, {name}, writes outside buffer {}", place.root));
        }
        if (1..inputs).contains(&place.root) {
            return wrong(format_args!("step {at}, {name}, overwrites a constant"));
        }
        if (inputs..outputs).contains(&place.root) && at < self.plan.commit {
            return wrong(format_args!("step {at}, {name}, changes an input too early"));
        }
        for (from, piece) in self.touched(place.root, start, end) {
            if piece.step == at {
                return wrong(format_args!("step {at}, {name}, writes the same bytes twice"));
            }
            let under = operands.get(&(place.root, from)).map_or(&[][..], |list| list);
            let legal = |&j: &usize| {
                let operand = self.place(call.ins[j]);
                alike(&operand.layout, &place.layout)
                    && operand.dtype.size() == place.dtype.size()
                    && call.op.overwrites(k, j)
            };
            if !under.iter().all(legal) {
                return wrong(format_args!("step {at}, {name}, overwrites what it reads"));
            }
            self.pieces[place.root].remove(&from);
        }
        Ok(())
    }

    /// Checks that `place` holds `value`.
    fn expect(&self, value: ValueId, place: &Place) -> Result<()> {
        let fact = self.graph.fact(value);
        if (place.dtype, place.layout.shape) != (fact.dtype, fact.shape) {
            return wrong(format_args!("{value} is {fact}, read as {place:?}"));
        }
        let (start, end) = span(place);
        if end == 0 {
            return Ok(());
        }
        if end > self.sizes[place.root] {
            return wrong(format_args!("{value} lies outside buffer {}", place.root));
        }
        let constants = self.plan.constants.len();
        let holds = if (1..=constants).contains(&place.root) {
            self.is_constant(value, place, &self.plan.constants[place.root - 1])
        } else {
            let found = self.pieces[place.root].range(..=start).next_back();
            found.is_some_and(|(_, piece)| {
                piece.end >= end && self.seen(value, piece.value, &piece.layout, &place.layout)
            })
        };
        if holds { Ok(()) } else { wrong(format_args!("{value} is not at {place:?}")) }
    }

    /// Whether `value` is a view of `base` that lies as `lies` where `base` lies as `layout`.
    fn seen(&self, value: ValueId, base: ValueId, layout: &Layout, lies: &Layout) -> bool {
        let (mut views, mut value) = (Vec::new(), value);
        while value != base {
            let node = self.graph.maker(value);
            let NodeKind::Call(Op::View(view)) = &node.kind else { return false };
            views.push(view);
            value = node.inputs[0];
        }
        let mut views = views.iter().rev();
        let found = views.try_fold(*layout, |layout, view| view.layout(&layout));
        found.is_some_and(|found| alike(&found, lies))
    }

    /// Whether `place` shows `value` where `buffer` holds the data it is a view of.
    fn is_constant(&self, value: ValueId, place: &Place, buffer: &Buffer) -> bool {
        let mut base = value;
        while let NodeKind::Call(Op::View(_)) = &self.graph.maker(base).kind {
            base = self.graph.maker(base).inputs[0];
        }
        match &self.graph.maker(base).kind {
            NodeKind::Call(Op::Create(create)) => {
                let size = place.dtype.size();
                create.uniform().is_some_and(|number| {
                    place.layout.end() == 1
                        && bytes(buffer)[..] == number.to_bytes(place.dtype)[..size]
                })
            }
            NodeKind::Const(constant) => {
                let layout = Layout::contiguous(constant.fact.shape);
                self.seen(value, base, &layout, &place.layout)
                    && bytes(buffer)[..] == constant.bytes[..]
            }
            _ => false,
        }
    }
}

fn bytes(buffer: &Buffer) -> Vec<u8> {
    let layout = Layout::contiguous(Shape::new(&[buffer.len()]));
    Arg::new(buffer, DType::U8, &layout).slice::<u8>().to_vec()
}
