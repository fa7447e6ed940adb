//! Optimiser updates: one operation for all parameters of a group.
//!
//! Inputs: `hyper` (`float64`, read when the operation runs), then for each parameter its
//! value, gradient, state tensors and step count. Outputs: for each parameter the new
//! value, states and count.

use weft_kernels::{Arg, DType, Shape, optim};

use super::sample::Domain;
use super::{Batch, Class, Faults, Fields, Forward, Grad, Nature, Op, Over, Rule, Sample, Vals};
use crate::ensure;
use crate::error::Result;
use crate::fact::{Fact, Facts};

const UPDATE: &str = "an update of parameters is not differentiated";

/// An optimiser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Optim {
    /// Stochastic gradient descent; `hyper` = learning rate, momentum, dampening, weight
    /// decay, Nesterov (0/1), maximise (0/1).
    Sgd {
        /// Whether each parameter has a momentum buffer; without one the momentum counts as 0.
        momentum: bool,
    },
    /// Adam (Kingma and Ba 2014) and AdamW (Loshchilov and Hutter 2017); `hyper` = learning
    /// rate, the two betas, eps, weight decay, decoupled (0/1), maximise (0/1).
    Adam {
        /// Whether each parameter keeps the largest second moment (Reddi et al. 2018).
        amsgrad: bool,
    },
}

impl Optim {
    /// State tensors per parameter, without the step count.
    pub fn states(&self) -> usize {
        match self {
            Optim::Sgd { momentum } => usize::from(*momentum),
            Optim::Adam { amsgrad } => 2 + usize::from(*amsgrad),
        }
    }

    /// Inputs per parameter.
    pub fn inputs(&self) -> usize {
        self.states() + 3
    }

    /// Outputs per parameter.
    pub fn outputs(&self) -> usize {
        self.states() + 2
    }

    fn hyper_len(&self) -> usize {
        match self {
            Optim::Sgd { .. } => 6,
            Optim::Adam { .. } => 7,
        }
    }

    fn update(&self, hyper: Arg, x: &[Arg], out: &[Arg]) {
        match *self {
            Optim::Sgd { momentum: false } => {
                optim::sgd(hyper, x[0], x[1], None, x[2], out[0], None, out[1]);
            }
            Optim::Sgd { momentum: true } => {
                optim::sgd(hyper, x[0], x[1], Some(x[2]), x[3], out[0], Some(out[1]), out[2]);
            }
            Optim::Adam { amsgrad } => {
                let (largest, step) = if amsgrad { (Some(x[4]), x[5]) } else { (None, x[4]) };
                let (largest_out, step_out) =
                    if amsgrad { (Some(out[3]), out[4]) } else { (None, out[3]) };
                optim::adam(
                    hyper,
                    x[0],
                    x[1],
                    x[2],
                    x[3],
                    largest,
                    step,
                    out[0],
                    out[1],
                    out[2],
                    largest_out,
                    step_out,
                );
            }
        }
    }
}

impl Optim {
    pub(super) fn forms() -> Vec<Op> {
        vec![Op::Optim(Optim::Sgd { momentum: false }), Op::Optim(Optim::Adam { amsgrad: false })]
    }

    /// States over states, values over values.
    pub(super) fn overwrites(&self, output: usize, input: usize) -> bool {
        if input == 0 {
            return false;
        }
        let (param, place) = ((input - 1) / self.inputs(), (input - 1) % self.inputs());
        let (out_param, out_place) = (output / self.outputs(), output % self.outputs());
        let same = if place == 0 { out_place == 0 } else { place == out_place + 1 && place > 1 };
        param == out_param && same
    }
}

impl Rule for Optim {
    fn name(&self) -> &'static str {
        match self {
            Optim::Sgd { .. } => "sgd",
            Optim::Adam { .. } => "adam",
        }
    }

    fn doc(&self) -> &'static str {
        match self {
            Optim::Sgd { .. } => "Stochastic gradient descent with momentum, as torch.optim.SGD.",
            Optim::Adam { .. } => "Adam and AdamW, as torch.optim.Adam and AdamW.",
        }
    }

    fn fields(&mut self, f: &mut Fields) {
        match self {
            Optim::Sgd { momentum } => f.field("momentum", momentum),
            Optim::Adam { amsgrad } => f.field("amsgrad", amsgrad),
        }
    }

    fn nature(&self) -> Nature {
        Nature::new(Class::Opaque, Faults::Never, Forward::None(UPDATE)).over(Over::Pairs).ulps(1.0)
    }

    fn infer(&self, inputs: &[Fact]) -> Result<Facts> {
        let name = self.name();
        let hyper = Fact::new(DType::F64, Shape::new(&[self.hyper_len()]));
        let per = self.inputs();
        let fits =
            !inputs.is_empty() && inputs[0] == hyper && (inputs.len() - 1).is_multiple_of(per);
        ensure!(fits, name, "expected hyperparameters {hyper} and {per} inputs per parameter");
        let step = Fact::new(DType::F32, Shape::SCALAR);
        let mut out = Facts::new();
        for group in inputs[1..].chunks_exact(per) {
            let p = group[0];
            super::expect_float(name, &p)?;
            for (i, fact) in group.iter().enumerate() {
                let expected = if i == per - 1 { step } else { p };
                ensure!(
                    *fact == expected,
                    name,
                    "expected {expected} beside parameter {p}, got {fact}"
                );
            }
            out.extend(std::iter::repeat_n(p, self.outputs() - 1));
            out.push(step);
        }
        Ok(out)
    }

    fn run(&self, inputs: &[Arg], outputs: &[Arg]) -> Result<()> {
        let groups = inputs[1..].chunks_exact(self.inputs());
        for (x, out) in groups.zip(outputs.chunks_exact(self.outputs())) {
            self.update(inputs[0], x, out);
        }
        Ok(())
    }

    fn gradient(&self, _input: usize) -> Grad<Optim> {
        Grad::None(UPDATE)
    }

    fn batch(&self, b: &mut Batch) -> Result<Vals> {
        Err(b.refuse(self.name(), UPDATE))
    }

    fn flops(&self, inputs: &[Fact]) -> u64 {
        let per_element = if matches!(self, Optim::Sgd { .. }) { 4 } else { 14 };
        let params = inputs[1..].chunks_exact(self.inputs());
        per_element * params.map(|group| group[0].numel() as u64).sum::<u64>()
    }

    fn samples(&self) -> Vec<Sample> {
        let forms = match self {
            Optim::Sgd { .. } => [false, true].map(|momentum| Optim::Sgd { momentum }),
            Optim::Adam { .. } => [false, true].map(|amsgrad| Optim::Adam { amsgrad }),
        };
        forms.into_iter().map(Optim::sample).collect()
    }
}

impl Optim {
    /// A step on two parameters.
    fn sample(self) -> Sample {
        let hyper: Vec<f64> = match self {
            Optim::Sgd { momentum: false } => vec![0.1, 0.0, 0.0, 0.01, 0.0, 0.0],
            Optim::Sgd { momentum: true } => vec![0.1, 0.9, 0.0, 0.01, 1.0, 0.0],
            Optim::Adam { .. } => vec![0.1, 0.9, 0.99, 1e-8, 0.01, 1.0, 0.0],
        };
        let len: &[usize] = if hyper.len() == 6 { &[6] } else { &[7] };
        let mut inputs: Vec<(&[usize], Domain)> = vec![(len, Domain::Exact(DType::F64, hyper))];
        for shape in [&[5, 7][..], &[3]] {
            for _ in 0..self.inputs() - 1 {
                inputs.push((shape, Domain::Uniform(0.1, 1.0)));
            }
            inputs.push((&[], Domain::Exact(DType::F32, vec![3.0])));
        }
        Sample::values(Op::Optim(self), inputs)
    }
}
