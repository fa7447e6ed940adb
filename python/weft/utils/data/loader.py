"""The loader: batches of a dataset, in order or shuffled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import weft
from weft._check import flag, whole
from weft.utils.data.collate import default_collate
from weft.utils.data.dataset import IterableDataset, Subset, TensorDataset
from weft.utils.data.sampler import BatchSampler, RandomSampler, SequentialSampler


class DataLoader:
    """Iterate over a dataset in batches; every ``for`` starts a new round.

    Batches of a :class:`TensorDataset` (or of a subset of one) are taken by one indexing for each
    tensor. All work is done in the calling thread: ``num_workers`` and ``pin_memory`` are accepted
    for torch's sake and change nothing.

    Args:
        dataset: samples by position and a length, or an :class:`IterableDataset`.
        batch_size: samples in a batch; None yields single samples as they are.
        shuffle: a new random order each round, from weft's random stream.
        sampler: positions in the order wanted, instead of ``shuffle``.
        batch_sampler: lists of positions, instead of all of the above.
        num_workers: no effect.
        collate_fn: makes a batch of a list of samples; :func:`default_collate` by default.
        pin_memory: no effect.
        drop_last: leave out a last batch that is not full.

    Raises:
        ValueError: options that exclude each other, or a batch size below 1.

    Example:
        >>> import weft
        >>> from weft.utils.data import DataLoader, TensorDataset
        >>> loader = DataLoader(TensorDataset(weft.arange(5)), batch_size=2)
        >>> [batch.tolist() for batch, in loader]
        [[0, 1], [2, 3], [4]]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[Sequence[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
    ) -> None:
        """Choose the order and the batches."""
        streamed = isinstance(dataset, IterableDataset)
        if streamed and (shuffle or sampler is not None or batch_sampler is not None):
            raise ValueError("DataLoader: a stream has no positions to shuffle or sample")
        if sampler is not None and shuffle:
            raise ValueError("DataLoader: give either sampler or shuffle=True, got both")
        if batch_sampler is not None and (
            batch_size != 1 or shuffle or sampler is not None or drop_last
        ):
            raise ValueError(
                "DataLoader: batch_sampler excludes batch_size, shuffle, sampler and drop_last"
            )
        if batch_size is None and drop_last:
            raise ValueError("DataLoader: drop_last needs a batch_size")
        flag("DataLoader", "drop_last", drop_last)
        if collate_fn is not None and not callable(collate_fn):
            raise TypeError(
                f"DataLoader: collate_fn expected to be a function, got {type(collate_fn).__name__}"
            )
        if whole("DataLoader", "num_workers", num_workers) < 0:
            raise ValueError(f"DataLoader: num_workers must be 0 or more, got {num_workers}")
        self.dataset, self.batch_size, self.drop_last = dataset, batch_size, drop_last
        self.num_workers, self.pin_memory = num_workers, pin_memory
        self.collate_fn = collate_fn
        if not streamed and sampler is None:
            sampler = RandomSampler(dataset) if shuffle else SequentialSampler(dataset)
        self.sampler: Any = sampler
        self.batch_sampler: Any = batch_sampler
        if batch_sampler is None and batch_size is not None:
            self.batch_sampler = BatchSampler(
                () if sampler is None else sampler, batch_size, drop_last
            )

    def __iter__(self) -> Iterator[Any]:
        """Start a round."""
        if isinstance(self.dataset, IterableDataset):
            return self._streamed()
        if self.batch_sampler is None:
            convert = self.collate_fn or (lambda sample: sample)
            return (convert(self.dataset[position]) for position in self.sampler)
        return (self._batch(list(positions)) for positions in self.batch_sampler)

    def _streamed(self) -> Iterator[Any]:
        stream, collate = iter(self.dataset), self.collate_fn or default_collate
        if self.batch_size is None:
            yield from stream
            return
        while samples := list(islice(stream, self.batch_size)):
            if len(samples) == self.batch_size or not self.drop_last:
                yield collate(samples)

    def _batch(self, positions: list[int]) -> Any:
        data = self.dataset
        if self.collate_fn is None:
            if type(data) is Subset and type(data.dataset) is TensorDataset:
                positions, data = [data.indices[i] for i in positions], data.dataset
            if type(data) is TensorDataset:
                index = weft.tensor(positions, dtype=weft.int64)
                return [tensor[index] for tensor in data.tensors]
        return (self.collate_fn or default_collate)([data[i] for i in positions])

    def __len__(self) -> int:
        """How many batches (or samples, without batches) a round has.

        Raises:
            TypeError: the dataset is a stream without a length.
        """
        if isinstance(self.dataset, IterableDataset):
            count = len(self.dataset)  # type: ignore[arg-type]
            if self.batch_size is None:
                return count
            return count // self.batch_size if self.drop_last else -(-count // self.batch_size)
        return len(self.sampler if self.batch_sampler is None else self.batch_sampler)
