//! The text of a graph makes the graph again.
#![allow(missing_docs)]

mod common;

use std::sync::Arc;

use common::{call, f32s, returns, row};
use weft_core::Fact;
use weft_core::graph::{Constant, Graph, Names, NodeKind, Output, Role, parse};
use weft_core::op::pointwise::rows;
use weft_core::op::{Op, register};
use weft_core::pass;
use weft_core::site::Site;
use weft_kernels::{DType, Shape};

fn round_trip(graph: &Graph) {
    let text = graph.to_text();
    let back = parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(&back, graph, "{text}");
    assert_eq!(back.to_text(), text);
}

fn small() -> Graph {
    let mut g = Graph::default();
    let x = g.input(f32s(&[4, 8]));
    let w = g.input(f32s(&[8]));
    let fact = Fact::new(DType::I64, Shape::new(&[2, 2]));
    let bytes = (0..32u8).collect::<Vec<_>>();
    let c = g.constant(Constant { fact, bytes: Arc::from(bytes) }, Site::intern("train.py:3"));
    let y = g.call(Op::Pointwise(&rows::ADD), &[x, w], Site::intern("train.py:12")).unwrap()[0];
    let z = row(&mut g, &rows::TANH, &[y]);
    returns(&mut g, &[z, c]);
    g.outputs.push(Output { value: z, role: Role::Update(0) });
    g.outputs.push(Output { value: y, role: Role::Return(7) });
    g.outputs.push(Output { value: w, role: Role::Grad(1) });
    g
}

#[test]
fn a_graph_survives_its_text() {
    let mut g = small();
    round_trip(&g);
    let mut turned = Graph::default();
    let (b, a) = (turned.input(f32s(&[2])), turned.input(f32s(&[3])));
    turned.nodes[0].kind = NodeKind::Input(1);
    turned.nodes[1].kind = NodeKind::Input(0);
    turned.inputs = vec![a, b];
    round_trip(&turned);
    let words = |list: &[&str]| list.iter().map(ToString::to_string).collect();
    let strange = "a \"b\" \\ % = \n : # x  # y";
    g.names = Arc::new(Names { inputs: words(&["x", strange]), outputs: words(&["loss"]) });
    round_trip(&g);
    let (low, _) = pass::run(&g, pass::TIDY).and_then(|(g, _)| pass::run(&g, pass::LOWER)).unwrap();
    assert!(low.to_string().contains("chain("), "{low}");
    round_trip(&low);
}

#[test]
fn every_operation_survives_its_text() {
    for sample in register::all().into_iter().flat_map(|op| op.samples()) {
        let facts = sample.sample_facts(DType::F32);
        if sample.op.infer(&facts).is_err() {
            continue;
        }
        let mut g = Graph::default();
        let inputs: Vec<_> = facts.iter().map(|fact| g.input(*fact)).collect();
        let y = call(&mut g, sample.op, &inputs);
        returns(&mut g, &[y]);
        round_trip(&g);
    }
}

#[test]
fn text_that_is_no_graph_is_refused_with_its_line() {
    let whole = small().to_text();
    assert!(parse(&whole).is_ok());
    for (from, to, what) in [
        ("add(%0, %1)", "ad(%0, %1)", "no operation is named ad"),
        ("add(%0, %1)", "add(%0, %9)", "a value of a line before"),
        ("add(%0, %1)", "add(%0, %1, dim=1)", "expected 0 attributes, got dim"),
        ("add(%0, %1)", "add(%0)", "wrong number of inputs"),
        ("%1 = input 1", "%1 = input 0", "expected each input once"),
        ("return %4\n", "returns %4\n", "return, update, grad or data"),
        ("f32[4, 8]  #", "f32[4, 9]  #", "expected f32[4, 8], got f32[4, 9]"),
        ("f32[8]", "f32[-8]", "a dtype and a shape"),
        ("data %2 ", "data %2 AA", "32 bytes in base 64"),
        ("update %0", "update %3", "an update of an input"),
    ] {
        let text = whole.replacen(from, to, 1);
        assert_ne!(text, whole, "{from}");
        let error = parse(&text).expect_err(to).message;
        assert!(error.contains(what) && error.contains("(at line "), "{error}");
    }
    let far = parse(&whole.replace("input 1", "input 7")).expect_err("a gap").message;
    assert_eq!(far, "parse: expected inputs 0 to 2, got input 7");
    let cut: String =
        whole.lines().filter(|l| !l.starts_with("data")).collect::<Vec<_>>().join("\n");
    assert!(parse(&cut).expect_err("no data").message.contains("data of every const"));
}
