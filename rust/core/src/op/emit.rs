//! Where a rule's arithmetic goes.

use smallvec::SmallVec;
use weft_kernels::{DType, Scalar, Shape};

use super::Op;
use super::cast::Cast;
use super::create::Create;
use super::matmul::Matmul;
use super::pointwise::{Row, rows};
use super::reduce::{Reduce, ReduceKind};
use super::view::View;
use crate::error::Result;
use crate::fact::Fact;

/// A value, as rules see it: a handle that only its emitter can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Val(pub u32);

/// The results of one operation: mostly one.
pub type Vals = SmallVec<[Val; 1]>;

/// Accepts operations: computes them at once, or appends them to a graph.
pub trait Emit {
    /// Applies `op` to `inputs`.
    fn emit(&mut self, op: Op, inputs: &[Val]) -> Result<Vals>;
    /// What is known of a value.
    fn fact(&self, value: Val) -> Fact;
}

macro_rules! unary {
    ($($name:ident $row:ident),* $(,)?) => {
        $(#[doc = concat!("`", stringify!($name), "(x)`.")]
        pub fn $name(&mut self, x: Val) -> Result<Val> {
            self.pointwise(&rows::$row, &[x])
        })*
    };
}

macro_rules! binary {
    ($($name:ident $row:ident),* $(,)?) => {
        $(#[doc = concat!("`", stringify!($name), "(a, b)`, broadcasting; equal dtypes.")]
        pub fn $name(&mut self, a: Val, b: Val) -> Result<Val> {
            self.pointwise(&rows::$row, &[a, b])
        })*
    };
}

/// What rules say to an emitter.
impl dyn Emit + '_ {
    /// Applies an operation with one result.
    pub fn one(&mut self, op: Op, inputs: &[Val]) -> Result<Val> {
        Ok(self.emit(op, inputs)?[0])
    }

    /// Applies a pointwise row.
    pub fn pointwise(&mut self, row: &'static Row, inputs: &[Val]) -> Result<Val> {
        self.one(Op::Pointwise(row), inputs)
    }

    unary! {
        neg NEG, abs ABS, sign SIGN, exp EXP, log LOG, sqrt SQRT, sin SIN, cos COS,
        reciprocal RECIPROCAL, sigmoid SIGMOID, tanh TANH, erf ERF, square SQUARE,
        floor FLOOR,
    }

    binary! {
        add ADD, sub SUB, mul MUL, div DIV, pow POW, eq EQ, ne NE, gt GT, ge GE, lt LT, le LE,
        maximum MAXIMUM, logical_and LOGICAL_AND, floor_divide FLOOR_DIVIDE,
    }

    /// The conjugate; of real numbers they themselves.
    pub fn conj(&mut self, x: Val) -> Result<Val> {
        if self.fact(x).dtype.is_complex() { self.pointwise(&rows::CONJ, &[x]) } else { Ok(x) }
    }

    /// `a` where `cond`, else `b`.
    pub fn select(&mut self, cond: Val, a: Val, b: Val) -> Result<Val> {
        self.pointwise(&rows::WHERE, &[cond, a, b])
    }

    /// A single number of `dtype`.
    pub fn scalar(&mut self, value: f64, dtype: DType) -> Result<Val> {
        self.full(Scalar::Float(value), dtype, Shape::SCALAR)
    }

    /// A single number of the dtype of `like`.
    pub fn scalar_like(&mut self, value: f64, like: Val) -> Result<Val> {
        let dtype = self.fact(like).dtype;
        self.scalar(value, dtype)
    }

    /// The same number everywhere.
    pub fn full(&mut self, value: Scalar, dtype: DType, shape: Shape) -> Result<Val> {
        self.one(Op::Create(Create::full(shape, dtype, value)), &[])
    }

    /// Zeros of this fact.
    pub fn zeros(&mut self, fact: Fact) -> Result<Val> {
        self.full(Scalar::Int(0), fact.dtype, fact.shape)
    }

    /// `x + value`.
    pub fn add_scalar(&mut self, x: Val, value: f64) -> Result<Val> {
        let s = self.scalar_like(value, x)?;
        self.add(x, s)
    }

    /// `x * value`.
    pub fn mul_scalar(&mut self, x: Val, value: f64) -> Result<Val> {
        let s = self.scalar_like(value, x)?;
        self.mul(x, s)
    }

    /// `value - x`.
    pub fn rsub_scalar(&mut self, value: f64, x: Val) -> Result<Val> {
        let s = self.scalar_like(value, x)?;
        self.sub(s, x)
    }

    /// Another element type.
    pub fn cast(&mut self, x: Val, dtype: DType) -> Result<Val> {
        if self.fact(x).dtype == dtype {
            return Ok(x);
        }
        self.one(Op::Cast(Cast { dtype }), &[x])
    }

    /// The same elements under another shape.
    pub fn reshape(&mut self, x: Val, shape: Shape) -> Result<Val> {
        if self.fact(x).shape == shape {
            return Ok(x);
        }
        self.one(Op::View(View::Reshape(shape.into())), &[x])
    }

    /// Repeated along dimensions of size 1 and new leading ones.
    pub fn expand(&mut self, x: Val, shape: Shape) -> Result<Val> {
        if self.fact(x).shape == shape {
            return Ok(x);
        }
        self.one(Op::View(View::Expand(shape.into())), &[x])
    }

    /// Dimensions reordered.
    pub fn permute(&mut self, x: Val, order: Shape) -> Result<Val> {
        self.one(Op::View(View::Permute(order)), &[x])
    }

    /// The last two dimensions exchanged.
    pub fn transpose(&mut self, x: Val) -> Result<Val> {
        let n = self.fact(x).shape.len();
        let mut order: Shape = (0..n).collect();
        order.swap(n - 1, n - 2);
        self.permute(x, order)
    }

    /// A range of indices along `dim`.
    pub fn slice(&mut self, x: Val, dim: usize, start: usize, len: usize) -> Result<Val> {
        self.one(Op::View(View::Slice { dim, start: start.into(), len: len.into(), step: 1 }), &[x])
    }

    /// The matrix product.
    pub fn matmul(&mut self, a: Val, b: Val) -> Result<Val> {
        self.one(Op::Matmul(Matmul::default()), &[a, b])
    }

    /// A reduction over the dimensions in the bit mask `dims`.
    pub fn reduce(&mut self, kind: ReduceKind, x: Val, dims: u32, keepdim: bool) -> Result<Val> {
        self.one(Op::Reduce(Reduce { kind, dims, keepdim }), &[x])
    }

    /// Sum over what broadcasting to `x` repeated, so that the result has `shape`.
    pub fn sum_to(&mut self, x: Val, shape: Shape) -> Result<Val> {
        let from = self.fact(x).shape;
        if from == shape {
            return Ok(x);
        }
        let lead = from.len() - shape.len();
        let mut dims = (1u32 << lead) - 1;
        for d in 0..shape.len() {
            if shape[d] == 1 && from[d + lead] != 1 {
                dims |= 1 << (d + lead);
            }
        }
        let summed = if dims == 0 { x } else { self.reduce(ReduceKind::Sum, x, dims, false)? };
        self.reshape(summed, shape)
    }
}
