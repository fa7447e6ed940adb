//! The last step of planning: operations are bound to where their operands lie, buffers get
//! numbers, and pieces of the slab offsets.

use smallvec::SmallVec;
use weft_kernels::{DType, Layout, Shape};

use super::memory::{Life, pack};
use super::place::{Call, RootId, RootKind};
use super::plan::{Plan, Step, Target};
use super::planner::Planner;
use crate::graph::{Graph, Role};
use crate::op::bind::{Bound, Place, Spec};

/// Bytes of constants that the operations of one plan may keep another form of.
const KEPT: usize = 64 << 20;

/// A bound operation, and the place of its working memory.
type Ready = (Box<dyn Bound>, Option<u32>);

impl Planner<'_> {
    /// Binds every call, and gives it the working memory that it asks for.
    fn bind(&mut self) -> Vec<Ready> {
        let mut kept = KEPT;
        let mut ready = Vec::with_capacity(self.calls.len());
        for at in 0..self.calls.len() {
            let call = &self.calls[at];
            let ins: SmallVec<[Spec; 4]> =
                call.ins.iter().map(|&place| self.spec(place, &mut kept)).collect();
            let outs: SmallVec<[Spec; 2]> =
                call.outs.iter().map(|&place| self.spec(place, &mut 0)).collect();
            let bound = call.op.bind(&ins, &outs);
            let bytes = bound.scratch();
            let scratch = (bytes > 0).then(|| {
                self.report.total_bytes += bytes;
                let root = self.root(RootKind::Slab, bytes);
                let layout = Layout::contiguous(Shape::new(&[bytes]));
                self.put(Place { root, dtype: DType::U8, layout })
            });
            ready.push((bound, scratch));
        }
        ready
    }

    /// What is known of an operand. A constant comes with its data while `kept` bytes last.
    fn spec(&self, place: u32, kept: &mut usize) -> Spec {
        let Place { root, dtype, layout } = self.table[place as usize];
        let constant = match self.roots[root].kind {
            RootKind::Const(at) if self.roots[root].bytes <= *kept => {
                *kept -= self.roots[root].bytes;
                Some(self.pool.buffers[at].clone())
            }
            _ => None,
        };
        Spec { dtype, layout, constant }
    }

    /// From which step to which each root is in use.
    fn lives(&self, ready: &[Ready]) -> Vec<Option<Life>> {
        let mut lives: Vec<Option<Life>> = vec![None; self.roots.len()];
        for (at, (call, (_, scratch))) in self.calls.iter().zip(ready).enumerate() {
            for &place in call.ins.iter().chain(&call.outs).chain(scratch) {
                let root = self.table[place as usize].root;
                let bytes = self.roots[root].bytes;
                let life = lives[root].get_or_insert(Life { bytes, first: at, last: at });
                life.last = at;
            }
        }
        lives
    }

    /// By root, the offset in the slab; and the slab's size.
    fn pack(&self, ready: &[Ready]) -> (Vec<usize>, usize) {
        let in_slab = |(root, life): (RootId, Option<Life>)| {
            let slab = self.roots[root].kind == RootKind::Slab && self.roots[root].bytes > 0;
            Some((root, life.filter(|_| slab)?))
        };
        let mut slab: Vec<(RootId, Life)> =
            self.lives(ready).into_iter().enumerate().filter_map(in_slab).collect();
        slab.sort_by_key(|(_, life)| life.first);
        let lives: Vec<Life> = slab.iter().map(|(_, life)| *life).collect();
        let (packed, bytes) = pack(&lives);
        let mut offsets = vec![0; self.roots.len()];
        for ((root, _), offset) in slab.iter().zip(packed) {
            offsets[*root] = offset;
        }
        (offsets, bytes)
    }

    /// Numbers the buffers (slab, constants, inputs, outputs) in all places.
    fn number(&mut self, offsets: &[usize]) {
        let (constants, inputs) = (self.pool.buffers.len(), self.input_roots.len());
        for place in &mut self.table {
            let root = place.root;
            place.root = match self.roots[root].kind {
                RootKind::Slab => {
                    place.layout.offset += offsets[root] / place.dtype.size();
                    0
                }
                RootKind::Const(at) => 1 + at,
                RootKind::Input(at) => 1 + constants + at,
                RootKind::Output(at) => 1 + constants + inputs + at,
            };
        }
    }

    /// The plan, and the calls that its steps make.
    pub(super) fn finish(mut self, commit: usize) -> (Plan, Vec<Call>) {
        let ready = self.bind();
        let (offsets, slab_bytes) = self.pack(&ready);
        self.number(&offsets);
        self.report.steps = self.calls.len();
        self.report.slab_bytes = slab_bytes;
        let step = |(call, (bound, scratch)): (&Call, Ready)| Step {
            bound,
            name: call.op.name(),
            ins: call.ins.clone(),
            outs: call.outs.clone(),
            makes: call.makes.clone(),
            scratch,
            site: call.site,
        };
        self.table.shrink_to_fit();
        let plan = Plan {
            steps: self.calls.iter().zip(ready).map(step).collect(),
            places: self.table,
            commit,
            constants: self.pool.buffers,
            inputs: self.input_roots.iter().map(|&root| self.roots[root].bytes).collect(),
            targets: targets(self.graph),
            updates: changed(self.graph),
            report: self.report,
        };
        (plan, self.calls)
    }
}

/// What becomes of the outputs that are not updates.
fn targets(graph: &Graph) -> Vec<Target> {
    let left = graph.outputs.iter().filter(|o| !matches!(o.role, Role::Update(_)));
    left.map(|o| Target { role: o.role, fact: graph.fact(o.value) }).collect()
}

/// The inputs that an eager run declares changed.
fn changed(graph: &Graph) -> Vec<usize> {
    let mut inputs: Vec<usize> = Vec::new();
    for output in &graph.outputs {
        if let Role::Update(i) = output.role {
            inputs.push(i as usize);
        }
    }
    inputs.sort_unstable();
    inputs
}
