"""Profilers, debuggers and coverage tools run beside recordings, and recordings notice the same."""

import bdb
import cProfile
import gc
import subprocess
import sys
import textwrap
import threading
import warnings

import pytest

import weft
import weft.nn as nn

SCALE = 2.0


class Net(nn.Module):
    shift = 1.0

    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)
        self.factor = 3.0

    def forward(self, x):
        return self.drop(x) * self.factor + self.shift


class Box:
    """A plain config."""

    def __init__(self):
        self.value = 1.0


def follows(inside=lambda: None):
    """Compile, run, change everything that was read, and compare; ``inside`` runs in each call."""
    global SCALE
    SCALE, closed, net, box = 2.0, 1.0, Net(), Box()

    def function(x):
        inside()
        return net(x) * SCALE + closed + box.value

    fast = weft.compile(function)

    def equal(times=3):
        for _ in range(times):
            weft.manual_seed(1)
            got = fast(weft.ones(20)).tolist()
            weft.manual_seed(1)
            assert got == function(weft.ones(20)).tolist()

    equal()
    assert fast.executable is not None
    net.eval()
    equal()
    SCALE = 5.0
    equal()
    closed = 4.0
    equal()
    net.factor = 7.0
    equal()
    box.value = 9.0
    equal()
    net.shift = 11.0
    equal()
    return fast


@pytest.fixture(autouse=True)
def restored():
    """Tracers and the garbage collector are as they were."""
    before = sys.getprofile(), sys.gettrace(), gc.isenabled()
    yield
    assert (sys.getprofile(), sys.gettrace(), gc.isenabled()) == before


def test_nothing():
    follows()


def test_c_profiler_around():
    profile = cProfile.Profile()
    profile.enable()
    follows()
    profile.disable()
    names = {entry.code.co_name for entry in profile.getstats() if hasattr(entry.code, "co_name")}
    assert "follows" in names and "equal" in names


def test_c_profiler_around_the_call_only():
    fast = weft.compile(lambda x: x * SCALE)
    for _ in range(4):
        profile = cProfile.Profile()
        assert profile.runcall(fast, weft.ones(1)).item() == SCALE


#: On 3.11 the watch stands where a profiler would: one that begins inside is refused.
SHARES = sys.version_info >= (3, 12)


def refused_or_follows(inside):
    """Nothing unnoticed: a refusal where profilers cannot share, else everything as ever."""
    if SHARES:
        follows(inside)
        return
    with pytest.raises(weft.CompileError, match="profiler"):
        follows(inside)


def test_c_profiler_inside():
    def inside():
        profile = cProfile.Profile()
        profile.enable()
        len([])
        profile.disable()

    refused_or_follows(inside)


def test_c_profiler_begun_inside_and_left_on():
    profile = cProfile.Profile()
    begun = []

    def inside():
        if not begun:
            begun.append(1)
            profile.enable()

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", weft.CompileWarning)  # the list grows
            follows(inside)
    except weft.CompileError as error:
        assert "profiler" in str(error) or "begun" in str(error)
    finally:
        profile.disable()


def test_python_profiler_around():
    seen = []

    def profiler(frame, event, _arg):
        if event == "call":
            seen.append(frame.f_code.co_name)

    sys.setprofile(profiler)
    try:
        follows()
        assert sys.getprofile() is profiler
    finally:
        sys.setprofile(None)
    assert "follows" in seen and "equal" in seen


def test_python_profiler_inside():
    def inside():
        before = sys.getprofile()
        sys.setprofile(lambda frame, event, arg: None)
        len([])
        sys.setprofile(before)

    refused_or_follows(inside)


def test_tracer_around_sees_the_lines():
    lines = set()

    def tracer(frame, event, _arg):
        if frame.f_code.co_filename != __file__:
            return None
        if event == "line":
            lines.add(frame.f_code.co_name)
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        follows()
        assert sys.gettrace() is tracer
    finally:
        sys.settrace(before)
    assert {"follows", "function", "forward"} <= lines


def test_tracer_inside():
    def inside():
        before = sys.gettrace()
        sys.settrace(lambda frame, event, arg: None)
        len([])
        sys.settrace(before)

    follows(inside)


def test_debugger_around():
    class Steps(bdb.Bdb):
        count = 0

        def user_line(self, _frame):
            self.count += 1
            self.set_step()

    steps = Steps()
    steps.runcall(weft.compile(lambda x: x * SCALE), weft.ones(1))
    assert steps.count > 0
    assert Steps().runcall(follows).executable is not None


def test_profiler_of_threads():
    seen = []
    threading.setprofile(lambda frame, event, arg: seen.append(event))
    failed = []

    def work():
        try:
            follows()
        except BaseException as error:
            failed.append(error)

    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.setprofile(None)
    assert not failed and seen


@pytest.mark.parametrize("enabled", [True, False])
def test_collector_is_as_it_was(enabled):
    was = gc.isenabled()
    (gc.enable if enabled else gc.disable)()
    try:
        follows()
        assert gc.isenabled() == enabled
        fail = weft.compile(lambda x: [][1])
        for _ in range(3):
            with pytest.raises(IndexError):
                fail(weft.ones(1))
            assert gc.isenabled() == enabled
        with pytest.raises(weft.CompileError):
            weft.compile(lambda x: x.item())(weft.ones(1))
        assert gc.isenabled() == enabled
    finally:
        (gc.enable if was else gc.disable)()


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, MemoryError])
def test_an_exception_of_any_kind_leaves_nothing_behind(error):
    fail = True

    def inside():
        if fail:
            raise error

    fast = weft.compile(lambda x: (inside(), x * SCALE)[1])
    for _ in range(2):
        with pytest.raises(error):
            fast(weft.ones(1))
        assert not weft._core.is_recording()
    fail = False
    assert [fast(weft.ones(1)).item() for _ in range(4)] == [SCALE] * 4
    follows()


def test_exception_while_a_nested_one_records():
    inner = weft.compile(lambda x: [][1])

    def function(x):
        try:
            inner(x)
        except IndexError:
            return x * SCALE

    fast = weft.compile(function)
    assert [fast(weft.ones(1)).item() for _ in range(4)] == [SCALE] * 4
    follows()


SCRIPT = """
    import gc, sys
    import weft

    class Net(weft.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = weft.nn.Linear(4, 4)
        def forward(self, x):
            return self.linear(x).tanh()

    net = Net()
    opt = weft.optim.Adam(net.parameters(), lr=0.1)

    @weft.compile
    def step(x):
        opt.zero_grad()
        loss = net(x).square().sum()
        loss.backward()
        opt.step()
        return loss.detach()

    losses = [step(weft.ones(2, 4)).item() for _ in range(6)]
    assert step.executable is not None and gc.isenabled()
    opt.param_groups[0]["lr"] = 0.0
    step(weft.ones(2, 4))
    assert step(weft.ones(2, 4)).item() == step(weft.ones(2, 4)).item()
    print("done")
"""

WAYS = {
    "plain": [],
    "cProfile": ["-m", "cProfile"],
    "profile": ["-m", "profile"],
    "trace": ["-m", "trace", "--count", "--summary", "-C", "."],
    "pdb": ["-m", "pdb", "-c", "continue", "-c", "quit"],
    "dev": ["-X", "dev"],
    "importtime": ["-X", "importtime"],
    "tracemalloc": ["-X", "tracemalloc=5"],
}


@pytest.mark.parametrize("way", WAYS)
def test_script_under(way, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(textwrap.dedent(SCRIPT))
    done = subprocess.run(
        [sys.executable, *WAYS[way], str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert "done" in done.stdout, done.stdout + done.stderr
    assert "Traceback (most" not in done.stdout + done.stderr


MONITORING = getattr(sys, "monitoring", None)


@pytest.mark.skipif(MONITORING is None, reason="sys.monitoring came with Python 3.12")
@pytest.mark.parametrize("tool", range(6))
def test_monitoring_tools(tool):
    """A tool that uses ``sys.monitoring``, under any number, goes on and disturbs nothing."""
    if MONITORING.get_tool(tool) is not None:
        pytest.skip("the number is taken")
    seen = set()
    MONITORING.use_tool_id(tool, "test")
    events = MONITORING.events
    try:
        MONITORING.register_callback(tool, events.PY_START, lambda c, at: seen.add(c.co_name))
        MONITORING.register_callback(tool, events.CALL, lambda c, at, f, a: None)
        MONITORING.register_callback(tool, events.LINE, lambda c, line: seen.add(line))
        MONITORING.set_events(tool, events.PY_START | events.CALL | events.LINE)
        follows()
        assert MONITORING.get_tool(tool) == "test"
        assert MONITORING.get_events(tool) == events.PY_START | events.CALL | events.LINE
    finally:
        MONITORING.set_events(tool, 0)
        MONITORING.free_tool_id(tool)
    assert "follows" in seen and "forward" in seen


@pytest.mark.skipif(MONITORING is None, reason="sys.monitoring came with Python 3.12")
def test_all_monitoring_numbers_taken():
    """Then a recording either works all the same or says what it needs."""
    taken = [n for n in range(6) if MONITORING.get_tool(n) is None]
    for n in taken:
        MONITORING.use_tool_id(n, f"test {n}")
    try:
        try:
            follows()
        except weft.CompileError as error:
            assert "monitoring" in str(error)
    finally:
        for n in taken:
            MONITORING.free_tool_id(n)
    follows()
