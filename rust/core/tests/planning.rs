//! What plans do with updates: one commit point, places that are found again, linear time.
#![allow(missing_docs)]

mod common;

use common::{call, f32s, returns, row};
use weft_core::exec::{Plan, Run};
use weft_core::graph::{Graph, Output, Role, ValueId};
use weft_core::op::Op;
use weft_core::op::index::{Index, IndexKind};
use weft_core::op::pointwise::rows;
use weft_core::op::view::{AsStridedScatter, View};
use weft_core::pass::{self, TIDY};
use weft_core::{Fact, Result};
use weft_kernels::{Arg, Buffer, DType, Layout, Shape};

fn floats(buffer: &Buffer, n: usize) -> Vec<f32> {
    let layout = Layout::contiguous(Shape::new(&[n]));
    Arg::new(buffer, DType::F32, &layout).slice::<f32>().to_vec()
}

fn plan(graph: &Graph) -> Plan {
    let layouts: Vec<Layout> =
        graph.inputs.iter().map(|v| Layout::contiguous(graph.fact(*v).shape)).collect();
    Plan::new(graph, &layouts).unwrap()
}

fn run(plan: &Plan, inputs: &[Buffer]) -> Result<()> {
    Run::new(plan)?.call(plan, inputs).map(|_| ())
}

fn update(graph: &mut Graph, input: u32, value: ValueId) {
    graph.outputs.push(Output { value, role: Role::Update(input) });
}

fn select(graph: &mut Graph, x: ValueId, index: ValueId) -> ValueId {
    call(graph, Op::Index(Index { kind: IndexKind::Select, dim: 0, wrap: false }), &[x, index])
}

#[test]
fn two_inputs_become_one_value() {
    let mut g = Graph::default();
    let (p, q) = (g.input(f32s(&[2])), g.input(f32s(&[2])));
    let sum = row(&mut g, &rows::ADD, &[p, q]);
    update(&mut g, 0, sum);
    update(&mut g, 1, sum);
    let plan = plan(&g);
    let (a, b) = (Buffer::from_slice(&[1f32, 2.0]), Buffer::from_slice(&[3f32, 4.0]));
    run(&plan, &[a.clone(), b.clone()]).unwrap();
    assert_eq!((floats(&a, 2), floats(&b, 2)), (vec![4.0, 6.0], vec![4.0, 6.0]));
    assert_eq!((plan.report.steps, plan.report.in_place, plan.report.late_copies), (2, 1, 1));
}

#[test]
fn a_value_on_the_way_to_one_input_and_itself_another_is_not_overwritten() {
    let mut g = Graph::default();
    let (p, q) = (g.input(f32s(&[1])), g.input(f32s(&[1])));
    let sum = row(&mut g, &rows::ADD, &[p, q]);
    let flat = call(&mut g, Op::View(View::Reshape(Shape::SCALAR.into())), &[sum]);
    let exp = row(&mut g, &rows::SQUARE, &[flat]);
    let back = call(&mut g, Op::View(View::Reshape(Shape::new(&[1]).into())), &[exp]);
    update(&mut g, 0, back);
    update(&mut g, 1, sum);
    let (a, b) = (Buffer::from_slice(&[1f32]), Buffer::from_slice(&[2f32]));
    run(&plan(&g), &[a.clone(), b.clone()]).unwrap();
    assert_eq!((floats(&a, 1), floats(&b, 1)), (vec![9.0], vec![3.0]));
}

#[test]
fn a_chain_of_writes_into_regions_works_in_the_input_itself() {
    let mut g = Graph::default();
    let p = g.input(f32s(&[4]));
    let q = g.input(f32s(&[1]));
    let mut value = p;
    for offset in 0..3 {
        let region = Layout { offset, ..Layout::contiguous(Shape::new(&[1])) };
        value = call(&mut g, Op::Region(Box::new(AsStridedScatter::new(&region))), &[value, q]);
    }
    update(&mut g, 0, value);
    let plan = plan(&g);
    let (a, b) = (Buffer::from_slice(&[1f32, 2.0, 3.0, 4.0]), Buffer::from_slice(&[9f32]));
    run(&plan, &[a.clone(), b]).unwrap();
    assert_eq!(floats(&a, 4), [9.0, 9.0, 9.0, 4.0]);
    assert_eq!((plan.report.in_place, plan.report.late_copies, plan.report.slab_bytes), (3, 0, 0));
}

#[test]
fn a_strided_input_is_written_where_it_lies() {
    let mut g = Graph::default();
    let p = g.input(f32s(&[2]));
    let sum = row(&mut g, &rows::ADD, &[p, p]);
    update(&mut g, 0, sum);
    let strided = Layout { strides: Shape::new(&[2]), ..Layout::contiguous(Shape::new(&[2])) };
    let plan = Plan::new(&g, &[strided]).unwrap();
    let a = Buffer::from_slice(&[1f32, 7.0, 2.0]);
    run(&plan, std::slice::from_ref(&a)).unwrap();
    assert_eq!((floats(&a, 3), plan.report.steps), (vec![2.0, 7.0, 4.0], 1));
}

/// p becomes p + p; a read by index stands before or after, of the new value or not.
fn stepping(index_reads_new: bool) -> Graph {
    let mut g = Graph::default();
    let p = g.input(f32s(&[2]));
    let index = g.input(Fact::new(DType::I64, Shape::new(&[1])));
    let sum = row(&mut g, &rows::ADD, &[p, p]);
    let picked = select(&mut g, if index_reads_new { sum } else { p }, index);
    returns(&mut g, &[picked]);
    update(&mut g, 0, sum);
    g
}

#[test]
fn an_error_changes_no_input_wherever_it_comes_from() {
    for (index_reads_new, late) in [(false, 0), (true, 1)] {
        let plan = plan(&stepping(index_reads_new));
        let (a, bad) = (Buffer::from_slice(&[1f32, 2.0]), Buffer::from_slice(&[5i64]));
        run(&plan, &[a.clone(), bad]).unwrap_err();
        assert_eq!((floats(&a, 2), a.version()), (vec![1.0, 2.0], 0));
        run(&plan, &[a.clone(), Buffer::from_slice(&[1i64])]).unwrap();
        assert_eq!((floats(&a, 2), a.version()), (vec![2.0, 4.0], 1));
        assert_eq!(plan.report.late_copies, late);
    }
}

#[test]
fn an_operation_that_can_raise_is_kept_though_nobody_reads_it() {
    let mut g = Graph::default();
    let x = g.input(f32s(&[2]));
    let index = g.input(Fact::new(DType::I64, Shape::new(&[1])));
    let _unread = select(&mut g, x, index);
    let (exp, n) = (row(&mut g, &rows::EXP, &[x]), g.input(Fact::new(DType::I64, Shape::SCALAR)));
    let _float = row(&mut g, &rows::REMAINDER, &[x, x]);
    let _whole = row(&mut g, &rows::FLOOR_DIVIDE, &[n, n]);
    returns(&mut g, &[exp]);
    let (tidy, _) = pass::run(&g, TIDY).unwrap();
    let names: Vec<String> = tidy.to_string().lines().map(str::to_string).collect();
    let has = |name: &str| names.iter().any(|line| line.contains(name));
    assert!(has("index_select") && has("floor_divide") && !has("remainder"), "{names:?}");
}

#[test]
fn a_buffer_that_is_too_small_is_an_error() {
    let plan = plan(&stepping(false));
    let small = [Buffer::from_slice(&[1f32]), Buffer::from_slice(&[0i64])];
    assert!(run(&plan, &small).unwrap_err().to_string().contains("smaller than was recorded"));
}
