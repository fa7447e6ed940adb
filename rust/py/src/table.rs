//! The table of operations, for the property tests.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use weft_core::eager::{self, Eager};
use weft_core::op::sample::Domain;
use weft_core::op::{Batch, Class, Op, Sample, Val, forward, register};
use weft_core::{Fact, Tensor};
use weft_kernels::DType;

use crate::dtype::PyDType;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

fn domain<'py>(py: Python<'py>, domain: &Domain) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    match domain {
        Domain::Uniform(low, high) => {
            out.set_item("kind", "uniform")?;
            out.set_item("range", (low, high))?;
        }
        Domain::Special(values) => {
            out.set_item("kind", "special")?;
            out.set_item("values", values.to_vec())?;
        }
        Domain::Index(len) => {
            out.set_item("kind", "index")?;
            out.set_item("range", (0, len))?;
        }
        Domain::Bool => out.set_item("kind", "bool")?,
        Domain::Exact(dtype, values) => {
            out.set_item("kind", "exact")?;
            out.set_item("dtype", dtype.name())?;
            out.set_item("values", values)?;
        }
    }
    Ok(out)
}

fn sample<'py>(py: Python<'py>, sample: &Sample) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    let attrs = PyDict::new(py);
    for (name, attr) in sample.op.attrs() {
        attrs.set_item(name, attr.to_string())?;
    }
    let inputs = PyList::empty(py);
    for (shape, elements) in &sample.inputs {
        inputs.append((shape.to_vec(), domain(py, elements)?))?;
    }
    out.set_item("attrs", attrs)?;
    out.set_item("inputs", inputs)?;
    out.set_item("smooth", sample.smooth)?;
    let facts = sample.op.infer(&sample.sample_facts(DType::F64));
    out.set_item("outputs", facts.map_or(0, |f| f.len()))?;
    Ok(out)
}

/// One operation of the table.
#[pyclass(frozen, name = "OpInfo", module = "weft._core")]
pub struct PyOpInfo(Op, Vec<Sample>);

#[pymethods]
impl PyOpInfo {
    /// torch's name.
    #[getter]
    fn name(&self) -> &'static str {
        self.0.name()
    }

    /// What it computes.
    #[getter]
    fn doc(&self) -> &'static str {
        self.0.doc()
    }

    /// `pointwise`, `reduce`, `contract`, `view`, `create`, `move` or `opaque`.
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0.class() {
            Class::Pointwise => "pointwise",
            Class::Reduce => "reduce",
            Class::Contract => "contract",
            Class::View => "view",
            Class::Create => "create",
            Class::Move => "move",
            Class::Opaque => "opaque",
        }
    }

    /// The dtypes that inputs whose dtype is free may have.
    #[getter]
    fn dtypes(&self) -> Vec<&'static str> {
        let takes =
            |&dtype: &DType| self.1.iter().all(|s| s.op.infer(&s.sample_facts(dtype)).is_ok());
        DType::ALL.iter().filter(|d| takes(d)).map(|d| d.name()).collect()
    }

    /// Error bound in units in the last place, where no terms cancel.
    #[getter]
    fn ulps(&self) -> f32 {
        self.0.nature().ulps
    }

    /// By input of the first sample: `yes`, `zero` (piecewise constant), `nothing` (no number
    /// to differentiate by), or why there is no gradient.
    #[getter]
    fn gradients(&self) -> Vec<&'static str> {
        let sample = &self.1[0];
        (0..sample.inputs.len()).map(|i| sample.op.gradient(i)).collect()
    }

    /// The dtypes of the results of sample `i` for inputs of these dtypes.
    fn result_dtypes(
        &self,
        i: usize,
        dtypes: Vec<PyRef<'_, PyDType>>,
    ) -> PyResult<Vec<&'static str>> {
        let sample = &self.1[i];
        let facts = sample.inputs.iter().zip(&dtypes);
        let facts: Vec<Fact> =
            facts.map(|((shape, _), dtype)| Fact::new(dtype.0, *shape)).collect();
        let found = sample.op.infer(&facts).or_raise()?;
        Ok(found.iter().map(|fact| fact.dtype.name()).collect())
    }

    /// Attributes and inputs of each sample.
    #[getter]
    fn samples<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        self.1.iter().map(|s| sample(py, s)).collect()
    }

    /// Applies the operation of sample `i` to tensors.
    fn call(&self, i: usize, inputs: Vec<PyRef<'_, PyTensor>>) -> PyResult<Vec<PyTensor>> {
        let inputs: Vec<&Tensor> = inputs.iter().map(|t| &t.0).collect();
        let results = eager::call(&self.1[i].op, &inputs).or_raise()?;
        Ok(results.into_iter().map(PyTensor).collect())
    }

    /// Applies the operation of sample `i` and writes its results over `targets`.
    fn call_into(
        &self,
        i: usize,
        inputs: Vec<PyRef<'_, PyTensor>>,
        targets: Vec<PyRef<'_, PyTensor>>,
    ) -> PyResult<()> {
        let inputs: Vec<&Tensor> = inputs.iter().map(|t| &t.0).collect();
        let targets: Vec<Tensor> = targets.iter().map(|t| t.0.clone()).collect();
        eager::call_into(&self.1[i].op, &inputs, &targets).or_raise()
    }

    /// The tangents of the results of sample `i`, from `inputs`, the results they gave, and
    /// tangents of the inputs (`None`: zero).
    fn jvp(
        &self,
        i: usize,
        inputs: Vec<PyRef<'_, PyTensor>>,
        outputs: Vec<PyRef<'_, PyTensor>>,
        tangents: Vec<Option<PyRef<'_, PyTensor>>>,
    ) -> PyResult<Vec<Option<PyTensor>>> {
        let mut e = Eager::default();
        let inputs: Vec<Val> = inputs.iter().map(|t| e.hold(t.0.clone())).collect();
        let outputs: Vec<Val> = outputs.iter().map(|t| e.hold(t.0.clone())).collect();
        let tangents: Vec<Option<Val>> =
            tangents.iter().map(|t| t.as_ref().map(|t| e.hold(t.0.clone()))).collect();
        let applied = forward::Applied {
            op: &self.1[i].op,
            inputs: &inputs,
            outputs: &outputs,
            tangents: &tangents,
        };
        let made = forward::jvp(&mut e, &applied).or_raise()?;
        Ok(made.into_iter().map(|t| t.map(|t| PyTensor(e.get(t)))).collect())
    }

    /// Sample `i` applied to `size` inputs at once; `batched` says which have the batch as
    /// their first dimension. All results have it.
    fn batch(
        &self,
        i: usize,
        inputs: Vec<PyRef<'_, PyTensor>>,
        batched: Vec<bool>,
        size: usize,
    ) -> PyResult<Vec<PyTensor>> {
        if inputs.len() != batched.len() {
            return Err(PyValueError::new_err("batch: expected a flag for each input"));
        }
        let mut e = Eager::default();
        let inputs: Vec<Val> = inputs.iter().map(|t| e.hold(t.0.clone())).collect();
        let mut b = Batch::new(&mut e, &inputs, &batched, size);
        let made = self.1[i].op.batch(&mut b).or_raise()?;
        Ok(made.into_iter().map(|v| PyTensor(e.get(v))).collect())
    }

    /// Arithmetic operations of sample `i`.
    fn flops(&self, i: usize) -> u64 {
        self.1[i].op.flops(&self.1[i].sample_facts(DType::F32))
    }

    fn __repr__(&self) -> String {
        self.0.name().to_string()
    }
}

/// Every operation.
#[pyfunction]
pub fn op_table() -> Vec<PyOpInfo> {
    register::all()
        .into_iter()
        .map(|op| {
            let samples = op.samples();
            PyOpInfo(op, samples)
        })
        .collect()
}
