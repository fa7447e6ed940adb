//! Where every value lies.
//!
//! A value gets its place once, when the operation that makes it is planned, and keeps it.
//! A place is a root (a piece of memory) and a layout; what a root is in the end (slab,
//! constant, input, output) is a property of the root, so places need not be rewritten.

use std::collections::HashMap;

use smallvec::{SmallVec, smallvec};
use weft_kernels::{Layout, Shape};

use super::order::{MANY, Order};
use super::place::{Call, Pool, Root, RootId, RootKind, alike};
use super::plan::{Plan, Report};
use crate::error::Result;
use crate::fact::Fact;
use crate::graph::{Graph, Node, NodeKind, Role, ValueId};
use crate::op::bind::Place;
use crate::op::cast::Cast;
use crate::op::{Class, Op, Read};

pub(super) struct Planner<'a> {
    pub(super) graph: &'a Graph,
    layouts: &'a [Layout],
    pub(super) calls: Vec<Call>,
    pub(super) roots: Vec<Root>,
    /// All places, by number.
    pub(super) table: Vec<Place>,
    /// By value, the number of its place.
    places: Vec<Option<u32>>,
    pub(super) pool: Pool,
    const_roots: HashMap<usize, RootId>,
    pub(super) input_roots: Vec<RootId>,
    /// By value: readers that have not been planned yet.
    readers: Vec<u32>,
    /// By root: values on it that still have readers.
    busy: Vec<u32>,
    /// Where values lie that replace the contents of an input, once that is sure.
    sources: Vec<Option<u32>>,
    pub(super) report: Report,
}

/// The operands of a step, found by their root.
struct Operands<'a> {
    op: &'a Op,
    places: &'a [Place],
    by_root: SmallVec<[(RootId, usize); 8]>,
}

impl<'a> Operands<'a> {
    fn new(op: &'a Op, places: &'a [Place]) -> Operands<'a> {
        let mut by_root: SmallVec<[(RootId, usize); 8]> =
            places.iter().enumerate().map(|(j, p)| (p.root, j)).collect();
        by_root.sort_unstable();
        Operands { op, places, by_root }
    }

    /// Whether output `k` can be written to `to`, whatever operands lie on its root.
    fn allow(&self, k: usize, to: &Place) -> bool {
        let from = self.by_root.partition_point(|(root, _)| *root < to.root);
        self.by_root[from..]
            .iter()
            .take_while(|(root, _)| *root == to.root)
            .all(|&(_, j)| alike(&self.places[j].layout, &to.layout) && self.op.overwrites(k, j))
    }
}

impl<'a> Planner<'a> {
    /// The plan, and the calls that its steps make.
    pub fn plan(graph: &'a Graph, layouts: &'a [Layout]) -> Result<(Plan, Vec<Call>)> {
        let mut planner = Planner::new(graph, layouts);
        let rest = planner.given()?;
        let given: Vec<bool> = planner.places.iter().map(Option::is_some).collect();
        let order = Order::new(graph, layouts, &rest, &given);
        for &at in &order.nodes[..order.commit] {
            planner.node(&graph.nodes[at], &[]);
        }
        planner.save();
        let commit = planner.calls.len();
        for &at in &order.nodes[order.commit..] {
            planner.node(&graph.nodes[at], &order.homes);
        }
        planner.leave();
        planner.update();
        Ok(planner.finish(commit))
    }

    fn new(graph: &'a Graph, layouts: &'a [Layout]) -> Planner<'a> {
        Planner {
            graph,
            layouts,
            calls: Vec::new(),
            roots: Vec::new(),
            table: Vec::new(),
            places: vec![None; graph.values.len()],
            pool: Pool::default(),
            const_roots: HashMap::new(),
            input_roots: Vec::new(),
            readers: graph.readers(),
            busy: Vec::new(),
            sources: vec![None; graph.outputs.len()],
            report: Report::default(),
        }
    }

    pub(super) fn root(&mut self, kind: RootKind, bytes: usize) -> RootId {
        self.roots.push(Root { kind, bytes });
        self.busy.push(0);
        self.roots.len() - 1
    }

    fn place(&self, value: ValueId) -> u32 {
        self.places[value.0 as usize].expect("values are placed before they are read")
    }

    fn at(&self, place: u32) -> &Place {
        &self.table[place as usize]
    }

    /// Numbers a place.
    pub(super) fn put(&mut self, place: Place) -> u32 {
        self.table.push(place);
        self.table.len() as u32 - 1
    }

    /// Says where a value lies.
    fn settle(&mut self, value: ValueId, place: Place) -> u32 {
        if self.readers[value.0 as usize] > 0 {
            self.busy[place.root] += 1;
        }
        let number = self.put(place);
        self.places[value.0 as usize] = Some(number);
        number
    }

    /// One reader of `value` has been planned.
    fn release(&mut self, value: ValueId) {
        let readers = &mut self.readers[value.0 as usize];
        *readers -= 1;
        if *readers == 0 {
            let root = self.at(self.place(value)).root;
            self.busy[root] -= 1;
        }
    }

    fn fresh(&mut self, kind: RootKind, fact: Fact) -> Place {
        let root = self.root(kind, fact.bytes());
        Place { root, dtype: fact.dtype, layout: Layout::contiguous(fact.shape) }
    }

    /// Copies a value from one place to another.
    fn copy(&mut self, value: ValueId, from: u32, to: u32) {
        let op = Op::Cast(Cast { dtype: self.at(from).dtype });
        let site = self.graph.maker(value).site;
        let (ins, outs) = (smallvec![from], smallvec![to]);
        let (reads, makes) = (smallvec![value], smallvec![value]);
        self.calls.push(Call { op, ins, outs, reads, makes, site });
    }

    fn constant(&mut self, at: usize, bytes: usize) -> RootId {
        if let Some(&root) = self.const_roots.get(&at) {
            return root;
        }
        let root = self.root(RootKind::Const(at), bytes);
        self.const_roots.insert(at, root);
        root
    }

    /// Places inputs, constants and views of them, which no step makes; the other nodes
    /// are returned.
    fn given(&mut self) -> Result<Vec<usize>> {
        self.input_roots = vec![0; self.graph.inputs.len()];
        let mut rest = Vec::new();
        for (at, node) in self.graph.nodes.iter().enumerate() {
            match &node.kind {
                NodeKind::Input(i) => self.input(*i as usize, node.outputs[0]),
                NodeKind::Const(constant) => {
                    let at = self.pool.data(constant)?;
                    let root = self.constant(at, constant.fact.bytes());
                    let layout = Layout::contiguous(constant.fact.shape);
                    self.settle(
                        node.outputs[0],
                        Place { root, dtype: constant.fact.dtype, layout },
                    );
                }
                NodeKind::Call(Op::Create(create)) if let Some(value) = create.uniform() => {
                    let fact = self.graph.fact(node.outputs[0]);
                    let at = self.pool.scalar(fact.dtype, value)?;
                    let root = self.constant(at, fact.dtype.size());
                    let layout = Layout::contiguous(Shape::SCALAR).broadcast_to(&fact.shape);
                    self.settle(node.outputs[0], Place { root, dtype: fact.dtype, layout });
                }
                NodeKind::Call(_) if self.view(node) => {}
                NodeKind::Call(_) => rest.push(at),
            }
        }
        Ok(rest)
    }

    fn input(&mut self, i: usize, value: ValueId) {
        let (fact, layout) = (self.graph.fact(value), self.layouts[i]);
        let root = self.root(RootKind::Input(i), layout.end() * fact.dtype.size());
        self.input_roots[i] = root;
        self.settle(value, Place { root, dtype: fact.dtype, layout });
    }

    /// Places the result of a view of what lies somewhere already, if it needs no copy.
    fn view(&mut self, node: &Node) -> bool {
        let NodeKind::Call(Op::View(view)) = &node.kind else { return false };
        let Some(from) = self.places[node.inputs[0].0 as usize] else { return false };
        let from = *self.at(from);
        let Some(layout) = view.layout(&from.layout) else { return false };
        self.settle(node.outputs[0], Place { layout, ..from });
        self.release(node.inputs[0]);
        true
    }

    fn node(&mut self, node: &Node, homes: &[Option<usize>]) {
        if self.view(node) {
            return;
        }
        let NodeKind::Call(op) = &node.kind else { return };
        let mut ins: SmallVec<[u32; 4]> = SmallVec::new();
        for (j, value) in node.inputs.iter().enumerate() {
            let place = self.place(*value);
            if op.reads(j) == Read::Contiguous && !self.at(place).layout.is_contiguous() {
                let fact = self.graph.fact(*value);
                let copy = self.fresh(RootKind::Slab, fact);
                let copy = self.put(copy);
                self.report.total_bytes += fact.bytes();
                self.report.copies += 1;
                self.copy(*value, place, copy);
                ins.push(copy);
            } else {
                ins.push(place);
            }
        }
        node.inputs.iter().for_each(|value| self.release(*value));
        let inputs: SmallVec<[Place; 4]> = ins.iter().map(|&place| *self.at(place)).collect();
        let outs = self.results(op, node, &inputs, homes);
        let (reads, makes) = (node.inputs.clone(), node.outputs.iter().copied().collect());
        self.calls.push(Call { op: op.clone(), ins, outs, reads, makes, site: node.site });
    }

    /// Places the results of an operation on operands at `inputs`.
    fn results(
        &mut self,
        op: &Op,
        node: &Node,
        inputs: &[Place],
        homes: &[Option<usize>],
    ) -> SmallVec<[u32; 2]> {
        let operands = Operands::new(op, inputs);
        let mut outputs: SmallVec<[u32; 2]> = SmallVec::new();
        for (k, value) in node.outputs.iter().enumerate() {
            let fact = self.graph.fact(*value);
            self.report.total_bytes += fact.bytes();
            let home = homes.get(value.0 as usize).copied().flatten();
            let reused = home
                .and_then(|i| self.at_home(&operands, k, fact, i))
                .or_else(|| self.victim(&operands, k, fact, &outputs));
            self.report.in_place += usize::from(reused.is_some());
            let place = reused.unwrap_or_else(|| self.fresh(RootKind::Slab, fact));
            outputs.push(self.settle(*value, place));
        }
        outputs
    }

    /// The memory of input `i`, if nobody needs its contents any more and output `k` can
    /// be written there.
    fn at_home(&self, operands: &Operands, k: usize, fact: Fact, i: usize) -> Option<Place> {
        let (root, target) = (self.input_roots[i], self.layouts[i]);
        let layout = if target.is_contiguous() {
            Layout::contiguous(fact.shape)
        } else if operands.op.class() == Class::Pointwise
            && target.shape == fact.shape
            && !target.overlaps_itself()
        {
            target
        } else {
            return None;
        };
        let place = Place { root, dtype: fact.dtype, layout };
        let fits = self.busy[root] == 0
            && self.graph.fact(self.graph.inputs[i]).dtype == fact.dtype
            && operands.allow(k, &place);
        fits.then_some(place)
    }

    /// An operand that nobody needs any more and that output `k` may be written over.
    fn victim(&self, operands: &Operands, k: usize, fact: Fact, outputs: &[u32]) -> Option<Place> {
        if operands.places.len() > MANY {
            return None;
        }
        let layout = Layout::contiguous(fact.shape);
        let fits = |place: &&Place| {
            let root = &self.roots[place.root];
            root.kind == RootKind::Slab
                && self.busy[place.root] == 0
                && root.bytes == fact.bytes()
                && place.dtype.size() == fact.dtype.size()
                && alike(&place.layout, &layout)
                && !outputs.iter().any(|o| self.at(*o).root == place.root)
                && operands.allow(k, place)
        };
        let place = operands.places.iter().find(fits)?;
        Some(Place { dtype: fact.dtype, ..*place })
    }

    /// The input that an output updates, unless it gets the contents that it has.
    fn updated(&self, role: Role, value: ValueId) -> Option<usize> {
        let Role::Update(i) = role else { return None };
        let (i, place) = (i as usize, self.places[value.0 as usize].map(|place| self.at(place)));
        let same = place
            .is_some_and(|p| p.root == self.input_roots[i] && alike(&p.layout, &self.layouts[i]));
        (!same).then_some(i)
    }

    /// Puts aside what will be overwritten and still goes somewhere in the end: from here
    /// on inputs may change.
    fn save(&mut self) {
        let graph = self.graph;
        let mut changes = vec![false; self.layouts.len()];
        for output in &graph.outputs {
            if let Some(i) = self.updated(output.role, output.value) {
                changes[i] = true;
            }
        }
        let mut target = 0;
        for (at, output) in graph.outputs.iter().enumerate() {
            let returned = !matches!(output.role, Role::Update(_));
            let number = target;
            target += usize::from(returned);
            let Some(place) = self.places[output.value.0 as usize] else { continue };
            let RootKind::Input(j) = self.roots[self.at(place).root].kind else { continue };
            let kind = match returned {
                true => RootKind::Output(number),
                false if !changes[j] || self.updated(output.role, output.value).is_none() => {
                    continue;
                }
                false => RootKind::Slab,
            };
            let kept = self.fresh(kind, self.graph.fact(output.value));
            let kept = self.put(kept);
            self.report.copies += 1;
            self.copy(output.value, place, kept);
            self.release(output.value);
            self.sources[at] = Some(kept);
        }
    }

    /// Gives values that are returned memory of their own.
    fn leave(&mut self) {
        let graph = self.graph;
        let returned = graph.outputs.iter().enumerate();
        let returned = returned.filter(|(_, o)| !matches!(o.role, Role::Update(_)));
        for (number, (at, output)) in returned.enumerate() {
            if self.sources[at].is_some() {
                continue;
            }
            let (from, fact) = (self.place(output.value), self.graph.fact(output.value));
            let place = self.table[from as usize];
            let root = &mut self.roots[place.root];
            let whole =
                alike(&place.layout, &Layout::contiguous(fact.shape)) && root.bytes == fact.bytes();
            if root.kind == RootKind::Slab && whole {
                root.kind = RootKind::Output(number);
            } else {
                let out = self.fresh(RootKind::Output(number), fact);
                let out = self.put(out);
                self.report.copies += 1;
                self.copy(output.value, from, out);
            }
        }
    }

    /// Copies new contents into the inputs where they were not computed.
    fn update(&mut self) {
        let graph = self.graph;
        for (at, output) in graph.outputs.iter().enumerate() {
            let Some(i) = self.updated(output.role, output.value) else { continue };
            let from = self.sources[at].unwrap_or_else(|| self.place(output.value));
            let Place { root, dtype, .. } = *self.at(from);
            let constant = matches!(self.roots[root].kind, RootKind::Const(_));
            self.report.late_copies += usize::from(!constant);
            let to = Place { root: self.input_roots[i], dtype, layout: self.layouts[i] };
            let to = self.put(to);
            self.copy(output.value, from, to);
        }
    }
}
