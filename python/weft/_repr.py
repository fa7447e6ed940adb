"""How tensors print."""

from __future__ import annotations

import numpy as np

from weft import _core
from weft._core import Tensor


def array(input: Tensor) -> np.ndarray:
    """The elements as a numpy array that shares the tensor's memory.

    Raises:
        RuntimeError: the tensor requires a gradient.
        CompileError: inside a function that is being compiled.
    """
    if input.requires_grad:
        raise RuntimeError("numpy: the tensor requires a gradient. Use .detach().numpy()")
    _core.forbid_read(".numpy()")
    return np.asarray(memoryview(input))


def text(input: Tensor) -> str:
    """``tensor([1., 2.])``, with dtype and history where they are not the usual ones."""
    before = _core.set_unseen(True)
    try:
        values = np.array(memoryview(input.detach()))
    finally:
        _core.set_unseen(before)
    body = np.array2string(
        values,
        precision=4,
        separator=", ",
        prefix="tensor(",
        floatmode="maxprec_equal",
        threshold=1000,
    )
    notes = ""
    if input.dtype.name not in ("float32", "int64", "bool"):
        notes += f", dtype={input.dtype}"
    if values.size == 0 and len(input.shape) > 1:
        notes += f", size={input.shape}"
    if input.grad_fn is not None:
        notes += f", grad_fn=<{input.grad_fn.name()}>"
    elif input.requires_grad:
        notes += ", requires_grad=True"
    return f"tensor({body}{notes})"
