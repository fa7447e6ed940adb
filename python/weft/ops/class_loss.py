"""Losses of ``weft.nn.functional`` on scores of classes. Names and arguments are torch's."""

from __future__ import annotations

from weft import _core
from weft._check import not_tensors, real, same_shape, whole
from weft._core import Tensor
from weft._public import public
from weft.ops.loss import reduced
from weft.ops.reduce import log_softmax, sum
from weft.ops.select import where

__all__: list[str] = []


def _rows(input: Tensor, target: Tensor, name: str) -> tuple[Tensor, Tensor]:
    """Scores as [N, C] and classes as [N]."""
    if input.ndim == 1 and target.ndim < 2:
        return _core.reshape(input, (1, -1)), _core.reshape(target, (-1,))
    if input.ndim == 2:
        return input, target
    if target.shape != (input.shape[0], *input.shape[2:]):
        raise RuntimeError(
            f"{name}: expected scores [N, C, *] and classes [N, *], "
            f"got {input.shape} and {target.shape}"
        )
    order = (0, *range(2, input.ndim), 1)
    return _core.reshape(_core.permute(input, order), (-1, input.shape[1])), _core.reshape(
        target, (-1,)
    )


def _check_weight(name: str, weight: Tensor, classes: int) -> None:
    if weight.shape != (classes,):
        raise RuntimeError(
            f"{name}: weight expected to have one number for each of {classes} classes, "
            f"got shape {weight.shape}"
        )


def _class_loss(
    name: str,
    input: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
) -> Tensor:
    scores, classes = _rows(input, target, name)
    if weight is None:
        out = _core.class_loss(name, scores, classes, ignore_index, reduction)
    else:
        _check_weight(name, weight, scores.shape[-1])
        rows = _core.class_loss(name, scores, classes, ignore_index, "none")
        counts = classes != ignore_index
        share = where(
            counts, _core.index("index_select", weight, 0, where(counts, classes, 0)), 0.0
        )
        rows = rows * share
        out = sum(rows) / sum(share) if reduction == "mean" else reduced(rows, reduction, name)
    if reduction == "none" and target.ndim != 1:
        return _core.reshape(out, target.shape)
    return out


@public(where=("nn.functional",))
def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross entropy of scores ``[N, C, *]`` with classes (int64 ``[N, *]``) or probabilities.

    Raises:
        IndexError: a class lies outside ``0..C`` and is not ``ignore_index``.

    Example:
        >>> F.cross_entropy(weft.zeros(1, 2), weft.tensor([1]))
        tensor(0.6931)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("cross_entropy", input=input, target=target)
    if (
        label_smoothing != 0.0
        and not 0 <= real("cross_entropy", "label_smoothing", label_smoothing) <= 1
    ):
        raise RuntimeError(
            f"cross_entropy: expected 0 <= label_smoothing <= 1, got {label_smoothing}"
        )
    if target.dtype.is_floating_point:
        if whole("cross_entropy", "ignore_index", ignore_index) >= 0:
            raise RuntimeError(
                f"cross_entropy: probabilities have no class to ignore, got {ignore_index}"
            )
        return _soft_cross_entropy(input, target, weight, reduction, label_smoothing)
    hard = _class_loss("cross_entropy", input, target, weight, ignore_index, reduction)
    if label_smoothing == 0.0:
        return hard
    scores, classes = _rows(input, target, "cross_entropy")
    logp = log_softmax(scores, 1)
    spread = -sum(logp if weight is None else logp * weight, 1) / scores.shape[1]
    counts = classes != ignore_index
    spread = where(counts, spread, 0.0)
    if reduction == "mean":
        if weight is None:
            total = sum(counts.to(scores.dtype))
        else:
            safe = where(counts, classes, 0)
            total = sum(where(counts, _core.index("index_select", weight, 0, safe), 0.0))
        smooth = sum(spread) / total
    else:
        smooth = reduced(spread, reduction, "cross_entropy")
        smooth = smooth if reduction == "sum" else _core.reshape(smooth, hard.shape)
    return (1 - label_smoothing) * hard + label_smoothing * smooth


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, reduction: str, smoothing: float
) -> Tensor:
    dim = 0 if input.ndim == 1 else 1
    classes = input.shape[dim]
    same_shape("cross_entropy", input, target)
    aim = target if smoothing == 0.0 else target * (1 - smoothing) + smoothing / (classes or 1)
    logp = log_softmax(input, dim)
    if weight is not None:
        _check_weight("cross_entropy", weight, classes)
        logp = logp * _core.reshape(weight, [-1 if d == dim else 1 for d in range(input.ndim)])
    rows = -sum(logp * aim, dim)
    if reduction == "mean":
        return sum(rows) / (rows.numel() if classes else 0)
    return reduced(rows, reduction, "cross_entropy")


@public(where=("nn.functional",))
def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """Minus the log-probability, ``[N, C, *]``, of each class in ``target``.

    Example:
        >>> F.nll_loss(weft.tensor([[-1.0, -2.0]]), weft.tensor([1]))
        tensor(2.)
    """
    if not (isinstance(input, Tensor) and isinstance(target, Tensor)):
        raise not_tensors("nll_loss", input=input, target=target)
    return _class_loss("nll_loss", input, target, weight, ignore_index, reduction)
