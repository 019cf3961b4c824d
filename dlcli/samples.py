"""Data of every kind as one thing: named columns with the same rows.

A column is a numpy array (numbers, or images of one size: rows x height x width x channels), `Coded`
(text in few values) or `Ragged` (text bytes, sequences, images of mixed size). Nothing downstream
of a source knows where rows came from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dlcli.part import Record
from dlcli.storage import spans
from dlcli.words import Words, lengths, picked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Column = "NDArray[Any] | Coded | Ragged | Windowed"

Kind = Literal["numeric", "categorical", "text", "datetime", "image", "sequence"]
KINDS: tuple[Kind, ...] = ("numeric", "categorical", "text", "datetime", "image", "sequence")
Subset = Literal["train", "validation", "test"]
MISSING = -1
"""The code of a missing cell in `Coded`."""
NO_TIME = -(2**63)
"""A missing time among int64 seconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """Text by value. `codes`: int32 (rows,), -1 is missing; `vocabulary`: distinct texts, any order."""

    codes: NDArray[Any]
    vocabulary: tuple[str, ...] | Words

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def nbytes(self) -> int:
        """Bytes in memory, or on disk."""
        words = self.vocabulary
        return int(self.codes.nbytes) + (words.nbytes if isinstance(words, Words) else int(lengths(words).sum()))

    def take(self, rows: NDArray[Any]) -> Coded:
        """The given rows; the vocabulary stays."""
        return Coded(self.codes[rows], self.vocabulary)

    def compact(self) -> Coded:
        """The same cells; the vocabulary holds the texts that occur, in the same order, in memory."""
        codes, words = self.occurring()
        return Coded(codes, tuple(words))

    def occurring(self) -> tuple[NDArray[Any], Sequence[str]]:
        """The codes that cells have in a vocabulary of the texts that occur, and that vocabulary, not read yet."""
        import numpy as np

        used, codes = np.unique(self.codes, return_inverse=True)
        known = used[used != MISSING]
        return (codes.reshape(-1) - (len(used) - len(known))).astype(np.int32), picked(self.vocabulary, known)

    def texts(self, missing: str = "") -> NDArray[Any]:
        """The cells as an object array of str, missing ones as `missing`."""
        import numpy as np

        words = np.array([*self.vocabulary, missing], dtype=object)
        cells: NDArray[Any] = words[self.codes]  # code -1 picks the last word
        return cells

    @classmethod
    def of(cls, texts: list[str | None]) -> Coded:
        """Codes texts, None as missing; the vocabulary is sorted."""
        import numpy as np

        vocabulary = tuple(sorted({text for text in texts if text is not None}))
        code = {text: number for number, text in enumerate(vocabulary)}
        codes = np.array([MISSING if text is None else code[text] for text in texts], dtype=np.int32)
        return cls(codes, vocabulary)

    @classmethod
    def joined(cls, parts: Sequence[Coded]) -> Coded:
        """The rows of several below each other; the vocabulary is sorted."""
        import numpy as np

        vocabulary = tuple(sorted(set().union(*(part.vocabulary for part in parts))))
        place = {text: number for number, text in enumerate(vocabulary)}
        codes = [np.array([*map(place.get, part.vocabulary), MISSING], dtype=np.int32)[part.codes] for part in parts]
        return cls(np.concatenate(codes), vocabulary)


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Rows of different sizes: `values` (flat), `offsets` (rows + 1), `shapes` (rows, axes)."""

    values: NDArray[Any]
    offsets: NDArray[Any]
    shapes: NDArray[Any]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def nbytes(self) -> int:
        """Bytes in memory, or on disk."""
        return int(self.values.nbytes + self.offsets.nbytes + self.shapes.nbytes)

    def row(self, index: int) -> NDArray[Any]:
        """One row, in its own shape."""
        flat = self.values[self.offsets[index] : self.offsets[index + 1]]
        return flat.reshape(self.shapes[index])

    def sizes(self, rows: NDArray[Any] | slice = slice(None)) -> NDArray[Any]:
        """How many values each of the given rows has, int64 (rows,)."""
        sizes: NDArray[Any] = self.offsets[1:][rows] - self.offsets[:-1][rows]
        return sizes

    def spans(self, rows: NDArray[Any] | slice = slice(None)) -> Iterator[memoryview]:
        """The values of each of the given rows, not read yet."""
        return spans(self.values, self.offsets[:-1][rows], self.offsets[1:][rows])

    def take(self, rows: NDArray[Any] | slice) -> Ragged:
        """The given rows, their values copied."""
        import numpy as np

        sizes = self.sizes(rows)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        values = bytearray()
        for row in self.spans(rows):
            values += row
        return Ragged(np.frombuffer(values, self.values.dtype), offsets, self.shapes[rows])

    @classmethod
    def of(cls, rows: list[NDArray[Any]]) -> Ragged:
        """Packs arrays of one dtype and rank."""
        import numpy as np

        offsets = np.cumsum([0, *(row.size for row in rows)]).astype(np.int64)
        values = np.concatenate([row.ravel() for row in rows]) if rows else np.zeros(0)
        return cls(values, offsets, np.array([row.shape for row in rows], dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """Which rows each window holds, as numbers, so that no row is copied for each window that it is in.

    Attributes:
        order: int64, row numbers by series and time.
        ends: int64 (windows,), the place in `order` of the last row of each window.
        length: rows of a window.
        rate: every how many rows of a series one is taken.
    """

    order: NDArray[Any]
    ends: NDArray[Any]
    length: int
    rate: int = 1

    def __len__(self) -> int:
        return len(self.ends)

    def take(self, windows: NDArray[Any]) -> Windows:
        """The given windows."""
        return Windows(self.order, self.ends[windows], self.length, self.rate)

    def rows(self) -> NDArray[Any]:
        """Row numbers (windows, length); what would lie before the first row is the first row."""
        import numpy as np

        places = self.ends[:, None] - self.rate * np.arange(self.length - 1, -1, -1)
        rows: NDArray[Any] = self.order[np.maximum(places, 0)]
        return rows


@dataclass(frozen=True, slots=True, eq=False)
class Windowed:
    """A column whose rows are windows over the rows of another one, which is not copied."""

    column: Any
    windows: Windows

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return int(self.column.nbytes)

    def take(self, rows: NDArray[Any]) -> Windowed:
        """The given windows."""
        return Windowed(self.column, self.windows.take(rows))


@dataclass(frozen=True, slots=True, eq=False)
class Samples(Mapping[str, Any]):
    """Columns by name, all with the same number of rows."""

    columns: Mapping[str, Any]
    rows: int

    @classmethod
    def of(cls, columns: Mapping[str, Any]) -> Samples:
        """Checks that all columns have the same rows.

        Raises:
            ValueError: they have not.
        """
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            message = f"columns of different lengths: {lengths}"
            raise ValueError(message)
        return cls(dict(columns), next(iter(lengths.values()), 0))

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return sum(int(column.nbytes) for column in self.columns.values())

    def take(self, rows: NDArray[Any]) -> Samples:
        """The given rows of every column."""
        import numpy as np

        count = len(np.arange(self.rows)[rows])
        return Samples(
            {
                name: column[rows] if isinstance(column, np.ndarray) else column.take(rows)
                for name, column in self.columns.items()
            },
            count,
        )

    def select(self, names: tuple[str, ...]) -> Samples:
        """The named columns, in that order."""
        return Samples({name: self.columns[name] for name in names}, self.rows)


class ColumnSchema(Record):
    """What one input column holds, as decided from the rows that may decide it."""

    kind: Kind
    shape: tuple[int, ...] = ()
    """Shape of one row: () for a number, a text or a sequence of any length, (8,) for a vector, (28, 28, 1) for an
    image."""
    dtype: str = "float64"
    """numpy dtype of the raw input of `model.keras`; "string" for text."""


class Schema(Record):
    """The input columns of an experiment in file order. `predict` reads with it and never infers again."""

    columns: dict[str, ColumnSchema]

    def of_kind(self, kind: Kind) -> tuple[str, ...]:
        """Names of the columns of a kind."""
        return tuple(name for name, column in self.columns.items() if column.kind == kind)


@dataclass(frozen=True, slots=True)
class Extent:
    """What a source would read.

    Attributes:
        files: all that it reads.
        nbytes: about how much memory that takes.
        meanwhile_bytes: what reading takes on the disk beside the result, until it ends.
    """

    files: tuple[Path, ...]
    nbytes: int
    meanwhile_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What a source read.

    Attributes:
        samples: every column of every row: text cells as `Coded` (missing tokens already -1), else arrays.
        subsets: row numbers of the subsets that the source itself has ("train", "validation", "test").
        target, inputs: the source's own idea of them, used where `data` names none.
        notes: what was found and should be said ("delimiter: semicolon").
        files: the files that were read.
        settings: fields of the source that were found and belong in `resolved.yaml`.
        row_names: what each row is called where it has a name of its own (the file of an image); else none.
        numbers: int64 (rows,), the number of each row in the source, where some are left out; else None.
    """

    samples: Samples
    subsets: Mapping[Subset, NDArray[Any]] | None = None
    target: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    row_names: tuple[str, ...] = ()
    numbers: NDArray[Any] | None = None

    def take(self, rows: NDArray[Any], note: str) -> Found:
        """The given rows alone, counted anew; `numbers` has the old ones.

        Args:
            rows: int64, ascending.
            note: why the others are left out.
        """
        import numpy as np

        place = np.full(self.samples.rows, -1, dtype=np.int64)
        place[rows] = np.arange(len(rows))
        subsets = None
        if self.subsets is not None:
            subsets = {name: place[members][place[members] >= 0] for name, members in self.subsets.items()}
        return replace(
            self,
            samples=self.samples.take(rows),
            subsets=subsets,
            notes=(*self.notes, note),
            row_names=tuple(self.row_names[row] for row in rows) if self.row_names else (),
            numbers=rows if self.numbers is None else self.numbers[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Columns on their way through preprocessing, as tensors: eager or symbolic alike.

    Attributes:
        blocks: groups of columns of one kind that are worked on together.
        names: every column in file order; what a step made stands where its origin stood.
        origins: the raw column of each column that a step made; the others are raw themselves.
    """

    blocks: tuple[Block, ...]
    names: tuple[str, ...]
    origins: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Columns side by side in one tensor.

    Attributes:
        names: one name per column.
        kind: a kind, or "encoded" for what a step made of a category.
        tensor: (rows, columns) float64, or string, or float32 for "encoded"; for a column with a
            shape of its own (image, vector, sequence): (rows, *shape), and one name.
        cardinality: how many integer codes (0 to cardinality - 1) the column can hold, else None.
    """

    names: tuple[str, ...]
    kind: Kind | Literal["encoded"]
    tensor: Any
    cardinality: int | None = None


class Batch(NamedTuple):
    """Training rows on their way into one step, as tensors.

    Attributes:
        x: float32 (rows, *shape), as the network gets them.
        y: targets as the loss takes them, rows first.
        weight: (rows,) or None.
    """

    x: Any
    y: Any
    weight: Any

    def with_x(self, x: Any) -> Batch:
        """The same targets with other inputs."""
        return self._replace(x=x)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkInput:
    """What a change of rows may have to know of them all. Nothing of it comes from other than training rows.

    Attributes:
        shape: of one row.
        low, high: black and white: float32 (channels,), the ends that values of an image can have.
        missing: float32 (*shape), what a row of nothing but gaps looks like.
        groups: for each number of a row, in order, a number that those share which go missing together.
    """

    shape: tuple[int, ...]
    low: Any = None
    high: Any = None
    missing: Any = None
    groups: tuple[int, ...] = ()
