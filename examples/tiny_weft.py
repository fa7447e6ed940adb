"""weft's core in 300 lines of numpy: one program, two graphs, the same bits.

The words are weft's, in weft's order: an ``Op`` is a row; gradient rules speak to ``Emit``; eager
calls leave a tape; a listener records a whole step as a ``Graph``, which is tidied, planned, run.
Tensors are float64 and own their memory (weft has dtypes and views). A function is recorded once
and believed: what it reads in Python stays, arguments come as such only (weft checks all of that).
"""

# fmt: off
import contextlib
import itertools
from collections import namedtuple

import numpy as np

# 1 · An operation is a row: its shape, its kernel, its gradient rules.
# Rules get an emitter, the result's gradient, inputs and result; `over`: it may overwrite inputs.
Row = namedtuple("Row", "infer run gradients over", defaults=[False])
class Op(namedtuple("Op", "name attrs", defaults=[()])):
    infer = lambda self, *shapes: ROWS[self.name].infer(*shapes, **dict(self.attrs))
    run = lambda self, out, *inputs: ROWS[self.name].run(out, *inputs, **dict(self.attrs))
def pointwise(kernel, *gradients):
    return Row(np.broadcast_shapes, lambda out, *x: kernel(*x, out=out), gradients, over=True)
def sum_to(out, x, shape):
    shape = (1,) * (x.ndim - len(shape)) + shape
    axes = tuple(d for d in range(x.ndim) if shape[d] != x.shape[d])
    np.sum(x, axes, keepdims=True, out=out.reshape(shape))

ROWS = {
    "add": pointwise(np.add, lambda e, g, x, y: g, lambda e, g, x, y: g),
    "sub": pointwise(np.subtract, lambda e, g, x, y: g, lambda e, g, x, y: e.neg(g)),
    "mul": pointwise(np.multiply,
        lambda e, g, x, y: e.mul(g, x[1]), lambda e, g, x, y: e.mul(g, x[0])),
    "neg": pointwise(np.negative, lambda e, g, x, y: e.neg(g)),
    "tanh": pointwise(np.tanh,
        lambda e, g, x, y: e.mul(g, e.sub(e.full(value=1.0), e.mul(y, y)))),
    "matmul": Row(lambda a, b: (a[0], b[1]), lambda out, a, b: np.matmul(a, b, out=out), (
        lambda e, g, x, y: e.matmul(g, e.transpose(x[1])),
        lambda e, g, x, y: e.matmul(e.transpose(x[0]), g))),
    "transpose": Row(lambda x: x[::-1], lambda out, x: np.copyto(out, x.T),
        (lambda e, g, x, y: e.transpose(g),)),
    "sum_to": Row(lambda x, shape: shape, sum_to,
        (lambda e, g, x, y: e.expand(g, shape=e.shape(x[0])),)),
    "expand": Row(lambda x, shape: shape, lambda out, x, shape: np.copyto(out, x),
        (lambda e, g, x, y: e.sum_to(g, shape=e.shape(x[0])),)),
    "full": Row(lambda value, shape=(): shape, lambda out, value, shape=(): out.fill(value), ()),
}

# 2 · Where a rule's arithmetic goes. A value is a tensor or a number in a graph; rules do not look.
class Emit:
    """``emit(op, *vals)`` computes at once or appends to a graph; ``e.neg(a)`` is short for it."""
    def __getattr__(self, name):
        return lambda *vals, **attrs: self.emit(Op(name, tuple(attrs.items())), *vals)
def walk(e, applied, grads):
    """Walks back over (op, inputs, result, wanted) of ``applied`` and adds to ``grads``."""
    for op, inputs, result, wanted in reversed(applied):
        rules = ROWS[op.name].gradients if result in grads else ()
        for i in [i for i in range(len(rules)) if wanted[i]]:
            x, grad = inputs[i], rules[i](e, grads[result], inputs, result)
            if e.shape(grad) != e.shape(x):  # the input was broadcast
                grad = e.sum_to(grad, shape=e.shape(x))
            grads[x] = e.add(grads[x], grad) if x in grads else grad

# 3 · Calling: compute, leave a node on the tape, tell whoever listens.
class Mode:
    grad, listener, seq = True, None, itertools.count()
@contextlib.contextmanager
def no_grad(off=True):
    before, Mode.grad = Mode.grad, not off
    try:
        yield
    finally:
        Mode.grad = before
TapeNode = namedtuple("TapeNode", "seq op inputs result versions")  # versions when it ran
def call(op, *inputs):
    out = Tensor(np.empty(op.infer(*[x.shape for x in inputs])))
    op.run(out.data, *[x.data for x in inputs])
    if Mode.grad and any(x.wants for x in inputs):
        out.node = TapeNode(next(Mode.seq), op, inputs, out, [x.version for x in (*inputs, out)])
    if Mode.listener:
        Mode.listener.called(op, inputs, out)
    return out
def call_into(op, inputs, target):
    """Writes the result over ``target``: how parameters and momenta change."""
    assert ROWS[op.name].over and op.infer(*[x.shape for x in inputs]) == target.shape
    if Mode.grad and any(x.wants for x in (target, *inputs)):
        raise RuntimeError(f"{op.name}: a change in place leaves no history here. Use no_grad()")
    op.run(target.data, *[x.data for x in inputs])
    target.version += 1
    if Mode.listener:
        Mode.listener.wrote(op, inputs, target)

class Tensor:
    def __init__(self, data, requires_grad=False):
        self.data, self.requires_grad = data, requires_grad
        self.node, self.grad, self.version, self.seq = None, None, 0, next(Mode.seq)
    shape = property(lambda self: self.data.shape)
    wants = property(lambda self: self.requires_grad or self.node is not None)
    t = lambda self: call(Op("transpose"), self)
    tanh = lambda self: call(Op("tanh"), self)
    sum = lambda self: call(Op("sum_to", (("shape", ()),)), self)
    backward = lambda self, create_graph=False: backward(self, create_graph)
    __add__ = lambda self, other: call(Op("add"), self, operand(other))
    __sub__ = lambda self, other: call(Op("sub"), self, operand(other))
    __mul__ = lambda self, other: call(Op("mul"), self, operand(other))
    __matmul__ = lambda self, other: call(Op("matmul"), self, other)
    def item(self):
        if Mode.listener:
            raise RuntimeError("item: a graph cannot follow a value. Return the tensor")
        return self.data.item()
def operand(x):
    return x if isinstance(x, Tensor) else call(Op("full", (("value", float(x)),)))

# 4 · The tape, walked back. What rules emit are calls too, so a listener hears them, and with
# create_graph they stand on the tape themselves.
class Eager(Emit):
    emit = staticmethod(call)
    shape = lambda self, x: x.shape
def backward(root, create_graph):
    nodes, leaves, ahead = {}, [], [root]
    while ahead:
        x = ahead.pop()
        if x.node and x.node.seq not in nodes:
            nodes[x.node.seq] = x.node
            ahead += x.node.inputs
        elif x.requires_grad and x not in leaves:
            leaves.append(x)
    e, applied = Eager(), []
    for _, (_, op, inputs, result, versions) in sorted(nodes.items()):
        if versions != [x.version for x in (*inputs, result)]:
            raise RuntimeError(f"backward: a value saved by {op.name} was changed in place")
        applied.append((op, inputs, result, [x.wants for x in inputs]))
    with no_grad(not create_graph):
        grads = {root: e.full(value=1.0, shape=root.shape)}
        walk(e, applied, grads)
        for leaf in leaves:
            if Mode.listener:
                Mode.listener.grad_set(leaf)
            leaf.grad = grads[leaf] if leaf.grad is None else leaf.grad + grads[leaf]

def zero_grad(params):
    for p in params:
        p.grad = None
        if Mode.listener:
            Mode.listener.grads.append(p)
def sgd(params, momenta, rate, momentum):
    with no_grad():
        for p, m in zip(params, momenta, strict=True):
            call_into(Op("add"), [m * momentum, p.grad], m)
            call_into(Op("sub"), [p, m * rate], p)

# 5 · The static graph: nodes in order, one value each. It is an emitter too.
Node = namedtuple("Node", "op inputs shape data", defaults=[None])  # "input", "const" are no rows
class Graph(Emit):
    def __init__(self):
        self.nodes, self.outputs = {}, []  # nodes by value; outputs: (role, its number, value)
    def append(self, node):
        self.nodes[len(self.nodes)] = node
        return len(self.nodes) - 1
    emit = lambda self, op, *vals: self.append(Node(op, vals, op.infer(*map(self.shape, vals))))
    shape = lambda self, val: self.nodes[val].shape
    def __str__(self):
        lines = [f"%{v} = {op.name}{[f'%{i}' for i in inputs] + list(op.attrs)} : f64{list(shape)}"
                 for v, (op, inputs, shape, _) in self.nodes.items()]
        return "\n".join(lines + [f"{role} {i} is %{v}" for role, i, v in self.outputs])

# 6 · Recording: the run goes on as ever, and a listener notes which value each piece of memory
# holds now. A write gives memory another value, so the graph itself has no writes.
class Recorder:
    def __init__(self, args):
        self.graph, self.inputs, self.grads = Graph(), [], []
        self.holds, self.written = {}, {}  # by memory; what is held keeps it alive
        self.seq = next(Mode.seq)
        for x in args:
            self.value(x)
    def value(self, x):
        if id(x.data) not in self.holds:
            if x.seq > self.seq:
                raise RuntimeError("compile: a tensor that no operation made. Make it outside")
            node = Node(Op("input", (len(self.inputs),)), (), x.shape)
            self.holds[id(x.data)] = (self.graph.append(node), x)
            self.inputs.append(x)
        return self.holds[id(x.data)][0]
    def called(self, op, inputs, out):
        self.holds[id(out.data)] = (self.graph.emit(op, *map(self.value, inputs)), out)
    def wrote(self, op, inputs, target):
        self.value(target)
        self.called(op, inputs, target)
        self.written[id(target.data)] = target
    def grad_set(self, leaf):
        if leaf not in self.grads:
            raise RuntimeError("backward: an older .grad grows. Call zero_grad in the function")
    def finish(self, returned):
        number = {id(x.data): i for i, x in enumerate(self.inputs)}
        self.graph.outputs = [
            ("return", 0, self.value(returned)),
            *[("grad", number[id(x.data)], self.value(x.grad)) for x in self.grads],
            *[("update", number[k], self.value(x)) for k, x in self.written.items() if k in number]]

# 7 · Tidying builds an equal graph. Bits stay: 0 + x is not always x.
def tidy(graph):
    new, at, seen = Graph(), {}, {}
    for v, (op, old, shape, data) in graph.nodes.items():
        inputs = tuple(at[i] for i in old)
        known = [new.nodes[i].data for i in inputs]
        if op.name in ("transpose", "neg") and new.nodes[inputs[0]].op == op:  # undone: simplify
            at[v] = new.nodes[inputs[0]].inputs[0]
            continue
        if op.name in ROWS and all(x is not None for x in known):  # of constants alone: fold
            data = np.empty(shape)
            op.run(data, *known)
            op, inputs = Op("const"), ()
        key = (op, inputs, shape, None if data is None else data.tobytes())
        if key not in seen:  # equal: merge
            seen[key] = new.append(Node(op, inputs, shape, data))
        at[v] = seen[key]
    new.outputs = [(role, i, at[v]) for role, i, v in graph.outputs]
    live = {v for _, _, v in new.outputs}
    for v in reversed(range(len(new.nodes))):  # read by nobody: drop
        live.update(new.nodes[v].inputs if v in live else ())
    new.nodes = {v: new.nodes[v] for v in sorted(live)}
    return new

# 8 · Planning: a value gets its place once: over an operand that nobody needs any more, or in a
# free piece of one slab. Running writes what others see when all else is done.
class Plan:
    def __init__(self, graph):
        self.places, self.outputs = {v: n.data for v, n in graph.nodes.items()}, graph.outputs
        self.inputs = {v: n.op.attrs for v, n in graph.nodes.items() if n.op.name == "input"}
        self.steps = [(v, node) for v, node in graph.nodes.items() if node.op.name in ROWS]
        last = {i: v for v, node in self.steps for i in node.inputs}
        last |= {v: max(graph.nodes) + 1 for _, _, v in graph.outputs}
        pieces, free, self.size, self.in_place = {}, [], 0, 0
        for v, (op, inputs, shape, _) in self.steps:
            dying = {i: pieces[i] for i in inputs if last[i] == v and i in pieces}
            over = [dying[i] for i in dying if ROWS[op.name].over and graph.shape(i) == shape]
            size = int(np.prod(shape))
            fitting = [piece for piece in free if piece[0] >= size]
            pieces[v] = min(over or fitting, default=(size, self.size))
            self.size = max(self.size, sum(pieces[v]))
            free = [p for p in [*free, *dying.values()] if p != pieces[v]]
            self.in_place += bool(over)
        slab = np.empty(self.size)
        for v, (_, at) in pieces.items():
            self.places[v] = slab[at:at + int(np.prod(graph.shape(v)))].reshape(graph.shape(v))
    def run(self, tensors):
        at = self.places.copy()
        for v, (number,) in self.inputs.items():
            at[v] = tensors[number].data
        for v, node in self.steps:
            node.op.run(at[v], *[at[i] for i in node.inputs])
        (_, _, result), *changes = [(role, i, at[v].copy()) for role, i, v in self.outputs]
        for role, i, made in changes:
            if role == "grad":
                tensors[i].grad = Tensor(made)
            else:
                tensors[i].data[...] = made
                tensors[i].version += 1
        return Tensor(result)

def compile(function):
    def run(*args):
        memory = {id(x.data): x for x in args}  # arguments that are one tensor are one input
        key = tuple((x.shape, x.requires_grad, list(memory).index(id(x.data))) for x in args)
        if key in run.recorded:
            plan, _, captured = run.recorded[key]
            return plan.run([*memory.values(), *captured])
        Mode.listener = heard = Recorder(args)
        try:
            returned = function(*args)
            heard.finish(returned)
        finally:
            Mode.listener = None
        run.recorded[key] = Plan(tidy(heard.graph)), heard.graph, heard.inputs[len(memory):]
        return returned
    run.recorded = {}
    return run

def train(mode, steps=500):
    rng = np.random.default_rng(0)
    x = Tensor(np.linspace(-2, 2, 64).reshape(64, 1))
    y = Tensor(np.sin(2 * x.data))
    params = [Tensor(rng.normal(size=s), True) for s in ((16, 1), (16,), (1, 16), (1,))]
    momenta = [Tensor(np.zeros(p.shape)) for p in params]
    def step(x, y):
        zero_grad(params)
        w1, b1, w2, b2 = params
        error = (x @ w1.t() + b1).tanh() @ w2.t() + b2 - y
        loss = (error * error).sum() * (1 / 64)
        loss.backward()
        sgd(params, momenta, 0.05, 0.9)
        return loss
    run = mode(step)
    return [run(x, y).item() for _ in range(steps)], params, run

if __name__ == "__main__":
    (eager, _, _), (static, _, run) = train(lambda step: step), train(compile)
    [(plan, graph, _)] = run.recorded.values()
    print(f"loss {eager[0]:.3f} -> {eager[-1]:.6f}, static equals eager: {static == eager}")
    print(f"{len(graph.nodes)} nodes recorded, {len(plan.steps)} steps, {plan.in_place} in place")
