//! Conversion of the element type.

use weft_kernels::{Arg, DType, chain, tile};

use super::sample::Domain;
use super::{
    Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Over, Rule, Sample, Saves, Vals,
};
use crate::error::Result;
use crate::fact::{Fact, Facts};

/// Conversion to another element type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cast {
    /// The new element type.
    pub dtype: DType,
}

impl Cast {
    pub(super) fn forms() -> Vec<Op> {
        vec![Op::Cast(Cast { dtype: DType::F32 })]
    }
}

impl Rule for Cast {
    fn name(&self) -> &'static str {
        "to"
    }

    fn doc(&self) -> &'static str {
        "The same numbers in another dtype; floats are truncated and saturated to integers, NaN to 0."
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("dtype", &mut self.dtype);
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Pointwise, Faults::Never, Forward::Linear).strided().over(Over::Any)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 1)?;
        Ok(inputs[0].with_dtype(self.dtype).only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        chain::apply(tile::cast(inputs[0].dtype, self.dtype), inputs, outputs[0], 1);
        Ok(())
    }

    fn gradient(&self, _input: usize) -> Grad<Cast> {
        Grad::Of(Saves::NONE, |_, e, io, g| e.cast(g, io.fact().dtype))
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let inputs = b.plain();
        b.emit(Op::Cast(*self), &inputs)
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        inputs[0].numel() as u64
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
