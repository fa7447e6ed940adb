"""Learning rates that change while training. Call ``step()`` after the optimiser's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import cos, pi
from types import FunctionType
from typing import Any

from weft._check import real, whole
from weft.optim._group import ParamGroup
from weft.optim._plateau import ReduceLROnPlateau, copy_of, load_attributes, set_rate
from weft.optim.optimizer import Optimizer

__all__ = [
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "ReduceLROnPlateau",
    "StepLR",
]


class LRScheduler:
    """Sets ``lr`` of every group at each :meth:`step`; a subclass says to what (:meth:`get_lr`).

    Like torch's, schedulers work on the present ``lr``, so several can be chained. A scheduler
    steps outside of compiled functions, which see the new value at their next call.

    Args:
        optimizer: whose groups are changed.
        last_epoch: the number of steps already made; -1 starts afresh.

    A rate that is a tensor is written in place.

    Raises:
        TypeError: ``optimizer`` is no optimiser.
        KeyError: ``last_epoch`` is given but a group has no ``initial_lr``.
    """

    _initial: bool = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        """Remember the initial rates and make the first step."""
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: needs an Optimizer, got {type(optimizer).__name__}")
        self.optimizer, self.last_epoch = optimizer, whole(name, "last_epoch", last_epoch)
        fresh = [group for group in optimizer.param_groups if "initial_lr" not in group]
        for number, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", copy_of(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(f"{name}: group {number} has no 'initial_lr' to resume from")
        self.base_lrs: list[float] = [copy_of(g["initial_lr"]) for g in optimizer.param_groups]
        self._last_lr: list[float] = []
        self._step_count = 0
        self._initial = True
        try:
            self.step()
        except BaseException:
            for group in fresh:
                del group["initial_lr"]
            raise
        del self._initial

    @property
    def _groups(self) -> list[ParamGroup]:
        return self.optimizer.param_groups

    @property
    def _present(self) -> list[float]:
        return [group["lr"] for group in self._groups]

    def get_lr(self) -> list[float]:
        """The rates that the present step sets, one for each group."""
        raise NotImplementedError(f'LRScheduler: {type(self).__name__} has no "get_lr" method')

    def get_last_lr(self) -> list[float]:
        """The rates that the last step set."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch, or to the given one.

        Which rates a given epoch has does not depend on the steps before it, if the subclass has
        a closed form (``_get_closed_form_lr``, as in torch).
        """
        before, name = (self.last_epoch, self._step_count), f"{type(self).__name__}.step"
        closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
        self._step_count += 1
        try:
            self.last_epoch = before[0] + 1 if epoch is None else whole(name, "epoch", epoch)
            pairs = list(zip(self._groups, (closed or self.get_lr)(), strict=True))
        except BaseException as error:
            self.last_epoch, self._step_count = before
            if isinstance(error, OverflowError):
                what = "expected rates that fit a float, got a larger number"
                raise ValueError(f"{name}: {what}. Look at gamma and the factors") from None
            raise
        for group, lr in pairs:
            set_rate(group, lr)
        self._last_lr = [copy_of(lr) for lr in self._present]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimiser and functions."""
        return {k: v for k, v in vars(self).items() if k != "optimizer" and not callable(v)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        load_attributes(self, state_dict)


_LRScheduler = LRScheduler


class LambdaLR(LRScheduler):
    """The initial rate times a function of the epoch (one for all groups, or one for each).

    Raises:
        ValueError: the number of functions is not that of the groups.

    Example:
        >>> import weft
        >>> opt = weft.optim.SGD([weft.zeros(1, requires_grad=True)], lr=0.5)
        >>> sched = weft.optim.lr_scheduler.LambdaLR(opt, lambda epoch: 0.5**epoch)
        >>> sched.step(); sched.get_last_lr()
        [0.25]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
        last_epoch: int = -1,
    ) -> None:
        """Keep the functions; they are not part of the saved state."""
        count = len(optimizer.param_groups)
        self.lr_lambdas = [lr_lambda] * count if callable(lr_lambda) else list(lr_lambda)
        if not all(map(callable, self.lr_lambdas)):
            raise TypeError("LambdaLR: expected functions of the epoch")
        if len(self.lr_lambdas) != count:
            raise ValueError(
                f"LambdaLR: expected {count} functions, one for each group, "
                f"got {len(self.lr_lambdas)}"
            )
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """Initial rates times the functions' values."""
        pairs = zip(self.base_lrs, self.lr_lambdas, strict=True)
        return [base * factor(self.last_epoch) for base, factor in pairs]

    def state_dict(self) -> dict[str, Any]:
        """All attributes but the optimiser; of callable objects their attributes."""
        kept = [None if isinstance(f, FunctionType) else dict(vars(f)) for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": kept}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave; functions stay as they are."""
        kept = state_dict.get("lr_lambdas", [None] * len(self.lr_lambdas))
        if len(kept) != len(self.lr_lambdas):
            raise ValueError(
                f"LambdaLR.load_state_dict: expected {len(self.lr_lambdas)} functions, "
                f"got {len(kept)}"
            )
        super().load_state_dict({k: v for k, v in state_dict.items() if k != "lr_lambdas"})
        for function, attributes in zip(self.lr_lambdas, kept, strict=True):
            if attributes is not None:
                vars(function).update(attributes)


class StepLR(LRScheduler):
    """Multiplies the rate by ``gamma`` every ``step_size`` epochs.

    Example:
        >>> import weft
        >>> opt = weft.optim.SGD([weft.zeros(1, requires_grad=True)], lr=1.0)
        >>> sched = weft.optim.lr_scheduler.StepLR(opt, step_size=2, gamma=0.5)
        >>> sched.step(); sched.step(); sched.get_last_lr()
        [0.5]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        """Set the pace."""
        if not real("StepLR", "step_size", step_size) >= 1:
            raise ValueError(f"StepLR: step_size must be 1 or more, got {step_size}")
        self.step_size, self.gamma = step_size, real("StepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The present rates, reduced at multiples of ``step_size``."""
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._present
        return [lr * self.gamma for lr in self._present]

    def _get_closed_form_lr(self) -> list[float]:
        factor = self.gamma ** (self.last_epoch // self.step_size)
        return [base * factor for base in self.base_lrs]


class MultiStepLR(LRScheduler):
    """Multiplies the rate by ``gamma`` at each of the ``milestones``.

    Example:
        >>> import weft
        >>> opt = weft.optim.SGD([weft.zeros(1, requires_grad=True)], lr=1.0)
        >>> sched = weft.optim.lr_scheduler.MultiStepLR(opt, milestones=[1, 3], gamma=0.5)
        >>> sched.step(); sched.get_last_lr()
        [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        """Set the epochs; one that occurs twice counts twice."""
        self.milestones = Counter(whole("MultiStepLR", "milestones", at) for at in milestones)
        self.gamma = real("MultiStepLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The present rates, reduced at milestones."""
        if self.last_epoch not in self.milestones:
            return self._present
        factor = self.gamma ** self.milestones[self.last_epoch]
        return [lr * factor for lr in self._present]

    def _get_closed_form_lr(self) -> list[float]:
        passed = sum(milestone <= self.last_epoch for milestone in self.milestones.elements())
        return [base * self.gamma**passed for base in self.base_lrs]


class ExponentialLR(LRScheduler):
    """Multiplies the rate by ``gamma`` every epoch.

    Example:
        >>> import weft
        >>> opt = weft.optim.SGD([weft.zeros(1, requires_grad=True)], lr=1.0)
        >>> sched = weft.optim.lr_scheduler.ExponentialLR(opt, gamma=0.5)
        >>> sched.step(); sched.step(); sched.get_last_lr()
        [0.25]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        """Set the factor."""
        self.gamma = real("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The present rates, reduced."""
        if self._initial:
            return self._present
        return [lr * self.gamma for lr in self._present]

    def _get_closed_form_lr(self) -> list[float]:
        return [base * self.gamma**self.last_epoch for base in self.base_lrs]


class LinearLR(LRScheduler):
    """Scales the rate by a factor that goes linearly from ``start_factor`` to ``end_factor``.

    Example:
        >>> import weft
        >>> opt = weft.optim.SGD([weft.zeros(1, requires_grad=True)], lr=1.0)
        >>> sched = weft.optim.lr_scheduler.LinearLR(opt, start_factor=0.5, total_iters=2)
        >>> sched.step(); sched.get_last_lr()
        [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        """Set both ends and the number of epochs between them."""
        if not 0 < real("LinearLR", "start_factor", start_factor) <= 1:
            raise ValueError(f"LinearLR: start_factor must be in (0, 1], got {start_factor}")
        if not 0 <= real("LinearLR", "end_factor", end_factor) <= 1:
            raise ValueError(f"LinearLR: end_factor must be in [0, 1], got {end_factor}")
        self.start_factor, self.end_factor, self.total_iters = start_factor, end_factor, total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The present rates, moved one epoch on."""
        if self.last_epoch == 0:
            return [lr * self.start_factor for lr in self._present]
        if self._initial or self.last_epoch > self.total_iters:
            return self._present
        rise = self.end_factor - self.start_factor
        base = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return [lr * (1.0 + rise / base) for lr in self._present]

    def _get_closed_form_lr(self) -> list[float]:
        rise, total = self.end_factor - self.start_factor, self.total_iters
        factor = self.start_factor + (rise * min(total, self.last_epoch) / total if total else 0)
        return [base * factor for base in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """From the initial rate to ``eta_min`` along half a cosine of ``T_max`` epochs.

    Loshchilov, Hutter, "SGDR", ICLR 2017, without restarts; after ``T_max`` the rate rises again.

    Example:
        >>> import weft
        >>> opt = weft.optim.SGD([weft.zeros(1, requires_grad=True)], lr=1.0)
        >>> sched = weft.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=2)
        >>> sched.step(); round(sched.get_last_lr()[0], 6)
        0.5
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        """Set the length and the lowest rate."""
        if not real("CosineAnnealingLR", "T_max", T_max) > 0:
            raise ValueError(f"CosineAnnealingLR: T_max must be above 0, got {T_max}")
        self.T_max, self.eta_min = T_max, real("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        """The present rates, moved one epoch on."""
        epoch, top = self.last_epoch, self.T_max
        if self._initial:
            return self._present
        if (epoch - 1 - top) % (2 * top) == 0:
            rise = (1 - cos(pi / top)) / 2
            pairs = zip(self.base_lrs, self._present, strict=True)
            return [lr + (base - self.eta_min) * rise for base, lr in pairs]
        factor = (1 + cos(pi * epoch / top)) / (1 + cos(pi * (epoch - 1) / top))
        return [factor * (lr - self.eta_min) + self.eta_min for lr in self._present]

    def _get_closed_form_lr(self) -> list[float]:
        share = (1 + cos(pi * self.last_epoch / self.T_max)) / 2
        return [self.eta_min + (base - self.eta_min) * share for base in self.base_lrs]
