"""The `npz` source: arrays that numpy saved. Pickled objects in them are never loaded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dlcli.data.sources.files import expand, source_for
from dlcli.data.sources.npz_arrays import FIELD, Member, NpzArrays, SequenceRows
from dlcli.data.sources.sequence_columns import Sequences
from dlcli.data.sources.text_columns import Texts
from dlcli.events import Listener, Progress, silent
from dlcli.part import FilePath, Source, Written
from dlcli.problems import DataError, Problem
from dlcli.samples import Coded, Extent, Found, Ragged, Samples, Subset
from dlcli.storage import InMemory, Storage

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
        (path,) = expand((self.path,), (*FIELD, "path"))
        arrays = NpzArrays(path)
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
        (path,) = expand((self.path,), (*FIELD, "path"))
        arrays = NpzArrays(path)
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
        (path,) = expand((self.path,), (*FIELD, "path"))
        return self.model_copy(update={"inputs": tuple(names)}) if set(names) <= set(NpzArrays(path).names) else self

    def _columns(self, arrays: NpzArrays) -> tuple[str, ...]:
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

    def _paired(
        self, arrays: NpzArrays, names: tuple[str, ...], stored: tuple[str, ...], subset: str
    ) -> dict[str, Any]:
        """The arrays of another subset under the names of the training arrays."""
        if len(stored) != len(names):
            message = f"`{subset}` names {len(stored)} arrays, but there are {len(names)} columns: {', '.join(names)}"
            suggestion = "name one array per input in that order, then the target's"
            raise DataError(Problem("wrong-names", message, suggestion, (*FIELD, subset)))
        return {name: arrays.read(other, subset) for name, other in zip(names, stored, strict=True)}


def _joined(subsets: dict[Subset, dict[str, Any]], storage: Storage, emit: Listener) -> Samples:
    """The subsets below each other."""
    from dlcli.data.sources.arrays import require_same_rows

    for columns in subsets.values():
        require_same_rows(columns, (*FIELD, "path"))
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
    if all(isinstance(part, SequenceRows) for part in parts):
        return _sequences(parts, storage)
    texts = [isinstance(part, Member) and part.holds_text for part in parts]
    if all(texts):
        return _texts(name, parts, storage)
    first = parts[0]
    if any(texts) or any(isinstance(part, SequenceRows) or part.shape[1:] != first.shape[1:] for part in parts):
        message = f"{name}: the arrays of the subsets differ in shape or kind"
        raise DataError(Problem("wrong-shape", message, "name arrays that belong together", (*FIELD, "path")))
    filling = storage.begin((sum(map(len, parts)), *first.shape[1:]), _native(parts))
    for part in parts:
        for block in part.blocks() if isinstance(part, Member) else [part]:
            filling.append(block)
    return filling.end()


def _sequences(parts: Sequence[SequenceRows], storage: Storage) -> Ragged:
    import numpy as np

    sequences = Sequences(storage, _native([part.values for part in parts]))
    for part in parts:
        sequences.append_sizes(np.diff(part.offsets))
        for block in part.values.blocks():
            sequences.append_values(block)
    return sequences.end()


def _texts(name: str, parts: Sequence[Member], storage: Storage) -> Coded:
    from dlcli.data.sources.arrays import column

    texts = Texts(storage)
    for part in parts:
        for block in part.blocks():
            texts.append(column(name, block, (*FIELD, "path")))
    return texts.end()


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
