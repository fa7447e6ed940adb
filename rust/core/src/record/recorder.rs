//! Watching an eager run.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use smallvec::SmallVec;
use weft_kernels::{Buffer, DType, Layout, Shape};

use super::given::{Given, Outputs, Returned};
use super::known::Known;
use super::quick::{QuickMap, QuickSet};
use super::recording::{Binding, GradGuard, Leaf, Recording};
use super::storage::{Storage, Storages, extent};
use super::widened::{Part, merge};
use crate::error::{Error, Result};
use crate::fact::Fact;
use crate::graph::{Constant, Graph, Role, ValueId};
use crate::op::view::{AsStridedScatter, View};
use crate::op::{Class, Op};
use crate::site::Site;
use crate::tensor::Tensor;

/// Nodes that a graph has room for at first.
const ROOM: usize = 64;

/// The recording of one run in the making.
pub struct Recorder {
    pub(super) graph: Graph,
    pub(super) storages: Storages,
    pub(super) bindings: Vec<Binding>,
    layouts: Vec<Layout>,
    /// Buffers with a smaller number were there before.
    first_own: u64,
    /// What tensors carry that are made during it; known when it ends.
    pub(super) number: u32,
    pub(super) args: Vec<Tensor>,
    /// Their numbers.
    arg_numbers: Known<usize>,
    requires: Vec<bool>,
    /// Buffers of inputs that no older tensor stands for.
    pub(super) adopted: QuickSet<u64>,
    /// Inputs that turned out to be parts of larger ones.
    parts: Vec<Part>,
    /// Arguments that must be the same tensor at every call.
    pins: HashSet<usize>,
    /// Leaves whose `.grad` was set, in order.
    pub(super) grads_set: Known<()>,
    /// Tensors whose `requires_grad` was read, and what it was.
    flags_read: Known<bool>,
    /// Tensors whose `requires_grad` was switched, in order.
    switched: Known<()>,
    /// What `.grad` fields were found to be, before they were set.
    grads_read: Known<Option<Layout>>,
    /// By buffer of a `.grad` that was there before, its leaf.
    grad_of: QuickMap<u64, Tensor>,
    /// Copies that stand for views whose place is not known, by their buffers.
    stand_ins: QuickMap<u64, Tensor>,
    /// Older tensors that a change in place gave a history.
    rebased: Known<()>,
    /// Blocks of the random stream that the recording's own operations have used: other threads
    /// may draw meanwhile.
    random_blocks: u64,
    /// The line that what happens belongs to.
    pub(super) site: Site,
}

impl Recorder {
    pub(super) fn new(args: &[Tensor]) -> Result<Recorder> {
        let mut recorder = Recorder {
            graph: Graph::with_room(ROOM),
            storages: Storages::default(),
            bindings: Vec::new(),
            layouts: Vec::new(),
            first_own: Buffer::next_id(),
            args: args.to_vec(),
            arg_numbers: Known::default(),
            requires: Vec::new(),
            adopted: Default::default(),
            parts: Vec::new(),
            pins: Default::default(),
            grads_set: Default::default(),
            flags_read: Default::default(),
            switched: Default::default(),
            grads_read: Default::default(),
            grad_of: Default::default(),
            stand_ins: Default::default(),
            rebased: Default::default(),
            random_blocks: 0,
            site: Site::UNKNOWN,
            number: 0,
        };
        for (i, arg) in args.iter().enumerate() {
            recorder.arg_numbers.add(arg, i);
            let known = recorder.storages.regions(arg.buffer().id());
            if !known.iter().any(|s| s.covers(arg.layout())) {
                recorder.add_input(
                    arg.buffer(),
                    arg.dtype(),
                    Binding::Arg(i),
                    *arg.layout(),
                    arg.requires_grad(),
                );
                recorder.part(arg.buffer(), arg.dtype())?;
            }
        }
        Ok(recorder)
    }

    fn add_input(
        &mut self,
        buffer: &Buffer,
        dtype: DType,
        binding: Binding,
        root: Layout,
        requires: bool,
    ) -> ValueId {
        let value = self.graph.input(Fact::new(dtype, root.shape));
        let number = self.bindings.len() as u32;
        self.bindings.push(binding);
        self.requires.push(requires);
        self.layouts.push(Layout { offset: 0, ..root });
        let storage = Storage::new(root, value, Some(number));
        self.storages.of(buffer.id(), &self.graph).push(storage);
        value
    }

    /// Regions of one buffer that overlap become one.
    fn part(&mut self, buffer: &Buffer, dtype: DType) -> Result<()> {
        let list = self.storages.regions(buffer.id());
        let mut extents: Vec<_> = list.iter().map(|s| extent(&s.root)).collect();
        extents.sort_unstable();
        if extents.windows(2).any(|pair| pair[0].1 > pair[1].0) {
            self.widen(buffer, dtype, None)?;
        }
        Ok(())
    }

    /// A tensor that no operation of this recording made.
    fn adopt(&mut self, tensor: &Tensor) {
        let buffer = tensor.buffer();
        if buffer.id() >= self.first_own {
            return self.adopt_constant(tensor);
        }
        self.adopt_input(tensor);
    }

    /// All memory of a tensor that was there before.
    fn adopt_input(&mut self, tensor: &Tensor) {
        let buffer = tensor.buffer();
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
        self.add_input(buffer, tensor.dtype(), binding, root, tensor.requires_grad());
    }

    /// Memory that was there before, though its buffer is new.
    pub(super) fn older(&mut self, tensor: &Tensor) {
        let id = tensor.buffer().id();
        if !self.storages.has(id) {
            // What becomes of the tensor itself does not concern later runs.
            self.adopt_input(&tensor.detach());
            self.adopted.insert(id);
        }
    }

    pub(super) fn leaf(&self, tensor: &Tensor) -> Leaf {
        self.arg_number(tensor).map_or_else(|| Leaf::Captured(tensor.clone()), Leaf::Arg)
    }

    /// Which argument a tensor is.
    pub(super) fn arg_number(&self, tensor: &Tensor) -> Option<usize> {
        self.arg_numbers.get(tensor).copied()
    }

    /// Data that Python made during the recording.
    fn adopt_constant(&mut self, tensor: &Tensor) {
        let buffer = tensor.buffer();
        let bytes = Layout::contiguous(Shape::new(&[buffer.len()]));
        let data = weft_kernels::Arg::new(buffer, DType::U8, &bytes).slice::<u8>();
        let root = Layout::contiguous(Shape::new(&[buffer.len() / tensor.dtype().size()]));
        let fact = tensor.fact().with_shape(root.shape);
        let constant = Constant { fact, bytes: Arc::from(data) };
        let value = self.graph.constant(constant, self.site);
        let storage = Storage::new(root, value, None);
        self.storages.of(buffer.id(), &self.graph).push(storage);
    }

    /// Makes one region of all that is known of a buffer and `more`, contiguous and flat.
    ///
    /// An argument that shares its buffer with a tensor reached from outside must from then
    /// on be the very same tensor.
    fn widen(&mut self, buffer: &Buffer, dtype: DType, more: Option<&Tensor>) -> Result<()> {
        let old = self.storages.take(buffer.id(), &self.graph);
        let roots = old.iter().map(|s| s.root).chain(more.map(|t| *t.layout()));
        let (mut first, mut end) = (usize::MAX, 0);
        for (from, to) in roots.map(|root| extent(&root)) {
            (first, end) = (first.min(from), end.max(to));
        }
        let args = self.args.iter().enumerate().filter(|(_, arg)| arg.buffer().same(buffer));
        let on_it: Vec<(usize, Tensor)> = args.map(|(i, arg)| (i, arg.clone())).collect();
        let outside = |s: &Storage| {
            s.input.is_some_and(|n| !matches!(self.bindings[n as usize], Binding::Arg(_)))
        };
        let captured = more.is_some_and(|t| !on_it.iter().any(|(_, arg)| arg.same(t)));
        let lowest = on_it.iter().min_by_key(|(_, arg)| arg.layout().offset);
        let binding = match lowest {
            Some((i, arg)) if !captured && !old.iter().any(outside) => {
                first = arg.layout().offset.min(first);
                Binding::Arg(*i)
            }
            _ => {
                (first, end) = (0, buffer.len() / dtype.size());
                self.pins.extend(on_it.iter().map(|(i, _)| *i));
                let flat = Layout::contiguous(Shape::new(&[end]));
                Binding::Captured(Tensor::new(buffer.clone(), dtype, flat))
            }
        };
        let flat = Layout::contiguous(Shape::new(&[end - first]));
        let root = Layout { offset: first, ..flat };
        let mut value = self.add_input(buffer, dtype, binding, root, false);
        for part in &old {
            let Some(input) = part.input else { continue };
            let region = Layout { offset: part.root.offset - first, ..part.root };
            self.parts.push(Part {
                value: self.graph.inputs[input as usize],
                whole: value,
                region,
            });
        }
        for part in old.iter().filter(|s| s.written) {
            let region = Layout { offset: part.root.offset - first, ..part.root };
            let scatter = Op::Region(Box::new(AsStridedScatter::new(&region)));
            value = self.graph.call(scatter, &[value, part.value], self.site)?[0];
        }
        let list = self.storages.of(buffer.id(), &self.graph);
        list[0].value = value;
        list[0].written = old.iter().any(|s| s.written);
        for part in old {
            list[0].views.insert(part.root, part.value);
        }
        Ok(())
    }

    /// What is known of the memory that `tensor` looks at.
    fn storage(&mut self, tensor: &Tensor) -> Result<&mut Storage> {
        let (id, layout) = (tensor.buffer().id(), *tensor.layout());
        if !self.storages.has(id) {
            self.adopt(tensor);
        }
        if !self.storages.of(id, &self.graph).iter().any(|s| s.covers(&layout)) {
            self.widen(tensor.buffer(), tensor.dtype(), Some(tensor))?;
        }
        let list = self.storages.of(id, &self.graph);
        Ok(list.iter_mut().find(|s| s.covers(&layout)).expect("widened to cover it"))
    }

    /// The value that a tensor holds now.
    pub(super) fn value(&mut self, tensor: &Tensor) -> Result<ValueId> {
        if self.adopted.contains(&tensor.buffer().id()) && !tensor.is_local() {
            self.flag_read(tensor);
        }
        if let Some(value) = self.storages.whole(tensor, &self.graph) {
            return Ok(value);
        }
        let layout = *tensor.layout();
        if let Some(value) = self.storage(tensor)?.holds(&layout) {
            return Ok(value);
        }
        let (region, root, value) = self.region(tensor)?;
        let same_order =
            region.is_contiguous() && region.offset == 0 && region.numel() == root.numel();
        let view =
            if same_order { View::Reshape(layout.shape.into()) } else { View::as_strided(&region) };
        let view = self.graph.call(Op::View(view), &[value], self.site)?[0];
        self.storage(tensor)?.views.insert(layout, view);
        Ok(view)
    }

    /// Where `tensor` lies in its contiguous root, that root's layout and value.
    fn region(&mut self, tensor: &Tensor) -> Result<(Layout, Layout, ValueId)> {
        let layout = *tensor.layout();
        let storage = self.storage(tensor)?;
        if storage.relative(&layout).is_none() {
            self.widen(tensor.buffer(), tensor.dtype(), None)?;
        }
        let storage = self.storage(tensor)?;
        let region = storage.relative(&layout).expect("a widened root is contiguous");
        Ok((region, storage.root, storage.value))
    }

    fn values(&mut self, tensors: &[&Tensor]) -> Result<SmallVec<[ValueId; 4]>> {
        let mut values = SmallVec::with_capacity(tensors.len());
        for tensor in tensors {
            values.push(self.value(tensor)?);
        }
        Ok(values)
    }

    /// Random operations count from where the stream stood when the recording began.
    fn relative(&mut self, op: &Op) -> Op {
        match op {
            Op::Random(random) => {
                let ahead = random.ahead + self.random_blocks;
                self.random_blocks += random.blocks();
                let random = crate::op::random::Random { ahead, ..(**random).clone() };
                Op::Random(Box::new(random))
            }
            other => other.clone(),
        }
    }

    pub(super) fn called(&mut self, op: &Op, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()> {
        let values = self.values(inputs)?;
        let op = self.relative(op);
        let is_view = op.class() == Class::View;
        let facts = outputs.iter().map(Tensor::fact).collect();
        let made = self.graph.called(op, values, facts, self.site);
        for (tensor, value) in outputs.iter().zip(made) {
            if is_view && tensor.buffer().same(inputs[0].buffer()) {
                self.storage(inputs[0])?.views.insert(*tensor.layout(), value);
            } else {
                self.storages.made(tensor, &self.graph, value);
            }
        }
        Ok(())
    }

    pub(super) fn before_write(&mut self, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
        let copies = |t: &Tensor| self.stand_ins.contains_key(&t.buffer().id());
        if targets.iter().any(copies) {
            return Err(Error::compile(format_args!(
                "x[i] with a tensor i is changed in place inside a compiled function, which the \
                 graph cannot follow (at {}). Write x[i] = ... instead",
                self.site
            )));
        }
        self.values(inputs)?;
        targets.iter().try_for_each(|target| self.storage(target).map(drop))
    }

    pub(super) fn stands_for_view(&mut self, copy: &Tensor) {
        self.stand_ins.insert(copy.buffer().id(), copy.clone());
    }

    pub(super) fn rebased(&mut self, owner: &Tensor) {
        if owner.buffer().id() < self.first_own {
            self.rebased.add(owner, ());
        }
    }

    /// A plan writes what older tensors hold, but leaves no history behind them.
    fn check_histories(&self) -> Result<()> {
        let open = |(node, _): (crate::tape::NodeRef, u32)| node.with(|n| !n.released);
        for (tensor, ()) in self.rebased.iter() {
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

    pub(super) fn wrote(&mut self, op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
        let values = self.values(inputs)?;
        let op = self.relative(op);
        let facts = targets.iter().map(Tensor::fact).collect();
        let made = self.graph.called(op, values, facts, self.site);
        for (target, value) in targets.iter().zip(made) {
            self.write(target, value)?;
        }
        Ok(())
    }

    fn write(&mut self, target: &Tensor, value: ValueId) -> Result<()> {
        let layout = *target.layout();
        let storage = self.storage(target)?;
        if layout == storage.root {
            storage.write(value);
            return Ok(());
        }
        let (region, root, before) = self.region(target)?;
        let whole = region.is_contiguous() && region.numel() == root.numel();
        let after = if whole {
            self.graph.call(Op::View(View::Reshape(root.shape.into())), &[value], self.site)?[0]
        } else {
            let scatter = Op::Region(Box::new(AsStridedScatter::new(&region)));
            self.graph.call(scatter, &[before, value], self.site)?[0]
        };
        let storage = self.storage(target)?;
        storage.write(after);
        storage.views.insert(layout, value);
        Ok(())
    }

    pub(super) fn grad_read(&mut self, leaf: &Tensor, grad: Option<&Tensor>) {
        if self.grads_set.has(leaf) || self.grads_read.has(leaf) {
            return;
        }
        self.grads_read.add(leaf, grad.map(|g| *g.layout()));
        if let Some(grad) = grad {
            self.grad_of.insert(grad.buffer().id(), leaf.clone());
        }
    }

    pub(super) fn grad_set(&mut self, leaf: &Tensor) {
        self.grads_set.add(leaf, ());
    }

    pub(super) fn flag_read(&mut self, tensor: &Tensor) {
        if !self.arg_numbers.has(tensor) && !self.switched.has(tensor) {
            self.flags_read.add(tensor, tensor.requires_grad());
        }
    }

    pub(super) fn flag_switched(&mut self, tensor: &Tensor) {
        self.switched.add(tensor, ());
    }

    /// Arguments that share memory with one of `doors`: tensors that the function reached
    /// in another way than as an argument.
    fn pinned(&self, doors: &[Tensor]) -> Vec<(usize, Tensor)> {
        let outside: HashSet<u64> = doors.iter().map(|door| door.buffer().id()).collect();
        let pinned =
            |i: usize, arg: &Tensor| self.pins.contains(&i) || outside.contains(&arg.buffer().id());
        let args = self.args.iter().enumerate().filter(|(i, arg)| pinned(*i, arg));
        args.map(|(i, arg)| (i, arg.clone())).collect()
    }

    pub(super) fn finish(mut self, returned: &[Tensor], doors: &[Tensor]) -> Result<Recording> {
        self.check_histories()?;
        self.check_apart()?;
        let mut outputs = Outputs::default();
        let mut grads: Vec<(Leaf, Option<Given>)> = Vec::new();
        let set = std::mem::take(&mut self.grads_set);
        for (leaf, ()) in set.iter() {
            let given = match leaf.peek_grad() {
                None => None,
                Some(grad) => Some(self.given(&grad, &mut outputs, Role::Grad)?),
            };
            grads.push((self.leaf(leaf), given));
        }
        let found = self.grads_now(&set);
        let mut returns: Vec<Returned> = Vec::new();
        for tensor in returned {
            returns.push(self.returned(tensor, &found, &mut outputs)?);
        }
        for storage in self.storages.all() {
            if let (Some(input), true) = (storage.input, storage.written) {
                outputs.add(storage.value, Role::Update(input));
            }
        }
        self.graph.outputs = outputs.sorted();
        if !self.parts.is_empty() {
            self.graph = merge(&self.graph, &self.parts)?;
        }
        let grads_read = self.grad_guards();
        let switched =
            self.switched.iter().map(|(t, ())| (self.leaf(t), t.requires_grad())).collect();
        let captured = self.bindings.iter().filter_map(|binding| match binding {
            Binding::Captured(tensor) => Some(tensor.buffer().id()),
            _ => None,
        });
        let mut captured: Vec<u64> = captured.collect();
        captured.sort_unstable();
        Ok(Recording {
            captured,
            pinned: self.pinned(doors),
            aliases: self.aliases(),
            graph: self.graph,
            bindings: self.bindings,
            layouts: self.layouts,
            returns,
            grads,
            grads_read,
            flags_read: self.flags_read.into_list(),
            switched,
            requires: self.requires,
            random_blocks: self.random_blocks,
        })
    }

    /// What the `.grad` fields that were set or read are now.
    fn grads_now(&self, set: &Known<()>) -> Known<Given> {
        let mut found = Known::default();
        for (k, (leaf, ())) in set.iter().enumerate() {
            leaf.peek_grad().inspect(|grad| found.add(grad, Given::Grad(k)));
        }
        for (leaf, _) in self.grads_read.iter() {
            leaf.peek_grad().inspect(|grad| found.add(grad, Given::LeafGrad(self.leaf(leaf))));
        }
        found
    }

    /// What the `.grad` fields that were read have to be.
    fn grad_guards(&self) -> Vec<GradGuard> {
        let captured = self.bindings.iter().filter_map(|binding| match binding {
            Binding::Captured(tensor) => Some((tensor.buffer().id(), tensor.buffer())),
            _ => None,
        });
        let captured: HashMap<u64, &Buffer> = captured.collect();
        let mut shared: Known<&Buffer> = Known::default();
        for (id, leaf) in &self.grad_of {
            captured.get(id).inspect(|buffer| shared.add(leaf, buffer));
        }
        let guard = |(leaf, layout): &(Tensor, Option<Layout>)| GradGuard {
            leaf: self.leaf(leaf),
            layout: *layout,
            on: shared.get(leaf).map(|&buffer| buffer.clone()),
        };
        self.grads_read.iter().map(guard).collect()
    }

    /// Arguments that are the `.grad` of a leaf.
    fn aliases(&self) -> Vec<(usize, Leaf)> {
        let leaf_of = |arg: &Tensor| self.grad_of.get(&arg.buffer().id());
        let args = self.args.iter().enumerate();
        args.filter_map(|(i, arg)| leaf_of(arg).map(|leaf| (i, self.leaf(leaf)))).collect()
    }
}
