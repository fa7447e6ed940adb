//! Concatenation.

use weft_kernels::{Arg, copy};

use super::sample::Domain;
use super::{Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Rule, Sample, Saves, Vals};
use crate::ensure;
use crate::error::Result;
use crate::fact::{Fact, Facts};

/// Inputs one after the other along a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cat {
    /// The dimension.
    pub dim: usize,
}

impl Cat {
    pub(super) fn forms() -> Vec<Op> {
        vec![Op::Cat(Cat { dim: 0 })]
    }
}

impl Rule for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }

    fn doc(&self) -> &'static str {
        "Inputs one after the other along a dimension."
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("dim", &mut self.dim);
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Move, Faults::Never, Forward::Linear).strided()
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        ensure!(!inputs.is_empty(), self.name(), "expected at least one input, got none");
        let mut out = inputs[0];
        let n = out.shape.len();
        super::expect_dim(self.name(), self.dim, n)?;
        for (i, fact) in inputs.iter().enumerate().skip(1) {
            let mut expected = out;
            if fact.shape.len() == n {
                expected.shape[self.dim] = fact.shape[self.dim];
            }
            ensure!(
                *fact == expected,
                self.name(),
                "inputs differ beyond dimension {}, expected {expected} for input {i}, got {fact}",
                self.dim
            );
            out.shape[self.dim] = out.shape[self.dim].saturating_add(fact.shape[self.dim]);
        }
        Ok(out.only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let out = outputs[0];
        let mut start = 0;
        for x in inputs {
            let len = x.layout.shape[self.dim];
            let part = out.layout.slice(self.dim, start, len, 1);
            copy::copy(*x, Arg::new(out.buffer, out.dtype, &part));
            start += len;
        }
        Ok(())
    }

    fn gradient(&self, _input: usize) -> Grad<Cat> {
        Grad::Of(Saves::NONE, |cat, e, io, g| {
            let start = io.input_facts[..io.of].iter().map(|fact| fact.shape[cat.dim]).sum();
            e.slice(g, cat.dim, start, io.fact().shape[cat.dim])
        })
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let inputs = b.all()?;
        b.emit(Op::Cat(Cat { dim: self.dim + 1 }), &inputs)
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        0
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(-2.0, 2.0);
        vec![
            Sample::smooth(
                Op::Cat(Cat { dim: 1 }),
                vec![(&[2, 3], x()), (&[2, 0], x()), (&[2, 2], x())],
            ),
            Sample::smooth(Op::Cat(Cat { dim: 0 }), vec![(&[4], x()), (&[1], x())]),
            Sample::values(
                Op::Cat(Cat { dim: 0 }),
                vec![(&[4], Domain::Bool), (&[2], Domain::Bool)],
            ),
        ]
    }
}
