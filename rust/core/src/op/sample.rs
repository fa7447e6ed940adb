//! Inputs on which the property tests try every operation.

use weft_kernels::{DType, Shape};

use super::Op;

/// How the elements of a sample input are chosen.
#[derive(Debug, Clone, PartialEq)]
pub enum Domain {
    /// Floats, uniform in the interval; the test chooses the float dtype.
    Uniform(f64, f64),
    /// These floats, cycled; the test chooses the float dtype.
    Special(&'static [f64]),
    /// `int64` indices in `0..len`.
    Index(usize),
    /// Truth values.
    Bool,
    /// Exactly these values of this dtype.
    Exact(DType, Vec<f64>),
}

/// One sample: an operation with its attributes, and its inputs.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The operation.
    pub op: Op,
    /// Shape and elements of each input.
    pub inputs: Vec<(Shape, Domain)>,
    /// Whether gradients are finite and smooth here, so that they can be compared with
    /// finite differences.
    pub smooth: bool,
}

impl Sample {
    /// A sample whose gradients are checked.
    pub fn smooth(op: Op, inputs: Vec<(&[usize], Domain)>) -> Sample {
        Self::make(op, inputs, true)
    }

    /// A sample of which only values are checked.
    pub fn values(op: Op, inputs: Vec<(&[usize], Domain)>) -> Sample {
        Self::make(op, inputs, false)
    }

    fn make(op: Op, inputs: Vec<(&[usize], Domain)>, smooth: bool) -> Sample {
        let inputs = inputs.into_iter().map(|(dims, domain)| (Shape::new(dims), domain)).collect();
        Sample { op, inputs, smooth }
    }
}

impl Sample {
    /// Facts of the inputs when floats are `float`.
    pub fn sample_facts(&self, float: DType) -> Vec<crate::fact::Fact> {
        let dtype = |domain: &Domain| match domain {
            Domain::Uniform(..) | Domain::Special(_) => float,
            Domain::Index(_) => DType::I64,
            Domain::Bool => DType::Bool,
            Domain::Exact(dtype, _) => *dtype,
        };
        self.inputs.iter().map(|(s, d)| crate::fact::Fact::new(dtype(d), *s)).collect()
    }
}
