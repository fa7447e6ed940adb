//! Comparisons and logic.

use weft_kernels::tile;

use super::{Out, Row, Unfit};

/// Every row of this file.
pub(super) static ROWS: &[&Row] = &[
    &EQ,
    &NE,
    &LT,
    &LE,
    &GT,
    &GE,
    &BITWISE_AND,
    &BITWISE_OR,
    &BITWISE_XOR,
    &LOGICAL_AND,
    &LOGICAL_OR,
    &LOGICAL_XOR,
];

const _: () = assert!(super::complete(ROWS));

macro_rules! rows {
    ($($row:ident $name:literal $tile:ident $out:ident $doc:literal;)*) => {
        $(#[doc = $doc]
        pub static $row: Row = Row {
            name: $name,
            doc: $doc,
            tile: &tile::$tile,
            out: Out::$out,
            unfit: match Out::$out {
                Out::Bool => Unfit::Widen,
                Out::Same | Out::Real => Unfit::Wrap,
            },
            ..Row::COMPARE
        };)*
    };
}

rows! {
    EQ "eq" EQ Bool "Whether a equals b.";
    NE "ne" NE Bool "Whether a differs from b.";
    LT "lt" LT Bool "Whether a is less than b.";
    LE "le" LE Bool "Whether a is at most b.";
    GT "gt" GT Bool "Whether a is greater than b.";
    GE "ge" GE Bool "Whether a is at least b.";
    BITWISE_AND "bitwise_and" AND Same "The bits set in both a and b; on bool, and.";
    BITWISE_OR "bitwise_or" OR Same "The bits set in a or b; on bool, or.";
    BITWISE_XOR "bitwise_xor" XOR Same "The bits set in exactly one of a and b; on bool, exclusive or.";
    LOGICAL_AND "logical_and" LOGICAL_AND Bool "Whether both a and b are nonzero.";
    LOGICAL_OR "logical_or" LOGICAL_OR Bool "Whether a or b is nonzero.";
    LOGICAL_XOR "logical_xor" LOGICAL_XOR Bool "Whether exactly one of a and b is nonzero.";
}
