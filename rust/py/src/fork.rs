//! Letting `os.fork` copy the process while nothing native is half done.

use pyo3::prelude::*;
use pyo3::types::PyDict;
use weft_kernels::fork;

/// Waits until no other thread is in the middle of something.
#[pyfunction]
fn before(py: Python<'_>) {
    py.detach(fork::before);
}

/// Lets other threads go on.
#[pyfunction]
fn after_in_parent() {
    fork::after_in_parent();
}

/// Makes the child independent of threads that it does not have.
#[pyfunction]
fn after_in_child() {
    fork::after_in_child();
}

/// Has Python call these around every fork, where it knows forks. Called once in a process.
pub fn register(py: Python<'_>) -> PyResult<()> {
    let Ok(register) = py.import("os")?.getattr("register_at_fork") else {
        return Ok(());
    };
    let hooks = PyDict::new(py);
    hooks.set_item("before", wrap_pyfunction!(before, py)?)?;
    hooks.set_item("after_in_parent", wrap_pyfunction!(after_in_parent, py)?)?;
    hooks.set_item("after_in_child", wrap_pyfunction!(after_in_child, py)?)?;
    register.call((), Some(&hooks))?;
    Ok(())
}
