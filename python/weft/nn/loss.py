"""Losses as modules; the arithmetic is in :mod:`weft.nn.functional`."""

from __future__ import annotations

from weft import functional as F
from weft._core import Tensor
from weft.nn.module import Module


class _Loss(Module):
    """Holds ``reduction``: ``"mean"``, ``"sum"`` or ``"none"``."""

    def __init__(self, reduction: str = "mean") -> None:
        """Choose the reduction.

        Raises:
            ValueError: it is none of the three.
        """
        super().__init__()
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(
                f"{type(self).__name__}: reduction must be 'mean', 'sum' or 'none', "
                f"got {reduction!r}"
            )
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a weight per class, kept as a buffer."""

    weight: Tensor | None

    def __init__(self, weight: Tensor | None = None, reduction: str = "mean") -> None:
        """Keep the weights."""
        super().__init__(reduction)
        self.register_buffer("weight", weight)


class CrossEntropyLoss(_WeightedLoss):
    """Cross entropy of logits ``[N, C]`` with int64 classes ``[N]`` or probabilities ``[N, C]``.

    Example:
        >>> import weft
        >>> loss = weft.nn.CrossEntropyLoss()(weft.zeros(2, 4), weft.tensor([0, 3]))
        >>> round(loss.item(), 4)
        1.3863
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        """Set weights, the class to ignore and the smoothing (0 to 1)."""
        super().__init__(weight, reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare logits with targets."""
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class NLLLoss(_WeightedLoss):
    """Negative log-likelihood of log-probabilities ``[N, C]`` and int64 classes ``[N]``.

    Example:
        >>> import weft
        >>> weft.nn.NLLLoss()(weft.tensor([[-1.0, -2.0]]), weft.tensor([1])).item()
        2.0
    """

    def __init__(
        self, weight: Tensor | None = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        """Set weights and the class to ignore."""
        super().__init__(weight, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare log-probabilities with classes."""
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class MSELoss(_Loss):
    """Squared difference of two tensors of one shape.

    Example:
        >>> import weft
        >>> weft.nn.MSELoss()(weft.zeros(2), weft.tensor([2.0, 0.0])).item()
        2.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare values."""
        return F.mse_loss(input, target, reduction=self.reduction)


class L1Loss(_Loss):
    """Absolute difference of two tensors of one shape.

    Example:
        >>> import weft
        >>> weft.nn.L1Loss()(weft.zeros(2), weft.tensor([2.0, 0.0])).item()
        1.0
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare values."""
        return F.l1_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """Squared near zero, absolute beyond ``beta`` (Girshick, "Fast R-CNN", 2015).

    Example:
        >>> import weft
        >>> weft.nn.SmoothL1Loss()(weft.zeros(1), weft.tensor([2.0])).item()
        1.5
    """

    def __init__(self, reduction: str = "mean", beta: float = 1.0) -> None:
        """Set where the two forms meet."""
        super().__init__(reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare values."""
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """Half the square near zero, ``delta (|d| - delta/2)`` beyond ``delta`` (Huber, 1964).

    Example:
        >>> import weft
        >>> weft.nn.HuberLoss()(weft.zeros(1), weft.tensor([2.0])).item()
        1.5
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        """Set where the two forms meet."""
        super().__init__(reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare values."""
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class BCELoss(_WeightedLoss):
    """Cross entropy of probabilities in 0 .. 1 and targets in 0 .. 1, of one shape.

    Example:
        >>> import weft
        >>> loss = weft.nn.BCELoss()(weft.tensor([0.5]), weft.tensor([1.0]))
        >>> round(loss.item(), 4)
        0.6931
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare probabilities."""
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """``BCELoss`` of ``sigmoid(input)``, computed so that it cannot overflow.

    Example:
        >>> import weft
        >>> loss = weft.nn.BCEWithLogitsLoss()(weft.zeros(1), weft.ones(1))
        >>> round(loss.item(), 4)
        0.6931
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        """Keep the weights."""
        super().__init__(weight, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare logits with probabilities."""
        return F.binary_cross_entropy_with_logits(
            input, target, weight=self.weight, reduction=self.reduction, pos_weight=self.pos_weight
        )


class KLDivLoss(_Loss):
    """Kullback-Leibler divergence of targets from log-probabilities ``input``, pointwise.

    Args:
        reduction: ``"mean"``, ``"sum"``, ``"none"`` or ``"batchmean"`` (sum over the batch size,
            which is the mathematical definition).
        log_target: whether targets are log-probabilities too.

    Example:
        >>> import weft
        >>> p = weft.tensor([[0.5, 0.5]])
        >>> weft.nn.KLDivLoss(reduction="batchmean")(p.log(), p).item()
        0.0
    """

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        """Choose reduction and the form of the targets."""
        super().__init__("mean" if reduction == "batchmean" else reduction)
        self.reduction, self.log_target = reduction, log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        """Compare log-probabilities with targets."""
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
