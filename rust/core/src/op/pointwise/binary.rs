//! Arithmetic on two elements.

use weft_kernels::{DType, tile};

use super::{Grad, Row, Unfit};
use crate::error::Result;
use crate::op::simplify::{Simpler, is, keep};
use crate::op::{Emit, Known, Op, Saves, Val};

const NONE: Saves = Saves::NONE;
const A: Saves = Saves::inputs(&[0]);
const B: Saves = Saves::inputs(&[1]);
const AB: Saves = Saves::inputs(&[0, 1]);
const BY: Saves = Saves::both(&[1], &[0]);
const ABY: Saves = Saves::both(&[0, 1], &[0]);

/// Every row of this file.
pub(super) static ROWS: &[&Row] = &[
    &ADD,
    &SUB,
    &MUL,
    &DIV,
    &POW,
    &MAXIMUM,
    &MINIMUM,
    &REMAINDER,
    &FLOOR_DIVIDE,
    &TRUNC_DIVIDE,
    &LEAKY_RELU,
    &ELU,
    &ATAN2,
    &BINARY_CROSS_ENTROPY,
];

const _: () = assert!(super::complete(ROWS));

/// Whether arithmetic that changes no number leaves the bits of input `i` alone: it makes a
/// signalling NaN a quiet one, so a float must come from arithmetic, which makes none.
fn is_quiet(known: &dyn Known, i: usize) -> bool {
    if known.fact(i).dtype.is_whole() {
        return true;
    }
    match known.producer(i) {
        Some((Op::Pointwise(row), _)) => [&ADD, &SUB, &MUL, &DIV].contains(row),
        _ => false,
    }
}

/// Input `i` itself, if it has the result's fact and quiet bits; complex zeros have signs of
/// their own.
fn keep_quiet(known: &dyn Known, i: usize) -> Option<Simpler> {
    if !known.fact(i).dtype.is_complex() && is_quiet(known, i) { keep(known, i) } else { None }
}

/// Whether input `i` is an integer zero, or the float zero that changes no bits when
/// added (-0).
fn adds_nothing(known: &dyn Known, i: usize) -> bool {
    let float = !known.fact(i).dtype.is_whole();
    is(known, i, if float { -0.0 } else { 0.0 }) && known.fact(i).dtype != DType::Bool
}

fn times_one(known: &dyn Known) -> Option<Simpler> {
    if known.fact(0).dtype == DType::Bool || known.fact(0).dtype.is_complex() {
        return None;
    }
    if is(known, 1, 1.0) {
        return keep_quiet(known, 0);
    }
    if is(known, 0, 1.0) { keep_quiet(known, 1) } else { None }
}

/// Sum.
pub static ADD: Row = Row {
    name: "add",
    doc: "a + b.",
    tile: &tile::ADD,
    unfit: Unfit::Wrap,
    complex: true,
    grads: &[Grad::Of(NONE, |_, _, g| Ok(g)), Grad::Of(NONE, |_, _, g| Ok(g))],
    simplify: |known| match (adds_nothing(known, 0), adds_nothing(known, 1)) {
        (_, true) => keep_quiet(known, 0),
        (true, _) => keep_quiet(known, 1),
        _ => None,
    },
    ..Row::BINARY
};

/// Difference.
pub static SUB: Row = Row {
    name: "sub",
    doc: "a - b.",
    tile: &tile::SUB,
    unfit: Unfit::Wrap,
    complex: true,
    grads: &[Grad::Of(NONE, |_, _, g| Ok(g)), Grad::Of(NONE, |e, _, g| e.neg(g))],
    simplify: |known| if is(known, 1, 0.0) { keep_quiet(known, 0) } else { None },
    ..Row::BINARY
};

/// Product.
pub static MUL: Row = Row {
    name: "mul",
    doc: "a * b.",
    tile: &tile::MUL,
    unfit: Unfit::Wrap,
    complex: true,
    grads: &[
        Grad::Of(B, |e, io, g| {
            let slope = e.conj(io.input(1))?;
            e.mul(g, slope)
        }),
        Grad::Of(A, |e, io, g| {
            let slope = e.conj(io.input(0))?;
            e.mul(g, slope)
        }),
    ],
    simplify: times_one,
    ..Row::BINARY
};

/// Quotient.
pub static DIV: Row = Row {
    name: "div",
    doc: "a / b.",
    tile: &tile::DIV,
    complex: true,
    grads: &[
        Grad::Of(B, |e, io, g| {
            let divisor = e.conj(io.input(1))?;
            e.div(g, divisor)
        }),
        Grad::Of(BY, |e, io, g| {
            let slope = e.div(io.output(0), io.input(1))?;
            let slope = e.neg(slope)?;
            let slope = e.conj(slope)?;
            e.mul(g, slope)
        }),
    ],
    simplify: |known| if is(known, 1, 1.0) { keep_quiet(known, 0) } else { None },
    ..Row::BINARY
};

/// Power.
pub static POW: Row = Row {
    name: "pow",
    doc: "a to the power b; the gradient for b at a = 0 is 0 where b >= 0.",
    tile: &tile::POW,
    grads: &[
        Grad::Of(AB, |e, io, g| {
            let (a, b) = (io.input(0), io.input(1));
            let zero = e.scalar_like(0.0, g)?;
            let flat = e.eq(b, zero)?;
            // Where b is 0 the branch that is not chosen must be finite, with its derivatives.
            let less = e.add_scalar(b, -1.0)?;
            let less = e.select(flat, zero, less)?;
            let power = e.pow(a, less)?;
            let slope = e.mul(b, power)?;
            let grad = e.mul(g, slope)?;
            e.select(flat, zero, grad)
        }),
        Grad::Of(ABY, |e, io, g| {
            let a = io.input(0);
            let log = e.log(a)?;
            let slope = e.mul(io.output(0), log)?;
            let zero = e.scalar_like(0.0, g)?;
            let (nothing, finite) = (e.eq(a, zero)?, e.ge(io.input(1), zero)?);
            let flat = e.logical_and(nothing, finite)?;
            let slope = e.select(flat, zero, slope)?;
            e.mul(g, slope)
        }),
    ],
    simplify: |known| {
        let same = is(known, 1, 1.0) && !known.fact(0).dtype.is_differentiable();
        if same { keep(known, 0) } else { None }
    },
    flops: 30,
    ulps: 1.1,
    ..Row::BINARY
};

/// The share of `g` that goes to `mine`: nothing where it loses, half of a tie.
fn share(e: &mut dyn Emit, g: Val, loses: Val, ties: Val) -> Result<Val> {
    let zero = e.scalar_like(0.0, g)?;
    let half = e.mul_scalar(g, 0.5)?;
    let won = e.select(ties, half, g)?;
    e.select(loses, zero, won)
}

fn larger(e: &mut dyn Emit, mine: Val, other: Val, g: Val) -> Result<Val> {
    let (loses, ties) = (e.lt(mine, other)?, e.eq(mine, other)?);
    share(e, g, loses, ties)
}

fn smaller(e: &mut dyn Emit, mine: Val, other: Val, g: Val) -> Result<Val> {
    let (loses, ties) = (e.gt(mine, other)?, e.eq(mine, other)?);
    share(e, g, loses, ties)
}

/// The larger.
pub static MAXIMUM: Row = Row {
    name: "maximum",
    doc: "The larger of a and b; NaN if either is. A tie gives each half of the gradient, NaN \
          both all of it.",
    tile: &tile::MAXIMUM,
    grads: &[
        Grad::Of(AB, |e, io, g| larger(e, io.input(0), io.input(1), g)),
        Grad::Of(AB, |e, io, g| larger(e, io.input(1), io.input(0), g)),
    ],
    ..Row::BINARY
};

/// The smaller.
pub static MINIMUM: Row = Row {
    name: "minimum",
    doc: "The smaller of a and b; NaN if either is. A tie gives each half of the gradient, NaN \
          both all of it.",
    tile: &tile::MINIMUM,
    grads: &[
        Grad::Of(AB, |e, io, g| smaller(e, io.input(0), io.input(1), g)),
        Grad::Of(AB, |e, io, g| smaller(e, io.input(1), io.input(0), g)),
    ],
    ..Row::BINARY
};

/// Remainder with the sign of the divisor.
pub static REMAINDER: Row = Row {
    name: "remainder",
    doc: "a - b * floor(a / b): Python's %, with the sign of b.",
    tile: &tile::REMAINDER,
    divides: true,
    grads: &[
        Grad::Of(NONE, |_, _, g| Ok(g)),
        Grad::Of(AB, |e, io, g| {
            let whole = e.floor_divide(io.input(0), io.input(1))?;
            let slope = e.neg(whole)?;
            e.mul(g, slope)
        }),
    ],
    flops: 6,
    domain: &[(0.1, 0.5), (0.6, 0.9)],
    ..Row::BINARY
};

/// Quotient rounded down.
pub static FLOOR_DIVIDE: Row = Row {
    name: "floor_divide",
    doc: "floor(a / b): Python's //.",
    tile: &tile::FLOOR_DIVIDE,
    divides: true,
    grads: &[Grad::Zero, Grad::Zero],
    flops: 4,
    domain: &[(0.1, 0.5), (0.6, 0.9)],
    ..Row::BINARY
};

/// Quotient rounded towards zero.
pub static TRUNC_DIVIDE: Row = Row {
    name: "trunc_divide",
    doc: "a / b rounded towards 0: C's / of integers.",
    tile: &tile::TRUNC_DIVIDE,
    divides: true,
    grads: &[Grad::Zero, Grad::Zero],
    flops: 4,
    domain: &[(0.1, 0.5), (0.6, 0.9)],
    ..Row::BINARY
};

/// Leaky rectified linear unit.
pub static LEAKY_RELU: Row = Row {
    name: "leaky_relu",
    doc: "x where x > 0, else slope * x.",
    tile: &tile::LEAKY_RELU,
    grads: &[
        Grad::Of(AB, |e, io, g| {
            let zero = e.scalar_like(0.0, g)?;
            let alive = e.gt(io.input(0), zero)?;
            let leak = e.mul(g, io.input(1))?;
            e.select(alive, g, leak)
        }),
        Grad::Of(A, |e, io, g| {
            let zero = e.scalar_like(0.0, g)?;
            let alive = e.gt(io.input(0), zero)?;
            let leak = e.mul(g, io.input(0))?;
            e.select(alive, zero, leak)
        }),
    ],
    flops: 2,
    domain: &[(-2.0, -0.3), (0.01, 0.3)],
    ..Row::BINARY
};

/// Exponential linear unit.
pub static ELU: Row = Row {
    name: "elu",
    doc: "x where x > 0, else alpha * (exp(x) - 1) (Clevert et al. 2015).",
    tile: &tile::ELU,
    grads: &[
        // At 0 the slope is alpha and does not bend.
        Grad::Of(AB, |e, io, g| {
            let zero = e.scalar_like(0.0, g)?;
            let (below, dead) = (e.lt(io.input(0), zero)?, e.le(io.input(0), zero)?);
            let low = e.select(below, io.input(0), zero)?;
            let bend = e.exp(low)?;
            let slope = e.mul(bend, io.input(1))?;
            let bent = e.mul(g, slope)?;
            e.select(dead, bent, g)
        }),
        Grad::Of(A, |e, io, g| {
            let zero = e.scalar_like(0.0, g)?;
            let alive = e.gt(io.input(0), zero)?;
            let slope = e.pointwise(&super::rows::EXPM1, &[io.input(0)])?;
            let bent = e.mul(g, slope)?;
            e.select(alive, zero, bent)
        }),
    ],
    flops: 14,
    ulps: 3.0,
    domain: &[(-2.0, -0.3), (0.5, 1.5)],
    ..Row::BINARY
};

/// `g * numerator / (a² + b²)`, and 0 where the denominator is 0.
fn over_radius(e: &mut dyn Emit, a: Val, b: Val, numerator: Val, g: Val) -> Result<Val> {
    let (aa, bb) = (e.square(a)?, e.square(b)?);
    let radius = e.add(aa, bb)?;
    let slope = e.div(numerator, radius)?;
    let zero = e.scalar_like(0.0, g)?;
    let origin = e.eq(radius, zero)?;
    let slope = e.select(origin, zero, slope)?;
    e.mul(g, slope)
}

/// Angle of a point.
pub static ATAN2: Row = Row {
    name: "atan2",
    doc: "The angle of the point (b, a), in radians, in (-pi, pi]; the gradient at the origin is 0.",
    tile: &tile::ATAN2,
    grads: &[
        Grad::Of(AB, |e, io, g| over_radius(e, io.input(0), io.input(1), io.input(1), g)),
        Grad::Of(AB, |e, io, g| {
            let minus = e.neg(io.input(0))?;
            over_radius(e, io.input(0), io.input(1), minus, g)
        }),
    ],
    flops: 20,
    ulps: 1.0,
    ..Row::BINARY
};

/// Cross entropy of two coins.
pub static BINARY_CROSS_ENTROPY: Row = Row {
    name: "binary_cross_entropy",
    doc: "-b log(a) - (1 - b) log(1 - a), with logarithms of at least -100. The gradient divides by \
          a (1 - a), or by 1e-12 where that is less.",
    tile: &tile::BINARY_CROSS_ENTROPY,
    grads: &[
        Grad::Of(AB, |e, io, g| {
            let (p, t) = (io.input(0), io.input(1));
            let rest = e.rsub_scalar(1.0, p)?;
            let spread = e.mul(rest, p)?;
            let least = e.scalar_like(1e-12, p)?;
            let spread = e.maximum(spread, least)?;
            let miss = e.sub(p, t)?;
            let slope = e.div(miss, spread)?;
            e.mul(g, slope)
        }),
        Grad::Of(A, |e, io, g| {
            let minus = e.neg(io.input(0))?;
            let no = e.pointwise(&super::rows::LOG1P, &[minus])?;
            let yes = e.log(io.input(0))?;
            let slope = e.sub(no, yes)?;
            e.mul(g, slope)
        }),
    ],
    flops: 30,
    domain: &[(0.1, 0.9), (0.1, 0.9)],
    special: &[0.0, 1.0, 0.5, 1e-30, 0.25, 1.0 - 1e-7, f64::NAN, -0.0],
    ..Row::BINARY
};
