//! Which line of the user's program runs.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use pyo3::prelude::*;
use pyo3::{ffi, intern};
use weft_core::site::Site;

/// What was found out about one code object, which is kept alive so that no other gets its
/// address.
struct Code {
    code: Py<PyAny>,
    /// The last part of its file's name; `None` if it is weft's own.
    file: Option<String>,
    /// Made when a second line is asked for: Python itself reads a long function from its
    /// beginning each time.
    ranges: Option<Vec<Range>>,
    asked: bool,
}

/// Instructions of one line, up to where the next range begins.
struct Range {
    begin: u32,
    line: Option<u32>,
    /// The line as text, once it was asked for.
    site: Option<Site>,
}

/// The code objects that were met.
struct Codes {
    own: PathBuf,
    met: Vec<Code>,
    /// Where each one stands, by address.
    at: HashMap<usize, usize>,
    /// Where the last one stands: one line after another is often of one function.
    last: usize,
}

/// Code objects from which on all are forgotten, so that functions made at run time do not pile
/// up.
const MANY: usize = 1000;

thread_local! {
    static CODES: RefCell<Option<Codes>> = const { RefCell::new(None) };
}

/// The innermost line of Python that is not weft's own.
pub fn line() -> Site {
    Python::attach(|py| CODES.with_borrow_mut(|codes| find(py, codes)).unwrap_or(Site::UNKNOWN))
}

fn find(py: Python<'_>, codes: &mut Option<Codes>) -> PyResult<Site> {
    let codes = match codes {
        Some(codes) => codes,
        none => none.insert(Codes::new(py)?),
    };
    let mut next = Frame::running(py);
    while let Some(frame) = next {
        let code = codes.of(&frame.code()?)?;
        if let Some(site) = code.site(&frame)? {
            return Ok(site);
        }
        next = frame.outer()?;
    }
    Ok(Site::UNKNOWN)
}

impl Codes {
    fn new(py: Python<'_>) -> PyResult<Codes> {
        let own: String = py.import("weft")?.getattr("__path__")?.get_item(0)?.extract()?;
        Ok(Codes { own: own.into(), met: Vec::new(), at: HashMap::new(), last: 0 })
    }

    fn of(&mut self, code: &Bound<'_, PyAny>) -> PyResult<&mut Code> {
        if self.met.get(self.last).is_none_or(|last| !last.code.is(code)) {
            self.last = self.find(code)?;
        }
        Ok(&mut self.met[self.last])
    }

    fn find(&mut self, code: &Bound<'_, PyAny>) -> PyResult<usize> {
        let address = code.as_ptr() as usize;
        if let Some(known) = self.at.get(&address) {
            return Ok(*known);
        }
        if self.met.len() >= MANY {
            self.met.clear();
            self.at.clear();
        }
        self.met.push(Code::new(code, &self.own)?);
        self.at.insert(address, self.met.len() - 1);
        Ok(self.met.len() - 1)
    }
}

impl Code {
    fn new(code: &Bound<'_, PyAny>, own: &Path) -> PyResult<Code> {
        let name: String = code.getattr(intern!(code.py(), "co_filename"))?.extract()?;
        let last = name.rsplit(['/', '\\']).next().unwrap_or(&name);
        let file = (!Path::new(&name).starts_with(own)).then(|| last.to_string());
        Ok(Code { code: code.clone().unbind(), file, ranges: None, asked: false })
    }

    /// The line at which a frame of this code stands; `None` if the code is weft's own.
    fn site(&mut self, frame: &Frame<'_>) -> PyResult<Option<Site>> {
        let Some(file) = &self.file else { return Ok(None) };
        if !std::mem::replace(&mut self.asked, true) {
            return Ok(Some(site(file, frame.line())));
        }
        let ranges = match &mut self.ranges {
            Some(ranges) => ranges,
            none => none.insert(ranges(self.code.bind(frame.0.py()))?),
        };
        let at = frame.instruction()?;
        let after = ranges.partition_point(|range| range.begin <= at);
        let Some(range) = after.checked_sub(1).map(|i| &mut ranges[i]) else {
            return Ok(Some(Site::UNKNOWN));
        };
        Ok(Some(*range.site.get_or_insert_with(|| site(file, range.line))))
    }
}

fn site(file: &str, line: Option<u32>) -> Site {
    line.map_or(Site::UNKNOWN, |line| Site::intern(&format!("{file}:{line}")))
}

/// The lines of a code object, in the order of its instructions.
fn ranges(code: &Bound<'_, PyAny>) -> PyResult<Vec<Range>> {
    let lines = code.call_method0(intern!(code.py(), "co_lines"))?;
    let range = |range: PyResult<Bound<'_, PyAny>>| {
        let (begin, _end, line): (u32, u32, Option<u32>) = range?.extract()?;
        Ok(Range { begin, line, site: None })
    };
    let mut all: Vec<Range> = lines.try_iter()?.map(range).collect::<PyResult<_>>()?;
    all.dedup_by_key(|range| range.line);
    Ok(all)
}

/// A frame object of Python.
struct Frame<'py>(Bound<'py, PyAny>);

impl<'py> Frame<'py> {
    /// The innermost frame of this thread.
    fn running(py: Python<'py>) -> Option<Frame<'py>> {
        // SAFETY: this thread holds the interpreter; the answer is borrowed, and null or a frame.
        unsafe { Bound::from_borrowed_ptr_or_opt(py, ffi::PyEval_GetFrame().cast()).map(Frame) }
    }

    fn outer(&self) -> PyResult<Option<Frame<'py>>> {
        let outer = self.0.getattr(intern!(self.0.py(), "f_back"))?;
        Ok((!outer.is_none()).then_some(Frame(outer)))
    }

    fn code(&self) -> PyResult<Bound<'py, PyAny>> {
        // SAFETY: it is a frame; the answer is a new reference.
        unsafe {
            let code = ffi::PyFrame_GetCode(self.0.as_ptr().cast());
            Bound::from_owned_ptr_or_err(self.0.py(), code.cast())
        }
    }

    fn line(&self) -> Option<u32> {
        // SAFETY: it is a frame.
        let line = unsafe { ffi::PyFrame_GetLineNumber(self.0.as_ptr().cast()) };
        u32::try_from(line).ok()
    }

    /// The offset of the instruction that runs.
    fn instruction(&self) -> PyResult<u32> {
        self.0.getattr(intern!(self.0.py(), "f_lasti"))?.extract()
    }
}
