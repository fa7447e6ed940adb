//! Recording and running static graphs.

use std::sync::Mutex;

use pyo3::IntoPyObjectExt;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use weft_core::graph::NodeKind;
use weft_core::record::{self, Binding, Leaf, Recording};
use weft_core::{Executable, Tensor, listen};

use crate::call::detached;
use crate::line::line;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

type Results = smallvec::SmallVec<[Tensor; 2]>;
type Tensors<'py> = Vec<PyRef<'py, PyTensor>>;

fn tensors(list: &Tensors<'_>) -> Vec<Tensor> {
    list.iter().map(|t| t.0.clone()).collect()
}

/// The text, with its data, of the graph that a text stands for.
#[pyfunction]
pub fn parse_graph(text: &str) -> PyResult<String> {
    weft_core::graph::parse(text).map(|graph| graph.to_text()).or_raise()
}

/// Starts recording on this thread.
#[pyfunction]
pub fn record_start(args: Tensors<'_>) -> PyResult<()> {
    record::start(&tensors(&args), line).or_raise()
}

/// Ends the recording: what is returned, and what was reached in another way than as an
/// argument.
#[pyfunction]
#[pyo3(signature = (returned, doors = Vec::new()))]
pub fn record_finish(returned: Tensors<'_>, doors: Tensors<'_>) -> PyResult<PyRecording> {
    let recording = record::finish(&tensors(&returned), &tensors(&doors)).or_raise()?;
    Ok(PyRecording(Mutex::new(Some(recording))))
}

/// Gives the recording up.
#[pyfunction]
pub fn record_abort() {
    record::abort();
}

/// What one run of a function did.
#[pyclass(frozen, name = "Recording", module = "weft._core")]
pub struct PyRecording(Mutex<Option<Recording>>);

impl PyRecording {
    fn with<T>(&self, look: impl FnOnce(&Recording) -> T) -> PyResult<T> {
        let guard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        guard.as_ref().map(look).ok_or_else(|| PyRuntimeError::new_err("recording: used up"))
    }
}

#[pymethods]
impl PyRecording {
    /// The text form of the recorded graph.
    #[getter]
    fn text(&self) -> PyResult<String> {
        self.with(|r| r.graph.to_string())
    }

    /// `(line, first, second)` where another recording first differs, or `None`.
    fn difference(&self, other: &PyRecording) -> PyResult<Option<(String, String, String)>> {
        self.with(|a| {
            let found = other.with(|b| a.difference(b))?;
            Ok(found.map(|d| (d.site.to_string(), d.first, d.second)))
        })?
    }

    /// Whether a call with these tensors finds everything as it was recorded.
    fn fits(&self, args: Tensors<'_>) -> PyResult<bool> {
        let args = tensors(&args);
        self.with(|r| r.fits(&args))
    }

    /// Where each input of the graph comes from: `value` or `gradient`, and a tensor or the
    /// number of an argument.
    fn sources(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, Py<PyAny>)>> {
        let source = |binding: &Binding| match binding {
            Binding::Arg(i) => Ok(("value", i.into_py_any(py)?)),
            Binding::Captured(tensor) => Ok(("value", tensor_object(py, tensor)?)),
            Binding::GradOf(leaf) => Ok(("gradient", leaf_object(py, leaf)?)),
        };
        self.with(|r| r.bindings.iter().map(source).collect())?
    }

    /// The tensors whose `.grad` it sets, or the numbers of arguments.
    fn leaves(&self, py: Python<'_>) -> PyResult<Vec<Py<PyAny>>> {
        self.with(|r| r.grads.iter().map(|(leaf, _)| leaf_object(py, leaf)).collect())?
    }

    /// Tidies, lowers and plans it; it is used up. `inputs` names its inputs, `leaves` the
    /// tensors whose `.grad` it sets.
    #[pyo3(signature = (inputs = Vec::new(), leaves = Vec::new()))]
    fn compile(&self, inputs: Vec<String>, leaves: Vec<String>) -> PyResult<PyExecutable> {
        let mut guard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut recording =
            guard.take().ok_or_else(|| PyRuntimeError::new_err("recording: used up"))?;
        recording.name(inputs, &leaves);
        let executable = Executable::new(recording).or_raise()?;
        let flops = executable.flops();
        Ok(PyExecutable(executable, flops))
    }
}

fn tensor_object(py: Python<'_>, tensor: &Tensor) -> PyResult<Py<PyAny>> {
    PyTensor(tensor.clone()).into_py_any(py)
}

fn leaf_object(py: Python<'_>, leaf: &Leaf) -> PyResult<Py<PyAny>> {
    match leaf {
        Leaf::Captured(tensor) => tensor_object(py, tensor),
        Leaf::Arg(i) => i.into_py_any(py),
    }
}

/// A static graph, planned and bound to the tensors that it reads and writes.
#[pyclass(frozen, name = "Executable", module = "weft._core")]
pub struct PyExecutable(pub Executable, u64);

/// Arithmetic operations from which on a run lets other Python threads go on.
const RELEASE: u64 = 1 << 18;

impl PyExecutable {
    /// Runs on arguments that fit.
    pub fn run(&self, py: Python<'_>, args: &[Tensor]) -> weft_core::Result<Results> {
        if self.1 < RELEASE { self.0.call(args) } else { detached(py, || self.0.call(args)) }
    }
}

#[pymethods]
impl PyExecutable {
    /// The tensors that a run changes in place.
    fn written(&self, args: Tensors<'_>) -> Vec<PyTensor> {
        self.0.written(&tensors(&args)).into_iter().map(PyTensor).collect()
    }

    /// The leaves whose `.grad` a run reads or sets.
    fn grad_leaves(&self, args: Tensors<'_>) -> Vec<PyTensor> {
        self.0.grad_leaves(&tensors(&args)).into_iter().map(PyTensor).collect()
    }

    /// The text form: `recorded`, `tidy` or `lowered`; with `data` that of constants too, so
    /// that [`parse_graph`] reads it back.
    #[pyo3(signature = (stage = "tidy", data = false))]
    fn text(&self, stage: &str, data: bool) -> PyResult<String> {
        let graph = match stage {
            "recorded" => &self.0.recording.graph,
            "tidy" => &self.0.tidy,
            "lowered" => &self.0.lowered,
            other => {
                let what = format!("text: expected recorded, tidy or lowered, got {other}");
                return Err(PyValueError::new_err(what));
            }
        };
        Ok(if data { graph.to_text() } else { graph.to_string() })
    }

    /// The kernel calls, one line each.
    fn steps(&self) -> Vec<String> {
        self.0.plan.lines()
    }

    /// What the passes and the planner achieved.
    fn report<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let out = PyDict::new(py);
        for (name, count) in &self.0.passes {
            let before = out.get_item(name)?.map_or(Ok(0), |n| n.extract::<usize>())?;
            out.set_item(name, before + count)?;
        }
        let plan = self.0.plan.report;
        let groups = |n: &&weft_core::graph::Node| {
            matches!(&n.kind, NodeKind::Call(weft_core::op::Op::Chain(_)))
        };
        let chains = self.0.lowered.nodes.iter().filter(groups).count();
        let fused: usize = out.get_item("fused")?.map_or(Ok(0), |n| n.extract())?;
        out.set_item("chains", chains)?;
        out.set_item("chain_nodes", fused + chains)?;
        out.set_item("nodes_recorded", self.0.recording.graph.calls())?;
        out.set_item("nodes", self.0.lowered.calls())?;
        out.set_item("steps", plan.steps)?;
        out.set_item("in_place", plan.in_place)?;
        out.set_item("copies", plan.copies)?;
        out.set_item("late_copies", plan.late_copies)?;
        out.set_item("slab_bytes", plan.slab_bytes)?;
        out.set_item("total_bytes", plan.total_bytes)?;
        out.set_item("compile_ms", self.0.compile_ns as f64 / 1e6)?;
        out.set_item("flops", self.1)?;
        Ok(out)
    }

    /// What the graph reads: `arg 0`, `captured`, `grad`, with dtype and shape.
    fn inputs(&self) -> Vec<String> {
        let recording = &self.0.recording;
        let facts = recording.graph.inputs.iter().map(|v| recording.graph.fact(*v));
        let name = |binding: &Binding| match binding {
            Binding::Arg(i) => format!("arg {i}"),
            Binding::Captured(_) => "captured".to_string(),
            Binding::GradOf(_) => "grad".to_string(),
        };
        recording.bindings.iter().zip(facts).map(|(b, f)| format!("{} {f}", name(b))).collect()
    }
}

/// Writes numbers where a plan reads them, unseen by recordings.
#[pyfunction]
pub fn store(target: PyRef<'_, PyTensor>, values: Vec<f64>) -> PyResult<()> {
    weft_core::feed::store(&target.0, &values).or_raise()
}

/// Reads memory that was there before the recording at every run, instead of taking it for
/// a constant.
#[pyfunction]
pub fn adopt(tensor: PyRef<'_, PyTensor>) {
    listen::older(&tensor.0);
}

/// Whether tensors that this recording reads see memory between two addresses, and whether it
/// wrote there.
#[pyfunction]
pub fn reached(low: usize, high: usize) -> (bool, bool) {
    listen::reached(low, high)
}

/// Whether every new plan is checked: that reads see what they should, that nothing needed
/// is overwritten, that nothing fails once changes can be seen. Tests switch it on.
#[pyfunction]
pub fn verify_plans(on: bool) {
    weft_core::exec::verify_plans(on);
}

/// Lets things be done beside a recording, unseen by it; returns what it was.
#[pyfunction]
pub fn set_paused(on: bool) -> bool {
    weft_core::mode::set_paused(on)
}
