"""Opening files and saying clearly what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

#: Most bytes that one file or array may unpack to: real ones have a thousandth of it.
MOST_BYTES = 1 << 30
#: Most columns of a feature matrix; memory is needed for each, also where nothing is stored.
MOST_COLUMNS = 1 << 24


class CorruptDataError(ValueError):
    """A data file is truncated, damaged or contradicts itself; the text names file and fault.

    Example:
        >>> from weft.datasets import CorruptDataError
        >>> issubclass(CorruptDataError, ValueError)
        True
    """

    def __init__(self, path: object, what: str) -> None:
        """Name the file and what is wrong."""
        super().__init__(f"{path}: {what}")
        self.path, self.what = str(path), what

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Pickle by the two arguments."""
        return type(self), (self.path, self.what)


def find(root: object, name: str) -> Path:
    """The file ``name`` or ``name.gz`` in the folder ``root``.

    Raises:
        FileNotFoundError: neither exists.
    """
    folder = Path(str(root))
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f"{folder}: has neither {name} nor {name}.gz")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a plain or gzip file for reading bytes; damage to the gzip is a CorruptDataError."""
    import gzip
    import zlib

    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
            yield stream  # type: ignore[misc]
    except EOFError as error:
        raise CorruptDataError(path, "the gzip stream ends early, the file is truncated") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise CorruptDataError(path, f"the gzip stream is damaged ({error})") from error


def read_text(path: Path) -> str:
    """The whole file as UTF-8."""
    with opened(path) as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise CorruptDataError(path, f"holds more than {MOST_BYTES} bytes")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CorruptDataError(path, f"is not UTF-8 at byte {error.start}") from error
