//! Recording a static graph from the operations that an eager run applies.
//!
//! The recorder keeps, for every buffer it has seen, the value that the buffer holds at
//! present. A write in place gives the buffer a new value, so the graph itself has none.
//! Buffers that were there before the recording are inputs; what they hold at the end,
//! if it changed, is an update.

mod given;
mod recorder;
mod recording;
mod storage;
mod widened;

use std::cell::RefCell;

use crate::error::{Error, Result};
use crate::mode;
use crate::op::Op;
use crate::site::Site;
use crate::tensor::Tensor;

pub use given::{Given, Returned};
pub use recorder::Recorder;
pub use recording::{Binding, Difference, GradGuard, Leaf, Recording};

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

fn with<T>(use_it: impl FnOnce(&mut Recorder) -> T) -> Option<T> {
    RECORDER.with_borrow_mut(|recorder| recorder.as_mut().map(use_it))
}

/// Starts recording on this thread; `args` are the function's tensor arguments.
pub fn start(args: &[Tensor]) -> Result<()> {
    if mode::recording() {
        return Err(Error::compile("a compiled function is being recorded already on this thread"));
    }
    let recorder = Recorder::new(args)?;
    RECORDER.set(Some(recorder));
    mode::set_recording(true);
    Ok(())
}

/// Ends the recording; `returned` are the tensors that the function returns, `doors` those
/// that it reached in another way than as an argument.
pub fn finish(returned: &[Tensor], doors: &[Tensor]) -> Result<Recording> {
    mode::set_recording(false);
    let recorder = RECORDER.take().ok_or_else(|| Error::compile("nothing is being recorded"))?;
    recorder.finish(returned, doors)
}

/// Gives the recording up.
pub fn abort() {
    mode::set_recording(false);
    RECORDER.set(None);
}

/// An operation made `outputs`.
pub(crate) fn note(op: &Op, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()> {
    with(|r| r.note(op, inputs, outputs, Site::here())).unwrap_or(Ok(()))
}

/// An operation is about to overwrite `targets`: what it reads is looked at as it still is.
pub(crate) fn before_into(inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
    with(|r| r.before_into(inputs, targets)).unwrap_or(Ok(()))
}

/// An operation overwrote `targets`.
pub(crate) fn note_into(op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
    with(|r| r.note_into(op, inputs, targets, Site::here())).unwrap_or(Ok(()))
}

/// A change in place gave `owner` a new history.
pub(crate) fn note_history(owner: &Tensor) {
    with(|r| r.note_history(owner));
}

pub(crate) fn note_grad_read(leaf: &Tensor, grad: Option<&Tensor>) {
    with(|r| r.note_grad_read(leaf, grad));
}

/// The memory of a tensor was there before the recording.
pub fn adopt(tensor: &Tensor) {
    with(|r| r.adopt_old(tensor));
}

/// Python reads `requires_grad` of a tensor.
pub fn note_flag_read(tensor: &Tensor) {
    if mode::recording() && !tensor.is_local() {
        with(|r| r.note_flag_read(tensor));
    }
}

/// `requires_grad` of a tensor older than the recording was switched.
pub(crate) fn note_switched(tensor: &Tensor) {
    with(|r| r.note_switched(tensor));
}

pub(crate) fn note_grad_set(leaf: &Tensor) {
    with(|r| r.note_grad_set(leaf));
}

/// Refuses to hand a tensor's contents to Python while recording; `how` is the call that
/// asks for it (`.item()`).
pub fn forbid_read(how: &str) -> Result<()> {
    if !mode::recording() || mode::unseen() {
        return Ok(());
    }
    Err(Error::compile(format_args!(
        "{how} reads a value inside a compiled function, which the graph cannot follow (at {}). \
         Return the tensor and read it outside, or choose with weft.where",
        Site::here()
    )))
}

/// Refuses, while this recording runs, changes of `copy`, which stands for a view whose place
/// is not known.
pub fn forbid_writes(copy: &Tensor) {
    with(|r| r.stands_for_view(copy));
}

/// Refuses something else that a recording cannot follow.
pub fn forbid(what: &str) -> Result<()> {
    if !mode::recording() {
        return Ok(());
    }
    Err(Error::compile(format_args!("{what} (at {})", Site::here())))
}
