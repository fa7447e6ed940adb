"""A thousand random training steps have the same bits eager and static, on 1, 2 and 4 threads."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.graph.programs import COUNT, Program, trace

import weft

instructions = st.tuples(
    st.integers(0, COUNT - 1), st.sampled_from([0, 0, 0, 1, 2, 5, 9]), st.integers(0, 9)
)


def code(longest):
    """Every length up to the longest, equally often."""
    exactly = lambda n: st.lists(instructions, min_size=n, max_size=n).map(tuple)  # noqa: E731
    return st.integers(1, longest).flatmap(exactly)


def programs(rows, cols, longest):
    return st.builds(
        Program,
        code=code(longest),
        rows=rows,
        cols=cols,
        seed=st.integers(0, 2**31),
        accumulate=st.booleans(),
        argument_grad=st.booleans(),
    )


small = programs(st.integers(1, 9), st.integers(1, 19), 30)
#: More than 70,000 elements, so that threads share the work.
large = programs(st.integers(270, 290), st.sampled_from([263, 280]), 12)

common = settings(deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def check(program):
    weft.set_num_threads(1)
    want = trace(program, static=False)
    for threads in (1, 2, 4):
        weft.set_num_threads(threads)
        for static in (False, True):
            got = trace(program, static)
            for number, (a, b) in enumerate(zip(got, want, strict=True)):
                wrong = [i for i, (p, q) in enumerate(zip(a, b, strict=True)) if p != q]
                assert not wrong, f"step {number}, static {static}, {threads} threads: {wrong}"


@settings(common, max_examples=1000)
@given(small)
def test_small(program):
    check(program)


@settings(common, max_examples=50)
@given(large)
def test_large(program):
    check(program)


@pytest.mark.parametrize("which", range(COUNT))
def test_every_instruction(which):
    """Each alone, on a value that another made, and applied to its own result."""
    code = ((which, 4, 2), (which, 0, 5), (which, 5, 0))
    for rows, cols in ((4, 5), (1, 1), (2, 16)):
        check(Program(code, rows, cols, seed=7, accumulate=False, argument_grad=True))
