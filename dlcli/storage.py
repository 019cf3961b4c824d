"""Where large arrays lie: in memory, or in files that are mapped into it and read where they are needed."""

from __future__ import annotations

import copyreg
import math
import mmap
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol, Self

from dlcli.problems import DataError, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

IN_MEMORY_BYTES = 512 * 1024 * 1024
"""`in_memory: auto`: what is larger lies on disk, be it what a source reads or what a network gets."""
Shape = tuple[int, ...]
ALIGNMENT_BYTES = 64
"""TensorFlow takes arrays that begin at a multiple of it without a copy."""
_BLOCK_BYTES = 32 * 1024 * 1024
"""How much of an array is worked on at once."""
_READ_AT_ONCE = 64 * 1024 * 1024
_AROUND_BYTES = 64 * 1024
"""As much is mapped with a place that is far from the one before (Linux's fault_around_bytes)."""
_PLACES_AT_ONCE = 4096


class Filling(Protocol):
    """An array that is filled from its first row to its last."""

    def append(self, rows: NDArray[Any]) -> None:
        """Puts the next rows in place."""

    def end(self) -> NDArray[Any]:
        """The array, once every row is there."""


class Storage(Protocol):
    """Where a source puts its columns, and preprocessing what the network gets."""

    @property
    def folder(self) -> Path | None:
        """Where files may lie that are needed for a while; None where everything is held in memory."""

    def begin(self, shape: Shape, dtype: Any) -> Filling:
        """A new array, rows first."""

    def begin_flat(self, dtype: Any) -> Filling:
        """A new flat array of as many values as will come."""

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """An array with the values of one that lies in memory."""


class InMemory:
    """Arrays in `room`."""

    folder = None

    def begin(self, shape: Shape, dtype: Any) -> Filling:
        """An array in memory."""
        return _Array(room(shape, dtype))

    def begin_flat(self, dtype: Any) -> Filling:
        """A flat array in memory."""
        return _Parts(dtype)

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """The array itself."""
        return array


class Nowhere:
    """A filling that keeps nothing."""

    def append(self, rows: NDArray[Any]) -> None:
        """Forgets the rows."""

    def end(self) -> NDArray[Any]:
        """An array without a row."""
        import numpy as np

        return np.zeros(0)


class OnDisk:
    """Arrays as numbered .npy files of a folder; what `end` gives is mapped into memory, to be read only.

    Use it in a `with` block: files that are not whole at its end are closed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._count = 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def begin(self, shape: Shape, dtype: Any) -> Filling:
        """An array in the next file."""
        self._count += 1
        path = self.folder / f"{self._count:04}.npy"
        return _File(path, self._open.enter_context(path.open("wb")), shape, dtype)

    def begin_flat(self, dtype: Any) -> Filling:
        """A flat array of as many values as will come, in the next file."""
        return self.begin((0,), dtype)

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """Writes it to the next file, unless it lies in the folder already."""
        file = file_of(array)
        if file is not None and file.parent == self.folder.resolve():
            return array
        filling = self.begin(array.shape, array.dtype)
        fill(filling, array)
        return filling.end()


class Shelf(Protocol):
    """Keeps arrays on disk from one run to the next."""

    @property
    def everything(self) -> bool:
        """Whether all arrays of rows lie on it, and not only those that are large by themselves."""

    def kept(self, what: str, shape: Shape, dtype: Any, fill: Callable[[Filling], None]) -> NDArray[Any]:
        """An array that lies there already, or is made now.

        Args:
            what: everything that its values depend on, but for the data.
            shape: of the array, rows first.
            dtype: of its values.
            fill: appends its rows.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """Rows of an array that lies on disk: read where they are taken; large ones are never held all at once.

    Attributes:
        array: mapped into memory, rows first.
        rows: which rows of it, in this order; None: all.
    """

    array: NDArray[Any]
    rows: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.array) if self.rows is None else len(self.rows)

    @property
    def row_shape(self) -> Shape:
        """The shape of one row."""
        return tuple(self.array.shape[1:])

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return max(1, self.array.nbytes // max(1, len(self.array)))

    def take(self, places: NDArray[Any] | slice) -> NDArray[Any]:
        """The rows at some places, copied into memory."""
        import numpy as np

        wanted = places if self.rows is None else self.rows[places]
        found = np.array(self.array[wanted]) if isinstance(wanted, slice) else taken(self.array, wanted)
        if self.array.nbytes > IN_MEMORY_BYTES:  # to map the same pages again for the next rows takes long
            let_go(self.array)
        return found


def room(shape: Shape, dtype: Any) -> NDArray[Any]:
    """An array in memory, its values not yet set, that begins at a multiple of `ALIGNMENT_BYTES`."""
    import numpy as np

    nbytes = math.prod(shape) * np.dtype(dtype).itemsize
    whole = np.empty(nbytes + ALIGNMENT_BYTES, np.uint8)
    start = -whole.ctypes.data % ALIGNMENT_BYTES
    found: NDArray[Any] = whole[start : start + nbytes].view(dtype).reshape(shape)
    return found


def taken(array: NDArray[Any], rows: NDArray[Any]) -> NDArray[Any]:
    """Some rows of an array, which all are there, copied into `room`."""
    import numpy as np

    found = room((len(rows), *array.shape[1:]), array.dtype)
    # "clip" changes no row that is there; "raise" would make a copy of its own first
    np.take(array, rows, axis=0, out=found, mode="clip")
    return found


def blocks(array: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """All rows of an array, some at a time; the memory that they took is freed meanwhile."""
    step = max(1, _BLOCK_BYTES // max(1, array.nbytes // max(1, len(array))))
    for start in range(0, len(array), step):
        yield array[start : start + step]
        let_go(array)


def fill(filling: Filling, array: NDArray[Any]) -> None:
    """Appends all rows of an array, some at a time."""
    for block in blocks(array):
        filling.append(block)


def spans(array: NDArray[Any], starts: NDArray[Any], ends: NDArray[Any]) -> Iterator[memoryview]:
    """`array[start:end]` of a flat array, one after the other; the memory that they took is freed meanwhile."""
    values, before, mapped = array.data, 0, 0
    for first in range(0, len(starts), _PLACES_AT_ONCE):
        some = slice(first, first + _PLACES_AT_ONCE)
        for start, end in zip(starts[some].tolist(), ends[some].tolist(), strict=True):
            yield values[start:end]
            mapped += min(abs(start - before) * array.itemsize, _AROUND_BYTES) + (end - start) * array.itemsize
            before = end
            if mapped > _READ_AT_ONCE:
                let_go(array)
                mapped = 0
    let_go(array)


def packed(pieces: Iterable[memoryview], dtype: Any) -> Iterator[NDArray[Any]]:
    """The values of all pieces, one behind the other, some at a time."""
    import numpy as np

    block = bytearray()
    for piece in pieces:
        block += piece
        if len(block) > _BLOCK_BYTES:
            yield np.frombuffer(block, dtype)
            block = bytearray()
    yield np.frombuffer(block, dtype)


def let_go(column: Any) -> None:
    """Frees the memory that a mapped column took while it was read; it can be read again at any time."""
    words = getattr(column, "vocabulary", ())
    large = getattr(column, "values", None) if hasattr(column, "offsets") else getattr(words, "content", None)
    for array in (getattr(column, "codes", column), large):
        mapped = getattr(_mapping(array), "_mmap", None)
        if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapped.madvise(mmap.MADV_DONTNEED)


def file_of(array: Any) -> Path | None:
    """The file that holds exactly this array; None for one in memory, or a part of one."""
    whole = _mapping(array)
    same = whole is not None and whole.nbytes == array.nbytes and whole.dtype == array.dtype
    return Path(str(whole.filename)) if whole is not None and same and whole.shape == array.shape else None


def load(path: Path) -> NDArray[Any]:
    """The array of an .npy file, mapped into memory; other processes are told its place, not its content."""
    import numpy as np

    copyreg.pickle(np.memmap, _reduced)
    array: NDArray[Any]
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError:  # nothing can be mapped of an array without a row
        array = np.load(path, allow_pickle=False)
    return array


def removed(place: Path) -> Problem:
    """Something else has removed what was written."""
    message = f"what was written to {place} a moment ago is no longer there"
    return Problem("cache-removed", message, "run it again, and nothing that empties that folder beside")


def _reopened(path: Path) -> NDArray[Any]:
    """As `load`, in another process.

    Raises:
        DataError: it is no longer there.
    """
    try:
        return load(path)
    except (OSError, ValueError) as error:
        raise DataError(removed(path.parent)) from error


def _mapping(array: Any) -> Any:
    """The mapped array of a whole file that an array is, or lies in; None if there is none."""
    import numpy as np

    found = None
    while isinstance(array, np.ndarray):
        if getattr(array, "_mmap", None) is not None:
            found = array
        array = array.base
    return found


def _reduced(array: np.memmap[Any, Any]) -> tuple[Any, ...]:
    """How a mapped array travels: the place of its file, where it is all of it."""
    import numpy as np

    if (file := file_of(array)) is not None:
        return _reopened, (file,)
    return tuple(np.asarray(array).__reduce__())


class _Array:
    def __init__(self, array: NDArray[Any]) -> None:
        self._array = array
        self._end = 0

    def append(self, rows: NDArray[Any]) -> None:
        self._array[self._end : self._end + len(rows)] = rows
        self._end += len(rows)

    def end(self) -> NDArray[Any]:
        return self._array


class _Parts:
    def __init__(self, dtype: Any) -> None:
        import numpy as np

        self._parts: list[NDArray[Any]] = [np.zeros(0, dtype)]

    def append(self, rows: NDArray[Any]) -> None:
        self._parts.append(rows.astype(self._parts[0].dtype, copy=False))

    def end(self) -> NDArray[Any]:
        import numpy as np

        return np.concatenate(self._parts)


class _File:
    def __init__(self, path: Path, file: IO[bytes], shape: Shape, dtype: Any) -> None:
        import numpy as np

        self._path = path
        self._dtype = np.dtype(dtype)
        self._file = file
        self._shape = shape
        self._rows = 0
        self._write_header(shape)

    def append(self, rows: NDArray[Any]) -> None:
        import numpy as np

        self._file.write(np.ascontiguousarray(rows, self._dtype).data)
        self._rows += len(rows)

    def end(self) -> NDArray[Any]:
        if self._rows and not self._shape[0]:  # a flat one
            self._file.seek(0)  # numpy leaves blanks in the header for a larger number
            self._write_header((self._rows, *self._shape[1:]))
        self._file.close()
        return load(self._path)

    def _write_header(self, shape: Shape) -> None:
        from numpy.lib import format as npy

        header = {"descr": npy.dtype_to_descr(self._dtype), "fortran_order": False, "shape": tuple(shape)}
        npy.write_array_header_2_0(self._file, header)
