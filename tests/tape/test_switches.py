"""``no_grad`` and its kin around functions and generators."""

import pytest

import weft


def modes():
    """Grad modes at the start, after a value was sent, and after an error was thrown in."""
    got = yield weft.is_grad_enabled()
    try:
        yield got, weft.is_grad_enabled()
    except KeyError:
        yield "caught", weft.is_grad_enabled()
    return weft.is_grad_enabled()


@pytest.mark.parametrize(
    "switch, inside",
    [(weft.no_grad, False), (weft.no_grad(), False), (weft.inference_mode(), False),
     (weft.enable_grad(), True), (lambda f: weft.set_grad_enabled(False)(f), False)],
    ids=["no_grad", "no_grad()", "inference_mode()", "enable_grad()", "set_grad_enabled"],
)  # fmt: skip
def test_pieces_of_a_generator_run_switched(switch, inside):
    made = switch(modes)
    assert weft.is_grad_enabled()
    with weft.set_grad_enabled(not inside):
        generator = made()
        assert next(generator) is inside
        assert weft.is_grad_enabled() is not inside
        assert generator.send(5) == (5, inside)
        assert generator.throw(KeyError) == ("caught", inside)
        assert weft.is_grad_enabled() is not inside
        with pytest.raises(StopIteration) as end:
            next(generator)
        assert end.value.value is inside
        with pytest.raises(KeyError):
            fresh = made()
            next(fresh)
            fresh.throw(KeyError)
        assert weft.is_grad_enabled() is not inside


def test_closing_a_generator_runs_its_end_switched():
    seen = []

    @weft.no_grad()
    def rows():
        try:
            yield 1
        finally:
            seen.append(weft.is_grad_enabled())

    generator = rows()
    next(generator)
    generator.close()
    assert seen == [False] and weft.is_grad_enabled()
    assert list(rows()) == [1] and rows.__name__ == "rows"


def test_results_of_a_generator_have_no_history():
    x = weft.ones(2, requires_grad=True)

    @weft.no_grad()
    def doubled():
        for i in range(2):
            yield x * i

    assert [y.requires_grad for y in doubled()] == [False, False]
    assert [(x * y).requires_grad for y in doubled()] == [True, True]


def test_a_function_of_set_grad_enabled():
    @weft.set_grad_enabled(False)
    def off():
        return weft.is_grad_enabled()

    assert weft.is_grad_enabled() and off() is False and weft.is_grad_enabled()
