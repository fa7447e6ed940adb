//! Standing between the steps of a run: every step shows the value that eager code has there.
#![allow(missing_docs)]

mod common;

use common::{call, f32s, returns, row};
use weft_core::exec::{Control, Plan, Run, Step};
use weft_core::graph::{Graph, NodeKind, Output, Role, ValueId};
use weft_core::op::Op;
use weft_core::op::bind::Operands;
use weft_core::op::chain::{Chain, Source};
use weft_core::op::matmul::Matmul;
use weft_core::op::pointwise::rows;
use weft_core::op::reduce::{Reduce, ReduceKind};
use weft_core::op::softmax::{Softmax, SoftmaxKind};
use weft_core::op::view::View;
use weft_core::pass::{self, LOWER, TIDY};
use weft_core::{Tensor, eager};
use weft_kernels::{Arg, Buffer, DType, Layout, Shape};

fn numbers(dims: &[usize], seed: usize) -> Tensor {
    let shape = Shape::new(dims);
    let data: Vec<f32> =
        (0..shape.numel()).map(|i| ((i * 37 + seed * 11) % 23) as f32 / 7.0 - 1.5).collect();
    Tensor::from_slice(&data, shape)
}

fn bytes(arg: &Arg) -> Vec<u8> {
    let tensor = Tensor::new(arg.buffer.clone(), arg.dtype, *arg.layout);
    let tensor = eager::contiguous_clone(&tensor).unwrap();
    let all = Layout::contiguous(Shape::new(&[tensor.numel() * tensor.dtype().size()]));
    Arg::new(tensor.buffer(), DType::U8, &all).slice::<u8>().to_vec()
}

/// The operations of a chain, one after another.
fn members(chain: &Chain, inputs: &[&Tensor]) -> Vec<Tensor> {
    let mut made: Vec<Tensor> = Vec::new();
    let mut outputs: Vec<(usize, Tensor)> = Vec::new();
    for member in chain.members() {
        let from: Vec<Tensor> = member
            .from
            .iter()
            .map(|from| match from {
                Source::Input(k) => inputs[*k].clone(),
                Source::Member(k) => made[*k].clone(),
            })
            .collect();
        let result = eager::call1(&member.op, &from.iter().collect::<Vec<_>>()).unwrap();
        outputs.extend(member.output.map(|k| (k, result.clone())));
        made.push(result);
    }
    outputs.sort_by_key(|(k, _)| *k);
    outputs.into_iter().map(|(_, tensor)| tensor).collect()
}

/// What eager code finds for every value of `graph`.
fn eagerly(graph: &Graph, inputs: &[Tensor]) -> Vec<Tensor> {
    let mut values: Vec<Option<Tensor>> = vec![None; graph.values.len()];
    for node in &graph.nodes {
        let given: Vec<Tensor> =
            node.inputs.iter().map(|v| values[v.0 as usize].clone().unwrap()).collect();
        let given: Vec<&Tensor> = given.iter().collect();
        let made: Vec<Tensor> = match &node.kind {
            NodeKind::Input(i) => vec![inputs[*i as usize].clone()],
            NodeKind::Const(_) => unreachable!("none here"),
            NodeKind::Call(Op::Chain(chain)) => members(chain, &given),
            NodeKind::Call(op) => eager::call(op, &given).unwrap().into_vec(),
        };
        for (value, tensor) in node.outputs.iter().zip(made) {
            values[value.0 as usize] = Some(tensor);
        }
    }
    values.into_iter().map(Option::unwrap).collect()
}

/// A layer, its softmax, a sum over it, an update in place, and what lies across.
fn program() -> (Graph, Vec<Tensor>) {
    let mut g = Graph::default();
    let (x, w) = (g.input(f32s(&[40, 70])), g.input(f32s(&[70, 33])));
    let (b, p) = (g.input(f32s(&[33])), g.input(f32s(&[33])));
    let h = call(&mut g, Op::Matmul(Matmul::default()), &[x, w]);
    let h = row(&mut g, &rows::ADD, &[h, b]);
    let h = row(&mut g, &rows::TANH, &[h]);
    let across = call(&mut g, Op::View(View::Permute(Shape::new(&[1, 0]))), &[h]);
    let soft = Softmax { kind: SoftmaxKind::Softmax, dim: 0 };
    let soft = call(&mut g, Op::Softmax(soft), &[across]);
    let all = Reduce { kind: ReduceKind::Sum, dims: 0b11, keepdim: false };
    let total = call(&mut g, Op::Reduce(all), &[soft]);
    let rows_ = Reduce { kind: ReduceKind::Mean, dims: 0b01, keepdim: false };
    let mean = call(&mut g, Op::Reduce(rows_), &[h]);
    let flat = call(&mut g, Op::View(View::Reshape(Shape::new(&[33 * 40]).into())), &[across]);
    let step = row(&mut g, &rows::MUL, &[mean, total]);
    let next = row(&mut g, &rows::SUB, &[p, step]);
    returns(&mut g, &[total, flat]);
    g.outputs.push(Output { value: next, role: Role::Update(3) });
    let inputs = [[40, 70], [70, 33]].iter().enumerate().map(|(i, dims)| numbers(dims, i));
    let inputs = inputs.chain((2..4).map(|i| numbers(&[33], i))).collect();
    (g, inputs)
}

fn planned() -> (Graph, Plan, Vec<Tensor>) {
    let (graph, inputs) = program();
    let (tidy, _) = pass::run(&graph, TIDY).unwrap();
    let (lowered, _) = pass::run(&tidy, LOWER).unwrap();
    let layouts: Vec<Layout> = inputs.iter().map(|t| *t.layout()).collect();
    let plan = Plan::new(&lowered, &layouts).unwrap();
    (lowered, plan, inputs)
}

fn copies(tensors: &[Tensor]) -> Vec<Buffer> {
    tensors.iter().map(|t| eager::contiguous_clone(t).unwrap().buffer().clone()).collect()
}

#[test]
fn every_step_shows_what_eager_code_has_there() {
    let (graph, plan, inputs) = planned();
    let expected = eagerly(&graph, &inputs);
    let mut seen: Vec<ValueId> = Vec::new();
    let mut look = |step: &Step, operands: &Operands| {
        for (k, value) in step.makes.iter().enumerate() {
            let eager = bytes(&expected[value.0 as usize].arg());
            assert_eq!(bytes(&operands.output(k)), eager, "{} {value}", step.name);
            seen.push(*value);
        }
        Control::Go
    };
    let mut run = Run::new(&plan).unwrap();
    let watched = run.each(&plan, &copies(&inputs), &mut look).unwrap().unwrap();
    assert_eq!(seen.len(), plan.report.steps);
    let alone = run.call(&plan, &copies(&inputs)).unwrap();
    for ((a, b), target) in watched.iter().zip(&alone).zip(plan.targets()) {
        let layout = Layout::contiguous(target.fact.shape);
        let show = |buffer| bytes(&Arg::new(buffer, target.fact.dtype, &layout));
        assert_eq!(show(a), show(b));
    }
}

#[test]
fn a_run_that_is_stopped_has_changed_nothing_or_everything() {
    let (_, plan, inputs) = planned();
    let mut run = Run::new(&plan).unwrap();
    let whole = copies(&inputs);
    run.call(&plan, &whole).unwrap();
    let layout = Layout::contiguous(Shape::new(&[33]));
    let p = |buffers: &[Buffer]| bytes(&Arg::new(&buffers[3], DType::F32, &layout));
    let mut stopped = 0;
    for last in 0..plan.report.steps {
        let (now, mut at) = (copies(&inputs), 0);
        let mut watch = |_: &Step, _: &Operands| {
            at += 1;
            if at > last { Control::Stop } else { Control::Go }
        };
        let done = run.each(&plan, &now, &mut watch).unwrap();
        assert_eq!(at, last + 1, "nobody is asked again");
        let expected = if done.is_some() { p(&whole) } else { bytes(&inputs[3].arg()) };
        assert_eq!((p(&now), now[3].version()), (expected, u32::from(done.is_some())));
        stopped += usize::from(done.is_none());
    }
    assert!(stopped > 0 && stopped < plan.report.steps, "{stopped} of {}", plan.report.steps);
}
