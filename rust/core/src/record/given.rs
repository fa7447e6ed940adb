//! What a function hands out: new tensors, and windows onto memory that was there before.

use std::collections::HashMap;

use weft_kernels::Layout;

use super::known::Known;
use super::recorder::Recorder;
use super::recording::{Binding, Leaf};
use crate::error::{Error, Result};
use crate::graph::{Output, Role, ValueId};
use crate::op::Op;
use crate::tensor::Tensor;

/// A tensor that a run hands out.
#[derive(Debug, Clone)]
pub enum Given {
    /// A window onto the result of this number.
    Made(u32, Layout),
    /// This tensor, or a window onto its memory.
    Old(Tensor),
    /// A new tensor that lies as this one, which was made on old memory.
    Window(Tensor),
    /// The tensor argument of this number itself.
    Arg(usize),
    /// A window onto the memory of this argument; offsets count from its first element.
    OfArg(usize, Layout),
    /// A window onto what the `.grad` of this leaf was before.
    OfGrad(Leaf, Layout),
    /// The `.grad` that the run sets, of this number.
    Grad(usize),
    /// What the `.grad` of this leaf is.
    LeafGrad(Leaf),
}

/// A tensor that the function returns.
#[derive(Debug, Clone)]
pub struct Returned {
    /// Its memory.
    pub given: Given,
    /// Which operation made it, where gradients went through it and were taken.
    pub walked: Option<Op>,
    /// Whether it is a new leaf that wants a gradient.
    pub wants: bool,
    /// Its `.grad`, if it is new and has one.
    pub grad: Option<Given>,
}

impl Given {
    pub(super) fn same(&self, other: &Given) -> bool {
        match (self, other) {
            (Given::Made(i, a), Given::Made(j, b)) => i == j && a == b,
            (Given::Old(a), Given::Old(b)) | (Given::Window(a), Given::Window(b)) => {
                a.buffer().same(b.buffer()) && a.layout() == b.layout()
            }
            (Given::Arg(i), Given::Arg(j)) => i == j,
            (Given::OfArg(i, a), Given::OfArg(j, b)) => i == j && a == b,
            (Given::OfGrad(x, a), Given::OfGrad(y, b)) => x.same(y) && a == b,
            (Given::Grad(i), Given::Grad(j)) => i == j,
            (Given::LeafGrad(a), Given::LeafGrad(b)) => a.same(b),
            _ => false,
        }
    }
}

/// What leaves a graph in the making.
#[derive(Default)]
pub(super) struct Outputs {
    list: Vec<Output>,
    numbers: HashMap<ValueId, u32>,
}

impl Outputs {
    /// The number of the result `value`, which gets the `role` of that number if it is new.
    fn number(&mut self, value: ValueId, role: fn(u32) -> Role) -> u32 {
        let next = self.list.len() as u32;
        let number = *self.numbers.entry(value).or_insert(next);
        if number == next {
            self.add(value, role(number));
        }
        number
    }

    /// Adds a value that leaves as no result.
    pub fn add(&mut self, value: ValueId, role: Role) {
        self.list.push(Output { value, role });
    }

    /// All of them: what is returned, gradients, updates.
    pub fn sorted(mut self) -> Vec<Output> {
        self.list.sort_by_key(|output| match output.role {
            Role::Return(i) => (0, i),
            Role::Grad(i) => (1, i),
            Role::Update(i) => (2, i),
        });
        self.list
    }
}

impl Recorder {
    /// A tensor that the function returns; `grads` are what `.grad` fields are now.
    pub(super) fn returned(
        &mut self,
        tensor: &Tensor,
        grads: &Known<Given>,
        outputs: &mut Outputs,
    ) -> Result<Returned> {
        let walked = match tensor.node()? {
            None => None,
            Some((node, _)) => {
                let (released, op) = node.with(|n| (n.released, n.op.clone()));
                if !released {
                    return Err(Error::compile(
                        "the function returns a tensor that still needs its gradient computed. \
                         Call .backward() inside the function, return .detach(), or use weft.no_grad()",
                    ));
                }
                Some(op)
            }
        };
        if let Some(given) = grads.get(tensor) {
            return Ok(Returned { given: given.clone(), walked, wants: false, grad: None });
        }
        let wants = walked.is_none() && tensor.requires_grad();
        let given = self.given(tensor, outputs, Role::Return)?;
        let grad = tensor.peek_grad().filter(|_| tensor.is_of(self.number));
        let grad = grad.map(|grad| self.given(&grad, outputs, Role::Return)).transpose()?;
        Ok(Returned { given, walked, wants, grad })
    }

    /// Where a tensor's memory comes from; a result that is not among `outputs` is added
    /// in the `role` of its number.
    pub(super) fn given(
        &mut self,
        tensor: &Tensor,
        outputs: &mut Outputs,
        role: fn(u32) -> Role,
    ) -> Result<Given> {
        if let Some(i) = self.arg_number(tensor) {
            return Ok(Given::Arg(i));
        }
        self.value(tensor)?;
        let (layout, buffer) = (*tensor.layout(), tensor.buffer());
        let is_own = |tensor: &Tensor| tensor.is_of(self.number);
        let is_new = is_own(tensor) && tensor.base().is_none_or(is_own);
        let storage = self.storages.of(buffer.id(), &self.graph).iter().find(|s| s.covers(&layout));
        let storage = storage.expect("its value was just found");
        if let Some(input) = storage.input {
            return Ok(match &self.bindings[input as usize] {
                Binding::Captured(_) if is_new && self.adopted.contains(&buffer.id()) => {
                    Given::Window(tensor.detach())
                }
                Binding::Captured(_) => Given::Old(tensor.clone()),
                Binding::Arg(i) => {
                    let offset = layout.offset - self.args[*i].layout().offset;
                    Given::OfArg(*i, Layout { offset, ..layout })
                }
                Binding::GradOf(leaf) => Given::OfGrad(leaf.clone(), layout),
            });
        }
        let (root, value) = (storage.root, storage.value);
        let (value, layout) = if root.is_contiguous() {
            (value, Layout { offset: layout.offset - root.offset, ..layout })
        } else {
            (self.value(tensor)?, Layout::contiguous(layout.shape))
        };
        Ok(Given::Made(outputs.number(value, role), layout))
    }
}
