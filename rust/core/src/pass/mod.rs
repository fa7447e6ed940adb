//! Floor 4: passes. Each rebuilds a graph into an equal but cheaper one, with the same
//! bits, knowing operations only through [`crate::op::Rule`].

mod fold;
mod fuse;
mod prune;
mod simplify;

use crate::error::Result;
use crate::graph::{Graph, verify};

/// A pass: an equal graph, and how many nodes it took away.
pub type Pass = fn(&Graph) -> Result<(Graph, usize)>;

/// A named pass.
#[derive(Clone, Copy)]
pub struct Stage {
    /// What `explain` calls what it took away.
    pub name: &'static str,
    /// The pass.
    pub pass: Pass,
}

/// True on every machine: what can be known is computed, equal nodes are merged, dead
/// ones dropped.
pub const TIDY: &[Stage] = &[
    Stage { name: "dropped", pass: prune::drop_dead },
    Stage { name: "folded", pass: fold::fold },
    Stage { name: "simplified", pass: simplify::simplify },
    Stage { name: "merged", pass: prune::merge_equal },
    Stage { name: "dropped", pass: prune::drop_dead },
];

/// For this machine: pointwise operations become chains.
pub const LOWER: &[Stage] = &[Stage { name: "fused", pass: fuse::fuse }];

/// Runs stages in order; returns the graph and what each took away.
pub fn run(graph: &Graph, stages: &[Stage]) -> Result<(Graph, Vec<(&'static str, usize)>)> {
    let mut now: Option<Graph> = None;
    let mut report = Vec::new();
    for stage in stages {
        let (next, count) = (stage.pass)(now.as_ref().unwrap_or(graph))?;
        if cfg!(debug_assertions) {
            verify(&next)?;
        }
        now = Some(next);
        report.push((stage.name, count));
    }
    Ok((now.unwrap_or_else(|| graph.clone()), report))
}
