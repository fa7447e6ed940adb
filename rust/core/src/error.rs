//! What can go wrong, in the words that the user reads.

use std::fmt;

use weft_kernels::{Fault, MAX_ELEMENTS, Shape};

/// Result of anything that can fail on user input.
pub type Result<T> = std::result::Result<T, Error>;

/// Which kind of Python exception an error becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Shapes, states and everything else that torch reports as `RuntimeError`.
    Runtime,
    /// A wrong type or dtype.
    Type,
    /// A value outside its domain.
    Value,
    /// An index or dimension out of range.
    Index,
    /// A function that cannot be compiled as written.
    Compile,
    /// Not enough memory.
    Memory,
}

/// An error: `op: what is wrong, expected …, got …`, then perhaps a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// The kind of exception.
    pub kind: ErrorKind,
    /// The whole text.
    pub message: String,
}

impl Error {
    /// An error of `kind` in operation `op`.
    #[cold]
    pub fn new(kind: ErrorKind, op: &str, what: impl fmt::Display) -> Error {
        Error { kind, message: format!("{op}: {what}") }
    }

    /// A runtime error.
    #[cold]
    pub fn runtime(op: &str, what: impl fmt::Display) -> Error {
        Self::new(ErrorKind::Runtime, op, what)
    }

    /// A type error.
    #[cold]
    pub fn type_(op: &str, what: impl fmt::Display) -> Error {
        Self::new(ErrorKind::Type, op, what)
    }

    /// A value error.
    #[cold]
    pub fn value(op: &str, what: impl fmt::Display) -> Error {
        Self::new(ErrorKind::Value, op, what)
    }

    /// An index error.
    #[cold]
    pub fn index(op: &str, what: impl fmt::Display) -> Error {
        Self::new(ErrorKind::Index, op, what)
    }

    /// There is no memory for a value of `fact`.
    #[cold]
    pub fn memory(op: &str, fact: crate::Fact) -> Error {
        Self::new(
            ErrorKind::Memory,
            op,
            format_args!("no memory for {fact} ({} bytes)", fact.bytes()),
        )
    }

    /// No memory could hold a value of this shape.
    #[cold]
    pub fn too_large(op: &str, shape: &Shape) -> Error {
        let what = format_args!(
            "too large for memory, expected at most {MAX_ELEMENTS} elements, got shape {shape}"
        );
        Self::new(ErrorKind::Memory, op, what)
    }

    /// A compile error.
    #[cold]
    pub fn compile(what: impl fmt::Display) -> Error {
        Self::new(ErrorKind::Compile, "compile", what)
    }

    /// What a kernel found wrong, said by operation `op`.
    #[cold]
    pub fn fault(op: &str, fault: Fault) -> Error {
        match fault {
            Fault::Index { index, len } => Self::index(
                op,
                format_args!("index out of range, expected 0 <= index < {len}, got {index}"),
            ),
            Fault::Weight { weight } => {
                Self::runtime(op, format_args!("expected finite weights >= 0, got {weight}"))
            }
            Fault::Outside { value } => {
                Self::runtime(op, format_args!("value out of range, got {value}"))
            }
            Fault::Weights { positive, needed } => Self::runtime(
                op,
                format_args!("expected {needed} or more positive weights a row, got {positive}"),
            ),
            Fault::Memory { bytes } => {
                Self::new(ErrorKind::Memory, op, format_args!("no memory for {bytes} bytes"))
            }
        }
    }

    /// The same error with the place in the user's program appended.
    #[cold]
    pub fn at(mut self, place: impl fmt::Display) -> Error {
        self.message = format!("{} (at {place})", self.message);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

/// Returns early with a runtime error of operation `$op` unless `$cond` holds.
#[macro_export]
macro_rules! ensure {
    ($cond:expr, $op:expr, $($what:tt)+) => {
        if !$cond {
            return Err($crate::Error::runtime($op, format_args!($($what)+)));
        }
    };
}
