"""The `npz` source: arrays that numpy saved. Pickled objects in them are never loaded."""

from __future__ import annotations

import math
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dlcli.data.sources.files import expand, source_for
from dlcli.data.sources.sequence_columns import Sequences
from dlcli.data.sources.text_columns import Texts
from dlcli.events import Listener, Progress, silent
from dlcli.part import FilePath, Source, Written
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Coded, Extent, Found, Ragged, Samples, Subset
from dlcli.storage import InMemory, Storage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FIELD: ConfigPath = ("data", "source", "npz")
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


class Npz(Source):
    """Arrays of one .npz file, the first axis of each being the rows.

    An array of rank 1 is a column of numbers or text, of rank 2 a column of vectors, and so on; images
    are (rows, height, width) or (rows, height, width, channels), videos (rows, frames, height, width, channels).
    A flat array `words` beside `words_offsets` (or `words_ids` beside `words_offsets`) is a column of sequences:
    row i is words[offsets[i] : offsets[i + 1]].
    """

    part_name = "npz"
    main_field = "path"
    example = "npz: {path: mnist.npz, inputs: x_train, target: y_train, test: [x_test, y_test]}"

    path: Annotated[FilePath, Field(description="The .npz file.")]
    inputs: Annotated[
        tuple[Written, ...] | None, Field(description="Names of the input arrays; by default all but the rest.")
    ] = None
    target: Annotated[Written | None, Field(description="Name of the target array.")] = None
    validation: Annotated[
        tuple[Written, ...] | None,
        Field(description="Names of the validation arrays: one per input in that order, then the target's."),
    ] = None
    test: Annotated[
        tuple[Written, ...] | None,
        Field(description="Names of the test arrays: one per input in that order, then the target's."),
    ] = None

    def read(self) -> Found:
        """Reads the named arrays.

        Raises:
            DataError: the file is absent or damaged, holds a pickled object, or lacks an array.
        """
        return self.read_into(InMemory(), silent)

    def read_into(self, storage: Storage, emit: Listener) -> Found:
        """As `read`; arrays go to `storage`, some rows at a time."""
        (path,) = expand((self.path,), (*_FIELD, "path"))
        arrays = _Arrays(path)
        names = self._columns(arrays)
        subsets: dict[Subset, dict[str, Any]] = {"train": {name: arrays.read(name, "inputs") for name in names}}
        for subset in ("validation", "test"):
            if stored := getattr(self, subset):
                subsets[subset] = self._paired(arrays, names, stored, subset)
        return Found(
            _joined(subsets, storage, emit),
            subsets=_row_numbers(subsets) if len(subsets) > 1 else None,
            target=(self.target,) if self.target else (),
            inputs=tuple(name for name in names if name != self.target) if self.target else (),
            files=(path,),
        )

    def extent(self) -> Extent:
        """As long as the arrays are unpacked."""
        (path,) = expand((self.path,), (*_FIELD, "path"))
        arrays = _Arrays(path)
        names = (*self._columns(arrays), *(self.validation or ()), *(self.test or ()))
        return Extent((path,), arrays.nbytes, meanwhile_bytes=arrays.text_bytes(names))

    def other_file(self, path: str) -> Source:
        """The input arrays of another .npz file; any other file is read as csv."""
        if Path(path).suffix != ".npz":
            return source_for(path)
        other = {"path": path, "inputs": None, "validation": None, "test": None, "target": None}
        return self.model_copy(update=other)

    def only(self, names: Sequence[str]) -> Npz:
        """The same file's arrays of these names, if it has them all; else all its arrays.

        Raises:
            DataError: the file is absent or damaged.
        """
        (path,) = expand((self.path,), (*_FIELD, "path"))
        return self.model_copy(update={"inputs": tuple(names)}) if set(names) <= set(_Arrays(path).names) else self

    def _columns(self, arrays: _Arrays) -> tuple[str, ...]:
        """Names of the arrays that make columns: the inputs, then the target."""
        target = (self.target,) if self.target else ()
        if self.inputs:
            return (*(name for name in self.inputs if name != self.target), *target)
        others = {
            *(self.validation or ()),
            *(self.test or ()),
            *target,
            *filter(None, map(arrays.offsets_of, arrays.names)),
        }
        return (*(name for name in arrays.names if name not in others), *target)

    def _paired(self, arrays: _Arrays, names: tuple[str, ...], stored: tuple[str, ...], subset: str) -> dict[str, Any]:
        """The arrays of another subset under the names of the training arrays."""
        if len(stored) != len(names):
            message = f"`{subset}` names {len(stored)} arrays, but there are {len(names)} columns: {', '.join(names)}"
            suggestion = "name one array per input in that order, then the target's"
            raise DataError(Problem("wrong-names", message, suggestion, (*_FIELD, subset)))
        return {name: arrays.read(other, subset) for name, other in zip(names, stored, strict=True)}


class _Arrays:
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
            raise DataError(
                Problem("empty-file", f"{path} holds no arrays", "is it the right file?", (*_FIELD, "path"))
            )

    def read(self, name: str, field: str) -> Any:
        """One array as a column, or as what is read of it later, some rows at a time.

        Raises:
            DataError: it is absent, damaged or pickled.
        """
        from dlcli.data.sources.arrays import column

        if name not in self.names:
            message = f"{self.path} has no array {name}"
            suggestion = f"its arrays: {', '.join(self.names)}"
            raise DataError(Problem("missing-column", message, suggestion, (*_FIELD, field)))
        offsets = self.offsets_of(name)
        member = self._member(name)
        if offsets is not None:
            return self._rows_of_sequences(member, column(offsets, self._array(offsets), (*_FIELD, field)))
        return member if member.lies_by_rows else column(name, self._array(name), (*_FIELD, field))

    def text_bytes(self, names: Sequence[str]) -> int:
        """Of how many bytes those of some arrays are that hold text.

        Raises:
            DataError: one is damaged or pickled.
        """
        members = [self._member(name) for name in names if name in self.names]
        return sum(math.prod(member.shape) * member.dtype.itemsize for member in members if _holds_text(member))

    def _member(self, name: str) -> _Member:
        """What the header says of an array."""
        with self.opened(name) as stream:
            shape, by_columns, dtype = _header(stream)
        flat = len(shape) == 1
        by_rows = flat if dtype.kind in _TEXT else dtype.kind in _NUMBERS and (flat or (bool(shape) and not by_columns))
        return _Member(self, name, shape, dtype, by_rows)

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

    def _rows_of_sequences(self, values: _Member, offsets: Any) -> _Rows:
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
            raise DataError(Problem("wrong-shape", message, suggestion, (*_FIELD, "path")))
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
            raise DataError(Problem("wrong-shape", message, suggestion, (*_FIELD, "path")))
        return _Rows(values, offsets.astype(np.int64))

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
            raise DataError(Problem("pickled-array", message, suggestion, (*_FIELD, "path")))
        count = 1
        for axis in shape:
            count *= axis
        if min(shape, default=0) < 0 or count * dtype.itemsize != size - stream.tell():
            message = f"array {name} is not as long as its header says"
            raise ValueError(message)

    def _damaged(self, error: BaseException) -> DataError:
        message = f"{self.path} is not a readable .npz file: {error}"
        return DataError(Problem("damaged-file", message, "make it again with numpy.savez", (*_FIELD, "path")))


@dataclass(frozen=True, slots=True, eq=False)
class _Member:
    """An array in a file, not read yet. `lies_by_rows`: it can be read some rows at a time."""

    arrays: _Arrays
    name: str
    shape: tuple[int, ...]
    dtype: Any
    lies_by_rows: bool

    def __len__(self) -> int:
        return self.shape[0]

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
class _Rows:
    """Sequences in a file, not read yet: row i is values[offsets[i] : offsets[i + 1]]."""

    values: _Member
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


def _joined(subsets: dict[Subset, dict[str, Any]], storage: Storage, emit: Listener) -> Samples:
    """The subsets below each other."""
    from dlcli.data.sources.arrays import require_same_rows

    for columns in subsets.values():
        require_same_rows(columns, (*_FIELD, "path"))
    joined: dict[str, Any] = {}
    for name in subsets["train"]:
        joined[name] = _below(name, [columns[name] for columns in subsets.values()], storage)
        emit(Progress("arrays read", len(joined), len(subsets["train"])))
    return Samples.of(joined)


def _below(name: str, parts: list[Any], storage: Storage) -> Any:
    """The parts of one column as one.

    Raises:
        DataError: they do not go together, or an array is damaged.
    """
    if all(isinstance(part, _Rows) for part in parts):
        return _sequences(parts, storage)
    if all(map(_holds_text, parts)):
        return _texts(name, parts, storage)
    first = parts[0]
    if any(isinstance(part, _Rows) or _holds_text(part) or part.shape[1:] != first.shape[1:] for part in parts):
        message = f"{name}: the arrays of the subsets differ in shape or kind"
        raise DataError(Problem("wrong-shape", message, "name arrays that belong together", (*_FIELD, "path")))
    filling = storage.begin((sum(map(len, parts)), *first.shape[1:]), _native(parts))
    for part in parts:
        for block in part.blocks() if isinstance(part, _Member) else [part]:
            filling.append(block)
    return filling.end()


def _sequences(parts: Sequence[_Rows], storage: Storage) -> Ragged:
    import numpy as np

    sequences = Sequences(storage, _native([part.values for part in parts]))
    for part in parts:
        sequences.append_sizes(np.diff(part.offsets))
        for block in part.values.blocks():
            sequences.append_values(block)
    return sequences.end()


def _texts(name: str, parts: Sequence[_Member], storage: Storage) -> Coded:
    from dlcli.data.sources.arrays import column

    texts = Texts(storage)
    for part in parts:
        for block in part.blocks():
            texts.append(column(name, block, (*_FIELD, "path")))
    return texts.end()


def _holds_text(part: Any) -> bool:
    return isinstance(part, _Member) and part.dtype.kind in _TEXT


def _native(parts: Sequence[Any]) -> Any:
    """The dtype that holds the numbers of all, in this machine's order of bytes."""
    import numpy as np

    return np.result_type(*(part.dtype for part in parts)).newbyteorder("=")


def _row_numbers(subsets: dict[Subset, dict[str, Any]]) -> dict[Subset, NDArray[Any]]:
    import numpy as np

    numbers, start = {}, 0
    for subset, columns in subsets.items():
        count = len(next(iter(columns.values())))
        numbers[subset] = np.arange(start, start + count)
        start += count
    return numbers
