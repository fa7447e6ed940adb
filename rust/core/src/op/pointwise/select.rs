//! Choices between elements.

use weft_kernels::tile;

use super::{Grad, Row};
use crate::op::Saves;
use crate::op::simplify::keep;

const CONDITION: Saves = Saves::input(0);
const ALL: Saves = Saves { inputs: 0b111, outputs: 0 };

/// Every row of this file.
pub(super) static ROWS: &[&Row] = &[&WHERE, &CLAMP];

/// Choice by a condition.
pub static WHERE: Row = Row {
    name: "where",
    doc: "a where the condition holds, else b.",
    arity: 3,
    tile: &tile::WHERE,
    condition: true,
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

/// Limits to an interval.
pub static CLAMP: Row = Row {
    name: "clamp",
    doc: "min(max(x, low), high); NaN stays NaN. The gradient passes where low <= x <= high.",
    arity: 3,
    tile: &tile::CLAMP,
    grads: &[
        Grad::Of(ALL, |e, io, g| {
            let (above, below) = (e.ge(io.input(0), io.input(1))?, e.le(io.input(0), io.input(2))?);
            let inside = e.logical_and(above, below)?;
            let zero = e.scalar_like(0.0, g)?;
            e.select(inside, g, zero)
        }),
        Grad::Of(ALL, |e, io, g| {
            let (under, order) = (e.lt(io.input(0), io.input(1))?, e.lt(io.input(1), io.input(2))?);
            let bound = e.logical_and(under, order)?;
            let zero = e.scalar_like(0.0, g)?;
            e.select(bound, g, zero)
        }),
        Grad::Of(ALL, |e, io, g| {
            let over = e.gt(io.input(0), io.input(2))?;
            let crossed = e.lt(io.input(2), io.input(1))?;
            let bound = e.pointwise(&super::rows::LOGICAL_OR, &[over, crossed])?;
            let zero = e.scalar_like(0.0, g)?;
            e.select(bound, g, zero)
        }),
    ],
    flops: 2,
    domain: &[(-0.4, 0.4), (-2.0, -0.6), (0.6, 2.0)],
    ..Row::BINARY
};
