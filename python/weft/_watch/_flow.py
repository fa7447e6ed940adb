"""Where the values go that an instruction pushes: only into tensors, or anywhere.

A *source* is an instruction that may push an array: a global name, a cell, an attribute, a
parameter. Its values are followed through the stack and the local variables of one code object,
together with what subscripts, iteration and views make of them. What is not known to leave the
contents of an array alone counts as a look at them.
"""

from __future__ import annotations

import bisect
import dis
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from weft._watch._present import MISSING

#: Attributes of an array that tell nothing of its contents.
_FACTS = {"dtype", "itemsize", "nbytes", "ndim", "shape", "size", "strides"}
#: Attributes and methods that give an array of the same contents.
_VIEWS = {"T", "mT", "ravel", "reshape", "squeeze", "swapaxes", "transpose", "view"}
#: Functions that tell nothing of an array's contents.
HARMLESS: tuple[Any, ...] = (isinstance, len, type, id)
_CONVERSIONS = {"tensor", "as_tensor", "from_numpy"}
_NOTHING = {
    "CACHE",
    "COPY_FREE_VARS",
    "DELETE_FAST",
    "EXTENDED_ARG",
    "JUMP_BACKWARD",
    "JUMP_BACKWARD_NO_INTERRUPT",
    "JUMP_FORWARD",
    "KW_NAMES",
    "MAKE_CELL",
    "NOP",
    "NOT_TAKEN",
    "PRECALL",
    "RESUME",
}
#: What takes a fixed number of values and looks at them.
_LOOKS = {
    "BEFORE_WITH": 1,
    "BINARY_OP": 2,
    "COMPARE_OP": 2,
    "CONTAINS_OP": 2,
    "DELETE_SUBSCR": 2,
    "LIST_APPEND": 1,
    "LIST_EXTEND": 1,
    "RAISE_VARARGS": 1,
    "RETURN_VALUE": 1,
    "STORE_ATTR": 2,
    "STORE_DEREF": 1,
    "STORE_GLOBAL": 1,
    "STORE_SLICE": 4,
    "STORE_SUBSCR": 3,
    "TO_BOOL": 1,
    "UNARY_INVERT": 1,
    "UNARY_NEGATIVE": 1,
    "UNARY_NOT": 1,
    "UNARY_POSITIVE": 1,
}
_BUILDS = {"BUILD_LIST", "BUILD_SET", "BUILD_SLICE", "BUILD_STRING", "BUILD_TUPLE"}
_ENDS = {"RAISE_VARARGS", "RERAISE", "RETURN_CONST", "RETURN_VALUE"}
_PUSHES = {"LOAD_CONST", "LOAD_SMALL_INT", "PUSH_NULL", "RETURN_GENERATOR"}
_GOES = {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}
_METHOD: Any = object()
_NULL_IS_ABOVE = sys.version_info >= (3, 13)

Sources = frozenset[int]
NONE: Sources = frozenset()


@dataclass(frozen=True)
class _Value:
    """What may be on the stack: from which sources it comes, and the object if it is known."""

    sources: Sources = NONE
    known: Any = MISSING


_PLAIN = _Value()


@dataclass
class Flow:
    """What becomes of the values of one code object.

    Attributes:
        sources: the offsets of sources, with the name that is read.
        looked: sources whose contents may be looked at.
        stored: sources whose contents may be written.
        fed: by the offset of a call that makes a tensor, the sources that it is made of.
        offsets: where instructions begin.
    """

    sources: dict[int, str] = field(default_factory=dict)
    looked: set[int] = field(default_factory=set)
    stored: set[int] = field(default_factory=set)
    fed: dict[int, set[int]] = field(default_factory=dict)
    offsets: list[int] = field(default_factory=list)

    def running(self, frame: types.FrameType) -> int:
        """The offset of the instruction that a frame of this code executes.

        While it calls, the frame may stand in the instruction's cache.
        """
        at = bisect.bisect_right(self.offsets, frame.f_lasti)
        return self.offsets[at - 1] if at else 0

    def is_clean(self, source: int, name: str) -> bool:
        """Whether what is read under ``name`` at a source only becomes tensors."""
        return self.sources.get(source) == name and source not in self.looked


def parameter(code: types.CodeType, name: str) -> int:
    """The source that a parameter is."""
    return -1 - code.co_varnames.index(name)


def follow(code: types.CodeType, find: Callable[[str, str], Any]) -> Flow:
    """Follow the values of ``code``; ``find(opcode's name, name)`` gives what a name means now."""
    try:
        return _Follower(code, find).run()
    except Exception:
        # Bytecode that is not understood proves nothing.
        return Flow()


class _Follower:
    def __init__(self, code: types.CodeType, find: Callable[[str, str], Any]) -> None:
        self.code, self.find, self.flow = code, find, Flow()
        self.steps = list(dis.get_instructions(code))
        self.flow.offsets = [step.offset for step in self.steps]
        self.at = {step.offset: i for i, step in enumerate(self.steps)}
        count = code.co_argcount + code.co_kwonlyargcount
        count += bool(code.co_flags & 4) + bool(code.co_flags & 8)
        cells = (*code.co_cellvars, *code.co_freevars)
        self.cells = set(cells)
        self.locals: dict[str, Sources] = {
            name: frozenset([parameter(code, name)]) for name in code.co_varnames[:count]
        }
        for name in cells:
            self.flow.looked |= self.locals.get(name, NONE)
        for name in self.locals:
            self.flow.sources[parameter(code, name)] = name
        self.before: dict[int, list[_Value]] = {0: []}

    def run(self) -> Flow:
        while True:
            known = dict(self.locals)
            waiting = list(self.before)
            while waiting:
                i = waiting.pop()
                for j, stack in self._step(i, list(self.before[i])):
                    if self._merge(j, stack):
                        waiting.append(j)
            if known == self.locals:
                break
        for i, step in enumerate(self.steps):
            if i not in self.before:
                self._unreached(step)
        return self.flow

    def _merge(self, i: int, stack: list[_Value]) -> bool:
        known = self.before.get(i)
        if known is None:
            self.before[i] = stack
            return True
        if len(known) != len(stack):
            raise ValueError("two ways with different stacks")
        both = [_join(a, b) for a, b in zip(known, stack, strict=True)]
        changed = both != known
        self.before[i] = both
        return changed

    def _unreached(self, step: dis.Instruction) -> None:
        self.flow.looked.add(step.offset)
        if step.opname.startswith("LOAD_FAST"):
            names = step.argval if isinstance(step.argval, tuple) else (step.argval,)
            for name in names:
                self.flow.looked |= self.locals.get(name, NONE)

    def _look(self, values: list[_Value]) -> None:
        for value in values:
            self.flow.looked |= value.sources

    def _step(self, i: int, stack: list[_Value]) -> list[tuple[int, list[_Value]]]:
        step = self.steps[i]
        name = step.opname
        jumps = None
        if step.opcode in dis.hasjrel or step.opcode in dis.hasjabs:
            jumps = self.at[step.argval]
        if name in _GOES and jumps is not None:
            return [(jumps, stack)]
        if jumps is not None:
            return self._branch(i, step, jumps, stack)
        if not (self._moves(step, stack) or self._loads(step, stack)):
            self._uses(step, stack)
        return [] if name in _ENDS else [(i + 1, stack)]

    def _branch(
        self, i: int, step: dis.Instruction, jumps: int, stack: list[_Value]
    ) -> list[tuple[int, list[_Value]]]:
        """A jump that is taken or not."""
        top = stack[-1]
        if step.opname == "FOR_ITER":
            going = [*stack, _Value(top.sources)]
        else:
            if not step.opname.endswith("NONE"):
                self._look([top])
            going = stack[: len(stack) + dis.stack_effect(step.opcode, step.arg, jump=False)]
        effect = dis.stack_effect(step.opcode, step.arg, jump=True)
        left = stack[: len(stack) + min(effect, 0)] + [_PLAIN] * max(effect, 0)
        return [(i + 1, going), (jumps, left)]

    def _moves(self, step: dis.Instruction, stack: list[_Value]) -> bool:
        """What moves values about and looks at none."""
        name, arg = step.opname, step.arg or 0
        if name in _NOTHING:
            return True
        if name in _PUSHES:
            stack.append(_PLAIN)
        elif name == "POP_TOP":
            stack.pop()
        elif name == "COPY":
            stack.append(stack[-arg])
        elif name == "SWAP":
            stack[-1], stack[-arg] = stack[-arg], stack[-1]
        elif name == "GET_ITER":
            stack.append(_Value(stack.pop().sources))
        elif name == "UNPACK_SEQUENCE":
            stack += [_Value(stack.pop().sources)] * arg
        elif name == "STORE_FAST" and step.argval not in self.cells:
            held = self.locals.get(step.argval, NONE)
            self.locals[step.argval] = held | stack.pop().sources
        elif name == "IS_OP":
            del stack[-2:]
            stack.append(_PLAIN)
        else:
            return False
        return True

    def _loads(self, step: dis.Instruction, stack: list[_Value]) -> bool:
        """What pushes values from outside or from local variables."""
        name = step.opname
        is_cell = name.startswith("LOAD_FAST") and step.argval in self.cells
        if name == "LOAD_CLOSURE" or is_cell:
            # The cell itself, for a function that reads it under the same name.
            self._source(step)
            stack.append(_PLAIN)
        elif name in ("LOAD_FAST", "LOAD_FAST_CHECK", "LOAD_FAST_BORROW"):
            stack.append(_Value(self.locals.get(step.argval, NONE)))
        elif name in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
            value = _Value(self._source(step), self.find(name, step.argval))
            null = [_PLAIN] if name == "LOAD_GLOBAL" and (step.arg or 0) & 1 else []
            stack += [value, *null] if _NULL_IS_ABOVE else [*null, value]
        elif name in ("LOAD_ATTR", "LOAD_METHOD"):
            effect = dis.stack_effect(step.opcode, step.arg)
            value = self._attribute(step, stack.pop())
            stack += [value] * (1 + effect)
        else:
            return False
        return True

    def _source(self, step: dis.Instruction) -> Sources:
        self.flow.sources[step.offset] = step.argval
        return frozenset([step.offset])

    def _attribute(self, step: dis.Instruction, owner: _Value) -> _Value:
        name = step.argval
        own = self._source(step)
        if isinstance(owner.known, types.ModuleType):
            return _Value(own, vars(owner.known).get(name, MISSING))
        if name in _VIEWS:
            return _Value(owner.sources | own, _METHOD)
        if name not in _FACTS:
            self._look([owner])
        return _Value(own)

    def _uses(self, step: dis.Instruction, stack: list[_Value]) -> None:
        """What takes values from the stack and makes something of them."""
        name, arg = step.opname, step.arg or 0
        if name == "BINARY_SUBSCR" or (name == "BINARY_OP" and step.argrepr == "[]"):
            self._look([stack.pop()])
            stack.append(_Value(stack.pop().sources))
        elif name == "BINARY_SLICE":
            self._look([stack.pop(), stack.pop()])
            stack.append(_Value(stack.pop().sources))
        elif name == "CALL":
            self._call(step.offset, stack, arg)
        elif name in _LOOKS or name in _BUILDS:
            count = arg if name in _BUILDS else _LOOKS[name]
            taken = stack[len(stack) - count :]
            self._look(taken)
            if name in ("STORE_SUBSCR", "STORE_SLICE") or (
                name == "BINARY_OP" and step.argrepr.endswith("=")
            ):
                self.flow.stored |= taken[0 if name == "BINARY_OP" else 1].sources
            effect = dis.stack_effect(step.opcode, step.arg)
            del stack[len(stack) - count :]
            stack += [_PLAIN] * (count + effect)
        else:
            self._look(stack)
            effect = dis.stack_effect(step.opcode, step.arg)
            stack[:] = [_PLAIN] * (len(stack) + effect)

    def _call(self, offset: int, stack: list[_Value], count: int) -> None:
        args = stack[len(stack) - count :]
        callee = stack[len(stack) - count - 2 : len(stack) - count]
        del stack[len(stack) - count - 2 :]
        known = [value.known for value in callee if value.known is not MISSING]
        if _METHOD in known:
            self._look(args)
            stack.append(_Value(callee[0].sources | callee[1].sources))
            return
        stack.append(_PLAIN)
        what = known[0] if known else None
        if is_conversion(what) and args:
            self.flow.fed.setdefault(offset, set()).update(args[0].sources)
            self._look(args[1:])
        elif not any(what is one for one in HARMLESS):
            self._look(args + callee)


def _join(a: _Value, b: _Value) -> _Value:
    return _Value(a.sources | b.sources, a.known if a.known is b.known else MISSING)


def is_conversion(what: Any) -> bool:
    """Whether this is one of the functions of weft that make tensors of arrays."""
    return (
        isinstance(what, types.FunctionType)
        and what.__module__ == "weft.ops.create"
        and what.__name__ in _CONVERSIONS
    )
