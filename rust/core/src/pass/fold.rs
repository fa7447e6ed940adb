//! Computing what depends on constants alone.

use std::sync::Arc;

use smallvec::SmallVec;
use weft_kernels::{Arg, Buffer, DType, Layout, Scalar, Shape};

use crate::error::{Error, Result};
use crate::fact::Fact;
use crate::graph::{Constant, Graph, Node, NodeKind, Rewrite, ValueId};
use crate::op::create::Create;
use crate::op::{Class, Op, Read};

/// Elements of a folded result at most: larger ones are cheaper to compute than to keep.
const MOST: usize = 1 << 16;

/// A value held during folding.
struct Held {
    buffer: Buffer,
    fact: Fact,
    layout: Layout,
}

impl Held {
    fn empty(fact: Fact) -> Result<Held> {
        let buffer = Buffer::try_new(fact.bytes()).ok_or_else(|| Error::memory("compile", fact))?;
        Ok(Held { buffer, fact, layout: Layout::contiguous(fact.shape) })
    }

    fn arg(&self) -> Arg<'_> {
        Arg::new(&self.buffer, self.fact.dtype, &self.layout)
    }

    fn bytes(&self) -> Vec<u8> {
        let bytes = Layout::contiguous(Shape::new(&[self.fact.bytes()]));
        Arg::new(&self.buffer, DType::U8, &bytes).slice::<u8>().to_vec()
    }

    /// The single number it holds.
    fn scalar(&self) -> Scalar {
        self.arg().scalar()
    }
}

/// The data of a constant value of the new graph.
fn data(graph: &Graph, value: ValueId) -> Option<Held> {
    match &graph.maker(value).kind {
        NodeKind::Const(constant) => {
            let buffer = Buffer::try_from_slice(&constant.bytes[..])?;
            let fact = constant.fact;
            Some(Held { buffer, fact, layout: Layout::contiguous(fact.shape) })
        }
        NodeKind::Call(op @ Op::Create(_)) => {
            let held = Held::empty(graph.fact(value)).ok()?;
            op.run(&[], &[held.arg()]).ok()?;
            Some(held)
        }
        _ => None,
    }
}

/// `op` on numbers that are the same everywhere: one number says it all.
fn uniform(graph: &Graph, op: &Op, inputs: &[ValueId], result: Fact) -> Result<Option<Create>> {
    if inputs.is_empty() || !inputs.iter().all(|v| graph.uniform(*v).is_some()) {
        return Ok(None);
    }
    let value = match op.class() {
        Class::View => graph.uniform(inputs[0]).expect("all inputs are uniform"),
        Class::Pointwise => {
            let held: SmallVec<[Held; 3]> = inputs
                .iter()
                .map(|v| {
                    let one = Held::empty(graph.fact(*v).with_shape(Shape::SCALAR))?;
                    let number = graph.uniform(*v).expect("all inputs are uniform");
                    weft_kernels::fill::fill(number, one.arg());
                    Ok(one)
                })
                .collect::<Result<_>>()?;
            let out = Held::empty(result.with_shape(Shape::SCALAR))?;
            let args: SmallVec<[Arg; 3]> = held.iter().map(Held::arg).collect();
            op.run(&args, &[out.arg()])?;
            out.scalar()
        }
        _ => return Ok(None),
    };
    Ok(Some(Create::full(result.shape, result.dtype, value)))
}

/// `op` on small constants.
fn small(graph: &Graph, op: &Op, inputs: &[ValueId], result: Fact) -> Result<Option<Constant>> {
    let fits = matches!(op.class(), Class::Pointwise | Class::View | Class::Reduce)
        && result.numel() <= MOST
        && inputs.iter().all(|v| graph.fact(*v).numel() <= MOST)
        && (0..inputs.len()).all(|i| op.reads(i) == Read::Strided);
    if !fits || inputs.is_empty() {
        return Ok(None);
    }
    let Some(held) = inputs.iter().map(|v| data(graph, *v)).collect::<Option<Vec<Held>>>() else {
        return Ok(None);
    };
    let out = Held::empty(result)?;
    let args: SmallVec<[Arg; 3]> = held.iter().map(Held::arg).collect();
    op.run(&args, &[out.arg()])?;
    Ok(Some(Constant { fact: result, bytes: Arc::from(out.bytes()) }))
}

fn replacement(rewrite: &mut Rewrite, old: &Graph, node: &Node) -> Result<Option<ValueId>> {
    let (NodeKind::Call(op), [output]) = (&node.kind, &node.outputs[..]) else { return Ok(None) };
    let (inputs, result) = (rewrite.inputs(node), old.fact(*output));
    if let Some(full) = uniform(&rewrite.new, op, &inputs, result)? {
        return Ok(Some(rewrite.call(Op::Create(full), &[], node.site)?[0]));
    }
    let folded = small(&rewrite.new, op, &inputs, result)?;
    Ok(folded.map(|constant| rewrite.new.constant(constant, node.site)))
}

/// Replaces operations on constants by their results.
pub fn fold(graph: &Graph) -> Result<(Graph, usize)> {
    let mut rewrite = Rewrite::new(graph);
    let mut count = 0;
    for node in &graph.nodes {
        match replacement(&mut rewrite, graph, node)? {
            Some(value) => {
                rewrite.replace(node.outputs[0], value);
                count += 1;
            }
            None => rewrite.keep(node),
        }
    }
    Ok((rewrite.finish(), count))
}
