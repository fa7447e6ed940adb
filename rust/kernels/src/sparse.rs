//! Products with matrices in compressed-sparse-row form.
//!
//! A CSR matrix of `rows` rows is `crow` (`rows + 1` ascending entry numbers), `col` (the
//! column of each entry) and values. Entries of a row may repeat a column and come in any
//! order, which is the order of every sum.

mod product;
mod structure;

pub use product::{sddmm, spmm};
pub use structure::{check, transpose};

use crate::dtype::Element;

/// An integer that counts entries or columns.
trait Int: Element + PartialOrd {
    fn at(self) -> usize;
    fn wide(self) -> i64;
    fn from_usize(x: usize) -> Self;
}

macro_rules! int {
    ($($t:ty)*) => {$(
        impl Int for $t {
            #[inline(always)]
            fn at(self) -> usize {
                self as usize
            }
            #[inline(always)]
            fn wide(self) -> i64 {
                i64::from(self)
            }
            #[inline(always)]
            fn from_usize(x: usize) -> Self {
                x as $t
            }
        }
    )*};
}

int!(i32 i64);

/// Calls a generic function with the Rust type of an index dtype.
macro_rules! with_int {
    ($dtype:expr, $I:ident => $body:expr) => {
        match $dtype {
            $crate::dtype::DType::I32 => {
                type $I = i32;
                $body
            }
            $crate::dtype::DType::I64 => {
                type $I = i64;
                $body
            }
            other => panic!("an index dtype, got {other}"),
        }
    };
}

use with_int;

#[cfg(test)]
mod tests;
