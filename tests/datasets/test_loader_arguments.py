"""Options of loaders and samplers that mean nothing are refused."""

import pytest

from weft.utils.data import BatchSampler, DataLoader, RandomSampler, TensorDataset, random_split

TEN = list(range(10))

REFUSED = [
    ("DataLoader", lambda: DataLoader(TEN, batch_size=None, drop_last=True), ValueError),
    ("DataLoader", lambda: DataLoader(TEN, drop_last="no"), TypeError),
    ("DataLoader", lambda: DataLoader(TEN, num_workers=1.5), TypeError),
    ("DataLoader", lambda: DataLoader(TEN, num_workers=-1), ValueError),
    ("BatchSampler", lambda: DataLoader(TEN, batch_size=2.5), ValueError),
    ("BatchSampler", lambda: BatchSampler(TEN, 2, "no"), TypeError),
    ("BatchSampler", lambda: BatchSampler(TEN, True, False), ValueError),
    ("RandomSampler", lambda: RandomSampler(TEN, replacement="no"), TypeError),
    ("RandomSampler", lambda: RandomSampler(TEN, replacement=True, num_samples=2.5), TypeError),
    ("RandomSampler", lambda: RandomSampler(TEN, num_samples=True), TypeError),
    ("DataLoader", lambda: DataLoader(TEN, collate_fn=[]), TypeError),
    ("DataLoader", lambda: DataLoader(TEN, sampler=[1], batch_sampler=[[1]]), ValueError),
    ("TensorDataset", lambda: TensorDataset([1, 2]), TypeError),
    ("random_split", lambda: random_split(TEN, [12, -2]), ValueError),
    ("random_split", lambda: random_split(TEN, [0.5, float("nan")]), ValueError),
]


@pytest.mark.parametrize(("name", "call", "error"), REFUSED, ids=range(len(REFUSED)))
def test_refused(name, call, error):
    with pytest.raises(error, match=f"^{name}: "):
        call()


def test_a_sampler_may_be_a_tensor_or_empty():
    import weft

    batches = list(DataLoader(TEN, batch_size=2, sampler=weft.tensor([3, 1, 2])))
    assert [batch.tolist() for batch in batches] == [[3, 1], [2]]
    assert list(DataLoader(TEN, sampler=[])) == []
