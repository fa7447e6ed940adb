//! Element types.

use std::fmt;

/// The type of one element of a tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum DType {
    /// One byte, 0 or 1.
    Bool,
    /// Unsigned 8-bit integer.
    U8,
    /// Signed 32-bit integer.
    I32,
    /// Signed 64-bit integer.
    I64,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
}

impl DType {
    /// All element types, in promotion order.
    pub const ALL: [DType; 6] = [Self::Bool, Self::U8, Self::I32, Self::I64, Self::F32, Self::F64];

    /// Bytes per element.
    pub const fn size(self) -> usize {
        match self {
            Self::Bool | Self::U8 => 1,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 => 8,
        }
    }

    /// torch's name (`float32`).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "uint8",
            Self::I32 => "int32",
            Self::I64 => "int64",
            Self::F32 => "float32",
            Self::F64 => "float64",
        }
    }

    /// The short name that graph texts use (`f32`).
    pub const fn short(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::U8 => "u8",
            Self::I32 => "i32",
            Self::I64 => "i64",
            Self::F32 => "f32",
            Self::F64 => "f64",
        }
    }

    /// Whether values are floating-point numbers.
    pub const fn is_float(self) -> bool {
        matches!(self, Self::F32 | Self::F64)
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A Rust type that is the element of some [`DType`].
///
/// # Safety
/// `DTYPE.size()` must equal `size_of::<Self>()`, and every bit pattern that a kernel
/// writes for `DTYPE` must be valid for `Self`. `bool` elements are handled as `u8`
/// holding 0 or 1, so `u8` stands for two dtypes and is checked by [`Element::is`].
pub unsafe trait Element:
    Copy + Send + Sync + PartialEq + PartialOrd + fmt::Debug + 'static
{
    /// The dtype this type stands for.
    const DTYPE: DType;

    /// Whether a buffer of `dtype` may be read as `Self`.
    fn is(dtype: DType) -> bool {
        dtype == Self::DTYPE
    }
}

// SAFETY: sizes agree and every bit pattern is a valid number.
unsafe impl Element for f32 {
    const DTYPE: DType = DType::F32;
}
// SAFETY: as above.
unsafe impl Element for f64 {
    const DTYPE: DType = DType::F64;
}
// SAFETY: as above.
unsafe impl Element for i32 {
    const DTYPE: DType = DType::I32;
}
// SAFETY: as above.
unsafe impl Element for i64 {
    const DTYPE: DType = DType::I64;
}
// SAFETY: as above; bool elements are bytes 0 or 1.
unsafe impl Element for u8 {
    const DTYPE: DType = DType::U8;
    fn is(dtype: DType) -> bool {
        matches!(dtype, DType::U8 | DType::Bool)
    }
}

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

    /// The bits that tell two scalars apart (kind, then value).
    pub fn bits(self) -> (u8, u64) {
        match self {
            Self::Bool(b) => (0, u64::from(b)),
            Self::Int(i) => (1, i as u64),
            Self::Float(f) => (2, f.to_bits()),
        }
    }
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
