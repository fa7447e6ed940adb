//! Choices between elements.

use weft_kernels::tile;

use super::{Grad, Row, Unfit};
use crate::error::Result;
use crate::op::simplify::keep;
use crate::op::{Emit, Io, Saves, Val};

const CONDITION: Saves = Saves::inputs(&[0]);
const BOTH: Saves = Saves::inputs(&[0, 1]);
const ALL: Saves = Saves::inputs(&[0, 1, 2]);

/// Every row of this file.
pub(super) static ROWS: &[&Row] = &[&WHERE, &CLAMP, &CLAMP_MIN, &CLAMP_MAX, &CLAMP_TENSOR];

const _: () = assert!(super::complete(ROWS));

/// Choice by a condition.
pub static WHERE: Row = Row {
    name: "where",
    doc: "a where the condition holds, else b.",
    arity: 3,
    tile: &tile::WHERE,
    condition: true,
    complex: true,
    grads: &[
        Grad::None("the condition is boolean"),
        Grad::Of(CONDITION, |e, io, g| {
            let zero = e.scalar_like(0.0, g)?;
            e.select(io.input(0), g, zero)
        }),
        Grad::Of(CONDITION, |e, io, g| {
            let zero = e.scalar_like(0.0, g)?;
            e.select(io.input(0), zero, g)
        }),
    ],
    simplify: |known| {
        let chosen = if known.uniform(0)?.as_f64() != 0.0 { 1 } else { 2 };
        keep(known, chosen)
    },
    ..Row::BINARY
};

/// `g` where the condition holds, else 0.
fn only(e: &mut dyn Emit, condition: Val, g: Val) -> Result<Val> {
    let zero = e.scalar_like(0.0, g)?;
    e.select(condition, g, zero)
}

/// `g` where both conditions hold, else 0.
fn where_both(e: &mut dyn Emit, a: Val, b: Val, g: Val) -> Result<Val> {
    let both = e.logical_and(a, b)?;
    only(e, both, g)
}

/// `g` where either condition holds, else 0.
fn where_either(e: &mut dyn Emit, a: Val, b: Val, g: Val) -> Result<Val> {
    let either = e.pointwise(&super::rows::LOGICAL_OR, &[a, b])?;
    only(e, either, g)
}

/// Limits to an interval.
pub static CLAMP: Row = Row {
    name: "clamp",
    doc: "min(max(x, low), high); NaN stays NaN. The gradient passes where low < x < high.",
    arity: 3,
    tile: &tile::CLAMP,
    unfit: Unfit::Limit,
    grads: &[
        Grad::Of(ALL, |e, io, g| {
            let (above, below) = (e.gt(io.input(0), io.input(1))?, e.lt(io.input(0), io.input(2))?);
            where_both(e, above, below, g)
        }),
        Grad::Of(ALL, |e, io, g| {
            let (under, order) = (e.le(io.input(0), io.input(1))?, e.lt(io.input(1), io.input(2))?);
            where_both(e, under, order, g)
        }),
        Grad::Of(ALL, |e, io, g| {
            let over = e.ge(io.input(0), io.input(2))?;
            let crossed = e.le(io.input(2), io.input(1))?;
            where_either(e, over, crossed, g)
        }),
    ],
    flops: 2,
    domain: &[(-0.4, 0.4), (-2.0, -0.6), (0.6, 2.0)],
    ..Row::BINARY
};

/// Limits from below.
pub static CLAMP_MIN: Row = Row {
    name: "clamp_min",
    doc: "max(x, low); NaN stays NaN. The gradient passes where x > low.",
    tile: &tile::CLAMP_MIN,
    unfit: Unfit::Limit,
    grads: &[
        Grad::Of(BOTH, |e, io, g| {
            let above = e.gt(io.input(0), io.input(1))?;
            only(e, above, g)
        }),
        Grad::Of(BOTH, |e, io, g| {
            let under = e.le(io.input(0), io.input(1))?;
            only(e, under, g)
        }),
    ],
    ..Row::BINARY
};

/// Limits from above.
pub static CLAMP_MAX: Row = Row {
    name: "clamp_max",
    doc: "min(x, high); NaN stays NaN. The gradient passes where x < high.",
    tile: &tile::CLAMP_MAX,
    unfit: Unfit::Limit,
    grads: &[
        Grad::Of(BOTH, |e, io, g| {
            let below = e.lt(io.input(0), io.input(1))?;
            only(e, below, g)
        }),
        Grad::Of(BOTH, |e, io, g| {
            let over = e.ge(io.input(0), io.input(1))?;
            only(e, over, g)
        }),
    ],
    ..Row::BINARY
};

/// Half of `g` where `x` meets `limit` and the limits are in order, else `rest`.
fn tied(e: &mut dyn Emit, io: &Io, limit: usize, g: Val, rest: Val) -> Result<Val> {
    let meets = e.eq(io.input(0), io.input(limit))?;
    let order = e.lt(io.input(1), io.input(2))?;
    let ties = e.logical_and(meets, order)?;
    let half = e.mul_scalar(g, 0.5)?;
    e.select(ties, half, rest)
}

/// Limits to an interval whose ends are tensors.
pub static CLAMP_TENSOR: Row = Row {
    name: "clamp_tensor",
    doc: "As clamp, with a gradient for the limits: a tie of x with one gives each half, NaN goes \
          to x.",
    arity: 3,
    tile: &tile::CLAMP,
    grads: &[
        Grad::Of(ALL, |e, io, g| {
            let (under, over) = (e.lt(io.input(0), io.input(1))?, e.gt(io.input(0), io.input(2))?);
            let out = e.pointwise(&super::rows::LOGICAL_OR, &[under, over])?;
            let low = tied(e, io, 1, g, g)?;
            let both = tied(e, io, 2, g, low)?;
            let zero = e.scalar_like(0.0, g)?;
            e.select(out, zero, both)
        }),
        Grad::Of(ALL, |e, io, g| {
            let (under, order) = (e.lt(io.input(0), io.input(1))?, e.le(io.input(1), io.input(2))?);
            let bound = where_both(e, under, order, g)?;
            tied(e, io, 1, g, bound)
        }),
        Grad::Of(ALL, |e, io, g| {
            let (over, order) = (e.gt(io.input(0), io.input(2))?, e.le(io.input(1), io.input(2))?);
            let over = e.logical_and(over, order)?;
            let crossed = e.gt(io.input(1), io.input(2))?;
            let bound = where_either(e, over, crossed, g)?;
            tied(e, io, 2, g, bound)
        }),
    ],
    flops: 2,
    domain: &[(-0.4, 0.4), (-2.0, -0.6), (0.6, 2.0)],
    ..Row::BINARY
};
