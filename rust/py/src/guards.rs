//! Places outside a compiled function, and what has to be found there.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType};
use pyo3::{PyTypeInfo, ffi};

use crate::foreign;
use crate::names;
use crate::snapshot::{PySnapshot, Snapshot};

/// Where something stands, relative to its owner.
#[derive(Clone, Copy, PartialEq)]
enum GuardKind {
    /// An entry of a dictionary: globals, items.
    Item,
    /// The element of a list at this index.
    Index(usize),
    /// An entry of an instance's `__dict__`.
    Attribute,
    /// An attribute that the class computes without running Python: slots, C structures.
    Slot,
    /// What a class or one of its bases defines.
    Class,
    /// The contents of a closure cell.
    Cell,
    /// What the owner contains.
    Content,
    /// The bytes of a numpy array.
    Array,
    /// Where the elements of a numpy array stand, and what they are.
    Arrangement,
    /// What a method of the owner gives that takes nothing.
    Called,
    /// The class of the owner.
    Type,
}

impl GuardKind {
    fn named(name: &str, key: &Bound<'_, PyAny>) -> Option<GuardKind> {
        Some(match name {
            "item" => GuardKind::Item,
            "index" => GuardKind::Index(key.extract().ok()?),
            "attribute" => GuardKind::Attribute,
            "slot" => GuardKind::Slot,
            "class" => GuardKind::Class,
            "cell" => GuardKind::Cell,
            "content" => GuardKind::Content,
            "array" => GuardKind::Array,
            "arrangement" => GuardKind::Arrangement,
            "called" => GuardKind::Called,
            "type" => GuardKind::Type,
            _ => return None,
        })
    }
}

/// One place.
struct Check {
    kind: GuardKind,
    owner: Py<PyAny>,
    key: Py<PyAny>,
    expected: Snapshot,
}

/// A place as Python describes it: kind, owner, key, what is expected.
type Described = (String, Py<PyAny>, Py<PyAny>, Py<PySnapshot>);

/// Places that are looked at together before a plan runs.
#[pyclass(frozen, module = "weft._core")]
pub struct Guards(Vec<Check>);

#[pymethods]
impl Guards {
    /// Places as `(kind, owner, key, expected)`.
    #[new]
    fn new(py: Python<'_>, places: Vec<Described>) -> PyResult<Guards> {
        let check = |(name, owner, key, expected): Described| {
            let unknown = || PyTypeError::new_err(format!("Guards: no kind of place named {name}"));
            let kind = GuardKind::named(&name, key.bind(py)).ok_or_else(unknown)?;
            Ok(Check { kind, owner, key, expected: expected.get().0.copy(py) })
        };
        places.into_iter().map(check).collect::<PyResult<_>>().map(Guards)
    }

    /// Whether everything is as expected.
    pub fn hold(&self, py: Python<'_>) -> bool {
        self.broken(py).is_none()
    }

    /// The first place that is not as expected.
    fn broken(&self, py: Python<'_>) -> Option<usize> {
        let mut members = Members::default();
        self.0.iter().position(|check| !check.holds(py, &mut members))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.iter().try_for_each(|check| {
            visit.call(&check.owner)?;
            visit.call(&check.key)?;
            check.expected.traverse(&visit)
        })
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// The `__dict__` of the object that was looked at last.
#[derive(Default)]
struct Members<'py>(Option<(*mut ffi::PyObject, Option<Bound<'py, PyAny>>)>);

impl<'py> Members<'py> {
    fn of(&mut self, owner: &Bound<'py, PyAny>) -> Option<&Bound<'py, PyAny>> {
        let at = owner.as_ptr();
        if self.0.as_ref().is_none_or(|(known, _)| *known != at) {
            self.0 = Some((at, members(owner)));
        }
        self.0.as_ref().and_then(|(_, dict)| dict.as_ref())
    }
}

/// An instance's own dictionary, whatever its class says of `__dict__`.
fn members<'py>(owner: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = owner.py();
    if let Ok(module) = owner.cast::<pyo3::types::PyModule>() {
        return Some(module.dict().into_any());
    }
    // SAFETY: a plain call with a live object; a null pointer means an exception, which is
    // cleared.
    unsafe {
        let found = ffi::PyObject_GenericGetDict(owner.as_ptr(), std::ptr::null_mut());
        if found.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(Bound::from_owned_ptr(py, found))
    }
}

/// Whether the entry of `key` in a dictionary is as expected.
#[inline]
fn entry_holds(dict: &Bound<'_, PyAny>, key: &Py<PyAny>, expected: &Snapshot) -> bool {
    debug_assert!(PyDict::is_type_of(dict));
    // SAFETY: `dict` is a dictionary (checked where places are made, or an instance's own);
    // what it gives is borrowed, and `matches_borrowed` takes a reference before other code runs.
    unsafe {
        let found = ffi::PyDict_GetItemWithError(dict.as_ptr(), key.as_ptr());
        if found.is_null() && !ffi::PyErr_Occurred().is_null() {
            ffi::PyErr_Clear();
        }
        expected.matches_borrowed(dict.py(), found)
    }
}

/// What the first class in `kind`'s order that defines `name` says.
fn defined<'py>(kind: &Bound<'py, PyType>, name: &Py<PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = kind.py();
    let name = name.bind(py).cast::<PyString>().ok()?;
    for base in kind.mro().iter() {
        let own = base.getattr(names::members(py)).ok()?;
        if let Ok(found) = own.get_item(name) {
            return Some(found);
        }
    }
    None
}

impl Check {
    #[inline]
    fn holds<'py>(&self, py: Python<'py>, members: &mut Members<'py>) -> bool {
        let owner = self.owner.bind(py);
        let expected = &self.expected;
        match self.kind {
            GuardKind::Item => entry_holds(owner, &self.key, expected),
            GuardKind::Attribute => match members.of(owner) {
                Some(dict) => entry_holds(dict, &self.key, expected),
                None => expected.matches(None),
            },
            GuardKind::Type => expected.matches(Some(owner.get_type().as_any())),
            GuardKind::Class => self.class_holds(py, owner, expected),
            GuardKind::Index(at) => {
                let list = owner.cast::<PyList>().ok();
                expected.matches(list.and_then(|list| list.get_item(at).ok()).as_ref())
            }
            GuardKind::Slot => {
                let name = self.key.bind(py).cast::<PyString>().ok();
                let found = name.and_then(|name| owner.getattr(name).ok());
                expected.matches(found.as_ref())
            }
            GuardKind::Cell => {
                expected.matches(owner.getattr(names::cell_contents(py)).ok().as_ref())
            }
            GuardKind::Content => expected.matches(Some(owner)),
            GuardKind::Called => {
                let name = self.key.bind(py).cast::<PyString>().ok();
                let found = name.and_then(|name| owner.call_method0(name).ok());
                expected.matches(found.as_ref())
            }
            GuardKind::Arrangement => {
                let found = foreign::arrangement(owner).ok();
                found.is_some_and(|now| expected.is_bytes(py, &now))
            }
            GuardKind::Array => {
                expected.matches(owner.call_method0(names::tobytes(py)).ok().as_ref())
            }
        }
    }

    fn class_holds(&self, py: Python<'_>, owner: &Bound<'_, PyAny>, expected: &Snapshot) -> bool {
        let Ok(kind) = owner.cast::<PyType>() else { return false };
        if let Snapshot::Is(value) = expected
            && let Ok(name) = self.key.bind(py).cast::<PyString>()
            && kind.getattr(name).is_ok_and(|found| found.is(value))
        {
            return true;
        }
        expected.matches(defined(kind, &self.key).as_ref())
    }
}
