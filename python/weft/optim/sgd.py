"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from weft import _core
from weft._check import flag, real
from weft._core import Tensor
from weft.optim._group import ParamGroup
from weft.optim._params import check_numbers
from weft.optim.optimizer import Optimizer


class SGD(Optimizer):
    """``p -= lr * v`` with ``v = momentum * v + (1 - dampening) * (grad + weight_decay * p)``.

    On the first step ``v`` is the gradient. Momentum as in Sutskever et al., ICML 2013, in torch's
    form. ``foreach`` and ``fused`` are accepted and change nothing: the update is always fused.

    Raises:
        ValueError: a value is out of range, or Nesterov without momentum or with dampening.

    Example:
        >>> import weft
        >>> w = weft.tensor([1.0], requires_grad=True)
        >>> opt = weft.optim.SGD([w], lr=0.25)
        >>> (w * w).sum().backward()
        >>> opt.step(); w.tolist()
        [0.5]
    """

    _native = staticmethod(_core.sgd_)
    _slots = ("momentum_buffer",)
    _saves_step = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        """Make the state and keep the hyperparameters."""
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _check(self, group: ParamGroup) -> None:
        check_numbers("SGD", group, ("lr", "momentum", "weight_decay"))
        real("SGD", "dampening", group["dampening"])
        if isinstance(group["momentum"], Tensor):
            raise TypeError("SGD: momentum expected to be a Python number, got a tensor")
        for key in ("nesterov", "maximize"):
            flag("SGD", key, group[key])
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0 and a dampening of 0")

    def _active(self, group: ParamGroup) -> tuple[str, ...]:
        return self._slots if group["momentum"] != 0 else ()

    def _slot_added(self, state: dict[str, Any]) -> None:
        """A momentum buffer begins as the gradient of its first step, whenever that is."""
        state["step"].zero_()

    def _slots_left(self, state: dict[str, Any]) -> None:
        """Steps without momentum count, so a buffer that none has begun must be made anew."""
        if state["step"].item() == 0:
            state.pop("momentum_buffer", None)

    def _hyper(self, group: ParamGroup) -> tuple[Any, ...]:
        keys = ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize")
        return tuple(group[key] for key in keys)
