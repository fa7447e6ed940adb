//! Data in: tensors on memory of objects with the buffer protocol.

use std::collections::HashMap;
use std::ptr::NonNull;
use std::sync::{LazyLock, Mutex, PoisonError};

use pyo3::buffer::PyUntypedBuffer;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use weft_core::{Fact, Tensor};
use weft_kernels::{Buffer, DType, Layout, Shape, WeakBuffer};

use crate::dtype::PyDType;
use crate::names;
use crate::raise::OrRaise;
use crate::tensor::PyTensor;

/// Where memory starts, its bytes, and what is read from it.
type Span = (usize, usize, DType);

/// The buffers on memory of other owners, and who the owner is: one for each.
static SHARED: LazyLock<Mutex<HashMap<Span, (usize, WeakBuffer)>>> = LazyLock::new(Mutex::default);

/// Strides in elements of memory that can be shared: none negative, each a whole number of
/// elements. Those along which nothing moves may be anything.
fn strides(data: &PyUntypedBuffer, shape: &Shape, size: usize) -> Option<Shape> {
    if shape.numel() <= 1 {
        return Some(shape.strides());
    }
    let whole = |(&step, &n): (&isize, &usize)| match usize::try_from(step) {
        _ if n <= 1 => Some(1),
        Ok(bytes) if bytes.is_multiple_of(size) => Some(bytes / size),
        _ => None,
    };
    data.strides().iter().zip(shape.iter()).map(whole).collect()
}

/// What a tensor is refused for that cannot share memory.
fn refused(what: &str) -> PyErr {
    PyTypeError::new_err(format!("from_numpy: {what}"))
}

/// The memory of an exporter of elements as wide as those of `dtype`; what they are, the caller
/// has looked at.
fn export(obj: &Bound<'_, PyAny>, dtype: DType) -> PyResult<PyUntypedBuffer> {
    let data =
        PyUntypedBuffer::get(obj).map_err(|error| refused(&error.value(obj.py()).to_string()))?;
    if data.item_size() != dtype.size() {
        let what = format!("expected elements of {} bytes, got {}", dtype.size(), data.item_size());
        return Err(refused(&what));
    }
    Ok(data)
}

/// The memory of an exporter from its first byte on.
fn buffer(data: PyUntypedBuffer, bytes: usize, dtype: DType) -> PyResult<Buffer> {
    let Some(ptr) = NonNull::new(data.buf_ptr().cast::<u8>()) else {
        return Err(refused("no memory behind the object"));
    };
    if ptr.as_ptr().align_offset(dtype.to_real().size()) != 0 || data.readonly() {
        return Err(refused("expected aligned and writable memory"));
    }
    // SAFETY: the exporter keeps the memory valid while `data` holds its view.
    Ok(unsafe { Buffer::foreign(ptr, bytes, Box::new(data)) })
}

fn wrap(
    obj: &Bound<'_, PyAny>,
    whole: Option<(&Bound<'_, PyAny>, usize)>,
    dtype: DType,
) -> PyResult<PyTensor> {
    let data = export(obj, dtype)?;
    let size = dtype.size();
    let shape = Shape::try_new(data.shape())
        .ok_or_else(|| refused("too many dimensions, expected at most 8"))?;
    let shape = Fact::new(dtype, shape).checked("from_numpy").or_raise()?.shape;
    let strides = strides(&data, &shape, size)
        .ok_or_else(|| refused("strides are not positive multiples of the element. Use a copy"))?;
    let mut layout = Layout { shape, strides, offset: 0 };
    let bytes = layout.end().checked_mul(size).filter(|_| layout.fits());
    let bytes = bytes.ok_or_else(|| refused("strides reach beyond all memory"))?;
    let Some((root, owner)) = whole else {
        return Ok(PyTensor(Tensor::new(buffer(data, bytes, dtype)?, dtype, layout)));
    };
    let is_itself = root.is(obj);
    let root = export(root, dtype)?;
    let length = if is_itself { bytes } else { root.len_bytes() };
    let start = data.buf_ptr() as usize;
    let inside = start.checked_sub(root.buf_ptr() as usize).filter(|before| {
        before.is_multiple_of(size) && before.checked_add(bytes).is_some_and(|end| end <= length)
    });
    let Some(before) = inside else {
        return Ok(PyTensor(Tensor::new(buffer(data, bytes, dtype)?, dtype, layout)));
    };
    layout.offset = if layout.numel() == 0 { 0 } else { before / size };
    Ok(PyTensor(Tensor::new(shared(root, length, owner, dtype)?, dtype, layout)))
}

/// The one buffer on these bytes of memory that belongs to `owner`.
fn shared(root: PyUntypedBuffer, bytes: usize, owner: usize, dtype: DType) -> PyResult<Buffer> {
    let span = (root.buf_ptr() as usize, bytes, dtype);
    let lock = || SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    // A buffer holds its exporter, so an owner that lives has no other one's address.
    let known = lock().get(&span).filter(|(who, _)| *who == owner).and_then(|(_, b)| b.upgrade());
    if let Some(known) = known {
        return Ok(known);
    }
    let made = buffer(root, bytes, dtype)?;
    let mut table = lock();
    if table.len() == table.capacity() {
        table.retain(|_, (_, buffer)| buffer.is_alive());
    }
    table.insert(span, (owner, made.downgrade()));
    Ok(made)
}

/// A tensor that shares the memory of an object with the buffer protocol, whose elements are
/// those of `dtype`.
#[pyfunction]
pub fn from_buffer(obj: &Bound<'_, PyAny>, dtype: &PyDType) -> PyResult<PyTensor> {
    wrap(obj, None, dtype.0)
}

/// A window onto the memory of `root`: `obj` itself, or something contiguous that it is a view
/// of. `owner`, which either of them keeps alive, has the memory. All windows onto the memory of
/// one `root` share one buffer.
#[pyfunction]
pub fn share_buffer(
    obj: &Bound<'_, PyAny>,
    root: &Bound<'_, PyAny>,
    owner: &Bound<'_, PyAny>,
    dtype: &PyDType,
) -> PyResult<PyTensor> {
    wrap(obj, Some((root, owner.as_ptr() as usize)), dtype.0)
}

/// Where the elements of an array stand and what they are: address, shape, strides, format.
pub fn arrangement(obj: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    let Ok(data) = PyUntypedBuffer::get(obj) else {
        let told = obj.getattr(names::array_interface(obj.py()))?.repr()?;
        return Ok(told.to_string().into_bytes());
    };
    let mut out = Vec::with_capacity(96);
    out.extend_from_slice(&(data.buf_ptr() as usize).to_ne_bytes());
    data.shape().iter().for_each(|n| out.extend_from_slice(&n.to_ne_bytes()));
    data.strides().iter().for_each(|n| out.extend_from_slice(&n.to_ne_bytes()));
    out.push(u8::from(data.readonly()));
    out.extend_from_slice(data.format().to_bytes());
    Ok(out)
}

/// [`arrangement`], to be compared with what it is later.
#[pyfunction]
pub fn array_arrangement<'py>(obj: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(PyBytes::new(obj.py(), &arrangement(obj)?))
}
