"""The arrays of an .npz file, each read when it is asked for, some rows at a time where that can be done."""

from __future__ import annotations

import math
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from dlcli.problems import ConfigPath, DataError, Problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

FIELD: ConfigPath = ("data", "source", "npz")
_BLOCK_BYTES = 32 * 1024 * 1024
_TEXT, _NUMBERS = "US", "biuf"
"""Kinds of dtype."""
_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    KeyError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


class NpzArrays:
    """The arrays of one file by name; each is read when asked for."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as archive:
                self.names = tuple(name.removesuffix(".npy") for name in archive.namelist())
                self.nbytes = sum(member.file_size for member in archive.infolist())
        except _UNREADABLE as error:
            raise self._damaged(error) from error
        if not self.names:
            raise DataError(Problem("empty-file", f"{path} holds no arrays", "is it the right file?", (*FIELD, "path")))

    def read(self, name: str, field: str) -> Any:
        """One array as a column, or as what is read of it later, some rows at a time.

        Raises:
            DataError: it is absent, damaged or pickled.
        """
        from dlcli.data.sources.arrays import column

        if name not in self.names:
            message = f"{self.path} has no array {name}"
            suggestion = f"its arrays: {', '.join(self.names)}"
            raise DataError(Problem("missing-column", message, suggestion, (*FIELD, field)))
        offsets = self.offsets_of(name)
        member = self._member(name)
        if offsets is not None:
            return self._sequences(member, column(offsets, self._array(offsets), (*FIELD, field)))
        return member if member.lies_by_rows else column(name, self._array(name), (*FIELD, field))

    def text_bytes(self, names: Sequence[str]) -> int:
        """Of how many bytes those of some arrays are that hold text.

        Raises:
            DataError: one is damaged or pickled.
        """
        members = [self._member(name) for name in names if name in self.names]
        return sum(math.prod(member.shape) * member.dtype.itemsize for member in members if member.holds_text)

    def _member(self, name: str) -> Member:
        """What the header says of an array."""
        with self.opened(name) as stream:
            shape, by_columns, dtype = _header(stream)
        flat = len(shape) == 1
        by_rows = flat if dtype.kind in _TEXT else dtype.kind in _NUMBERS and (flat or (bool(shape) and not by_columns))
        return Member(self, name, shape, dtype, by_rows)

    def _array(self, name: str) -> NDArray[Any]:
        with self.opened(name) as stream:
            return _load(stream)

    @contextmanager
    def opened(self, name: str) -> Iterator[IO[bytes]]:
        """An array's file, once its header is known to be in order.

        Raises:
            DataError: it is damaged or pickled.
        """
        try:
            with zipfile.ZipFile(self.path) as archive:
                member = f"{name}.npy" if f"{name}.npy" in archive.namelist() else name
                with archive.open(member) as stream:
                    self._require_plain(stream, name, archive.getinfo(member).file_size)
                with archive.open(member) as stream:
                    yield stream
        except (*_UNREADABLE, MemoryError) as error:
            raise self._damaged(error) from error

    def offsets_of(self, name: str) -> str | None:
        """The array that says where the sequences of a flat one start and end; None if each entry is a row."""
        stem = name.removesuffix("_ids")
        return next((each for each in (f"{name}_offsets", f"{stem}_offsets") if each in self.names), None)

    def _sequences(self, values: Member, offsets: Any) -> SequenceRows:
        """Row i is values[offsets[i] : offsets[i + 1]].

        Raises:
            DataError: the offsets do not divide the values, or these are no numbers.
        """
        import numpy as np

        name, starts = values.name, self.offsets_of(values.name)
        if values.dtype.kind not in _NUMBERS:
            message = (
                f"{self.path}: {name} holds {values.dtype} values; rows that start where {starts} says hold numbers"
            )
            suggestion = "store numbers, or leave it out: name the other arrays (`inputs`)"
            raise DataError(Problem("wrong-shape", message, suggestion, (*FIELD, "path")))
        if not (
            isinstance(offsets, np.ndarray)
            and len(values.shape) == offsets.ndim == 1
            and offsets.dtype.kind in "iu"
            and offsets.size
            and offsets[0] == 0
            and offsets[-1] == len(values)
            and (offsets[1:] >= offsets[:-1]).all()
        ):
            message = f"{self.path}: {starts} does not say where the rows of {name} start"
            suggestion = "row i must be values[offsets[i] : offsets[i + 1]], so offsets rise from 0 to the length"
            raise DataError(Problem("wrong-shape", message, suggestion, (*FIELD, "path")))
        return SequenceRows(values, offsets.astype(np.int64))

    def _require_plain(self, stream: IO[bytes], name: str, size: int) -> None:
        """Looks at an array's header before anything of its size is made.

        Raises:
            DataError: it holds pickled objects.
            ValueError: the header is no header, or promises other than what is there.
        """
        shape, _, dtype = _header(stream)
        if dtype.hasobject:
            message = f"{self.path}: array {name} holds pickled Python objects, which can run code; it is not loaded"
            suggestion = "save it again as numbers or text, for example `numpy.savez(path, x=x.astype('float32'))`"
            raise DataError(Problem("pickled-array", message, suggestion, (*FIELD, "path")))
        count = 1
        for axis in shape:
            count *= axis
        if min(shape, default=0) < 0 or count * dtype.itemsize != size - stream.tell():
            message = f"array {name} is not as long as its header says"
            raise ValueError(message)

    def _damaged(self, error: BaseException) -> DataError:
        message = f"{self.path} is not a readable .npz file: {error}"
        return DataError(Problem("damaged-file", message, "make it again with numpy.savez", (*FIELD, "path")))


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """An array in a file, not read yet. `lies_by_rows`: it can be read some rows at a time."""

    arrays: NpzArrays
    name: str
    shape: tuple[int, ...]
    dtype: Any
    lies_by_rows: bool

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def holds_text(self) -> bool:
        """Whether each entry is a text."""
        return self.dtype.kind in _TEXT

    def blocks(self) -> Iterator[NDArray[Any]]:
        """The rows, some at a time.

        Raises:
            DataError: the array is damaged.
        """
        import numpy as np

        row = self.dtype.itemsize * math.prod(self.shape[1:])
        step = max(1, _BLOCK_BYTES // max(1, row))
        with self.arrays.opened(self.name) as stream:
            _header(stream)
            for start in range(0, self.shape[0], step):
                rows = min(step, self.shape[0] - start)
                content = stream.read(rows * row)
                if self.dtype.kind == "U" and _code_points(content, self.dtype).max(initial=0) > sys.maxunicode:
                    message = f"array {self.name} holds no text"
                    raise ValueError(message)
                yield np.frombuffer(content, self.dtype).reshape(rows, *self.shape[1:])


@dataclass(frozen=True, slots=True, eq=False)
class SequenceRows:
    """Sequences in a file, not read yet: row i is values[offsets[i] : offsets[i + 1]]."""

    values: Member
    offsets: NDArray[Any]

    def __len__(self) -> int:
        return len(self.offsets) - 1


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, Any]:
    """Shape, whether columns come first, and dtype; the stream is then at the first number."""
    from numpy.lib import format as npy

    version = npy.read_magic(stream)
    reader = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, by_columns, dtype = reader(stream)
    return shape, by_columns, dtype


def _code_points(content: bytes, dtype: Any) -> NDArray[Any]:
    """The characters of numpy's text as numbers."""
    import numpy as np

    return np.frombuffer(content, np.dtype(np.uint32).newbyteorder(dtype.byteorder))


def _load(stream: IO[bytes]) -> NDArray[Any]:
    from numpy.lib import format as npy

    array: NDArray[Any] = npy.read_array(stream, allow_pickle=False)
    return array
