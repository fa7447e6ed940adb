"""Every allocation whose size a user decides goes through ``rust/kernels/src/memory.rs``, which can
fail. What may allocate elsewhere is listed here with what bounds it."""

import re

import pytest
from tests.house.source import ROOT, name, rust, rust_files

#: What allocates memory for elements, or may do so, and cannot fail.
BYTES = r"Buffer::(?:new|zeroed|from_slice)\(|Tensor::from_slice\("
LISTS = r"|(?<!small)vec!\[[^\]]*;|with_capacity\(|\.to_vec\(\)|\.resize\("

#: What is counted per node, value or argument and not per element may have its lists.
PER_NODE = ("graph", "pass", "exec", "record", "tape", "site.rs", "executable.rs")

#: How often a file may do so, and what bounds it.
BOUNDED = {
    "rust/kernels/src/memory.rs": (1, "this is the place: the room was reserved before"),
    "rust/kernels/src/chain.rs": (1, "one per register of a chain, at most 256"),
    "rust/kernels/src/chain/sweep.rs": (3, "one per operand of a chain"),
    "rust/core/src/random.rs": (1, "seed and position, made once"),
    "rust/core/src/tensor.rs": (2, "for tests and a few numbers"),
    "rust/core/src/op/batch.rs": (1, "one list per result of an operation"),
    "rust/core/src/op/rule.rs": (1, "one bit per input of an operation"),
    "rust/core/src/op/chain.rs": (9, "one per member of a chain"),
}

PATHS = [*rust_files("rust/kernels/src"), *rust_files("rust/core/src")]


@pytest.mark.parametrize("path", PATHS, ids=name)
def test_allocations_can_fail(path):
    if path.name == "testing.rs":
        return
    parts = path.relative_to(ROOT / "rust").parts
    per_node = parts[0] == "core" and parts[2] in PER_NODE
    found = re.findall(BYTES if per_node else BYTES + LISTS, rust(path))
    most, _ = BOUNDED.get(name(path), (0, ""))
    assert len(found) <= most, f"{found}: use weft_kernels::memory, or say above what bounds it"
