"""Every public function refuses wrong arguments by name: the operation, the argument, what came."""

import inspect
import re
from types import FunctionType

import pytest
from tests.ops.functions import load
from tests.ops.table import each

import weft

CASES = load()
#: One case of each function: the first.
FIRST = list({case.name: case for case in reversed(CASES)}.values())[::-1]


class Thing:
    """What no function has a use for."""


def signature(case):
    return inspect.signature(case.function)


def operation(case):
    return case.name.removeprefix("Tensor.")


def refused(case, call, *named):
    """The call raises a clear error that begins with the operation and names all of ``named``."""
    with pytest.raises((TypeError, ValueError, RuntimeError, IndexError)) as caught:
        call()
    message = str(caught.value)
    assert re.match(rf"(Tensor\.)?{operation(case)}(: |\(\) )", message), message
    for words in named:
        assert any(word in message for word in words), (message, words)


def bound(case):
    """Arguments of the case by name, and those of ``*args``."""
    args, kwargs = case.filled(case.tensors())
    found = signature(case).bind(*args, **kwargs)
    return found


def wrong_calls(case):
    """Arguments by name with one of a wrong type, what it is called, and what came."""
    found = bound(case)
    parameters = signature(case).parameters
    for name, value in found.arguments.items():
        kind = parameters[name].kind
        first = name == next(iter(parameters))
        if case.name.startswith("Tensor.") and first:
            continue
        things = [Thing(), "text"]
        if isinstance(value, weft.Tensor):
            things += [[1.0, None]]
            if parameters[name].default is inspect.Parameter.empty:
                things += [None]
        for thing in things:
            changed = dict(found.arguments)
            changed[name] = (thing, *value[1:]) if kind is kind.VAR_POSITIONAL else thing
            again = inspect.BoundArguments(signature(case), changed)
            yield name, again, thing


@pytest.mark.parametrize(**each(FIRST))
def test_an_argument_of_a_wrong_type(case):
    place = {name: i for i, name in enumerate(signature(case).parameters)}
    for name, call, thing in wrong_calls(case):
        came = {type(thing).__name__, repr(thing), str(thing)}
        # The one argument of a native method needs no name.
        plain = isinstance(case.function, FunctionType)
        names = {name, f"argument {place[name] + 1}"} if plain else came
        refused(case, lambda call=call: case.function(*call.args, **call.kwargs), names, came)


@pytest.mark.parametrize(**each(FIRST))
def test_a_missing_argument(case):
    if not isinstance(case.function, FunctionType):
        return
    found = bound(case)
    for name, parameter in signature(case).parameters.items():
        plain = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.POSITIONAL_ONLY)
        if plain and parameter.default is parameter.empty:
            left = {n: v for n, v in found.arguments.items() if n != name}
            kinds = {p.kind for p in signature(case).parameters.values()}
            if parameter.VAR_POSITIONAL in kinds or parameter.name == "self":
                continue
            refused(case, lambda left=left: case.function(**left), {f"'{name}'"})


@pytest.mark.parametrize(**each(FIRST))
def test_an_unknown_or_superfluous_argument(case):
    args, kwargs = case.filled(case.tensors())
    if any(p.kind is p.VAR_KEYWORD for p in signature(case).parameters.values()):
        return
    named = {"unheard_of", "takes no keyword arguments"}
    refused(case, lambda: case.function(*args, **kwargs, unheard_of=1), named)
    if not any(p.kind is p.VAR_POSITIONAL for p in signature(case).parameters.values()):
        refused(case, lambda: case.function(*args, *[Thing()] * 12), {"positional", "no arguments"})
