//! Conversion of the element type.

use smallvec::smallvec;
use weft_kernels::{Arg, DType, chain, tile};

use super::sample::Domain;
use super::simplify::keep;
use super::{
    Attr, Attrs, Class, Emit, Faults, Grads, Io, Known, Op, Read, Rule, Sample, Saves, Simpler, Val,
};
use crate::error::Result;
use crate::fact::{Fact, Facts};

/// Conversion to another element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cast {
    /// The new element type.
    pub dtype: DType,
}

impl Rule for Cast {
    fn name(&self) -> &'static str {
        "to"
    }

    fn doc(&self) -> &'static str {
        "The same numbers in another dtype; floats are truncated and saturated to integers, NaN to 0."
    }

    fn attrs(&self) -> Attrs {
        vec![("dtype", Attr::from(self.dtype))]
    }

    fn class(&self) -> Class {
        Class::Pointwise
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 1)?;
        Ok(inputs[0].with_dtype(self.dtype).only())
    }

    fn reads(&self, _input: usize) -> Read {
        Read::Strided
    }

    fn overwrites(&self, _output: usize, _input: usize) -> bool {
        true
    }

    fn faults(&self, _inputs: &[Fact]) -> Faults {
        Faults::Never
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        chain::apply(tile::cast(inputs[0].dtype, self.dtype), inputs, outputs[0], 1);
        Ok(())
    }

    fn saves(&self, _input: usize) -> Saves {
        Saves::NONE
    }

    fn vjp(&self, e: &mut dyn Emit, io: &Io, grads: &[Option<Val>]) -> Result<Grads> {
        let from = io.input_facts[0].dtype;
        Ok(smallvec![match grads[0] {
            Some(g) if from.is_differentiable() => Some(e.cast(g, from)?),
            _ => None,
        }])
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        inputs[0].numel() as u64
    }

    fn simplify(&self, known: &dyn Known) -> Option<Simpler> {
        keep(known, 0)
    }

    fn samples(&self) -> Vec<Sample> {
        let wide: &[f64] = &[0.0, -0.0, 1.5, -1.5, 300.0, -3e9, 1e300, f64::INFINITY, f64::NAN];
        let mut samples = vec![
            Sample::smooth(
                Op::Cast(Cast { dtype: DType::F64 }),
                vec![(&[3, 4], Domain::Uniform(-2.0, 2.0))],
            ),
            Sample::values(Op::Cast(Cast { dtype: DType::F32 }), vec![(&[3, 4], Domain::Index(9))]),
        ];
        for dtype in DType::ALL {
            samples.push(Sample::values(
                Op::Cast(Cast { dtype }),
                vec![(&[9], Domain::Special(wide))],
            ));
        }
        samples
    }
}
