"""The short form of the hunters: fixed seeds, and a new one each time."""

import os
import random
import time

import pytest
from tests.hunt.run import hunters, in_child, replay

HUNTERS = hunters()
SEEDS = (1, 2)
NEW = int(os.environ.get("WEFT_HUNT_SEED") or random.SystemRandom().randrange(10**6, 10**9))


@pytest.mark.parametrize("name", HUNTERS)
def test_hunter(name, capsys):
    count = getattr(HUNTERS[name], "SHORT", 20)
    start = time.monotonic()
    for seed in (*SEEDS, NEW):
        outcome = in_child(name, seed, count)
        assert outcome.failure is None, f"{outcome.failure}\nagain: {replay(name, seed, count)}"
        assert sum(outcome.counts.values()) >= count
    with capsys.disabled():
        took = time.monotonic() - start
        print(f"\nhunt: {name}, {count} programs each of the seeds {SEEDS} and {NEW}: {took:.1f} s")


def test_the_same_seed_does_the_same(capsys):
    for name, module in HUNTERS.items():
        assert isinstance(module.NAME, str) and name == module.NAME
        assert getattr(module, "SHORT", 20) >= 1
