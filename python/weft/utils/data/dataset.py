"""Collections of samples."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from math import floor
from typing import Any, Generic, TypeVar

import numpy as np

import weft
from weft._core import Tensor

T = TypeVar("T")


class Dataset(Generic[T]):
    """Samples by position: a subclass defines ``__getitem__`` and ``__len__``.

    Example:
        >>> from weft.utils.data import Dataset
        >>> class Squares(Dataset):
        ...     def __len__(self): return 4
        ...     def __getitem__(self, i): return i * i
        >>> len(Squares() + Squares())
        8
    """

    def __getitem__(self, index: Any) -> T:
        """One sample."""
        raise NotImplementedError(f'Dataset: {type(self).__name__} has no "__getitem__"')

    def __add__(self, other: Dataset[T]) -> ConcatDataset[T]:
        """Both, one after the other."""
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T]):
    """Samples in a stream: a subclass defines ``__iter__``."""

    def __iter__(self) -> Iterator[T]:
        """Start the stream."""
        raise NotImplementedError(f'IterableDataset: {type(self).__name__} has no "__iter__"')


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of one length; sample ``i`` is the tuple of their rows ``i``.

    Raises:
        ValueError: no tensors, or lengths that differ.

    Example:
        >>> import weft
        >>> data = weft.utils.data.TensorDataset(weft.zeros(3, 2), weft.tensor([7, 8, 9]))
        >>> len(data), data[1][1].item()
        (3, 8)
    """

    def __init__(self, *tensors: Tensor) -> None:
        """Hold the tensors."""
        if not all(isinstance(tensor, Tensor) for tensor in tensors):
            kinds = ", ".join(type(tensor).__name__ for tensor in tensors)
            raise TypeError(f"TensorDataset: expected tensors, got {kinds}")
        if not tensors or len({len(tensor) for tensor in tensors}) != 1:
            raise ValueError(
                f"TensorDataset: expected tensors of one length, got {[len(t) for t in tensors]}"
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        """Rows by number, slice or index tensor."""
        return tuple(tensor[index] for tensor in self.tensors)

    def __len__(self) -> int:
        """How many samples there are."""
        return len(self.tensors[0])


class ConcatDataset(Dataset[T]):
    """Several datasets as one.

    Example:
        >>> from weft.utils.data import ConcatDataset
        >>> ConcatDataset(["ab", "cde"])[3]
        'd'
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        """Put ``datasets`` one after the other."""
        self.datasets = list(datasets)
        self.cumulative_sizes = list(accumulate(len(dataset) for dataset in self.datasets))

    def __len__(self) -> int:
        """How many samples there are in all."""
        return self.cumulative_sizes[-1] if self.cumulative_sizes else 0

    def __getitem__(self, index: int) -> T:
        """One sample; negative positions count from the end."""
        if not -len(self) <= index < len(self):
            raise IndexError(
                f"ConcatDataset: index {index} is out of range for {len(self)} samples"
            )
        index %= len(self)
        which = bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[which - 1] if which else 0
        sample: T = self.datasets[which][index - start]
        return sample


class Subset(Dataset[T]):
    """The samples of ``dataset`` at ``indices``.

    Example:
        >>> from weft.utils.data import Subset
        >>> Subset("abcdef", [4, 0])[0]
        'e'
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        """Choose samples."""
        self.dataset, self.indices = dataset, indices

    def __getitem__(self, index: int) -> T:
        """One sample."""
        sample: T = self.dataset[self.indices[index]]
        return sample

    def __len__(self) -> int:
        """How many samples were chosen."""
        return len(self.indices)


def random_split(
    dataset: Any,
    lengths: Sequence[int | float],
    generator: np.random.Generator | None = None,
) -> list[Subset[Any]]:
    """Split at random into parts that do not overlap.

    Args:
        dataset: anything with a length and samples by position.
        lengths: sizes that add up to the dataset's, or fractions that add up to 1 (what rounding
            leaves over goes to the first parts, one each).
        generator: a numpy generator; by default weft's own random stream is used.

    Raises:
        ValueError: the lengths do not add up.

    Example:
        >>> import weft
        >>> [len(part) for part in weft.utils.data.random_split(range(10), [0.75, 0.25])]
        [8, 2]
    """
    total, sizes = len(dataset), _sizes(len(dataset), lengths)
    if sum(sizes) != total:
        raise ValueError(f"random_split: lengths must add up to {total}, got {list(lengths)}")
    order = weft.randperm(total).tolist() if generator is None else generator.permutation(total)
    ends = list(accumulate(sizes))
    parts = [order[end - size : end] for end, size in zip(ends, sizes, strict=True)]
    return [Subset(dataset, [int(i) for i in part]) for part in parts]


def _sizes(total: int, lengths: Sequence[int | float]) -> list[int]:
    if all(isinstance(length, int) for length in lengths):
        if min(lengths, default=0) < 0:
            raise ValueError(f"random_split: lengths must be 0 or more, got {list(lengths)}")
        return [int(length) for length in lengths]
    if any(not 0 <= length <= 1 for length in lengths) or abs(sum(lengths) - 1) > 1e-9:
        raise ValueError(f"random_split: fractions must add up to 1, got {list(lengths)}")
    sizes = [floor(total * fraction) for fraction in lengths]
    for i in range(total - sum(sizes)):
        sizes[i % len(sizes)] += 1
    return sizes
