//! One number, not yet of any dtype.

use std::fmt;

use crate::buffer::Arg;
use crate::dtype::{DType, Element};
use crate::float::with_element;

/// One number, not yet of any dtype.
#[derive(Debug, Clone, Copy)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Float(f64),
}

impl Scalar {
    /// The value as `f64` (integers above 2^53 are rounded).
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Bool(b) => f64::from(u8::from(b)),
            Self::Int(i) => i as f64,
            Self::Float(f) => f,
        }
    }

    /// The value as `i64` (floats are truncated and saturated, NaN is 0).
    pub fn as_i64(self) -> i64 {
        match self {
            Self::Bool(b) => i64::from(b),
            Self::Int(i) => i,
            Self::Float(f) => f as i64,
        }
    }

    /// The value as the element `dtype` would hold it.
    pub fn cast(self, dtype: DType) -> Scalar {
        match dtype {
            DType::Bool => Self::Bool(match self {
                Self::Bool(b) => b,
                Self::Int(i) => i != 0,
                Self::Float(f) => f != 0.0,
            }),
            DType::U8 => Self::Int(i64::from(self.as_i64() as u8)),
            DType::I32 => Self::Int(i64::from(self.as_i64() as i32)),
            DType::I64 => Self::Int(self.as_i64()),
            DType::F32 => Self::Float(f64::from(self.as_f64() as f32)),
            DType::F64 => Self::Float(self.as_f64()),
        }
    }

    /// The number that an element of `dtype` is, of whose bytes these are the first.
    ///
    /// # Panics
    /// When there are fewer bytes than an element has.
    pub fn from_bytes(dtype: DType, bytes: &[u8]) -> Scalar {
        let number = with_element!(dtype, T => {
            let bytes = bytes[..size_of::<T>()].try_into().expect("as many bytes as an element has");
            Number::scalar(T::from_ne_bytes(bytes))
        });
        if dtype == DType::Bool { Scalar::Bool(number.as_i64() != 0) } else { number }
    }

    /// The bytes of the element of `dtype` that holds the value, in front of zeros.
    pub fn to_bytes(self, dtype: DType) -> [u8; 16] {
        let mut bytes = [0; 16];
        if dtype == DType::Bool {
            bytes[0] = u8::from(self.cast(dtype) == Scalar::Bool(true));
            return bytes;
        }
        with_element!(dtype, T => {
            bytes[..size_of::<T>()].copy_from_slice(&<T as Number>::of(self).to_ne_bytes());
        });
        bytes
    }

    /// The bits that tell two scalars apart (kind, then value).
    pub fn bits(self) -> (u8, u64) {
        match self {
            Self::Bool(b) => (0, u64::from(b)),
            Self::Int(i) => (1, i as u64),
            Self::Float(f) => (2, f.to_bits()),
        }
    }
}

impl Arg<'_> {
    /// The first element of a window that has one.
    ///
    /// # Panics
    /// When it has none, or an element lies outside the buffer.
    pub fn scalar(&self) -> Scalar {
        assert!(self.numel() > 0, "an element in {:?}", self.layout);
        // SAFETY: `ptr` found that the first element lies inside the buffer.
        let bytes = unsafe { std::slice::from_raw_parts(self.ptr(), self.dtype.size()) };
        Scalar::from_bytes(self.dtype, bytes)
    }
}

/// An element that is one number.
pub(crate) trait Number: Element {
    /// The element that holds a value.
    fn of(value: Scalar) -> Self;
    /// Its value.
    fn scalar(self) -> Scalar;
}

macro_rules! number {
    ($($t:ident $as:ident $kind:ident;)+) => {
        $(impl Number for $t {
            fn of(value: Scalar) -> $t {
                value.$as() as $t
            }
            fn scalar(self) -> Scalar {
                Scalar::$kind(self.into())
            }
        })+
    };
}

number! {
    u8 as_i64 Int;
    i32 as_i64 Int;
    i64 as_i64 Int;
    f32 as_f64 Float;
    f64 as_f64 Float;
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Scalar {}

impl std::hash::Hash for Scalar {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(b) => write!(f, "{b}"),
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) => write!(f, "{x:?}"),
        }
    }
}
