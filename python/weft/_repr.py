"""How tensors print."""

from __future__ import annotations

import numpy as np

from weft import _core, _watch
from weft._core import Tensor
from weft._types import bfloat16, float32


def array(input: Tensor) -> np.ndarray:
    """The elements as a numpy array that shares the tensor's memory.

    Raises:
        RuntimeError: the tensor requires a gradient, and gradients are on.
        CompileError: inside a function that is being compiled.
    """
    if input.requires_grad and _core.is_grad_enabled():
        raise RuntimeError("numpy: the tensor requires a gradient. Use .detach().numpy()")
    if input.dtype is bfloat16:
        raise TypeError("numpy: no dtype of numpy for bfloat16, expected another. Use .float()")
    _core.forbid_read(".numpy()")
    return np.asarray(memoryview(input))


def text(input: Tensor) -> str:
    """``tensor([1., 2.])``, with dtype and history where they are not the usual ones."""
    watch = _watch.current()
    if watch is not None:
        watch.effects.shows()
    before = _core.set_unseen(True)
    try:
        shown = input.detach()
        shown = _core.cast(shown, float32) if input.dtype is bfloat16 else shown
        values = np.array(memoryview(shown))
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
    if input.dtype.name not in ("float32", "int64", "bool", "complex64"):
        notes += f", dtype={input.dtype}"
    if values.size == 0 and len(input.shape) > 1:
        notes += f", size={input.shape}"
    notes += _history(input)
    return f"tensor({body}{notes})"


def _history(input: Tensor) -> str:
    try:
        maker = input.grad_fn
    except RuntimeError:
        return ", grad_fn=<Invalid>"
    if maker is not None:
        return f", grad_fn=<{maker.name()}>"
    return ", requires_grad=True" if input.requires_grad else ""
