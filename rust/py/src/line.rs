//! Which line of the user's program runs.

use pyo3::prelude::*;
use weft_core::site::Site;

/// The innermost line of Python that is not weft's own.
pub fn line() -> Site {
    Python::attach(|py| find(py).unwrap_or(Site::UNKNOWN))
}

fn find(py: Python<'_>) -> PyResult<Site> {
    let own = py.import("weft")?.getattr("__path__")?.get_item(0)?.extract::<String>()?;
    let mut frame = py.import("sys")?.call_method0("_getframe")?;
    loop {
        let code = frame.getattr("f_code")?;
        let file: String = code.getattr("co_filename")?.extract()?;
        if !file.starts_with(&own) {
            let line: u32 = frame.getattr("f_lineno")?.extract()?;
            let name = file.rsplit(['/', '\\']).next().unwrap_or(&file);
            return Ok(Site::intern(&format!("{name}:{line}")));
        }
        frame = frame.getattr("f_back")?;
        if frame.is_none() {
            return Ok(Site::UNKNOWN);
        }
    }
}
