//! Calling a compiled function: from the arguments to the plan that fits, without Python.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use pyo3::exceptions::PyRuntimeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use smallvec::SmallVec;
use weft_core::{Tensor, mode};

use crate::graph::PyExecutable;
use crate::guards::Guards;
use crate::names;
use crate::raise::OrRaise;
use crate::result::Give;
use crate::signature::{Found, Signature};
use crate::tensor::PyTensor;

type Kwargs<'a, 'py> = Option<&'a Bound<'py, PyDict>>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What has to be synchronised before a plan runs: where numbers stand, and what to call
/// when they changed.
struct Feed {
    guards: Mutex<Py<Guards>>,
    refresh: Py<PyAny>,
}

/// What an entry needs to run.
struct Ready {
    guards: Py<Guards>,
    feeds: Vec<Feed>,
    executable: Py<PyExecutable>,
    result: Give,
}

/// One way of calling a compiled function: equal arguments and modes; and, once two
/// recordings agreed, the plan.
#[pyclass(frozen, module = "weft._core")]
pub struct Entry {
    mode: u32,
    signature: Signature,
    ready: OnceLock<Ready>,
    calls: AtomicU64,
}

impl Entry {
    /// Whether a call has these modes and equal arguments; `found` gets its tensors.
    fn answers<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: Kwargs<'_, 'py>,
        found: &mut Found<'py>,
    ) -> bool {
        mode::key() == self.mode && self.signature.matches(args, kwargs, found)
    }

    /// Whether everything outside is as it was recorded; numbers that feed the plan are
    /// brought up to date.
    fn holds(&self, py: Python<'_>, ready: &Ready, tensors: &[Tensor]) -> PyResult<bool> {
        for feed in &ready.feeds {
            let guards = lock(&feed.guards).clone_ref(py);
            if !guards.get().hold(py) {
                let now: Py<Guards> = feed.refresh.call0(py)?.extract(py)?;
                *lock(&feed.guards) = now;
            }
        }
        Ok(ready.guards.get().hold(py) && ready.executable.get().0.fits(tensors))
    }

    fn run<'py>(
        &self,
        py: Python<'py>,
        ready: &Ready,
        found: &Found<'py>,
        tensors: &[Tensor],
    ) -> PyResult<Bound<'py, PyAny>> {
        let results = ready.executable.get().run(py, tensors).or_raise()?;
        let made: SmallVec<[Py<PyAny>; 4]> = results
            .into_iter()
            .map(|tensor| Ok(Py::new(py, PyTensor(tensor))?.into_any()))
            .collect::<PyResult<_>>()?;
        ready.result.build(py, &made, found)
    }
}

fn tensors(found: &Found<'_>) -> SmallVec<[Tensor; 8]> {
    found.iter().map(|tensor| tensor.get().0.clone()).collect()
}

#[pymethods]
impl Entry {
    /// Describes a call.
    #[new]
    fn new<'py>(args: &Bound<'py, PyTuple>, kwargs: &Bound<'py, PyDict>) -> PyResult<Entry> {
        let signature = Signature::of(args, Some(kwargs), &mut Vec::new())?;
        let (ready, calls) = (OnceLock::new(), AtomicU64::new(0));
        Ok(Entry { mode: mode::key(), signature, ready, calls })
    }

    /// The tensors of a call with equal arguments and modes, or `None`.
    #[pyo3(name = "answers")]
    fn py_answers<'py>(
        &self,
        args: &Bound<'py, PyTuple>,
        kwargs: &Bound<'py, PyDict>,
    ) -> Option<Found<'py>> {
        let mut found = Vec::new();
        self.answers(args, Some(kwargs), &mut found).then_some(found)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.signature.traverse(&visit)?;
        let Some(ready) = self.ready.get() else { return Ok(()) };
        visit.call(&ready.guards)?;
        visit.call(&ready.executable)?;
        for feed in &ready.feeds {
            visit.call(&feed.refresh)?;
            if let Ok(guards) = feed.guards.try_lock() {
                visit.call(&*guards)?;
            }
        }
        ready.result.traverse(&visit)
    }

    /// Whether plain values are among the arguments.
    fn has_values(&self) -> bool {
        self.signature.has_values()
    }

    /// Gives it what it needs to run: places and what must be there, `(places, refresh)` for
    /// numbers that feed the plan, the plan, and the tree of the result.
    fn settle(
        &self,
        guards: Py<Guards>,
        feeds: Vec<(Py<Guards>, Py<PyAny>)>,
        executable: Py<PyExecutable>,
        result: &Bound<'_, PyAny>,
    ) -> PyResult<()> {
        let feed = |(guards, refresh)| Feed { guards: Mutex::new(guards), refresh };
        let feeds = feeds.into_iter().map(feed).collect();
        let ready = Ready { guards, feeds, executable, result: Give::read(result)? };
        let twice = |_| PyRuntimeError::new_err("Entry: settled twice");
        self.ready.set(ready).map_err(twice)
    }

    /// Runs the plan for a call that `answers` accepted; `None` if something is not as it
    /// was recorded.
    fn attempt<'py>(
        &self,
        py: Python<'py>,
        found: Found<'py>,
    ) -> PyResult<Option<(Bound<'py, PyAny>,)>> {
        let Some(ready) = self.ready.get() else { return Ok(None) };
        let list = tensors(&found);
        if !self.holds(py, ready, &list)? {
            return Ok(None);
        }
        self.run(py, ready, &found, &list).map(|value| Some((value,)))
    }
}

/// The callable part of a compiled function: plans that are ready, the latest first.
#[pyclass(frozen, subclass, module = "weft._core")]
pub struct Dispatch {
    ready: Mutex<Vec<Py<Entry>>>,
    /// Every how many calls an entry is compared with an eager run; 0 for never.
    verify: u64,
}

#[pymethods]
impl Dispatch {
    /// Nothing is ready.
    #[new]
    #[pyo3(signature = (*_args, verify = None, **_kwargs))]
    fn new(
        _args: &Bound<'_, PyTuple>,
        verify: Option<u64>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> Dispatch {
        Dispatch { ready: Mutex::default(), verify: verify.unwrap_or(0) }
    }

    /// Call the function: the first two times eagerly, then as a static graph.
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if !mode::listening()
            && let Some(value) = slf.get().fast(py, args, kwargs)?
        {
            return Ok(value);
        }
        let kwargs = kwargs.map_or_else(|| PyDict::new(py), Clone::clone);
        slf.call_method1(names::slow(py), (args, kwargs))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        let Ok(ready) = self.ready.try_lock() else { return Ok(()) };
        ready.iter().try_for_each(|entry| visit.call(entry))
    }

    /// Adds an entry that is ready.
    fn add(&self, entry: Py<Entry>) {
        lock(&self.ready).insert(0, entry);
    }

    /// Drops entries but the latest `most`.
    fn keep(&self, most: usize) -> Vec<Py<Entry>> {
        let mut ready = lock(&self.ready);
        let at = most.min(ready.len());
        ready.split_off(at)
    }

    /// The entry that ran last.
    fn latest(&self, py: Python<'_>) -> Option<Py<Entry>> {
        lock(&self.ready).first().map(|entry| entry.clone_ref(py))
    }
}

impl Dispatch {
    /// The result of the first entry that fits; `None` leaves the call to Python.
    fn fast<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Kwargs<'_, 'py>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut found = Vec::new();
        let mut at = 0;
        loop {
            let entry = lock(&self.ready).get(at).map(|entry| entry.clone_ref(py));
            let Some(entry) = entry else { return Ok(None) };
            let own = entry.get();
            if own.answers(args, kwargs, &mut found)
                && let Some(ready) = own.ready.get()
            {
                let list = tensors(&found);
                if own.holds(py, ready, &list)? {
                    let calls = own.calls.fetch_add(1, Ordering::Relaxed) + 1;
                    if self.verify > 0 && calls.is_multiple_of(self.verify) {
                        return Ok(None);
                    }
                    if at > 0 {
                        self.to_front(&entry);
                    }
                    return own.run(py, ready, &found, &list).map(Some);
                }
            }
            at += 1;
        }
    }

    fn to_front(&self, entry: &Py<Entry>) {
        let mut ready = lock(&self.ready);
        if let Some(at) = ready.iter().position(|other| other.is(entry)) {
            let found = ready.remove(at);
            ready.insert(0, found);
        }
    }
}
