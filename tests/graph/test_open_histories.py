"""Tensors from outside that a compiled function changes in place with gradients on."""

import pytest

import weft


@pytest.mark.parametrize("through_view", [False, True])
@pytest.mark.parametrize("captured", [False, True])
def test_a_history_that_would_stay_behind_is_refused(captured, through_view):
    cache = weft.zeros(2, 3)

    def write(x, w):
        target = cache if captured else x
        if through_view:
            target[0] = w * w
        else:
            target.add_(w * w)

    step = weft.compile(write)
    w = weft.ones(3, requires_grad=True)
    with pytest.raises(weft.CompileError, match=r"f32\[2, 3\] from outside, changed in place"):
        step(weft.zeros(2, 3), w)


def test_a_history_that_was_walked_or_cut_is_not():
    cache = weft.zeros(2, 3)

    @weft.compile
    def walked(x, w):
        x[0] = w * w
        x.sum().backward()

    @weft.compile
    def cut(w):
        cache[0] = (w * w).detach()
        with weft.no_grad():
            cache[1] = w

    for i in range(1, 5):
        w, x = weft.full((3,), float(i), requires_grad=True), weft.zeros(2, 3)
        walked(x, w)
        cut(w)
        assert w.grad.tolist() == [2 * i] * 3 and x[0].tolist() == [i * i] * 3
        assert cache.tolist() == [[i * i] * 3, [i] * 3] and not cache.requires_grad
