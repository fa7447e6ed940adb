//! Running sums.

use smallvec::smallvec;
use weft_kernels::{Arg, DType, scan};

use super::sample::Domain;
use super::{
    Attr, Attrs, Class, Emit, Faults, Grads, Io, Known, Op, Read, Rule, Sample, Saves, Simpler, Val,
};
use crate::ensure;
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

impl Rule for Cumsum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn doc(&self) -> &'static str {
        "Running sum along a dimension, in order and in double precision; integers sum to int64."
    }

    fn attrs(&self) -> Attrs {
        vec![("dim", Attr::Int(self.dim as i64)), ("reverse", Attr::Bool(self.reverse))]
    }

    fn class(&self) -> Class {
        Class::Opaque
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 1)?;
        let Fact { dtype, shape } = inputs[0];
        let n = shape.len();
        ensure!(
            self.dim < n,
            self.name(),
            "dimension out of range, expected < {n}, got {}",
            self.dim
        );
        let dtype = if dtype.is_differentiable() { dtype } else { DType::I64 };
        Ok(Fact::new(dtype, shape).only())
    }

    fn reads(&self, _input: usize) -> Read {
        Read::Contiguous
    }

    fn overwrites(&self, _output: usize, _input: usize) -> bool {
        false
    }

    fn faults(&self, _inputs: &[Fact]) -> Faults {
        Faults::Memory
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        scan::cumsum(inputs[0], self.dim, self.reverse, outputs[0]);
        Ok(())
    }

    fn saves(&self, _input: usize) -> Saves {
        Saves::NONE
    }

    /// Each element reaches all later sums.
    fn vjp(&self, e: &mut dyn Emit, _io: &Io, grads: &[Option<Val>]) -> Result<Grads> {
        let Some(g) = grads[0] else { return Ok(smallvec![None]) };
        let back = Cumsum { reverse: !self.reverse, ..*self };
        Ok(smallvec![Some(e.one(Op::Scan(back), &[g])?)])
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        inputs[0].numel() as u64
    }

    fn simplify(&self, _known: &dyn Known) -> Option<Simpler> {
        None
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
