"""The base class of everything with parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from weft._core import Tensor
from weft.nn import _state
from weft.nn._hooks import Hook, Hooks, PreHook, RemovableHandle, call_with_hooks
from weft.nn._tree import Tree
from weft.nn.parameter import Parameter

if TYPE_CHECKING:
    import weft

_PARAMETER = (Parameter, type(None))


def _members(module: Module) -> dict[str, Any]:
    """The instance's own dictionary, unseen by a recording: to look before writing."""
    found: dict[str, Any] = object.__getattribute__(module, "__dict__")
    return found


class Module(Tree):
    """A part of a model: parameters, buffers, submodules and a ``forward``.

    Parameters and submodules are found by their type among the instance's ordinary attributes;
    a tensor becomes a buffer through :meth:`register_buffer`. A parameter that is reachable under
    two names is yielded once by the iterators and saved under both names.

    Example:
        >>> import weft, weft.nn as nn
        >>> class Twice(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.inner = nn.Linear(3, 3)
        ...     def forward(self, x):
        ...         return self.inner(self.inner(x))
        >>> model = Twice()
        >>> [name for name, _ in model.named_parameters()]
        ['inner.weight', 'inner.bias']
        >>> tuple(model(weft.ones(2, 3)).shape)
        (2, 3)
    """

    training: bool
    _hooks: Hooks | None

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        """Give every instance its own state, even where ``super().__init__()`` is forgotten."""
        self = super().__new__(cls)
        vars(self).update(training=True, _hooks=None, _buffer_names={})
        return self

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's result. Every subclass defines it.

        Raises:
            NotImplementedError: the subclass has none.
        """
        raise NotImplementedError(f'Module: {type(self).__name__} has no "forward" method')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run :meth:`forward`, with the hooks if there are any."""
        hooks = self._hooks
        if hooks is None:
            return self.forward(*args, **kwargs)
        return call_with_hooks(self, hooks, args, kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set an attribute; a parameter is replaced by a parameter or None only."""
        if isinstance(_members(self).get(name), Parameter) and not isinstance(value, _PARAMETER):
            raise TypeError(
                f"{type(self).__name__}.{name}: is a parameter, expected a Parameter or None, "
                f"got {type(value).__name__}. Use .copy_() to change its values."
            )
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        """Delete an attribute."""
        object.__delattr__(self, name)
        self._buffer_names.pop(name, None)

    # Registration

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under ``name``; None reserves the name.

        Raises:
            TypeError: ``param`` is neither a Parameter nor None.
            KeyError: the name is empty, has a dot, or is taken by something else.
        """
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"register_parameter: needs a Parameter or None for '{name}', "
                f"got {type(param).__name__}"
            )
        self._check_name("register_parameter", name, (Parameter, type(None)))
        setattr(self, name, param)

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state but no parameter; saved if ``persistent``.

        Raises:
            TypeError: ``tensor`` is neither a tensor nor None.
            KeyError: the name is empty, has a dot, or is taken by something else.
        """
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"register_buffer: needs a tensor or None for '{name}', got {type(tensor).__name__}"
            )
        if name not in self._buffer_names:
            self._check_name("register_buffer", name, ())
        self._buffer_names[name] = persistent
        setattr(self, name, tensor)

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under ``name``; None reserves the name.

        Raises:
            TypeError: ``module`` is neither a Module nor None.
            KeyError: the name is empty, has a dot, or is taken by something else.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"register_module: needs a Module or None for '{name}', got {type(module).__name__}"
            )
        self._check_name("register_module", name, (Module, type(None)))
        setattr(self, name, module)

    add_module = register_module

    def _check_name(self, op: str, name: str, replaceable: tuple[type, ...]) -> None:
        if not name or "." in name:
            raise KeyError(f"{op}: a name must be non-empty and have no dot, got {name!r}")
        if hasattr(self, name) and not (
            name in vars(self) and isinstance(vars(self)[name], replaceable)
        ):
            raise KeyError(f"{op}: attribute {name!r} already exists in {type(self).__name__}")

    # State

    def state_dict(self, *, prefix: str = "", keep_vars: bool = False) -> dict[str, Tensor]:
        """Parameters and persistent buffers by dotted name; the tensors share storage with them."""
        return _state.collect(self, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True
    ) -> _state.IncompatibleKeys:
        """Copy values (tensors or arrays) into the parameters and buffers of the same names.

        Returns:
            the ``missing_keys`` and ``unexpected_keys``, both empty if ``strict``.

        Raises:
            RuntimeError: names (if ``strict``) or shapes do not fit. Nothing is changed then.
        """
        return _state.load(self, state_dict, strict)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        for param in self.parameters():
            if set_to_none:
                param.grad = None
            elif param.grad is not None:
                param.grad.zero_()

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Say for all parameters whether they get gradients."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def train(self, mode: bool = True) -> Self:
        """Set training mode (dropout is active) here and below."""
        if not isinstance(mode, bool):
            raise ValueError(f"train: needs a bool, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode (dropout does nothing) here and below."""
        return self.train(False)

    def to(self, *args: Any, dtype: weft.dtype | None = None, device: Any = None) -> Self:
        """Change the dtype of floating parameters and buffers: ``to(dtype)`` or ``to("cpu")``.

        A changed parameter is a new object: make the optimiser afterwards.

        Raises:
            RuntimeError: a device other than the CPU is asked for.
            TypeError: the dtype is not a floating one.
        """
        return _state.convert(self, args, dtype, device)

    def float(self) -> Self:
        """Make floating parameters and buffers float32."""
        return _state.convert_to(self, "float32")

    def double(self) -> Self:
        """Make floating parameters and buffers float64."""
        return _state.convert_to(self, "float64")

    def half(self) -> Self:
        """Make floating parameters and buffers float16."""
        return _state.convert_to(self, "float16")

    def bfloat16(self) -> Self:
        """Make floating parameters and buffers bfloat16."""
        return _state.convert_to(self, "bfloat16")

    def cpu(self) -> Self:
        """Return this module: all tensors live on the CPU."""
        return self

    # Hooks

    def register_forward_pre_hook(self, hook: PreHook) -> RemovableHandle:
        """Call ``hook(module, args)`` before each forward; what it returns replaces the args."""
        handle, hooks = RemovableHandle(self), self._hooks or Hooks()
        self._hooks = hooks._replace(before=(*hooks.before, (handle, hook)))
        return handle

    def register_forward_hook(self, hook: Hook) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after each forward; a result replaces the output."""
        handle, hooks = RemovableHandle(self), self._hooks or Hooks()
        self._hooks = hooks._replace(after=(*hooks.after, (handle, hook)))
        return handle

    # Text

    def extra_repr(self) -> str:
        """What :func:`repr` shows between the parentheses; subclasses fill it."""
        return ""

    def __repr__(self) -> str:
        """The tree of modules, as torch prints it."""
        lines = [
            f"({name}): " + repr(module).replace("\n", "\n  ")
            for name, module in self._own("modules")
        ]
        extra = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({extra})"
        body = "\n  ".join(([extra] if extra else []) + lines)
        return f"{type(self).__name__}(\n  {body}\n)"
