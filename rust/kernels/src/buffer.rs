//! Aligned, shared, recycled memory, and the window through which kernels see it.

use std::alloc::{self, Layout as AllocLayout};
use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use crate::dtype::{DType, Element};
use crate::layout::Layout;
use crate::memory;

/// Every owned buffer starts at a multiple of this many bytes (a cache line, a 512-bit word).
pub const ALIGN: usize = 64;

/// Longest buffer that is ever asked for: its size class still is a size.
const MAX_LEN: usize = 1 << 61;

/// Bytes that one thread keeps for reuse at most.
const CACHE_BYTES: usize = 512 << 20;
/// Blocks of one size class that one thread keeps at most.
const CACHE_BLOCKS: usize = 64;
const CLASSES: usize = 160;
/// Whether every buffer is a block of exactly its length, given back when it goes: under a
/// sanitiser, which sees neither slack nor a block that is used again.
const EXACT: bool = cfg!(weft_sanitize);

/// Shared bytes. Cloning shares them; the last clone returns them to the thread's cache.
///
/// Contents are always initialised but unspecified after [`Buffer::new`]. Kernels write
/// through shared buffers; like numpy and torch, two threads that write the same elements
/// at once get one of the two values in each.
#[derive(Clone)]
pub struct Buffer(Arc<Block>);

/// A buffer, for as long as somebody holds it.
#[derive(Clone)]
pub struct WeakBuffer(Weak<Block>);

impl WeakBuffer {
    /// The buffer, if a clone of it is left.
    pub fn upgrade(&self) -> Option<Buffer> {
        self.0.upgrade().map(Buffer)
    }

    /// Whether a clone of it is left.
    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}

struct Block {
    ptr: NonNull<u8>,
    len: usize,
    id: u64,
    version: AtomicU32,
    home: Home,
}

enum Home {
    Cache { class: usize },
    Exact(AllocLayout),
    Foreign { _owner: Box<dyn Any + Send + Sync> },
}

// SAFETY: the memory is plain bytes, owned until the last clone is dropped.
unsafe impl Send for Block {}
// SAFETY: as documented on `Buffer`, racing element writes are the caller's affair;
// no invariant of this module depends on the bytes.
unsafe impl Sync for Block {}

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl Buffer {
    /// At least `len` bytes with unspecified contents, or `None` when there is no memory.
    pub fn try_new(len: usize) -> Option<Buffer> {
        if len > MAX_LEN || !memory::granted() {
            return None;
        }
        if EXACT {
            return Self::exact(len);
        }
        let class = class_of(len);
        let ptr = match take(class) {
            Some(ptr) => ptr,
            None => fresh(class)?,
        };
        Some(Self::from_block(ptr, len, Home::Cache { class }))
    }

    /// A block of its own without slack, filled with a pattern.
    fn exact(len: usize) -> Option<Buffer> {
        let layout = AllocLayout::from_size_align(len.max(1), ALIGN).ok()?;
        // SAFETY: the size is at least 1, and the block is written to its end.
        let ptr = NonNull::new(unsafe {
            let ptr = alloc::alloc(layout);
            if !ptr.is_null() {
                ptr.write_bytes(0xA5, len);
            }
            ptr
        })?;
        Some(Self::from_block(ptr, len, Home::Exact(layout)))
    }

    /// `len` bytes of zeros, or `None` when there is no memory.
    pub fn try_zeroed(len: usize) -> Option<Buffer> {
        if len > MAX_LEN || !memory::granted() {
            return None;
        }
        if EXACT {
            let buffer = Self::exact(len)?;
            // SAFETY: the fresh block has `len` bytes.
            unsafe { buffer.0.ptr.as_ptr().write_bytes(0, len) };
            return Some(buffer);
        }
        let class = class_of(len);
        let ptr = match take(class) {
            Some(ptr) => {
                // SAFETY: a block of this class holds at least `len` bytes.
                unsafe { ptr.as_ptr().write_bytes(0, len) };
                ptr
            }
            None => fresh(class)?,
        };
        Some(Self::from_block(ptr, len, Home::Cache { class }))
    }

    /// A copy of `data`, or `None` when there is no memory.
    pub fn try_from_slice<T: Element>(data: &[T]) -> Option<Buffer> {
        let buffer = Buffer::try_new(std::mem::size_of_val(data))?;
        // SAFETY: the fresh buffer is at least as long as `data` and is not shared yet.
        unsafe {
            std::ptr::copy_nonoverlapping(data.as_ptr(), buffer.0.ptr.as_ptr().cast(), data.len());
        }
        Some(buffer)
    }

    /// [`Buffer::try_new`] where the length is small and fixed, and in tests.
    ///
    /// # Panics
    /// When there is no memory.
    pub fn new(len: usize) -> Buffer {
        Self::try_new(len).expect("memory for a small buffer")
    }

    /// [`Buffer::try_zeroed`], as [`Buffer::new`].
    ///
    /// # Panics
    /// When there is no memory.
    pub fn zeroed(len: usize) -> Buffer {
        Self::try_zeroed(len).expect("memory for a small buffer")
    }

    /// [`Buffer::try_from_slice`], as [`Buffer::new`].
    ///
    /// # Panics
    /// When there is no memory.
    pub fn from_slice<T: Element>(data: &[T]) -> Buffer {
        Self::try_from_slice(data).expect("memory for a small buffer")
    }

    /// Memory that somebody else owns; `owner` is dropped with the last clone.
    ///
    /// # Safety
    /// `ptr..ptr + len` must stay readable and writable until `owner` is dropped, and
    /// `ptr` must be aligned for every element that is read through it.
    pub unsafe fn foreign(
        ptr: NonNull<u8>,
        len: usize,
        owner: Box<dyn Any + Send + Sync>,
    ) -> Buffer {
        Self::from_block(ptr, len, Home::Foreign { _owner: owner })
    }

    fn from_block(ptr: NonNull<u8>, len: usize, home: Home) -> Buffer {
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Buffer(Arc::new(Block { ptr, len, id, version: AtomicU32::new(0), home }))
    }

    /// The same memory from byte `start` on. Versions are counted apart.
    ///
    /// # Panics
    /// When `start` lies beyond the end.
    pub fn tail(&self, start: usize) -> Buffer {
        if start == 0 {
            return self.clone();
        }
        assert!(start <= self.len(), "byte {start} of {self:?}");
        // SAFETY: `start` is inside the block or one past it, and the clone that is kept
        // as owner keeps the memory alive. Elements are aligned as they were.
        unsafe {
            let ptr = NonNull::new_unchecked(self.as_ptr().add(start));
            Self::foreign(ptr, self.len() - start, Box::new(self.clone()))
        }
    }

    /// A number that every buffer made from here on exceeds or has.
    pub fn next_id() -> u64 {
        NEXT_ID.load(Ordering::Relaxed)
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.0.len == 0
    }

    /// A number that no other buffer of this process ever had.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// How often the contents were declared changed.
    pub fn version(&self) -> u32 {
        self.0.version.load(Ordering::Relaxed)
    }

    /// Declares the contents changed.
    pub fn bump_version(&self) {
        self.0.version.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether this is the only clone.
    pub fn is_unique(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }

    /// The buffer, without keeping it.
    pub fn downgrade(&self) -> WeakBuffer {
        WeakBuffer(Arc::downgrade(&self.0))
    }

    /// Whether both are clones of one buffer.
    pub fn same(&self, other: &Buffer) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Address of the first byte.
    pub fn as_ptr(&self) -> *mut u8 {
        self.0.ptr.as_ptr()
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer(#{}, {} bytes)", self.0.id, self.0.len)
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        match self.home {
            Home::Cache { class } => give(class, self.ptr),
            // SAFETY: `exact` made the block with this layout.
            Home::Exact(layout) => unsafe { alloc::dealloc(self.ptr.as_ptr(), layout) },
            Home::Foreign { .. } => {}
        }
    }
}

/// Four size classes per power of two, from 64 bytes.
fn class_of(len: usize) -> usize {
    let len = len.max(ALIGN);
    if len == ALIGN {
        return 0;
    }
    let log = (len - 1).ilog2() as usize;
    let quarter = ((len - 1) >> (log - 2)) & 3;
    (log - 6) * 4 + quarter + 1
}

/// Bytes of a block of `class`.
fn class_len(class: usize) -> usize {
    if class == 0 {
        return ALIGN;
    }
    let (log, quarter) = ((class - 1) / 4 + 6, (class - 1) % 4);
    (1 << log) + ((quarter + 1) << (log - 2))
}

fn alloc_layout(class: usize) -> AllocLayout {
    AllocLayout::from_size_align(class_len(class), ALIGN).expect("a size that fits memory")
}

fn fresh(class: usize) -> Option<NonNull<u8>> {
    // SAFETY: the layout's size is at least ALIGN.
    NonNull::new(unsafe { alloc::alloc_zeroed(alloc_layout(class)) })
}

fn free(class: usize, ptr: NonNull<u8>) {
    // SAFETY: `ptr` came from `fresh(class)`.
    unsafe { alloc::dealloc(ptr.as_ptr(), alloc_layout(class)) };
}

struct Cache {
    classes: Vec<Vec<NonNull<u8>>>,
    bytes: usize,
}

impl Drop for Cache {
    fn drop(&mut self) {
        for (class, blocks) in self.classes.iter().enumerate() {
            blocks.iter().for_each(|&ptr| free(class, ptr));
        }
    }
}

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache { classes: Vec::new(), bytes: 0 }) };
}

fn take(class: usize) -> Option<NonNull<u8>> {
    CACHE
        .try_with(|cache| {
            let mut cache = cache.borrow_mut();
            let ptr = cache.classes.get_mut(class)?.pop()?;
            cache.bytes -= class_len(class);
            Some(ptr)
        })
        .ok()
        .flatten()
}

fn give(class: usize, ptr: NonNull<u8>) {
    let kept = CACHE.try_with(|cache| {
        let mut cache = cache.borrow_mut();
        if cache.classes.is_empty() {
            cache.classes.resize_with(CLASSES, Vec::new);
        }
        let len = class_len(class);
        let room = cache.bytes + len <= CACHE_BYTES;
        match cache.classes.get_mut(class) {
            Some(blocks) if room && blocks.len() < CACHE_BLOCKS => {
                blocks.push(ptr);
                cache.bytes += len;
                true
            }
            _ => false,
        }
    });
    if kept != Ok(true) {
        free(class, ptr);
    }
}

/// What is known of an argument before its memory is: how it lies, and its data if that
/// never changes. The offset counts from wherever the memory will begin.
#[derive(Debug, Clone)]
pub struct Spec {
    /// How the bytes are read.
    pub dtype: DType,
    /// Which elements, in which order.
    pub layout: Layout,
    /// The memory itself, if its contents are always the same.
    pub constant: Option<Buffer>,
}

/// A strided window onto a buffer: how every kernel receives its inputs and outputs.
#[derive(Debug, Clone, Copy)]
pub struct Arg<'a> {
    /// The memory.
    pub buffer: &'a Buffer,
    /// How the bytes are read.
    pub dtype: DType,
    /// Which elements, in which order.
    pub layout: &'a Layout,
}

impl<'a> Arg<'a> {
    /// A window of `dtype` elements.
    pub fn new(buffer: &'a Buffer, dtype: DType, layout: &'a Layout) -> Arg<'a> {
        Arg { buffer, dtype, layout }
    }

    /// Address of the first element, after checking that all lie inside the buffer.
    ///
    /// # Panics
    /// When an element lies outside.
    pub fn ptr(&self) -> *mut u8 {
        let size = self.dtype.size();
        let end = self.layout.end();
        assert!(
            end.saturating_mul(size) <= self.buffer.len(),
            "layout {:?} exceeds {:?}",
            self.layout,
            self.buffer
        );
        if end == 0 {
            return self.buffer.as_ptr();
        }
        self.buffer.as_ptr().wrapping_add(self.layout.offset * size)
    }

    /// Number of elements.
    pub fn numel(&self) -> usize {
        self.layout.numel()
    }

    /// The elements of a contiguous window.
    ///
    /// # Panics
    /// When the window is not contiguous or `T` is not its element type.
    pub fn slice<T: Element>(&self) -> &'a [T] {
        self.check::<T>();
        // SAFETY: `ptr` checked the bounds, `check` the type and contiguity; contents are
        // always initialised. Racing writers are excluded by the caller (see `Buffer`).
        unsafe { std::slice::from_raw_parts(self.ptr().cast::<T>(), self.numel()) }
    }

    /// The elements of a contiguous window, to be written.
    ///
    /// Kernels call this on outputs only, and never while they hold a [`Arg::slice`] of
    /// the same elements.
    ///
    /// # Panics
    /// As [`Arg::slice`].
    #[allow(clippy::mut_from_ref)]
    pub(crate) fn slice_mut<T: Element>(&self) -> &'a mut [T] {
        self.check::<T>();
        // SAFETY: as in `slice`; exclusivity is the calling kernel's obligation.
        unsafe { std::slice::from_raw_parts_mut(self.ptr().cast::<T>(), self.numel()) }
    }

    /// The elements of a contiguous window as words of their width, to be written.
    ///
    /// # Panics
    /// When the window is not contiguous or a `T` has another size than an element.
    #[allow(clippy::mut_from_ref)]
    pub(crate) fn words_mut<T: Copy>(&self) -> &'a mut [T] {
        assert_eq!(size_of::<T>(), self.dtype.size(), "the width of {}", self.dtype);
        assert!(self.layout.is_contiguous(), "a contiguous window, got {:?}", self.layout);
        // SAFETY: as in `slice_mut`; words are plain bytes, aligned as elements of their size.
        unsafe { std::slice::from_raw_parts_mut(self.ptr().cast::<T>(), self.numel()) }
    }

    fn check<T: Element>(&self) {
        assert!(T::is(self.dtype), "{} read as {}", self.dtype, T::DTYPE);
        assert!(self.layout.is_contiguous(), "a contiguous window, got {:?}", self.layout);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_cover_their_lengths_tightly() {
        for len in (1..5000).chain([1 << 20, (1 << 20) + 1, 3 << 30]) {
            let class = class_of(len);
            assert!(class_len(class) >= len, "{len}");
            assert!(class == 0 || class_len(class - 1) < len, "{len}");
            assert!(class_len(class) <= (len + len / 4 + 2 * ALIGN), "{len}");
        }
        assert!(class_of(1 << 44) < CLASSES);
    }

    #[test]
    fn a_dropped_block_is_used_again() {
        if EXACT {
            return;
        }
        let a = Buffer::new(1000);
        let (address, id) = (a.as_ptr(), a.id());
        drop(a);
        let b = Buffer::new(1001);
        assert_eq!(b.as_ptr(), address);
        assert_ne!(b.id(), id);
        assert_eq!(address as usize % ALIGN, 0);
    }

    #[test]
    fn zeroed_is_zero_even_when_recycled() {
        let a = Buffer::from_slice(&[7u8; 300]);
        drop(a);
        let z = Buffer::zeroed(300);
        let layout = Layout::contiguous(crate::Shape::new(&[300]));
        assert!(Arg::new(&z, DType::U8, &layout).slice::<u8>().iter().all(|&b| b == 0));
    }

    #[test]
    #[should_panic(expected = "exceeds")]
    fn a_window_beyond_the_buffer_is_refused() {
        let buffer = Buffer::new(16);
        let layout = Layout::contiguous(crate::Shape::new(&[5]));
        let _ = Arg::new(&buffer, DType::F32, &layout).slice::<f32>();
    }
}
