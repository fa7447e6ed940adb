//! What the user holds.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use weft_kernels::chain::{Flat, Span};
use weft_kernels::{Arg, Buffer, DType, Element, Layout, Shape, copy};

use crate::error::{Error, Result};
use crate::fact::Fact;
use crate::listen;
use crate::mode;
use crate::tape::{self, NodeRef};

/// A strided window onto shared memory, and its place on the tape.
#[derive(Clone)]
pub struct Tensor(Arc<Inner>);

struct Inner {
    buffer: Buffer,
    dtype: DType,
    layout: Layout,
    /// The recording during which it was made, 0 for none.
    born: u32,
    /// Whether gradients flow through this tensor: a leaf that wants one, or a result.
    requires_grad: AtomicBool,
    /// Whether a node keeps this tensor itself.
    saved: AtomicBool,
    /// The tensor that this one is a view of; never a view itself.
    base: Option<Tensor>,
    auto: Mutex<Auto>,
}

/// A tensor's place on the tape.
#[derive(Default)]
pub(crate) struct Auto {
    /// The node that made it, and which of the node's outputs it is.
    pub node: Option<(NodeRef, u32)>,
    /// The accumulated gradient, for leaves (and results that retain it).
    pub grad: Option<Tensor>,
    /// For a view: how it was made.
    pub made: Made,
    /// For a view: the buffer's version when its node was made.
    pub seen: u32,
}

/// How a view was made; a view of a view inherits what forbids changes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// With the tape on.
    #[default]
    Tracked,
    /// With the tape off: how it depends on its base is not known.
    Untracked,
    /// As one of several results of one function.
    Several,
}

impl Tensor {
    /// A tensor on a buffer.
    ///
    /// # Panics
    /// When an element lies outside the buffer.
    pub fn new(buffer: Buffer, dtype: DType, layout: Layout) -> Tensor {
        Self::checked(buffer, dtype, layout, None, Auto::default())
    }

    /// The one place where a layout meets memory that was not made for it.
    fn checked(
        buffer: Buffer,
        dtype: DType,
        layout: Layout,
        base: Option<Tensor>,
        auto: Auto,
    ) -> Tensor {
        let end = layout.end().saturating_mul(dtype.size());
        assert!(end <= buffer.len(), "{layout:?} of {dtype} exceeds {buffer:?}");
        Self::build(buffer, dtype, layout, base, auto)
    }

    /// A tensor on a buffer that was made for a contiguous layout.
    #[inline]
    pub(crate) fn fresh(buffer: Buffer, dtype: DType, layout: Layout) -> Tensor {
        debug_assert!(layout.end().saturating_mul(dtype.size()) <= buffer.len());
        Self::build(buffer, dtype, layout, None, Auto::default())
    }

    // Inlined, so that the parts are written where they stay.
    #[inline(always)]
    fn build(
        buffer: Buffer,
        dtype: DType,
        layout: Layout,
        base: Option<Tensor>,
        auto: Auto,
    ) -> Tensor {
        let (requires_grad, saved) = (AtomicBool::new(false), AtomicBool::new(false));
        let (born, auto) = (mode::generation(), Mutex::new(auto));
        Tensor(Arc::new(Inner { buffer, dtype, layout, born, requires_grad, saved, base, auto }))
    }

    /// A contiguous tensor with unspecified contents, or an error of operation `op`.
    pub fn try_empty(op: &str, fact: Fact) -> Result<Tensor> {
        let buffer = Buffer::try_new(fact.bytes()).ok_or_else(|| Error::memory(op, fact))?;
        Ok(Self::fresh(buffer, fact.dtype, Layout::contiguous(fact.shape)))
    }

    /// A contiguous tensor with a copy of `data`, or an error of operation `op`.
    pub fn try_from_slice<T: Element>(op: &str, data: &[T], shape: Shape) -> Result<Tensor> {
        let fact = Fact::new(T::DTYPE, shape);
        let buffer = Buffer::try_from_slice(data).ok_or_else(|| Error::memory(op, fact))?;
        Ok(Self::new(buffer, T::DTYPE, Layout::contiguous(shape)))
    }

    /// A contiguous tensor with a copy of a few numbers.
    ///
    /// # Panics
    /// When there is no memory.
    pub fn from_slice<T: Element>(data: &[T], shape: Shape) -> Tensor {
        Self::new(Buffer::from_slice(data), T::DTYPE, Layout::contiguous(shape))
    }

    /// The same memory under another layout, without history.
    pub fn alias(&self, layout: Layout) -> Tensor {
        Self::new(self.0.buffer.clone(), self.0.dtype, layout)
    }

    /// The same memory under another layout, as a view that follows what is done to it.
    pub(crate) fn view(&self, layout: Layout) -> Tensor {
        if !self.0.dtype.is_differentiable() {
            return self.alias(layout);
        }
        let made = if !mode::grad_enabled() {
            Made::Untracked
        } else if self.0.base.is_some() {
            self.auto().made
        } else {
            Made::Tracked
        };
        let base = self.0.base.as_ref().unwrap_or(self).clone();
        let auto = Auto { made, seen: self.0.buffer.version(), ..Auto::default() };
        Self::checked(self.0.buffer.clone(), self.0.dtype, layout, Some(base), auto)
    }

    /// The tensor that this one is a view of.
    pub(crate) fn base(&self) -> Option<&Tensor> {
        self.0.base.as_ref()
    }

    /// Whether it is a view of another tensor.
    pub fn is_view(&self) -> bool {
        self.0.base.is_some()
    }

    /// Declares a view one of several results of one function, which cannot be changed in
    /// place while gradients are recorded.
    pub fn mark_several(&self) {
        if self.is_view() && mode::grad_enabled() {
            self.auto().made = Made::Several;
        }
    }

    /// The same memory, without history.
    pub fn detach(&self) -> Tensor {
        self.alias(self.0.layout)
    }

    /// Element type.
    pub fn dtype(&self) -> DType {
        self.0.dtype
    }

    /// Size of each dimension.
    pub fn shape(&self) -> &Shape {
        &self.0.layout.shape
    }

    /// How the elements lie in memory.
    pub fn layout(&self) -> &Layout {
        &self.0.layout
    }

    /// The memory.
    pub fn buffer(&self) -> &Buffer {
        &self.0.buffer
    }

    /// Dtype and shape.
    pub fn fact(&self) -> Fact {
        Fact::new(self.0.dtype, self.0.layout.shape)
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.0.layout.numel()
    }

    /// The window that kernels read and write.
    pub fn arg(&self) -> Arg<'_> {
        Arg::new(&self.0.buffer, self.0.dtype, &self.0.layout)
    }

    /// Where the elements of a contiguous tensor lie.
    #[inline]
    pub(crate) fn span(&self) -> Span<'_> {
        debug_assert!(self.0.layout.is_contiguous());
        Span { buffer: &self.0.buffer, dtype: self.0.dtype, offset: self.0.layout.offset }
    }

    /// A contiguous tensor as an operand of its own shape.
    #[inline]
    pub(crate) fn flat(&self) -> Flat<'_> {
        Flat::Each(self.span())
    }

    /// The elements in row-major order.
    ///
    /// # Panics
    /// When `T` is not the element type, or there is no memory.
    pub fn to_vec<T: Element>(&self) -> Vec<T> {
        let whole = self.contiguous_or_copy("to_vec").expect("memory for a copy");
        whole.arg().slice::<T>().to_vec()
    }

    /// This tensor if it is contiguous, else a contiguous copy without history for
    /// operation `op`.
    pub fn contiguous_or_copy(&self, op: &str) -> Result<Tensor> {
        if self.0.layout.is_contiguous() {
            return Ok(self.clone());
        }
        let out = Tensor::try_empty(op, self.fact())?;
        copy::copy(self.arg(), out.arg());
        Ok(out)
    }

    /// Whether both are the same tensor (not merely equal or sharing memory).
    pub fn same(&self, other: &Tensor) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether nobody else holds this tensor or shares its memory.
    pub fn is_sole(&self) -> bool {
        Arc::strong_count(&self.0) == 1 && self.0.buffer.is_unique()
    }

    /// A number that tells this tensor from every other one alive.
    pub fn key(&self) -> usize {
        Arc::as_ptr(&self.0) as usize
    }

    /// Whether it was made while this thread's listener listened.
    pub fn is_local(&self) -> bool {
        self.is_of(mode::generation())
    }

    /// Whether it was made during the recording of this number; 0 stands for none.
    pub(crate) fn is_of(&self, number: u32) -> bool {
        number != 0 && self.0.born == number
    }

    /// Whether gradients flow through this tensor, or through the one that it is a view of.
    pub fn requires_grad(&self) -> bool {
        self.wants_grad() || self.0.base.as_ref().is_some_and(Tensor::wants_grad)
    }

    /// The tensor's own flag.
    pub(crate) fn wants_grad(&self) -> bool {
        self.0.requires_grad.load(Ordering::Relaxed)
    }

    pub(crate) fn mark_saved(&self) {
        self.0.saved.store(true, Ordering::Relaxed);
    }

    /// Whether a node may keep this tensor itself; from now on none is said to.
    pub(crate) fn take_saved(&self) -> bool {
        self.0.saved.swap(false, Ordering::Relaxed)
    }

    /// Switches gradients of a leaf on or off.
    pub fn set_requires_grad(&self, on: bool) {
        self.0.requires_grad.store(on, Ordering::Relaxed);
        if mode::listening() {
            listen::flag_switched(self);
        }
    }

    /// Whether no operation on the tape made it. Fails as [`Tensor::node`] does.
    pub fn is_leaf(&self) -> Result<bool> {
        Ok(self.node()?.is_none())
    }

    /// Forgets how it was made: a leaf without gradient again. Fails for a view, which would
    /// still change with its base.
    pub fn forget_history(&self) -> Result<()> {
        if self.is_view() {
            let what = "a view cannot forget its history in place. Use .detach()";
            return Err(Error::runtime("detach_", what));
        }
        self.set_node(None);
        Ok(())
    }

    /// The node that made it, and which of its outputs it is: for a view, after all that
    /// was done to its base. Fails for a view made with the tape off whose memory changed
    /// since.
    pub fn node(&self) -> Result<Option<(NodeRef, u32)>> {
        tape::node(self)
    }

    /// Replaces the node that made it; without one it is a leaf that wants no gradient.
    pub(crate) fn set_node(&self, node: Option<(NodeRef, u32)>) {
        self.0.requires_grad.store(node.is_some(), Ordering::Relaxed);
        let _before = std::mem::replace(&mut self.auto().node, node);
    }

    /// The accumulated gradient.
    pub fn grad(&self) -> Option<Tensor> {
        let grad = self.auto().grad.clone();
        if mode::listening() {
            listen::grad_read(self, grad.as_ref());
        }
        grad
    }

    /// Replaces the accumulated gradient.
    pub fn set_grad(&self, grad: Option<Tensor>) {
        let _before = std::mem::replace(&mut self.auto().grad, grad);
        if mode::listening() {
            listen::grad_set(self);
        }
    }

    /// The accumulated gradient, unseen by a recording.
    pub(crate) fn peek_grad(&self) -> Option<Tensor> {
        self.auto().grad.clone()
    }

    /// Sets the accumulated gradient, unseen by a recording.
    pub(crate) fn poke_grad(&self, grad: Option<Tensor>) {
        let _before = std::mem::replace(&mut self.auto().grad, grad);
    }

    pub(crate) fn auto(&self) -> MutexGuard<'_, Auto> {
        self.0.auto.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl fmt::Debug for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor({})", self.fact())
    }
}
