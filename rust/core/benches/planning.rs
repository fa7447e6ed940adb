//! How long compiling takes, by the number of nodes: every column should grow tenfold from one
//! row to the next but one. `cargo bench -p weft-core --bench planning [-- adam 4000]`.
#![allow(missing_docs)]

use std::time::Instant;

use smallvec::SmallVec;
use weft_core::Fact;
use weft_core::exec::{Plan, verify_plans};
use weft_core::graph::{Graph, Output, Role, ValueId};
use weft_core::op::Op;
use weft_core::op::matmul::Matmul;
use weft_core::op::optim::Optim;
use weft_core::op::pointwise::{Row, rows};
use weft_core::op::reduce::{Reduce, ReduceKind};
use weft_core::pass::{self, LOWER, TIDY};
use weft_core::site::Site;
use weft_kernels::{DType, Layout, Shape};

/// Builds a program of about so many nodes or tensors.
type Make = fn(usize) -> Graph;

fn f32s(dims: &[usize]) -> Fact {
    Fact::new(DType::F32, Shape::new(dims))
}

fn call(graph: &mut Graph, op: Op, inputs: &[ValueId]) -> SmallVec<[ValueId; 1]> {
    graph.call(op, inputs, Site::UNKNOWN).unwrap()
}

fn row(graph: &mut Graph, row: &'static Row, inputs: &[ValueId]) -> ValueId {
    call(graph, Op::Pointwise(row), inputs)[0]
}

fn give(graph: &mut Graph, value: ValueId) {
    let at = graph.outputs.len() as u32;
    graph.outputs.push(Output { value, role: Role::Return(at) });
}

/// One operation after another.
fn chain(n: usize) -> Graph {
    let mut g = Graph::default();
    let (mut x, y) = (g.input(f32s(&[4])), g.input(f32s(&[4])));
    for i in 0..n {
        let with = if i % 3 == 0 { &rows::MUL } else { &rows::ADD };
        x = row(&mut g, with, &[x, y]);
    }
    give(&mut g, x);
    g
}

/// Many results of one input, each returned.
fn fan(n: usize) -> Graph {
    let mut g = Graph::default();
    let x = g.input(f32s(&[4]));
    for _ in 0..n / 2 {
        let y = g.input(f32s(&[4]));
        let z = row(&mut g, &rows::MUL, &[x, y]);
        let sum = Reduce { kind: ReduceKind::Sum, dims: 1, keepdim: false };
        let sum = call(&mut g, Op::Reduce(sum), &[z])[0];
        give(&mut g, sum);
    }
    g
}

/// Layers with a sum around each.
fn residual(n: usize) -> Graph {
    let mut g = Graph::default();
    let mut x = g.input(f32s(&[4, 4]));
    let scale = g.input(f32s(&[4]));
    for _ in 0..n / 4 {
        let w = g.input(f32s(&[4, 4]));
        let h = call(&mut g, Op::Matmul(Matmul::default()), &[x, w])[0];
        let h = row(&mut g, &rows::RELU, &[h]);
        let h = row(&mut g, &rows::MUL, &[h, scale]);
        x = row(&mut g, &rows::ADD, &[x, h]);
    }
    give(&mut g, x);
    g
}

/// One Adam step on many tensors.
fn adam(n: usize) -> Graph {
    let mut g = Graph::default();
    let op = Optim::Adam { amsgrad: false };
    let mut inputs = vec![g.input(Fact::new(DType::F64, Shape::new(&[7])))];
    let x = g.input(f32s(&[4]));
    let mut updated: Vec<u32> = Vec::new();
    for _ in 0..n {
        let first = g.inputs.len() as u32;
        let p = g.input(f32s(&[4]));
        let (m, v) = (g.input(f32s(&[4])), g.input(f32s(&[4])));
        let step = g.input(f32s(&[]));
        let grad = row(&mut g, &rows::MUL, &[p, x]);
        inputs.extend([p, grad, m, v, step]);
        updated.extend(first..first + 4);
    }
    let outputs = call(&mut g, Op::Optim(op), &inputs);
    for (input, value) in updated.into_iter().zip(outputs) {
        g.outputs.push(Output { value, role: Role::Update(input) });
    }
    g
}

/// A step of its own for each tensor, as several optimisers or hand-written updates make it.
fn updates(n: usize) -> Graph {
    let mut g = Graph::default();
    let x = g.input(f32s(&[4]));
    for i in 0..n {
        let p = g.input(f32s(&[4]));
        let step = row(&mut g, &rows::MUL, &[p, x]);
        let value = row(&mut g, &rows::SUB, &[p, step]);
        g.outputs.push(Output { value, role: Role::Update(i as u32 + 1) });
    }
    g
}

fn milliseconds<T>(body: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let value = body();
    (value, begun.elapsed().as_secs_f64() * 1e3)
}

fn main() {
    verify_plans(false);
    let programs: [(&str, Make); 5] = [
        ("chain", chain),
        ("fan", fan),
        ("residual", residual),
        ("adam", adam),
        ("updates", updates),
    ];
    println!("{:10} {:>8} {:>10} {:>10} {:>10}  ms", "program", "size", "tidy", "lower", "plan");
    let given: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let (mut sizes, only): (Vec<usize>, Vec<String>) = (
        given.iter().filter_map(|a| a.parse().ok()).collect(),
        given.iter().filter(|a| a.parse::<usize>().is_err()).cloned().collect(),
    );
    if sizes.is_empty() {
        sizes = vec![1_000, 4_000, 10_000, 100_000];
    }
    let wanted = |name: &str| only.is_empty() || only.iter().any(|o| o == name);
    for (name, make) in programs.into_iter().filter(|(name, _)| wanted(name)) {
        for &n in &sizes {
            let graph = make(n);
            let ((tidy, _), tidied) = milliseconds(|| pass::run(&graph, TIDY).unwrap());
            let ((lowered, _), fused) = milliseconds(|| pass::run(&tidy, LOWER).unwrap());
            let layouts: Vec<Layout> =
                lowered.inputs.iter().map(|v| Layout::contiguous(lowered.fact(*v).shape)).collect();
            let (_plan, planned) = milliseconds(|| Plan::new(&lowered, &layouts).unwrap());
            println!("{name:10} {n:8} {tidied:10.2} {fused:10.2} {planned:10.2}");
        }
    }
}
