"""The `csv` source: tables in text files. Every cell is read as text; types are decided later."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import AfterValidator, Field

from dlcli.data.sources.dialect import DELIMITERS, Dialect, find_delimiter
from dlcli.data.sources.files import Encoding, read_bytes, source_for
from dlcli.data.sources.table_files import TableFiles
from dlcli.part import Source, Written
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import MISSING, Coded, Found, Samples, Subset

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from dlcli.data.sources.cells import Rectangle

_FIRST_CELLS = 100
_NO_QUOTE = "none"
_OTHER_FILES = {
    b"PAR1": ("a Parquet file", "write `parquet:` in place of `csv:`"),
    b"PK\x03\x04": ("a packed file, as .npz and .xlsx are", "write `npz:`, or save the sheet as csv"),
    b"\xd0\xcf\x11\xe0": ("an old Excel file", "save the sheet as csv"),
}
"""How files begin that are taken for text by mistake."""
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


class _Table(NamedTuple):
    """One file's cells below its header."""

    cells: Rectangle
    names: list[str]
    path: Path
    delimiter: str
    notes: tuple[str, ...]
    unnamed: frozenset[str]

    def places(self, names: list[str]) -> list[int]:
        """Where columns stand, from 0."""
        place = {name: number for number, name in enumerate(self.names)}
        return [place[name] for name in names]


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
        Field(description="What means missing, beside the empty cell: tokens, or tokens by column."),
    ] = ()
    strip: Annotated[bool, Field(description="Whether blanks around a cell are dropped.")] = True
    encoding: Annotated[Encoding, Field(description="Encoding of the text.")] = "utf-8"
    decimal: Annotated[Literal[".", ","], Field(description="The sign between whole and fraction.")] = "."

    def read(self) -> Found:
        """Reads all files into one table.

        Raises:
            DataError: a file is absent, empty, damaged, ragged, or the files' columns differ.
        """
        tables: list[_Table] = []
        rows: dict[Subset, int] = {}
        for subset, field, files in self.files():
            parts = [self._read_file(file, field, tables[0] if tables else None) for file in files]
            _require_same_columns(parts if not tables else [tables[0], *parts], field)
            tables += parts
            rows[subset] = sum(part.cells.height for part in parts)
        delimiter = tables[0].delimiter
        found = [] if self.delimiter else [f"delimiter: {delimiter}"]
        found += [note for table in tables for note in table.notes]
        if self.header is None and self.names is None and _looks_like_data(tables[0].names):
            found.append(
                f"the first line was taken as the header, but looks like data ({_shown(tuple(tables[0].names))}): "
                "if it is, write `header: false`, or `names: [...]`"
            )
        samples, filled = self._samples(tables)
        everything = Found(
            samples,
            subsets=_consecutive(rows) if len(rows) > 1 else None,
            notes=tuple(found),
            files=tuple(table.path for table in tables),
            settings={"delimiter": delimiter, "header": self._has_header},
        )
        if len(filled) in (0, samples.rows):
            return everything
        return everything.take(filled, f"{samples.rows - len(filled):,} rows without any value are left out")

    def other_file(self, path: str) -> Source:
        """The same reading of another file; an .npz or Parquet file is read as one."""
        if Path(path).suffix in (".npz", ".parquet", ".pq"):
            return source_for(path)
        return self.model_copy(update={"path": (path,), "validation": None, "test": None})

    @property
    def _has_header(self) -> bool:
        return self.names is None if self.header is None else self.header

    def _read_file(self, path: Path, field: ConfigPath, first: _Table | None) -> _Table:
        """One file; of several, the first says what the delimiter is."""
        from dlcli.data.sources.cells import Text, rectangle

        body = self._body(path, field)
        quote = "" if self.quote == _NO_QUOTE else self.quote
        delimiter = self.delimiter or (first.delimiter if first else find_delimiter(body, quote))
        cells = rectangle(Text(path, field, body, Dialect(delimiter, quote, self.strip)))
        names = self._names(cells, path)
        headed = self._has_header and self.names is None
        unnamed = frozenset(name for name, cell in zip(names, cells.first_row(), strict=True) if headed and not cell)
        cells = cells.below_first_row() if self._has_header else cells
        if not cells.height:
            message = f"{path} has a header but no rows"
            suggestion = "if that line is no header, write `header: false`"
            raise DataError(Problem("no-rows", message, suggestion, field))
        notes = _left_out(body, cells, path, has_header=self._has_header)
        return _Table(cells, names, path, delimiter, notes, unnamed)

    def _body(self, path: Path, field: ConfigPath) -> bytes:
        """The text as UTF-8 with plain line ends; lines that are left out are empty."""
        body = _as_utf8(read_bytes(path, field), self.encoding, path, field)
        body = body.replace(b"\r\n", b"\n") if b"\n" in body else body.replace(b"\r", b"\n")
        if self.skip_rows:
            lines = body.split(b"\n", self.skip_rows)
            body = b"\n" * self.skip_rows + (lines[-1] if len(lines) > self.skip_rows else b"")
        if self.comment:
            body = re.sub(b"(?m)^" + re.escape(self.comment.encode()) + b"[^\n]*", b"", body)
        if not body.strip():
            message = f"{path} is empty" + (" below the lines that are left out" if body else "")
            raise DataError(Problem("empty-file", message, "is it the right file?", field))
        return body if body.endswith(b"\n") else body + b"\n"

    def _names(self, cells: Rectangle, path: Path) -> list[str]:
        """Column names from `names`, else the header, else numbers.

        Raises:
            DataError: `names` does not fit the file, or the header names a column twice.
        """
        numbered = [f"column_{number}" for number in range(1, cells.width + 1)]
        if self.names is not None:
            if len(self.names) != cells.width:
                message = f"`names` lists {len(self.names)} columns, but {path} has {cells.width}"
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

    def _samples(self, tables: list[_Table]) -> tuple[Samples, NDArray[np.int64]]:
        """All columns but empty ones without a name, and the numbers of the rows that have any value."""
        import numpy as np

        names = tables[0].names
        if isinstance(self.missing, dict) and (absent := [name for name in self.missing if name not in names]):
            message = f"`missing` names a column that is not there: {_shown(tuple(absent))}"
            suggestion = f"columns: {_shown(tuple(names))}"
            raise DataError(Problem("missing-column", message, suggestion, (*_FIELD, "missing")))
        numbers = self._numbers(tables)
        coded = [name for name in names if name not in numbers]
        parts = [table.cells.columns(table.places(coded)) for table in tables]
        every, words = _coded(parts, decimal_comma=self.decimal == ",")
        places = {name: i for i, name in enumerate(coded)}
        empty = {name for name, i in places.items() if name in tables[0].unnamed and (every[:, i] == MISSING).all()}
        columns = {
            name: numbers[name] if name in numbers else _column(every[:, places[name]], words, self._tokens(name))
            for name in names
            if name not in empty
        }
        # In a file of one column a quoted cell may be empty on purpose, and empty lines are none of its rows.
        filled = (every != MISSING).any(axis=1) | (len(names) == 1)
        for column in numbers.values():
            filled |= ~np.isnan(column)
        return Samples.of(columns), np.flatnonzero(filled)

    def _numbers(self, tables: list[_Table]) -> dict[str, NDArray[np.float64]]:
        """The columns of nothing but many different numbers, which need no code for each."""
        import polars as pl

        from dlcli.data.kinds import CATEGORIES_AT_MOST

        if sum(table.cells.height for table in tables) <= CATEGORIES_AT_MOST:
            return {}
        found: dict[str, NDArray[np.float64]] = {}
        names = tables[0].names
        for name, *places in zip(names, *(table.places(names) for table in tables), strict=True):
            parts = zip(tables, places, strict=True)
            cells = pl.concat([table.cells.column(place) for table, place in parts])
            if tokens := self._tokens(name):
                cells = cells.set(cells.is_in(list(tokens)), None)
            if self.decimal == ",":
                cells = cells.str.replace(_DECIMAL_COMMA, "${1}.${2}")
            values = _numbers_of(cells)
            if values is not None and values.n_unique() > CATEGORIES_AT_MOST:
                found[name] = values.fill_null(float("nan")).to_numpy()
        return found

    def _tokens(self, column: str) -> tuple[str, ...]:
        return self.missing.get(column, ()) if isinstance(self.missing, dict) else self.missing


def _looks_like_data(names: list[str]) -> bool:
    """Whether a header is half numbers: nobody names columns so."""
    from dlcli.data import literals

    return bool(literals.numbers(names)[1].mean() >= 0.5)


def _left_out(body: bytes, cells: Rectangle, path: Path, *, has_header: bool) -> tuple[str, ...]:
    """Says how many empty lines were left out of a file of one column, where each might be a gap."""
    lines = body.strip(b"\n").count(b"\n") + 1
    empty = lines - cells.height - has_header
    if cells.width > 1 or empty <= 0:
        return ()
    return (f"{empty:,} empty lines of {path.name} were left out",)


def _as_utf8(raw: bytes, encoding: str, path: Path, field: ConfigPath) -> bytes:
    """The text as UTF-8, without a byte-order mark.

    Raises:
        DataError: it is not in that encoding, or no text at all.
    """
    for start, (kind, suggestion) in _OTHER_FILES.items():
        if raw.startswith(start):
            raise DataError(Problem("not-text", f"{path} is {kind}, not a table of text", suggestion, field))
    try:
        text = raw if raw.isascii() and codecs.lookup(encoding).name == "utf-8" else raw.decode(encoding).encode()
    except (UnicodeError, ValueError) as error:
        line = raw.count(b"\n", 0, error.start) + 1 if isinstance(error, UnicodeDecodeError) else 1
        message = f"{path}, line {line}: not {encoding} text"
        suggestion = f"write `encoding: {_likely_encoding(raw)}`, or save the file as UTF-8"
        raise DataError(Problem("wrong-encoding", message, suggestion, (*_FIELD, "encoding"))) from error
    if b"\0" in text:
        message = f"{path} is not a text file: it holds NUL bytes"
        suggestion = "write `encoding: utf-16` if it comes from Windows; else name a file of delimited text"
        raise DataError(Problem("not-text", message, suggestion, field))
    return text.removeprefix(codecs.BOM_UTF8)


def _likely_encoding(raw: bytes) -> str:
    return "utf-16" if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "latin-1"


def _numbers_of(cells: pl.Series) -> pl.Series | None:
    """Cells as numbers; None unless each that is not empty is written as `literals.PLAIN_NUMBER`."""
    import polars as pl

    from dlcli.data.literals import PLAIN_NUMBER

    for some in (cells.head(_FIRST_CELLS), cells):
        if not some.str.contains(f"^(?:{PLAIN_NUMBER})$").fill_null(value=True).all():
            return None
    return cells.cast(pl.Float64)


def _coded(tables: list[Rectangle], *, decimal_comma: bool) -> tuple[NDArray[np.int32], list[str]]:
    """Codes (rows, columns) of the cells of all tables, and the sorted words that they stand for."""
    import numpy as np
    import polars as pl

    if not tables[0].width:
        return np.zeros((sum(table.height for table in tables), 0), dtype=np.int32), []
    cells = pl.concat([table.texts for table in tables]).to_frame("cell")
    if decimal_comma:
        cells = cells.with_columns(pl.col("cell").str.replace(_DECIMAL_COMMA, "${1}.${2}"))
    words = cells.unique().drop_nulls().sort("cell")
    words = words.with_columns(pl.Series("code", np.arange(words.height, dtype=np.int32)))
    codes = cells.join(words, on="cell", how="left", maintain_order="left")["code"].fill_null(MISSING).to_numpy()
    return codes.reshape(-1, tables[0].width), words["cell"].to_list()


def _column(codes: NDArray[np.int32], words: list[str], missing: tuple[str, ...]) -> Coded:
    """One column with a vocabulary of its own; tokens that mean missing get `MISSING`."""
    import numpy as np

    used, own = np.unique(codes, return_inverse=True)
    vocabulary = [words[code] for code in used if code != MISSING and words[code] not in missing]
    numbers = {word: number for number, word in enumerate(vocabulary)}
    table = [MISSING if code == MISSING else numbers.get(words[code], MISSING) for code in used]
    return Coded(np.array(table, dtype=np.int32)[own.reshape(-1)], tuple(vocabulary))


def _require_same_columns(tables: list[_Table], field: ConfigPath) -> None:
    expected = tables[0]
    for table in tables[1:]:
        lacking = [name for name in expected.names if name not in table.names]
        extra = [name for name in table.names if name not in expected.names]
        if lacking or extra:
            parts = [f"lacks {_shown(tuple(lacking))}"] if lacking else []
            parts += [f"also has {_shown(tuple(extra))}"] if extra else []
            message = f"{table.path} {' and '.join(parts)}, compared with {expected.path}"
            suggestion = "files that are read together need the same columns"
            raise DataError(Problem("different-columns", message, suggestion, field))


def _consecutive(rows: dict[Subset, int]) -> dict[Subset, Any]:
    """Row numbers of subsets that follow each other."""
    import numpy as np

    subsets, start = {}, 0
    for subset, count in rows.items():
        subsets[subset] = np.arange(start, start + count)
        start += count
    return subsets


def _shown(names: tuple[str | None, ...], limit: int = 12) -> str:
    """A list of names for a sentence, cut when long."""
    shown = ", ".join(str(name) for name in names[:limit])
    return f"{shown}, ... ({len(names)} in all)" if len(names) > limit else shown
