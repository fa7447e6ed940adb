"""A short turn of the hunter for in-place programs: fixed seeds and a new one, printed."""

import secrets

import pytest
from tests.hunt import aliasing


@pytest.mark.parametrize("seed", [11, 12])
def test_fixed_seeds(seed):
    counts = aliasing.run(seed, 400)
    assert counts["ran a plan"] > 200 and counts["raised in a plan"] > 5


def test_a_new_seed():
    seed = secrets.randbelow(2**31)
    print(f"aliasing seed {seed}")
    assert sum(aliasing.run(seed, 400).values()) == 400
