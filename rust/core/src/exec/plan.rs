//! From a graph to a flat list of kernel calls with their memory decided.

use std::sync::atomic::{AtomicBool, Ordering};

use smallvec::SmallVec;
use weft_kernels::{Buffer, Layout};

use super::planner::Planner;
use super::verify;
use crate::error::Result;
use crate::fact::Fact;
use crate::graph::{Graph, Role, ValueId};
use crate::op::bind::{Bound, Place};
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
    /// Results written over an operand, or straight into what they update.
    pub in_place: usize,
    /// Bytes of the slab.
    pub slab_bytes: usize,
    /// Bytes that all intermediate results would take side by side.
    pub total_bytes: usize,
    /// Copies that layouts made necessary.
    pub copies: usize,
    /// New contents that were kept apart until nothing could fail any more, and then copied.
    pub late_copies: usize,
}

/// One kernel call.
#[derive(Debug)]
pub struct Step {
    /// What runs.
    pub(super) bound: Box<dyn Bound>,
    /// What it is called.
    pub name: &'static str,
    /// Numbers of the places that it reads.
    pub(super) ins: SmallVec<[u32; 4]>,
    /// Numbers of the places that it writes.
    pub(super) outs: SmallVec<[u32; 2]>,
    /// The values of the graph that lie there when it has run.
    pub makes: SmallVec<[ValueId; 2]>,
    /// The place of its working memory.
    pub(super) scratch: Option<u32>,
    /// The user's line.
    pub site: Site,
}

/// A finished program: immutable, shared between threads.
///
/// Its steps are two runs. Those before the commit point may fail and write only memory
/// that nobody else sees; those after it write what outsiders see and cannot fail.
#[derive(Debug)]
pub struct Plan {
    pub(super) steps: Vec<Step>,
    /// Where values lie, by number.
    pub(super) places: Vec<Place>,
    /// How many steps come before the commit point.
    pub(super) commit: usize,
    /// The slab is buffer 0; then constants, inputs, outputs.
    pub(super) constants: Vec<Buffer>,
    /// Bytes that each input must have.
    pub(super) inputs: Vec<usize>,
    pub(super) targets: Vec<Target>,
    /// Inputs whose contents a run changes.
    pub(crate) updates: Vec<usize>,
    /// What planning achieved.
    pub report: Report,
}

static VERIFY: AtomicBool = AtomicBool::new(cfg!(debug_assertions));

/// Whether every new plan is checked from now on. Debug builds start with yes.
pub fn verify_plans(on: bool) {
    VERIFY.store(on, Ordering::Relaxed);
}

impl Plan {
    /// Plans `graph` for inputs that lie as `layouts` say (offsets 0) and share no memory.
    pub fn new(graph: &Graph, layouts: &[Layout]) -> Result<Plan> {
        let (plan, calls) = Planner::plan(graph, layouts)?;
        if VERIFY.load(Ordering::Relaxed) {
            verify::verify(graph, layouts, &plan, &calls)?;
        }
        Ok(plan)
    }

    /// What becomes of the outputs, in the order in which a run returns them.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// Whether a buffer of so many bytes is large enough to be input `i`.
    pub fn holds(&self, i: usize, bytes: usize) -> bool {
        self.inputs[i] <= bytes
    }

    /// The kernel calls, one line each: `matmul -> f32[2, 3]  # train.py:12`.
    pub fn lines(&self) -> Vec<String> {
        self.steps
            .iter()
            .map(|step| {
                let fact = |place: &u32| {
                    let place = &self.places[*place as usize];
                    Fact::new(place.dtype, place.layout.shape).to_string()
                };
                let facts: Vec<String> = step.outs.iter().map(fact).collect();
                format!("{} -> {}  # {}", step.name, facts.join(", "), step.site)
            })
            .collect()
    }
}
