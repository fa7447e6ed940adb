"""The frameworks that are installed, all with the same number of threads."""

import os

THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

# Read when the libraries load.
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = str(THREADS)
os.environ["NPROC"] = str(THREADS)
os.environ.setdefault("JAX_PLATFORMS", "cpu")

try:
    import torch
except ImportError:
    torch = None
else:
    torch.set_num_threads(THREADS)

try:
    import jax
except ImportError:
    jax = None

import weft  # noqa: E402

weft.set_num_threads(THREADS)


def missing() -> list[str]:
    """Names of the peers that are not installed."""
    return [name for name, module in (("torch", torch), ("jax", jax)) if module is None]


def versions() -> str:
    """What is compared, for the table's head."""
    found = [f"weft {weft.__version__}"]
    if torch is not None:
        found.append(f"torch {torch.__version__}")
    if jax is not None:
        found.append(f"jax {jax.__version__}")
    return ", ".join(found) + f", {THREADS} threads"
