"""weft.utils.data: datasets, samplers, the loader."""

import numpy as np
import pytest

import weft
from weft.utils.data import (
    BatchSampler,
    ConcatDataset,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)


class Squares(Dataset):
    def __len__(self):
        return 7

    def __getitem__(self, i):
        return {"x": weft.tensor([float(i)]), "y": i * i, "name": str(i)}


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(5))


def pairs(n=7):
    return TensorDataset(weft.arange(n), weft.arange(n) * 10)


def test_batches_in_order():
    got = [(x.tolist(), y.tolist()) for x, y in DataLoader(pairs(), batch_size=3)]
    assert got == [([0, 1, 2], [0, 10, 20]), ([3, 4, 5], [30, 40, 50]), ([6], [60])]
    assert len(DataLoader(pairs(), batch_size=3)) == 3
    assert len(list(DataLoader(pairs(), batch_size=3, drop_last=True))) == 2


def test_shuffling_is_a_permutation_that_the_seed_decides():
    loader = DataLoader(pairs(100), batch_size=32, shuffle=True)

    def order(seed):
        weft.manual_seed(seed)
        return [i for x, _ in loader for i in x.tolist()]

    assert sorted(order(0)) == list(range(100))
    assert order(0) == order(0) != order(1)
    first = order(0)
    assert [i for x, _ in loader for i in x.tolist()] != first


def test_subsets_take_the_short_way_and_agree():
    part = Subset(pairs(), [5, 1, 3])
    got = [x.tolist() for x, _ in DataLoader(part, batch_size=2)]
    assert got == [[5, 1], [3]]
    slow = [x.tolist() for x, _ in DataLoader(part, batch_size=2, collate_fn=default_collate)]
    assert slow == got


def test_samples_of_other_kinds():
    batch = next(iter(DataLoader(Squares(), batch_size=3)))
    assert batch["x"].tolist() == [[0.0], [1.0], [2.0]]
    assert batch["y"].tolist() == [0, 1, 4]
    assert batch["name"] == ["0", "1", "2"]
    assert len(Squares() + Squares()) == 14
    assert (Squares() + Squares())[8]["y"] == 1
    assert next(iter(DataLoader(Squares(), batch_size=None)))["y"] == 0


def test_streams():
    batches = [batch.tolist() for batch in DataLoader(Stream(), batch_size=2)]
    assert batches == [[0, 1], [2, 3], [4]]
    assert len(list(DataLoader(Stream(), batch_size=2, drop_last=True))) == 2
    assert list(DataLoader(Stream(), batch_size=None)) == [0, 1, 2, 3, 4]
    with pytest.raises(ValueError, match="no positions"):
        DataLoader(Stream(), shuffle=True)


def test_samplers():
    loader = DataLoader(pairs(), batch_size=2, sampler=[6, 0, 2])
    assert [x.tolist() for x, _ in loader] == [[6, 0], [2]]
    loader = DataLoader(pairs(), batch_sampler=[[1], [2, 3]])
    assert [x.tolist() for x, _ in loader] == [[1], [2, 3]]
    drawn = list(RandomSampler(range(3), replacement=True, num_samples=50))
    assert set(drawn) <= {0, 1, 2}
    assert len(drawn) == 50
    assert len(BatchSampler(range(5), 2, drop_last=True)) == 2


def test_empty_data():
    empty = TensorDataset(weft.zeros(0, 2))
    assert list(DataLoader(empty, batch_size=2)) == []
    assert list(DataLoader(empty, batch_size=2, shuffle=True)) == []


def test_random_split():
    weft.manual_seed(0)
    parts = random_split(range(10), [7, 3])
    assert [len(part) for part in parts] == [7, 3]
    assert sorted(i for part in parts for i in part.indices) == list(range(10))
    assert [len(part) for part in random_split(range(10), [1 / 3, 2 / 3])] == [4, 6]
    seeded = [
        random_split(range(10), [5, 5], generator=np.random.default_rng(1))[0].indices
        for _ in range(2)
    ]
    assert seeded[0] == seeded[1]
    with pytest.raises(ValueError, match="must add up to 10"):
        random_split(range(10), [7, 4])
    with pytest.raises(ValueError, match="fractions must add up to 1"):
        random_split(range(10), [0.5, 0.4])


def test_collate():
    assert default_collate([np.float32(1), np.float32(2)]).dtype == weft.float32
    assert default_collate([1.0, 2.0]).dtype == weft.float64
    assert default_collate([True, False]).dtype == weft.bool
    assert default_collate([[1, 2], [3, 4]])[0].tolist() == [1, 3]
    with pytest.raises(TypeError, match="got object"):
        default_collate([object()])
    with pytest.raises(ValueError, match=r"differ in length, got \[1, 2\]"):
        default_collate([[1], [1, 2]])


def test_options_that_make_no_sense():
    for options in [
        {"batch_size": 0},
        {"batch_size": 2.0},
        {"shuffle": True, "sampler": [0]},
        {"batch_sampler": [[0]], "batch_size": 3},
        {"num_workers": -1},
    ]:
        with pytest.raises(ValueError, match=r"DataLoader|BatchSampler"):
            DataLoader(pairs(), **options)
    with pytest.raises(ValueError, match="one length"):
        TensorDataset(weft.zeros(2), weft.zeros(3))
    with pytest.raises(ValueError, match="one length"):
        TensorDataset()
    with pytest.raises(ValueError, match="at most 3"):
        RandomSampler(range(3), num_samples=4)
    with pytest.raises(IndexError, match="out of range for 3"):
        ConcatDataset([range(3)])[3]


def test_in_order_without_a_loader():
    from weft.utils.data import SequentialSampler

    sampler = SequentialSampler("abcd")
    assert list(sampler) == [0, 1, 2, 3] == list(sampler) and len(sampler) == 4
