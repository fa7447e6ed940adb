//! Operations that compute at once, and leave a node on the tape if gradients are wanted.

mod operand;

use smallvec::{SmallVec, smallvec};
use weft_kernels::chain::{self, Flat};
use weft_kernels::{Arg, Buffer, DType, Layout, copy};

use crate::error::{Error, Result};
use crate::fact::Fact;
use crate::listen;
use crate::mode;
use crate::op::cast::Cast;
use crate::op::pointwise::Row;
use crate::op::view::View;
use crate::op::{Class, Emit, Op, Read, Val, Vals};
use crate::tape;
use crate::tensor::Tensor;
use crate::writers;

pub use operand::{Operand, meeting, pointwise, pointwise_into};

/// Results of one operation.
pub type Results = SmallVec<[Tensor; 1]>;

/// Applies `op` to `inputs`.
pub fn call(op: &Op, inputs: &[&Tensor]) -> Result<Results> {
    let outputs = match same_layout(op, inputs) {
        Some(output) => smallvec![output],
        None => compute(op, inputs)?,
    };
    if mode::grad_enabled() && inputs.iter().any(|x| x.requires_grad()) && any_float(&outputs) {
        tape::push(op, inputs, &outputs)?;
    }
    if mode::listening() {
        listen::called(op, inputs, &outputs)?;
    }
    Ok(outputs)
}

// Apart, so that the short way above stays short.
#[inline(never)]
fn compute(op: &Op, inputs: &[&Tensor]) -> Result<Results> {
    let facts: SmallVec<[Fact; 3]> = inputs.iter().map(|x| x.fact()).collect();
    let out_facts = op.infer(&facts)?;
    if let Some(output) = view(op, inputs) {
        return Ok(smallvec![output]);
    }
    let outputs = results(op, &out_facts)?;
    run(op, inputs, &outputs)?;
    Ok(outputs)
}

/// Memory for results of `op`.
fn results(op: &Op, facts: &[Fact]) -> Result<Results> {
    facts.iter().map(|fact| Tensor::try_empty(op.name(), *fact)).collect()
}

/// The result of a pointwise operation on contiguous tensors of one dtype and shape: what
/// most small eager operations are, without the general machinery.
fn same_layout(op: &Op, inputs: &[&Tensor]) -> Option<Tensor> {
    let Op::Pointwise(row) = op else { return None };
    let first = inputs.first()?;
    let alike = |x: &&Tensor| x.layout() == first.layout() && x.dtype() == first.dtype();
    let fits = inputs.len() == row.arity
        && !row.condition
        && !row.divides
        && first.layout().offset == 0
        && first.layout().is_contiguous()
        && inputs[1..].iter().all(alike);
    if !fits {
        return None;
    }
    match inputs {
        [a] => in_order(row, a.dtype(), a.layout(), &[a.flat()]),
        [a, b] => in_order(row, a.dtype(), a.layout(), &[a.flat(), b.flat()]),
        _ => {
            let ins: SmallVec<[Flat; 3]> = inputs.iter().map(|x| x.flat()).collect();
            in_order(row, first.dtype(), first.layout(), &ins)
        }
    }
}

/// The result, in `layout`, of a row that computes in `dtype` on operands whose elements lie in
/// the order of its own; `None` where the row has no such kernel, or there is no memory.
fn in_order(row: &Row, dtype: DType, layout: &Layout, ins: &[Flat]) -> Option<Tensor> {
    let tile = row.tile.get(dtype)?;
    let dtype = row.out.of(dtype);
    let n = layout.numel();
    let buffer = Buffer::try_new(n * dtype.size())?;
    let output = Tensor::fresh(buffer, dtype, *layout);
    chain::flat(tile, ins, output.span(), n, row.flops as usize);
    Some(output)
}

/// Applies an operation with one result.
pub fn call1(op: &Op, inputs: &[&Tensor]) -> Result<Tensor> {
    Ok(call(op, inputs)?.remove(0))
}

/// A contiguous copy, as a result of an operation.
pub fn contiguous_clone(x: &Tensor) -> Result<Tensor> {
    call1(&Op::Cast(Cast { dtype: x.dtype() }), &[x])
}

fn any_float(outputs: &[Tensor]) -> bool {
    outputs.iter().any(|y| y.dtype().is_differentiable())
}

/// The result of a view operation that needs no copy.
fn view(op: &Op, inputs: &[&Tensor]) -> Option<Tensor> {
    let Op::View(view) = op else { return None };
    view.layout(inputs[0].layout()).map(|layout| inputs[0].view(layout))
}

/// One view after another. Where nothing follows them, only the last is made.
pub fn views(x: &Tensor, views: &[View]) -> Result<Tensor> {
    if !mode::listening()
        && !x.requires_grad()
        && let Some(layout) = views.iter().try_fold(*x.layout(), |at, view| view.layout(&at))
    {
        return Ok(x.view(layout));
    }
    views.iter().try_fold(x.clone(), |at, view| call1(&Op::View(view.clone()), &[&at]))
}

/// Runs the kernel; inputs that it cannot read as they lie are copied first.
fn run(op: &Op, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()> {
    let outs: SmallVec<[Arg; 2]> = outputs.iter().map(Tensor::arg).collect();
    let fits =
        |(i, x): (usize, &&Tensor)| x.layout().is_contiguous() || op.reads(i) == Read::Strided;
    if inputs.iter().enumerate().all(fits) {
        let args: SmallVec<[Arg; 4]> = inputs.iter().map(|x| x.arg()).collect();
        return op.run(&args, &outs);
    }
    let near = |(i, x): (usize, &&Tensor)| {
        if fits((i, x)) { Ok((*x).clone()) } else { x.contiguous_or_copy(op.name()) }
    };
    let copies: Vec<Tensor> = inputs.iter().enumerate().map(near).collect::<Result<_>>()?;
    let args: SmallVec<[Arg; 4]> = copies.iter().map(Tensor::arg).collect();
    op.run(&args, &outs)
}

/// Applies `op` and writes its results over `targets`, with torch's rules for in-place
/// changes: a leaf that wants a gradient is refused, versions are bumped, histories
/// replaced. An error leaves everything as it was.
pub fn call_into(op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
    let facts: SmallVec<[Fact; 3]> = inputs.iter().map(|x| x.fact()).collect();
    let out_facts = op.infer(&facts)?;
    if targets.len() != out_facts.len() {
        let (expected, got) = (out_facts.len(), targets.len());
        return Err(Error::runtime(
            op.name(),
            format_args!("wrong number of targets, expected {expected}, got {got}"),
        ));
    }
    for (target, fact) in targets.iter().zip(&out_facts) {
        check_target(op, target, *fact)?;
    }
    if mode::listening() {
        listen::before_write(inputs, targets)?;
    }
    let wants = |x: &Tensor| x.requires_grad();
    if mode::grad_enabled() && (inputs.iter().any(|x| wants(x)) || targets.iter().any(wants)) {
        let change = tape::Change::prepare(op, inputs, targets)?;
        let kept = keep_overwritten(&change, inputs, targets)?;
        overwrite(op, inputs, targets)?;
        let kept: SmallVec<[&Tensor; 4]> = kept.iter().collect();
        change.commit(op, &kept, targets);
        if mode::listening() {
            targets.iter().for_each(|t| listen::rebased(t.base().unwrap_or(t)));
        }
    } else {
        overwrite(op, inputs, targets)?;
    }
    if mode::listening() {
        listen::wrote(op, inputs, targets)?;
    }
    Ok(())
}

/// The inputs, with copies of those that the gradient rule reads and the write destroys.
fn keep_overwritten(
    change: &tape::Change,
    inputs: &[&Tensor],
    targets: &[Tensor],
) -> Result<SmallVec<[Tensor; 4]>> {
    let keep = |(i, x): (usize, &&Tensor)| {
        let destroyed = targets.iter().any(|t| t.buffer().same(x.buffer()));
        if change.reads_input(i) && destroyed { contiguous_clone(x) } else { Ok((*x).clone()) }
    };
    inputs.iter().enumerate().map(keep).collect()
}

/// Writes, and declares the targets' memory changed.
fn overwrite(op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
    write(op, inputs, targets)?;
    targets.iter().for_each(|target| changed(target, op.name()));
    Ok(())
}

/// Declares the memory of `target` changed by operation `name`.
fn changed(target: &Tensor, name: &'static str) {
    target.buffer().bump_version();
    writers::note(target.buffer().id(), name);
}

fn check_target(op: &Op, target: &Tensor, fact: Fact) -> Result<()> {
    if target.fact() != fact {
        return Err(Error::runtime(
            op.name(),
            format_args!("result does not fit in place, expected {}, got {fact}", target.fact()),
        ));
    }
    if target.layout().overlaps_itself() {
        return Err(Error::runtime(
            op.name(),
            "several elements of the target share one place in memory. Call .clone() first",
        ));
    }
    Ok(())
}

/// Whether the kernel may write output `output` straight into `target`.
pub(crate) fn writes_directly(op: &Op, inputs: &[&Tensor], target: &Tensor, output: usize) -> bool {
    let layout_fits = op.class() == Class::Pointwise || target.layout().is_contiguous();
    layout_fits
        && inputs.iter().enumerate().all(|(i, x)| {
            let apart = !x.buffer().same(target.buffer());
            apart || (x.layout() == target.layout() && op.overwrites(output, i))
        })
}

/// Operands from which on they are sorted by their memory, so that an update of many tensors
/// takes time in proportion to their number.
const MANY: usize = 32;

/// Whether the kernel may write every output straight into its target.
fn all_direct(op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> bool {
    if inputs.len() < MANY {
        return targets.iter().enumerate().all(|(k, t)| writes_directly(op, inputs, t, k));
    }
    let mut sorted: Vec<(u64, usize)> =
        inputs.iter().enumerate().map(|(i, x)| (x.buffer().id(), i)).collect();
    sorted.sort_unstable();
    targets.iter().enumerate().all(|(k, target)| {
        let id = target.buffer().id();
        let from = sorted.partition_point(|(buffer, _)| *buffer < id);
        let mut there = sorted[from..].iter().take_while(|(buffer, _)| *buffer == id);
        let layout_fits = op.class() == Class::Pointwise || target.layout().is_contiguous();
        layout_fits
            && there.all(|&(_, i)| inputs[i].layout() == target.layout() && op.overwrites(k, i))
    })
}

fn write(op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
    if all_direct(op, inputs, targets) {
        return run(op, inputs, targets);
    }
    let facts: SmallVec<[Fact; 2]> = targets.iter().map(Tensor::fact).collect();
    let results = results(op, &facts)?;
    run(op, inputs, &results)?;
    for (result, target) in results.iter().zip(targets) {
        copy::copy(result.arg(), target.arg());
    }
    Ok(())
}

/// Writes `value`, broadcast and converted, over `target`.
pub fn assign(target: &Tensor, value: &Tensor) -> Result<()> {
    let expanded = Op::View(crate::op::view::View::Expand((*target.shape()).into()));
    let value =
        if value.shape() == target.shape() { value.clone() } else { call1(&expanded, &[value])? };
    call_into(&Op::Cast(Cast { dtype: target.dtype() }), &[&value], std::slice::from_ref(target))
}

/// An emitter that computes at once.
#[derive(Default)]
pub struct Eager {
    values: SmallVec<[Tensor; 8]>,
}

impl Eager {
    /// A handle of `tensor`.
    pub fn hold(&mut self, tensor: Tensor) -> Val {
        self.values.push(tensor);
        Val(self.values.len() as u32 - 1)
    }

    /// Computes what `rule` makes of `inputs`.
    pub fn compose(
        inputs: &[&Tensor],
        rule: impl FnOnce(&mut dyn Emit, &[Val]) -> Result<Val>,
    ) -> Result<Tensor> {
        let mut e = Eager::default();
        let vals: SmallVec<[Val; 4]> = inputs.iter().map(|x| e.hold((*x).clone())).collect();
        let result = rule(&mut e, &vals)?;
        Ok(e.values.swap_remove(result.0 as usize))
    }

    /// The tensor behind a handle.
    pub fn get(&self, val: Val) -> Tensor {
        self.values[val.0 as usize].clone()
    }
}

impl Emit for Eager {
    fn emit(&mut self, op: Op, inputs: &[Val]) -> Result<Vals> {
        let results = {
            let tensors: SmallVec<[&Tensor; 4]> =
                inputs.iter().map(|val| &self.values[val.0 as usize]).collect();
            call(&op, &tensors)?
        };
        Ok(results.into_iter().map(|tensor| self.hold(tensor)).collect())
    }

    fn fact(&self, value: Val) -> Fact {
        self.values[value.0 as usize].fact()
    }
}
