//! Recording and running static graphs.

use std::sync::Mutex;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use weft_core::graph::Kind;
use weft_core::record::{self, Binding, Recording};
use weft_core::site::{self, Site};
use weft_core::{Compiled, Tensor, mode};
use weft_kernels::Layout;

use crate::call::detached;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

type Tensors<'py> = Vec<PyRef<'py, PyTensor>>;

/// The innermost line of Python that is not weft's own.
fn python_line() -> Site {
    Python::attach(|py| find_line(py).unwrap_or(Site::UNKNOWN))
}

fn find_line(py: Python<'_>) -> PyResult<Site> {
    let own = py.import("weft")?.getattr("__path__")?.get_item(0)?.extract::<String>()?;
    let mut frame = py.import("sys")?.call_method0("_getframe")?;
    loop {
        let code = frame.getattr("f_code")?;
        let file: String = code.getattr("co_filename")?.extract()?;
        if !file.starts_with(&own) {
            let line: u32 = frame.getattr("f_lineno")?.extract()?;
            let name = file.rsplit(['/', '\\']).next().unwrap_or(&file);
            return Ok(Site::intern(&format!("{name}:{line}")));
        }
        frame = frame.getattr("f_back")?;
        if frame.is_none() {
            return Ok(Site::UNKNOWN);
        }
    }
}

fn tensors(list: &Tensors<'_>) -> Vec<Tensor> {
    list.iter().map(|t| t.0.clone()).collect()
}

/// Starts recording on this thread.
#[pyfunction]
pub fn record_start(args: Tensors<'_>) -> PyResult<()> {
    record::start(&tensors(&args)).or_raise()?;
    site::set_source(Some(python_line));
    Ok(())
}

/// Ends the recording.
#[pyfunction]
pub fn record_finish(returned: Tensors<'_>) -> PyResult<PyRecording> {
    let recording = record::finish(&tensors(&returned)).or_raise();
    site::set_source(None);
    recording.map(|r| PyRecording(Mutex::new(Some(r))))
}

/// Gives the recording up.
#[pyfunction]
pub fn record_abort() {
    record::abort();
    site::set_source(None);
}

/// The line of the user's program that runs now.
#[pyfunction]
pub fn here() -> String {
    python_line().to_string()
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

    /// Tidies, lowers and plans it; it is used up.
    fn compile(&self) -> PyResult<PyProgram> {
        let mut guard = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let recording =
            guard.take().ok_or_else(|| PyRuntimeError::new_err("recording: used up"))?;
        let compiled = Compiled::new(recording).or_raise()?;
        let flops = compiled.flops();
        Ok(PyProgram(compiled, flops))
    }
}

/// A static graph, planned and bound to the tensors that it reads and writes.
#[pyclass(frozen, name = "Program", module = "weft._core")]
pub struct PyProgram(Compiled, u64);

/// Arithmetic operations from which on a run lets other Python threads go on.
const RELEASE: u64 = 1 << 18;

#[pymethods]
impl PyProgram {
    /// Runs; `None` if something is not as it was recorded.
    fn __call__(&self, py: Python<'_>, args: Tensors<'_>) -> PyResult<Option<Vec<PyTensor>>> {
        let args = tensors(&args);
        if !self.0.fits(&args) {
            return Ok(None);
        }
        let results =
            if self.1 < RELEASE { self.0.call(&args) } else { detached(py, || self.0.call(&args)) };
        Ok(Some(results.or_raise()?.into_iter().map(PyTensor).collect()))
    }

    /// The tensors that a run changes in place.
    fn written(&self, args: Tensors<'_>) -> Vec<PyTensor> {
        self.0.written(&tensors(&args)).into_iter().map(PyTensor).collect()
    }

    /// The leaves whose `.grad` a run reads or sets.
    fn grad_leaves(&self, args: Tensors<'_>) -> Vec<PyTensor> {
        self.0.grad_leaves(&tensors(&args)).into_iter().map(PyTensor).collect()
    }

    /// The text form: `recorded`, `tidy` or `lowered`.
    #[pyo3(signature = (stage = "tidy"))]
    fn text(&self, stage: &str) -> String {
        match stage {
            "recorded" => self.0.recording.graph.to_string(),
            "lowered" => self.0.lowered.to_string(),
            _ => self.0.tidy.to_string(),
        }
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
            matches!(&n.kind, Kind::Call(weft_core::op::Op::Fused(_)))
        };
        let fused_groups = self.0.lowered.nodes.iter().filter(groups).count();
        let fused: usize = out.get_item("fused")?.map_or(Ok(0), |n| n.extract())?;
        out.set_item("fused_groups", fused_groups)?;
        out.set_item("fused_nodes", fused + fused_groups)?;
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

static REFRESH: Mutex<Vec<Py<PyAny>>> = Mutex::new(Vec::new());

fn refresh() -> std::sync::MutexGuard<'static, Vec<Py<PyAny>>> {
    REFRESH.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Registers, with the recording that runs, a function to be called before a run when
/// something may have changed.
#[pyfunction]
pub fn on_refresh(callback: Py<PyAny>) {
    refresh().push(callback);
}

/// The functions registered since the last call.
#[pyfunction]
pub fn take_refresh() -> Vec<Py<PyAny>> {
    std::mem::take(&mut *refresh())
}

/// A hashable description of tensor arguments: dtypes, layouts, gradients, shared memory.
#[pyfunction]
pub fn signature<'py>(py: Python<'py>, args: Tensors<'py>) -> Bound<'py, PyString> {
    let mut text = String::new();
    for (i, arg) in args.iter().enumerate() {
        let t = &arg.0;
        let Layout { shape, strides, .. } = t.layout();
        let first = args[..i].iter().position(|o| o.0.buffer().same(t.buffer()));
        let shift = first.map(|f| t.layout().offset as i64 - args[f].0.layout().offset as i64);
        let grad = if t.requires_grad() { "*" } else { "" };
        text.push_str(&format!("{}{grad}{shape}{strides}", t.dtype().short()));
        if let (Some(first), Some(shift)) = (first, shift) {
            text.push_str(&format!("@{first}+{shift}"));
        }
        text.push(';');
    }
    PyString::new(py, &text)
}

/// Whether every new plan is checked: that reads see what they should, that nothing needed
/// is overwritten, that nothing fails once changes can be seen. Tests switch it on.
#[pyfunction]
pub fn verify_plans(on: bool) {
    weft_core::exec::verify_plans(on);
}

/// A number that changes whenever something changes that a compiled function may depend on.
#[pyfunction]
pub fn epoch() -> u64 {
    mode::epoch()
}

/// Declares such a change.
#[pyfunction]
pub fn bump_epoch() {
    mode::bump_epoch();
}
