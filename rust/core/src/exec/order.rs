//! In which order operations run, and which results should be computed straight into the
//! memory that they update.

use weft_kernels::Layout;

use crate::graph::{Graph, Node, NodeKind, Role, ValueId};
use crate::op::view::View;
use crate::op::{Class, Faults, Op};

/// Operations with more operands than this are not searched for one to write over.
pub(super) const MANY: usize = 32;

/// The order of the operations.
pub(super) struct Order {
    /// Their nodes.
    pub nodes: Vec<usize>,
    /// How many of them come before the commit point.
    pub commit: usize,
    /// By value: the input in whose memory it is best computed.
    pub homes: Vec<Option<usize>>,
}

impl Order {
    /// Orders the nodes `rest` of `graph`; values that lie in inputs and constants are
    /// `given`.
    ///
    /// All that can fail comes first. What makes the new contents of an input is put off
    /// until then, if nothing that comes before reads it and it keeps little else waiting.
    pub fn new(graph: &Graph, layouts: &[Layout], rest: &[usize], given: &[bool]) -> Order {
        let homes = homes(graph, layouts, given);
        let last = rest.iter().rposition(|&at| graph.faults(&graph.nodes[at]) != Faults::Never);
        let early = last.map_or(0, |last| last + 1);
        let waits = waiting(graph, &rest[..early], given, &homes);
        let pick = |keep: bool| {
            rest[..early].iter().zip(&waits).filter(move |&(_, &w)| w != keep).map(|(&at, _)| at)
        };
        let mut nodes: Vec<usize> = pick(true).collect();
        let safe = nodes.len();
        nodes.extend(pick(false));
        nodes.extend(&rest[early..]);
        let direct = |at: &usize| graph.nodes[*at].outputs.iter().any(|v| at_home(&homes, *v));
        let commit = nodes[safe..].iter().position(direct).map_or(nodes.len(), |i| safe + i);
        Order { nodes, commit, homes }
    }
}

fn at_home(homes: &[Option<usize>], value: ValueId) -> bool {
    homes[value.0 as usize].is_some()
}

/// For each value the input whose new contents it is, or becomes by reshapes and by
/// operations that can be written over it.
fn homes(graph: &Graph, layouts: &[Layout], given: &[bool]) -> Vec<Option<usize>> {
    let readers = graph.readers();
    let mut homes: Vec<Option<usize>> = vec![None; graph.values.len()];
    for output in &graph.outputs {
        let Role::Update(i) = output.role else { continue };
        let i = i as usize;
        let (mut next, mut whole) = (Some(output.value), true);
        while let Some(value) = next {
            let home = &mut homes[value.0 as usize];
            if home.is_some() || given[value.0 as usize] {
                break;
            }
            *home = Some(i);
            if !layouts[i].is_contiguous() {
                break;
            }
            // What is not yet the new contents is overwritten by them, so nobody else reads it.
            whole &= graph.maker(value).is_view();
            let free = |v: &ValueId| readers[v.0 as usize] == 1 && !given[v.0 as usize];
            next = forerunner(graph, value, &free).filter(|v| whole || free(v));
        }
    }
    homes
}

/// The operand whose memory can become that of `value` without a copy.
fn forerunner(graph: &Graph, value: ValueId, free: &dyn Fn(&ValueId) -> bool) -> Option<ValueId> {
    let node = graph.maker(value);
    match &node.kind {
        NodeKind::Call(Op::View(View::Reshape(_))) => Some(node.inputs[0]),
        NodeKind::Call(op) if node.inputs.len() <= MANY => {
            let k = node.outputs.iter().position(|v| *v == value)?;
            let fits = |(j, v): &(usize, &ValueId)| {
                op.overwrites(k, *j) && free(v) && graph.fact(**v) == graph.fact(value)
            };
            node.inputs.iter().enumerate().find(fits).map(|(_, v)| *v)
        }
        _ => None,
    }
}

/// Which of the nodes `early` can wait until nothing fails any more.
fn waiting(graph: &Graph, early: &[usize], given: &[bool], homes: &[Option<usize>]) -> Vec<bool> {
    let mut needed = vec![false; graph.values.len()];
    let mut waits = vec![false; early.len()];
    for (wait, &at) in waits.iter_mut().zip(early).rev() {
        let node = &graph.nodes[at];
        let NodeKind::Call(op) = &node.kind else { continue };
        *wait = graph.faults(node) == Faults::Never
            && !node.outputs.iter().any(|v| needed[v.0 as usize])
            && (op.class() == Class::View || is_light(graph, node, given, homes));
        if !*wait {
            node.inputs.iter().for_each(|v| needed[v.0 as usize] = true);
        }
    }
    waits
}

/// Whether a node makes new contents of inputs and, while it waits, keeps no more memory
/// alive than twice what it makes.
fn is_light(graph: &Graph, node: &Node, given: &[bool], homes: &[Option<usize>]) -> bool {
    let bytes = |values: &mut dyn Iterator<Item = &ValueId>| {
        values.map(|v| graph.fact(*v).bytes()).fold(0, usize::saturating_add)
    };
    let made = bytes(&mut node.outputs.iter());
    let kept = bytes(&mut node.inputs.iter().filter(|v| !given[v.0 as usize]));
    node.outputs.iter().any(|v| at_home(homes, *v)) && kept / 2 <= made
}
