"""What a recording cannot follow is an error that names the line; errors leave no trace."""

import inspect
import itertools
import random
import sys

import pytest

import weft
from weft import CompileError


def settled(run, *args, **kwargs):
    """Two recordings and a run of the plan; returns the last result."""
    for _ in range(3):
        result = run(*args, **kwargs)
    return result


def line_of(text):
    """``file:line`` of the only line of the calling test that contains ``text``."""
    caller = inspect.currentframe().f_back
    lines, start = inspect.getsourcelines(caller.f_code)
    (at,) = [i for i, line in enumerate(lines) if text in line and "line_of" not in line]
    return f"test_refused.py:{start + at}"


def test_iterator_is_refused():
    count = itertools.count(1)

    @weft.compile
    def fast(x):
        return x * next(count)

    with pytest.raises(CompileError) as caught:
        fast(weft.ones(1))
    message = str(caught.value)
    assert line_of("x * next(count)") in message
    assert "iterator" in message and "argument" in message


def test_counter_is_refused():
    count = 0

    @weft.compile
    def fast(x):
        nonlocal count
        count += 1
        return x * count

    assert fast(weft.ones(1)).item() == 1
    with pytest.raises(CompileError, match=r"closure count: 1 -> 2 is read and changed") as caught:
        fast(weft.ones(1))
    assert line_of("count += 1") in str(caught.value)


def test_random_of_python_is_refused():
    @weft.compile
    def fast(x):
        return x + random.random()

    with pytest.raises(CompileError, match="random") as caught:
        fast(weft.ones(1))
    assert line_of("x + random.random()") in str(caught.value)


READERS = {
    ".item()": lambda x: x.sum().item(),
    "if": lambda x: 1 if x.sum() > 3 else 2,
    ".tolist()": lambda x: x.tolist(),
    "float()": lambda x: float(x.sum()),
    "int()": lambda x: int(x.sum()),
    "numpy": lambda x: x.numpy(),
    "equal": lambda x: weft.equal(x, x + 1),
    "mask": lambda x: x[x > 0],
    "nonzero": lambda x: x.nonzero(),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_reading_a_value_names_the_line(read):
    fast = weft.compile(lambda x: read(x + 1))
    with pytest.raises(CompileError) as caught:
        fast(weft.ones(2))
    line = inspect.getsourcelines(read)[1]
    assert f"test_refused.py:{line}" in str(caught.value)


def test_verify_finds_what_no_guard_sees():
    before = sys.getswitchinterval()
    fast = weft.compile(lambda x: x * sys.getswitchinterval(), verify=1)
    with pytest.warns(weft.CompileWarning, match="getswitchinterval.*not known"):
        settled(fast, weft.ones(1))
    sys.setswitchinterval(2 * before)
    try:
        with pytest.raises(CompileError, match="verify"):
            fast(weft.ones(1))
    finally:
        sys.setswitchinterval(before)


def test_result_that_needs_a_gradient_is_refused():
    w = weft.ones(2, requires_grad=True)
    with pytest.raises(CompileError, match="still needs its gradient"):
        weft.compile(lambda: w * 2)()


def test_exceptions_leave_everything_usable():
    fail = True

    def function(x):
        if fail:
            raise KeyError("mine")
        return x + 1

    fast = weft.compile(function)
    for _ in range(3):
        with pytest.raises(KeyError, match="mine"):
            fast(weft.ones(1))
    assert weft.is_grad_enabled()
    assert weft.ones(1).item() == 1
    fail = False
    assert settled(fast, weft.ones(1)).item() == 2
    with pytest.raises(RuntimeError, match="broadcast"):
        weft.compile(lambda x: x + weft.ones(3))(weft.ones(2))
    assert settled(weft.compile(lambda x: x + 1), weft.ones(1)).item() == 2


def test_index_errors_come_from_plans_too():
    table = weft.arange(3.0)
    fast = weft.compile(lambda i: table[i])
    assert settled(fast, weft.tensor([2, 0])).tolist() == [2, 0]
    with pytest.raises(IndexError, match="3"):
        fast(weft.tensor([1, 3]))
    assert fast(weft.tensor([1, 1])).tolist() == [1, 1]
