//! Concatenation.

use weft_kernels::{Arg, copy};

use super::sample::Domain;
use super::simplify::keep;
use super::{
    Attr, Attrs, Class, Emit, Faults, Grads, Io, Known, Op, Read, Rule, Sample, Saves, Simpler, Val,
};
use crate::ensure;
use crate::error::Result;
use crate::fact::{Fact, Facts};

/// Inputs one after the other along a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cat {
    /// The dimension.
    pub dim: usize,
}

impl Rule for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }

    fn doc(&self) -> &'static str {
        "Inputs one after the other along a dimension."
    }

    fn attrs(&self) -> Attrs {
        vec![("dim", Attr::Int(self.dim as i64))]
    }

    fn class(&self) -> Class {
        Class::Opaque
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        ensure!(!inputs.is_empty(), self.name(), "expected at least one input, got none");
        let mut out = inputs[0];
        let n = out.shape.len();
        ensure!(
            self.dim < n,
            self.name(),
            "dimension out of range, expected < {n}, got {}",
            self.dim
        );
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

    fn reads(&self, _input: usize) -> Read {
        Read::Strided
    }

    fn overwrites(&self, _output: usize, _input: usize) -> bool {
        false
    }

    fn faults(&self, _inputs: &[Fact]) -> Faults {
        Faults::Never
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

    fn saves(&self, _input: usize) -> Saves {
        Saves::NONE
    }

    fn vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Grads> {
        let mut start = 0;
        let mut out = Grads::new();
        for (i, fact) in io.input_facts.iter().enumerate() {
            let len = fact.shape[self.dim];
            out.push(match grads[0] {
                Some(g) if io.needs(i) => Some(e.slice(g, self.dim, start, len)?),
                _ => None,
            });
            start += len;
        }
        Ok(out)
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        0
    }

    fn simplify(&self, known: &dyn Known) -> Option<Simpler> {
        keep(known, 0)
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
