"""Threads x compile x optimisers x fork: workers that record, run, train and change things at once.

Each worker does a script of its own on tensors, modules and optimisers of its own, beside the
others. What it sees must equal, bit for bit, what it sees alone. Children forked meanwhile do
such scripts too.
"""

import faulthandler
import os
import random
import sys
import threading
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import weft
import weft.nn as nn
import weft.nn.functional as F
from weft import Tensor

NAME = "threads"
SHORT = 12
#: Seconds after which a worker hangs.
LIMIT = 60.0


class Worker:
    """One thread's things, and what it has seen."""

    def __init__(self, rng: random.Random, compiled: bool) -> None:
        self.rng, self.seen, self.compiled = rng, [], compiled
        width = rng.choice([3, 8, 40])
        data = random.Random(rng.random())
        self.x = weft.tensor([[data.uniform(-1, 1) for _ in range(width)] for _ in range(4)])
        hidden = nn.Linear(width, width)
        with weft.no_grad():
            hidden.weight.copy_(self.numbers(data, width, width))
            hidden.bias.copy_(self.numbers(data, width))
        self.net = nn.Sequential(hidden, nn.Tanh())
        self.scale = 1.0
        make: Callable[..., Any] = rng.choice([weft.optim.SGD, weft.optim.Adam, weft.optim.AdamW])
        self.opt = make(self.net.parameters(), lr=0.05)
        self.fast: dict[str, Any] = {}

    @staticmethod
    def numbers(data: random.Random, *shape: int) -> Tensor:
        count = 1
        for n in shape:
            count *= n
        return weft.tensor([data.uniform(-1, 1) for _ in range(count)]).reshape(*shape)

    def run(self, name: str, function: Any, *args: Any) -> Any:
        """Call a function, compiled if this world compiles."""
        if not self.compiled:
            return function(*args)
        if name not in self.fast:
            self.fast[name] = weft.compile(function)
        return self.fast[name](*args)

    def note(self, value: Any) -> None:
        tensors = value if isinstance(value, (list, tuple)) else [value]
        self.seen.append([t.detach().numpy().tobytes() for t in tensors if isinstance(t, Tensor)])

    # What a worker does; each leaves something in `seen`.

    def forward(self) -> None:
        self.note(self.run("forward", lambda x: (self.net(x) * self.scale).detach(), self.x))

    def train(self) -> None:
        def step(x: Tensor) -> Tensor:
            self.opt.zero_grad()
            loss = F.mse_loss(self.net(x) * self.scale, x)
            loss.backward()
            self.opt.step()
            return loss.detach()

        self.note(self.run("train", step, self.x))
        self.note(list(self.net.parameters()))

    def record_anew(self) -> None:
        number = len(self.seen)
        self.fast.pop("anew", None)
        for _ in range(3):
            self.note(self.run("anew", lambda x: (x + number).exp().sum(), self.x))

    def eager(self) -> None:
        w = self.x.clone().requires_grad_()
        (w.exp() * self.scale).sum().backward()
        self.note(w.grad)

    def wide(self) -> None:
        x = weft.ones(300, 300) * 0.01
        self.note(self.run("wide", lambda x: (x @ x).exp().sum(), x))

    def long(self) -> None:
        y = w = self.x.clone().requires_grad_()
        for _ in range(100):
            y = y * 1.01
        y.sum().backward()
        self.note(w.grad)

    def change_rate(self) -> None:
        self.opt.param_groups[0]["lr"] = self.rng.choice([0.0, 0.01, 0.1])

    def change_scale(self) -> None:
        self.scale = self.rng.choice([1.0, 2.0, -0.0])

    def change_mode(self) -> None:
        self.net.train(self.rng.random() < 0.5)

    def change_net(self) -> None:
        self.net[1] = self.rng.choice([nn.Tanh, nn.ReLU, nn.Sigmoid])()

    def random_numbers(self) -> None:
        weft.rand(10)
        weft.randn(100000)

    def no_grad(self) -> None:
        with weft.no_grad():
            self.note(self.run("forward", lambda x: (self.net(x) * self.scale).detach(), self.x))


DOES = [name for name, value in vars(Worker).items() if callable(value) and name[0] != "_"]
DOES = [name for name in DOES if name not in ("numbers", "run", "note")]


#: Errors that Python could only print: in handlers around forks, in finalisers.
_unraisable: list[str] = []


def script(seed: str, compiled: bool, steps: int, seen: list[Any]) -> None:
    """One worker's life."""
    rng = random.Random(seed)
    worker = Worker(rng, compiled)
    for _ in range(steps):
        getattr(worker, rng.choice(DOES))()
    seen.extend(worker.seen)


def check(seed: str, steps: int, seen: list[Any]) -> None:
    """What a worker saw beside others is what it sees alone, eagerly."""
    alone: list[Any] = []
    script(seed, False, steps, alone)
    for i, (want, got) in enumerate(zip(alone, seen, strict=True)):
        assert want == got, f"worker {seed}, {steps} steps: result {i + 1} of {len(alone)} differs"


def _child(seed: str, steps: int) -> None:
    """A script in a child of fork, which has to end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: fork beside threads
        pid = os.fork()
    if pid == 0:
        try:
            faulthandler.dump_traceback_later(LIMIT, exit=True)
            seen: list[Any] = []
            script(seed, True, steps, seen)
            check(seed, steps, seen)
            assert not _unraisable, _unraisable
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0, f"the child {seed} ended with status {status}"


def _together(seeds: list[str], steps: int, children: list[str]) -> list[list[Any]]:
    seen: list[list[Any]] = [[] for _ in seeds]
    failed: list[BaseException] = []
    barrier = threading.Barrier(len(seeds))

    def life(number: int) -> None:
        try:
            barrier.wait()
            script(seeds[number], True, steps, seen[number])
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=life, args=(i,), daemon=True) for i in range(len(seeds))]
    for thread in threads:
        thread.start()
    for child in children:
        time.sleep(0.001)
        _child(child, steps)
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive(), "a worker hangs"
    if failed:
        raise AssertionError(f"a worker raised {failed[0]!r}") from failed[0]
    return seen


def run(seed: int, count: int) -> dict[str, int]:
    """``count`` times some workers together, each compared with its life alone and eager."""
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    threads, hook = weft.get_num_threads(), sys.unraisablehook
    sys.unraisablehook = lambda error: _unraisable.append(repr(error.exc_value))
    try:
        for i in range(count):
            weft.set_num_threads(rng.choice([1, 2, 4]))
            seeds = [f"{seed}.{i}.{k}" for k in range(rng.choice([2, 3, 4]))]
            forks = rng.choice([0, 0, 1, 2]) if hasattr(os, "fork") else 0
            children = [f"{seed}.{i}.child{k}" for k in range(forks)]
            steps = rng.randrange(5, 25)
            for one, seen in zip(seeds, _together(seeds, steps, children), strict=True):
                check(one, steps, seen)
            assert not _unraisable, _unraisable
            counts["children"] += forks
            counts["programs"] += 1
            counts["workers"] += len(seeds)
    finally:
        weft.set_num_threads(threads)
        sys.unraisablehook = hook
    return dict(counts)
