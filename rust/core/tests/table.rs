//! What holds for every operation of the table.
#![allow(missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use weft_core::graph::{Builder, Graph, ValueId};
use weft_core::op::{Io, Op, Sample, Val, Which, register};
use weft_core::site::Site;
use weft_kernels::DType;

fn samples() -> impl Iterator<Item = Sample> {
    register::all().into_iter().flat_map(|op| op.samples())
}

#[test]
fn name_and_attributes_make_the_operation_again() {
    for sample in samples() {
        let op = &sample.op;
        assert_eq!(register::make(op.name(), &op.attrs()).as_ref(), Ok(op));
    }
}

#[test]
fn attributes_survive_their_text() {
    for sample in samples() {
        let text = weft_core::op::text::written(&sample.op, ["%0".to_string()].into_iter());
        let (op, inputs) = weft_core::op::text::read(&text).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((op, inputs), (sample.op, vec!["%0"]), "{text}");
    }
}

#[test]
fn attributes_that_do_not_fit_are_refused() {
    for op in register::all() {
        let mut attrs = op.attrs();
        attrs.push(("surplus".to_string(), weft_core::op::Attr::Bool(true)));
        let error = register::make(op.name(), &attrs).expect_err(op.name());
        assert!(error.message.starts_with(&format!("{}: ", op.name())), "{error}");
        for i in 0..attrs.len() - 1 {
            let mut wrong = op.attrs();
            wrong[i].1 = weft_core::op::Attr::Text("nonsense".to_string());
            assert!(register::make(op.name(), &wrong).is_err(), "{} {i}", op.name());
        }
    }
}

/// What the gradient rule of one input reads, of the values that it names.
fn read(op: &Op, sample: &Sample, input: usize) -> Option<(BTreeSet<usize>, BTreeSet<usize>)> {
    let facts = sample.sample_facts(DType::F64);
    let results = op.infer(&facts).ok()?;
    let mut graph = Graph::default();
    let mut values = |facts: &[weft_core::Fact]| -> Vec<ValueId> {
        facts.iter().map(|fact| graph.input(*fact)).collect()
    };
    let (inputs, outputs, grads) = (values(&facts), values(&results), values(&results));
    let saves = op.saves(input);
    let named = |which: Which, values: &[ValueId]| -> Vec<Option<Val>> {
        let val = |(i, v): (usize, &ValueId)| which.has(i).then_some(Val(v.0));
        values.iter().enumerate().map(val).collect()
    };
    let needs: Vec<bool> = (0..facts.len()).map(|i| i == input).collect();
    let io = Io {
        of: input,
        inputs: &named(saves.inputs, &inputs),
        outputs: &named(saves.outputs, &outputs),
        input_facts: &facts,
        output_facts: &results,
        needs: &needs,
    };
    let grads: Vec<Option<Val>> = grads
        .iter()
        .zip(&results)
        .map(|(v, f)| f.dtype.is_differentiable().then_some(Val(v.0)))
        .collect();
    grads[0]?;
    let mut e = Builder { graph: &mut graph, site: Site::UNKNOWN };
    op.vjp(&mut e, &io, &grads).ok()?;
    let readers = graph.readers();
    let seen = |values: &[ValueId]| {
        (0..values.len()).filter(|&i| readers[values[i].0 as usize] > 0).collect()
    };
    Some((seen(&inputs), seen(&outputs)))
}

/// A rule that read more than it names would panic; none names what it never reads.
#[test]
fn gradient_rules_read_what_they_name() {
    let mut unread: BTreeMap<(String, usize, &str, usize), bool> = BTreeMap::new();
    for sample in samples() {
        for input in 0..sample.inputs.len() {
            let Some((inputs, outputs)) = read(&sample.op, &sample, input) else { continue };
            let saves = sample.op.saves(input);
            let form = format!("{}{:?}", sample.op.name(), sample.op.attrs());
            for (what, which, seen) in
                [("input", saves.inputs, inputs), ("output", saves.outputs, outputs)]
            {
                for i in (0..8).filter(|i| which.has(*i)) {
                    *unread.entry((form.clone(), input, what, i)).or_default() |= seen.contains(&i);
                }
            }
        }
    }
    let never: Vec<_> = unread.iter().filter(|(_, seen)| !**seen).map(|(at, _)| at).collect();
    assert!(never.is_empty(), "{never:?}");
}
