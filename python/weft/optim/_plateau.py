"""A learning rate that follows a metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from weft._check import real
from weft._core import Tensor
from weft.optim._group import ParamGroup
from weft.optim.optimizer import Optimizer


def copy_of(lr: Any) -> Any:
    """A rate that no later change reaches."""
    return lr.clone() if isinstance(lr, Tensor) else lr


def set_rate(group: ParamGroup, lr: Any) -> None:
    """Give ``group`` another rate; one that is a tensor is written in place."""
    if isinstance(group["lr"], Tensor):
        group["lr"].fill_(lr)
    else:
        group["lr"] = lr


class ReduceLROnPlateau:
    """Multiplies the rate by ``factor`` when a metric has not improved for ``patience`` epochs.

    Args:
        optimizer: whose groups are changed.
        mode: ``"min"`` or ``"max"``: which way the metric improves.
        factor: below 1.
        patience: epochs without improvement that are tolerated.
        threshold: how much better counts as better.
        threshold_mode: ``"rel"`` (a fraction of the best value) or ``"abs"``.
        cooldown: epochs after a reduction that are not counted.
        min_lr: the lowest rate, one for all groups or one for each.
        eps: reductions smaller than this are not made.

    Raises:
        ValueError: an option is out of range.

    Example:
        >>> import weft
        >>> opt = weft.optim.SGD([weft.zeros(1, requires_grad=True)], lr=1.0)
        >>> sched = weft.optim.lr_scheduler.ReduceLROnPlateau(opt, patience=0)
        >>> sched.step(1.0); sched.step(2.0); sched.get_last_lr()
        [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float | Sequence[float] = 0,
        eps: float = 1e-8,
    ) -> None:
        """Keep the options."""
        name = "ReduceLROnPlateau"
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: needs an Optimizer, got {type(optimizer).__name__}")
        for key, value in (("patience", patience), ("threshold", threshold), ("eps", eps)):
            real(name, key, value)
        if not real(name, "factor", factor) < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}")
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError(
                "ReduceLROnPlateau: expected mode 'min' or 'max' and threshold_mode 'rel' or "
                f"'abs', got {mode!r} and {threshold_mode!r}"
            )
        count = len(optimizer.param_groups)
        self.default_min_lr: float | None = None
        if isinstance(min_lr, (list, tuple)):
            self.min_lrs = [real(name, "min_lr", lowest) for lowest in min_lr]
        else:
            self.default_min_lr = float(real(name, "min_lr", min_lr))
            self.min_lrs = [self.default_min_lr] * count
        if len(self.min_lrs) != count:
            raise ValueError(f"ReduceLROnPlateau: expected {count} min_lr, got {len(self.min_lrs)}")
        self.optimizer, self.mode, self.factor, self.patience = optimizer, mode, factor, patience
        self.threshold, self.threshold_mode, self.cooldown = threshold, threshold_mode, cooldown
        self.eps, self.last_epoch = eps, 0
        self.best = inf if mode == "min" else -inf
        self.num_bad_epochs = self.cooldown_counter = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def is_better(self, a: float, best: float) -> bool:
        """Whether ``a`` improves on ``best`` by more than the threshold.

        Relative thresholds are torch's ``best * (1 - threshold)``, or ``1 + threshold`` for
        ``"max"``: below zero they ask for less than equality.
        """
        sign = 1.0 if self.mode == "min" else -1.0
        if self.threshold_mode == "rel":
            return sign * a < sign * (best * (1.0 - sign * self.threshold))
        return sign * a < sign * best - self.threshold

    def step(self, metrics: Any, epoch: int | None = None) -> None:
        """Take the epoch's metric (a number or a 0-dim tensor) into account.

        ``epoch`` (for torch's sake) is only remembered.
        """
        current = float(metrics)
        self._follow_groups()
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(current, self.best):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter, self.num_bad_epochs = self.cooldown_counter - 1, 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        self._last_lr = [copy_of(group["lr"]) for group in self.optimizer.param_groups]

    def _reduce(self) -> None:
        for group, lowest in zip(self.optimizer.param_groups, self.min_lrs, strict=True):
            old = float(group["lr"])
            new = max(old * self.factor, lowest)
            if old - new > self.eps:
                set_rate(group, new)

    def _follow_groups(self) -> None:
        """Give groups that were added later their lowest rate."""
        count = len(self.optimizer.param_groups)
        if len(self.min_lrs) == count:
            return
        if self.default_min_lr is None:
            raise RuntimeError(
                f"ReduceLROnPlateau: expected {count} min_lrs, got {len(self.min_lrs)}. "
                "Set min_lrs after adding a group"
            )
        self.min_lrs = [self.default_min_lr] * count

    def get_last_lr(self) -> list[float]:
        """The rates after the last step."""
        return self._last_lr

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimiser."""
        return {key: value for key, value in vars(self).items() if key != "optimizer"}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        load_attributes(self, state_dict)


def load_attributes(scheduler: Any, state: Mapping[str, Any]) -> None:
    """Set the attributes that ``state`` holds.

    Raises:
        TypeError: ``state`` is no mapping.
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"{type(scheduler).__name__}.load_state_dict: needs a mapping, "
            f"got {type(state).__name__}"
        )
    vars(scheduler).update(state)
