//! One number, not yet of any dtype.

use std::fmt;

use crate::buffer::Arg;
use crate::complex::Complex;
use crate::dtype::{DType, Element};
use crate::float::with_element;
use crate::half::{BF16, F16};

/// One number, not yet of any dtype.
#[derive(Debug, Clone, Copy)]
pub enum Scalar {
    /// A truth value.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// An integer above the range of `i64`.
    Uint(u64),
    /// A floating-point number.
    Float(f64),
    /// A complex number.
    Complex(f64, f64),
}

impl Scalar {
    /// A number without a sign.
    pub fn unsigned(x: u64) -> Scalar {
        i64::try_from(x).map_or(Self::Uint(x), Self::Int)
    }

    /// The value as `f64` (integers above 2^53 are rounded, complex numbers lose their
    /// imaginary part).
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Bool(b) => f64::from(u8::from(b)),
            Self::Int(i) => i as f64,
            Self::Uint(u) => u as f64,
            Self::Float(f) | Self::Complex(f, _) => f,
        }
    }

    /// The value as `i64` (floats are truncated and saturated, NaN is 0; larger integers wrap).
    pub fn as_i64(self) -> i64 {
        match self {
            Self::Bool(b) => i64::from(b),
            Self::Int(i) => i,
            Self::Uint(u) => u as i64,
            Self::Float(f) | Self::Complex(f, _) => f as i64,
        }
    }

    /// The value as `i128`: every integer, and of floats what `as_i64` gives.
    pub fn as_i128(self) -> i128 {
        if let Self::Uint(u) = self { u.into() } else { self.as_i64().into() }
    }

    /// The value as `u64` (floats are truncated and saturated, negative integers wrap).
    pub fn as_u64(self) -> u64 {
        match self {
            Self::Float(f) | Self::Complex(f, _) => f as u64,
            other => other.as_i64() as u64,
        }
    }

    /// The value as a complex number.
    pub fn as_complex(self) -> Complex<f64> {
        let im = if let Self::Complex(_, im) = self { im } else { 0.0 };
        Complex { re: self.as_f64(), im }
    }

    /// Whether it is not zero.
    pub fn is_true(self) -> bool {
        let Complex { re, im } = self.as_complex();
        re != 0.0 || im != 0.0
    }

    /// The value as the element `dtype` would hold it.
    pub fn cast(self, dtype: DType) -> Scalar {
        if dtype == DType::Bool {
            return Self::Bool(self.is_true());
        }
        with_element!(dtype, T => <T as Number>::of(self).scalar())
    }

    /// The number that an element of `dtype` is, of whose bytes these are the first.
    ///
    /// # Panics
    /// When there are fewer bytes than an element has.
    pub fn from_bytes(dtype: DType, bytes: &[u8]) -> Scalar {
        assert!(bytes.len() >= dtype.size(), "as many bytes as an element has");
        let number = with_element!(dtype, T => {
            // SAFETY: there are enough bytes, and all patterns are elements.
            unsafe { bytes.as_ptr().cast::<T>().read_unaligned() }.scalar()
        });
        if dtype == DType::Bool { Scalar::Bool(number.as_i64() != 0) } else { number }
    }

    /// The bytes of the element of `dtype` that holds the value, in front of zeros.
    pub fn to_bytes(self, dtype: DType) -> [u8; 16] {
        let mut bytes = [0u8; 16];
        if dtype == DType::Bool {
            bytes[0] = u8::from(self.is_true());
            return bytes;
        }
        with_element!(dtype, T => {
            // SAFETY: no element has more than 16 bytes.
            unsafe { bytes.as_mut_ptr().cast::<T>().write_unaligned(<T as Number>::of(self)) };
        });
        bytes
    }

    /// The bits that tell two scalars apart (kind, then value).
    pub fn bits(self) -> (u8, [u64; 2]) {
        match self {
            Self::Bool(b) => (0, [u64::from(b), 0]),
            Self::Int(i) => (1, [i as u64, 0]),
            Self::Uint(u) => (2, [u, 0]),
            Self::Float(f) => (3, [f.to_bits(), 0]),
            Self::Complex(re, im) => (4, [re.to_bits(), im.to_bits()]),
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
    ($($t:ty: |$value:ident| $of:expr, |$x:ident| $scalar:expr;)+) => {
        $(impl Number for $t {
            fn of($value: Scalar) -> $t {
                $of
            }
            fn scalar(self) -> Scalar {
                let $x = self;
                $scalar
            }
        })+
    };
}

number! {
    u8: |v| v.as_i64() as u8, |x| Scalar::Int(x.into());
    i8: |v| v.as_i64() as i8, |x| Scalar::Int(x.into());
    i16: |v| v.as_i64() as i16, |x| Scalar::Int(x.into());
    i32: |v| v.as_i64() as i32, |x| Scalar::Int(x.into());
    i64: |v| v.as_i64(), |x| Scalar::Int(x);
    u16: |v| v.as_i64() as u16, |x| Scalar::Int(x.into());
    u32: |v| v.as_i64() as u32, |x| Scalar::Int(x.into());
    u64: |v| v.as_u64(), |x| Scalar::unsigned(x);
    F16: |v| F16::from_f32(v.as_f64() as f32), |x| Scalar::Float(x.to_f32().into());
    BF16: |v| BF16::from_f32(v.as_f64() as f32), |x| Scalar::Float(x.to_f32().into());
    f32: |v| v.as_f64() as f32, |x| Scalar::Float(x.into());
    f64: |v| v.as_f64(), |x| Scalar::Float(x);
    Complex<f32>: |v| {
        let Complex { re, im } = v.as_complex();
        Complex { re: re as f32, im: im as f32 }
    }, |x| Scalar::Complex(x.re.into(), x.im.into());
    Complex<f64>: |v| v.as_complex(), |x| Scalar::Complex(x.re, x.im);
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
            Self::Uint(u) => write!(f, "{u}"),
            Self::Float(x) => write!(f, "{x:?}"),
            Self::Complex(re, im) => write!(f, "{re:?}{im:+?}j"),
        }
    }
}
