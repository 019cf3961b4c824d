"""The `csv` source: tables in text files. Every cell is read as text; types are decided later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field

from dlcli.data.sources.cell_store import CellStore
from dlcli.data.sources.dialect import DELIMITERS, SAMPLE_BYTES, Dialect, find_delimiter
from dlcli.data.sources.files import PACKED, Encoding, source_for
from dlcli.data.sources.pieces import PIECE_BYTES, Pieces, TextFile
from dlcli.data.sources.table_files import TableFiles
from dlcli.data.sources.text_columns import Texts
from dlcli.events import Listener, Progress, silent
from dlcli.numbers import MEGABYTE
from dlcli.part import Source, Written
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Extent, Found, Samples, Subset
from dlcli.storage import InMemory, Storage

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from dlcli.data.sources.cells import Rectangle, Row

_FIRST_CELLS = 100
_NO_QUOTE = "none"
_CELL_BYTES = 8
_PACKED_TIMES = 5
"""How much longer a file is about when it is unpacked."""
_FIELD: ConfigPath = ("data", "source", "csv")
_DECIMAL_COMMA = r"^([+-]?\d*),(\d+(?:[eE][+-]?\d+)?)$"


def _is_sign(text: str) -> bool:
    return len(text) == 1 and text.isascii() and text not in "\r\n\0"


def _known_delimiter(text: str) -> str:
    if text in DELIMITERS or _is_sign(text):
        return text
    message = f"must be one of {', '.join(DELIMITERS)}, or one character"
    raise ValueError(message)


def _known_quote(text: str) -> str:
    if text == _NO_QUOTE or _is_sign(text):
        return text
    message = "must be one character, or none"
    raise ValueError(message)


@dataclass(slots=True)
class _Table:
    """What one file's pieces showed so far.

    Attributes:
        path, place: the file, and the config path that named it.
        delimiter: of its cells.
        names: of its columns, in the order of the file.
        unnamed: those that the header leaves blank.
        rows: how many have been read, those left out too.
        left_out: numbers of rows without any value.
        empty_lines: how many lines were empty, but for those at both ends.
    """

    path: Path
    place: ConfigPath
    delimiter: str
    names: list[str] = field(default_factory=list)
    unnamed: frozenset[str] = frozenset()
    rows: int = 0
    left_out: list[NDArray[np.int64]] = field(default_factory=list)
    empty_lines: int = 0


class Csv(TableFiles):
    """A table in one or several delimited text files, plain or packed (.gz, .xz).

    Byte-order mark, Windows line ends and empty lines are dealt with. Rows of which every cell is empty are left
    out and said, and empty columns without a name are left out. A line with more or fewer cells than the first
    is a problem that names the line.
    """

    part_name = "csv"
    example = "csv: {path: penguins.csv, missing: ['NA']}"

    delimiter: Annotated[
        Annotated[str, AfterValidator(_known_delimiter)] | None,
        Field(
            description="comma, semicolon, tab, pipe, blanks (any run of spaces or tabs), or a quoted character; "
            "by default found from the file."
        ),
    ] = None
    header: Annotated[
        bool | None, Field(description="Whether the first line holds column names; by default true without `names`.")
    ] = None
    names: Annotated[
        tuple[Written, ...] | None, Field(description="Column names, in order; with `header: true` they replace it.")
    ] = None
    skip_rows: Annotated[int, Field(ge=0, description="Lines at the top of each file that are no part of it.")] = 0
    comment: Annotated[Written | None, Field(min_length=1, description="Lines that start with this are left out.")] = (
        None
    )
    quote: Annotated[
        str, AfterValidator(_known_quote), Field(description="Quote character, or none where quotes are text.")
    ] = '"'
    missing: Annotated[
        tuple[Written, ...] | dict[str, tuple[Written, ...]],
        Field(description="What means missing, beside the empty cell: tokens as in the file, or these by column."),
    ] = ()
    strip: Annotated[bool, Field(description="Whether blanks around a cell are dropped.")] = True
    encoding: Annotated[Encoding, Field(description="Encoding of the text.")] = "utf-8"
    decimal: Annotated[Literal[".", ","], Field(description="The sign between whole and fraction.")] = "."

    def read(self) -> Found:
        """Reads all files into one table.

        Raises:
            DataError: a file is absent, empty, damaged, ragged, or the files' columns differ.
        """
        return self.read_into(InMemory(), silent)

    def read_into(self, storage: Storage, emit: Listener) -> Found:
        """As `read`; where columns go to the disk, cells lie there too until every row has been seen."""
        listed = self.files()
        tables: list[_Table] = []
        rows: dict[Subset, int] = {}
        total = sum(path.stat().st_size for _, _, paths in listed for path in paths)
        before = 0
        with CellStore(storage.folder) as cells:
            for subset, place, paths in listed:
                rows[subset] = 0
                for path in paths:
                    heard = partial(_tell, emit, before, total)
                    tables.append(self._read_file(path, place, tables[0] if tables else None, cells, heard))
                    before += path.stat().st_size
                    rows[subset] += tables[-1].rows
            samples = self._samples(tables, cells, storage, emit)
        return self._found(tables, rows, samples)

    def extent(self) -> Extent:
        """Eight bytes a cell, as many cells as the beginning of each file promises."""
        found = super().extent()
        nbytes = sum(self._bytes_of(path) for path in found.files)
        return Extent(found.files, nbytes, meanwhile_bytes=2 * found.nbytes)  # cells, and texts not sorted yet

    def other_file(self, path: str) -> Source:
        """The same reading of another file; an .npz or Parquet file is read as one."""
        if Path(path).suffix in (".npz", ".parquet", ".pq"):
            return source_for(path)
        return self.model_copy(update={"path": (path,), "validation": None, "test": None})

    @property
    def _has_header(self) -> bool:
        return self.names is None if self.header is None else self.header

    def _found(self, tables: list[_Table], rows: dict[Subset, int], samples: Samples) -> Found:
        """The rows that have any value."""
        import numpy as np

        delimiter = tables[0].delimiter
        notes = [] if self.delimiter else [f"delimiter: {delimiter}"]
        notes += [f"{t.empty_lines:,} empty lines of {t.path.name} were left out" for t in tables if t.empty_lines]
        if self.header is None and self.names is None and _looks_like_data(tables[0].names):
            notes.append(
                f"the first line was taken as the header, but looks like data ({_shown(tuple(tables[0].names))}): "
                "if it is, write `header: false`, or `names: [...]`"
            )
        starts = np.cumsum([0, *(table.rows for table in tables)])
        left_out = [start + part for start, table in zip(starts, tables, strict=False) for part in table.left_out]
        kept = np.ones(starts[-1], dtype=bool)
        for part in left_out:
            kept[part] = False
        if not kept.all():
            notes.append(f"{(~kept).sum():,} rows without any value are left out")
        return Found(
            samples,
            subsets=_consecutive(rows, kept) if len(rows) > 1 else None,
            notes=tuple(notes),
            files=tuple(table.path for table in tables),
            settings={"delimiter": delimiter, "header": self._has_header},
            numbers=None if kept.all() else np.flatnonzero(kept),
        )

    def _read_file(
        self, path: Path, place: ConfigPath, first: _Table | None, cells: CellStore, heard: Callable[[int], None]
    ) -> _Table:
        """One file; of several, the first says what the delimiter is, and which columns there are."""
        from dlcli.data.sources.cells import Text, rectangle

        quote = "" if self.quote == _NO_QUOTE else self.quote
        encoding = (*_FIELD, "encoding")
        text = TextFile(path, place, self.encoding, encoding, self.skip_rows, self.comment or "", quote)
        pieces = Pieces(text, heard)
        line, table = 1, None
        row: Row | None = None
        for body in pieces:
            if body.strip():
                if table is None:
                    delimiter = self.delimiter or (first.delimiter if first else find_delimiter(body, quote))
                    table = _Table(path, place, delimiter)
                dialect = Dialect(table.delimiter, quote, self.strip)
                part = rectangle(Text(path, place, body, dialect, line, row), pieces.rest)
                if row is None:
                    part = self._headed(table, part, first)
                row = part.row
                if part.height:
                    self._keep(table, part, cells)
                last_line = part.last_line
            line += body.count(b"\n")
        if table is None or row is None:
            message = f"{path} is empty" + (" below the lines that are left out" if line > 1 else "")
            raise DataError(Problem("empty-file", message, "is it the right file?", place))
        if not table.rows:
            message = f"{path} has a header but no rows"
            suggestion = "if that line is no header, write `header: false`"
            raise DataError(Problem("no-rows", message, suggestion, place))
        if row.cells == 1:  # where each of them might be a gap
            table.empty_lines = max(0, last_line - row.line + 1 - table.rows - self._has_header)
        return table

    def _headed(self, table: _Table, part: Rectangle, first: _Table | None) -> Rectangle:
        """Takes the names of columns from the first rows of a file; the rows below them."""
        table.names = self._names(part, table.path)
        if self._has_header and self.names is None:
            blank = zip(table.names, part.first_row(), strict=True)
            table.unnamed = frozenset(name for name, cell in blank if not cell)
        if first is not None:
            _require_same_columns(first, table)
        return part.below_first_row() if self._has_header else part

    @staticmethod
    def _keep(table: _Table, part: Rectangle, cells: CellStore) -> None:
        """Puts the rows of a piece away, those that have any value."""
        import numpy as np
        import polars as pl

        rows = part.columns(table.names)
        # In a file of one column a quoted cell may be empty on purpose, and empty lines are none of its rows.
        if len(table.names) > 1:
            filled = rows.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
            if not filled.all():
                table.left_out.append(np.flatnonzero(~filled.to_numpy()) + table.rows)
                rows = rows.filter(filled)
        table.rows += part.height
        cells.append(rows)

    def _bytes_of(self, path: Path) -> int:
        """About how much memory the cells of a file take as numbers."""
        size = path.stat().st_size
        if path.suffix in PACKED or not path.is_file():  # what a pipe holds can be read only once
            return size * _PACKED_TIMES
        try:
            with path.open("rb") as file:
                sample = file.read(SAMPLE_BYTES) or b"\n"
        except OSError:  # reading it says why
            return size
        sign = DELIMITERS.get(self.delimiter or find_delimiter(sample, ""), self.delimiter or ",")
        cells = sample.count(sign.encode()) + sample.count(b"\n")
        return max(size, size * cells * _CELL_BYTES // len(sample))

    def _names(self, cells: Rectangle, path: Path) -> list[str]:
        """Column names from `names`, else the header, else numbers.

        Raises:
            DataError: `names` does not fit the file, or the header names a column twice.
        """
        width = cells.row.cells
        numbered = [f"column_{number}" for number in range(1, width + 1)]
        if self.names is not None:
            if len(self.names) != width:
                message = f"`names` lists {len(self.names)} columns, but {path} has {width}"
                suggestion = f"name every column of the file in order; its first line: {_shown(cells.first_row())}"
                raise DataError(Problem("wrong-names", message, suggestion, (*_FIELD, "names")))
            names = list(self.names)
        elif self._has_header:
            names = [(name or "").strip() or number for name, number in zip(cells.first_row(), numbered, strict=True)]
        else:
            names = numbered
        if twice := [name for name, count in Counter(names).items() if count > 1]:
            message = f"{path}: more than one column is called {_shown(tuple(twice))}"
            suggestion = "rename one (`names` with `header: true`), or write `header: false` if there is no header"
            raise DataError(Problem("duplicate-column", message, suggestion, (*_FIELD, "path")))
        return names

    def _samples(self, tables: list[_Table], cells: CellStore, storage: Storage, emit: Listener) -> Samples:
        """All columns but empty ones without a name."""
        names = tables[0].names
        if isinstance(self.missing, dict) and (absent := [name for name in self.missing if name not in names]):
            message = f"`missing` names a column that is not there: {_shown(tuple(absent))}"
            suggestion = f"columns: {_shown(tuple(names))}"
            raise DataError(Problem("missing-column", message, suggestion, (*_FIELD, "missing")))
        if not cells.rows:
            rows = sum(table.rows for table in tables)
            message = f"{tables[0].path} has {rows:,} rows, and none of them has any value"
            raise DataError(Problem("no-rows", message, "is it the right file?", tables[0].place))
        columns: dict[str, Any] = {}
        for number, name in enumerate(names):
            if name not in tables[0].unnamed or any(part.null_count() < len(part) for part in cells.column(name)):
                columns[name] = self._column(cells, name, storage)
            emit(Progress("columns read", number + 1, len(names)))
        return Samples.of(columns)

    def _column(self, cells: CellStore, name: str, storage: Storage) -> Any:
        """A column of nothing but many different numbers needs no code for each."""
        from dlcli.data.kinds import CATEGORIES_AT_MOST
        from dlcli.data.sources import arrays

        def parts() -> Iterator[pl.Series]:
            return (self._cleaned(part, name) for part in cells.column(name))

        if cells.rows > CATEGORIES_AT_MOST:
            numbers = _numbers_of(parts())
            if numbers is not None and numbers.n_unique() > CATEGORIES_AT_MOST:
                return storage.keep(numbers.fill_null(float("nan")).to_numpy())
        texts = Texts(storage)
        for part in parts():
            texts.append(arrays.coded(part))
        return texts.end()

    def _cleaned(self, cells: pl.Series, column: str) -> pl.Series:
        """Cells of a column without tokens that mean missing, numbers with a point."""
        tokens = self.missing.get(column, ()) if isinstance(self.missing, dict) else self.missing
        if tokens:
            cells = cells.set(cells.is_in(list(tokens)), None)
        return cells.str.replace(_DECIMAL_COMMA, "${1}.${2}") if self.decimal == "," else cells


def _tell(emit: Listener, before: int, total: int, position: int) -> None:
    """Says how far reading is, where that takes long."""
    if total > PIECE_BYTES:
        emit(Progress("MB read", (before + position) // MEGABYTE, total // MEGABYTE))


def _looks_like_data(names: list[str]) -> bool:
    """Whether a header is half numbers: nobody names columns so."""
    from dlcli.data import literals

    return bool(literals.numbers(names)[1].mean() >= 0.5)


def _numbers_of(parts: Iterable[pl.Series]) -> pl.Series | None:
    """Cells as numbers; None unless each that is not empty is written as `literals.PLAIN_NUMBER`."""
    import polars as pl

    from dlcli.data.literals import PLAIN_NUMBER

    numbers: list[pl.Series] = []
    for cells in parts:
        for some in (cells.head(_FIRST_CELLS), cells):
            if not some.str.contains(f"^(?:{PLAIN_NUMBER})$").fill_null(value=True).all():
                return None
        numbers.append(cells.cast(pl.Float64))
    return pl.concat(numbers)


def _require_same_columns(expected: _Table, table: _Table) -> None:
    lacking = [name for name in expected.names if name not in table.names]
    extra = [name for name in table.names if name not in expected.names]
    if lacking or extra:
        parts = [f"lacks {_shown(tuple(lacking))}"] if lacking else []
        parts += [f"also has {_shown(tuple(extra))}"] if extra else []
        message = f"{table.path} {' and '.join(parts)}, compared with {expected.path}"
        suggestion = "files that are read together need the same columns"
        raise DataError(Problem("different-columns", message, suggestion, table.place))


def _consecutive(rows: dict[Subset, int], kept: NDArray[np.bool_]) -> dict[Subset, Any]:
    """Row numbers of subsets that follow each other, of the rows that are kept."""
    import numpy as np

    ends = np.concatenate([[0], np.cumsum(kept)])[np.cumsum([0, *rows.values()])]
    return {name: np.arange(ends[i], ends[i + 1]) for i, name in enumerate(rows)}


def _shown(names: tuple[str | None, ...], limit: int = 12) -> str:
    """A list of names for a sentence, cut when long."""
    shown = ", ".join(str(name) for name in names[:limit])
    return f"{shown}, ... ({len(names)} in all)" if len(names) > limit else shown
