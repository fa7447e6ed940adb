//! Rows on tensors and numbers of any dtype, from Rust.
#![allow(missing_docs)]

mod common;

use common::{leaf, tensor};
use weft_core::eager::{Operand, pointwise, pointwise_into};
use weft_core::error::ErrorKind;
use weft_core::op::pointwise::{Row, rows};
use weft_core::site::Site;
use weft_core::tape::{self, Backward};
use weft_core::{Result, Tensor, record};
use weft_kernels::{DType, Layout, Scalar, Shape};

fn float(x: f64) -> Operand<'static> {
    Operand::Number(Scalar::Float(x))
}

fn int(x: i64) -> Operand<'static> {
    Operand::Number(Scalar::Int(x))
}

fn bytes(data: &[u8]) -> Tensor {
    Tensor::from_slice(data, Shape::new(&[data.len()]))
}

fn both(row: &'static Row, x: &Tensor, y: Operand) -> Result<Tensor> {
    pointwise(row, &[Operand::Tensor(x), y])
}

#[test]
fn a_number_takes_the_dtype_of_a_tensor_unless_its_kind_is_higher() {
    let x = bytes(&[1, 2]);
    let doubled = both(&rows::MUL, &x, int(2)).unwrap();
    assert_eq!(doubled.to_vec::<u8>(), [2, 4]);
    let scaled = both(&rows::MUL, &x, float(2.5)).unwrap();
    assert_eq!(scaled.to_vec::<f32>(), [2.5, 5.0]);
    let reals =
        both(&rows::ADD, &Tensor::from_slice(&[0.5], Shape::new(&[1])), float(0.1)).unwrap();
    assert_eq!(reals.to_vec::<f64>(), [0.6]);
}

#[test]
fn tensors_of_two_dtypes_and_a_number_meet() {
    let condition = both(&rows::GT, &bytes(&[0, 3]), int(1)).unwrap();
    assert_eq!(condition.dtype(), DType::Bool);
    let x = tensor(&[1.5, 2.5], &[2]);
    let given = [Operand::Tensor(&condition), Operand::Tensor(&x), float(-1.0)];
    assert_eq!(pointwise(&rows::WHERE, &given).unwrap().to_vec::<f32>(), [-1.0, 2.5]);
    let mixed = both(&rows::ADD, &x, Operand::Tensor(&bytes(&[1, 2]))).unwrap();
    assert_eq!(mixed.to_vec::<f32>(), [2.5, 4.5]);
}

#[test]
fn numbers_out_of_range_wrap_compare_limit_or_are_refused() {
    let x = bytes(&[1, 200]);
    assert_eq!(both(&rows::ADD, &x, int(300)).unwrap().to_vec::<u8>(), [45, 244]);
    assert_eq!(both(&rows::LT, &x, int(300)).unwrap().to_vec::<u8>(), [1, 1]);
    assert_eq!(both(&rows::CLAMP_MAX, &x, int(300)).unwrap().to_vec::<u8>(), [1, 200]);
    let error = both(&rows::MAXIMUM, &x, int(300)).unwrap_err();
    assert_eq!(error.message, "maximum: number out of range, expected 0 to 255 for uint8, got 300");
}

#[test]
fn a_number_divides_whole_ones_unless_it_is_zero() {
    let x = bytes(&[7, 9]);
    assert_eq!(both(&rows::FLOOR_DIVIDE, &x, int(2)).unwrap().to_vec::<u8>(), [3, 4]);
    let error = both(&rows::FLOOR_DIVIDE, &x, int(0)).unwrap_err();
    assert_eq!(error.message, "floor_divide: integer division by zero");
    let error = both(&rows::POW, &x, int(-1)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Runtime);
}

#[test]
fn views_of_any_strides_are_multiplied() {
    let x = tensor(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &[3, 2]);
    let turned = x.alias(x.layout().permute(&[1, 0]));
    assert_eq!(
        both(&rows::MUL, &turned, float(2.0)).unwrap().to_vec::<f32>(),
        [2.0, 6.0, 10.0, 4.0, 8.0, 12.0]
    );
    let row = x.alias(Layout { offset: 2, ..Layout::contiguous(Shape::new(&[2])) });
    assert_eq!(both(&rows::MUL, &row, float(2.0)).unwrap().to_vec::<f32>(), [6.0, 8.0]);
}

/// Buffers are numbered: where nothing stands between two results, nothing was made.
#[test]
fn a_number_needs_no_memory() {
    let x = tensor(&[1.0, 2.0], &[2]);
    let next = || {
        let (one, two) = (both(&rows::MUL, &x, float(2.0)), both(&rows::MUL, &x, float(3.0)));
        two.unwrap().buffer().id() - one.unwrap().buffer().id()
    };
    assert!((0..1000).any(|_| next() == 1));
}

#[test]
fn a_gradient_reads_the_number_that_its_rule_saves() {
    let x = leaf(&[3.0, 4.0], &[2]);
    let product = both(&rows::MUL, &x, float(2.5)).unwrap();
    let sum = pointwise(&rows::SUB, &[float(1.0), Operand::Tensor(&product)]).unwrap();
    let one = tensor(&[1.0, 10.0], &[2]);
    let ask = Backward {
        roots: &[sum],
        grads: &[Some(one)],
        inputs: None,
        retain_graph: false,
        create_graph: false,
    };
    tape::backward(&ask).unwrap();
    assert_eq!(x.grad().unwrap().to_vec::<f32>(), [-2.5, -25.0]);
}

#[test]
fn a_write_in_place_counts_as_a_change_and_keeps_the_rules() {
    let x = tensor(&[1.0, 2.0], &[2]);
    pointwise_into(&rows::MUL, &x, &[Operand::Tensor(&x), float(2.0)]).unwrap();
    assert_eq!((x.to_vec::<f32>(), x.buffer().version()), (vec![2.0, 4.0], 1));
    let (whole, half) = (bytes(&[1]), float(0.5));
    let error = pointwise_into(&rows::MUL, &whole, &[Operand::Tensor(&whole), half]).unwrap_err();
    assert!(error.message.contains("does not fit in place, expected uint8"), "{}", error.message);
    let leaf = leaf(&[1.0], &[1]);
    let given = [Operand::Tensor(&leaf), float(2.0)];
    let error = pointwise_into(&rows::MUL, &leaf, &given).unwrap_err();
    assert!(error.message.contains("a leaf that requires a gradient"), "{}", error.message);
    assert_eq!(leaf.to_vec::<f32>(), [1.0]);
}

/// An input that a write would destroy under the eyes of the kernel is copied.
#[test]
fn a_write_over_another_part_of_the_memory_that_is_read() {
    let whole = tensor(&[1.0, 2.0, 3.0], &[3]);
    let low = whole.alias(whole.layout().slice(0, 0, 2, 1));
    let high = whole.alias(whole.layout().slice(0, 1, 2, 1));
    let given = [Operand::Tensor(&low), Operand::Tensor(&high), float(0.0)];
    pointwise_into(&rows::CLAMP_TENSOR, &high, &given).unwrap();
    assert_eq!(whole.to_vec::<f32>(), [1.0, 0.0, 0.0]);
}

#[test]
fn a_recording_sees_numbers_as_constants() {
    let x = tensor(&[1.0, 2.0], &[2]);
    record::start(std::slice::from_ref(&x), || Site::intern("here.py:1")).unwrap();
    let y = both(&rows::MUL, &x, float(2.0)).unwrap();
    let text = record::finish(&[y], &[]).unwrap().graph.to_string();
    assert!(text.contains("full(value=2.0") && text.contains("mul("), "{text}");
}
