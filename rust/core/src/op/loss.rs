//! Classification losses on `[N, C]` scores and `int64 [N]` classes.

use smallvec::smallvec;
use weft_kernels::loss as kernels;
use weft_kernels::{Arg, DType, Scalar, Shape};

use super::pointwise::rows;
use super::reduce::ReduceKind;
use super::sample::Domain;
use super::softmax::{Softmax, SoftmaxKind};
use super::{
    Batch, Class, Emit, Faults, Fields, Forward, Grad, Io, Nature, Op, Rule, Sample, Saves, Size,
    Val, Vals,
};
use crate::ensure;
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

pub use weft_kernels::loss::Reduction;

/// A loss or its gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Loss {
    /// Which one.
    pub kind: LossKind,
    /// Rows of this class count nothing.
    pub ignore: i64,
    /// How rows are put together.
    pub reduction: Reduction,
}

/// Members of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LossKind {
    /// `(logp, target) -> (loss, count)`.
    Nll,
    /// `(grad, target, count) -> gradient of logp` with this many classes.
    NllBackward(Size),
    /// `(logits, target) -> (loss, logp, count)`.
    CrossEntropy,
    /// `(grad, logp, target, count) -> gradient of logits`.
    CrossEntropyBackward,
}

use LossKind::{CrossEntropy, CrossEntropyBackward, Nll, NllBackward};

impl Loss {
    fn other(&self, kind: LossKind) -> Op {
        Op::Loss(Loss { kind, ..*self })
    }

    /// Shape of the loss of `rows` rows.
    fn reduced(&self, rows: usize) -> Shape {
        if self.reduction == Reduction::None { Shape::new(&[rows]) } else { Shape::SCALAR }
    }

    fn check_pair(&self, scores: &Fact, target: &Fact) -> Result<()> {
        super::expect_float(self.name(), scores)?;
        if target.dtype != DType::I64 {
            let what = format_args!("expected int64 classes, got {}", target.dtype);
            return Err(Error::type_(self.name(), what));
        }
        let fits = scores.shape.len() == 2 && target.shape[..] == scores.shape[..1];
        ensure!(
            fits,
            self.name(),
            "expected scores [N, C] and classes [N], got {} and {}",
            scores.shape,
            target.shape
        );
        Ok(())
    }

    fn check_gradient(&self, grad: &Fact, scores: &Fact, count: &Fact) -> Result<()> {
        let expected = scores.with_shape(self.reduced(scores.shape[0]));
        let single = Fact::new(scores.dtype.wide(), Shape::SCALAR);
        ensure!(
            *grad == expected && *count == single,
            self.name(),
            "expected a gradient {expected} and a count {single}, got {grad} and {count}"
        );
        Ok(())
    }

    /// The gradient rows for a unit gradient of the loss.
    fn unit(&self, e: &mut dyn Emit, io: &Io) -> Result<Val> {
        let one = e.full(Scalar::Int(1), io.input_facts[0].dtype, io.input_facts[0].shape)?;
        let inputs: Vec<Val> =
            std::iter::once(one).chain((1..io.inputs.len()).map(|i| io.input(i))).collect();
        e.one(Op::Loss(*self), &inputs)
    }

    /// Both gradients are linear in `grad`: sums of `h` times the rows of a unit gradient.
    fn linear_vjp(&self, e: &mut dyn Emit, io: &Io, h: Val) -> Result<Val> {
        let unit = self.unit(e, io)?;
        let product = e.mul(h, unit)?;
        let dims = if self.reduction == Reduction::None { 0b10 } else { 0b11 };
        e.reduce(ReduceKind::Sum, product, dims, false)
    }

    /// `[N, 1]`: what the gradient of the loss gives each row that counts.
    fn row_scale(&self, e: &mut dyn Emit, io: &Io) -> Result<Val> {
        let (grad, target) = (io.input(0), io.input(2));
        let fact = io.input_facts[1];
        let rows = fact.shape[0];
        let ignore = e.full(Scalar::Int(self.ignore), DType::I64, Shape::SCALAR)?;
        let counts = e.pointwise(&rows::NE, &[target, ignore])?;
        let mut scale = grad;
        if self.reduction == Reduction::Mean {
            let wide = e.cast(scale, io.input_facts[3].dtype)?;
            let part = e.div(wide, io.input(3))?;
            scale = e.cast(part, io.input_facts[0].dtype)?;
        }
        let zero = e.scalar_like(0.0, grad)?;
        let scale = e.select(counts, scale, zero)?;
        e.reshape(scale, Shape::new(&[rows, 1]))
    }

    fn logits_vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Option<Val>> {
        let (logp, target, count) = (io.output(1), io.input(1), io.output(2));
        let mut grad = None;
        if let Some(g) = grads[0] {
            grad = Some(e.one(self.other(CrossEntropyBackward), &[g, logp, target, count])?);
        }
        if let Some(h) = grads[1] {
            let back = Softmax { kind: SoftmaxKind::LogSoftmaxBackward, dim: 1 };
            let part = e.one(Op::Softmax(back), &[logp, h])?;
            grad = Some(match grad {
                Some(sum) => e.add(sum, part)?,
                None => part,
            });
        }
        Ok(grad)
    }
}

impl Loss {
    pub(super) fn forms() -> Vec<Op> {
        [Nll, NllBackward(5.into()), CrossEntropy, CrossEntropyBackward]
            .map(|kind| Op::Loss(Loss { kind, ignore: -100, reduction: Reduction::Mean }))
            .into()
    }
}

impl Rule for Loss {
    fn name(&self) -> &'static str {
        match self.kind {
            Nll => "nll_loss",
            NllBackward(_) => "nll_loss_backward",
            CrossEntropy => "cross_entropy",
            CrossEntropyBackward => "cross_entropy_backward",
        }
    }

    fn doc(&self) -> &'static str {
        match self.kind {
            Nll => "Minus the log-probability of each row's class.",
            NllBackward(_) => "The gradient of nll_loss.",
            CrossEntropy => "Minus the log-softmax of each row at its class, in one pass.",
            CrossEntropyBackward => "The gradient of cross_entropy: softmax minus one-hot, scaled.",
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("ignore_index", &mut self.ignore);
        f.field("reduction", &mut self.reduction);
        if let NllBackward(classes) = &mut self.kind {
            f.field("classes", classes);
        }
    }

    /// A gradient is of a loss whose targets have been checked.
    fn nature(&self) -> Nature {
        let faults =
            if matches!(self.kind, Nll | CrossEntropy) { Faults::Values } else { Faults::Memory };
        Nature::new(Class::Opaque, faults, Forward::Transposed).ulps(1.0)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let arity = match self.kind {
            Nll | CrossEntropy => 2,
            NllBackward(_) => 3,
            CrossEntropyBackward => 4,
        };
        super::expect_inputs(self.name(), inputs, arity)?;
        match self.kind {
            Nll | CrossEntropy => {
                self.check_pair(&inputs[0], &inputs[1])?;
                let x = inputs[0];
                let loss = x.with_shape(self.reduced(x.shape[0]));
                let count = Fact::new(x.dtype.wide(), Shape::SCALAR);
                Ok(if self.kind == Nll {
                    smallvec![loss, count]
                } else {
                    smallvec![loss, x, count]
                })
            }
            NllBackward(classes) => {
                let classes = classes.get();
                let rows = inputs[1].shape.first().copied().unwrap_or(0);
                let out = inputs[0].with_shape(Shape::new(&[rows, classes]));
                self.check_pair(&out, &inputs[1])?;
                self.check_gradient(&inputs[0], &out, &inputs[2])?;
                Ok(out.only())
            }
            CrossEntropyBackward => {
                self.check_pair(&inputs[1], &inputs[2])?;
                self.check_gradient(&inputs[0], &inputs[1], &inputs[3])?;
                Ok(inputs[1].only())
            }
        }
    }

    fn run(&self, x: &[Arg], out: &[Arg]) -> Result<()> {
        let (ignore, reduction) = (self.ignore, self.reduction);
        match self.kind {
            Nll => kernels::nll(x[0], x[1], ignore, reduction, out[0], out[1]),
            CrossEntropy => {
                kernels::cross_entropy(x[0], x[1], ignore, reduction, out[0], out[1], out[2])
            }
            NllBackward(_) => kernels::nll_backward(x[0], x[1], x[2], ignore, reduction, out[0]),
            CrossEntropyBackward => {
                kernels::cross_entropy_backward(x[0], x[1], x[2], x[3], ignore, reduction, out[0])
            }
        }
        .map_err(|fault| Error::fault(self.name(), fault))
    }

    fn gradient(&self, input: usize) -> Grad<Loss> {
        match (self.kind, input) {
            (Nll, 0) => Grad::Of(Saves::both(&[1], &[1]), |loss, e, io, g| {
                let classes = io.fact().shape[1].into();
                e.one(loss.other(NllBackward(classes)), &[g, io.input(1), io.output(1)])
            }),
            (CrossEntropy, 0) => Grad::OfAll(Saves::both(&[1], &[1, 2]), Loss::logits_vjp),
            (NllBackward(_), 0) => Grad::Of(Saves::inputs(&[1, 2]), Loss::linear_vjp),
            (CrossEntropyBackward, 0) => Grad::Of(Saves::inputs(&[1, 2, 3]), Loss::linear_vjp),
            (CrossEntropyBackward, 1) => {
                let mean = self.reduction == Reduction::Mean;
                let read: &[usize] = if mean { &[0, 1, 2, 3] } else { &[0, 1, 2] };
                Grad::Of(Saves::inputs(read), |loss, e, io, h| {
                    let p = e.exp(io.input(1))?;
                    let scale = loss.row_scale(e, io)?;
                    let hp = e.mul(h, p)?;
                    e.mul(hp, scale)
                })
            }
            _ => Grad::Nothing,
        }
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        b.each(&Op::Loss(*self))
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        let per_element = if matches!(self.kind, Nll | NllBackward(_)) { 1 } else { 14 };
        per_element * inputs.iter().map(Fact::numel).max().unwrap_or(0) as u64
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        let classes = || Domain::Exact(DType::I64, vec![0.0, 2.0, 4.0, 2.0, 1.0]);
        let count = || Domain::Special(&[4.0]);
        [Reduction::Mean, Reduction::Sum, Reduction::None]
            .into_iter()
            .map(|reduction| {
                let kind = match self.kind {
                    NllBackward(_) => NllBackward(5.into()),
                    other => other,
                };
                let op = Op::Loss(Loss { kind, ignore: 1, reduction });
                let grad: &[usize] = if reduction == Reduction::None { &[5] } else { &[] };
                let inputs: Vec<(&[usize], Domain)> = match self.kind {
                    Nll | CrossEntropy => vec![(&[5, 5], x()), (&[5], classes())],
                    NllBackward(_) => vec![(grad, x()), (&[5], classes()), (&[], count())],
                    CrossEntropyBackward => {
                        vec![(grad, x()), (&[5, 5], x()), (&[5], classes()), (&[], count())]
                    }
                };
                Sample::smooth(op, inputs)
            })
            .collect()
    }
}
