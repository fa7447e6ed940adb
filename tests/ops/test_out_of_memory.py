"""With no memory left every operation raises MemoryError and changes nothing: under a real limit,
in a child process, because Linux hands out more than it has."""

import pytest
from tests.hunt.child import limited

#: Setting up, what runs without memory, and what must be as it was.
CALLS = {
    "nonzero": ("x = weft.ones(1500, 1500)", "x.nonzero()"),
    "mask": ("x = weft.ones(1500, 1500).t()", "x[x > 0]"),
    "masked_select": ("x = weft.ones(1500, 1500)", "weft.masked_select(x, x > 0)"),
    "gather": (
        "x = weft.ones(1500, 1500); i = weft.zeros(1500, 1500, dtype=weft.int64)",
        "x.gather(0, i)",
    ),
    "scatter": (
        "x = weft.ones(1500, 1500); i = weft.zeros(1500, 1500, dtype=weft.int64)",
        "x.scatter(0, i, x)",
    ),
    "scatter_add": (
        "x = weft.ones(1500, 1500).t(); i = weft.zeros(1500, 1500, dtype=weft.int64)",
        "x.scatter_add(0, i, x)",
    ),
    "softmax": ("x = weft.ones(1500, 1500).t()", "x.softmax(0)"),
    "log_softmax": ("x = weft.ones(1500, 1500).t()", "x.log_softmax(1)"),
    "logsumexp": ("x = weft.ones(1500, 1500)", "x.logsumexp(0)"),
    "cumsum": ("x = weft.ones(1500, 1500).t()", "x.cumsum(0)"),
    "layer_norm": ("x = weft.ones(1500, 1500).t()", "F.layer_norm(x, (1500,))"),
    "cross_entropy": (
        "x = weft.ones(1500, 1500).t(); t = weft.zeros(1500, dtype=weft.int64)",
        "F.cross_entropy(x, t)",
    ),
    "spmm": (
        "x = weft.ones(1500, 1500).t(); a = weft.sparse_csr_tensor([0, 1], [0], [1.0], (1, 1500));"
        "a = weft.sparse_csr_tensor(list(range(1501)), [0] * 1500, weft.ones(1500), (1500, 1500))",
        "a @ x",
    ),
    "matmul": ("x = weft.ones(1500, 1500)", "x @ x.t()"),
    "sum": ("x = weft.ones(1500000, 2)", "x.sum(1)"),
    "add": ("x = weft.ones(1500, 1500)", "x + x.t()"),
    "in place": ("x = weft.ones(1500, 1500)", "x.add_(x.t())"),
    "sort of indexing": ("x = weft.ones(1500, 1500)", "x[weft.arange(1500).flip(0)]"),
    "draw": ("x = weft.ones(1500, 1500)", "weft.randn(1500, 1500)"),
    "backward": (
        "x = weft.ones(1500, 1500).requires_grad_(); y = (x.t().softmax(0) * x).sum()",
        "y.backward(retain_graph=True)",
    ),
    "backward of a mean": (
        "x = weft.ones(1500, 1500).requires_grad_(); y = x.square().mean()",
        "y.backward(retain_graph=True)",
    ),
    "plan": (
        "x = weft.ones(1500, 1500)\nf = weft.compile(lambda x: x.t().softmax(0) @ x)\n"
        "for _ in range(3): f(x)",
        "f(x), f(x), [f(x) for _ in range(9)]",
    ),
}

CODE = """
import gc, resource, weft, weft.nn.functional as F
from weft import _core
weft.set_num_threads(1)
weft.ones(64, 64) @ weft.ones(64, 64)
{setup}
gc.collect()
before = x.detach().sum().item(), x._version, x.grad, _core.random_state()
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (1 << 20)
_, most = resource.getrlimit(resource.RLIMIT_AS)
resource.setrlimit(resource.RLIMIT_AS, (limit, most))
keep = []
try:
    for _ in range(64):
        keep.append(({call}))
except MemoryError as error:
    found = str(error)
else:
    found = "no error"
keep.clear()
resource.setrlimit(resource.RLIMIT_AS, (most, most))
after = x.detach().sum().item(), x._version, x.grad, _core.random_state()
assert {loose} or after == before, (before, after)
{call}
print(found)
"""


@pytest.mark.parametrize("name", CALLS)
def test_memory_error(name):
    setup, call = CALLS[name]
    loose = (
        name in ("in place", "draw") or "backward" in name
    )  # several calls, of which some end well
    done = limited(CODE.format(setup=setup, call=call, loose=loose), memory=1 << 40)
    assert done.returncode == 0, done.stderr
    assert ": no memory for" in done.stdout, done.stdout
