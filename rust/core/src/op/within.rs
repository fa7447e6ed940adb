//! Values that must lie in a range.

use weft_kernels::{Arg, DType, Fault, Scalar, Shape, check, fill};

use super::attr::Word;
use super::sample::Domain;
use super::{Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Rule, Sample, Vals};
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// Raises, in the name of the operation that needs it, unless all values lie in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Within {
    /// The operation that needs it.
    pub of: &'static str,
    /// Which of its arguments is checked.
    pub argument: &'static str,
    low: i64,
    high: i64,
}

const fn probability(of: &'static str, argument: &'static str) -> Within {
    Within { of, argument, low: 0, high: 1 }
}

/// All that is checked, by operation and argument.
impl Word for Within {
    const WORDS: &'static [(&'static str, Within)] = &[
        ("binary_cross_entropy.input", probability("binary_cross_entropy", "input")),
        ("binary_cross_entropy.target", probability("binary_cross_entropy", "target")),
    ];
}

impl Within {
    /// The checks that there are.
    pub fn all() -> impl Iterator<Item = Within> {
        Within::WORDS.iter().map(|(_, known)| *known)
    }

    /// The check of one argument of an operation.
    pub fn of(op: &str, argument: &str) -> Option<Within> {
        Within::all().find(|known| known.of == op && known.argument == argument)
    }

    pub(super) fn forms() -> Vec<Op> {
        Within::all().take(1).map(Op::Within).collect()
    }

    fn error(&self, fault: Fault) -> Error {
        let Fault::Outside { value } = fault else { return Error::fault(self.of, fault) };
        let (argument, low, high) = (self.argument, self.low as f64, self.high as f64);
        Error::runtime(
            self.of,
            format_args!("{argument} expected to lie in {low} to {high}, got {value}"),
        )
    }
}

impl Rule for Within {
    fn name(&self) -> &'static str {
        "within"
    }

    fn doc(&self) -> &'static str {
        "True, if all values lie in a range; otherwise an error in the name of an operation."
    }

    fn fields(&mut self, f: &mut Fields) {
        f.field("of", self);
    }

    fn nature(&self) -> Nature {
        let none = Forward::None("a check has no tangent");
        Nature::new(Class::Opaque, Faults::Values, none)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 1)?;
        super::expect_float(self.name(), &inputs[0])?;
        Ok(Fact::new(DType::Bool, Shape::SCALAR).only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        check::within(self.low as f64, self.high as f64, inputs[0])
            .map_err(|fault| self.error(fault))?;
        fill::fill(Scalar::Bool(true), outputs[0]);
        Ok(())
    }

    fn gradient(&self, _input: usize) -> Grad<Within> {
        Grad::Nothing
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        b.each(&Op::Within(*self))
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        2 * inputs[0].numel() as u64
    }

    fn samples(&self) -> Vec<Sample> {
        let x = || Domain::Uniform(0.0, 1.0);
        let mut samples = vec![
            Sample::values(Op::Within(*self), vec![(&[0], x())]),
            Sample::values(Op::Within(*self), vec![(&[], x())]),
        ];
        samples.extend(
            Within::all().map(|each| Sample::values(Op::Within(each), vec![(&[3, 5], x())])),
        );
        samples
    }
}
