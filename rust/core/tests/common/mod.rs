//! Short ways to build graphs and tensors.
#![allow(dead_code, missing_docs)]

use weft_core::graph::{Graph, Output, Role, ValueId};
use weft_core::op::Op;
use weft_core::op::pointwise::{Row, rows};
use weft_core::site::Site;
use weft_core::{Fact, Tensor, eager};
use weft_kernels::{DType, Shape};

pub fn f32s(dims: &[usize]) -> Fact {
    Fact::new(DType::F32, Shape::new(dims))
}

pub fn tensor(data: &[f32], dims: &[usize]) -> Tensor {
    Tensor::from_slice(data, Shape::new(dims))
}

pub fn leaf(data: &[f32], dims: &[usize]) -> Tensor {
    let t = tensor(data, dims);
    t.set_requires_grad(true);
    t
}

pub fn apply(row: &'static Row, inputs: &[&Tensor]) -> Tensor {
    eager::call1(&Op::Pointwise(row), inputs).unwrap()
}

pub fn add(a: &Tensor, b: &Tensor) -> Tensor {
    apply(&rows::ADD, &[a, b])
}

pub fn mul(a: &Tensor, b: &Tensor) -> Tensor {
    apply(&rows::MUL, &[a, b])
}

/// Appends an operation with one result.
pub fn call(graph: &mut Graph, op: Op, inputs: &[ValueId]) -> ValueId {
    graph.call(op, inputs, Site::UNKNOWN).unwrap()[0]
}

pub fn row(graph: &mut Graph, row: &'static Row, inputs: &[ValueId]) -> ValueId {
    call(graph, Op::Pointwise(row), inputs)
}

pub fn returns(graph: &mut Graph, values: &[ValueId]) {
    graph.outputs = values
        .iter()
        .enumerate()
        .map(|(i, &value)| Output { value, role: Role::Return(i as u32) })
        .collect();
}
