//! Running sums.

use weft_kernels::{Arg, DType, scan};

use super::sample::Domain;
use super::{Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Rule, Sample, Saves, Vals};
use crate::error::Result;
use crate::fact::{Fact, Facts};

/// The running sum along a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cumsum {
    /// The dimension.
    pub dim: usize,
    /// Whether each element is followed by those that are summed with it, and not preceded.
    pub reverse: bool,
}

impl Cumsum {
    pub(super) fn forms() -> Vec<Op> {
        vec![Op::Scan(Cumsum { dim: 0, reverse: false })]
    }
}

impl Rule for Cumsum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn doc(&self) -> &'static str {
        "Running sum along a dimension, in order and in double precision; integers sum to int64."
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("dim", &mut self.dim);
        f.field("reverse", &mut self.reverse);
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Opaque, Faults::Memory, Forward::Linear)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 1)?;
        let Fact { dtype, shape } = inputs[0];
        let n = shape.len();
        super::expect_dim(self.name(), self.dim, n)?;
        if dtype.is_complex() {
            let what = format_args!("dtype not supported, expected a real one, got {dtype}");
            return Err(crate::Error::type_(self.name(), what));
        }
        let dtype = if dtype.is_differentiable() { dtype } else { DType::I64 };
        Ok(Fact::new(dtype, shape).only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        scan::cumsum(inputs[0], self.dim, self.reverse, outputs[0]);
        Ok(())
    }

    /// Each element reaches all later sums.
    fn gradient(&self, _input: usize) -> Grad<Cumsum> {
        Grad::Of(Saves::NONE, |scan, e, _, g| {
            let back = Cumsum { reverse: !scan.reverse, ..*scan };
            e.one(Op::Scan(back), &[g])
        })
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let inputs = b.plain();
        b.emit(Op::Scan(Cumsum { dim: self.dim + 1, ..*self }), &inputs)
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        inputs[0].numel() as u64
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        let op = |dim, reverse| Op::Scan(Cumsum { dim, reverse });
        let special: &[f64] = &[1.0, f64::INFINITY, -2.0, f64::NAN, 0.0];
        vec![
            Sample::smooth(op(1, false), vec![(&[3, 5], x())]),
            Sample::smooth(op(0, false), vec![(&[4, 2, 3], x())]),
            Sample::smooth(op(1, true), vec![(&[4, 2, 3], x())]),
            Sample::values(op(0, false), vec![(&[0], x())]),
            Sample::values(op(0, true), vec![(&[9], Domain::Index(7))]),
            Sample::values(op(0, false), vec![(&[5], Domain::Special(special))]),
            Sample::values(op(1, false), vec![(&[2, 3000], x())]),
        ]
    }
}
