//! Values made of attributes alone.

use smallvec::smallvec;
use weft_kernels::{Arg, DType, Scalar, Shape, fill};

use super::{
    Attr, Attrs, Class, Emit, Faults, Grads, Io, Known, Op, Read, Rule, Sample, Saves, Simpler, Val,
};
use crate::error::Result;
use crate::fact::{Fact, Facts};

/// A value made of attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Create {
    /// The same number everywhere.
    Full {
        /// Size of each dimension.
        shape: Shape,
        /// Element type.
        dtype: DType,
        /// The number, already as `dtype` holds it.
        value: Scalar,
    },
    /// `start + i * step` for `i` in `0..len`.
    Arange {
        /// Number of elements.
        len: usize,
        /// Element type.
        dtype: DType,
        /// First element.
        start: Scalar,
        /// Difference of neighbours.
        step: Scalar,
    },
    /// Evenly spaced from `start` to `end`, both included.
    Linspace {
        /// Number of elements.
        len: usize,
        /// Element type.
        dtype: DType,
        /// First element.
        start: Scalar,
        /// Last element.
        end: Scalar,
    },
}

impl Create {
    /// `value`, converted to `dtype`, everywhere.
    pub fn full(shape: Shape, dtype: DType, value: Scalar) -> Create {
        Create::Full { shape, dtype, value: value.cast(dtype) }
    }
}

impl Rule for Create {
    fn name(&self) -> &'static str {
        match self {
            Create::Full { .. } => "full",
            Create::Arange { .. } => "arange",
            Create::Linspace { .. } => "linspace",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Create::Full { .. } => "The same number everywhere.",
            Create::Arange { .. } => "start + i * step, each element computed from its index.",
            Create::Linspace { .. } => {
                "Evenly spaced numbers, each half computed from its end; whole ones are truncated."
            }
        }
    }

    fn attrs(&self) -> Attrs {
        match self {
            Create::Full { value, shape, dtype } => vec![
                ("value", Attr::from(*value)),
                ("shape", shape.into()),
                ("dtype", Attr::from(*dtype)),
            ],
            Create::Arange { start, step, len, dtype } => {
                let (len, dtype) = (Attr::Int(*len as i64), Attr::from(*dtype));
                let (start, step) = (Attr::from(*start), Attr::from(*step));
                vec![("start", start), ("step", step), ("len", len), ("dtype", dtype)]
            }
            Create::Linspace { start, end, len, dtype } => {
                let (len, dtype) = (Attr::Int(*len as i64), Attr::from(*dtype));
                let (start, end) = (Attr::from(*start), Attr::from(*end));
                vec![("start", start), ("end", end), ("len", len), ("dtype", dtype)]
            }
        }
    }

    fn class(&self) -> Class {
        Class::Create
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 0)?;
        Ok(match *self {
            Create::Full { shape, dtype, .. } => Fact::new(dtype, shape),
            Create::Arange { len, dtype, .. } | Create::Linspace { len, dtype, .. } => {
                Fact::new(dtype, Shape::new(&[len]))
            }
        }
        .only())
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

    fn run(&self, _inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        match *self {
            Create::Full { value, .. } => fill::fill(value, outputs[0]),
            Create::Arange { start, step, .. } => fill::arange(start, step, outputs[0]),
            Create::Linspace { start, end, .. } => fill::linspace(start, end, outputs[0]),
        }
        Ok(())
    }

    fn saves(&self, _input: usize) -> Saves {
        Saves::NONE
    }

    fn vjp(&self, _e: &mut dyn Emit, _io: &Io, _grads: &[Option<Val>]) -> Result<Grads> {
        Ok(smallvec![])
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        0
    }

    fn simplify(&self, _known: &dyn Known) -> Option<Simpler> {
        None
    }

    fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for dtype in DType::ALL {
            for dims in [&[][..], &[2, 3], &[0]] {
                let full = Create::full(Shape::new(dims), dtype, Scalar::Float(1.0));
                samples.push(Sample::values(Op::Create(full), vec![]));
            }
        }
        let (start, step) = (Scalar::Float(-1.0), Scalar::Float(0.3));
        let floats = Create::Arange { len: 7, dtype: DType::F32, start, step };
        let (start, step) = (Scalar::Int(5), Scalar::Int(-2));
        let ints = Create::Arange { len: 7, dtype: DType::I64, start, step };
        samples.extend([floats, ints].map(|op| Sample::values(Op::Create(op), vec![])));
        for (len, dtype) in [(7, DType::F32), (4, DType::F64), (1, DType::F64), (5, DType::I32)] {
            let (start, end) = (Scalar::Float(-3.0), Scalar::Float(3.7));
            let op = Create::Linspace { len, dtype, start, end };
            samples.push(Sample::values(Op::Create(op), vec![]));
        }
        samples.retain(|sample| sample.op.name() == self.name());
        samples
    }
}
