"""Tensors that Python makes inside a compiled function and that are changed at once."""

import weft


def doubled():
    x = weft.tensor([1.0, 2.0])
    x.add_(x)
    return x


def scaled_part():
    x = weft.tensor([1.0, 2.0, 4.0])
    x[1:].mul_(3)
    x.sub_(x[:1])
    return x


def tracked():
    w = weft.tensor([3.0, 5.0], requires_grad=True)
    x = weft.tensor([1.0, 2.0])
    x.mul_(w).mul_(x)
    x.sum().backward()
    return w.grad


def test_what_they_held_before_is_the_constant():
    for function, want in ((doubled, [2, 4]), (scaled_part, [0, 5, 11]), (tracked, [6, 40])):
        compiled = weft.compile(function)
        assert [compiled().tolist() for _ in range(4)] == [want] * 4 == [function().tolist()] * 4
