"""The text of a static graph names its inputs and outputs, and makes the graph again."""

import pytest
from tests.graph.programs import survives

import weft
import weft.nn.functional as F
from weft import _core, nn, optim
from weft._compile import _names


def compiled(function, *args):
    fast = weft.compile(function)
    for _ in range(3):
        fast(*args)
    assert fast.executable is not None
    return fast


def training():
    weft.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    opt = optim.Adam(model.parameters(), lr=0.1)

    def step(x, target):
        opt.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        opt.step()
        return loss

    return compiled(step, weft.randn(8, 4), weft.randint(0, 2, (8,)))


def test_inputs_and_outputs_have_names():
    text = training().executable.text("recorded")
    for name in ("x", "target", "model.0.weight", "model.2.bias", "opt.exp_avg[model.0.weight]"):
        assert f'"{name}" : ' in text, name
    assert "return %" in text and '"result0"\n' in text
    updates = [line for line in text.splitlines() if line.startswith("update ")]
    assert any(line.endswith('"model.0.weight"') for line in updates)
    grads = [line for line in text.splitlines() if line.startswith("grad ")]
    assert len(grads) == 4 and grads[0].endswith('.grad"')


def test_names_of_other_places():
    scale, table = weft.ones(3), {"bias": weft.zeros(3), "more": [weft.ones(3)]}

    def f(x, pair):
        return x * scale + table["bias"] - table["more"][0] + pair[0], pair[1]

    text = compiled(f, weft.ones(3), (weft.ones(3), weft.ones(1))).graph
    for name in ("x", "scale", "table['bias']", "table['more'][0]", "pair[0]"):
        assert f'"{name}" : ' in text, name


def test_names_of_arguments():
    def f(x, y, *more, scale):
        return x + y * scale - more[0]

    one = weft.ones(3)
    fast = weft.compile(f)
    for _ in range(3):
        fast(one.clone(), one.clone(), one.clone(), scale=one.clone())
    for name in ("x", "y", "arg2", "scale"):
        assert f'"{name}" : ' in fast.graph, name


def test_names_of_what_a_module_holds():
    layer = nn.Linear(3, 2)
    with weft.no_grad():
        text = compiled(layer, weft.ones(1, 3)).graph
    for name in ("input", "self.weight", "self.bias"):
        assert f'"{name}" : ' in text, name


class Odd:
    """Nothing that a search for names could rely on."""

    def __init__(self):
        self.rows = [[0.0] * 1000 for _ in range(2000)]
        self.keys = {Quiet(): 1, "w": weft.ones(3)}

    def named_parameters(self, needed):
        raise AssertionError("asked")

    add_param_group = named_parameters

    @property
    def state(self):
        raise AssertionError("asked")


class Quiet:
    def __hash__(self):
        return 1

    def __repr__(self):
        raise AssertionError("asked")


def test_a_search_for_names_asks_no_class_of_the_user_and_ends(monkeypatch):
    odd, looks = Odd(), []
    inner = _names.Names._look

    def look(self, *args):
        looks.append(args[0])
        inner(self, *args)

    monkeypatch.setattr(_names.Names, "_look", look)
    text = compiled(lambda x: x * 2 if odd is not None else x, weft.ones(3)).graph
    assert '"x" : ' in text
    assert len(looks) <= _names.MOST + 8


def test_no_two_names_are_alike():
    a = weft.ones(3)

    def f(x):
        return x + a

    f.__globals__["a_text_of_this_file"] = a
    text = compiled(f, a.clone()).graph
    names = [line.split('"')[1] for line in text.splitlines() if " = input " in line]
    assert len(names) == len(set(names)) == 2


def test_a_training_step_survives_its_text():
    survives(training().executable)


def test_constants_survive():
    table = [[1.0, float("nan")], [float("inf"), -0.0]]
    fast = compiled(lambda x: x + weft.tensor(table), weft.ones(2, 2))
    assert "const" in fast.graph
    survives(fast.executable)


@pytest.mark.parametrize("text", ["%0 = inptu 0 : f32[2]", "return %0", "data %0 AA", "\x00", "%"])
def test_what_is_no_graph_is_refused(text):
    with pytest.raises(ValueError, match=r"^\w+: .* \(at line 1\)$"):
        _core.parse_graph(text)


def test_an_unknown_stage_is_refused():
    with pytest.raises(ValueError, match="text: expected recorded, tidy or lowered, got late"):
        training().executable.text("late")
