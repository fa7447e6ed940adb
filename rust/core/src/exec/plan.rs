//! From a graph to a flat list of kernel calls with their memory decided.

use std::collections::HashMap;

use smallvec::{SmallVec, smallvec};
use weft_kernels::{Buffer, DType, Layout, Shape};

use super::memory::{Life, pack};
use super::place::{Place, Pool, Root, RootId, RootKind, Step};
use crate::error::Result;
use crate::fact::Fact;
use crate::graph::{Graph, Kind, Node, Role, ValueId};
use crate::op::cast::Cast;
use crate::op::create::Create;
use crate::op::{Op, Read};
use crate::site::Site;

/// What becomes of a graph output when a plan has run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The output's role; updates are done by the run itself and not listed.
    pub role: Role,
    /// Dtype and shape.
    pub fact: Fact,
}

/// What planning achieved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Report {
    /// Kernel calls.
    pub steps: usize,
    /// Results written over an operand.
    pub in_place: usize,
    /// Bytes of the slab.
    pub slab_bytes: usize,
    /// Bytes that all intermediate results would take side by side.
    pub total_bytes: usize,
    /// Copies that layouts made necessary.
    pub copies: usize,
}

/// A finished program: immutable, shared between threads.
#[derive(Debug)]
pub struct Plan {
    pub(super) steps: Vec<Step>,
    /// The slab is buffer 0; then constants, inputs, outputs.
    pub(super) constants: Vec<Buffer>,
    pub(super) inputs: usize,
    pub(super) targets: Vec<Target>,
    /// Inputs whose contents a run changes.
    pub(crate) updates: Vec<usize>,
    /// What planning achieved.
    pub report: Report,
}

struct Planner<'a> {
    graph: &'a Graph,
    steps: Vec<Step>,
    roots: Vec<Root>,
    places: Vec<Option<Place>>,
    pool: Pool,
    const_roots: HashMap<usize, RootId>,
    input_roots: Vec<RootId>,
    /// By value: readers that have not been planned yet.
    readers: Vec<u32>,
    /// By root: values on it that still have readers.
    busy: HashMap<RootId, u32>,
    targets: Vec<Target>,
    updates: Vec<usize>,
    report: Report,
}

impl Plan {
    /// Plans `graph` for inputs that lie as `layouts` say (offsets 0).
    pub fn new(graph: &Graph, layouts: &[Layout]) -> Result<Plan> {
        let mut planner = Planner::new(graph, layouts);
        for node in &graph.nodes {
            planner.node(node);
        }
        planner.outputs();
        Ok(planner.finish())
    }

    /// What becomes of the outputs, in the order in which a run returns them.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The kernel calls, one line each: `matmul %… -> …  # train.py:12`.
    pub fn lines(&self) -> Vec<String> {
        self.steps
            .iter()
            .map(|step| {
                let facts: Vec<String> = step
                    .outputs
                    .iter()
                    .map(|p| Fact::new(p.dtype, p.layout.shape).to_string())
                    .collect();
                format!("{} -> {}  # {}", step.op.name(), facts.join(", "), step.site)
            })
            .collect()
    }
}

fn copy_op(dtype: DType) -> Op {
    Op::Cast(Cast { dtype })
}

impl<'a> Planner<'a> {
    fn new(graph: &'a Graph, layouts: &[Layout]) -> Planner<'a> {
        let mut planner = Planner {
            graph,
            steps: Vec::new(),
            roots: Vec::new(),
            places: vec![None; graph.values.len()],
            pool: Pool::default(),
            const_roots: HashMap::new(),
            input_roots: Vec::new(),
            readers: graph.readers(),
            busy: HashMap::new(),
            targets: Vec::new(),
            updates: Vec::new(),
            report: Report::default(),
        };
        for (i, (value, layout)) in graph.inputs.iter().zip(layouts).enumerate() {
            let fact = graph.fact(*value);
            let root = planner.root(RootKind::Input(i), fact.bytes());
            planner.input_roots.push(root);
            planner.settle(*value, Place { root, dtype: fact.dtype, layout: *layout });
        }
        planner
    }

    fn root(&mut self, kind: RootKind, bytes: usize) -> RootId {
        let at = self.steps.len();
        self.roots.push(Root { kind, bytes, first: at, last: at });
        self.roots.len() - 1
    }

    fn place(&self, value: ValueId) -> Place {
        self.places[value.0 as usize].expect("values are placed before they are read")
    }

    /// Says where a value lies.
    fn settle(&mut self, value: ValueId, place: Place) {
        if self.readers[value.0 as usize] > 0 {
            *self.busy.entry(place.root).or_default() += 1;
        }
        self.places[value.0 as usize] = Some(place);
    }

    /// One reader of `value` has been planned.
    fn release(&mut self, value: ValueId) {
        let readers = &mut self.readers[value.0 as usize];
        *readers -= 1;
        if *readers == 0 {
            let root = self.place(value).root;
            *self.busy.get_mut(&root).expect("a placed value is counted") -= 1;
        }
    }

    fn fresh(&mut self, kind: RootKind, fact: Fact) -> Place {
        let root = self.root(kind, fact.bytes());
        Place { root, dtype: fact.dtype, layout: Layout::contiguous(fact.shape) }
    }

    fn step(
        &mut self,
        op: Op,
        inputs: SmallVec<[Place; 4]>,
        outputs: SmallVec<[Place; 2]>,
        site: Site,
    ) {
        let at = self.steps.len();
        for place in inputs.iter().chain(&outputs) {
            self.roots[place.root].last = at;
        }
        self.steps.push(Step { op, inputs, outputs, site });
    }

    fn copy(&mut self, from: Place, to: Place, site: Site) {
        self.report.copies += 1;
        self.step(copy_op(from.dtype), smallvec![from], smallvec![to], site);
    }

    fn constant(&mut self, at: usize, bytes: usize) -> RootId {
        if let Some(&root) = self.const_roots.get(&at) {
            return root;
        }
        let root = self.root(RootKind::Const(at), bytes);
        self.const_roots.insert(at, root);
        root
    }

    fn node(&mut self, node: &Node) {
        match &node.kind {
            Kind::Input(_) => {}
            Kind::Const(constant) => {
                let at = self.pool.data(constant);
                let root = self.constant(at, constant.fact.bytes());
                let layout = Layout::contiguous(constant.fact.shape);
                self.settle(node.outputs[0], Place { root, dtype: constant.fact.dtype, layout });
            }
            Kind::Call(Op::Create(Create::Full { shape, dtype, value })) => {
                let at = self.pool.scalar(*dtype, *value);
                let root = self.constant(at, dtype.size());
                let layout = Layout::contiguous(Shape::SCALAR).broadcast_to(shape);
                self.settle(node.outputs[0], Place { root, dtype: *dtype, layout });
            }
            Kind::Call(Op::View(view)) => {
                let from = self.place(node.inputs[0]);
                match view.layout(&from.layout) {
                    Some(layout) => {
                        self.settle(node.outputs[0], Place { layout, ..from });
                        self.release(node.inputs[0]);
                    }
                    None => self.call(node, &Op::View(*view)),
                }
            }
            Kind::Call(op) => self.call(node, op),
        }
    }

    fn call(&mut self, node: &Node, op: &Op) {
        let mut inputs: SmallVec<[Place; 4]> = SmallVec::new();
        for (i, value) in node.inputs.iter().enumerate() {
            let place = self.place(*value);
            if op.reads(i) == Read::Contiguous && !place.layout.is_contiguous() {
                let fact = self.graph.fact(*value);
                let copy = self.fresh(RootKind::Slab, fact);
                self.report.total_bytes += fact.bytes();
                self.copy(place, copy, node.site);
                inputs.push(copy);
            } else {
                inputs.push(place);
            }
        }
        node.inputs.iter().for_each(|value| self.release(*value));
        let mut outputs: SmallVec<[Place; 2]> = SmallVec::new();
        for (k, value) in node.outputs.iter().enumerate() {
            let fact = self.graph.fact(*value);
            self.report.total_bytes += fact.bytes();
            let place = match self.victim(op, k, fact, &inputs, &outputs) {
                Some(place) => {
                    self.report.in_place += 1;
                    place
                }
                None => self.fresh(RootKind::Slab, fact),
            };
            self.settle(*value, place);
            outputs.push(place);
        }
        self.step(op.clone(), inputs, outputs, node.site);
    }

    /// An operand that nobody needs any more and that output `k` may be written over.
    fn victim(
        &self,
        op: &Op,
        k: usize,
        fact: Fact,
        inputs: &[Place],
        outputs: &[Place],
    ) -> Option<Place> {
        let fits = |i: usize, place: &Place| {
            self.roots[place.root].kind == RootKind::Slab
                && self.busy.get(&place.root).copied().unwrap_or(0) == 0
                && self.roots[place.root].bytes == fact.bytes()
                && place.dtype.size() == fact.dtype.size()
                && place.layout == Layout::contiguous(fact.shape)
                && op.overwrites(k, i)
                && !outputs.iter().any(|o| o.root == place.root)
                && inputs.iter().enumerate().all(|(j, p)| {
                    j == i
                        || p.root != place.root
                        || (p.layout == place.layout && op.overwrites(k, j))
                })
        };
        let (_, place) = inputs.iter().enumerate().find(|(i, place)| fits(*i, place))?;
        Some(Place { dtype: fact.dtype, ..*place })
    }

    /// Decides where outputs land. Updates whose value can be computed straight into the
    /// input's memory are; the others are copied when everything has been read.
    fn outputs(&mut self) {
        let mut late: Vec<(Place, usize)> = Vec::new();
        let mut outs: Vec<(ValueId, Role)> = Vec::new();
        for output in &self.graph.outputs {
            if !matches!(output.role, Role::Update(_)) {
                outs.push((output.value, output.role));
            }
        }
        for (value, role) in outs {
            self.leave(value, role);
        }
        let updates: Vec<(Place, usize)> = self
            .graph
            .outputs
            .iter()
            .filter_map(|output| {
                let Role::Update(i) = output.role else { return None };
                Some((self.place(output.value), i as usize))
            })
            .collect();
        for (place, _) in &updates {
            if matches!(self.roots[place.root].kind, RootKind::Input(_)) {
                // Read at the very end, so nothing may be computed into it before.
                self.roots[place.root].last = usize::MAX;
            }
        }
        for (place, i) in updates {
            let target = self.place(self.graph.inputs[i]);
            if place.root == target.root && place.layout == target.layout {
                continue;
            }
            self.updates.push(i);
            if !self.redirect(place, i) {
                late.push((place, i));
            }
        }
        self.copy_updates(late);
    }

    /// A value that is returned gets memory of its own.
    fn leave(&mut self, value: ValueId, role: Role) {
        let (place, fact) = (self.place(value), self.graph.fact(value));
        let kind = RootKind::Output(self.targets.len());
        self.targets.push(Target { role, fact });
        let root = &mut self.roots[place.root];
        let whole = place.layout == Layout::contiguous(fact.shape) && root.bytes == fact.bytes();
        if root.kind == RootKind::Slab && whole {
            root.kind = kind;
        } else {
            let out = self.fresh(kind, fact);
            let site = self.graph.maker(value).site;
            self.copy(place, out, site);
        }
    }

    /// Lets the value at `place` be computed in the memory of input `i`, if nobody reads
    /// the input's old contents after the step that first writes the value.
    fn redirect(&mut self, place: Place, i: usize) -> bool {
        let input = self.input_roots[i];
        let target = self.place(self.graph.inputs[i]);
        let root = self.roots[place.root];
        let fact = Fact::new(place.dtype, place.layout.shape);
        let whole = place.layout == Layout::contiguous(fact.shape)
            && root.bytes == fact.bytes()
            && target.layout == place.layout;
        if root.kind != RootKind::Slab || !whole {
            return false;
        }
        let writer = self.steps.iter().position(|s| s.outputs.iter().any(|o| o.root == place.root));
        let Some(writer) = writer else { return false };
        let step = &self.steps[writer];
        let k = step.outputs.iter().position(|o| o.root == place.root).expect("it writes it");
        let early = self.roots[input].last <= writer;
        let reads_input = |(j, p): (usize, &Place)| {
            p.root != input || (p.layout == target.layout && step.op.overwrites(k, j))
        };
        if !early || !step.inputs.iter().enumerate().all(reads_input) {
            return false;
        }
        for step in &mut self.steps[writer..] {
            for p in step.inputs.iter_mut().chain(step.outputs.iter_mut()) {
                if p.root == place.root {
                    p.root = input;
                }
            }
        }
        self.roots[input].last = self.roots[input].last.max(root.last);
        self.roots[place.root].bytes = 0;
        for value in self.places.iter_mut().flatten() {
            if value.root == place.root {
                value.root = input;
            }
        }
        self.report.in_place += 1;
        true
    }

    /// Copies new contents into inputs; those that lie in another input are saved first.
    fn copy_updates(&mut self, late: Vec<(Place, usize)>) {
        let mut ready = Vec::new();
        for (place, i) in late {
            let place = match self.roots[place.root].kind {
                RootKind::Input(_) => {
                    let safe =
                        self.fresh(RootKind::Slab, Fact::new(place.dtype, place.layout.shape));
                    self.copy(place, safe, Site::UNKNOWN);
                    safe
                }
                _ => place,
            };
            ready.push((place, i));
        }
        for (place, i) in ready {
            let target = self.place(self.graph.inputs[i]);
            let root = self.input_roots[i];
            self.copy(place, Place { root, ..target }, Site::UNKNOWN);
        }
    }

    /// Numbers the buffers: slab, constants, inputs, outputs; and packs the slab.
    fn finish(mut self) -> Plan {
        let mut slab: Vec<RootId> = (0..self.roots.len())
            .filter(|&r| self.roots[r].kind == RootKind::Slab && self.roots[r].bytes > 0)
            .collect();
        slab.sort_by_key(|&r| self.roots[r].first);
        let lives: Vec<Life> = slab
            .iter()
            .map(|&r| {
                let Root { bytes, first, last, .. } = self.roots[r];
                Life { bytes, first, last }
            })
            .collect();
        let (offsets, slab_bytes) = pack(&lives);
        let offset: HashMap<RootId, usize> = slab.into_iter().zip(offsets).collect();
        let (constants, inputs) = (self.pool.buffers.len(), self.input_roots.len());
        for step in &mut self.steps {
            for place in step.inputs.iter_mut().chain(step.outputs.iter_mut()) {
                let buffer = match self.roots[place.root].kind {
                    RootKind::Slab => {
                        let bytes = offset.get(&place.root).copied().unwrap_or(0);
                        place.layout.offset += bytes / place.dtype.size();
                        0
                    }
                    RootKind::Const(at) => 1 + at,
                    RootKind::Input(at) => 1 + constants + at,
                    RootKind::Output(at) => 1 + constants + inputs + at,
                };
                place.root = buffer;
            }
        }
        self.report.steps = self.steps.len();
        self.report.slab_bytes = slab_bytes;
        self.updates.sort_unstable();
        Plan {
            steps: self.steps,
            constants: self.pool.buffers,
            inputs,
            targets: self.targets,
            updates: self.updates,
            report: self.report,
        }
    }
}
