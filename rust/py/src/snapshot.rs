//! What a Python value was, to be compared with what is there now.

use pyo3::exceptions::PyRecursionError;
use pyo3::ffi;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyComplex, PyDict, PyFloat, PyFrozenSet, PyInt, PyList,
    PyMappingProxy, PySet, PyString, PyTuple, PyType,
};

use crate::names;

/// Levels of containers in containers that are followed.
const DEPTH: usize = 128;

/// A value, or what it contained.
pub enum Snapshot {
    /// Whatever is there.
    Any,
    /// Nothing is there.
    Missing,
    /// This very object.
    Is(Py<PyAny>),
    /// An equal immutable value of the same type; floats by their bits.
    Plain(Py<PyAny>),
    /// An object of this type whose bytes are these: numbers of numpy.
    Bytes(Py<PyAny>, Vec<u8>),
    /// A tuple, list, set or other collection of this type, with these items in order.
    Items(Py<PyType>, Vec<Snapshot>),
    /// A dictionary of this type, with these entries in order.
    Entries(Py<PyType>, Vec<(Snapshot, Snapshot)>),
}

/// How much a value may contain.
pub struct Limit(pub usize);

impl Limit {
    fn take(&mut self, items: usize) -> PyResult<()> {
        self.0 = self.0.checked_sub(items).ok_or_else(too_much)?;
        Ok(())
    }
}

#[cold]
fn too_much() -> PyErr {
    PyRecursionError::new_err("the value holds too much to be compared on every call")
}

fn is_plain(value: &Bound<'_, PyAny>) -> bool {
    value.is_none()
        || value.is_exact_instance_of::<PyBool>()
        || value.is_exact_instance_of::<PyInt>()
        || value.is_exact_instance_of::<PyFloat>()
        || value.is_exact_instance_of::<PyString>()
        || value.is_exact_instance_of::<PyBytes>()
        || value.is_exact_instance_of::<PyComplex>()
}

/// Whether two values of one plain type are equal, floats by their bits.
fn same_plain(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> bool {
    if let (Ok(x), Ok(y)) = (a.cast::<PyFloat>(), b.cast::<PyFloat>()) {
        return x.value().to_bits() == y.value().to_bits();
    }
    if let (Ok(x), Ok(y)) = (a.cast::<PyComplex>(), b.cast::<PyComplex>()) {
        let bits = |c: &Bound<'_, PyComplex>| (c.real().to_bits(), c.imag().to_bits());
        return bits(x) == bits(y);
    }
    a.eq(b).unwrap_or(false)
}

/// Whether a class watches its own reads, so that an object of it is not looked into.
fn watches_itself(kind: &Bound<'_, PyType>) -> bool {
    kind.hasattr(names::watched(kind.py())).unwrap_or(false)
}

impl Snapshot {
    /// What `value` is and, if it is a collection, contains.
    ///
    /// # Errors
    /// `RecursionError` beyond `limit` items or 128 levels.
    pub fn of(value: &Bound<'_, PyAny>, limit: &mut Limit) -> PyResult<Snapshot> {
        match value.cast::<PyDict>() {
            Ok(dict) => Self::entries(dict, limit, DEPTH),
            Err(_) => Self::at(value, limit, DEPTH),
        }
    }

    fn entries(dict: &Bound<'_, PyDict>, limit: &mut Limit, depth: usize) -> PyResult<Snapshot> {
        limit.take(dict.len())?;
        let entry = |(k, v): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
            Ok((Self::at(&k, limit, depth - 1)?, Self::at(&v, limit, depth - 1)?))
        };
        let entries = dict.iter().map(entry).collect::<PyResult<_>>()?;
        Ok(Snapshot::Entries(dict.get_type().unbind(), entries))
    }

    fn at(value: &Bound<'_, PyAny>, limit: &mut Limit, depth: usize) -> PyResult<Snapshot> {
        if is_plain(value) {
            return Ok(Snapshot::Plain(value.clone().unbind()));
        }
        if depth == 0 {
            return Err(too_much());
        }
        let kind = value.get_type();
        if let Ok(dict) = value.cast::<PyDict>() {
            if watches_itself(&kind) {
                return Ok(Snapshot::Is(value.clone().unbind()));
            }
            return Self::entries(dict, limit, depth);
        }
        if let Ok(proxy) = value.cast::<PyMappingProxy>() {
            let found = Self::entries(&copied(proxy)?, limit, depth)?;
            let Snapshot::Entries(_, entries) = found else { return Err(too_much()) };
            return Ok(Snapshot::Entries(kind.unbind(), entries));
        }
        if is_collection(value) {
            let items: Vec<Bound<'_, PyAny>> = value.try_iter()?.collect::<PyResult<_>>()?;
            limit.take(items.len())?;
            let items =
                items.iter().map(|x| Self::at(x, limit, depth - 1)).collect::<PyResult<_>>()?;
            return Ok(Snapshot::Items(kind.unbind(), items));
        }
        if let Some(bytes) = raw_bytes(value) {
            return Ok(Snapshot::Bytes(kind.into_any().unbind(), bytes));
        }
        Ok(Snapshot::Is(value.clone().unbind()))
    }

    /// The same once more.
    pub fn copy(&self, py: Python<'_>) -> Snapshot {
        match self {
            Snapshot::Any => Snapshot::Any,
            Snapshot::Missing => Snapshot::Missing,
            Snapshot::Is(value) => Snapshot::Is(value.clone_ref(py)),
            Snapshot::Plain(value) => Snapshot::Plain(value.clone_ref(py)),
            Snapshot::Bytes(kind, bytes) => Snapshot::Bytes(kind.clone_ref(py), bytes.clone()),
            Snapshot::Items(kind, items) => {
                Snapshot::Items(kind.clone_ref(py), items.iter().map(|x| x.copy(py)).collect())
            }
            Snapshot::Entries(kind, entries) => {
                let entries = entries.iter().map(|(k, v)| (k.copy(py), v.copy(py)));
                Snapshot::Entries(kind.clone_ref(py), entries.collect())
            }
        }
    }

    /// Shows the garbage collector what is held.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Snapshot::Any | Snapshot::Missing => Ok(()),
            Snapshot::Is(value) | Snapshot::Plain(value) | Snapshot::Bytes(value, _) => {
                visit.call(value)
            }
            Snapshot::Items(kind, items) => {
                visit.call(kind)?;
                items.iter().try_for_each(|item| item.traverse(visit))
            }
            Snapshot::Entries(kind, entries) => {
                visit.call(kind)?;
                entries.iter().try_for_each(|(key, value)| {
                    key.traverse(visit)?;
                    value.traverse(visit)
                })
            }
        }
    }

    /// Whether the object at this address, without a look into it, is what was there.
    #[inline]
    pub fn is_at(&self, now: *mut ffi::PyObject) -> bool {
        match self {
            Snapshot::Is(value) | Snapshot::Plain(value) => value.as_ptr() == now,
            _ => false,
        }
    }

    /// Whether a borrowed object is what was there; null for nothing.
    ///
    /// # Safety
    /// `now` is null or a live object.
    #[inline]
    pub unsafe fn matches_borrowed(&self, py: Python<'_>, now: *mut ffi::PyObject) -> bool {
        if now.is_null() {
            return self.matches(None);
        }
        // SAFETY: it lives; from here on a reference is held.
        self.is_at(now) || self.matches(Some(&unsafe { Bound::from_borrowed_ptr(py, now) }))
    }

    /// Whether it was a `bytes` object with these contents.
    pub fn is_bytes(&self, py: Python<'_>, now: &[u8]) -> bool {
        let Snapshot::Plain(value) = self else { return false };
        value.bind(py).cast::<PyBytes>().is_ok_and(|was| was.as_bytes() == now)
    }

    /// Whether `now` is what it was.
    pub fn matches(&self, now: Option<&Bound<'_, PyAny>>) -> bool {
        let Some(now) = now else { return matches!(self, Snapshot::Missing | Snapshot::Any) };
        match self {
            Snapshot::Any => true,
            Snapshot::Missing => false,
            Snapshot::Is(value) => value.is(now),
            Snapshot::Plain(value) => value.is(now) || plain_matches(value.bind(now.py()), now),
            Snapshot::Bytes(kind, bytes) => {
                now.get_type().is(kind) && raw_bytes(now).as_ref() == Some(bytes)
            }
            Snapshot::Items(kind, items) => now.get_type().is(kind) && items_match(items, now),
            Snapshot::Entries(kind, entries) => {
                now.get_type().is(kind) && entries_match(entries, now)
            }
        }
    }
}

fn plain_matches(value: &Bound<'_, PyAny>, now: &Bound<'_, PyAny>) -> bool {
    value.get_type().is(now.get_type()) && same_plain(value, now)
}

fn is_collection(value: &Bound<'_, PyAny>) -> bool {
    value.is_instance_of::<PyList>()
        || value.is_instance_of::<PyTuple>()
        || value.is_instance_of::<PySet>()
        || value.is_instance_of::<PyFrozenSet>()
        || is_deque(value)
}

fn is_deque(value: &Bound<'_, PyAny>) -> bool {
    let named = |kind: Bound<'_, PyType>| {
        kind.fully_qualified_name().is_ok_and(|name| name == "collections.deque")
    };
    named(value.get_type())
}

fn items_match(items: &[Snapshot], now: &Bound<'_, PyAny>) -> bool {
    if let Ok(list) = now.cast::<PyList>() {
        return list.len() == items.len()
            && items.iter().zip(list.iter()).all(|(x, now)| x.matches(Some(&now)));
    }
    if let Ok(tuple) = now.cast::<PyTuple>() {
        return tuple.len() == items.len()
            && items.iter().zip(tuple.iter_borrowed()).all(|(x, now)| x.matches(Some(&now)));
    }
    if now.len().is_ok_and(|len| len != items.len()) {
        return false;
    }
    let Ok(iterator) = now.try_iter() else { return false };
    let mut left = items.iter();
    for item in iterator {
        match (item, left.next()) {
            (Ok(item), Some(x)) if x.matches(Some(&item)) => {}
            _ => return false,
        }
    }
    left.next().is_none()
}

fn copied<'py>(proxy: &Bound<'py, PyMappingProxy>) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(proxy.py());
    dict.update(proxy.as_mapping())?;
    Ok(dict)
}

fn entries_match(entries: &[(Snapshot, Snapshot)], now: &Bound<'_, PyAny>) -> bool {
    if let Ok(dict) = now.cast::<PyDict>() {
        return all_in(entries, dict);
    }
    let proxy = now.cast::<PyMappingProxy>();
    proxy.is_ok_and(|proxy| copied(proxy).is_ok_and(|dict| all_in(entries, &dict)))
}

fn all_in(entries: &[(Snapshot, Snapshot)], now: &Bound<'_, PyDict>) -> bool {
    let (py, mut at) = (now.py(), 0);
    let (mut key, mut value) = (std::ptr::null_mut(), std::ptr::null_mut());
    now.len() == entries.len()
        && entries.iter().all(|(k, v)| {
            // SAFETY: a plain call with a live dictionary. What it gives is borrowed and lives
            // while no other code runs: `matches_borrowed` takes a reference before any does, and
            // a value is looked up again once its key has been compared at length.
            unsafe {
                let before = at;
                if ffi::PyDict_Next(now.as_ptr(), &mut at, &mut key, &mut value) == 0 {
                    return false;
                }
                if !k.is_at(key) {
                    if !k.matches_borrowed(py, key) {
                        return false;
                    }
                    at = before;
                    if ffi::PyDict_Next(now.as_ptr(), &mut at, &mut key, &mut value) == 0 {
                        return false;
                    }
                }
                v.matches_borrowed(py, value)
            }
        })
}

/// The bytes of a number of numpy, a `bytearray` or an `array.array`, with what they mean.
fn raw_bytes(value: &Bound<'_, PyAny>) -> Option<Vec<u8>> {
    let py = value.py();
    if let Ok(bytes) = value.cast::<PyByteArray>() {
        return Some(bytes.to_vec());
    }
    let numpy = py.import(names::numpy(py)).ok()?.getattr(names::generic(py)).ok()?;
    let array = py.import(names::array(py)).ok()?.getattr(names::array(py)).ok()?;
    let meaning = if value.is_instance(&numpy).ok()? {
        value.getattr(names::dtype(py)).ok()?
    } else if value.is_instance(&array).ok()? {
        value.getattr(names::typecode(py)).ok()?
    } else {
        return None;
    };
    let bytes = value.call_method0(names::tobytes(py)).ok()?;
    let mut found = bytes.cast::<PyBytes>().ok()?.as_bytes().to_vec();
    found.extend_from_slice(meaning.str().ok()?.to_string().as_bytes());
    Some(found)
}

/// What a value was, as Python holds it.
#[pyclass(frozen, name = "Snapshot", module = "weft._core")]
pub struct PySnapshot(pub Snapshot);

#[pymethods]
impl PySnapshot {
    /// What `value` is and, if it is a collection, contains: at most `limit` items.
    #[new]
    #[pyo3(signature = (value, limit = usize::MAX))]
    fn new(value: &Bound<'_, PyAny>, limit: usize) -> PyResult<PySnapshot> {
        Snapshot::of(value, &mut Limit(limit)).map(PySnapshot)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(&visit)
    }

    /// This very object.
    #[staticmethod]
    fn identity(value: Py<PyAny>) -> PySnapshot {
        PySnapshot(Snapshot::Is(value))
    }

    /// Nothing is there.
    #[staticmethod]
    fn missing() -> PySnapshot {
        PySnapshot(Snapshot::Missing)
    }

    /// Of a dictionary: the same entries, whatever stands under `keys`.
    fn without(&self, py: Python<'_>, keys: &Bound<'_, PyAny>) -> PyResult<PySnapshot> {
        let Snapshot::Entries(kind, entries) = &self.0 else {
            return Ok(PySnapshot(self.0.copy(py)));
        };
        let entry = |(key, value): &(Snapshot, Snapshot)| {
            let masked = match key {
                Snapshot::Plain(name) => keys.contains(name)?,
                _ => false,
            };
            let value = if masked { Snapshot::Any } else { value.copy(py) };
            Ok((key.copy(py), value))
        };
        let entries = entries.iter().map(entry).collect::<PyResult<_>>()?;
        Ok(PySnapshot(Snapshot::Entries(kind.clone_ref(py), entries)))
    }

    /// Whether `now` is what it was.
    fn matches(&self, now: &Bound<'_, PyAny>) -> bool {
        self.0.matches(Some(now))
    }
}
