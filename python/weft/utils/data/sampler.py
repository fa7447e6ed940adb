"""Orders in which samples are visited."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar

import weft
from weft._check import flag, whole

T = TypeVar("T")

#: Positions that are drawn at a time.
_DRAWN = 1 << 16


class Sampler(Generic[T]):
    """An iterable of positions (or of lists of positions)."""

    def __iter__(self) -> Iterator[T]:
        """Start a round."""
        raise NotImplementedError(f'Sampler: {type(self).__name__} has no "__iter__"')


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ...

    Example:
        >>> from weft.utils.data import SequentialSampler
        >>> list(SequentialSampler("abc"))
        [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        """Visit all of ``data_source``."""
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        """Start a round."""
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        """How many positions a round has."""
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A new random order each round, drawn from weft's random stream.

    Args:
        data_source: what is sampled.
        replacement: draw each position independently.
        num_samples: positions in a round, the length of ``data_source`` by default.

    Raises:
        ValueError: ``num_samples`` is not positive, or exceeds the length without replacement.

    Example:
        >>> from weft.utils.data import RandomSampler
        >>> sorted(RandomSampler("abc"))
        [0, 1, 2]
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None
    ) -> None:
        """Keep the options."""
        self.data_source = data_source
        self.replacement = flag("RandomSampler", "replacement", replacement)
        self.num_samples = (
            len(data_source)
            if num_samples is None
            else whole("RandomSampler", "num_samples", num_samples)
        )
        if self.num_samples < 1 and num_samples is not None:
            raise ValueError(f"RandomSampler: num_samples must be positive, got {num_samples}")
        if not replacement and self.num_samples > len(data_source):
            raise ValueError(
                f"RandomSampler: without replacement expected at most {len(data_source)} samples, "
                f"got {self.num_samples}"
            )

    def __iter__(self) -> Iterator[int]:
        """Draw a round."""
        count = len(self.data_source)
        if not self.replacement:
            yield from weft.randperm(count)[: self.num_samples].tolist()
            return
        for start in range(0, self.num_samples, _DRAWN):
            some = min(_DRAWN, self.num_samples - start)
            yield from weft.randint(0, max(count, 1), (some,)).tolist()

    def __len__(self) -> int:
        """How many positions a round has."""
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Positions of another sampler in lists of ``batch_size``.

    Example:
        >>> from weft.utils.data import BatchSampler
        >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        """Set the size and whether a shorter last batch is left out."""
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1:
            raise ValueError(f"BatchSampler: batch_size must be a positive int, got {batch_size!r}")
        self.sampler, self.batch_size = sampler, batch_size
        self.drop_last = flag("BatchSampler", "drop_last", drop_last)

    def __iter__(self) -> Iterator[list[int]]:
        """Start a round."""
        batch: list[int] = []
        for position in self.sampler:
            batch.append(position)
            if len(batch) == self.batch_size:
                yield batch
                batch = []
        if batch and not self.drop_last:
            yield batch

    def __len__(self) -> int:
        """How many batches a round has."""
        sampler: Any = self.sampler
        count = len(sampler)
        return int(count // self.batch_size if self.drop_last else -(-count // self.batch_size))
