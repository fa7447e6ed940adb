"""A child of ``os.fork`` works, whatever other threads of its parent were doing."""

import os
import subprocess
import sys
import textwrap

import pytest

#: What children do: everything that takes a lock somewhere.
CHILD = """
    def child():
        signal.alarm(20)
        x = weft.rand(300, 300)
        w = weft.rand(300, 300, requires_grad=True)
        (x @ w).exp().mean().backward()
        shared.grad = None
        (shared * 2).sum().backward()
        assert w.grad.shape == (300, 300) and shared.grad[0].item() == 2
        weft.randn(100000).sum().item()
        fast = weft.compile(lambda t: (t * t + 1).sum())
        assert [fast(weft.ones(70000)).item() for _ in range(4)] == [140000.0] * 4
        assert weft.nn.functional.dropout(weft.ones(70000), 0.5).max().item() == 2
        assert planned(weft.ones(400, 300)).shape == (300, 300)
"""

#: What a thread of the parent does all the time.
BUSY = {
    "nothing": "time.sleep(0.001)",
    "backward": "(shared * b).exp().sum().backward()",
    "backward of many nodes": "chain(weft.ones(10, requires_grad=True)).sum().backward()",
    "random numbers": "weft.rand(70000); weft.randn(70000)",
    "small random numbers": "weft.rand(3)",
    "plans": "planned(weft.ones(400, 300))",
    "recordings": "f = weft.compile(lambda x: (x + 1).sum()); f(a); f(a); f(a)",
    "large operations": "a @ a",
    "small operations": "(small * 2).sum()",
    "optimiser steps": "shared.grad = b; opt.step()",
    "dropped graphs": "y = chain(weft.ones(10, requires_grad=True)); del y",
}

SCRIPT = """
    import os, signal, sys, threading, time, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: fork beside threads
    import weft
    weft.set_num_threads(4)

    a, b, small = weft.rand(300, 300), weft.rand(70000), weft.rand(3)
    shared = weft.rand(70000, requires_grad=True)
    opt = weft.optim.SGD([shared], lr=0.0, momentum=0.9)
    planned = weft.compile(lambda x: (x.T @ x).exp().sigmoid())
    for _ in range(3):
        planned(weft.ones(400, 300))

    def chain(x):
        for _ in range(300):
            x = x * 1.01
        return x
CHILD
    stop = False

    def work():
        while not stop:
            exec(BUSY, globals())

    threads = [threading.Thread(target=work, daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(8):
        time.sleep(0.002)
        pid = os.fork()
        if pid == 0:
            try:
                child()
            except BaseException:
                import traceback
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert status == 0, f"fork {n}: status {status}"
    stop = True
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    child()
    print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.parametrize("name", BUSY)
def test_children_work(name):
    script = f"BUSY = {BUSY[name]!r}\n" + textwrap.dedent(SCRIPT.replace("CHILD", CHILD))
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0 and done.stdout == "done\n", done.stdout + done.stderr


BESIDE = """
    import _thread, gc, os, signal, sys, threading, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # 3.12: fork beside threads
    import weft

    class Net(weft.nn.Module):
        scale = 2.0
        def forward(self, x):
            return x * self.scale

    class Box:
        pass

    net, box = Net(), Box()
    box.shift = 1.0
    inside, leave = _thread.allocate_lock(), _thread.allocate_lock()
    inside.acquire(), leave.acquire()
    waits = True

    def function(x):
        y = net(x) + box.shift
        if waits:
            inside.release()
            leave.acquire()
        return y

    fast = weft.compile(function)

    def child():
        signal.alarm(20)
        assert gc.isenabled(), "the garbage collector is off"
        assert sys.getprofile() is None
        assert "__getattribute__" not in vars(Box), "reads are still watched"
        own = weft.compile(lambda x: net(x) + box.shift)
        assert [own(weft.ones(1)).item() for _ in range(3)] == [3.0] * 3
        assert own.executable is not None
        net.scale = 5.0
        assert own(weft.ones(1)).item() == 6.0
        box.shift = 2.0
        assert own(weft.ones(1)).item() == 7.0

    thread = threading.Thread(target=lambda: fast(weft.ones(1)), daemon=True)
    thread.start()
    inside.acquire()
    pid = os.fork()
    if pid == 0:
        try:
            child()
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 0, status
    leave.release()
    thread.join(20)
    waits = False
    assert [fast(weft.ones(1)).item() for _ in range(4)] == [3.0] * 4
    assert gc.isenabled()
    net.scale = 4.0
    assert fast(weft.ones(1)).item() == 5.0
    print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_while_another_thread_records():
    """The child has no recording: it watches nothing, and its own recordings work."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(BESIDE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and done.stdout == "done\n", done.stdout + done.stderr


INSIDE = """
    import os, signal
    import weft

    def function(x):
        return x * 2 + 1

    fast = weft.compile(function)
    fast(weft.ones(1))

    def forks(x):
        pid = os.fork()
        if pid == 0:
            try:
                signal.alarm(20)
                assert (weft.ones(2) * 2).tolist() == [2, 2]
                assert [fast(weft.ones(1)).item() for _ in range(3)] == [3.0] * 3
            except BaseException:
                os._exit(1)
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        return x + 1

    try:
        weft.compile(forks)(weft.ones(1))
    except weft.CompileError:
        pass
    assert [fast(weft.ones(1)).item() for _ in range(3)] == [3.0] * 3
    print("done")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_inside_a_recording():
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(INSIDE)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0 and done.stdout == "done\n", done.stdout + done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_while_another_thread_compiles_for_the_first_time():
    """The first compiled function imports what records; a child must not wait for it for ever."""
    code = """
import os, sys, threading, time
import weft
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "weft._compile._compiled":
            begun.set()
            time.sleep(0.3)
begun = threading.Event()
sys.meta_path.insert(0, Slow())
thread = threading.Thread(target=lambda: weft.compile(lambda x: x))
thread.start()
assert begun.wait(30)
pid = os.fork()
fast = weft.compile(lambda x: x + 1)
assert [fast(weft.zeros(1)).item() for _ in range(3)] == [1, 1, 1]
if pid == 0:
    os._exit(0)
thread.join()
assert os.waitpid(pid, 0)[1] == 0
"""
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, timeout=30, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
