//! Inputs that turned out to be parts of a larger one.

use smallvec::SmallVec;
use weft_kernels::Layout;

use crate::error::Result;
use crate::graph::{Graph, NodeKind, Output, ValueId};
use crate::op::Op;
use crate::op::view::View;
use crate::site::Site;

/// An input that is read as a region of another one.
#[derive(Debug)]
pub(super) struct Part {
    /// The input's value.
    pub value: ValueId,
    /// The value of the input that holds it.
    pub whole: ValueId,
    /// Where it lies in it.
    pub region: Layout,
}

/// `graph` with every part read from the input that holds it, so that no two inputs that are
/// used share memory. A part's whole is younger than the part.
pub(super) fn merge(graph: &Graph, parts: &[Part]) -> Result<Graph> {
    let mut merged = Graph::default();
    let mut now: Vec<Option<ValueId>> = vec![None; graph.values.len()];
    for value in &graph.inputs {
        now[value.0 as usize] = Some(merged.input(graph.fact(*value)));
    }
    for part in parts.iter().rev() {
        let whole = now[part.whole.0 as usize].expect("an input");
        let view = Op::View(View::as_strided(&part.region));
        now[part.value.0 as usize] = Some(merged.call(view, &[whole], Site::UNKNOWN)?[0]);
    }
    for node in graph.nodes.iter().filter(|node| !matches!(node.kind, NodeKind::Input(_))) {
        let of = |value: &ValueId| now[value.0 as usize].expect("made before it is read");
        let inputs: SmallVec<[ValueId; 4]> = node.inputs.iter().map(of).collect();
        let facts = node.outputs.iter().map(|value| graph.fact(*value)).collect();
        let made = merged.node(node.kind.clone(), inputs, facts, node.site);
        for (old, new) in node.outputs.iter().zip(made) {
            now[old.0 as usize] = Some(new);
        }
    }
    let output = |output: &Output| Output {
        value: now[output.value.0 as usize].expect("made"),
        role: output.role,
    };
    merged.outputs = graph.outputs.iter().map(output).collect();
    Ok(merged)
}
