"""What holds for every module."""

import copy
import pickle

import pytest
from tests.nn.modules import MODULES
from tests.ops.table import bits

import weft

each = pytest.mark.parametrize("case", MODULES, ids=[c.kind.__name__ for c in MODULES])


def seeded(case, module, inputs):
    weft.manual_seed(9)
    return [bits(y) for y in case.call(module, inputs)]


@each
def test_state_goes_round(case):
    """Through a dictionary, a deep copy and a pickle."""
    module, inputs = case.make(), case.tensors()
    want = seeded(case, module, inputs)
    other = case.make()
    for param in other.parameters():
        param.detach().zero_()
    other.load_state_dict(module.state_dict())
    for again in (other, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert seeded(case, again, inputs) == want


@each
def test_text(case):
    text = repr(case.make())
    assert text.startswith(case.kind.__name__ + "(") and text.endswith(")")


@each
def test_static_equals_eager(case):
    module, inputs = case.make(), case.tensors()

    def step(*inputs):
        outputs = case.call(module, list(inputs))
        params = [p for p in module.parameters() if p.requires_grad]
        if params:
            sum((y.square().sum() for y in outputs[1:]), outputs[0].square().sum()).backward()
        grads = [p.grad.clone() for p in params]
        module.zero_grad()
        return [y.detach() for y in outputs], grads

    fast = weft.compile(step)
    weft.manual_seed(9)
    want = [[bits(t) for t in part] for part in step(*inputs)]
    for _ in range(4):
        weft.manual_seed(9)
        assert [[bits(t) for t in part] for part in fast(*inputs)] == want


@each
def test_every_parameter_gets_a_gradient(case):
    module = case.make()
    outputs = case.call(module, case.tensors())
    if any(True for _ in module.parameters()):
        outputs[0].square().sum().backward()
    for name, param in module.named_parameters():
        assert param.grad is not None and param.grad.shape == param.shape, name


@each
def test_double_precision(case):
    module = case.make().double()
    for y in case.call(module, case.tensors("float64")):
        assert y.dtype is weft.float64


@each
def test_training_is_a_switch(case):
    module = case.make().eval()
    inputs = case.tensors()
    assert not module.training
    first, again = case.call(module, inputs), case.call(module, inputs)
    assert [bits(y) for y in first] == [bits(y) for y in again]
    assert module.train().training


@each
def test_an_empty_batch(case):
    module, inputs = case.make(), case.tensors(batch=0)
    for y in case.call(module, inputs):
        assert y.ndim == 0 or y.shape[0] == 0
