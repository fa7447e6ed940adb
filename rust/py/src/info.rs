//! What this build is and runs on.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use weft_kernels::{cpu, memory, threads};

use crate::convert::Int;

/// How many threads work on one operation at most.
#[pyfunction]
pub fn get_num_threads() -> usize {
    threads::num_threads()
}

/// Sets how many threads work on one operation at most.
#[pyfunction]
pub fn set_num_threads(n: Int) -> PyResult<()> {
    match usize::try_from(n.0) {
        Ok(n) if n > 0 => {
            threads::set_num_threads(n);
            Ok(())
        }
        _ => {
            Err(PyValueError::new_err(format!("set_num_threads: expected at least 1, got {}", n.0)))
        }
    }
}

/// For tests: lets the `n`th allocation of user-decided size from here on fail on this thread
/// (0: none); returns what was left of the last countdown.
#[pyfunction]
pub fn _fail_allocation(n: u64) -> u64 {
    memory::fail_allocation(n)
}

/// Version, instruction set, threads and build profile.
#[pyfunction]
pub fn build_info(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    let info = PyDict::new(py);
    info.set_item("version", env!("CARGO_PKG_VERSION"))?;
    info.set_item("isa", format!("{:?}", cpu::isa()).to_lowercase())?;
    info.set_item("arch", std::env::consts::ARCH)?;
    info.set_item("os", std::env::consts::OS)?;
    info.set_item("threads", threads::num_threads())?;
    info.set_item("optimised", !cfg!(debug_assertions))?;
    Ok(info)
}
