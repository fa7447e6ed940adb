//! The dynamic graph as Python sees it.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyList;
use weft_core::tape::{self, Backward, Edge, NodeRef, Saved};
use weft_core::{Tensor, eager};
use weft_core::{listen, mode};
use weft_kernels::Layout;

use crate::call::detached;
use crate::convert;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

/// A node of the dynamic graph: an operation that ran and whose gradient is known.
#[pyclass(frozen, name = "Node", module = "weft")]
pub struct PyNode(pub NodeRef);

#[pymethods]
impl PyNode {
    /// torch's name of such a node: `MulBackward`.
    fn name(&self) -> String {
        let name = self.0.with(|node| node.op.name());
        let camel = name.split('_').map(|word| {
            let (first, rest) = word.split_at(word.len().min(1));
            first.to_uppercase() + rest
        });
        camel.collect::<String>() + "Backward"
    }

    /// Name of the operation.
    #[getter]
    fn op(&self) -> &'static str {
        self.0.with(|node| node.op.name())
    }

    /// Place in the order of execution.
    #[getter]
    fn sequence_nr(&self) -> u64 {
        self.0.seq()
    }

    /// The user's line, where it is known (while a function is being compiled).
    #[getter]
    fn line(&self) -> Option<String> {
        let site = self.0.with(|node| node.site);
        site.is_known().then(|| site.to_string())
    }

    /// Attributes of the operation, as text.
    #[getter]
    fn attributes(&self) -> Vec<(String, String)> {
        let attrs = self.0.with(|node| node.op.attrs());
        attrs.into_iter().map(|(name, attr)| (name, attr.to_string())).collect()
    }

    /// For each input, the node (or the leaf tensor) that its gradient goes to and which
    /// of that node's outputs it is; `(None, 0)` where it goes nowhere.
    #[getter]
    fn next_functions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let edges = self.0.snapshot().edges;
        let list = PyList::empty(py);
        for edge in edges {
            match edge {
                Edge::None => list.append((py.None(), 0))?,
                Edge::Leaf(leaf) => list.append((Py::new(py, PyTensor(leaf))?, 0))?,
                Edge::Node(node, output) => list.append((Py::new(py, PyNode(node))?, output))?,
            }
        }
        Ok(list)
    }

    /// What was saved for the gradient: `(name, tensor)`; empty after `backward`.
    #[getter]
    fn saved(&self) -> Vec<(String, PyTensor)> {
        use weft_core::tape::SavedValue;
        let saved: Vec<Saved> = self.0.snapshot().saved.into_vec();
        let named = |saved: Saved| match saved.value {
            SavedValue::Input(i, tensor) => (format!("input {i}"), PyTensor(tensor.detach())),
            SavedValue::Output(i, tensor) => (format!("output {i}"), PyTensor(tensor.detach())),
        };
        saved.into_iter().map(named).collect()
    }

    fn __hash__(&self) -> u32 {
        self.0.key()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<PyNode>().is_ok_and(|o| o.get().0 == self.0)
    }

    fn __repr__(&self) -> String {
        let facts: Vec<String> =
            self.0.with(|node| node.output_facts.iter().map(ToString::to_string).collect());
        format!("<{} {}>", self.name(), facts.join(", "))
    }
}

type Tensors<'py> = Vec<PyRef<'py, PyTensor>>;

/// Differentiates `roots`; accumulates into leaves, or returns the gradients of `inputs`.
#[pyfunction]
pub fn backward(
    py: Python<'_>,
    roots: Tensors<'_>,
    grads: Vec<Option<PyRef<'_, PyTensor>>>,
    inputs: Option<Tensors<'_>>,
    retain_graph: bool,
    create_graph: bool,
) -> PyResult<Vec<Option<PyTensor>>> {
    let roots: Vec<Tensor> = roots.iter().map(|t| t.0.clone()).collect();
    let grads: Vec<Option<Tensor>> =
        grads.iter().map(|g| g.as_ref().map(|t| t.0.clone())).collect();
    let inputs: Option<Vec<Tensor>> = inputs.map(|list| list.iter().map(|t| t.0.clone()).collect());
    let walk = || {
        tape::backward(&Backward {
            roots: &roots,
            grads: &grads,
            inputs: inputs.as_deref(),
            retain_graph,
            create_graph,
        })
    };
    let found = if mode::listening() { walk() } else { detached(py, walk) };
    Ok(found.or_raise()?.into_iter().map(|g| g.map(PyTensor)).collect())
}

/// How many nodes of dynamic graphs are alive.
#[pyfunction]
pub fn live_nodes() -> usize {
    tape::live_nodes()
}

/// Whether this thread records a static graph.
#[pyfunction]
pub fn is_recording() -> bool {
    mode::listening()
}

/// Lets values be read for printing while recording; returns what it was.
#[pyfunction]
pub fn set_unseen(on: bool) -> bool {
    mode::set_unseen(on)
}

/// Refuses, while recording, something that a graph cannot follow.
#[pyfunction]
pub fn forbid_read(how: &str) -> PyResult<()> {
    listen::value_read(how).or_raise()
}

/// Refuses, while recording, changes in place of a copy that stands for a view.
#[pyfunction]
pub fn forbid_writes(copy: &PyTensor) {
    listen::stands_for_view(&copy.0);
}

/// A number of the memory that a tensor lies in, the same for all that share it.
#[pyfunction]
pub fn memory_id(x: &PyTensor) -> u64 {
    x.0.buffer().id()
}

/// A copy of all the memory that a tensor lies in, without history.
#[pyfunction]
pub fn copy_memory(x: &PyTensor) -> PyResult<PyTensor> {
    let elements = x.0.buffer().len() / x.0.dtype().size();
    let whole = x.0.alias(Layout::contiguous(convert::vector(elements)));
    eager::contiguous_clone(&whole).or_raise().map(PyTensor)
}

/// What lies in `memory` as `x` lies in its own, without history.
#[pyfunction]
pub fn placed_as(memory: &PyTensor, x: &PyTensor) -> PyResult<PyTensor> {
    if x.0.layout().end() > memory.0.numel() || memory.0.dtype() != x.0.dtype() {
        return Err(PyRuntimeError::new_err("placed_as: expected a copy of the tensor's memory"));
    }
    Ok(PyTensor(memory.0.alias(*x.0.layout())))
}
