//! Numbers that feed a plan: hyperparameters that change between calls.

use weft_kernels::{Arg, Layout, Scalar, Shape, fill};

use crate::error::{Error, Result};
use crate::tensor::Tensor;

/// Writes numbers over a contiguous tensor, unseen by recordings and by the tape.
pub fn store(target: &Tensor, values: &[f64]) -> Result<()> {
    if values.len() != target.numel() || !target.layout().is_contiguous() {
        let (expected, got) = (values.len(), target.fact());
        return Err(Error::runtime(
            "store",
            format_args!("expected {expected} numbers, got {got}"),
        ));
    }
    for (i, value) in values.iter().enumerate() {
        let offset = target.layout().offset + i;
        let place = Layout { offset, ..Layout::contiguous(Shape::SCALAR) };
        fill::fill(Scalar::Float(*value), Arg::new(target.buffer(), target.dtype(), &place));
    }
    target.buffer().bump_version();
    Ok(())
}
