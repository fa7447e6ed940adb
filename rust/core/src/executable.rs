//! A recording made ready to run again and again.

use std::collections::HashSet;
use std::sync::Mutex;
use std::time::Instant;

use smallvec::{SmallVec, smallvec};
use weft_kernels::{Buffer, DType, Layout};

use crate::error::{Error, Result};
use crate::exec::{Control, Plan, Results, Run, Step};
use crate::graph::{Graph, Role};
use crate::op::bind::Operands;
use crate::pass;
use crate::random;
use crate::record::{Binding, Given, Recording};
use crate::tape;
use crate::tensor::Tensor;

/// A static graph with its plan, bound to the live tensors that it reads and writes.
pub struct Executable {
    /// What was recorded.
    pub recording: Recording,
    /// The graph after tidying, before fusion.
    pub tidy: Graph,
    /// The graph that runs.
    pub lowered: Graph,
    /// The plan.
    pub plan: Plan,
    /// What each pass took away, in order.
    pub passes: Vec<(&'static str, usize)>,
    /// Nanoseconds from recording to plan.
    pub compile_ns: u64,
    runs: Mutex<Vec<Run>>,
}

impl Executable {
    /// Tidies, lowers and plans a recording.
    pub fn new(recording: Recording) -> Result<Executable> {
        let start = Instant::now();
        let (tidy, mut passes) = pass::run(&recording.graph, pass::TIDY)?;
        let (lowered, more) = pass::run(&tidy, pass::LOWER)?;
        passes.extend(more);
        let plan = Plan::new(&lowered, &recording.layouts)?;
        let compile_ns = start.elapsed().as_nanos() as u64;
        Ok(Executable {
            recording,
            tidy,
            lowered,
            plan,
            passes,
            compile_ns,
            runs: Mutex::default(),
        })
    }

    /// Whether a call with these arguments finds everything as it was recorded, and all
    /// that the plan reads lies inside its buffer (that of a captured tensor never changes).
    pub fn fits(&self, args: &[Tensor]) -> bool {
        self.recording.fits(args) && self.inside(args)
    }

    fn inside(&self, args: &[Tensor]) -> bool {
        let bindings = self.recording.bindings.iter().enumerate();
        bindings.into_iter().all(|(i, binding)| match binding {
            Binding::Captured(_) => true,
            Binding::Arg(k) => {
                let start = args[*k].layout().offset * args[*k].dtype().size();
                let left = args[*k].buffer().len().checked_sub(start);
                left.is_some_and(|bytes| self.plan.holds(i, bytes))
            }
            Binding::GradOf(leaf) => {
                let grad = leaf.of(args).peek_grad();
                grad.is_some_and(|grad| self.plan.holds(i, grad.buffer().len()))
            }
        })
    }

    /// Runs on `args` (which fit the recording) and returns what the function returns.
    /// Updated tensors, `.grad` fields and the random stream change as in an eager run.
    pub fn call(&self, args: &[Tensor]) -> Result<SmallVec<[Tensor; 2]>> {
        let outputs = self.through(args, |run, inputs| run.call(&self.plan, inputs))?;
        Ok(self.end(outputs, args))
    }

    /// [`Executable::call`], with somebody who is shown every step as [`Run::each`] says; the
    /// values that a step makes are those of [`Executable::lowered`]. `None` if it was
    /// stopped: nothing has changed.
    pub fn each(
        &self,
        args: &[Tensor],
        watch: &mut dyn FnMut(&Step, &Operands) -> Control,
    ) -> Result<Option<SmallVec<[Tensor; 2]>>> {
        let outputs = self.through(args, |run, inputs| run.each(&self.plan, inputs, watch))?;
        Ok(outputs.map(|outputs| self.end(outputs, args)))
    }

    fn through<T>(
        &self,
        args: &[Tensor],
        body: impl FnOnce(&mut Run, &[Buffer]) -> Result<T>,
    ) -> Result<T> {
        let inputs: SmallVec<[Buffer; 16]> =
            self.recording.bindings.iter().map(|b| bind(b, args)).collect::<Result<_>>()?;
        let mut run = self.take_run()?;
        let outputs = body(&mut run, &inputs);
        self.lock_runs().push(run);
        outputs
    }

    /// What a run that has come to its end changes and returns.
    fn end(&self, outputs: Results, args: &[Tensor]) -> SmallVec<[Tensor; 2]> {
        random::advance(self.recording.random_blocks);
        for i in &self.plan.updates {
            if let Binding::Arg(k) = &self.recording.bindings[*i]
                && args[*k].layout().offset > 0
            {
                args[*k].buffer().bump_version();
            }
        }
        self.deliver(outputs, args)
    }

    fn lock_runs(&self) -> std::sync::MutexGuard<'_, Vec<Run>> {
        self.runs.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn take_run(&self) -> Result<Run> {
        let kept = self.lock_runs().pop();
        kept.map_or_else(|| Run::new(&self.plan), Ok)
    }

    /// Sets what the function sets and returns what it returns.
    fn deliver(&self, outputs: Results, args: &[Tensor]) -> SmallVec<[Tensor; 2]> {
        let recording = &self.recording;
        let mut made: SmallVec<[Option<(Buffer, DType)>; 4]> = smallvec![None; outputs.len()];
        for (buffer, target) in outputs.into_iter().zip(self.plan.targets()) {
            let (Role::Return(i) | Role::Grad(i)) = target.role else { continue };
            made[i as usize] = Some((buffer, target.fact.dtype));
        }
        let give = |given: &Given| resolve(given, &made, args);
        let grads: SmallVec<[Option<Tensor>; 8]> =
            recording.grads.iter().map(|(_, given)| given.as_ref().map(give)).collect();
        let returns = recording.returns.iter().map(|returned| {
            let tensor = match &returned.given {
                Given::Grad(k) => grads[*k].clone().expect("a returned .grad is set"),
                given => give(given),
            };
            let tensor = match &returned.walked {
                Some(op) => {
                    let result = tensor.detach();
                    tape::mark_walked(op, &result);
                    result
                }
                None if returned.wants => {
                    tensor.set_requires_grad(true);
                    tensor
                }
                None => tensor,
            };
            if let Some(grad) = &returned.grad {
                tensor.poke_grad(Some(give(grad)));
            }
            tensor
        });
        let returns = returns.collect();
        for ((leaf, _), grad) in recording.grads.iter().zip(grads) {
            leaf.of(args).poke_grad(grad);
        }
        for (leaf, on) in &recording.switched {
            leaf.of(args).set_requires_grad(*on);
        }
        returns
    }

    /// The tensors whose contents a run with these arguments changes in place.
    pub fn written(&self, args: &[Tensor]) -> Vec<Tensor> {
        let updated = self.recording.graph.outputs.iter().filter_map(|output| match output.role {
            Role::Update(i) => Some(&self.recording.bindings[i as usize]),
            _ => None,
        });
        updated
            .filter_map(|binding| match binding {
                Binding::Captured(tensor) => Some(tensor.clone()),
                Binding::GradOf(leaf) => leaf.of(args).peek_grad(),
                Binding::Arg(i) => Some(args[*i].clone()),
            })
            .collect()
    }

    /// The leaves whose `.grad` a run with these arguments reads or sets.
    pub fn grad_leaves(&self, args: &[Tensor]) -> Vec<Tensor> {
        let set = self.recording.grads.iter().map(|(leaf, _)| leaf);
        let read = self.recording.grads_read.iter().map(|guard| &guard.leaf);
        let mut known = HashSet::new();
        let new = |leaf: &&Tensor| known.insert(leaf.key());
        set.chain(read).map(|leaf| leaf.of(args)).filter(new).cloned().collect()
    }

    /// Number of arithmetic operations of one run.
    pub fn flops(&self) -> u64 {
        self.tidy.flops()
    }
}

/// A tensor on new memory, or on memory that was there before.
fn resolve(given: &Given, made: &[Option<(Buffer, DType)>], args: &[Tensor]) -> Tensor {
    match given {
        Given::Made(i, layout) => {
            let (buffer, dtype) = made[*i as usize].as_ref().expect("every number has a result");
            Tensor::new(buffer.clone(), *dtype, *layout)
        }
        Given::Old(tensor) => tensor.clone(),
        Given::Window(tensor) => tensor.detach(),
        Given::Arg(i) => args[*i].clone(),
        Given::OfArg(i, layout) => {
            let offset = args[*i].layout().offset + layout.offset;
            args[*i].alias(Layout { offset, ..*layout })
        }
        Given::OfGrad(leaf, layout) => {
            let grad = leaf.of(args).peek_grad();
            grad.expect("bound before the run").alias(*layout)
        }
        Given::LeafGrad(leaf) => leaf.of(args).peek_grad().expect("bound before the run"),
        Given::Grad(_) => unreachable!("only returned tensors are the .grad of a leaf"),
    }
}

/// The memory of a graph input at this call.
fn bind(binding: &Binding, args: &[Tensor]) -> Result<Buffer> {
    match binding {
        Binding::Captured(tensor) => Ok(tensor.buffer().clone()),
        Binding::Arg(i) => Ok(from_offset(&args[*i])),
        Binding::GradOf(leaf) => match leaf.of(args).peek_grad() {
            Some(grad) => Ok(grad.buffer().clone()),
            None => Err(Error::compile("a .grad that the graph reads is gone")),
        },
    }
}

/// A tensor's memory from its first element on.
fn from_offset(tensor: &Tensor) -> Buffer {
    let first = if tensor.numel() == 0 { 0 } else { tensor.layout().offset };
    tensor.buffer().tail(first * tensor.dtype().size())
}
