//! What optimisers do to all parameters of a group at once.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use weft_core::op::Op;
use weft_core::op::optim::Optim;
use weft_core::{Tensor, eager, mode};
use weft_kernels::DType;

use crate::raise::OrRaise;
use crate::tensor::PyTensor;

type Tensors<'py> = Vec<PyRef<'py, PyTensor>>;

/// The gradients given, or those that the parameters have; `None` if one has none.
fn gradients(params: &Tensors<'_>, given: Option<Tensors<'_>>) -> Option<Vec<Tensor>> {
    match given {
        Some(grads) => Some(grads.iter().map(|grad| grad.0.clone()).collect()),
        None => params.iter().map(|param| param.0.grad()).collect(),
    }
}

/// Applies an update to parameters, gradients and what follows them, in the order of the
/// operation.
fn update(
    op: Optim,
    hyper: &PyTensor,
    params: &Tensors<'_>,
    grads: &[Tensor],
    states: &[&Tensors<'_>],
) -> PyResult<bool> {
    let n = params.len();
    if grads.len() != n || states.iter().any(|list| list.len() != n) {
        return Err(PyValueError::new_err("optimiser: expected as many states as parameters"));
    }
    let width = 1 + states.len();
    let mut inputs: Vec<&Tensor> = Vec::with_capacity(1 + n * (1 + width));
    let mut targets: Vec<Tensor> = Vec::with_capacity(n * width);
    inputs.push(&hyper.0);
    for (i, param) in params.iter().enumerate() {
        inputs.push(&param.0);
        inputs.push(&grads[i]);
        targets.push(param.0.clone());
        for list in states {
            inputs.push(&list[i].0);
            targets.push(list[i].0.clone());
        }
    }
    let done = mode::with_grad(false, || eager::call_into(&Op::Optim(op), &inputs, &targets));
    done.or_raise().map(|()| true)
}

/// One step of SGD on all parameters, in place. Without `grads`, with the gradients that the
/// parameters have: false, and nothing is done, if one has none.
#[pyfunction]
pub fn sgd_(
    params: Tensors<'_>,
    grads: Option<Tensors<'_>>,
    bufs: Tensors<'_>,
    steps: Tensors<'_>,
    hyper: &PyTensor,
) -> PyResult<bool> {
    let momentum = !bufs.is_empty();
    let numbers = hyper.0.arg();
    let fits = numbers.dtype == DType::F64 && numbers.numel() > 1 && numbers.layout.is_contiguous();
    if !momentum && fits && numbers.slice::<f64>()[1] != 0.0 {
        let what = "sgd: momentum needs a buffer per parameter, expected one each, got none";
        return Err(PyValueError::new_err(what));
    }
    let Some(grads) = gradients(&params, grads) else { return Ok(false) };
    let states: &[&Tensors<'_>] = if momentum { &[&bufs, &steps] } else { &[&steps] };
    update(Optim::Sgd { momentum }, hyper, &params, &grads, states)
}

/// One step of Adam on all parameters, in place; `grads` as for [`sgd_`].
#[pyfunction]
pub fn adam_(
    params: Tensors<'_>,
    grads: Option<Tensors<'_>>,
    exp_avgs: Tensors<'_>,
    exp_avg_sqs: Tensors<'_>,
    max_exp_avg_sqs: Tensors<'_>,
    steps: Tensors<'_>,
    hyper: &PyTensor,
) -> PyResult<bool> {
    let Some(grads) = gradients(&params, grads) else { return Ok(false) };
    let amsgrad = !max_exp_avg_sqs.is_empty();
    let states: &[&Tensors<'_>] = if amsgrad {
        &[&exp_avgs, &exp_avg_sqs, &max_exp_avg_sqs, &steps]
    } else {
        &[&exp_avgs, &exp_avg_sqs, &steps]
    };
    update(Optim::Adam { amsgrad }, hyper, &params, &grads, states)
}

/// Drops the gradients of all parameters.
#[pyfunction]
pub fn drop_grads(params: Tensors<'_>) {
    params.iter().for_each(|param| param.0.set_grad(None));
}
