//! Random values from a counter-based stream (Philox, Salmon et al. 2011).

use smallvec::smallvec;
use weft_kernels::rng::{self, Key};
use weft_kernels::{Arg, DType, Scalar, Shape};

use super::sample::Domain;
use super::{
    Attr, Attrs, Class, Emit, Faults, Grads, Io, Known, Op, Read, Rule, Sample, Saves, Simpler, Val,
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
        classes: usize,
        /// Whether a category can be drawn again.
        replacement: bool,
    },
}

/// Random values of one distribution. The first input is the generator's state, `int64 [2]`:
/// seed and position. [`Dist::Choice`] also reads weights `[rows, classes]`, and has its
/// running sums or keys as a second result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Random {
    /// The distribution.
    pub dist: Dist,
    /// Size of each dimension.
    pub shape: Shape,
    /// Element type.
    pub dtype: DType,
    /// Blocks of the stream between the generator's position and this value.
    pub ahead: u64,
}

impl Random {
    /// Blocks of the stream that the values use up.
    pub fn blocks(&self) -> u64 {
        let numbers = match self.dist {
            Dist::Choice { classes, replacement: false } => self.shape[0] * classes,
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
                    DType::F32 => f64::from(high as f32 - low as f32),
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
        if (whole && self.dtype != DType::I64) || (real && !self.dtype.is_floating_point()) {
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

    fn attrs(&self) -> Attrs {
        let mut attrs = match self.dist {
            Dist::Uniform(low, high) => vec![("low", low.into()), ("high", high.into())],
            Dist::Normal(mean, std) => vec![("mean", mean.into()), ("std", std.into())],
            Dist::Bernoulli(p, scale) => vec![("p", p.into()), ("scale", scale.into())],
            Dist::Integers(low, high) => vec![("low", Attr::Int(low)), ("high", Attr::Int(high))],
            Dist::Permutation => vec![],
            Dist::Choice { replacement, .. } => vec![
                ("samples", Attr::Int(self.shape[1] as i64)),
                ("replacement", Attr::Bool(replacement)),
            ],
        };
        attrs.push(("ahead", Attr::Int(self.ahead as i64)));
        attrs
    }

    fn class(&self) -> Class {
        Class::Opaque
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let choice = matches!(self.dist, Dist::Choice { .. });
        super::expect_inputs(self.name(), inputs, 1 + usize::from(choice))?;
        let state = Fact::new(DType::I64, Shape::new(&[2]));
        ensure!(inputs[0] == state, self.name(), "expected a state {state}, got {}", inputs[0]);
        self.check_dtype()?;
        let result = Fact::new(self.dtype, self.shape);
        if let Dist::Choice { classes, replacement } = self.dist {
            self.check_weights(&inputs[1], classes)?;
            self.check_parameters()?;
            let width = if replacement { classes } else { self.shape[1] };
            let work = Fact::new(DType::F64, Shape::new(&[self.shape[0], width]));
            return Ok(smallvec![result, work]);
        }
        self.check_parameters()?;
        Ok(result.only())
    }

    fn reads(&self, _input: usize) -> Read {
        Read::Contiguous
    }

    fn overwrites(&self, _output: usize, _input: usize) -> bool {
        false
    }

    fn faults(&self, _inputs: &[Fact]) -> Faults {
        match self.dist {
            Dist::Permutation => Faults::Memory,
            Dist::Choice { .. } => Faults::Values,
            _ => Faults::Never,
        }
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

    fn saves(&self, _input: usize) -> Saves {
        Saves::NONE
    }

    fn vjp(&self, _e: &mut dyn Emit, io: &Io, _grads: &[Option<Val>]) -> Result<Grads> {
        Ok(smallvec![None; io.inputs.len()])
    }

    fn flops(&self, _inputs: &[Fact]) -> u64 {
        20 * self.shape.numel() as u64
    }

    fn simplify(&self, _known: &dyn Known) -> Option<Simpler> {
        None
    }

    fn samples(&self) -> Vec<Sample> {
        let f = Scalar::Float;
        let make = |dist, dims: &[usize], dtype| {
            let random = Random { dist, shape: Shape::new(dims), dtype, ahead: 3 };
            let state = Domain::Exact(DType::I64, vec![42.0, 7.0]);
            Sample::values(Op::Random(random), vec![(&[2], state)])
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
            let dist = Dist::Choice { classes: 7, replacement };
            let random = Random { dist, shape: Shape::new(&dims), dtype: DType::I64, ahead: 3 };
            let state = Domain::Exact(DType::I64, vec![42.0, 7.0]);
            let weights = (&[dims[0], 7][..], Domain::Uniform(0.1, 2.0));
            samples.push(Sample::values(Op::Random(random), vec![(&[2], state), weights]));
        }
        samples.retain(|sample| sample.op.name() == self.name());
        samples
    }
}
