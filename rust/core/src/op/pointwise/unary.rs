//! Operations on one element.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI, PI};

use weft_kernels::tile;

use super::{Grad, Out, Row};
use crate::op::simplify::{Simpler, keep};
use crate::op::{Known, Op, Saves};

const X: Saves = Saves::inputs(&[0]);
const Y: Saves = Saves::outputs(&[0]);
const TAILS: &[f64] = &[
    -1e4,
    -103.0,
    -88.0,
    -20.0,
    -1.0,
    -1e-3,
    -0.0,
    1e-3,
    1.0,
    20.0,
    88.0,
    89.0,
    1e4,
    f64::INFINITY,
    f64::NEG_INFINITY,
    f64::NAN,
];
const ZERO: &[Grad] = &[Grad::Zero];
const BOOLEAN: &[Grad] = &[Grad::None("its result is boolean")];

/// Every row of this file.
pub(super) static ROWS: &[&Row] = &[
    &NEG,
    &CONJ,
    &ABS,
    &SIGN,
    &SQUARE,
    &FLOOR,
    &CEIL,
    &ROUND,
    &TRUNC,
    &EXP,
    &EXPM1,
    &LOG,
    &LOG1P,
    &SQRT,
    &ROOT,
    &RSQRT,
    &RECIPROCAL,
    &SIN,
    &COS,
    &TANH,
    &SIGMOID,
    &ERF,
    &RELU,
    &GELU,
    &GELU_TANH,
    &SILU,
    &SOFTPLUS,
    &ISNAN,
    &ISINF,
    &ISFINITE,
    &LOGICAL_NOT,
];

const _: () = assert!(super::complete(ROWS));

/// The producer's input, if this operation undoes itself.
fn involution(known: &dyn Known, row: &'static Row) -> Option<Simpler> {
    match known.producer(0)? {
        (Op::Pointwise(inner), inputs) if *inner == row => Some(Simpler::Value(inputs[0])),
        _ => None,
    }
}

/// The input itself, where it holds whole numbers already.
fn whole(known: &dyn Known) -> Option<Simpler> {
    if known.fact(0).dtype.is_whole() { keep(known, 0) } else { None }
}

/// Negation.
pub static NEG: Row = Row {
    name: "neg",
    doc: "-x.",
    tile: &tile::NEG,
    complex: true,
    grads: &[Grad::Of(Saves::NONE, |e, _, g| e.neg(g))],
    simplify: |known| involution(known, &NEG),
    ..Row::UNARY
};

/// Complex conjugate.
pub static CONJ: Row = Row {
    name: "conj",
    doc: "The complex conjugate of x; a real number is its own.",
    tile: &tile::CONJ,
    complex: true,
    grads: &[Grad::Of(Saves::NONE, |e, _, g| e.conj(g))],
    simplify: |known| {
        if known.fact(0).dtype.is_complex() { involution(known, &CONJ) } else { None }
    },
    ..Row::UNARY
};

/// Absolute value.
pub static ABS: Row = Row {
    name: "abs",
    doc: "|x|; the gradient at 0 is 0.",
    tile: &tile::ABS,
    out: Out::Real,
    grads: &[Grad::Of(X, |e, io, g| {
        let sign = e.sign(io.input(0))?;
        e.mul(g, sign)
    })],
    domain: &[(0.3, 2.0)],
    ..Row::UNARY
};

/// Sign.
pub static SIGN: Row = Row {
    name: "sign",
    doc: "-1, 0 or 1; 0 of NaN.",
    tile: &tile::SIGN,
    grads: ZERO,
    domain: &[(0.3, 2.0)],
    ..Row::UNARY
};

/// Square.
pub static SQUARE: Row = Row {
    name: "square",
    doc: "x * x.",
    tile: &tile::SQUARE,
    complex: true,
    grads: &[Grad::Of(X, |e, io, g| {
        let slope = e.conj(io.input(0))?;
        let twice = e.mul_scalar(slope, 2.0)?;
        e.mul(g, twice)
    })],
    ..Row::UNARY
};

/// Largest whole number not above.
pub static FLOOR: Row = Row {
    name: "floor",
    doc: "Largest whole number not above x.",
    tile: &tile::FLOOR,
    grads: ZERO,
    simplify: whole,
    domain: &[(0.1, 0.9)],
    ..Row::UNARY
};

/// Smallest whole number not below.
pub static CEIL: Row = Row {
    name: "ceil",
    doc: "Smallest whole number not below x.",
    tile: &tile::CEIL,
    grads: ZERO,
    simplify: whole,
    domain: &[(0.1, 0.9)],
    ..Row::UNARY
};

/// Nearest whole number.
pub static ROUND: Row = Row {
    name: "round",
    doc: "Nearest whole number, halves to even.",
    tile: &tile::ROUND,
    grads: ZERO,
    simplify: whole,
    domain: &[(0.6, 1.4)],
    ..Row::UNARY
};

/// Whole part.
pub static TRUNC: Row = Row {
    name: "trunc",
    doc: "Whole part of x.",
    tile: &tile::TRUNC,
    grads: ZERO,
    simplify: whole,
    domain: &[(0.1, 0.9)],
    ..Row::UNARY
};

/// Exponential.
pub static EXP: Row = Row {
    name: "exp",
    doc: "e to the power x.",
    tile: &tile::EXP,
    grads: &[Grad::Of(Y, |e, io, g| e.mul(g, io.output(0)))],
    flops: 10,
    ulps: 1.0,
    special: TAILS,
    ..Row::UNARY
};

/// Exponential minus one.
pub static EXPM1: Row = Row {
    name: "expm1",
    doc: "exp(x) - 1 without cancellation near 0.",
    tile: &tile::EXPM1,
    grads: &[Grad::Of(Y, |e, io, g| {
        let exp = e.add_scalar(io.output(0), 1.0)?;
        e.mul(g, exp)
    })],
    flops: 12,
    ulps: 2.0,
    special: TAILS,
    ..Row::UNARY
};

/// Natural logarithm.
pub static LOG: Row = Row {
    name: "log",
    doc: "Natural logarithm; -inf at 0, NaN below.",
    tile: &tile::LOG,
    grads: &[Grad::Of(X, |e, io, g| e.div(g, io.input(0)))],
    flops: 10,
    ulps: 1.0,
    domain: &[(0.3, 3.0)],
    ..Row::UNARY
};

/// Logarithm of one plus.
pub static LOG1P: Row = Row {
    name: "log1p",
    doc: "log(1 + x) without cancellation near 0.",
    tile: &tile::LOG1P,
    grads: &[Grad::Of(X, |e, io, g| {
        let d = e.add_scalar(io.input(0), 1.0)?;
        e.div(g, d)
    })],
    flops: 12,
    ulps: 2.0,
    domain: &[(-0.5, 3.0)],
    ..Row::UNARY
};

/// Square root.
pub static SQRT: Row = Row {
    name: "sqrt",
    doc: "Square root, correctly rounded.",
    tile: &tile::SQRT,
    grads: &[Grad::Of(Y, |e, io, g| {
        let twice = e.mul_scalar(io.output(0), 2.0)?;
        e.div(g, twice)
    })],
    flops: 4,
    domain: &[(0.3, 3.0)],
    ..Row::UNARY
};

/// Square root of a sum of squares.
pub static ROOT: Row = Row {
    name: "root",
    doc: "Square root with gradient 0 at 0: what norms and standard deviations end in.",
    tile: &tile::SQRT,
    grads: &[Grad::Of(Y, |e, io, g| {
        let y = io.output(0);
        let twice = e.mul_scalar(y, 2.0)?;
        let zero = e.scalar_like(0.0, y)?;
        let endless = e.scalar_like(f64::INFINITY, y)?;
        let flat = e.eq(y, zero)?;
        let steep = e.select(flat, endless, twice)?;
        e.div(g, steep)
    })],
    flops: 4,
    domain: &[(0.3, 3.0)],
    ..Row::UNARY
};

/// Reciprocal square root.
pub static RSQRT: Row = Row {
    name: "rsqrt",
    doc: "1 / sqrt(x).",
    tile: &tile::RSQRT,
    grads: &[Grad::Of(Y, |e, io, g| {
        let y = io.output(0);
        let squared = e.square(y)?;
        let cubed = e.mul(squared, y)?;
        let slope = e.mul_scalar(cubed, -0.5)?;
        e.mul(g, slope)
    })],
    flops: 6,
    ulps: 1.5,
    domain: &[(0.3, 3.0)],
    ..Row::UNARY
};

/// Reciprocal.
pub static RECIPROCAL: Row = Row {
    name: "reciprocal",
    doc: "1 / x.",
    tile: &tile::RECIPROCAL,
    grads: &[Grad::Of(Y, |e, io, g| {
        let squared = e.square(io.output(0))?;
        let slope = e.neg(squared)?;
        e.mul(g, slope)
    })],
    domain: &[(0.4, 3.0)],
    ..Row::UNARY
};

/// Sine.
pub static SIN: Row = Row {
    name: "sin",
    doc: "Sine of x radians.",
    tile: &tile::SIN,
    grads: &[Grad::Of(X, |e, io, g| {
        let cos = e.cos(io.input(0))?;
        e.mul(g, cos)
    })],
    flops: 12,
    ulps: 2.0,
    ..Row::UNARY
};

/// Cosine.
pub static COS: Row = Row {
    name: "cos",
    doc: "Cosine of x radians.",
    tile: &tile::COS,
    grads: &[Grad::Of(X, |e, io, g| {
        let sin = e.sin(io.input(0))?;
        let slope = e.neg(sin)?;
        e.mul(g, slope)
    })],
    flops: 12,
    ulps: 2.0,
    ..Row::UNARY
};

/// Hyperbolic tangent.
pub static TANH: Row = Row {
    name: "tanh",
    doc: "Hyperbolic tangent.",
    tile: &tile::TANH,
    grads: &[Grad::Of(Y, |e, io, g| {
        let squared = e.square(io.output(0))?;
        let slope = e.rsub_scalar(1.0, squared)?;
        e.mul(g, slope)
    })],
    flops: 12,
    ulps: 3.0,
    special: TAILS,
    ..Row::UNARY
};

/// Logistic function.
pub static SIGMOID: Row = Row {
    name: "sigmoid",
    doc: "1 / (1 + exp(-x)).",
    tile: &tile::SIGMOID,
    grads: &[Grad::Of(Y, |e, io, g| {
        let y = io.output(0);
        let rest = e.rsub_scalar(1.0, y)?;
        let slope = e.mul(y, rest)?;
        e.mul(g, slope)
    })],
    flops: 12,
    ulps: 3.0,
    special: TAILS,
    ..Row::UNARY
};

/// Error function.
pub static ERF: Row = Row {
    name: "erf",
    doc: "The error function.",
    tile: &tile::ERF,
    grads: &[Grad::Of(X, |e, io, g| {
        let squared = e.square(io.input(0))?;
        let minus = e.neg(squared)?;
        let bell = e.exp(minus)?;
        let slope = e.mul_scalar(bell, FRAC_2_SQRT_PI)?;
        e.mul(g, slope)
    })],
    flops: 16,
    ulps: 2.0,
    ..Row::UNARY
};

/// Rectified linear unit.
pub static RELU: Row = Row {
    name: "relu",
    doc: "max(x, 0); the gradient at 0 is 0.",
    tile: &tile::RELU,
    grads: &[Grad::Of(Y, |e, io, g| {
        let zero = e.scalar_like(0.0, g)?;
        let dead = e.le(io.output(0), zero)?;
        e.select(dead, zero, g)
    })],
    domain: &[(0.3, 2.0)],
    ..Row::UNARY
};

/// Gaussian error linear unit.
pub static GELU: Row = Row {
    name: "gelu",
    doc: "x * (1 + erf(x / sqrt(2))) / 2 (Hendrycks and Gimpel 2016).",
    tile: &tile::GELU,
    grads: &[Grad::Of(X, |e, io, g| {
        let x = io.input(0);
        let scaled = e.mul_scalar(x, FRAC_1_SQRT_2)?;
        let erf = e.erf(scaled)?;
        let above = e.add_scalar(erf, 1.0)?;
        let cdf = e.mul_scalar(above, 0.5)?;
        let squared = e.square(x)?;
        let half = e.mul_scalar(squared, -0.5)?;
        let bell = e.exp(half)?;
        let pdf = e.mul_scalar(bell, 1.0 / (2.0 * PI).sqrt())?;
        let moved = e.mul(x, pdf)?;
        let slope = e.add(cdf, moved)?;
        e.mul(g, slope)
    })],
    flops: 18,
    ulps: 4.0,
    special: TAILS,
    ..Row::UNARY
};

/// The tanh approximation of [`GELU`].
pub static GELU_TANH: Row = Row {
    name: "gelu_tanh",
    doc: "x * (1 + tanh(sqrt(2/pi) * (x + 0.044715 x^3))) / 2.",
    tile: &tile::GELU_TANH,
    grads: &[Grad::Of(X, |e, io, g| {
        let x = io.input(0);
        let k = (2.0 / PI).sqrt();
        let squared = e.square(x)?;
        let bend = e.mul_scalar(squared, 0.044715 * k)?;
        let inner = e.add_scalar(bend, k)?;
        let inner = e.mul(x, inner)?;
        let t = e.tanh(inner)?;
        let steep = e.mul_scalar(squared, 3.0 * 0.044715 * k)?;
        let steep = e.add_scalar(steep, k)?;
        let tt = e.square(t)?;
        let sech = e.rsub_scalar(1.0, tt)?;
        let moved = e.mul(sech, steep)?;
        let moved = e.mul(x, moved)?;
        let above = e.add_scalar(t, 1.0)?;
        let sum = e.add(above, moved)?;
        let slope = e.mul_scalar(sum, 0.5)?;
        e.mul(g, slope)
    })],
    flops: 20,
    ulps: 40.0,
    special: TAILS,
    ..Row::UNARY
};

/// Sigmoid linear unit.
pub static SILU: Row = Row {
    name: "silu",
    doc: "x * sigmoid(x).",
    tile: &tile::SILU,
    grads: &[Grad::Of(X, |e, io, g| {
        let x = io.input(0);
        let s = e.sigmoid(x)?;
        let rest = e.rsub_scalar(1.0, s)?;
        let moved = e.mul(x, rest)?;
        let one = e.add_scalar(moved, 1.0)?;
        let slope = e.mul(s, one)?;
        e.mul(g, slope)
    })],
    flops: 13,
    ulps: 4.0,
    special: TAILS,
    ..Row::UNARY
};

/// Softplus.
pub static SOFTPLUS: Row = Row {
    name: "softplus",
    doc: "log(1 + exp(x)), computed as max(x, 0) + log1p(exp(-|x|)) so that it cannot overflow.",
    tile: &tile::SOFTPLUS,
    grads: &[Grad::Of(X, |e, io, g| {
        let slope = e.sigmoid(io.input(0))?;
        e.mul(g, slope)
    })],
    flops: 24,
    ulps: 3.0,
    special: TAILS,
    ..Row::UNARY
};

/// Whether a number is NaN.
pub static ISNAN: Row = Row {
    name: "isnan",
    doc: "Whether x is not a number.",
    tile: &tile::ISNAN,
    out: Out::Bool,
    grads: BOOLEAN,
    ..Row::UNARY
};

/// Whether a number is infinite.
pub static ISINF: Row = Row {
    name: "isinf",
    doc: "Whether x is infinite.",
    tile: &tile::ISINF,
    out: Out::Bool,
    grads: BOOLEAN,
    ..Row::UNARY
};

/// Whether a number is finite.
pub static ISFINITE: Row = Row {
    name: "isfinite",
    doc: "Whether x is neither infinite nor NaN.",
    tile: &tile::ISFINITE,
    out: Out::Bool,
    grads: BOOLEAN,
    ..Row::UNARY
};

/// Logical negation.
pub static LOGICAL_NOT: Row = Row {
    name: "logical_not",
    doc: "Whether x is zero.",
    tile: &tile::LOGICAL_NOT,
    out: Out::Bool,
    grads: BOOLEAN,
    ..Row::UNARY
};
