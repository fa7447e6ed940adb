"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from weft import _core
from weft._check import flag, real
from weft.optim._group import ParamGroup
from weft.optim._params import check_numbers
from weft.optim.optimizer import Optimizer


class Adam(Optimizer):
    """Steps scaled by running means of gradient and squared gradient, both corrected for bias.

    Kingma, Ba, "Adam", ICLR 2015; ``amsgrad`` from Reddi et al., ICLR 2018. Weight decay is added
    to the gradient. ``foreach`` and ``fused`` are accepted and change nothing: the update is always
    fused.

    Raises:
        ValueError: a value is out of range.

    Example:
        >>> import weft
        >>> w = weft.tensor([1.0], requires_grad=True)
        >>> opt = weft.optim.Adam([w], lr=0.5)
        >>> (w * w).sum().backward()
        >>> opt.step(); round(w.item(), 4)
        0.5
    """

    _native = staticmethod(_core.adam_)
    _slots = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")
    _decoupled: ClassVar[bool] = False

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        """Make the state and keep the hyperparameters."""
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _check(self, group: ParamGroup) -> None:
        name = type(self).__name__
        check_numbers(name, group, ("lr", "eps", "weight_decay"))
        for key in ("amsgrad", "maximize"):
            flag(name, key, group[key])
        betas = group["betas"]
        if not isinstance(betas, (tuple, list)):
            raise TypeError(f"{name}: betas expected to be a pair, got {type(betas).__name__}")
        if len(betas) != 2 or not all(0 <= real(name, "betas", beta) < 1 for beta in betas):
            raise ValueError(
                f"{name}: betas are out of range, expected two in [0, 1), got {group['betas']}"
            )

    def _active(self, group: ParamGroup) -> tuple[str, ...]:
        return self._slots if group["amsgrad"] else self._slots[:2]

    def _hyper(self, group: ParamGroup) -> tuple[Any, ...]:
        beta1, beta2 = group["betas"]
        rest = (group["eps"], group["weight_decay"], self._decoupled, group["maximize"])
        return (group["lr"], beta1, beta2, *rest)


class AdamW(Adam):
    """Adam with weight decay that shrinks the weights directly: ``p *= 1 - lr * weight_decay``.

    Loshchilov, Hutter, "Decoupled Weight Decay Regularization", ICLR 2019.

    Raises:
        ValueError: a value is out of range.

    Example:
        >>> import weft
        >>> w = weft.tensor([1.0], requires_grad=True)
        >>> opt = weft.optim.AdamW([w], lr=0.5, weight_decay=0.0)
        >>> (w * w).sum().backward()
        >>> opt.step(); round(w.item(), 4)
        0.5
    """

    _decoupled = True

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        fused: bool | None = None,
    ) -> None:
        """Make the state and keep the hyperparameters."""
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            foreach=foreach,
            fused=fused,
        )
