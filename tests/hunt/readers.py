"""Damaged files for every reader, and damaged structures for sparse tensors, in a child process
under a limit of memory: a clear error or the right result.

    python -m tests.hunt.readers SEED FILE        reads one file again, here
"""

import gzip
import io
import json
import random
import resource
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAME = "readers"
SHORT = 300
ROOT = Path(__file__).resolve().parents[2]
MEMORY = 3 << 30
SECONDS = 60

EDGES = [0, 1, -1, 2**15, 2**24, 2**31 - 1, 2**31, 2**32, 2**40, 2**62, 2**63 - 1, -(2**63)]


def _mutate(rng: random.Random, data: bytes) -> bytes:
    """A few bytes changed, cut, doubled or replaced by edges."""
    out = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 2, 5])):
        at = rng.randrange(len(out) + 1)
        kind = rng.randrange(6)
        if kind == 0 and out:
            out[at % len(out)] = rng.randrange(256)
        elif kind == 1:
            del out[at:]
        elif kind == 2:
            out[at:at] = out[: rng.randrange(1, 64)]
        elif kind == 3:
            out[at : at + 8] = rng.choice(EDGES).to_bytes(
                8, rng.choice(["big", "little"]), signed=True
            )
        elif kind == 4:
            out[at : at + rng.randrange(1, 9)] = b""
        else:
            out[at:at] = str(rng.choice(EDGES)).encode()
    return bytes(out)


def _cora_arrays() -> dict[str, Any]:
    import numpy as np

    return {
        "feat_data": np.ones(5, np.float32),
        "feat_indices": np.array([0, 2, 1, 3, 0]),
        "feat_indptr": np.array([0, 2, 3, 5]),
        "feat_shape": np.array([3, 4]),
        "edge_index": np.array([[0, 1, 1, 2], [1, 0, 2, 1]]),
        "labels": np.array([0, 1, 1]),
        "train_idx": np.array([0]),
        "val_idx": np.array([1]),
        "test_idx": np.array([2]),
        "num_classes": np.array(2),
    }


def _npy(rng: random.Random, array: Any) -> bytes:
    """An array as a file, perhaps with a header that lies."""
    import numpy as np

    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.asarray(array))
    data = stream.getvalue()
    if rng.random() < 0.15:
        shape = tuple(rng.choice(EDGES) for _ in range(rng.randrange(1, 4)))
        data = data.replace(str(array.shape).encode(), str(shape).encode(), 1)
    return data


def _cora(rng: random.Random, folder: Path) -> Callable[[], Any]:
    import numpy as np

    from weft.datasets import cora

    arrays = _cora_arrays()
    if rng.random() < 0.7:
        name = rng.choice(list(arrays))
        value = arrays[name].copy()
        kind = rng.randrange(5)
        if kind == 0 and value.size and value.dtype.kind == "i":
            value.flat[rng.randrange(value.size)] = rng.choice(EDGES)
        elif kind == 1:
            value = value.astype(rng.choice(["u8", "i1", "f8", "i4", "?", "U3", "c8"]))
        elif kind == 2:
            value = np.resize(value, tuple(rng.randrange(4) for _ in range(rng.randrange(4))))
        elif kind == 3:
            value = value[None]
        arrays[name] = value
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", rng.choice([0, zipfile.ZIP_DEFLATED])) as archive:
        for name, value in arrays.items():
            archive.writestr(f"{name}.npy", _npy(rng, value))
    data = stream.getvalue()
    path = folder / "cora.npz"
    path.write_bytes(_mutate(rng, data) if rng.random() < 0.5 else data)
    return lambda: cora(path=path, normalize=rng.random() < 0.5)


FACEBOOK = {
    "target.csv": "id,facebook_id,page_name,page_type\n0,7,a,tvshow\n1,8,b,company\n2,9,,tvshow\n",
    "edges.csv": "id_1,id_2\n0,1\n1,1\n2,1\n",
    "features.json": json.dumps({"2": [5], "0": [3, 0], "1": []}),
}


def _facebook(rng: random.Random, folder: Path) -> Callable[[], Any]:
    from weft.datasets import facebook_pages

    hit = rng.choice(list(FACEBOOK))
    for name, text in FACEBOOK.items():
        data = text.encode()
        if name == hit:
            if rng.random() < 0.3:
                data = data.replace(b"3", str(rng.choice(EDGES)).encode(), 1)
            data = _mutate(rng, data)
        if rng.random() < 0.3:
            packed = gzip.compress(data)
            packed = _mutate(rng, packed) if name == hit and rng.random() < 0.5 else packed
            (folder / f"musae_facebook_{name}.gz").write_bytes(packed)
        else:
            (folder / f"musae_facebook_{name}").write_bytes(data)
    return lambda: facebook_pages(folder)


def _idx(rng: random.Random, folder: Path) -> Callable[[], Any]:
    from weft.datasets import mnist, read_idx

    images = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28]) + bytes(2 * 28 * 28)
    labels = bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 9])
    if rng.random() < 0.2:
        n = rng.choice([0, 1, 9, 40, 255])
        sizes = [rng.choice([0, 1, 2**31, 2**32 - 1]) for _ in range(n)]
        images = bytes([0, 0, 8, n]) + b"".join(s.to_bytes(4, "big") for s in sizes)
    first = rng.random() < 0.5
    for name, data, hit in (
        ("train-images-idx3-ubyte", images, first),
        ("train-labels-idx1-ubyte", labels, not first),
    ):
        content = _mutate(rng, data) if hit else data
        if rng.random() < 0.3:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    if rng.random() < 0.5:
        return lambda: mnist(folder)
    return lambda: read_idx(next(iter(sorted(folder.iterdir()))))


def _sparse(rng: random.Random, folder: Path) -> Callable[[], Any]:
    import numpy as np

    import weft

    def ints(values: list[int]) -> Any:
        values = list(values)
        for _ in range(rng.choice([0, 0, 1, 2])):
            if values:
                values[rng.randrange(len(values))] = rng.choice([*EDGES, 0, 1, 2, 3, 4, 5])
        if rng.random() < 0.2:
            values = values[: rng.randrange(len(values) + 1)]
        kind = rng.choice(["list", "int64", "int32", "strided", "float32", "uint8"])
        if kind == "list":
            return values
        array = np.array(values, np.int64)
        if kind == "strided":
            return weft.from_numpy(np.stack([array, array], 1))[:, 0]
        return weft.from_numpy(array.astype(kind))

    size = (rng.choice([3, 3, 3, *EDGES]), rng.choice([3, 3, 3, *EDGES]))
    values = weft.ones(rng.choice([4, 4, 4, 0, 5]), requires_grad=rng.random() < 0.5)
    if rng.random() < 0.7:
        crow, col = ints([0, 2, 3, 4]), ints([0, 2, 1, 0])
        build = lambda: weft.sparse_csr_tensor(crow, col, values, size)  # noqa: E731
    else:
        places = [[0, 0, 1, 2], [0, 2, 1, 0]]
        if rng.random() < 0.5:
            places[rng.randrange(2)][rng.randrange(4)] = rng.choice(EDGES)
        build = lambda: weft.sparse_coo_tensor(places, values, size)  # noqa: E731

    def use() -> None:
        a = build()
        if max(a.shape) < 100:
            y = a @ weft.ones(a.shape[1], 2)
            if values.requires_grad:
                y.sum().backward()
            (a.t() @ weft.ones(a.shape[0])).numpy()
            a.to_dense().numpy()

    return use


KINDS = (_cora, _facebook, _idx, _sparse)
#: Everything that may come of it. Others, and an unclear message, are findings.
CLEAR = (ValueError, TypeError, RuntimeError, IndexError, MemoryError, FileNotFoundError)


def one(seed: int, i: int) -> str:
    """File number ``i`` of ``seed``."""
    rng = random.Random(f"{seed}:{i}")
    kind = rng.choice(KINDS)
    with tempfile.TemporaryDirectory() as folder:
        read = kind(rng, Path(folder))
        try:
            read()
        except CLEAR as error:
            reader = kind is not _sparse
            limits = (ValueError, FileNotFoundError) if reader else CLEAR
            if not isinstance(error, limits) or not str(error):
                raise
            return "refused"
    return "read"


def child(seed: int, first: int, count: int) -> None:
    """Files ``first .. first + count``."""
    import faulthandler

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    faulthandler.enable()
    counts: Counter[str] = Counter()
    for i in range(first, first + count):
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        print(f"again: python -m tests.hunt.readers {seed} {i}", flush=True)
        counts[one(seed, i)] += 1
        faulthandler.cancel_dump_traceback_later()
    print(json.dumps(counts))


def run(seed: int, count: int) -> dict[str, int]:
    """Files ``0 .. count`` of ``seed`` in a child."""
    command = [sys.executable, "-m", "tests.hunt.readers", str(seed), "0", str(count)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    last = done.stdout.splitlines()[-1] if done.stdout else ""
    if done.returncode != 0:
        told = "\n".join(done.stderr.splitlines()[-15:])
        raise AssertionError(f"ends with {done.returncode}\n{told}\n{last}")
    return dict(json.loads(last))


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    if len(given) == 3:
        child(*given)
    else:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        print(one(*given))
