"""Dtypes meet where torch's do.

The tables were recorded from torch 2.15 (``promote_types``, ``result_type``). ``-`` is an error.
Where torch answers complex32, which weft has not, complex64 stands.
"""

import pytest

import weft

NAMES = {
    "bool": "bool", "u8": "uint8", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64",
    "u16": "uint16", "u32": "uint32", "u64": "uint64", "f16": "float16", "bf16": "bfloat16",
    "f32": "float32", "f64": "float64", "c64": "complex64", "c128": "complex128",
}  # fmt: skip
DTYPES = {short: getattr(weft, name) for short, name in NAMES.items()}
NUMBERS = (True, 1, 1.0, 1j)

#: Tensors with dimensions, or dtypes alone.
BOTH = """
bool bool   u8   i8  i16  i32  i64    -    -    -  f16 bf16  f32  f64  c64 c128
  u8   u8   u8  i16  i16  i32  i64    -    -    -  f16 bf16  f32  f64  c64 c128
  i8   i8  i16   i8  i16  i32  i64    -    -    -  f16 bf16  f32  f64  c64 c128
 i16  i16  i16  i16  i16  i32  i64    -    -    -  f16 bf16  f32  f64  c64 c128
 i32  i32  i32  i32  i32  i32  i64    -    -    -  f16 bf16  f32  f64  c64 c128
 i64  i64  i64  i64  i64  i64  i64    -    -    -  f16 bf16  f32  f64  c64 c128
 u16    -    -    -    -    -    -  u16    -    -  f16 bf16  f32  f64    -    -
 u32    -    -    -    -    -    -    -  u32    -  f16 bf16  f32  f64    -    -
 u64    -    -    -    -    -    -    -    -  u64  f16 bf16  f32  f64    -    -
 f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  f32  f32  f64  c64 c128
bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16  f32 bf16  f32  f64  c64 c128
 f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f64  c64 c128
 f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64 c128 c128
 c64  c64  c64  c64  c64  c64  c64    -    -    -  c64  c64  c64 c128  c64 c128
c128 c128 c128 c128 c128 c128 c128    -    -    - c128 c128 c128 c128 c128 c128
"""
#: A tensor with dimensions (row) and one without (column).
ZERO_DIM = """
bool bool   u8   i8  i16  i32  i64    -    -    -  f16 bf16  f32  f64  c64 c128
  u8   u8   u8   u8   u8   u8   u8   u8   u8   u8  f16 bf16  f32  f64  c64 c128
  i8   i8   i8   i8   i8   i8   i8   i8   i8   i8  f16 bf16  f32  f64  c64 c128
 i16  i16  i16  i16  i16  i16  i16  i16  i16  i16  f16 bf16  f32  f64  c64 c128
 i32  i32  i32  i32  i32  i32  i32  i32  i32  i32  f16 bf16  f32  f64  c64 c128
 i64  i64  i64  i64  i64  i64  i64  i64  i64  i64  f16 bf16  f32  f64  c64 c128
 u16  u16  u16  u16  u16  u16  u16  u16  u16  u16  f16 bf16  f32  f64  c64 c128
 u32  u32  u32  u32  u32  u32  u32  u32  u32  u32  f16 bf16  f32  f64  c64 c128
 u64  u64  u64  u64  u64  u64  u64  u64  u64  u64  f16 bf16  f32  f64  c64 c128
 f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  f16  c64  c64
bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16 bf16  c64  c64
 f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  f32  c64  c64
 f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64  f64 c128 c128
 c64  c64  c64  c64  c64  c64  c64  c64  c64  c64  c64  c64  c64  c64  c64  c64
c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128 c128
"""
#: A tensor with dimensions and a Python number: bool, int, float, complex.
NUMBER = """
bool bool  i64  f32  c64
  u8   u8   u8  f32  c64
  i8   i8   i8  f32  c64
 i16  i16  i16  f32  c64
 i32  i32  i32  f32  c64
 i64  i64  i64  f32  c64
 u16  u16  u16  f32  c64
 u32  u32  u32  f32  c64
 u64  u64  u64  f32  c64
 f16  f16  f16  f16  c64
bf16 bf16 bf16 bf16  c64
 f32  f32  f32  f32  c64
 f64  f64  f64  f64 c128
 c64  c64  c64  c64  c64
c128 c128 c128 c128 c128
"""
#: A tensor without dimensions and a Python number.
ZERO_DIM_NUMBER = """
bool bool  i64  f32  c64
  u8   u8   u8  f32  c64
  i8   i8   i8  f32  c64
 i16  i16  i16  f32  c64
 i32  i32  i32  f32  c64
 i64  i64  i64  f32  c64
 u16  u16  u16  f32  c64
 u32  u32  u32  f32  c64
 u64  u64  u64  f32  c64
 f16  f16  f16  f16  c64
bf16 bf16 bf16 bf16  c64
 f32  f32  f32  f32  c64
 f64  f64  f64  f64 c128
 c64  c64  c64  c64  c64
c128 c128 c128 c128 c128
"""
#: Whether a dtype (row) converts to another within the kinds of numbers.
CASTS = """
bool y y y y y y y y y y y y y y y
  u8 n y y y y y y y y y y y y y y
  i8 n y y y y y y y y y y y y y y
 i16 n y y y y y y y y y y y y y y
 i32 n y y y y y y y y y y y y y y
 i64 n y y y y y y y y y y y y y y
 u16 n y y y y y y y y y y y y y y
 u32 n y y y y y y y y y y y y y y
 u64 n y y y y y y y y y y y y y y
 f16 n n n n n n n n n y y y y y y
bf16 n n n n n n n n n y y y y y y
 f32 n n n n n n n n n y y y y y y
 f64 n n n n n n n n n y y y y y y
 c64 n n n n n n n n n n n n n y y
c128 n n n n n n n n n n n n n y y
"""


def read(table, columns):
    """Row, column and entry."""
    lines = [line.split() for line in table.strip().splitlines()]
    return [
        (row, column, entry)
        for row, *entries in lines
        for column, entry in zip(columns, entries, strict=True)
    ]


def tensor(short, *size):
    return weft.ones(*size).to(DTYPES[short])


def check(answer, expected):
    if expected == "-":
        with pytest.raises(RuntimeError, match="do not promote"):
            answer()
    else:
        assert answer() is DTYPES[expected]


@pytest.mark.parametrize("a, b, met", read(BOTH, NAMES))
def test_two_dtypes(a, b, met):
    check(lambda: weft.promote_types(DTYPES[a], DTYPES[b]), met)
    check(lambda: weft.result_type(tensor(a, 2), tensor(b, 3)), met)
    check(lambda: weft.result_type(tensor(a, ()), tensor(b, ())), met)


@pytest.mark.parametrize("a, b, met", read(ZERO_DIM, NAMES))
def test_a_tensor_without_dimensions(a, b, met):
    check(lambda: weft.result_type(tensor(a, 2), tensor(b, ())), met)
    check(lambda: weft.result_type(tensor(b, ()), tensor(a, 2)), met)


@pytest.mark.parametrize("a, number, met", read(NUMBER, NUMBERS))
def test_a_number(a, number, met):
    check(lambda: weft.result_type(tensor(a, 2), number), met)


@pytest.mark.parametrize("a, number, met", read(ZERO_DIM_NUMBER, NUMBERS))
def test_a_number_and_no_dimensions(a, number, met):
    check(lambda: weft.result_type(number, tensor(a, ())), met)


@pytest.mark.parametrize("a, b, holds", read(CASTS, NAMES))
def test_what_can_be_cast(a, b, holds):
    assert weft.can_cast(DTYPES[a], DTYPES[b]) is (holds == "y")


def test_operations_meet_in_these_dtypes():
    for a, b, met in read(BOTH, NAMES):
        x, y = tensor(a, 2), tensor(b, 2)
        if met == "-":
            with pytest.raises(RuntimeError, match="do not promote"):
                x * y
            with pytest.raises(RuntimeError, match="do not promote"):
                weft.cat([x, y])
        else:
            assert (x * y).dtype is DTYPES[met]
            assert weft.cat([x, y]).dtype is DTYPES[met]
