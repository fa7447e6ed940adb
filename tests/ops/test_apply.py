"""Any operation can be applied by its name and its attributes."""

import pytest
from tests.ops.table import CASES, bits, each

import weft
from weft import _core

X = weft.arange(6.0).reshape(2, 3)
PLAIN = [c for c in CASES if all(isinstance(v, int | bool) for v in c.attrs.values())]


@pytest.mark.parametrize(**each(PLAIN))
def test_by_name_as_the_table(case):
    inputs = case.tensors(case.default("float32"))
    got = _core.apply(case.name, *inputs, **case.attrs)
    want = case.call(inputs)
    assert [bits(y) for y in got] == [bits(y) for y in want]


def test_attributes_of_every_kind():
    (y,) = _core.apply("sum", X, dim=[0, -1], keepdim=False)
    assert y.item() == 15.0
    (y,) = _core.apply("to", X, dtype="i64")
    assert y.dtype is weft.int64
    (y,) = _core.apply("softmax", X, dim=-1)
    assert bits(y) == bits(X.softmax(1))


@pytest.mark.parametrize(
    ("call", "error", "what"),
    [
        (lambda: _core.apply("nothing", X), ValueError, "make: no operation is named nothing"),
        (lambda: _core.apply("cumsum", X), ValueError, "cumsum: expected an attribute dim"),
        (lambda: _core.apply("softmax", X, dim=2), IndexError, "softmax: dimension out of range"),
        (lambda: _core.apply("softmax", X, dim=0, k=1), ValueError, "softmax: expected 1 attrib"),
        (lambda: _core.apply("softmax", [1.0], dim=0), TypeError, "softmax: "),
        (lambda: _core.apply("to", X, dtype=X), TypeError, "to: dtype expected a number"),
        (lambda: _core.apply("to", X, dtype="f1"), ValueError, "to: dtype: expected the short"),
    ],
)
def test_what_does_not_fit_is_refused(call, error, what):
    with pytest.raises(error, match=f"^{what}"):
        call()
