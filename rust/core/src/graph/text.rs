//! The text form of graphs: one line a node.
//!
//! ```text
//! %0 = input 0 : f32[4, 8]
//! %1 = relu(%0) : f32[4, 8]  # train.py:12
//! return %1
//! ```

use std::fmt;

use super::{Graph, Node, NodeKind, Role, ValueId};

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
        for output in &self.outputs {
            match output.role {
                Role::Return(_) => writeln!(f, "return {}", output.value)?,
                Role::Update(i) => {
                    writeln!(f, "update {} with {}", self.inputs[i as usize], output.value)?;
                }
                Role::Grad(i) => writeln!(f, "grad {i} is {}", output.value)?,
            }
        }
        Ok(())
    }
}

impl Graph {
    /// The text of one node.
    pub fn line(&self, node: &Node) -> String {
        let join = |parts: Vec<String>| parts.join(", ");
        let outputs = join(node.outputs.iter().map(ToString::to_string).collect());
        let facts = join(node.outputs.iter().map(|v| self.fact(*v).to_string()).collect());
        let what = match &node.kind {
            NodeKind::Input(i) => format!("input {i}"),
            NodeKind::Const(_) => "const".to_string(),
            NodeKind::Call(op) => {
                let mut args: Vec<String> = node.inputs.iter().map(ToString::to_string).collect();
                args.extend(op.attrs().iter().map(|(name, attr)| format!("{name}={attr}")));
                format!("{}({})", op.name(), join(args))
            }
        };
        let mut line = format!("{outputs} = {what} : {facts}");
        if node.site.is_known() {
            line.push_str(&format!("  # {}", node.site));
        }
        line
    }
}
