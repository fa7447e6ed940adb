//! Element types: one table, from which everything that is asked of them is written.

use std::fmt;

use crate::complex::Complex;
use crate::half::{BF16, F16};

/// What kind of numbers an element type holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Category {
    /// Truth values.
    Bool,
    /// Whole numbers without a sign.
    Unsigned,
    /// Whole numbers.
    Signed,
    /// Real numbers.
    Float,
    /// Complex numbers.
    Complex,
}

/// How many bytes an element has. Matched by [`by_width!`], which knows them all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Width {
    /// One byte.
    W1 = 1,
    /// Two bytes.
    W2 = 2,
    /// Four bytes.
    W4 = 4,
    /// Eight bytes.
    W8 = 8,
    /// Sixteen bytes.
    W16 = 16,
}

/// `by_width!(width, T => expression)` with `T` a type of so many bytes, aligned as the
/// elements are: for what moves elements and does not look at them.
macro_rules! by_width {
    ($width:expr, $T:ident => $body:expr) => {
        match $width {
            $crate::dtype::Width::W1 => {
                type $T = u8;
                $body
            }
            $crate::dtype::Width::W2 => {
                type $T = u16;
                $body
            }
            $crate::dtype::Width::W4 => {
                type $T = u32;
                $body
            }
            $crate::dtype::Width::W8 => {
                type $T = u64;
                $body
            }
            $crate::dtype::Width::W16 => {
                type $T = [u64; 2];
                $body
            }
        }
    };
}

pub(crate) use by_width;

/// `Id "name" "short" width Category "code";`, where the code is that of the buffer protocol.
macro_rules! dtypes {
    ($($(#[$doc:meta])+
        $id:ident $name:literal $short:literal $width:ident $category:ident $code:expr;)+) => {
        /// The type of one element of a tensor.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum DType {
            $($(#[$doc])+ $id,)+
        }

        impl DType {
            /// All element types.
            pub const ALL: [DType; DType::COUNT] = [$(Self::$id),+];

            /// How many there are.
            pub const COUNT: usize = [$($name),+].len();

            /// torch's name (`float32`).
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$id => $name,)+
                }
            }

            /// The short name that graph texts use (`f32`).
            pub const fn short(self) -> &'static str {
                match self {
                    $(Self::$id => $short,)+
                }
            }

            /// What kind of numbers it holds.
            pub const fn category(self) -> Category {
                match self {
                    $(Self::$id => Category::$category,)+
                }
            }

            /// Bytes of an element, to be matched.
            pub const fn width(self) -> Width {
                match self {
                    $(Self::$id => Width::$width,)+
                }
            }

            /// The code that the buffer protocol has for it, if it has one.
            pub const fn buffer_code(self) -> Option<&'static str> {
                match self {
                    $(Self::$id => $code,)+
                }
            }
        }
    };
}

dtypes! {
    /// One byte, 0 or 1.
    Bool "bool" "bool" W1 Bool Some("?");
    /// Unsigned 8-bit integer.
    U8 "uint8" "u8" W1 Unsigned Some("B");
    /// Signed 8-bit integer.
    I8 "int8" "i8" W1 Signed Some("b");
    /// Signed 16-bit integer.
    I16 "int16" "i16" W2 Signed Some("h");
    /// Signed 32-bit integer.
    I32 "int32" "i32" W4 Signed Some("i");
    /// Signed 64-bit integer.
    I64 "int64" "i64" W8 Signed Some("q");
    /// Unsigned 16-bit integer.
    U16 "uint16" "u16" W2 Unsigned Some("H");
    /// Unsigned 32-bit integer.
    U32 "uint32" "u32" W4 Unsigned Some("I");
    /// Unsigned 64-bit integer.
    U64 "uint64" "u64" W8 Unsigned Some("Q");
    /// IEEE 754 half precision.
    F16 "float16" "f16" W2 Float Some("e");
    /// The upper half of single precision.
    BF16 "bfloat16" "bf16" W2 Float None;
    /// IEEE 754 single precision.
    F32 "float32" "f32" W4 Float Some("f");
    /// IEEE 754 double precision.
    F64 "float64" "f64" W8 Float Some("d");
    /// Two single-precision numbers: real and imaginary part.
    C64 "complex64" "c64" W8 Complex Some("Zf");
    /// Two double-precision numbers: real and imaginary part.
    C128 "complex128" "c128" W16 Complex Some("Zd");
}

impl DType {
    /// Bytes per element.
    pub const fn size(self) -> usize {
        self.width() as usize
    }

    /// Whether values are real numbers (torch's `is_floating_point`).
    pub const fn is_floating_point(self) -> bool {
        matches!(self.category(), Category::Float)
    }

    /// Whether values are complex numbers.
    pub const fn is_complex(self) -> bool {
        matches!(self.category(), Category::Complex)
    }

    /// Whether values can be negative.
    pub const fn is_signed(self) -> bool {
        !matches!(self.category(), Category::Bool | Category::Unsigned)
    }

    /// The dtype of the parts of a complex number; of others it is the dtype itself.
    pub const fn to_real(self) -> DType {
        match self {
            Self::C64 => Self::F32,
            Self::C128 => Self::F64,
            real @ (Self::Bool
            | Self::U8
            | Self::I8
            | Self::I16
            | Self::I32
            | Self::I64
            | Self::U16
            | Self::U32
            | Self::U64
            | Self::F16
            | Self::BF16
            | Self::F32
            | Self::F64) => real,
        }
    }

    /// What sums and products of floats are accumulated in; of others the dtype itself.
    pub const fn wide(self) -> DType {
        if matches!(self, Self::F16 | Self::BF16) { Self::F32 } else { self }
    }

    /// Whether values are whole numbers or truth values.
    pub const fn is_whole(self) -> bool {
        matches!(self.category(), Category::Bool | Category::Unsigned | Category::Signed)
    }

    /// Whether a value can have a gradient.
    pub const fn is_differentiable(self) -> bool {
        !self.is_whole()
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
pub unsafe trait Element: Copy + Send + Sync + PartialEq + fmt::Debug + 'static {
    /// The dtype this type stands for.
    const DTYPE: DType;

    /// Whether a buffer of `dtype` may be read as `Self`.
    fn is(dtype: DType) -> bool {
        dtype == Self::DTYPE
    }
}

macro_rules! elements {
    ($($t:ty => $dtype:ident;)+) => {
        $(
            // SAFETY: sizes agree and every bit pattern is a valid number.
            unsafe impl Element for $t {
                const DTYPE: DType = DType::$dtype;
            }
        )+
    };
}

elements! {
    i8 => I8;
    i16 => I16;
    i32 => I32;
    i64 => I64;
    u16 => U16;
    u32 => U32;
    u64 => U64;
    F16 => F16;
    BF16 => BF16;
    f32 => F32;
    f64 => F64;
    Complex<f32> => C64;
    Complex<f64> => C128;
}

// SAFETY: as above; bool elements are bytes 0 or 1.
unsafe impl Element for u8 {
    const DTYPE: DType = DType::U8;
    fn is(dtype: DType) -> bool {
        matches!(dtype, DType::U8 | DType::Bool)
    }
}
