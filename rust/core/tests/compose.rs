//! Products of any rank, computed at once, recorded, and appended to a graph by hand.
#![allow(missing_docs)]

mod common;

use common::{f32s, leaf, tensor};
use weft_core::eager::Eager;
use weft_core::graph::{Builder, Graph};
use weft_core::op::{Emit, Val, compose};
use weft_core::site::Site;
use weft_core::tape::{self, Backward};
use weft_core::{Result, Tensor, record};

type Rule = fn(&mut dyn Emit, &[Val]) -> Result<Val>;

const MATMUL: Rule = |e, of| compose::matmul(e, of[0], of[1]);
const LINEAR: Rule = |e, of| compose::linear(e, of[0], of[1], of.get(2).copied());

/// 0, 1, 2, … as a tensor.
fn counted(dims: &[usize]) -> Tensor {
    let data: Vec<f32> = (0..dims.iter().product()).map(|i| i as f32).collect();
    tensor(&data, dims)
}

fn computed(rule: Rule, shapes: &[&[usize]]) -> Tensor {
    let inputs: Vec<Tensor> = shapes.iter().map(|dims| counted(dims)).collect();
    Eager::compose(&inputs.iter().collect::<Vec<_>>(), rule).unwrap()
}

fn refused(rule: Rule, shapes: &[&[usize]]) -> String {
    let inputs: Vec<Tensor> = shapes.iter().map(|dims| counted(dims)).collect();
    Eager::compose(&inputs.iter().collect::<Vec<_>>(), rule).unwrap_err().message
}

/// The calls of a graph, without their lines.
fn calls(graph: &Graph) -> Vec<String> {
    let text = graph.to_string();
    let line = |line: &str| line.split("  #").next().unwrap_or_default().to_string();
    text.lines().filter(|l| l.starts_with('%')).map(line).collect()
}

#[test]
fn factors_of_every_rank() {
    let cases: [(&[usize], &[usize], &[usize]); 8] = [
        (&[3], &[3], &[]),
        (&[3], &[3, 4], &[4]),
        (&[2, 3], &[3], &[2]),
        (&[2, 3], &[3, 4], &[2, 4]),
        (&[5, 2, 3], &[3], &[5, 2]),
        (&[5, 2, 3], &[3, 4], &[5, 2, 4]),
        (&[3], &[5, 3, 4], &[5, 4]),
        (&[6, 1, 2, 3], &[5, 3, 0], &[6, 5, 2, 0]),
    ];
    for (a, b, expected) in cases {
        assert_eq!(&computed(MATMUL, &[a, b]).shape()[..], expected, "{a:?} x {b:?}");
    }
    assert_eq!(computed(MATMUL, &[&[3], &[3]]).to_vec::<f32>(), [5.0]);
    assert_eq!(computed(MATMUL, &[&[2, 2], &[2]]).to_vec::<f32>(), [1.0, 3.0]);
    assert_eq!(computed(MATMUL, &[&[2], &[2, 2]]).to_vec::<f32>(), [2.0, 3.0]);
}

#[test]
fn a_linear_layer_of_inputs_of_every_rank() {
    for lead in [&[][..], &[4], &[4, 5], &[0, 5]] {
        let x = [lead, &[3]].concat();
        let expected = [lead, &[2]].concat();
        assert_eq!(&computed(LINEAR, &[&x, &[2, 3], &[2]]).shape()[..], expected, "{x:?}");
        assert_eq!(&computed(LINEAR, &[&x, &[2, 3]]).shape()[..], expected, "{x:?}");
    }
    let y = computed(LINEAR, &[&[3], &[2, 3], &[2]]);
    assert_eq!(y.to_vec::<f32>(), [5.0, 15.0]);
}

#[test]
fn factors_that_do_not_fit() {
    let scalar = "matmul: expected at least 1 dimension each, got [] x [3]";
    assert_eq!(refused(MATMUL, &[&[], &[3]]), scalar);
    let inner = "matmul: inner dimensions differ, expected [*, 3] x [3, *], got [2, 3] x [2, 3]";
    assert_eq!(refused(MATMUL, &[&[2, 3], &[2, 3]]), inner);
    let inner =
        "linear: inner dimensions differ, expected [*, in] and [out, in], got [2, 3] and [3, 2]";
    assert_eq!(refused(LINEAR, &[&[2, 3], &[3, 2]]), inner);
    assert!(refused(LINEAR, &[&[], &[3, 2]]).starts_with("linear: inner dimensions differ"));
}

/// A graph by hand holds what a recording of the eager run holds.
#[test]
fn an_importer_makes_the_graph_that_a_recording_makes() {
    let cases: [(Rule, &[&[usize]]); 6] = [
        (MATMUL, &[&[2, 3], &[3, 4]]),
        (MATMUL, &[&[3], &[3]]),
        (MATMUL, &[&[5, 2, 3], &[3, 4]]),
        (MATMUL, &[&[5, 2, 3], &[3]]),
        (LINEAR, &[&[2, 3], &[4, 3], &[4]]),
        (LINEAR, &[&[5, 2, 3], &[4, 3], &[4]]),
    ];
    for (rule, shapes) in cases {
        let inputs: Vec<Tensor> = shapes.iter().map(|dims| counted(dims)).collect();
        record::start(&inputs, || Site::intern("here.py:1")).unwrap();
        let result = Eager::compose(&inputs.iter().collect::<Vec<_>>(), rule).unwrap();
        let recorded = record::finish(&[result], &[]).unwrap().graph;
        let mut graph = Graph::default();
        let of: Vec<Val> = shapes.iter().map(|dims| Val(graph.input(f32s(dims)).0)).collect();
        rule(&mut Builder { graph: &mut graph, site: Site::UNKNOWN }, &of).unwrap();
        assert_eq!(calls(&graph), calls(&recorded));
    }
}

#[test]
fn gradients_of_a_linear_layer() {
    let (x, w) = (leaf(&[1.0, 2.0, 3.0], &[1, 1, 3]), leaf(&[4.0, 5.0, 6.0], &[1, 3]));
    let b = leaf(&[0.5], &[1]);
    let y = Eager::compose(&[&x, &w, &b], LINEAR).unwrap();
    assert_eq!(y.to_vec::<f32>(), [32.5]);
    let ask = Backward {
        roots: &[y],
        grads: &[None],
        inputs: None,
        retain_graph: false,
        create_graph: false,
    };
    tape::backward(&ask).unwrap();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [4.0, 5.0, 6.0]);
    assert_eq!(w.grad().unwrap().to_vec::<f32>(), [1.0, 2.0, 3.0]);
    assert_eq!(b.grad().unwrap().to_vec::<f32>(), [1.0]);
}
