"""Every public name has a case that the properties walk, or a file of tests that names it."""

import inspect
from typing import TypeVar

import pytest
from tests.house.source import ROOT
from tests.nn.modules import MODULES
from tests.ops.functions import load

import weft
from weft import autograd, nn, optim
from weft._public import FUNCTIONS, METHODS
from weft.nn import functional, init, utils
from weft.optim import lr_scheduler
from weft.utils import data

#: What no case can be made of, by the file or folder of its tests.
EXEMPT = {
    # dtypes, switches and settings
    "weft.Size": "tests/nn", "weft.bool": "tests/ops", "weft.double": "tests/ops",
    "weft.dtype": "tests/house/test_dtypes.py", "weft.float": "tests", "weft.float32": "tests/ops",
    "weft.float64": "tests/ops", "weft.int": "tests", "weft.int32": "tests/ops",
    "weft.int64": "tests/ops", "weft.long": "tests", "weft.uint8": "tests/ops",
    **{f"weft.{name}": "tests/ops/test_dtypes.py" for name in (
        "bfloat16", "cdouble", "cfloat", "complex64", "complex128", "finfo", "float16", "half",
        "iinfo", "int8", "int16", "short", "uint16", "uint64",
    )},
    "weft.uint32": "tests/ops", "weft.can_cast": "tests/ops/test_promotion.py",
    "weft.promote_types": "tests/ops/test_promotion.py",
    "weft.result_type": "tests/ops/test_promotion.py",
    **{f"Tensor.{name}": "tests/ops/test_dtypes.py" for name in (
        "bfloat16", "cdouble", "cfloat", "half",
    )},
    "Tensor.is_complex": "tests/ops/test_dtypes.py",
    "Tensor.is_signed": "tests/ops/test_dtypes.py",
    "weft.CompileError": "tests/graph", "weft.CompileWarning": "tests/graph",
    "weft.compile": "tests/graph", "weft.manual_seed": "tests/ops", "weft.initial_seed": "tests",
    "weft.get_num_threads": "tests/conftest.py", "weft.set_num_threads": "tests/ops",
    "weft.get_default_dtype": "python/weft/ops/create.py",
    "weft.is_tensor": "tests/tape", "weft.Tensor": "tests/nn",
    "weft.enable_grad": "tests/tape", "weft.no_grad": "tests/tape",
    "weft.inference_mode": "tests/tape", "weft.set_grad_enabled": "tests/tape",
    "weft.is_grad_enabled": "tests/tape", "autograd.enable_grad": "tests/tape",
    "autograd.no_grad": "tests/tape", "autograd.inference_mode": "tests/tape",
    "autograd.set_grad_enabled": "tests/tape", "autograd.backward": "tests/tape",
    "autograd.grad": "tests/tape", "autograd.graph_text": "tests/tape",
    "autograd.tensor_backward": "python/weft/_methods.py",
    "weft.SparseTensor": "tests", "weft.sparse_coo_tensor": "tests",
    "weft.sparse_csr_tensor": "tests",
    # what a tensor is, and where it lies
    **{f"Tensor.{name}": "tests/tape" for name in (
        "backward", "data_ptr", "data", "detach_", "dtype", "grad", "grad_fn", "is_contiguous",
        "is_leaf", "item", "ndim", "numel", "requires_grad", "requires_grad_", "shape",
        "shares_memory", "storage_offset", "stride", "numpy", "tolist", "size", "T", "device",
    )},
    **{f"Tensor.{name}": "tests/tape/test_attributes.py" for name in (
        "dim", "element_size", "is_cuda", "is_floating_point", "is_sparse", "itemsize", "mT",
        "nelement",
    )},
    # initialisers, optimisers, loaders
    **{f"init.{name}": "tests/nn/test_init.py" for name in dir(init)},
    **{f"utils.{name}": "tests/nn" for name in utils.__all__},
    **{f"optim.{name}": "tests/optim" for name in dir(optim)},
    **{f"lr_scheduler.{name}": "tests/optim" for name in dir(lr_scheduler)},
    **{f"data.{name}": "tests/datasets" for name in dir(data)},
    # parts of modules
    **{f"nn.{name}": "tests/nn" for name in (
        "Module", "ModuleDict", "ModuleList", "Parameter", "ParameterList",
    )},
}  # fmt: skip

ROOMS = {
    "weft": weft, "Tensor": weft.Tensor, "nn": nn, "functional": functional, "init": init,
    "utils": utils, "optim": optim, "lr_scheduler": lr_scheduler, "data": data,
    "autograd": autograd,
}  # fmt: skip


def public(room, where):
    """The names that a room gives its users."""
    every = getattr(where, "__all__", None) or [n for n in dir(where) if n[0] != "_"]
    for name in every:
        it = getattr(where, name)
        home = getattr(it, "__module__", None) or "weft"
        if inspect.ismodule(it) or isinstance(it, TypeVar) or not str(home).startswith("weft"):
            continue
        own = home.startswith(where.__name__) or where.__name__.startswith("weft.optim")
        if own or room not in ("init", "autograd", "data", "lr_scheduler"):
            yield name


def names():
    return [f"{room}.{name}" for room, where in ROOMS.items() for name in public(room, where)]


def with_cases():
    """The names that the cases reach."""
    found = {f"nn.{case.kind.__name__}" for case in MODULES}
    for case in load():
        if case.name.startswith("Tensor."):
            found.add(case.name)
        else:
            found |= {f"{room}.{case.name}" for room in ("weft", "functional", "Tensor")}
    for name, entry in FUNCTIONS.items():
        if entry.original is not None:
            assert entry.function is FUNCTIONS[entry.original].function
            found |= {f"weft.{name}", f"functional.{name}", f"Tensor.{name}"}
            if entry.inplace:
                assert METHODS[f"{name}_"] is METHODS[f"{entry.original}_"]
                found.add(f"Tensor.{name}_")
    return found


def test_every_public_name_has_a_case():
    assert not sorted(set(names()) - with_cases() - set(EXEMPT))


@pytest.mark.parametrize("name", sorted(set(names()) & set(EXEMPT)))
def test_what_has_none_is_named_in_its_tests(name):
    place = ROOT / EXEMPT[name]
    paths = [place] if place.is_file() else place.rglob("*.py")
    word = name.rpartition(".")[2]
    own = ROOT / "tests/house/test_every_name.py"
    assert any(word in path.read_text(encoding="utf-8") for path in paths if path != own)


def test_no_case_is_exempt():
    assert not with_cases() & set(EXEMPT)
