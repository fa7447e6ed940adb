"""Nodes of a recording know the line of the user's program that made them."""

import re
from pathlib import Path

import weft


def recorded(function, *args):
    weft._core.record_start(list(args))
    try:
        return weft._core.record_finish([function(*args)]).text
    except BaseException:
        weft._core.record_abort()
        raise


def made(text, filename):
    """The function ``f`` of a program that is said to lie in ``filename``."""
    space = {"weft": weft}
    exec(compile(text, filename, "exec"), space)
    return space["f"]


def lines(text):
    return [int(found) for found in re.findall(r"# program\.py:(\d+)", text)]


def program(operations):
    body = ["    x = weft.relu(x)" if i % 3 else "    x = x * x" for i in range(operations)]
    return "def f(x):\n" + "\n".join(body) + "\n    return x\n"


def test_every_operation_of_a_long_function_has_its_line():
    f, x = made(program(300), "/some/where/program.py"), weft.ones(2)
    expected = list(range(2, 302))
    assert lines(recorded(f, x)) == expected
    assert lines(recorded(f, x)) == expected


def test_an_operation_in_a_loop_has_one_line():
    loop = "    for _ in range(3):\n        x = (\n            x\n            + x\n        )\n"
    text = f"def f(x):\n{loop}    return x\n"
    assert len(set(lines(recorded(made(text, "program.py"), weft.ones(2))))) == 1


def test_gradients_have_the_line_of_their_operation():
    text = "def f(x):\n    y = x.exp()\n    y.sum().backward()\n    return x.grad\n"
    f, x = made(text, "program.py"), weft.ones(2, requires_grad=True)
    found = lines(recorded(lambda x: f(x) * 1.0, x))
    assert found.count(2) >= 2


def test_a_folder_whose_name_begins_like_wefts_is_the_users():
    beside = Path(weft.__file__).parent.with_name("weft_models") / "program.py"
    f = made(program(4), str(beside))
    assert lines(recorded(f, weft.ones(2))) == [2, 3, 4, 5]


def test_functions_made_at_run_time_are_told_apart():
    x = weft.ones(2)
    for i in range(1200):
        f = made("\n" * (i % 7) + program(2), "program.py")
        assert lines(recorded(f, x)) == [2 + i % 7, 3 + i % 7]
