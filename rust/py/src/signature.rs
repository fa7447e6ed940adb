//! The arguments of a call: what has to be equal, and which tensors they hold.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple, PyType};
use weft_core::Tensor;
use weft_kernels::{DType, Layout};

use crate::names;
use crate::snapshot::{Limit, Snapshot};
use crate::tensor::PyTensor;

/// Items that arguments may hold besides tensors.
const LIMIT: usize = 10_000;

/// The tensors of a call, in order.
pub type Found<'py> = Vec<Bound<'py, PyTensor>>;

/// What a tensor argument has to be.
pub struct Spec {
    dtype: DType,
    layout: Layout,
    requires_grad: bool,
    /// An earlier tensor argument on the same memory, and how much further this one starts.
    shares: Option<(usize, i64)>,
}

/// One argument, or a part of one.
enum Node {
    Tensor(Box<Spec>),
    Value(Snapshot),
    /// A tuple or list of this type.
    Items(Py<PyType>, Vec<Node>),
    /// A dictionary with these keys in order.
    Entries(Vec<(Snapshot, Node)>),
    /// An object that is compared by its attributes.
    Object(Py<PyType>, Box<Node>),
}

/// The arguments of one call.
pub struct Signature {
    args: Vec<Node>,
    kwargs: Vec<(Snapshot, Node)>,
}

impl Spec {
    fn of(tensor: &Tensor, before: &[Bound<'_, PyTensor>]) -> Spec {
        Spec {
            dtype: tensor.dtype(),
            layout: Layout { offset: 0, ..*tensor.layout() },
            requires_grad: tensor.requires_grad(),
            shares: shared(tensor, before),
        }
    }

    fn matches(&self, tensor: &Tensor, before: &[Bound<'_, PyTensor>]) -> bool {
        tensor.dtype() == self.dtype
            && tensor.layout().shape == self.layout.shape
            && tensor.layout().strides == self.layout.strides
            && tensor.requires_grad() == self.requires_grad
            && shared(tensor, before) == self.shares
    }
}

fn shared(tensor: &Tensor, before: &[Bound<'_, PyTensor>]) -> Option<(usize, i64)> {
    let first = before.iter().position(|other| other.get().0.buffer().same(tensor.buffer()))?;
    let start = before[first].get().0.layout().offset as i64;
    Some((first, tensor.layout().offset as i64 - start))
}

/// The attributes of a value that is compared by them: dataclasses, namespaces, and plain
/// objects that hold tensors.
fn structure<'py>(value: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let py = value.py();
    let tree = py.import(names::tree(py))?;
    let found = tree.getattr(names::attributes(py))?.call1((value,))?;
    Ok(found.cast_into::<PyDict>().ok())
}

impl Node {
    fn of<'py>(value: &Bound<'py, PyAny>, found: &mut Found<'py>) -> PyResult<Node> {
        if let Ok(tensor) = value.cast::<PyTensor>() {
            let spec = Spec::of(&tensor.get().0, found);
            found.push(tensor.clone());
            return Ok(Node::Tensor(Box::new(spec)));
        }
        if value.is_instance_of::<PyTuple>() || value.is_exact_instance_of::<PyList>() {
            let kind = value.get_type().unbind();
            let parts = value.try_iter()?.map(|part| Node::of(&part?, found));
            return Ok(Node::Items(kind, parts.collect::<PyResult<_>>()?));
        }
        if let Ok(dict) = value.cast_exact::<PyDict>() {
            return Ok(Node::Entries(entries(dict, found)?));
        }
        if let Some(dict) = structure(value)? {
            let members = Node::Entries(entries(&dict, found)?);
            return Ok(Node::Object(value.get_type().unbind(), Box::new(members)));
        }
        Snapshot::of(value, &mut Limit(LIMIT)).map(Node::Value)
    }

    fn matches<'py>(&self, value: &Bound<'py, PyAny>, found: &mut Found<'py>) -> bool {
        match self {
            Node::Tensor(spec) => {
                let Ok(tensor) = value.cast::<PyTensor>() else { return false };
                let fits = spec.matches(&tensor.get().0, found);
                found.push(tensor.clone());
                fits
            }
            Node::Value(snapshot) => snapshot.matches(Some(value)),
            Node::Items(kind, nodes) => {
                value.get_type().is(kind) && items_match(nodes, value, found)
            }
            Node::Entries(nodes) => {
                value.cast_exact::<PyDict>().is_ok_and(|dict| entries_match(nodes, dict, found))
            }
            Node::Object(kind, members) => {
                value.get_type().is(kind)
                    && structure(value)
                        .ok()
                        .flatten()
                        .is_some_and(|dict| members.matches(dict.as_any(), found))
            }
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Node::Tensor(_) => Ok(()),
            Node::Value(snapshot) => snapshot.traverse(visit),
            Node::Items(kind, nodes) => {
                visit.call(kind)?;
                nodes.iter().try_for_each(|node| node.traverse(visit))
            }
            Node::Entries(nodes) => traverse_entries(nodes, visit),
            Node::Object(kind, members) => {
                visit.call(kind)?;
                members.traverse(visit)
            }
        }
    }

    fn masked(&self) -> bool {
        match self {
            Node::Value(Snapshot::Plain(_) | Snapshot::Bytes(..)) => true,
            Node::Items(_, nodes) => nodes.iter().any(Node::masked),
            Node::Entries(nodes) => nodes.iter().any(|(_, node)| node.masked()),
            Node::Object(_, members) => members.masked(),
            _ => false,
        }
    }
}

fn entries<'py>(
    dict: &Bound<'py, PyDict>,
    found: &mut Found<'py>,
) -> PyResult<Vec<(Snapshot, Node)>> {
    let entry = |(key, value): (Bound<'py, PyAny>, Bound<'py, PyAny>)| {
        Ok((Snapshot::of(&key, &mut Limit(LIMIT))?, Node::of(&value, found)?))
    };
    dict.iter().map(entry).collect()
}

fn traverse_entries(
    nodes: &[(Snapshot, Node)],
    visit: &PyVisit<'_>,
) -> Result<(), PyTraverseError> {
    nodes.iter().try_for_each(|(key, node)| {
        key.traverse(visit)?;
        node.traverse(visit)
    })
}

fn items_match<'py>(nodes: &[Node], value: &Bound<'py, PyAny>, found: &mut Found<'py>) -> bool {
    if let Ok(tuple) = value.cast::<PyTuple>() {
        return tuple.len() == nodes.len()
            && nodes.iter().zip(tuple.iter_borrowed()).all(|(node, v)| node.matches(&v, found));
    }
    let Ok(list) = value.cast::<PyList>() else { return false };
    list.len() == nodes.len()
        && nodes.iter().zip(list.iter()).all(|(node, v)| node.matches(&v, found))
}

fn entries_match<'py>(
    nodes: &[(Snapshot, Node)],
    dict: &Bound<'py, PyDict>,
    found: &mut Found<'py>,
) -> bool {
    dict.len() == nodes.len()
        && nodes
            .iter()
            .zip(dict.iter())
            .all(|((k, node), (key, v))| k.matches(Some(&key)) && node.matches(&v, found))
}

impl Signature {
    /// Describes a call; its tensors are appended to `found` in order.
    pub fn of<'py>(
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        found: &mut Found<'py>,
    ) -> PyResult<Signature> {
        let args = args.iter().map(|arg| Node::of(&arg, found)).collect::<PyResult<_>>()?;
        let kwargs = kwargs.map_or_else(|| Ok(Vec::new()), |dict| entries(dict, found))?;
        Ok(Signature { args, kwargs })
    }

    /// Whether a call has equal arguments; its tensors are put into `found`.
    pub fn matches<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
        found: &mut Found<'py>,
    ) -> bool {
        found.clear();
        args.len() == self.args.len()
            && kwargs.map_or(0, |dict| dict.len()) == self.kwargs.len()
            && self.args.iter().zip(args.iter_borrowed()).all(|(n, v)| n.matches(&v, found))
            && kwargs.is_none_or(|dict| entries_match(&self.kwargs, dict, found))
    }

    /// Shows the garbage collector what is held.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.args.iter().try_for_each(|node| node.traverse(visit))?;
        traverse_entries(&self.kwargs, visit)
    }

    /// Whether a number, a string or another plain value is among the arguments.
    pub fn has_values(&self) -> bool {
        self.args.iter().any(Node::masked) || self.kwargs.iter().any(|(_, node)| node.masked())
    }
}
