"""Training steps as people write them compile without a refusal and train with the same bits."""

import warnings

import pytest
from tests.graph.steps import classes, plain

import weft
from weft import Tensor

PROGRAMS = {program.__name__: program for program in (*plain.PROGRAMS, *classes.PROGRAMS)}


class World:
    """One run of a program: whether it compiles, and what it keeps."""

    def __init__(self, compiles):
        self.compiles, self.fast, self.kept = compiles, [], []

    def compile(self, function):
        if not self.compiles:
            return function
        self.fast.append(weft.compile(function))
        return self.fast[-1]

    def keep(self, model, opt):
        self.kept.append(lambda: [*model.parameters(), *model.buffers()])
        self.kept.append(lambda: [p.grad for p in model.parameters()])
        if opt is not None:
            self.kept.append(lambda: [v for state in opt.state.values() for v in state.values()])

    def keep_tensors(self, tensors):
        self.kept.append(lambda: list(tensors))


def bits(value):
    """A structure with the bytes of its tensors."""
    if isinstance(value, Tensor):
        return str(value.dtype), tuple(value.shape), value.detach().numpy().tobytes()
    if isinstance(value, dict):
        return {k: bits(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [bits(v) for v in value]
    return repr(value)


def trained(program, compiles):
    """Everything that can be seen after every step, and the compiled functions."""
    weft.manual_seed(11)
    world = World(compiles)
    seen = []
    for result in program(world):
        seen.append((bits(result), [bits(kept()) for kept in world.kept]))
    return seen, world.fast


def test_there_are_twenty():
    assert len(PROGRAMS) >= 20


@pytest.mark.parametrize("name", PROGRAMS)
def test_trains_with_the_same_bits(name):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        seen, compiled = trained(PROGRAMS[name], compiles=True)
    want, _ = trained(PROGRAMS[name], compiles=False)
    assert len(want) >= 6
    for i, (eager, static) in enumerate(zip(want, seen, strict=True)):
        assert eager == static, f"step {i + 1} differs"
    assert compiled and all(fast.executable is not None for fast in compiled)
    warned = [str(w.message) for w in caught]
    assert len(warned) == getattr(PROGRAMS[name], "warns", 0), warned
    assert all("plain.py:" in text for text in warned)
