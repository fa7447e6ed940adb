//! The table of all operations: what the property tests walk.

use weft_kernels::{DType, Scalar, Shape};

use super::Op;
use super::cast::Cast;
use super::create::Create;
use super::index::{Index, IndexKind};
use super::join::Cat;
use super::loss::{Loss, LossKind, Reduction};
use super::matmul::Matmul;
use super::norm::Standardize;
use super::optim::Optim;
use super::pointwise;
use super::random::{Dist, Random};
use super::reduce::{Reduce, ReduceKind};
use super::scan::Cumsum;
use super::softmax::{Softmax, SoftmaxKind};
use super::sparse::Sparse;
use super::view::{AsStridedScatter, View};
use super::within::Within;

/// One operation per row, with some attributes; its `samples` show others.
pub fn all() -> Vec<Op> {
    let mut ops: Vec<Op> = pointwise::all().map(Op::Pointwise).collect();
    ops.push(Op::Cast(Cast { dtype: DType::F32 }));
    ops.extend(reductions());
    ops.extend(softmaxes());
    ops.push(Op::Matmul(Matmul::default()));
    ops.extend(views());
    ops.push(Op::Cat(Cat { dim: 0 }));
    ops.extend(indices());
    ops.push(Op::Scan(Cumsum { dim: 0, reverse: false }));
    ops.extend(
        [false, true]
            .map(|backward| Op::Norm(Standardize { dims: 1, eps: Scalar::Float(1e-5), backward })),
    );
    ops.extend(losses());
    ops.extend([false, true].map(|sampled| Op::Sparse(Sparse { sampled, rows: 3, cols: 4 })));
    ops.extend(creations());
    ops.extend(Within::all().take(1).map(Op::Within));
    ops.push(Op::Optim(Optim::Sgd { momentum: false }));
    ops.push(Op::Optim(Optim::Adam { amsgrad: false }));
    ops
}

fn reductions() -> impl Iterator<Item = Op> {
    use ReduceKind::{All, Any, ArgMax, ArgMin, Max, Mean, Min, Prod, Sum};
    [Sum, Mean, Prod, Max, Min, Any, All, ArgMax, ArgMin]
        .into_iter()
        .map(|kind| Op::Reduce(Reduce { kind, dims: 1, keepdim: false }))
}

fn softmaxes() -> impl Iterator<Item = Op> {
    use SoftmaxKind::{
        LogSoftmax, LogSoftmaxBackward, LogSumExp, MaskedSoftmax, Softmax as Plain, SoftmaxBackward,
    };
    [Plain, MaskedSoftmax, LogSoftmax, SoftmaxBackward, LogSoftmaxBackward, LogSumExp]
        .into_iter()
        .map(|kind| Op::Softmax(Softmax { kind, dim: 0 }))
}

fn views() -> Vec<Op> {
    let one = Shape::new(&[1]);
    let region = View::AsStrided { shape: one, strides: one, offset: 0 };
    let slice = View::Slice { dim: 0, start: 0, len: 1, step: 1 };
    let scatter = AsStridedScatter { shape: one, strides: one, offset: 0 };
    let mut ops: Vec<Op> =
        [View::Reshape(one), View::Permute(Shape::new(&[0])), View::Expand(one), slice, region]
            .map(Op::View)
            .into();
    ops.push(Op::Region(scatter));
    ops
}

fn indices() -> impl Iterator<Item = Op> {
    use IndexKind::{Add, Gather, Scatter, ScatterAdd, Select};
    [Select, Add, Gather, Scatter, ScatterAdd]
        .into_iter()
        .map(|kind| Op::Index(Index { kind, dim: 0, wrap: false }))
}

fn losses() -> impl Iterator<Item = Op> {
    use LossKind::{CrossEntropy, CrossEntropyBackward, Nll, NllBackward};
    [Nll, NllBackward(5), CrossEntropy, CrossEntropyBackward]
        .into_iter()
        .map(|kind| Op::Loss(Loss { kind, ignore: -100, reduction: Reduction::Mean }))
}

fn creations() -> Vec<Op> {
    let zero = Scalar::Int(0);
    let arange = Create::Arange { len: 1, dtype: DType::I64, start: zero, step: zero };
    let dists = [
        (Dist::Uniform(zero, Scalar::Int(1)), DType::F32),
        (Dist::Normal(zero, Scalar::Int(1)), DType::F32),
        (Dist::Bernoulli(Scalar::Float(0.5), Scalar::Int(1)), DType::F32),
        (Dist::Integers(0, 1), DType::I64),
        (Dist::Permutation, DType::I64),
        (Dist::Choice { classes: 1, replacement: true }, DType::I64),
    ];
    let linspace = Create::Linspace { len: 1, dtype: DType::F32, start: zero, end: zero };
    let mut ops: Vec<Op> =
        [Create::full(Shape::SCALAR, DType::F32, zero), arange, linspace].map(Op::Create).into();
    ops.extend(dists.map(|(dist, dtype)| {
        let shape = match dist {
            Dist::Choice { .. } => Shape::new(&[1, 1]),
            _ => Shape::new(&[1]),
        };
        Op::Random(Random { dist, shape, dtype, ahead: 0 })
    }));
    ops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_name_a_sentence_and_samples_that_infer() {
        for op in all() {
            assert!(op.doc().ends_with('.'), "{}", op.name());
            let samples = op.samples();
            assert!(!samples.is_empty(), "{} has no samples", op.name());
            for sample in samples {
                assert_eq!(sample.op.name(), op.name());
                let facts = sample.sample_facts(DType::F64);
                let fits = sample.op.infer(&facts);
                let unfit = matches!(&fits, Err(e) if e.kind == crate::error::ErrorKind::Type);
                assert!(fits.is_ok() || unfit, "{}: {fits:?}", op.name());
            }
        }
    }
}
