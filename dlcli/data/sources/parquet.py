"""The `parquet` source: tables that say themselves what their columns hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcli.data.sources.files import source_for
from dlcli.data.sources.table_files import TableFiles
from dlcli.data.sources.text_columns import Texts
from dlcli.events import Listener, Progress, silent
from dlcli.part import Source
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Extent, Found, Samples, Subset
from dlcli.storage import InMemory, Storage

if TYPE_CHECKING:
    import polars as pl

_FIELD: ConfigPath = ("data", "source", "parquet")
SUFFIXES = (".parquet", ".pq")
_CELL_BYTES = 8
_SLICE_BYTES = 32 * 1024 * 1024
"""So much text is read at once."""
_SAMPLE_ROWS = 1000


class Parquet(TableFiles):
    """A table in one or several Parquet files.

    Numbers stay numbers (true is 1), text is a category or text, dates and times count in UTC, lists of numbers
    of one length are vectors. Columns of anything else (structures, bytes) are left out, and said.
    """

    part_name = "parquet"
    example = "parquet: {path: [january.parquet, february.parquet], test: march.parquet}"

    def read(self) -> Found:
        """Reads all files into one table.

        Raises:
            DataError: a file is absent, damaged or without rows, or the files' columns differ.
        """
        return self.read_into(InMemory(), silent)

    def read_into(self, storage: Storage, emit: Listener) -> Found:
        """As `read`, one column after the other."""
        import numpy as np

        from dlcli.data.sources import arrays

        parts = [(subset, field, _File.opened(path, field)) for subset, field, paths in self.files() for path in paths]
        files = [file for _, _, file in parts]
        _require_same_columns(files)
        subsets: dict[Subset, Any] = {}
        start = 0
        for subset, _, file in parts:
            rows = np.arange(start, start + file.rows)
            subsets[subset] = np.concatenate([subsets[subset], rows]) if subset in subsets else rows
            start += file.rows
        columns: dict[str, Any] = {}
        left: list[str] = []
        names = list(files[0].schema)
        for number, name in enumerate(names):
            if all(_is_text(file.schema[name]) for file in files):
                texts = Texts(storage)
                for _, field, file in parts:
                    for cells in file.slices(name, field) if storage.folder else [file.column(name, field)]:
                        texts.append(arrays.coded(_texts(cells)))
                columns[name] = texts.end()
            else:
                values = _joined(name, parts)
                column = _column(values)
                if column is None:
                    left.append(f"column {name} is left out: it holds {values.dtype}")
                else:
                    columns[name] = storage.keep(column)
            emit(Progress("columns read", number + 1, len(names)))
        if not columns:
            message = f"{files[0].path} has no column of numbers, text or times"
            raise DataError(Problem("no-inputs", message, "is it the right file?", (*_FIELD, "path")))
        return Found(
            Samples.of(columns),
            subsets=subsets if len(subsets) > 1 else None,
            notes=tuple(left),
            files=tuple(file.path for file in files),
        )

    def extent(self) -> Extent:
        """Eight bytes a cell, more for text that is longer in the first rows."""
        files = [(_File.opened(path, field), field) for _, field, paths in self.files() for path in paths]
        texts = sum(file.text_bytes(field) for file, field in files)
        numbers = sum(file.rows * sum(not _is_text(kind) for kind in file.schema.values()) for file, _ in files)
        return Extent(tuple(file.path for file, _ in files), texts + numbers * _CELL_BYTES, meanwhile_bytes=texts)

    def other_file(self, path: str) -> Source:
        """Another file with the same columns; csv and npz files are read as such."""
        if Path(path).suffix not in SUFFIXES:
            return source_for(path)
        return Parquet(path=(path,))


@dataclass(frozen=True, slots=True)
class _File:
    """A file of which only what it says of itself has been read."""

    path: Path
    schema: Mapping[str, pl.DataType]
    rows: int

    @classmethod
    def opened(cls, path: Path, field: ConfigPath) -> _File:
        """Reads what the file says of itself.

        Raises:
            DataError: it is no Parquet, or has no rows.
        """
        import polars as pl

        with _readable(path, field):
            schema = pl.read_parquet_schema(path)
            rows = int(pl.scan_parquet(path, hive_partitioning=False).select(pl.len()).collect().item())
        if not rows:
            raise DataError(Problem("no-rows", f"{path} has no rows", "is it the right file?", field))
        return cls(path, schema, rows)

    def column(self, name: str, field: ConfigPath, first: int = 0, rows: int | None = None) -> pl.Series:
        """One column, or some rows of it."""
        import polars as pl

        with _readable(self.path, field):
            table = pl.scan_parquet(self.path, hive_partitioning=False)
            # by selector: polars takes some names for patterns
            return table.select(pl.selectors.by_name(name)).slice(first, rows).collect().to_series()

    def slices(self, name: str, field: ConfigPath) -> Iterator[pl.Series]:
        """One column of text, some rows at a time."""
        rows = max(1, int(_SLICE_BYTES / self._cell_bytes(name, field)))
        return (self.column(name, field, first, rows) for first in range(0, self.rows, rows))

    def text_bytes(self, field: ConfigPath) -> int:
        """About how much memory its cells of text take."""
        return int(
            self.rows * sum(self._cell_bytes(name, field) for name, kind in self.schema.items() if _is_text(kind))
        )

    def _cell_bytes(self, name: str, field: ConfigPath) -> float:
        """Bytes of a cell of text, as long as those of the first rows."""
        sample = _texts(self.column(name, field, 0, _SAMPLE_ROWS))
        return max(_CELL_BYTES, float(sample.str.len_bytes().sum()) / len(sample))


@contextmanager
def _readable(path: Path, field: ConfigPath) -> Iterator[None]:
    import polars as pl

    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = next(iter(str(error).splitlines()), "")
        message = f"{path} is not a readable Parquet file: {reason}"
        raise DataError(Problem("damaged-file", message, "write it again, or name a file of Parquet", field)) from error


def _require_same_columns(files: Sequence[_File]) -> None:
    """Checks that files go below each other, columns by name.

    Raises:
        DataError: their columns differ, or their types do not go together.
    """
    first = files[0]
    for file in files[1:]:
        if set(file.schema) != set(first.schema):
            odd = ", ".join(sorted(set(file.schema) ^ set(first.schema)))
            message = f"{file.path} and {first.path} do not have the same columns: {odd} stand in one of them alone"
            suggestion = "files that are read together need the same columns"
            raise DataError(Problem("different-columns", message, suggestion, (*_FIELD, "path")))
    for name in first.schema:
        kinds = {_sort(file.schema[name]): file.path for file in files}
        kinds.pop("nothing", None)
        if len(kinds) > 1:
            held = ", ".join(f"{kind} in {path}" for kind, path in kinds.items())
            message = f"column {name} holds {held}"
            raise DataError(
                Problem("different-columns", message, "write it with the same type in every file", (*_FIELD, "path"))
            )


def _joined(name: str, parts: Sequence[tuple[Subset, ConfigPath, _File]]) -> pl.Series:
    """A column of all files."""
    import polars as pl

    tables = [file.column(name, field).alias("cells").to_frame() for _, field, file in parts]
    return pl.concat(tables, how="vertical_relaxed")["cells"]


def _sort(kind: pl.DataType) -> str:
    """What goes together in one column."""
    import polars as pl

    if kind.is_numeric() or kind == pl.Boolean:
        return "numbers"
    if kind in (pl.String, pl.Categorical, pl.Enum):
        return "text"
    return "nothing" if kind == pl.Null else str(kind)


def _column(series: pl.Series) -> Any:
    """A column as samples have it; None if there is no way to."""
    import polars as pl

    kind = series.dtype
    if kind == pl.Boolean:
        series = series.cast(pl.UInt8)
    elif kind.is_decimal():
        series = series.cast(pl.Float64)
    elif kind == pl.Duration:
        series = series.dt.total_microseconds() / 1e6
    if series.dtype.is_numeric():
        numbers = series.cast(pl.Float64) if series.null_count() else series
        return numbers.to_numpy()
    if kind in (pl.List, pl.Array):
        return _vectors(series)
    return None


def _is_text(kind: pl.DataType) -> bool:
    """Whether a column is text, or a time, which is read as text."""
    import polars as pl

    return kind in (pl.String, pl.Categorical, pl.Enum, pl.Null, pl.Datetime, pl.Date, pl.Time)


def _texts(series: pl.Series) -> pl.Series:
    """Cells as text, times in ISO's notation and UTC; an empty one is missing, as in a csv file."""
    import polars as pl

    kind = series.dtype
    if isinstance(kind, pl.Datetime):
        if kind.time_zone:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return series.dt.strftime("%Y-%m-%dT%H:%M:%S")
    texts = series.cast(pl.String)
    return texts.set(texts == "", None)


def _vectors(series: pl.Series) -> Any:
    """Lists of numbers of one length as (rows, length); None if they are not."""
    import polars as pl

    lists = series.arr.to_list() if series.dtype == pl.Array else series
    inner = getattr(lists.dtype, "inner", None)
    if inner is None or not inner.is_numeric() or lists.null_count():
        return None
    lengths = lists.list.len().unique()
    values = lists.explode()
    if len(lengths) != 1 or not lengths[0] or values.null_count():
        return None
    return values.to_numpy().reshape(len(lists), -1)
