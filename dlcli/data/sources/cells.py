"""A delimited text, or a piece of one, as a rectangle of cells, checked line by line without a loop over lines.

One scan over the bytes finds which delimiters and line ends stand outside quotes; the cells are then
handed to polars one by one, divided by a sign that occurs nowhere in the text, so that there is one
opinion about quotes, not two.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dlcli.data.sources.dialect import Dialect
from dlcli.problems import ConfigPath, DataError, Problem

if TYPE_CHECKING:
    import polars as pl

_LINE_END = 10
_BLANKS = b" \t"
_NEVER = 0
"""No text holds it."""
_SPARE_SIGNS = (31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16)
LONGEST_BLANK_RUN = 64
"""Blanks between a quote and its delimiter that the scan looks over; a longer run takes the slow path."""


class Row(NamedTuple):
    """What every row must have. `line`: where the first one stands, from 1."""

    cells: int
    line: int


@dataclass(frozen=True, slots=True)
class Text:
    r"""One file's text with what its messages need.

    Attributes:
        path: the file.
        field: the config path that named it.
        body: UTF-8 with "\n" line ends, no byte-order mark; left-out lines are empty, so that line
            numbers stay true.
        dialect: how it is divided.
        line: the number of its first line, from 1.
        row: how many cells a row of the file has and which line showed it, where that is known.
    """

    path: Path
    field: ConfigPath
    body: bytes
    dialect: Dialect
    line: int = 1
    row: Row | None = None

    def error(self, code: str, line: int, what: str, suggestion: str) -> DataError:
        """A problem at a line of the file."""
        return DataError(Problem(code, f"{self.path}, line {line}: {what}", suggestion, self.field))

    @property
    def last_line(self) -> int:
        """The number of the last line that is not empty."""
        return self.line_of(len(self.body.rstrip(b"\n")))

    def line_of(self, position: int) -> int:
        """The line number, from 1, of a byte."""
        return self.body.count(b"\n", 0, position) + self.line


@dataclass(frozen=True, slots=True, eq=False)
class Rectangle:
    """The cells of a text.

    Attributes:
        texts: every cell, row after row, as text; an empty cell is null. A header is a row like others.
        row: what each row has.
        last_line: the last line that is not empty, from 1.
    """

    texts: pl.Series
    row: Row
    last_line: int

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self.texts) // self.row.cells

    def first_row(self) -> tuple[str | None, ...]:
        """The cells of the first row."""
        return tuple(self.texts.head(self.row.cells).to_list())

    def below_first_row(self) -> Rectangle:
        """All rows but the first."""
        return replace(self, texts=self.texts.slice(self.row.cells))

    def columns(self, names: list[str]) -> pl.DataFrame:
        """The cells by column, named in the order of the file."""
        import polars as pl

        cell, every = pl.col("cell"), self.row.cells
        # in one query: a table may have thousands of columns
        columns = [cell.gather_every(every, place).alias(name) for place, name in enumerate(names)]
        return self.texts.alias("cell").to_frame().select(columns)


def rectangle(text: Text, rest: Callable[[], bytes] = bytes) -> Rectangle:
    """Divides a text, which holds at least one cell, into cells.

    Args:
        text: whole lines.
        rest: what follows them; asked for where only reading on can tell which quotes end a cell.

    Raises:
        DataError: lines have different numbers of cells, or a quote does not end a cell.
    """
    import polars as pl

    body = np.frombuffer(text.body, dtype=np.uint8)
    inside = _inside_quotes(text, body)
    if inside is None:
        text = replace(text, body=text.body + rest())
    sign = _unused_sign(text)
    content, row = _divide_slowly(text, chr(sign)) if inside is None else _divide(text, body, inside, sign)
    # one cell a line: polars need not know what divides cells from each other
    texts = pl.read_csv(
        content,
        has_header=False,
        new_columns=["cell"],
        infer_schema_length=0,
        separator=chr(_NEVER),
        eol_char=chr(sign),
        quote_char=None,
    ).select(_clean(text.dialect))
    assert len(texts) == content.count(sign), "polars lost cells"
    return Rectangle(texts["cell"], row, text.last_line)


def _clean(dialect: Dialect) -> pl.Expr:
    """Blanks and quotes around a cell taken away; what is left empty is null."""
    import polars as pl

    cell = pl.col("cell")
    if dialect.strip:
        cell = cell.str.strip_chars(" \t\r")
    if mark := dialect.quote:
        quoted = cell.str.starts_with(mark) & cell.str.ends_with(mark) & (cell.str.len_bytes() > 1)
        inner = cell.str.slice(1, cell.str.len_chars() - 2).str.replace_all(mark * 2, mark, literal=True)
        cell = pl.when(quoted).then(inner.str.strip_chars(" \t\r") if dialect.strip else inner).otherwise(cell)
    return pl.when(cell != "").then(cell).alias("cell")


def _divide(text: Text, body: NDArray[np.uint8], inside: NDArray[np.bool_], sign: int) -> tuple[bytes, Row]:
    """The cells, each followed by a sign."""
    ends, cuts, drop = _borders(text.dialect, body, inside)
    starts = np.concatenate([[0], ends[:-1] + 1])
    cells = np.searchsorted(cuts, ends) - np.searchsorted(cuts, starts) + 1
    empty = cells == 1
    if empty.any():
        empty &= _without_content(body, starts)
    row = _row_of(text, cells[~empty], starts[~empty])
    marked = body.copy()
    marked[cuts] = sign
    marked[ends] = sign
    if empty.any():
        # +1 where an empty line starts, -1 after it: the running sum is 1 within such lines
        edges = np.zeros(len(body) + 1, dtype=np.int8)
        edges[starts[empty]] += 1
        edges[ends[empty] + 1] -= 1
        within = np.cumsum(edges[:-1], dtype=np.int8).astype(bool)
        drop = within if drop is None else drop | within
    return (marked if drop is None else marked[~drop]).tobytes(), row


def _borders(
    dialect: Dialect, body: NDArray[np.uint8], inside: NDArray[np.bool_] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_] | None]:
    """Where lines end, where cells are cut, and which bytes only fill space (None: none)."""
    outside = None if inside is None or not inside.size else ~inside
    line_ends = body == _LINE_END
    ends = np.flatnonzero(line_ends if outside is None else line_ends & outside)
    if not dialect.blanks:
        cut = body == dialect.byte
        return ends, np.flatnonzero(cut if outside is None else cut & outside), None
    blank = (body == _BLANKS[0]) | (body == _BLANKS[1])
    if outside is not None:
        blank &= outside
    before = np.concatenate([[False], blank[:-1]])
    after = np.concatenate([blank[1:], [False]])
    first, last = np.flatnonzero(blank & ~before), np.flatnonzero(blank & ~after)
    at_start = (first == 0) | (body[first - 1] == _LINE_END)
    at_end = body[np.minimum(last + 1, len(body) - 1)] == _LINE_END
    cuts = first[~(at_start | at_end)]
    drop = blank.copy()
    drop[cuts] = False
    return ends, cuts, drop


def _inside_quotes(text: Text, body: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
    """Which bytes stand between quotes; an empty array if there are none, None if the slow path must say."""
    mark = text.dialect.quote
    if not mark or mark.encode() not in text.body:
        return np.zeros(0, dtype=bool)
    is_quote = body == ord(mark)
    positions = np.flatnonzero(is_quote)
    if len(positions) % 2:
        return None
    opening, closing = positions[::2], positions[1::2]
    # two quotes in a row within a cell close and open again at once: neither end is a cell's border
    doubled = np.zeros(len(positions), dtype=bool)
    adjacent = closing[:-1] + 1 == opening[1:]
    doubled[1:-1:2] = adjacent
    doubled[2::2] = adjacent
    if not _at_border(text.dialect, body, opening[~doubled[::2]], step=-1):
        return None
    if not _at_border(text.dialect, body, closing[~doubled[1::2]], step=1):
        return None
    return np.bitwise_xor.accumulate(is_quote.view(np.uint8)).astype(bool)


def _at_border(dialect: Dialect, body: NDArray[np.uint8], quotes: NDArray[np.int64], *, step: int) -> bool:
    """Whether beside every quote, over blanks where they do not count, a cell or the text ends."""
    place = quotes + step
    for _ in range(LONGEST_BLANK_RUN):
        place = place[(place >= 0) & (place < len(body))]
        sign = body[place]
        border = (sign == dialect.byte) | (sign == _LINE_END)
        blank = (sign == _BLANKS[0]) | (sign == _BLANKS[1])
        if dialect.blanks:
            border |= blank
        place, blank = place[~border], blank[~border]
        if not len(place):
            return True
        if not (dialect.strip and blank.all()):
            return False
        place = place + step
    return False


def _without_content(body: NDArray[np.uint8], starts: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which lines hold nothing but blanks."""
    content = (body != _BLANKS[0]) & (body != _BLANKS[1]) & (body != _LINE_END)
    return np.asarray(np.add.reduceat(content, starts, dtype=np.int64) == 0)


def _row_of(text: Text, cells: NDArray[np.int64], starts: NDArray[np.int64]) -> Row:
    """What every line has, given the cells of each and where it starts."""
    row = text.row or Row(int(cells[0]), text.line_of(int(starts[0])))
    odd = np.flatnonzero(cells != row.cells)
    if len(odd):
        raise _ragged(text, text.line_of(int(starts[odd[0]])), int(cells[odd[0]]), row, len(odd))
    return row


def _ragged(text: Text, line: int, cells: int, row: Row, odd_lines: int) -> DataError:
    more = f" ({odd_lines} such lines up to line {text.last_line})" if odd_lines > 1 else ""
    what = f"{cells} cells, but line {row.line} has {row.cells}{more}"
    hints = [f"mend the line, or set `delimiter` (now {text.dialect.delimiter})"]
    if text.dialect.quote and text.dialect.quote.encode() in text.body:
        hints.append("`quote: none` if quotes are only text")
    hints.append("`skip_rows` if lines stand above the table")
    return text.error("ragged-line", line, what, ", ".join(hints))


def _unused_sign(text: Text) -> int:
    unused = [sign for sign in _SPARE_SIGNS if bytes([sign]) not in text.body]
    if not unused:
        raise text.error("not-text", text.line, "full of control characters from here on", "is it a table of text?")
    return unused[0]


def _divide_slowly(text: Text, sign: str) -> tuple[bytes, Row]:
    """Reads with Python's csv module: quotes inside a cell that is not quoted are text.

    Raises:
        DataError: a quoted cell never ends, or goes on after its closing quote.
    """
    dialect = text.dialect
    if dialect.blanks:
        mark = dialect.quote
        line = text.line_of(text.body.index(mark.encode()))
        raise text.error("stray-quote", line, f"a {mark} that does not quote a whole cell", "write `quote: none`")
    out = io.StringIO()
    lines = io.StringIO(text.body.decode(), newline="\n")
    reader = csv.reader(
        lines, delimiter=chr(dialect.byte), quotechar=dialect.quote, strict=True, skipinitialspace=dialect.strip
    )
    row, begun = text.row, text.line
    try:
        for cells in reader:
            if len(cells) > 1 or any(cell.strip(" \t") for cell in cells):
                row = row or Row(len(cells), begun)
                if len(cells) != row.cells:
                    raise _ragged(text, begun, len(cells), row, 1)
                # quotes are taken away afterwards, so a cell that holds some of its own is quoted again
                out.writelines(_protected(cell, dialect.quote) + sign for cell in cells)
            begun = reader.line_num + text.line
    except csv.Error as error:
        what = f"a quoted cell that begins here does not end with a quote ({error})"
        suggestion = "write `quote: none` if quotes are only text, or mend the line"
        raise text.error("stray-quote", begun, what, suggestion) from error
    if row is None:
        raise text.error("empty-file", text.line, "no row from here on", "is it the right file?")
    return out.getvalue().encode(), row


def _protected(cell: str, mark: str) -> str:
    return f"{mark}{cell.replace(mark, mark * 2)}{mark}" if mark in cell else cell
