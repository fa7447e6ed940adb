//! When operations fail is what their rows say.
#![allow(missing_docs)]

use weft_core::Fact;
use weft_core::op::sample::{Domain, Sample};
use weft_core::op::{Faults, register};
use weft_kernels::{Arg, Buffer, DType, Layout, Scalar, Shape, fill};

struct Value {
    buffer: Buffer,
    dtype: DType,
    layout: Layout,
}

impl Value {
    fn new(fact: Fact) -> Value {
        let layout = Layout::contiguous(fact.shape);
        Value { buffer: Buffer::zeroed(fact.bytes()), dtype: fact.dtype, layout }
    }

    fn arg(&self) -> Arg<'_> {
        Arg::new(&self.buffer, self.dtype, &self.layout)
    }

    /// An input of a sample; indices are `index`.
    fn input(fact: Fact, domain: &Domain, index: i64) -> Value {
        let value = Value::new(fact);
        match domain {
            Domain::Uniform(low, high) => {
                fill::fill(Scalar::Float(0.5 * (low + high)), value.arg());
            }
            Domain::Special(numbers) => fill::fill(Scalar::Float(numbers[0]), value.arg()),
            Domain::Index(_) => fill::fill(Scalar::Int(index), value.arg()),
            Domain::Bool => fill::fill(Scalar::Bool(true), value.arg()),
            Domain::Exact(_, numbers) => {
                for (offset, number) in numbers.iter().enumerate() {
                    let layout = Layout { offset, ..Layout::contiguous(Shape::SCALAR) };
                    let one = Arg::new(&value.buffer, fact.dtype, &layout);
                    fill::fill(Scalar::Float(*number), one);
                }
            }
        }
        value
    }
}

/// Every sample of every operation, with floats of both kinds.
fn each(mut check: impl FnMut(&Sample, &[Fact])) {
    for op in register::all() {
        for sample in op.samples() {
            for float in [DType::F32, DType::F64] {
                let facts = sample.sample_facts(float);
                if sample.op.infer(&facts).is_ok() {
                    check(&sample, &facts);
                }
            }
        }
    }
}

/// Runs a sample whose indices are `index`; whether it ends well.
fn run(sample: &Sample, facts: &[Fact], index: i64) -> bool {
    let domains = sample.inputs.iter().map(|(_, domain)| domain);
    let inputs: Vec<Value> =
        facts.iter().zip(domains).map(|(f, d)| Value::input(*f, d, index)).collect();
    let outputs: Vec<Value> = sample.op.infer(facts).unwrap().into_iter().map(Value::new).collect();
    let ins: Vec<Arg> = inputs.iter().map(Value::arg).collect();
    let outs: Vec<Arg> = outputs.iter().map(Value::arg).collect();
    sample.op.run(&ins, &outs).is_ok()
}

#[test]
fn what_says_never_does_not_fail() {
    let mut seen = 0;
    each(|sample, facts| {
        if sample.op.faults(facts) == Faults::Never {
            seen += 1;
            for index in [0, 9999, -9999] {
                assert!(run(sample, facts, index), "{} {facts:?}", sample.op.name());
            }
        }
    });
    assert!(seen > 300, "{seen}");
}

#[test]
fn what_raises_on_values_says_so() {
    let mut raising = 0;
    each(|sample, facts| {
        if run(sample, facts, 0) && !run(sample, facts, 9999) {
            raising += 1;
            assert_ne!(sample.op.faults(facts), Faults::Never, "{}", sample.op.name());
        }
    });
    assert!(raising >= 20, "{raising}");
}
