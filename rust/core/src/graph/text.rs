//! The text form of graphs: one line a node.
//!
//! ```text
//! %0 = input 0 "x" : f32[4, 8]
//! %1 = relu(%0) : f32[4, 8]  # train.py:12
//! return %1 "y"
//! ```
//!
//! Data is left out for people, and written for [`parse`](super::parse), which reads the text
//! back.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Graph, Node, NodeKind, Role, ValueId};
use crate::op::text;

impl fmt::Display for ValueId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "%{}", self.0)
    }
}

impl fmt::Display for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for node in &self.nodes {
            writeln!(f, "{}", self.line(node))?;
        }
        let mut returned = 0;
        for (i, output) in self.outputs.iter().enumerate() {
            match output.role {
                Role::Return(k) if k == returned => write!(f, "return {}", output.value)?,
                Role::Return(k) => write!(f, "return {} as {k}", output.value)?,
                Role::Update(i) => {
                    write!(f, "update {} with {}", self.inputs[i as usize], output.value)?;
                }
                Role::Grad(i) => write!(f, "grad {i} is {}", output.value)?,
            }
            if let Role::Return(k) = output.role {
                returned = k.saturating_add(1);
            }
            writeln!(f, "{}", named(&self.names.outputs, i))?;
        }
        Ok(())
    }
}

/// ` "name"`, or nothing for what has no name.
fn named(names: &[String], i: usize) -> String {
    names.get(i).map(|name| format!(" \"{}\"", escaped(name))).unwrap_or_default()
}

/// A name without the characters that mean something in a text.
fn escaped(name: &str) -> String {
    name.chars().fold(String::new(), |mut text, c| {
        match c {
            '\n' => text.push_str("\\n"),
            '\\' | '"' | '#' => text.extend(['\\', c]),
            c => text.push(c),
        }
        text
    })
}

impl Graph {
    /// The text with all data, which [`parse`](super::parse) reads back.
    pub fn to_text(&self) -> String {
        let mut lines = self.to_string();
        for node in &self.nodes {
            if let NodeKind::Const(constant) = &node.kind {
                let data = BASE64_STANDARD.encode(&constant.bytes);
                lines.push_str(&format!("data {} {data}\n", node.outputs[0]));
            }
        }
        lines
    }

    /// The text of one node.
    pub fn line(&self, node: &Node) -> String {
        let join = |parts: Vec<String>| parts.join(", ");
        let outputs = join(node.outputs.iter().map(ToString::to_string).collect());
        let facts = join(node.outputs.iter().map(|v| self.fact(*v).to_string()).collect());
        let what = match &node.kind {
            NodeKind::Input(i) => {
                format!("input {i}{}", named(&self.names.inputs, *i as usize))
            }
            NodeKind::Const(_) => "const".to_string(),
            NodeKind::Call(op) => text::written(op, node.inputs.iter().map(ToString::to_string)),
        };
        let mut line = format!("{outputs} = {what} : {facts}");
        if node.site.is_known() {
            line.push_str(&format!("  # {}", node.site));
        }
        line
    }
}
