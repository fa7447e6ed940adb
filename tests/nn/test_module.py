"""Module: finding parts, modes, hooks, text."""

import copy

import pytest

import weft
import weft.nn as nn


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("steps", weft.zeros(2))
        self.inner = nn.Linear(3, 3)
        self.scale = nn.Parameter(weft.ones(3))

    def forward(self, x):
        return self.inner(x) * self.scale


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = Block(), nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.inner.weight


def names(entries):
    return [name for name, _ in entries]


def test_parts_are_found_in_the_order_torch_gives():
    model = Block()
    assert names(model.named_parameters()) == ["scale", "inner.weight", "inner.bias"]
    assert names(model.named_parameters(recurse=False)) == ["scale"]
    assert names(model.named_parameters(prefix="m")) == [
        "m.scale",
        "m.inner.weight",
        "m.inner.bias",
    ]
    assert names(model.named_buffers()) == ["steps"]
    assert names(model.named_modules()) == ["", "inner"]
    assert names(model.named_children()) == ["inner"]


def test_a_shared_parameter_is_yielded_once_and_saved_under_both_names():
    model = Tied()
    assert len(list(model.parameters())) == 3
    assert "second.weight" in model.state_dict()
    assert "second.weight" in names(model.named_parameters(remove_duplicate=False))


def test_parameters_survive_a_forgotten_super_init():
    class Careless(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(2, 2)

        def forward(self, x):
            return self.layer(x)

    assert len(list(Careless().parameters())) == 2
    assert tuple(Careless()(weft.ones(1, 2)).shape) == (1, 2)


def test_train_and_eval_reach_every_module():
    model = nn.Sequential(nn.Dropout(0.5), nn.Sequential(nn.Dropout(0.5)))
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    x = weft.ones(8)
    assert model(x).tolist() == x.tolist()
    with pytest.raises(ValueError, match="train: needs a bool"):
        model.train("yes")


def test_forward_is_required():
    with pytest.raises(NotImplementedError, match='Empty has no "forward"'):

        class Empty(nn.Module):
            pass

        Empty()()


def test_registering_checks_names_and_types():
    model = Block()
    with pytest.raises(TypeError, match="register_parameter: needs a Parameter"):
        model.register_parameter("p", weft.zeros(1))
    with pytest.raises(TypeError, match="register_buffer: needs a tensor"):
        model.register_buffer("b", 3)
    with pytest.raises(TypeError, match="register_module: needs a Module"):
        model.add_module("m", 3)
    for bad in ("", "a.b", "forward", "inner"):
        with pytest.raises(KeyError):
            model.register_buffer(bad, weft.zeros(1))
    model.register_parameter("none", None)
    assert model.none is None
    model.register_module("inner", nn.Identity())
    assert names(model.named_parameters()) == ["scale"]


def test_a_parameter_is_not_replaced_by_something_else():
    model = Block()
    with pytest.raises(TypeError, match=r"Block.scale: is a parameter"):
        model.scale = weft.zeros(3)
    model.scale = None
    assert "scale" not in names(model.named_parameters())


def test_deleting_an_attribute():
    model = Block()
    del model.steps
    assert names(model.named_buffers()) == []
    with pytest.raises(AttributeError):
        del model.steps


def test_lookup_by_dotted_name():
    model = Tied()
    assert model.get_submodule("") is model
    assert model.get_submodule("first.inner") is model.first.inner
    assert model.get_parameter("first.scale") is model.first.scale
    assert model.get_buffer("first.steps") is model.first.steps
    for call in (model.get_submodule, model.get_parameter, model.get_buffer):
        with pytest.raises(AttributeError, match="missing"):
            call("first.missing")


def test_apply_goes_inside_out():
    seen = []
    model = Tied()
    assert model.apply(lambda module: seen.append(type(module).__name__)) is model
    assert seen == ["Linear", "Block", "Linear", "Tied"]


def test_hooks_run_and_can_replace():
    layer, seen = nn.Identity(), []
    before = layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    after = layer.register_forward_hook(lambda module, args, out: seen.append(out) or out * 10)
    assert layer(1) == 20
    assert seen == [2]
    after.remove()
    assert layer(1) == 2
    with before:
        assert layer(1) == 2
    before.remove()
    assert layer(1) == 1
    assert layer._hooks is None


def test_zero_grad_and_requires_grad():
    model = Block()
    model(weft.ones(2, 3)).sum().backward()
    model.zero_grad(set_to_none=False)
    assert all(p.grad.abs().sum().item() == 0 for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    model.requires_grad_(False)
    assert not model(weft.ones(2, 3)).requires_grad


def test_change_of_dtype_keeps_sharing_and_leaves_integers():
    model = Tied()
    model.register_buffer("count", weft.tensor([1, 2]))
    model.double()
    assert {p.dtype for p in model.parameters()} == {weft.float64}
    assert model.second.weight is model.first.inner.weight
    assert isinstance(model.second.weight, nn.Parameter)
    assert model.count.dtype == weft.int64
    assert model.to("cpu") is model.cpu()
    assert model.to(weft.float32).first.scale.dtype == weft.float32
    assert model.to(dtype=weft.float64).float().first.scale.dtype == weft.float32
    with pytest.raises(RuntimeError, match="'cpu'"):
        model.to("cuda")
    with pytest.raises(TypeError, match="floating dtype"):
        model.to(weft.int64)


def test_containers_convert_too():
    model = nn.Sequential(nn.ModuleDict({"a": nn.Linear(2, 2)}), nn.ParameterList([weft.ones(2)]))
    model.double()
    assert {p.dtype for p in model.parameters()} == {weft.float64}


def test_deepcopy_is_independent():
    model = Tied()
    twin = copy.deepcopy(model)
    with weft.no_grad():
        twin.first.scale.fill_(7.0)
    assert model.first.scale.tolist() == [1.0, 1.0, 1.0]
    assert twin.second.weight is twin.first.inner.weight
    assert twin.first.inner.weight is not model.first.inner.weight


def test_text_is_that_of_torch():
    assert repr(Tied()) == (
        "Tied(\n"
        "  (first): Block(\n"
        "    (inner): Linear(in_features=3, out_features=3, bias=True)\n"
        "  )\n"
        "  (second): Linear(in_features=3, out_features=3, bias=False)\n"
        ")"
    )
    assert repr(nn.ReLU()) == "ReLU()"
    assert repr(nn.Parameter(weft.zeros(1))).startswith("Parameter containing:\n")


def test_functional_is_one_module():
    import weft.functional
    import weft.nn.functional

    assert weft.nn.functional is weft.functional
