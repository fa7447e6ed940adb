//! The last step of planning: buffers get numbers, and pieces of the slab offsets.

use super::memory::{Life, pack};
use super::place::{Deed, RootId, RootKind};
use super::plan::{Plan, Target};
use super::planner::Planner;
use crate::graph::{Graph, Role};

impl Planner<'_> {
    /// From which step to which each root is in use.
    fn lives(&self) -> Vec<Option<Life>> {
        let mut lives: Vec<Option<Life>> = vec![None; self.roots.len()];
        for (at, step) in self.steps.iter().enumerate() {
            for place in step.inputs.iter().chain(&step.outputs) {
                let bytes = self.roots[place.root].bytes;
                let life = lives[place.root].get_or_insert(Life { bytes, first: at, last: at });
                life.last = at;
            }
        }
        lives
    }

    /// By root, the offset in the slab; and the slab's size.
    fn pack(&self) -> (Vec<usize>, usize) {
        let in_slab = |(root, life): (RootId, Option<Life>)| {
            let slab = self.roots[root].kind == RootKind::Slab && self.roots[root].bytes > 0;
            Some((root, life.filter(|_| slab)?))
        };
        let mut slab: Vec<(RootId, Life)> =
            self.lives().into_iter().enumerate().filter_map(in_slab).collect();
        slab.sort_by_key(|(_, life)| life.first);
        let lives: Vec<Life> = slab.iter().map(|(_, life)| *life).collect();
        let (packed, bytes) = pack(&lives);
        let mut offsets = vec![0; self.roots.len()];
        for ((root, _), offset) in slab.iter().zip(packed) {
            offsets[*root] = offset;
        }
        (offsets, bytes)
    }

    /// Numbers the buffers (slab, constants, inputs, outputs) and packs the slab.
    pub(super) fn finish(mut self, commit: usize) -> (Plan, Vec<Deed>) {
        let (offsets, slab_bytes) = self.pack();
        let (constants, inputs) = (self.pool.buffers.len(), self.input_roots.len());
        for step in &mut self.steps {
            for place in step.inputs.iter_mut().chain(step.outputs.iter_mut()) {
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
        self.report.steps = self.steps.len();
        self.report.slab_bytes = slab_bytes;
        let plan = Plan {
            steps: self.steps,
            commit,
            constants: self.pool.buffers,
            inputs: self.input_roots.iter().map(|&root| self.roots[root].bytes).collect(),
            targets: targets(self.graph),
            updates: changed(self.graph),
            report: self.report,
        };
        (plan, self.deeds)
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
