//! What torch makes of several operations, said to an emitter.

use weft_kernels::Shape;

use super::Op;
use super::emit::{Emit, Val};
use super::matmul::Matmul;
use crate::ensure;
use crate::error::Result;

/// The matrix product of factors of any rank. A factor of one dimension is a row on the left and
/// a column on the right, and its dimension of size 1 is not in the result; a batch of matrices
/// times one matrix is one product.
pub fn matmul(e: &mut dyn Emit, a: Val, b: Val) -> Result<Val> {
    let (left, right) = (e.fact(a).shape, e.fact(b).shape);
    ensure!(
        !left.is_empty() && !right.is_empty(),
        "matmul",
        "expected at least 1 dimension each, got {left} x {right}"
    );
    if left.len() == 2 && right.len() == 2 {
        return e.matmul(a, b);
    }
    let a = if left.len() == 1 { e.reshape(a, Shape::new(&[1, left[0]]))? } else { a };
    let b = if right.len() == 1 { e.reshape(b, Shape::new(&[right[0], 1]))? } else { b };
    let product = if left.len() > 2 && right.len() <= 2 {
        let columns = e.fact(b).shape[1];
        over_rows(e, a, columns, |e, rows| e.matmul(rows, b))?
    } else {
        e.matmul(a, b)?
    };
    let mut shape = e.fact(product).shape;
    if right.len() == 1 {
        shape.remove(shape.len() - 1);
    }
    if left.len() == 1 {
        shape.remove(shape.len() - if right.len() == 1 { 1 } else { 2 });
    }
    e.reshape(product, shape)
}

/// `x @ weight.T + bias` over the last dimension of `x`.
pub fn linear(e: &mut dyn Emit, x: Val, weight: Val, bias: Option<Val>) -> Result<Val> {
    let (own, shape) = (e.fact(x).shape, e.fact(weight).shape);
    ensure!(
        shape.len() == 2 && own.last() == Some(&shape[1]),
        "linear",
        "inner dimensions differ, expected [*, in] and [out, in], got {own} and {shape}"
    );
    let product = Op::Matmul(Matmul { a_transposed: false, b_transposed: true });
    over_rows(e, x, shape[0], |e, rows| {
        let out = e.one(product, &[rows, weight])?;
        bias.map_or(Ok(out), |bias| e.add(out, bias))
    })
}

/// Applies `body` to the matrix of the rows of `x`; it makes rows of `size`.
fn over_rows(
    e: &mut dyn Emit,
    x: Val,
    size: usize,
    body: impl FnOnce(&mut dyn Emit, Val) -> Result<Val>,
) -> Result<Val> {
    let mut shape = e.fact(x).shape;
    let last = shape.len() - 1;
    let rows = shape[..last].iter().product();
    let matrix = e.reshape(x, Shape::new(&[rows, shape[last]]))?;
    let result = body(e, matrix)?;
    shape[last] = size;
    e.reshape(result, shape)
}
