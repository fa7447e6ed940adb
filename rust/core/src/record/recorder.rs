//! Watching an eager run.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;
use weft_kernels::{Buffer, DType, Layout, Shape};

use super::recording::{Binding, GradGuard, Leaf, Recording, Returned};
use super::storage::Storage;
use crate::error::{Error, Result};
use crate::graph::{Constant, Graph, Output, Role, ValueId};
use crate::op::view::{AsStridedScatter, View};
use crate::op::{Class, Op};
use crate::random;
use crate::site::Site;
use crate::tensor::Tensor;

/// The recording of one run in the making.
pub struct Recorder {
    graph: Graph,
    storages: HashMap<u64, SmallVec<[Storage; 1]>>,
    bindings: Vec<Binding>,
    layouts: Vec<Layout>,
    /// Buffers with a smaller number were there before.
    first_own: u64,
    args: Vec<Tensor>,
    requires: Vec<bool>,
    /// Leaves whose `.grad` was set, in order.
    grads_set: Vec<Tensor>,
    /// What `.grad` fields were found to be, before they were set.
    grads_read: Vec<(Tensor, Option<Layout>)>,
    grad_of: HashMap<u64, Tensor>,
    /// Copies that stand for views whose place is not known.
    stand_ins: Vec<Tensor>,
    /// Older tensors that a change in place gave a history.
    rebased: Vec<Tensor>,
    random_start: u64,
}

impl Recorder {
    pub(super) fn new(args: &[Tensor]) -> Result<Recorder> {
        let mut recorder = Recorder {
            graph: Graph::default(),
            storages: HashMap::new(),
            bindings: Vec::new(),
            layouts: Vec::new(),
            first_own: Buffer::next_id(),
            args: args.to_vec(),
            requires: Vec::new(),
            grads_set: Vec::new(),
            grads_read: Vec::new(),
            grad_of: HashMap::new(),
            stand_ins: Vec::new(),
            rebased: Vec::new(),
            random_start: random::position(),
        };
        for (i, arg) in args.iter().enumerate() {
            let known = recorder.storages.get(&arg.buffer().id());
            if known.is_none_or(|list| !list.iter().any(|s| s.covers(arg.layout()))) {
                recorder.add_input(arg, Binding::Arg(i), *arg.layout());
            }
        }
        Ok(recorder)
    }

    fn add_input(&mut self, tensor: &Tensor, binding: Binding, root: Layout) -> ValueId {
        let value = self.graph.input(tensor.fact().with_shape(root.shape));
        let number = self.bindings.len() as u32;
        self.bindings.push(binding);
        self.requires.push(tensor.requires_grad());
        self.layouts.push(Layout { offset: 0, ..root });
        let storage = Storage::new(root, value, Some(number));
        self.storages.entry(tensor.buffer().id()).or_default().push(storage);
        value
    }

    /// A tensor that no operation of this recording made.
    fn adopt(&mut self, tensor: &Tensor) {
        let buffer = tensor.buffer();
        if buffer.id() >= self.first_own {
            return self.adopt_constant(tensor);
        }
        let elements = buffer.len() / tensor.dtype().size();
        let whole = tensor.layout().is_contiguous()
            && tensor.layout().offset == 0
            && tensor.numel() == elements;
        let root =
            if whole { *tensor.layout() } else { Layout::contiguous(Shape::new(&[elements])) };
        let binding = match self.grad_of.get(&buffer.id()) {
            Some(leaf) => Binding::GradOf(self.leaf(leaf)),
            None => Binding::Captured(tensor.clone()),
        };
        self.add_input(tensor, binding, root);
    }

    fn leaf(&self, tensor: &Tensor) -> Leaf {
        let arg = self.args.iter().position(|arg| arg.same(tensor));
        arg.map_or_else(|| Leaf::Captured(tensor.clone()), Leaf::Arg)
    }

    /// Data that Python made during the recording.
    fn adopt_constant(&mut self, tensor: &Tensor) {
        let buffer = tensor.buffer();
        let bytes = Layout::contiguous(Shape::new(&[buffer.len()]));
        let data = weft_kernels::Arg::new(buffer, DType::U8, &bytes).slice::<u8>();
        let root = Layout::contiguous(Shape::new(&[buffer.len() / tensor.dtype().size()]));
        let fact = tensor.fact().with_shape(root.shape);
        let constant = Constant { fact, bytes: Arc::from(data) };
        let value = self.graph.constant(constant, Site::here());
        self.storages.entry(buffer.id()).or_default().push(Storage::new(root, value, None));
    }

    fn storage(&mut self, tensor: &Tensor) -> Result<&mut Storage> {
        let (id, layout) = (tensor.buffer().id(), tensor.layout());
        if !self.storages.contains_key(&id) {
            self.adopt(tensor);
        }
        let list = self.storages.get_mut(&id).expect("just adopted");
        list.iter_mut().find(|s| s.covers(layout)).ok_or_else(|| {
            Error::compile(
                "an argument shares memory with another tensor that the function uses. \
                 Pass a .clone(), or only one of them",
            )
        })
    }

    /// The value that a tensor holds now.
    fn value(&mut self, tensor: &Tensor) -> Result<ValueId> {
        let layout = *tensor.layout();
        let storage = self.storage(tensor)?;
        if let Some(&value) = storage.views.get(&layout) {
            return Ok(value);
        }
        if layout == storage.root {
            return Ok(storage.value);
        }
        let (root, value) = (storage.root, storage.value);
        let Some(region) = storage.relative(&layout) else {
            return Err(Error::compile(
                "a view of a changed tensor is read in a way that the graph cannot follow. Call .contiguous() first",
            ));
        };
        let same_order =
            region.is_contiguous() && region.offset == 0 && region.numel() == root.numel();
        let view = if same_order { View::Reshape(layout.shape) } else { View::as_strided(&region) };
        let view = self.graph.call(Op::View(view), &[value], Site::here())?[0];
        self.storage(tensor)?.views.insert(layout, view);
        Ok(view)
    }

    fn values(&mut self, tensors: &[&Tensor]) -> Result<SmallVec<[ValueId; 4]>> {
        tensors.iter().map(|t| self.value(t)).collect()
    }

    /// Random operations count from where the stream stood when the recording began.
    fn relative(&self, op: &Op) -> Op {
        match op {
            Op::Random(random) => {
                let used = random::position() - self.random_start;
                Op::Random(crate::op::random::Random { ahead: random.ahead + used, ..*random })
            }
            other => other.clone(),
        }
    }

    pub(super) fn note(
        &mut self,
        op: &Op,
        inputs: &[&Tensor],
        outputs: &[Tensor],
        site: Site,
    ) -> Result<()> {
        let values = self.values(inputs)?;
        let op = self.relative(op);
        let is_view = op.class() == Class::View;
        let made = self.graph.call(op, &values, site)?;
        for (tensor, value) in outputs.iter().zip(made) {
            let aliases = is_view && tensor.buffer().same(inputs[0].buffer());
            if aliases {
                self.storage(inputs[0])?.views.insert(*tensor.layout(), value);
            } else {
                let storage = Storage::new(*tensor.layout(), value, None);
                self.storages.entry(tensor.buffer().id()).or_default().push(storage);
            }
        }
        Ok(())
    }

    pub(super) fn before_into(&mut self, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
        let copies = |t: &Tensor| self.stand_ins.iter().any(|x| x.buffer().same(t.buffer()));
        if targets.iter().any(copies) {
            return Err(Error::compile(format_args!(
                "x[i] with a tensor i is changed in place inside a compiled function, which the \
                 graph cannot follow (at {}). Write x[i] = ... instead",
                Site::here()
            )));
        }
        self.values(inputs)?;
        targets.iter().try_for_each(|target| self.storage(target).map(drop))
    }

    pub(super) fn stands_for_view(&mut self, copy: &Tensor) {
        self.stand_ins.push(copy.clone());
    }

    pub(super) fn note_history(&mut self, owner: &Tensor) {
        if owner.buffer().id() < self.first_own && !self.rebased.iter().any(|t| t.same(owner)) {
            self.rebased.push(owner.clone());
        }
    }

    /// A plan writes what older tensors hold, but leaves no history behind them.
    fn check_histories(&self) -> Result<()> {
        let open = |(node, _): (crate::tape::NodeRef, u32)| node.with(|n| !n.released);
        for tensor in &self.rebased {
            if tensor.node()?.is_some_and(open) {
                return Err(Error::compile(format_args!(
                    "{} from outside, changed in place, still needs its gradient computed when the \
                     function ends. Call .backward() inside the function, write .detach(), or use \
                     weft.no_grad()",
                    tensor.fact()
                )));
            }
        }
        Ok(())
    }

    pub(super) fn note_into(
        &mut self,
        op: &Op,
        inputs: &[&Tensor],
        targets: &[Tensor],
        site: Site,
    ) -> Result<()> {
        let values = self.values(inputs)?;
        let op = self.relative(op);
        let made = self.graph.call(op, &values, site)?;
        for (target, value) in targets.iter().zip(made) {
            self.write(target, value, site)?;
        }
        Ok(())
    }

    fn write(&mut self, target: &Tensor, value: ValueId, site: Site) -> Result<()> {
        let layout = *target.layout();
        let storage = self.storage(target)?;
        let (root, before) = (storage.root, storage.value);
        if layout == root {
            storage.write(value);
            return Ok(());
        }
        let Some(region) = storage.relative(&layout) else {
            return Err(Error::compile(
                "a view is changed in place in a way that the graph cannot follow. Call .contiguous() first",
            ));
        };
        let whole = region.is_contiguous() && region.numel() == root.numel();
        let after = if whole {
            self.graph.call(Op::View(View::Reshape(root.shape)), &[value], site)?[0]
        } else {
            let scatter = Op::Scatter(AsStridedScatter::new(&region));
            self.graph.call(scatter, &[before, value], site)?[0]
        };
        let storage = self.storage(target)?;
        storage.write(after);
        storage.views.insert(layout, value);
        if self.storages[&target.buffer().id()].len() > 1 {
            return Err(Error::compile(
                "an argument that shares memory with another one is changed in place. Pass a .clone()",
            ));
        }
        Ok(())
    }

    pub(super) fn note_grad_read(&mut self, leaf: &Tensor, grad: Option<&Tensor>) {
        let known = self.grads_set.iter().any(|t| t.same(leaf))
            || self.grads_read.iter().any(|(t, _)| t.same(leaf));
        if known {
            return;
        }
        let layout = grad.map(|g| *g.layout());
        self.grads_read.push((leaf.clone(), layout));
        if let Some(grad) = grad {
            self.grad_of.insert(grad.buffer().id(), leaf.clone());
        }
    }

    pub(super) fn note_grad_set(&mut self, leaf: &Tensor) {
        if !self.grads_set.iter().any(|t| t.same(leaf)) {
            self.grads_set.push(leaf.clone());
        }
    }

    pub(super) fn finish(mut self, returned: &[Tensor]) -> Result<Recording> {
        self.check_histories()?;
        let mut returns = Vec::new();
        let mut outputs = Vec::new();
        for tensor in returned {
            returns.push(self.returned(tensor, &mut outputs)?);
        }
        let mut grads = Vec::new();
        for leaf in std::mem::take(&mut self.grads_set) {
            let set = match leaf.peek_grad() {
                None => false,
                Some(grad) => {
                    let value = self.value(&grad)?;
                    outputs.push(Output { value, role: Role::Grad(grads.len() as u32) });
                    true
                }
            };
            grads.push((self.leaf(&leaf), set));
        }
        for storage in self.storages.values().flatten() {
            if let (Some(input), true) = (storage.input, storage.written) {
                outputs.push(Output { value: storage.value, role: Role::Update(input) });
            }
        }
        outputs.sort_by_key(|o| match o.role {
            Role::Return(i) => (0, i),
            Role::Grad(i) => (1, i),
            Role::Update(i) => (2, i),
        });
        self.graph.outputs = outputs;
        let guards = std::mem::take(&mut self.grads_read);
        let grads_read = guards
            .into_iter()
            .map(|(leaf, layout)| GradGuard { leaf: self.leaf(&leaf), layout })
            .collect();
        Ok(Recording {
            graph: self.graph,
            bindings: self.bindings,
            layouts: self.layouts,
            returns,
            grads,
            grads_read,
            requires: self.requires,
            random_blocks: random::position() - self.random_start,
        })
    }

    fn returned(&mut self, tensor: &Tensor, outputs: &mut Vec<Output>) -> Result<Returned> {
        let open = |(node, _): (crate::tape::NodeRef, u32)| node.with(|n| !n.released);
        if tensor.node()?.is_some_and(open) {
            return Err(Error::compile(
                "the function returns a tensor that still needs its gradient computed. \
                 Call .backward() inside the function, return .detach(), or use weft.no_grad()",
            ));
        }
        if let Some(i) = self.args.iter().position(|arg| arg.same(tensor)) {
            return Ok(Returned::Arg(i));
        }
        for binding in &self.bindings {
            if let Binding::Captured(captured) = binding
                && captured.buffer().same(tensor.buffer())
            {
                return Ok(Returned::Captured(tensor.clone()));
            }
        }
        let value = self.value(tensor)?;
        let place = outputs.iter().filter(|o| matches!(o.role, Role::Return(_))).count() as u32;
        outputs.push(Output { value, role: Role::Return(place) });
        Ok(Returned::Made)
    }
}
