//! Which dtype mixed operands meet in (torch's rules).

use weft_kernels::DType::{self, *};

/// How much say an operand has: tensors with dimensions, then zero-dim tensors, then
/// Python numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Say {
    /// A Python number.
    Number,
    /// A tensor without dimensions.
    ZeroDim,
    /// A tensor with dimensions.
    Dims,
}

/// Two dtypes that meet nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apart(pub DType, pub DType);

impl std::fmt::Display for Apart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Apart(a, b) = self;
        write!(f, "{a} and {b} do not promote, expected one of them to be converted with .to()")
    }
}

/// Where two dtypes meet, if they do: row and column in the order of the table of dtypes.
#[rustfmt::skip]
static MEET: [[Option<DType>; DType::COUNT]; DType::COUNT] = [
    [Some(Bool), Some(U8), Some(I8), Some(I16), Some(I32), Some(I64), None, None, None, Some(F16), Some(BF16), Some(F32), Some(F64), Some(C64), Some(C128)],
    [Some(U8), Some(U8), Some(I16), Some(I16), Some(I32), Some(I64), None, None, None, Some(F16), Some(BF16), Some(F32), Some(F64), Some(C64), Some(C128)],
    [Some(I8), Some(I16), Some(I8), Some(I16), Some(I32), Some(I64), None, None, None, Some(F16), Some(BF16), Some(F32), Some(F64), Some(C64), Some(C128)],
    [Some(I16), Some(I16), Some(I16), Some(I16), Some(I32), Some(I64), None, None, None, Some(F16), Some(BF16), Some(F32), Some(F64), Some(C64), Some(C128)],
    [Some(I32), Some(I32), Some(I32), Some(I32), Some(I32), Some(I64), None, None, None, Some(F16), Some(BF16), Some(F32), Some(F64), Some(C64), Some(C128)],
    [Some(I64), Some(I64), Some(I64), Some(I64), Some(I64), Some(I64), None, None, None, Some(F16), Some(BF16), Some(F32), Some(F64), Some(C64), Some(C128)],
    [None, None, None, None, None, None, Some(U16), None, None, Some(F16), Some(BF16), Some(F32), Some(F64), None, None],
    [None, None, None, None, None, None, None, Some(U32), None, Some(F16), Some(BF16), Some(F32), Some(F64), None, None],
    [None, None, None, None, None, None, None, None, Some(U64), Some(F16), Some(BF16), Some(F32), Some(F64), None, None],
    [Some(F16), Some(F16), Some(F16), Some(F16), Some(F16), Some(F16), Some(F16), Some(F16), Some(F16), Some(F16), Some(F32), Some(F32), Some(F64), Some(C64), Some(C128)],
    [Some(BF16), Some(BF16), Some(BF16), Some(BF16), Some(BF16), Some(BF16), Some(BF16), Some(BF16), Some(BF16), Some(F32), Some(BF16), Some(F32), Some(F64), Some(C64), Some(C128)],
    [Some(F32), Some(F32), Some(F32), Some(F32), Some(F32), Some(F32), Some(F32), Some(F32), Some(F32), Some(F32), Some(F32), Some(F32), Some(F64), Some(C64), Some(C128)],
    [Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(F64), Some(C128), Some(C128)],
    [Some(C64), Some(C64), Some(C64), Some(C64), Some(C64), Some(C64), None, None, None, Some(C64), Some(C64), Some(C64), Some(C128), Some(C64), Some(C128)],
    [Some(C128), Some(C128), Some(C128), Some(C128), Some(C128), Some(C128), None, None, None, Some(C128), Some(C128), Some(C128), Some(C128), Some(C128), Some(C128)],
];

/// The dtype that two tensors with dimensions meet in.
pub fn promote(a: DType, b: DType) -> Result<DType, Apart> {
    MEET[a as usize][b as usize].ok_or(Apart(a, b))
}

/// Whether `from` converts to `to` within the kinds of numbers: nothing but a complex number
/// holds complex ones, nothing whole holds fractions, and `bool` holds nothing else.
pub fn can_cast(from: DType, to: DType) -> bool {
    !(from.is_complex() && !to.is_complex()
        || from.is_floating_point() && to.is_whole()
        || from != Bool && to == Bool)
}

/// The complex numbers whose parts hold what a real dtype does.
pub fn to_complex(dtype: DType) -> DType {
    if dtype == F64 { C128 } else { C64 }
}

/// What operands of less say change about the dtype of those of more: only a higher kind of
/// numbers does.
fn combine(higher: Option<DType>, lower: Option<DType>) -> Result<Option<DType>, Apart> {
    let (Some(high), Some(low)) = (higher, lower) else { return Ok(higher.or(lower)) };
    if high.is_complex() || (high.is_floating_point() && !low.is_complex()) {
        return Ok(higher);
    }
    if high.is_floating_point() {
        return Ok(Some(to_complex(high)));
    }
    if !low.is_whole() {
        return Ok(lower);
    }
    if high == Bool { promote(high, low).map(Some) } else { Ok(higher) }
}

/// The dtype in which operands of these dtypes meet; `default` is the float dtype of Python's
/// floats, and of whose numbers Python's complex ones are made.
pub fn result_type(operands: &[(DType, Say)], default: DType) -> Result<DType, Apart> {
    let mut met = [None; 3];
    for &(dtype, say) in operands {
        let own = match say {
            Say::Number if dtype.is_complex() => to_complex(default),
            Say::Number if dtype.is_floating_point() => default,
            Say::Number | Say::ZeroDim | Say::Dims => dtype,
        };
        let place = &mut met[say as usize];
        *place = Some(place.map_or(Ok(own), |dtype| promote(dtype, own))?);
    }
    let [number, zero_dim, dims] = met;
    Ok(combine(dims, combine(zero_dim, number)?)?.unwrap_or(default))
}

#[cfg(test)]
mod tests {
    use super::Say::*;
    use super::*;

    #[test]
    fn promotion_is_torchs() {
        let r = |ops: &[(DType, Say)]| result_type(ops, F32).unwrap();
        assert_eq!(r(&[(F32, Dims), (F64, Dims)]), F64);
        assert_eq!(r(&[(I64, Dims), (F32, Dims)]), F32);
        assert_eq!(r(&[(F16, Dims), (BF16, Dims)]), F32);
        assert_eq!(r(&[(U8, Dims), (I8, Dims)]), I16);
        assert_eq!(r(&[(F32, Dims), (F64, ZeroDim)]), F32);
        assert_eq!(r(&[(I32, Dims), (I64, ZeroDim)]), I32);
        assert_eq!(r(&[(I32, Dims), (F64, ZeroDim)]), F64);
        assert_eq!(r(&[(U8, Dims), (I64, Number)]), U8);
        assert_eq!(r(&[(I64, Dims), (F64, Number)]), F32);
        assert_eq!(r(&[(F64, Dims), (C128, Number)]), C128);
        assert_eq!(r(&[(BF16, Dims), (C128, Number)]), C64);
        assert_eq!(r(&[(Bool, Dims), (I64, Number)]), I64);
        assert_eq!(r(&[(U8, Dims), (I32, Dims)]), I32);
        assert_eq!(r(&[(F64, Number)]), F32);
        assert_eq!(promote(U16, I64), Err(Apart(U16, I64)));
    }

    #[test]
    fn two_dtypes_meet_in_one_whoever_comes_first() {
        for a in DType::ALL {
            assert_eq!(promote(a, a), Ok(a));
            for b in DType::ALL {
                assert_eq!(promote(a, b).ok(), promote(b, a).ok());
                let Ok(met) = promote(a, b) else { continue };
                assert_eq!(promote(a, met), Ok(met), "{a} and {b}");
            }
        }
    }
}
