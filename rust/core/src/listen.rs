//! Who hears what happens to tensors on this thread.
//!
//! The floors that compute tell what they do, and know nobody who listens. A recording is a
//! listener; one listens at a time. Callers ask [`mode::listening`] first, which is one look at
//! the switches of the thread.

use std::any::Any;
use std::cell::RefCell;

use crate::error::Result;
use crate::mode;
use crate::op::Op;
use crate::site::Site;
use crate::tensor::Tensor;

/// Somebody who hears what happens to tensors. An error goes to whoever caused the event.
pub trait Listener: Any {
    /// An operation made `outputs`.
    fn called(&mut self, op: &Op, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()>;

    /// An operation is about to overwrite `targets`: what it reads is as it was.
    fn before_write(&mut self, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()>;

    /// The operation of the last [`Listener::before_write`] overwrote `targets`.
    fn wrote(&mut self, op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()>;

    /// A change in place gave `owner` a new history.
    fn rebased(&mut self, owner: &Tensor);

    /// The `.grad` of a tensor older than the listener is read.
    fn grad_read(&mut self, leaf: &Tensor, grad: Option<&Tensor>);

    /// The `.grad` of a tensor older than the listener was set.
    fn grad_set(&mut self, leaf: &Tensor);

    /// `requires_grad` of a tensor older than the listener is read.
    fn flag_read(&mut self, tensor: &Tensor);

    /// `requires_grad` of a tensor older than the listener was switched.
    fn flag_switched(&mut self, tensor: &Tensor);

    /// A value is about to be handed out; `how` is the call that asks for it (`.item()`).
    fn value_read(&mut self, how: &str) -> Result<()>;

    /// Something is about to happen that is no operation.
    fn beside(&mut self, what: &str) -> Result<()>;

    /// The memory of a tensor was there before the listener, though its buffer may be new.
    fn older(&mut self, tensor: &Tensor);

    /// Whether tensors older than the listener see memory between two addresses, and whether it
    /// was written.
    fn reached(&mut self, low: usize, high: usize) -> (bool, bool);

    /// `copy` stands for a view whose place is not known.
    fn stands_for_view(&mut self, copy: &Tensor);

    /// The line of the user's program that runs now.
    fn line(&mut self) -> Site;

    /// Answers `line` when asked for the line, or looks for it again if `None`; returns what
    /// was answered before.
    fn fix_line(&mut self, line: Option<Site>) -> Option<Site>;
}

thread_local! {
    static LISTENER: RefCell<Option<Box<dyn Listener>>> = const { RefCell::new(None) };
}

/// Has `listener` hear this thread from now on.
pub(crate) fn begin(listener: Box<dyn Listener>) {
    LISTENER.set(Some(listener));
    mode::set_listening(true);
}

/// The listener of this thread, who hears nothing more.
pub(crate) fn end() -> Option<Box<dyn Listener>> {
    mode::set_listening(false);
    LISTENER.take()
}

/// Tells the listener; `None` if nobody listens. What happens inside a listener is not heard.
fn tell<T>(event: impl FnOnce(&mut dyn Listener) -> T) -> Option<T> {
    if !mode::listening() {
        return None;
    }
    let told = |cell: &RefCell<Option<Box<dyn Listener>>>| {
        let mut listener = cell.try_borrow_mut().ok()?;
        listener.as_deref_mut().map(event)
    };
    LISTENER.with(told)
}

/// Tells the listener of a tensor that is older than it.
fn of_old(tensor: &Tensor, event: impl FnOnce(&mut dyn Listener)) {
    if mode::listening() && !tensor.is_local() {
        tell(event);
    }
}

/// See [`Listener::called`].
#[cold]
pub(crate) fn called(op: &Op, inputs: &[&Tensor], outputs: &[Tensor]) -> Result<()> {
    tell(|l| l.called(op, inputs, outputs)).unwrap_or(Ok(()))
}

/// See [`Listener::before_write`].
#[cold]
pub(crate) fn before_write(inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
    tell(|l| l.before_write(inputs, targets)).unwrap_or(Ok(()))
}

/// See [`Listener::wrote`].
#[cold]
pub(crate) fn wrote(op: &Op, inputs: &[&Tensor], targets: &[Tensor]) -> Result<()> {
    tell(|l| l.wrote(op, inputs, targets)).unwrap_or(Ok(()))
}

/// See [`Listener::rebased`].
#[cold]
pub(crate) fn rebased(owner: &Tensor) {
    tell(|l| l.rebased(owner));
}

/// See [`Listener::grad_read`].
#[cold]
pub(crate) fn grad_read(leaf: &Tensor, grad: Option<&Tensor>) {
    of_old(leaf, |l| l.grad_read(leaf, grad));
}

/// See [`Listener::grad_set`].
#[cold]
pub(crate) fn grad_set(leaf: &Tensor) {
    of_old(leaf, |l| l.grad_set(leaf));
}

/// See [`Listener::flag_read`].
#[cold]
pub fn flag_read(tensor: &Tensor) {
    of_old(tensor, |l| l.flag_read(tensor));
}

/// See [`Listener::flag_switched`].
#[cold]
pub(crate) fn flag_switched(tensor: &Tensor) {
    of_old(tensor, |l| l.flag_switched(tensor));
}

/// See [`Listener::value_read`]. Reading in order to print is not told.
pub fn value_read(how: &str) -> Result<()> {
    if mode::unseen() {
        return Ok(());
    }
    tell(|l| l.value_read(how)).unwrap_or(Ok(()))
}

/// See [`Listener::beside`].
pub fn beside(what: &str) -> Result<()> {
    tell(|l| l.beside(what)).unwrap_or(Ok(()))
}

/// See [`Listener::older`].
pub fn older(tensor: &Tensor) {
    tell(|l| l.older(tensor));
}

/// See [`Listener::reached`].
pub fn reached(low: usize, high: usize) -> (bool, bool) {
    tell(|l| l.reached(low, high)).unwrap_or_default()
}

/// See [`Listener::stands_for_view`].
pub fn stands_for_view(copy: &Tensor) {
    tell(|l| l.stands_for_view(copy));
}

/// See [`Listener::line`]; unknown if nobody listens.
#[cold]
pub(crate) fn line() -> Site {
    tell(|l| l.line()).unwrap_or(Site::UNKNOWN)
}

/// Runs `body`, whose operations belong to `line`.
pub(crate) fn at<T>(line: Site, body: impl FnOnce() -> T) -> T {
    let Some(before) = tell(|l| l.fix_line(Some(line))) else { return body() };
    let result = body();
    tell(|l| l.fix_line(before));
    result
}
