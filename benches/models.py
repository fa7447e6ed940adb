"""Training and inference of one model in each framework, from the same numpy weights.

weft's and torch's models are the same program: the functions here take the library as ``lib``.
"""

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import numpy as np

import weft
from benches.peers import jax, torch
from benches.timing import COMPILED, EAGER, JAX, STATIC, TORCH, Side

OPTIONS: dict[str, bool] = {"compile": False}


def filled(lib: Any, model: Any, weights: Sequence[np.ndarray]) -> Any:
    """``model`` with its parameters set, in their order."""
    with lib.no_grad():
        for param, value in zip(model.parameters(), weights, strict=True):
            param.copy_(lib.from_numpy(value.copy()))
    return model


def training(lib: Any, model: Any, loss_of: Callable[..., Any], lr: float) -> Callable[..., Any]:
    """A train step with AdamW, the same lines for weft and torch."""
    fused = {"fused": True} if lib is torch else {}
    opt = lib.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01, **fused)

    def step(*data: Any) -> Any:
        opt.zero_grad()
        loss = loss_of(model, *data)
        loss.backward()
        opt.step()
        return loss

    return step


def fastest(ways: dict[str, Callable[[], Side]]) -> Side:
    """The best of several ways to do the same, made anew."""
    sides = {name: make() for name, make in ways.items()}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(8):
        for name, side in sides.items():
            times[name].append(side.seconds(4))
    name = min(times, key=lambda n: median(times[n][1:]))
    best = ways[name]()
    best.note = f"{name}; slower: {', '.join(n for n in ways if n != name)}"
    return best


def layouts(
    make: Callable[..., Side], function: Callable[..., Any], weights: Sequence[np.ndarray]
) -> dict[str, Callable[[], Side]]:
    """XLA's speed depends on how a matrix lies in memory: ``[out, in]`` or ``[in, out]``."""

    def turned(params: Any, *data: Any) -> Any:
        return function([p.T if p.ndim == 2 else p for p in params], *data)

    return {
        "weights [out, in]": lambda: make(function, weights),
        "weights [in, out]": lambda: make(turned, [np.ascontiguousarray(w.T) for w in weights]),
    }


def jax_training(
    loss_of: Callable[..., Any], weights: Sequence[np.ndarray], lr: float, data: Sequence[Any]
) -> Side:
    """A train step with AdamW as one jitted function that is given its old state to write over."""
    import jax.numpy as jnp

    def step(state: Any, *data: Any) -> Any:
        params, means, squares, count = state
        loss, grads = jax.value_and_grad(loss_of)(params, *data)
        count = count + 1
        by_mean, by_square = 1 - 0.9**count, 1 - 0.999**count
        for i, grad in enumerate(grads):
            means[i] = 0.9 * means[i] + 0.1 * grad
            squares[i] = 0.999 * squares[i] + 0.001 * grad * grad
            root = jnp.sqrt(squares[i]) / jnp.sqrt(by_square) + 1e-8
            params[i] = params[i] * (1 - lr * 0.01) - (lr / by_mean) * means[i] / root
        return (params, means, squares, count), loss

    fast = jax.jit(step, donate_argnums=0)
    params = [jnp.array(w) for w in weights]
    zeros = [[jnp.zeros_like(p) for p in params] for _ in range(2)]
    state = [(params, *zeros, jnp.float32(0))]

    def run() -> Any:
        state[0], loss = fast(state[0], *data)
        return loss.block_until_ready()

    return Side(run)


def jax_inference(
    forward: Callable[..., Any], weights: Sequence[np.ndarray], data: Sequence[Any]
) -> Side:
    """One jitted call."""
    fast = jax.jit(forward)
    params = [jax.numpy.array(w) for w in weights]
    return Side(lambda: fast(params, *data).block_until_ready())


def train_sides(
    make: Callable[[Any], Any],
    loss_of: Callable[..., Any],
    jax_loss: Callable[..., Any],
    weights: Sequence[np.ndarray],
    data: Sequence[np.ndarray],
    lr: float = 1e-3,
) -> dict[str, Side]:
    """A train step in every framework that is here.

    Args:
        make: the model, from the library.
        loss_of: the loss, from the library, its model and data.
        jax_loss: the same from a list of weights and data.
        weights: the model's parameters.
        data: what the loss takes.
        lr: learning rate.
    """
    sides = {}
    for column, lib, wrap in libraries():
        given = [lib.from_numpy(d) for d in data]
        model = filled(lib, make(lib), weights)
        loss = partial(loss_of, lib)
        loss = torch.compile(loss) if column == COMPILED else loss
        step = wrap(training(lib, model, loss, lr))
        sides[column] = Side(lambda step=step, given=given: step(*given))
    if jax is not None:
        given = [jax.numpy.array(d) for d in data]
        make = partial(jax_training, lr=lr, data=given)
        sides[JAX] = fastest(layouts(make, jax_loss, weights))
    return sides


def inference_sides(
    make: Callable[[Any], Any],
    jax_forward: Callable[..., Any],
    weights: Sequence[np.ndarray],
    data: Sequence[np.ndarray],
) -> dict[str, Side]:
    """One forward call without gradients in every framework that is here."""
    sides = {}
    for column, lib, wrap in libraries():
        given = [lib.from_numpy(d) for d in data]
        model = filled(lib, make(lib), weights).eval()
        model = torch.compile(model) if column == COMPILED else wrap(model)
        sides[column] = Side(lambda m=model, given=given: m(*given), lib.inference_mode)
    if jax is not None:
        given = [jax.numpy.array(d) for d in data]
        make = partial(jax_inference, data=given)
        sides[JAX] = fastest(layouts(make, jax_forward, weights))
    return sides


def function_sides(
    function: Callable[..., Any], jax_function: Callable[..., Any], data: Sequence[np.ndarray]
) -> dict[str, Side]:
    """A function ``function(lib, *data)`` without gradients."""
    sides = {}
    for column, lib, wrap in libraries():
        given = [lib.from_numpy(d) for d in data]
        wrap = torch.compile if column == COMPILED else wrap
        bound = wrap(lambda *xs, lib=lib: function(lib, *xs))
        sides[column] = Side(lambda f=bound, given=given: f(*given), lib.inference_mode)
    if jax is not None:
        given = [jax.numpy.array(d) for d in data]
        fast = jax.jit(jax_function)
        sides[JAX] = Side(lambda: fast(*given).block_until_ready())
    return sides


def libraries() -> list[tuple[str, Any, Callable[[Any], Any]]]:
    """Columns that run torch-like programs: name, library, what to wrap a step in."""
    found: list[tuple[str, Any, Callable[[Any], Any]]] = [
        (EAGER, weft, lambda f: f),
        (STATIC, weft, weft.compile),
    ]
    if torch is not None:
        found.append((TORCH, torch, lambda f: f))
        if OPTIONS["compile"]:
            found.append((COMPILED, torch, lambda f: f))
    return found
