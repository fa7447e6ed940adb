//! Random values from a counter-based stream (Philox, Salmon et al. 2011).

use smallvec::smallvec;
use weft_kernels::rng::{self, Key};
use weft_kernels::{Arg, DType, Scalar, Shape};

use super::sample::Domain;
use super::{
    Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Rule, Sample, Size, Sizes, Vals,
};
use crate::ensure;
use crate::error::{Error, Result};
use crate::fact::{Fact, Facts};

/// A distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dist {
    /// Uniform in `[low, high)`.
    Uniform(Scalar, Scalar),
    /// Normal with mean and standard deviation.
    Normal(Scalar, Scalar),
    /// The second number with the probability of the first, else 0.
    Bernoulli(Scalar, Scalar),
    /// Whole numbers in `low..high`.
    Integers(i64, i64),
    /// The numbers below the length, in random order.
    Permutation,
    /// Categories by weight.
    Choice {
        /// How many categories there are.
        classes: Size,
        /// Whether a category can be drawn again.
        replacement: bool,
    },
}

/// Random values of one distribution. The first input is the generator's state, `int64 [2]`:
/// seed and position. [`Dist::Choice`] also reads weights `[rows, classes]`, and has its
/// running sums or keys as a second result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Random {
    /// The distribution.
    pub dist: Dist,
    /// Size of each dimension.
    pub shape: Sizes,
    /// Element type.
    pub dtype: DType,
    /// Blocks of the stream between the generator's position and this value.
    pub ahead: u64,
}

impl Random {
    /// Blocks of the stream that the values use up.
    pub fn blocks(&self) -> u64 {
        let numbers = match self.dist {
            Dist::Choice { classes, replacement: false } => {
                self.shape[0].saturating_mul(classes.get())
            }
            _ => self.shape.numel(),
        };
        rng::blocks(numbers, self.dtype)
    }

    /// What the parameters alone must satisfy.
    fn check_parameters(&self) -> Result<()> {
        let name = self.name();
        match self.dist {
            Dist::Uniform(low, high) => {
                let (low, high) = (low.as_f64(), high.as_f64());
                let span = match self.dtype {
                    DType::F16 | DType::BF16 | DType::F32 => f64::from(high as f32 - low as f32),
                    _ => high - low,
                };
                ensure!(
                    low <= high && span.is_finite(),
                    name,
                    "expected low <= high and a finite range, got {low} and {high}"
                );
            }
            Dist::Normal(_, std) => {
                let std = std.as_f64();
                ensure!((0.0..).contains(&std), name, "expected std >= 0, got {std}");
            }
            Dist::Bernoulli(p, _) => {
                let p = p.as_f64();
                ensure!((0.0..=1.0).contains(&p), name, "expected 0 <= p <= 1, got {p}");
            }
            Dist::Integers(low, high) => {
                if low >= high {
                    let what =
                        format_args!("empty range, expected low < high, got {low} and {high}");
                    return Err(Error::value(name, what));
                }
                let fits = |x: i64| {
                    let x = Scalar::Int(x);
                    self.dtype.is_floating_point()
                        || self.dtype == DType::Bool
                        || x.cast(self.dtype) == x
                };
                ensure!(
                    fits(low) && fits(high - 1),
                    name,
                    "numbers from {low} to {} do not fit {}",
                    high - 1,
                    self.dtype
                );
            }
            Dist::Choice { classes, replacement } => {
                let classes = classes.get();
                let samples = self.shape.last().copied().unwrap_or(0);
                ensure!(samples > 0, name, "expected 1 sample or more, got {samples}");
                ensure!(
                    replacement || samples <= classes,
                    name,
                    "expected at most {classes} samples without replacement, got {samples}"
                );
            }
            Dist::Permutation => {}
        }
        Ok(())
    }

    fn check_dtype(&self) -> Result<()> {
        let whole = matches!(self.dist, Dist::Permutation | Dist::Choice { .. });
        let real = matches!(self.dist, Dist::Uniform(..) | Dist::Normal(..));
        let complex = self.dtype.is_complex();
        if complex
            || (whole && self.dtype != DType::I64)
            || (real && !self.dtype.is_floating_point())
        {
            let what = format_args!("dtype not supported, got {}", self.dtype);
            return Err(Error::type_(self.name(), what));
        }
        Ok(())
    }

    fn check_weights(&self, weights: &Fact, classes: usize) -> Result<()> {
        super::expect_float(self.name(), weights)?;
        let fits = self.shape.len() == 2 && weights.shape == Shape::new(&[self.shape[0], classes]);
        ensure!(
            fits,
            self.name(),
            "expected weights [{}, {classes}], got {}",
            self.shape.first().copied().unwrap_or(0),
            weights.shape
        );
        Ok(())
    }
}

impl Random {
    pub(super) fn forms() -> Vec<Op> {
        let zero = Scalar::Int(0);
        let (one, f) = (Scalar::Int(1), DType::F32);
        let choice = Dist::Choice { classes: 1.into(), replacement: true };
        [
            (Dist::Uniform(zero, one), f),
            (Dist::Normal(zero, one), f),
            (Dist::Bernoulli(Scalar::Float(0.5), one), f),
            (Dist::Integers(0, 1), DType::I64),
            (Dist::Permutation, DType::I64),
            (choice, DType::I64),
        ]
        .map(|(dist, dtype)| {
            let shape = match dist {
                Dist::Choice { .. } => Shape::new(&[1, 1]),
                _ => Shape::new(&[1]),
            };
            Op::Random(Box::new(Random { dist, shape: shape.into(), dtype, ahead: 0 }))
        })
        .into()
    }
}

impl Rule for Random {
    fn name(&self) -> &'static str {
        match self.dist {
            Dist::Uniform(..) => "uniform",
            Dist::Normal(..) => "normal",
            Dist::Bernoulli(..) => "bernoulli",
            Dist::Integers(..) => "randint",
            Dist::Permutation => "randperm",
            Dist::Choice { .. } => "multinomial",
        }
    }

    fn doc(&self) -> &'static str {
        "Random values that depend only on the seed, the position in the stream and the index."
    }

    fn fields(&mut self, f: &mut Fields) {
        match &mut self.dist {
            Dist::Uniform(low, high) => {
                f.field("low", low);
                f.field("high", high);
            }
            Dist::Normal(mean, std) => {
                f.field("mean", mean);
                f.field("std", std);
            }
            Dist::Bernoulli(p, scale) => {
                f.field("p", p);
                f.field("scale", scale);
            }
            Dist::Integers(low, high) => {
                f.field("low", low);
                f.field("high", high);
            }
            Dist::Permutation => {}
            Dist::Choice { classes, replacement } => {
                f.field("classes", classes);
                f.field("replacement", replacement);
            }
        }
        f.field("shape", &mut self.shape);
        f.field("dtype", &mut self.dtype);
        f.field("ahead", &mut self.ahead);
    }

    fn nature(&self) -> Nature {
        let faults = match self.dist {
            Dist::Permutation => Faults::Memory,
            Dist::Choice { .. } => Faults::Values,
            _ => Faults::Never,
        };
        Nature::new(Class::Opaque, faults, Forward::None("random values depend on no input"))
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let choice = matches!(self.dist, Dist::Choice { .. });
        super::expect_inputs(self.name(), inputs, 1 + usize::from(choice))?;
        let state = Fact::new(DType::I64, Shape::new(&[2]));
        ensure!(inputs[0] == state, self.name(), "expected a state {state}, got {}", inputs[0]);
        self.check_dtype()?;
        let result = Fact::new(self.dtype, *self.shape);
        if let Dist::Choice { classes, replacement } = self.dist {
            self.check_weights(&inputs[1], classes.get())?;
            self.check_parameters()?;
            let width = if replacement { classes.get() } else { self.shape[1] };
            let work = Fact::new(DType::F64, Shape::new(&[self.shape[0], width]));
            return Ok(smallvec![result, work]);
        }
        self.check_parameters()?;
        Ok(result.only())
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let state = inputs[0].slice::<i64>();
        let key = Key { seed: state[0] as u64, offset: (state[1] as u64).wrapping_add(self.ahead) };
        let out = outputs[0];
        match self.dist {
            Dist::Uniform(low, high) => rng::uniform(key, low.as_f64(), high.as_f64(), out),
            Dist::Normal(mean, std) => rng::normal(key, mean.as_f64(), std.as_f64(), out),
            Dist::Bernoulli(p, scale) => rng::bernoulli(key, p.as_f64(), scale.as_f64(), out),
            Dist::Integers(low, high) => rng::integers(key, low, high, out),
            Dist::Permutation => rng::permutation(key, out),
            Dist::Choice { replacement, .. } => {
                return rng::choose(key, inputs[1], replacement, out, outputs[1])
                    .map_err(|fault| Error::fault(self.name(), fault));
            }
        }
        Ok(())
    }

    fn gradient(&self, _input: usize) -> Grad<Random> {
        Grad::Nothing
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        Err(b.refuse(self.name(), "each place would draw the same numbers. Draw them before"))
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        20 * self.shape.numel() as u64
    }

    fn samples(&self) -> Vec<Sample> {
        let f = Scalar::Float;
        let make = |dist, dims: &[usize], dtype| {
            let random = Random { dist, shape: Shape::new(dims).into(), dtype, ahead: 3 };
            let state = Domain::Exact(DType::I64, vec![42.0, 7.0]);
            Sample::values(Op::Random(Box::new(random)), vec![(&[2], state)])
        };
        let mut samples = vec![
            make(Dist::Uniform(f(-1.0), f(2.0)), &[31, 3], DType::F32),
            make(Dist::Uniform(f(-1.0), f(2.0)), &[31], DType::F64),
            make(Dist::Normal(f(1.0), f(2.0)), &[33], DType::F32),
            make(Dist::Bernoulli(f(0.25), f(2.0)), &[33], DType::F32),
            make(Dist::Integers(-3, 4), &[0, 3], DType::I64),
            make(Dist::Integers(-3, 4), &[35], DType::I64),
            make(Dist::Permutation, &[17], DType::I64),
        ];
        for (dims, replacement) in [([3, 4], false), ([2, 40], true), ([0, 2], false)] {
            let dist = Dist::Choice { classes: 7.into(), replacement };
            let random =
                Random { dist, shape: Shape::new(&dims).into(), dtype: DType::I64, ahead: 3 };
            let state = Domain::Exact(DType::I64, vec![42.0, 7.0]);
            let weights = (&[dims[0], 7][..], Domain::Uniform(0.1, 2.0));
            samples
                .push(Sample::values(Op::Random(Box::new(random)), vec![(&[2], state), weights]));
        }
        samples.retain(|sample| sample.op.name() == self.name());
        samples
    }
}
