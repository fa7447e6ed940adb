//! Places outside a compiled function, and what has to be found there.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyType};
use pyo3::{PyTypeInfo, ffi};

use crate::names;
use crate::snapshot::{PySnapshot, Snapshot};

/// Where something stands, relative to its owner.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    /// An entry of a dictionary: globals, items.
    Item,
    /// An element of a list.
    Index,
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
    /// What a method of the owner gives that takes nothing.
    Called,
    /// The class of the owner.
    Type,
}

impl Kind {
    fn named(name: &str) -> Option<Kind> {
        Some(match name {
            "item" => Kind::Item,
            "index" => Kind::Index,
            "attribute" => Kind::Attribute,
            "slot" => Kind::Slot,
            "class" => Kind::Class,
            "cell" => Kind::Cell,
            "content" => Kind::Content,
            "array" => Kind::Array,
            "called" => Kind::Called,
            "type" => Kind::Type,
            _ => return None,
        })
    }
}

/// One place.
struct Check {
    kind: Kind,
    owner: Py<PyAny>,
    key: Py<PyAny>,
    expected: Py<PySnapshot>,
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
    fn new(places: Vec<Described>) -> PyResult<Guards> {
        let check = |(kind, owner, key, expected): (String, _, _, _)| {
            let unknown = || PyTypeError::new_err(format!("Guards: no kind of place named {kind}"));
            Ok(Check { kind: Kind::named(&kind).ok_or_else(unknown)?, owner, key, expected })
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
            visit.call(&check.expected)
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

/// The entry of `key` in a dictionary.
fn item<'py>(dict: &Bound<'py, PyAny>, key: &Py<PyAny>) -> Option<Bound<'py, PyAny>> {
    let py = dict.py();
    debug_assert!(PyDict::is_type_of(dict));
    // SAFETY: `dict` is a dictionary (checked where places are made, or an instance's own);
    // the borrowed reference is turned into an owned one at once.
    unsafe {
        let found = ffi::PyDict_GetItemWithError(dict.as_ptr(), key.as_ptr());
        if found.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(Bound::from_borrowed_ptr(py, found))
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
        let expected = &self.expected.get().0;
        match self.kind {
            Kind::Item => expected.matches(item(owner, &self.key).as_ref()),
            Kind::Attribute => {
                let dict = members.of(owner);
                expected.matches(dict.and_then(|dict| item(dict, &self.key)).as_ref())
            }
            Kind::Type => expected.matches(Some(owner.get_type().as_any())),
            Kind::Class => self.class_holds(py, owner, expected),
            Kind::Index => {
                let at = self.key.extract::<usize>(py).ok();
                let list = owner.cast::<PyList>().ok();
                let found = list.zip(at).and_then(|(list, at)| list.get_item(at).ok());
                expected.matches(found.as_ref())
            }
            Kind::Slot => {
                let name = self.key.bind(py).cast::<PyString>().ok();
                let found = name.and_then(|name| owner.getattr(name).ok());
                expected.matches(found.as_ref())
            }
            Kind::Cell => expected.matches(owner.getattr(names::cell_contents(py)).ok().as_ref()),
            Kind::Content => expected.matches(Some(owner)),
            Kind::Called => {
                let name = self.key.bind(py).cast::<PyString>().ok();
                let found = name.and_then(|name| owner.call_method0(name).ok());
                expected.matches(found.as_ref())
            }
            Kind::Array => expected.matches(owner.call_method0(names::tobytes(py)).ok().as_ref()),
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
