//! Matrix products.

use weft_kernels::{Arg, DType, Layout, Shape, gemm};

use super::sample::Domain;
use super::{Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Rule, Sample, Saves, Vals};
use crate::ensure;
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// A product of (batches of) matrices, either of which may be read transposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Matmul {
    /// The first factor is stored as its transpose.
    pub a_transposed: bool,
    /// The second factor is stored as its transpose.
    pub b_transposed: bool,
}

fn op(a_transposed: bool, b_transposed: bool) -> Op {
    Op::Matmul(Matmul { a_transposed, b_transposed })
}

/// The last two dimensions exchanged if `swap`.
fn matrix(layout: &Layout, swap: bool) -> Layout {
    let mut layout = *layout;
    if swap {
        let n = layout.shape.len();
        layout.shape.swap(n - 1, n - 2);
        layout.strides.swap(n - 1, n - 2);
    }
    layout
}

fn batch(shape: &Shape) -> Shape {
    Shape::new(&shape[..shape.len() - 2])
}

/// `layout` with its batch dimensions broadcast to `batch`.
fn broadcast(layout: Layout, batch: &Shape) -> Layout {
    let n = layout.shape.len();
    let mut shape = *batch;
    shape.push(layout.shape[n - 2]);
    shape.push(layout.shape[n - 1]);
    layout.broadcast_to(&shape)
}

impl Matmul {
    fn matrices(&self, inputs: &[Fact]) -> (Shape, Shape) {
        let shape = |fact: &Fact, swap| matrix(&Layout::contiguous(fact.shape), swap).shape;
        (shape(&inputs[0], self.a_transposed), shape(&inputs[1], self.b_transposed))
    }
}

impl Matmul {
    pub(super) fn forms() -> Vec<Op> {
        vec![Op::Matmul(Matmul::default())]
    }
}

impl Rule for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn doc(&self) -> &'static str {
        "Matrix product of the last two dimensions; the others broadcast. Sums run over blocks that depend on the shape alone."
    }

    fn fields(&mut self, f: &mut Fields) {
        f.flag("a_transposed", &mut self.a_transposed);
        f.flag("b_transposed", &mut self.b_transposed);
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Contract, Faults::Memory, Forward::Multilinear).strided().ulps(1.0)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 2)?;
        let (fa, fb) = (&inputs[0], &inputs[1]);
        if fa.dtype != fb.dtype || fa.dtype == DType::Bool || fa.dtype.is_complex() {
            return Err(Error::type_(
                self.name(),
                format_args!(
                    "expected two inputs of one real numeric dtype, got {} and {}",
                    fa.dtype, fb.dtype
                ),
            ));
        }
        ensure!(
            fa.shape.len() >= 2 && fb.shape.len() >= 2,
            self.name(),
            "expected at least 2 dimensions each, got {} x {}",
            fa.shape,
            fb.shape
        );
        let (a, b) = self.matrices(inputs);
        let (na, nb) = (a.len(), b.len());
        ensure!(
            a[na - 1] == b[nb - 2],
            self.name(),
            "inner dimensions differ, expected [*, {k}] x [{k}, *], got {a} x {b}",
            k = a[na - 1]
        );
        let Some(mut shape) = batch(&a).broadcast(&batch(&b)) else {
            return Err(Error::runtime(
                self.name(),
                format_args!("batch dimensions do not broadcast, got {a} x {b}"),
            ));
        };
        shape.push(a[na - 2]);
        shape.push(b[nb - 1]);
        Ok(fa.with_shape(shape).only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let (a, b, out) = (inputs[0], inputs[1], outputs[0]);
        let batch = batch(&out.layout.shape);
        let la = broadcast(matrix(a.layout, self.a_transposed), &batch);
        let lb = broadcast(matrix(b.layout, self.b_transposed), &batch);
        gemm::matmul(Arg::new(a.buffer, a.dtype, &la), Arg::new(b.buffer, b.dtype, &lb), out);
        Ok(())
    }

    fn gradient(&self, input: usize) -> Grad<Matmul> {
        if input == 0 {
            return Grad::Of(Saves::inputs(&[1]), |m, e, io, g| {
                let (ta, tb, b) = (m.a_transposed, m.b_transposed, io.input(1));
                let grad =
                    if ta { e.one(op(tb, true), &[b, g]) } else { e.one(op(false, !tb), &[g, b]) };
                e.sum_to(grad?, io.fact().shape)
            });
        }
        Grad::Of(Saves::inputs(&[0]), |m, e, io, g| {
            let (ta, tb, a) = (m.a_transposed, m.b_transposed, io.input(0));
            let grad =
                if tb { e.one(op(true, ta), &[g, a]) } else { e.one(op(!ta, false), &[a, g]) };
            e.sum_to(grad?, io.fact().shape)
        })
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let inputs = b.aligned(b.rank())?;
        b.emit(Op::Matmul(*self), &inputs)
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        let Ok(out) = self.infer(inputs) else { return 0 };
        let (a, _) = self.matrices(inputs);
        2 * (out[0].numel() * a[a.len() - 1]) as u64
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-1.0, 1.0);
        vec![
            Sample::smooth(op(false, false), vec![(&[3, 4], x()), (&[4, 5], x())]),
            Sample::smooth(op(true, false), vec![(&[4, 3], x()), (&[4, 5], x())]),
            Sample::smooth(op(false, true), vec![(&[3, 4], x()), (&[5, 4], x())]),
            Sample::smooth(op(true, true), vec![(&[4, 3], x()), (&[5, 4], x())]),
            Sample::smooth(op(false, false), vec![(&[2, 1, 3, 4], x()), (&[5, 4, 2], x())]),
            Sample::smooth(op(false, false), vec![(&[3, 0], x()), (&[0, 5], x())]),
            Sample::smooth(op(false, true), vec![(&[0, 4], x()), (&[5, 4], x())]),
            Sample::values(op(false, false), vec![(&[65, 130], x()), (&[130, 47], x())]),
            Sample::values(op(true, false), vec![(&[300, 40], x()), (&[300, 70], x())]),
            Sample::values(
                op(false, false),
                vec![(&[7, 5], Domain::Index(9)), (&[5, 3], Domain::Index(9))],
            ),
        ]
    }
}
