//! Values made of attributes alone.

use smallvec::smallvec;
use weft_kernels::{Arg, DType, Scalar, Shape, fill};

use super::{
    Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Rule, Sample, Size, Sizes, Vals,
};
use crate::error::Result;
use crate::fact::{Fact, Facts};

/// The same number everywhere.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Full {
    /// Size of each dimension.
    pub shape: Sizes,
    /// Element type.
    pub dtype: DType,
    /// The number, already as `dtype` holds it.
    pub value: Scalar,
}

/// A value made of attributes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Create {
    /// A single number, which most constants of rules are.
    Number {
        /// Element type.
        dtype: DType,
        /// The number, already as `dtype` holds it.
        value: Scalar,
    },
    /// The same number everywhere, in a shape with dimensions.
    Full(Box<Full>),
    /// `start + i * step` for `i` in `0..len`.
    Arange {
        /// Number of elements.
        len: Size,
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
        len: Size,
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
        let value = value.cast(dtype);
        if shape.is_empty() {
            return Create::Number { dtype, value };
        }
        Create::Full(Box::new(Full { shape: shape.into(), dtype, value }))
    }

    /// The number that every element is, if it is one.
    pub fn uniform(&self) -> Option<Scalar> {
        match self {
            Create::Number { value, .. } => Some(*value),
            Create::Full(full) => Some(full.value),
            Create::Arange { .. } | Create::Linspace { .. } => None,
        }
    }
}

impl Create {
    pub(super) fn forms() -> Vec<Op> {
        let (len, zero) = (1.into(), Scalar::Int(0));
        let arange = Create::Arange { len, dtype: DType::I64, start: zero, step: zero };
        let linspace = Create::Linspace { len, dtype: DType::F32, start: zero, end: zero };
        [Create::full(Shape::SCALAR, DType::F32, zero), arange, linspace].map(Op::Create).into()
    }
}

impl Rule for Create {
    fn name(&self) -> &'static str {
        match self {
            Create::Number { .. } | Create::Full(_) => "full",
            Create::Arange { .. } => "arange",
            Create::Linspace { .. } => "linspace",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Create::Number { .. } | Create::Full(_) => "The same number everywhere.",
            Create::Arange { .. } => "start + i * step, each element computed from its index.",
            Create::Linspace { .. } => {
                "Evenly spaced numbers, each half computed from its end; whole ones are truncated."
            }
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        match self {
            Create::Number { dtype, value } => {
                let mut shape = Sizes::from(Shape::SCALAR);
                f.field("value", value);
                f.field("shape", &mut shape);
                f.field("dtype", dtype);
                *self = Create::full(*shape, *dtype, *value);
            }
            Create::Full(full) => {
                f.field("value", &mut full.value);
                f.field("shape", &mut full.shape);
                f.field("dtype", &mut full.dtype);
                *self = Create::full(*full.shape, full.dtype, full.value);
            }
            Create::Arange { len, dtype, start, step } => {
                f.field("start", start);
                f.field("step", step);
                f.field("len", len);
                f.field("dtype", dtype);
            }
            Create::Linspace { len, dtype, start, end } => {
                f.field("start", start);
                f.field("end", end);
                f.field("len", len);
                f.field("dtype", dtype);
            }
        }
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Create, Faults::Never, Forward::Linear).strided().ulps(1.0)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        super::expect_inputs(self.name(), inputs, 0)?;
        if let Create::Arange { dtype, .. } | Create::Linspace { dtype, .. } = self
            && dtype.is_complex()
        {
            let what = format_args!("dtype not supported, expected a real one, got {dtype}");
            return Err(crate::Error::type_(self.name(), what));
        }
        Ok(match self {
            Create::Number { dtype, .. } => Fact::new(*dtype, Shape::SCALAR),
            Create::Full(full) => Fact::new(full.dtype, *full.shape),
            Create::Arange { len, dtype, .. } | Create::Linspace { len, dtype, .. } => {
                Fact::new(*dtype, Shape::new(&[len.get()]))
            }
        }
        .only())
    }

    fn run(&self, _inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        match self {
            Create::Number { value, .. } => fill::fill(*value, outputs[0]),
            Create::Full(full) => fill::fill(full.value, outputs[0]),
            Create::Arange { start, step, .. } => fill::arange(*start, *step, outputs[0]),
            Create::Linspace { start, end, .. } => fill::linspace(*start, *end, outputs[0]),
        }
        Ok(())
    }

    fn gradient(&self, _input: usize) -> Grad<Create> {
        Grad::Nothing
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        let one = b.e.one(Op::Create(self.clone()), &[])?;
        let shape = b.e.fact(one).shape;
        let shape = b.shape(&shape)?;
        Ok(smallvec![b.e.expand(one, shape)?])
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        0
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
        let floats = Create::Arange { len: 7.into(), dtype: DType::F32, start, step };
        let (start, step) = (Scalar::Int(5), Scalar::Int(-2));
        let ints = Create::Arange { len: 7.into(), dtype: DType::I64, start, step };
        samples.extend([floats, ints].map(|op| Sample::values(Op::Create(op), vec![])));
        for (len, dtype) in [(7, DType::F32), (4, DType::F64), (1, DType::F64), (5, DType::I32)] {
            let (start, end) = (Scalar::Float(-3.0), Scalar::Float(3.7));
            let op = Create::Linspace { len: Size::from(len), dtype, start, end };
            samples.push(Sample::values(Op::Create(op), vec![]));
        }
        samples.retain(|sample| sample.op.name() == self.name());
        samples
    }
}
