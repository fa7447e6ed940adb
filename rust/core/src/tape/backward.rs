//! The walk down the tape.

use std::collections::{BTreeMap, HashMap};

use smallvec::{SmallVec, smallvec};

use super::arena::{Edge, NodeRef, SavedValue, TapeNode};
use super::history::{edge, saves};
use crate::eager::{self, Eager};
use crate::error::{Error, Result};
use crate::listen;
use crate::mode;
use crate::op::{Io, Op, Val};
use crate::tensor::Tensor;

/// What `backward` is asked to do.
pub struct Backward<'a> {
    /// Tensors to differentiate.
    pub roots: &'a [Tensor],
    /// The gradient of each root; `None` is 1 for a single number.
    pub grads: &'a [Option<Tensor>],
    /// Tensors whose gradients are returned instead of accumulated; `None`: all leaves
    /// accumulate into `.grad`.
    pub inputs: Option<&'a [Tensor]>,
    /// Keep what the tape has saved, for another walk.
    pub retain_graph: bool,
    /// Put the gradients' own operations on the tape.
    pub create_graph: bool,
}

const ADD: Op = Op::Pointwise(&crate::op::pointwise::rows::ADD);

/// Gradients that wait for a node, by output.
type Waiting = SmallVec<[Option<Tensor>; 1]>;

struct Traversal<'a> {
    ask: &'a Backward<'a>,
    /// Nodes by their place in the order of execution; the last one is next.
    waiting: BTreeMap<u64, (NodeRef, Waiting)>,
    leaves: Vec<(Tensor, Tensor)>,
    leaf_at: HashMap<usize, usize>,
    /// For `inputs` that are results: (node, output) to place in `found`.
    wanted: HashMap<(u32, u32), SmallVec<[usize; 1]>>,
    found: Vec<Option<Tensor>>,
}

/// Differentiates. Returns the gradients of `inputs` (`None` where nothing depends on
/// one); without `inputs` the leaves' `.grad` accumulate, all at the end, so that an
/// error changes none of them. After an error the nodes that the walk passed have given up
/// what they saved, as after a walk that ended.
pub fn backward(ask: &Backward) -> Result<Vec<Option<Tensor>>> {
    mode::with_grad(ask.create_graph, || {
        let mut walk = Traversal {
            ask,
            waiting: BTreeMap::new(),
            leaves: Vec::new(),
            leaf_at: HashMap::new(),
            wanted: HashMap::new(),
            found: vec![None; ask.inputs.map_or(0, <[Tensor]>::len)],
        };
        walk.start()?;
        while let Some((_, (node, grads))) = walk.waiting.pop_last() {
            walk.step(&node, grads)?;
        }
        walk.finish()
    })
}

fn root_grad(root: &Tensor, grad: Option<&Tensor>) -> Result<Tensor> {
    match grad {
        Some(grad) if grad.fact() == root.fact() => Ok(grad.clone()),
        Some(grad) => Err(Error::runtime(
            "backward",
            format_args!("gradient does not fit, expected {}, got {}", root.fact(), grad.fact()),
        )),
        None if root.dtype().is_complex() => Err(Error::runtime(
            "backward",
            format_args!("needs a real number, got {}. Pass gradient=", root.dtype()),
        )),
        None if root.numel() == 1 => {
            let one = crate::op::create::Create::full(
                *root.shape(),
                root.dtype(),
                weft_kernels::Scalar::Int(1),
            );
            Ok(eager::call(&Op::Create(one), &[])?.remove(0))
        }
        None => Err(Error::runtime(
            "backward",
            format_args!(
                "needs a single number, got shape {}. Call .sum() or .mean() first, or pass gradient=",
                root.shape()
            ),
        )),
    }
}

impl Traversal<'_> {
    fn start(&mut self) -> Result<()> {
        for (i, input) in self.ask.inputs.unwrap_or_default().iter().enumerate() {
            match edge(input)? {
                Edge::Node(node, output) => {
                    self.wanted.entry((node.key(), output)).or_default().push(i);
                }
                Edge::None if !input.requires_grad() => {
                    let what = format_args!("input {i} does not require a gradient");
                    return Err(Error::runtime("grad", what));
                }
                Edge::Leaf(_) | Edge::None => {}
            }
        }
        for (root, grad) in self.ask.roots.iter().zip(self.ask.grads) {
            let edge = edge(root)?;
            if matches!(edge, Edge::None) {
                return Err(Error::runtime(
                    "backward",
                    "the tensor does not require a gradient and no operation made it from one that does",
                ));
            }
            let grad = root_grad(root, grad.as_ref())?;
            self.send(edge, grad)?;
        }
        Ok(())
    }

    fn add(sum: Option<&Tensor>, grad: Tensor) -> Result<Tensor> {
        let Some(sum) = sum else { return Ok(grad) };
        eager::call1(&ADD, &[sum, &grad])
    }

    fn send(&mut self, edge: Edge, grad: Tensor) -> Result<()> {
        match edge {
            Edge::None => {}
            Edge::Leaf(leaf) => {
                let at = *self.leaf_at.entry(leaf.key()).or_insert(self.leaves.len());
                if at == self.leaves.len() {
                    self.leaves.push((leaf, grad));
                } else {
                    self.leaves[at].1 = Self::add(Some(&self.leaves[at].1), grad)?;
                }
            }
            Edge::Node(node, output) => {
                let seq = node.seq();
                let entry = self.waiting.entry(seq).or_insert_with(|| {
                    let outputs = node.with(|n| n.output_facts.len());
                    (node, smallvec![None; outputs])
                });
                let place = &mut entry.1[output as usize];
                *place = Some(Self::add(place.as_ref(), grad)?);
            }
        }
        Ok(())
    }

    fn step(&mut self, node: &NodeRef, grads: Waiting) -> Result<()> {
        for (output, grad) in grads.iter().enumerate() {
            for &i in self.wanted.get(&(node.key(), output as u32)).into_iter().flatten() {
                self.found[i] = grad.clone();
            }
        }
        let copy = self.open(node)?;
        let wanted = listen::at(copy.site, || differentiate(&copy, node, grads))?;
        for (edge, grad) in copy.edges.iter().zip(wanted) {
            if let Some(grad) = grad {
                self.send(edge.clone(), grad)?;
            }
        }
        Ok(())
    }

    /// The node's contents, released from the tape unless they are to be retained.
    fn open(&self, node: &NodeRef) -> Result<TapeNode> {
        let mut copy = node.snapshot();
        let name = copy.op.name();
        if copy.released && !saves(&copy.op, &copy.edges).is_empty() {
            return Err(Error::runtime(
                "backward",
                format_args!(
                    "the graph was walked before and its saved values are gone (at {name}). \
                     Pass retain_graph=True to the first backward"
                ),
            ));
        }
        for saved in &copy.saved {
            let now = saved.buffer().version();
            if now != saved.version {
                let which = match &saved.value {
                    SavedValue::Input(i, t) => format!("input {i} {}", t.fact()),
                    SavedValue::Output(i, t) => format!("output {i} {}", t.fact()),
                };
                let writer = crate::writers::last(saved.buffer().id());
                return Err(Error::runtime(
                    "backward",
                    format_args!(
                        "{which}, saved by {name}, was changed in place{writer}: \
                         expected version {}, got {now}. Use the out-of-place form, or clone() first",
                        saved.version
                    ),
                ));
            }
        }
        if !self.ask.retain_graph {
            let released = node.with(|n| {
                n.released = true;
                std::mem::take(&mut n.saved)
            });
            copy.saved = released;
        }
        Ok(copy)
    }

    fn finish(self) -> Result<Vec<Option<Tensor>>> {
        let Some(inputs) = self.ask.inputs else {
            accumulate(self.leaves)?;
            return Ok(Vec::new());
        };
        let mut found = self.found;
        for (place, input) in found.iter_mut().zip(inputs) {
            if let Some(&at) = self.leaf_at.get(&input.key()) {
                *place = Some(self.leaves[at].1.clone());
            }
        }
        Ok(found)
    }
}

/// What is left to do for one leaf when nothing can fail any more.
enum Last {
    /// `.grad` becomes this tensor.
    Set(Tensor, Tensor),
    /// This `.grad` grows by this gradient, in its own memory.
    Grow(Tensor, Tensor),
    /// This `.grad` is overwritten by this sum.
    Write(Tensor, Tensor),
}

/// Adds to the leaves' `.grad`: a tensor that is there already is changed in place, unless
/// the gradients themselves are to be differentiated.
fn accumulate(leaves: Vec<(Tensor, Tensor)>) -> Result<()> {
    let last =
        leaves.into_iter().map(|(leaf, grad)| prepare(leaf, grad)).collect::<Result<Vec<_>>>()?;
    for step in last {
        match step {
            Last::Set(leaf, grad) => leaf.set_grad(Some(grad)),
            Last::Grow(sum, grad) => {
                eager::call_into(&ADD, &[&sum, &grad], std::slice::from_ref(&sum))?;
            }
            Last::Write(target, sum) => eager::assign(&target, &sum)?,
        }
    }
    Ok(())
}

fn prepare(leaf: Tensor, grad: Tensor) -> Result<Last> {
    let Some(before) = leaf.grad() else { return Ok(Last::Set(leaf, own(grad)?)) };
    if mode::grad_enabled() {
        return Ok(Last::Set(leaf, Traversal::add(Some(&before), grad)?));
    }
    if before.layout().overlaps_itself() {
        return Err(Error::runtime(
            "backward",
            "several elements of a .grad share one place in memory. Set it to a .clone()",
        ));
    }
    if eager::writes_directly(&ADD, &[&before, &grad], &before, 0) {
        return Ok(Last::Grow(before, grad));
    }
    let sum = Traversal::add(Some(&before), grad)?;
    Ok(Last::Write(before, sum))
}

/// A gradient that shares no memory with others: `.grad` may be changed in place.
fn own(grad: Tensor) -> Result<Tensor> {
    if grad.is_sole() && grad.layout().is_contiguous() {
        return Ok(grad);
    }
    eager::contiguous_clone(&grad)
}

/// Applies the gradient rule of a node.
fn differentiate(
    node: &TapeNode,
    maker: &NodeRef,
    grads: Waiting,
) -> Result<SmallVec<[Option<Tensor>; 2]>> {
    let mut e = Eager::default();
    let mut inputs: SmallVec<[Option<Val>; 4]> = smallvec![None; node.input_facts.len()];
    let mut outputs: SmallVec<[Option<Val>; 2]> = smallvec![None; node.output_facts.len()];
    for saved in &node.saved {
        match &saved.value {
            SavedValue::Input(i, tensor) => inputs[*i as usize] = Some(e.hold(tensor.clone())),
            SavedValue::Output(i, saved) => {
                let tensor = saved.detach();
                if mode::grad_enabled() {
                    tensor.set_node(Some((maker.clone(), *i)));
                }
                outputs[*i as usize] = Some(e.hold(tensor));
            }
        }
    }
    let grads: SmallVec<[Option<Val>; 2]> =
        grads.into_iter().map(|grad| grad.map(|g| e.hold(g))).collect();
    let needs: SmallVec<[bool; 8]> =
        node.edges.iter().map(|edge| !matches!(edge, Edge::None)).collect();
    let io = Io {
        of: 0,
        inputs: &inputs,
        outputs: &outputs,
        input_facts: &node.input_facts,
        output_facts: &node.output_facts,
        needs: &needs,
    };
    let vals = node.op.vjp(&mut e, &io, &grads)?;
    Ok(vals.into_iter().map(|val| val.map(|v| e.get(v))).collect())
}
