//! Every pass as text before and after, and the bits of what comes out.
#![allow(missing_docs)]

mod common;

use common::{call, f32s, returns, row};
use weft_core::exec::{Plan, Run};
use weft_core::graph::{Graph, Role, verify};
use weft_core::op::Op;
use weft_core::op::create::Create;
use weft_core::op::pointwise::rows;
use weft_core::op::view::View;
use weft_core::pass::{self, LOWER, TIDY};
use weft_kernels::{Buffer, DType, Layout, Scalar, Shape};

fn number(graph: &mut Graph, value: f64) -> weft_core::graph::ValueId {
    call(graph, Op::Create(Create::full(Shape::SCALAR, DType::F32, Scalar::Float(value))), &[])
}

fn tidy(graph: &Graph) -> String {
    let (tidy, _) = pass::run(graph, TIDY).unwrap();
    verify(&tidy).unwrap();
    tidy.to_string()
}

#[test]
fn constants_are_computed_and_dead_nodes_dropped() {
    let mut g = Graph::default();
    let x = g.input(f32s(&[2]));
    let (two, three) = (number(&mut g, 2.0), number(&mut g, 3.0));
    let six = row(&mut g, &rows::MUL, &[two, three]);
    let _dead = row(&mut g, &rows::EXP, &[x]);
    let y = row(&mut g, &rows::MUL, &[x, six]);
    returns(&mut g, &[y]);
    assert_eq!(
        tidy(&g),
        "%0 = input 0 : f32[2]\n\
         %1 = full(value=6.0, shape=[], dtype=f32) : f32[]\n\
         %2 = mul(%0, %1) : f32[2]\n\
         return %2\n"
    );
}

#[test]
fn equal_nodes_are_merged() {
    let mut g = Graph::default();
    let x = g.input(f32s(&[2]));
    let a = row(&mut g, &rows::EXP, &[x]);
    let b = row(&mut g, &rows::EXP, &[x]);
    let y = row(&mut g, &rows::ADD, &[a, b]);
    returns(&mut g, &[y]);
    assert_eq!(
        tidy(&g),
        "%0 = input 0 : f32[2]\n\
         %1 = exp(%0) : f32[2]\n\
         %2 = add(%1, %1) : f32[2]\n\
         return %2\n"
    );
}

#[test]
fn what_changes_no_bit_is_simplified_and_what_does_is_kept() {
    let mut g = Graph::default();
    let x = g.input(f32s(&[2, 3]));
    let one = number(&mut g, 1.0);
    let zero = number(&mut g, 0.0);
    let b = row(&mut g, &rows::NEG, &[x]);
    let c = row(&mut g, &rows::NEG, &[b]);
    let c = row(&mut g, &rows::MUL, &[c, one]);
    let c = row(&mut g, &rows::MUL, &[c, one]);
    let d = call(&mut g, Op::View(View::Reshape(Shape::new(&[6]).into())), &[c]);
    let e = call(&mut g, Op::View(View::Reshape(Shape::new(&[3, 2]).into())), &[d]);
    let f = row(&mut g, &rows::ADD, &[e, zero]);
    returns(&mut g, &[f]);
    // x + 0 turns -0 into 0, so it stays; x * 1 makes a signalling NaN quiet, so the first
    // stays and the second, which finds none, goes.
    assert_eq!(
        tidy(&g),
        "%0 = input 0 : f32[2, 3]\n\
         %1 = full(value=1.0, shape=[], dtype=f32) : f32[]\n\
         %2 = full(value=0.0, shape=[], dtype=f32) : f32[]\n\
         %3 = mul(%0, %1) : f32[2, 3]\n\
         %4 = reshape(%3, shape=[3, 2]) : f32[3, 2]\n\
         %5 = add(%4, %2) : f32[3, 2]\n\
         return %5\n"
    );
}

#[test]
fn pointwise_chains_become_one_program() {
    let mut g = Graph::default();
    let x = g.input(f32s(&[4, 8]));
    let bias = g.input(f32s(&[8]));
    let a = row(&mut g, &rows::ADD, &[x, bias]);
    let b = row(&mut g, &rows::TANH, &[a]);
    let c = row(&mut g, &rows::MUL, &[b, a]);
    returns(&mut g, &[c]);
    let (lowered, _) = pass::run(&g, LOWER).unwrap();
    verify(&lowered).unwrap();
    assert_eq!(
        lowered.to_string(),
        "%0 = input 0 : f32[4, 8]\n\
         %1 = input 1 : f32[8]\n\
         %2 = chain(%0, %1, ops=[add($0, $1), tanh(%0), mul(%1, %0)], inputs=[f32, f32], results=[2], shape=[4, 8]) : f32[4, 8]\n\
         return %2\n"
    );
}

#[test]
fn a_group_never_waits_for_itself() {
    // exp -> sum -> sub: the sum stands between two operations that would fit together.
    let mut g = Graph::default();
    let x = g.input(f32s(&[4]));
    let a = row(&mut g, &rows::EXP, &[x]);
    let sum = weft_core::op::reduce::Reduce {
        kind: weft_core::op::reduce::ReduceKind::Sum,
        dims: 1,
        keepdim: true,
    };
    let s = call(&mut g, Op::Reduce(sum), &[a]);
    let b = row(&mut g, &rows::SUB, &[a, s]);
    let c = row(&mut g, &rows::NEG, &[b]);
    returns(&mut g, &[c]);
    let (lowered, _) = pass::run(&g, LOWER).unwrap();
    verify(&lowered).unwrap();
    assert_eq!(
        lowered.to_string(),
        "%0 = input 0 : f32[4]\n\
         %1 = exp(%0) : f32[4]\n\
         %2 = sum(%1, dim=[0], keepdim=true) : f32[1]\n\
         %3 = chain(%1, %2, ops=[sub($0, $1), neg(%0)], inputs=[f32, f32], results=[1], shape=[4]) : f32[4]\n\
         return %3\n"
    );
}

fn floats(buffer: &Buffer, n: usize) -> Vec<f32> {
    let layout = Layout::contiguous(Shape::new(&[n]));
    weft_kernels::Arg::new(buffer, DType::F32, &layout).slice::<f32>().to_vec()
}

/// Plans a graph whose inputs are contiguous and runs it.
fn run(graph: &Graph, inputs: &[Buffer]) -> Vec<Buffer> {
    let layouts: Vec<Layout> =
        graph.inputs.iter().map(|v| Layout::contiguous(graph.fact(*v).shape)).collect();
    let plan = Plan::new(graph, &layouts).unwrap();
    Run::new(&plan).unwrap().call(&plan, inputs).unwrap().into_vec()
}

#[test]
fn updates_that_exchange_two_inputs_do_not_overwrite_what_is_still_read() {
    let mut g = Graph::default();
    let (p, q) = (g.input(f32s(&[2])), g.input(f32s(&[2])));
    g.outputs = vec![
        weft_core::graph::Output { value: q, role: Role::Update(0) },
        weft_core::graph::Output { value: p, role: Role::Update(1) },
    ];
    let (a, b) = (Buffer::from_slice(&[1f32, 2.0]), Buffer::from_slice(&[3f32, 4.0]));
    run(&g, &[a.clone(), b.clone()]);
    assert_eq!((floats(&a, 2), floats(&b, 2)), (vec![3.0, 4.0], vec![1.0, 2.0]));
}

#[test]
fn an_input_that_is_updated_early_is_returned_as_it_was() {
    let mut g = Graph::default();
    let p = g.input(f32s(&[2]));
    let doubled = row(&mut g, &rows::ADD, &[p, p]);
    returns(&mut g, &[p]);
    g.outputs.push(weft_core::graph::Output { value: doubled, role: Role::Update(0) });
    let a = Buffer::from_slice(&[1f32, 2.0]);
    let out = run(&g, std::slice::from_ref(&a));
    assert_eq!((floats(&out[0], 2), floats(&a, 2)), (vec![1.0, 2.0], vec![2.0, 4.0]));
}

#[test]
fn an_update_next_to_an_old_value_of_another_input_keeps_it() {
    // q becomes the old p while p becomes p + p.
    let mut g = Graph::default();
    let (p, _q) = (g.input(f32s(&[2])), g.input(f32s(&[2])));
    let doubled = row(&mut g, &rows::ADD, &[p, p]);
    g.outputs = vec![
        weft_core::graph::Output { value: doubled, role: Role::Update(0) },
        weft_core::graph::Output { value: p, role: Role::Update(1) },
    ];
    let (a, b) = (Buffer::from_slice(&[1f32, 2.0]), Buffer::from_slice(&[0f32, 0.0]));
    run(&g, &[a.clone(), b.clone()]);
    assert_eq!((floats(&a, 2), floats(&b, 2)), (vec![2.0, 4.0], vec![1.0, 2.0]));
}

#[test]
fn a_long_chain_reuses_one_piece_of_memory() {
    let mut g = Graph::default();
    let x = g.input(f32s(&[1024]));
    let mut value = x;
    for i in 0..64 {
        // A reduction between the steps keeps them apart.
        value = row(&mut g, if i % 2 == 0 { &rows::EXP } else { &rows::NEG }, &[value]);
    }
    returns(&mut g, &[value]);
    let plan = Plan::new(&g, &[Layout::contiguous(Shape::new(&[1024]))]).unwrap();
    assert_eq!(plan.report.total_bytes, 64 * 4096);
    assert_eq!((plan.report.slab_bytes, plan.report.in_place), (0, 63));
}

#[test]
fn a_hundred_thousand_nodes_are_fused_and_planned() {
    let steps = |n: usize| {
        let mut g = Graph::default();
        let x = g.input(f32s(&[8]));
        let mut value = x;
        for i in 0..n {
            value = row(
                &mut g,
                [&rows::TANH, &rows::SIN, &rows::ADD][i % 3],
                &[value, x][..1 + usize::from(i % 3 == 2)],
            );
        }
        returns(&mut g, &[value]);
        let (graph, _) = pass::run(&g, TIDY).unwrap();
        let (graph, _) = pass::run(&graph, LOWER).unwrap();
        Plan::new(&graph, &[Layout::contiguous(Shape::new(&[8]))]).unwrap().report.steps
    };
    // A search for cycles that grew with the graph would not come to an end here.
    assert!(steps(100_000) < 100_000 / 10);
}
