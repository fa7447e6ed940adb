//! What is legal in a graph.

use super::{Graph, NodeId, NodeKind, Role};
use crate::error::{Error, Result};
use crate::fact::Fact;

fn wrong<T>(what: impl std::fmt::Display) -> Result<T> {
    Err(Error::runtime("verify", what))
}

/// Checks that inputs come before their readers, that every operation accepts its inputs
/// and makes what the graph says, and that outputs fit what they become.
pub fn verify(graph: &Graph) -> Result<()> {
    for (i, node) in graph.nodes.iter().enumerate() {
        for input in &node.inputs {
            let Some(value) = graph.values.get(input.0 as usize) else {
                return wrong(format_args!("node {i} reads {input}, which does not exist"));
            };
            if value.node.0 as usize >= i {
                return wrong(format_args!("node {i} reads {input}, which is made later"));
            }
        }
        for output in &node.outputs {
            if graph.values[output.0 as usize].node != NodeId(i as u32) {
                return wrong(format_args!("{output} does not know its node {i}"));
            }
        }
        if let NodeKind::Call(op) = &node.kind {
            let facts: Vec<Fact> = node.inputs.iter().map(|v| graph.fact(*v)).collect();
            let made = op.infer(&facts)?;
            if !made.iter().copied().eq(node.outputs.iter().map(|v| graph.fact(*v))) {
                return wrong(format_args!("{} makes {made:?}", graph.line(node)));
            }
        }
    }
    for (i, input) in graph.inputs.iter().enumerate() {
        if graph.maker(*input).kind != NodeKind::Input(i as u32) {
            return wrong(format_args!("{input} is not input {i}"));
        }
    }
    for output in &graph.outputs {
        if let Role::Update(i) = output.role {
            let (to, from) = (graph.fact(graph.inputs[i as usize]), graph.fact(output.value));
            if to != from {
                return wrong(format_args!("input {i} is {to}, its update is {from}"));
            }
        }
    }
    Ok(())
}
