//! The dynamic graph, from Rust.
#![allow(missing_docs)]

mod common;

use common::{add, apply, leaf, mul, tensor};
use weft_core::op::Op;
use weft_core::op::pointwise::rows;
use weft_core::tape::{self, Backward};
use weft_core::{Error, Tensor, eager, mode};

fn backward(root: &Tensor) -> Result<(), Error> {
    let ask = Backward {
        roots: std::slice::from_ref(root),
        grads: &[None],
        inputs: None,
        retain_graph: false,
        create_graph: false,
    };
    tape::backward(&ask).map(|_| ())
}

#[test]
fn a_product_has_the_other_factor_as_gradient() {
    let (a, b) = (leaf(&[3.0], &[]), leaf(&[5.0], &[]));
    backward(&mul(&a, &b)).unwrap();
    assert_eq!(a.grad().unwrap().to_vec::<f32>(), [5.0]);
    assert_eq!(b.grad().unwrap().to_vec::<f32>(), [3.0]);
}

#[test]
fn a_million_nodes_are_built_differentiated_and_dropped_without_recursion() {
    let x = leaf(&[1.0], &[]);
    let one = tensor(&[1.0], &[]);
    let mut y = mul(&x, &one);
    for _ in 0..1_000_000 {
        y = add(&y, &one);
    }
    assert!(tape::live_nodes() > 1_000_000);
    backward(&y).unwrap();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [1.0]);
    drop(y);
    assert!(tape::live_nodes() < 1000);
}

#[test]
fn walking_twice_is_an_error_that_says_what_to_do() {
    let x = leaf(&[2.0], &[]);
    let y = mul(&x, &x);
    backward(&y).unwrap();
    let message = backward(&y).unwrap_err().message;
    assert!(message.contains("walked before") && message.contains("retain_graph=True"));
}

#[test]
fn a_saved_value_that_was_changed_is_an_error_that_names_both_operations() {
    let x = leaf(&[2.0, 3.0], &[2]);
    let y = apply(&rows::EXP, &[&x]);
    let z = add(&y, &y);
    let one = tensor(&[1.0, 1.0], &[2]);
    eager::call_into(&Op::Pointwise(&rows::ADD), &[&y, &one], std::slice::from_ref(&y)).unwrap();
    let seed = Some(tensor(&[1.0, 1.0], &[2]));
    let ask = Backward {
        roots: &[z],
        grads: &[seed],
        inputs: None,
        retain_graph: false,
        create_graph: false,
    };
    let message = tape::backward(&ask).unwrap_err().message;
    assert!(message.contains("saved by exp") && message.contains("by add_"), "{message}");
    assert!(x.grad().is_none());
}

#[test]
fn a_leaf_cannot_be_changed_in_place_while_gradients_are_recorded() {
    let x = leaf(&[2.0], &[]);
    let one = tensor(&[1.0], &[]);
    let op = Op::Pointwise(&rows::ADD);
    assert!(eager::call_into(&op, &[&x, &one], std::slice::from_ref(&x)).is_err());
    assert_eq!(x.to_vec::<f32>(), [2.0]);
    mode::with_grad(false, || eager::call_into(&op, &[&x, &one], std::slice::from_ref(&x)))
        .unwrap();
    assert_eq!(x.to_vec::<f32>(), [3.0]);
}

#[test]
fn nothing_is_recorded_without_a_gradient_wish() {
    let a = tensor(&[1.0], &[]);
    let b = mode::with_grad(false, || mul(&leaf(&[1.0], &[]), &a));
    assert!(!b.requires_grad() && mul(&a, &a).node().unwrap().is_none());
}

#[test]
fn a_node_of_forty_inputs_gives_each_its_gradient() {
    let leaves: Vec<Tensor> = (0..40).map(|i| leaf(&[i as f32], &[1])).collect();
    let inputs: Vec<&Tensor> = leaves.iter().collect();
    let all = eager::call1(&Op::Cat(weft_core::op::join::Cat { dim: 0 }), &inputs).unwrap();
    let squares = mul(&all, &all);
    let ask = Backward {
        roots: std::slice::from_ref(&squares),
        grads: &[Some(tensor(&[1.0; 40], &[40]))],
        inputs: None,
        retain_graph: false,
        create_graph: false,
    };
    tape::backward(&ask).unwrap();
    for (i, x) in leaves.iter().enumerate() {
        assert_eq!(x.grad().unwrap().to_vec::<f32>(), [2.0 * i as f32]);
    }
}
