//! Which dtype mixed operands meet in (torch's rules).

use weft_kernels::DType;

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

/// `bool`, then integers, then floats.
fn category(dtype: DType) -> u8 {
    match dtype {
        DType::Bool => 0,
        DType::U8 | DType::I32 | DType::I64 => 1,
        DType::F32 | DType::F64 => 2,
    }
}

/// The smallest dtype that both convert to: dtypes are listed in that order.
pub fn promote(a: DType, b: DType) -> DType {
    if a as u8 >= b as u8 { a } else { b }
}

/// The dtype in which operands of these dtypes meet; `default` is the float dtype that a
/// Python float becomes among integers.
pub fn result_type(operands: &[(DType, Say)], default: DType) -> DType {
    let of = |say: Say| operands.iter().filter(|o| o.1 == say).map(|o| o.0).reduce(promote);
    let mut result: Option<DType> = None;
    for say in [Say::Dims, Say::ZeroDim, Say::Number] {
        let Some(dtype) = of(say) else { continue };
        let natural = if say == Say::Number && dtype.is_floating_point() { default } else { dtype };
        result = Some(match result {
            None => natural,
            Some(r) if category(dtype) > category(r) => natural,
            Some(r) => r,
        });
    }
    result.unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use super::*;
    use DType::*;
    use Say::*;

    #[test]
    fn promotion_is_torchs() {
        let r = |ops: &[(DType, Say)]| result_type(ops, F32);
        assert_eq!(r(&[(F32, Dims), (F64, Dims)]), F64);
        assert_eq!(r(&[(I64, Dims), (F32, Dims)]), F32);
        assert_eq!(r(&[(F32, Dims), (F64, ZeroDim)]), F32);
        assert_eq!(r(&[(I32, Dims), (I64, ZeroDim)]), I32);
        assert_eq!(r(&[(I32, Dims), (F64, ZeroDim)]), F64);
        assert_eq!(r(&[(U8, Dims), (I64, Number)]), U8);
        assert_eq!(r(&[(I64, Dims), (F64, Number)]), F32);
        assert_eq!(r(&[(Bool, Dims), (I64, Number)]), I64);
        assert_eq!(r(&[(U8, Dims), (I32, Dims)]), I32);
        assert_eq!(r(&[(F64, Number)]), F32);
    }
}
