"""Sizes, strides and offsets of any magnitude: a clear error, never a wrapped number.

Everything runs in child processes under a limit of memory, so that a crash fails one test and not
the run.
"""

import pytest
from tests.hunt.child import limited

HEAD = """
import numpy as np, weft, weft.nn.functional as F
from weft import _core
x = weft.ones(4)
strided = np.lib.stride_tricks.as_strided
wide = lambda *size: weft.ones(1).expand(*size)
"""

#: Calls, and what each must raise.
REFUSED = {
    "weft.narrow(x, 0, 2**64 - 4, 5)": (ValueError, RuntimeError),
    "weft.narrow(x, 0, 2**63, 2**63)": (ValueError, RuntimeError),
    "weft.narrow(x, 0, -1, 2)": RuntimeError,
    "weft.narrow(x, 0, 3, -2)": RuntimeError,
    "weft.narrow(x, 2**70, 0, 1)": (IndexError, ValueError),
    "x[2**63]": IndexError,
    "x[-2**80]": IndexError,
    "weft.arange(2**62)": MemoryError,
    "weft.arange(0, 2**63, 1)": (MemoryError, ValueError),
    "weft.linspace(0, 1, 2**62)": MemoryError,
    "weft.linspace(0, 1, 2**80)": MemoryError,
    "weft.eye(2**62)": MemoryError,
    "weft.eye(2**31)": MemoryError,
    "weft.zeros(2**62)": MemoryError,
    "weft.zeros(2**32, 2**32)": MemoryError,
    "weft.zeros(2**63)": (MemoryError, ValueError),
    "weft.zeros(2**53)": MemoryError,
    "weft.rand(2**61, 2)": MemoryError,
    "F.one_hot(weft.tensor([1]), 2**62)": MemoryError,
    "weft.cat([wide(2**58)] * 33)": MemoryError,
    "weft.cat([wide(2**50), wide(2**50)])": MemoryError,
    "weft.stack([wide(2**57)] * 8)": MemoryError,
    "x.repeat(2**62)": (MemoryError, RuntimeError),
    "wide(2**40, 1) @ wide(1, 2**40)": MemoryError,
    "F.linear(wide(2**40, 1), wide(2**40, 1))": MemoryError,
    "weft.index_select(wide(2, 2**50), 0, weft.tensor([0, 1]))": MemoryError,
    "wide(2**50, 2).argmax(1)": MemoryError,
    "wide(2**50, 2).sum(1)": MemoryError,
    "F.cross_entropy(wide(2**45, 4), weft.zeros(1, dtype=weft.int64).expand(2**45))": MemoryError,
    "wide(2**50).clone()": MemoryError,
    "wide(2**50).contiguous()": MemoryError,
    "wide(2**50) + 1": MemoryError,
    "weft.ones(2, 1).expand(2, 2**55).softmax(0)": MemoryError,
    "wide(2**62)": MemoryError,
    "x.reshape(2**62 + 1, 4)": (MemoryError, RuntimeError),
    "x.reshape(2**63, 2**63, 4)": (MemoryError, RuntimeError, ValueError),
    "x.reshape(-1, 2**62, 2**62)": (MemoryError, RuntimeError),
    "weft.zeros(0).reshape(2**32, 2**32)": (MemoryError, RuntimeError),
    "weft.zeros(0).reshape(2**32, 2**32, 0)": MemoryError,
    "weft.zeros(0, 2**62)": MemoryError,
    "_core.as_strided(x, (2,), (2**63 - 1,), 0)": RuntimeError,
    "_core.as_strided(x, (3,), (2**63 - 1,), 2)": RuntimeError,
    "_core.as_strided(x, (2,), (1,), 2**64 - 1)": RuntimeError,
    "_core.as_strided(x, (0, 2), (1, 2**62), 0)": RuntimeError,
    "_core.as_strided(x, (1,), (2**62,), 0)": RuntimeError,
    "_core.as_strided(x, (2**31, 2**31), (2**33, 2**33), 0)": RuntimeError,
    "weft.from_numpy(strided(np.ones(1, 'u1'), (2**60, 4), (0, 0)))": MemoryError,
}

#: Calls that must succeed, and what they give.
FINE = {
    "weft.zeros(0, 2**58).shape": "(0, 288230376151711744)",
    "weft.zeros(0, 2**31).reshape(2**31, 0, 3).numel()": "0",
    "x[1:2:2**62].tolist()": "[1.0]",
    "_core.as_strided(x, (0,), (1,), 5).tolist()": "[]",
    "x[4:][0:0].sum().item()": "0.0",
    "wide(2**58)[5:7].tolist()": "[1.0, 1.0]",
    "wide(2**29, 2**29)[2**28, 2**28].item()": "1.0",
    "weft.from_numpy(strided(np.ones(4), (0, 5), (2**60, 8))).shape": "(0, 5)",
    "weft.from_numpy(np.broadcast_to(np.ones(1), (3, 2))).tolist()": "[[1.0, 1.0]] * 3",
    "weft.from_numpy(np.ones(4)[::-1]).tolist()": "[1.0] * 4",
    "weft.from_numpy(np.ones((2, 0, 3))[:, :, ::-1]).shape": "(2, 0, 3)",
    "weft.from_numpy(np.array([(1, 2.0), (3, 4.0)], [('a', 'i4'), ('b', 'f8')])['b']).tolist()":
        "[2.0, 4.0]",
    "weft.compile(lambda a: a.sum())(weft.ones(3, 4)[3:, 2:]).item()": "0.0",
}  # fmt: skip


def run(code):
    return limited(HEAD + code)


@pytest.fixture(scope="module")
def refusals():
    body = (
        f"for call in {list(REFUSED)!r}:\n"
        "    try:\n        eval(call)\n        print('nothing', flush=True)\n"
        "    except BaseException as error:\n"
        "        print(type(error).__name__, *str(error).splitlines()[:1], flush=True)\n"
    )
    done = run(body)
    lines = done.stdout.splitlines()
    assert done.returncode == 0, f"{list(REFUSED)[len(lines)]} ends with {done.returncode}"
    return dict(zip(REFUSED, lines, strict=True))


@pytest.mark.parametrize("call", REFUSED)
def test_what_no_memory_holds_is_refused(call, refusals):
    expected = REFUSED[call]
    names = [e.__name__ for e in (expected if isinstance(expected, tuple) else (expected,))]
    assert refusals[call].split()[0] in names, refusals[call]
    assert ":" in refusals[call]


@pytest.mark.parametrize("call", FINE)
def test_what_memory_holds_is_right(call):
    done = run(f"import weft.nn.functional as F\nassert {call} == {FINE[call]}, {call}")
    assert done.returncode == 0, done.stderr


def test_filling_a_refused_view_changes_nothing():
    done = run(
        "try:\n    weft.narrow(x, 0, 2**64 - 4, 5).fill_(7)\n"
        "except (ValueError, RuntimeError):\n    pass\nassert x.tolist() == [1.0] * 4"
    )
    assert done.returncode == 0, done.stderr


def test_a_sparse_matrix_of_absurd_width_is_refused():
    done = run(
        "for cols in (2**64 - 1, 2**63, 2**62, 2**41, -1):\n"
        "    try:\n"
        "        weft.sparse_csr_tensor([0, 0], [], weft.zeros(0), size=(1, cols))\n"
        "    except (MemoryError, ValueError, RuntimeError) as error:\n"
        "        assert 'sparse_csr_tensor' in str(error), error\n"
        "    else:\n        raise AssertionError(cols)\n"
    )
    assert done.returncode == 0, done.stderr
