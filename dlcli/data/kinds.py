"""What a column holds: decided from the rows that may decide it, then typed the same way for any rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data import literals
from dlcli.problems import DataError, Problem
from dlcli.samples import MISSING, NO_TIME, Coded, ColumnSchema, Kind, Ragged, Samples, Schema
from dlcli.storage import Shelf, blocks, file_of, fill
from dlcli.words import picked

CATEGORIES_AT_MOST = 1000
"""Text with more distinct values is text, not a category."""
CATEGORY_SHARE_BELOW = 0.5
"""Text with at least this share of its rows distinct is text, not a category."""
NUMBERS_FROM_SHARE = 0.95
"""A column with this share of numbers was meant to be numeric; the rest are faults."""
_TOKENS_SHOWN = 3
_IMAGE_AXES = 3
_SEQUENCE_AXES = 2


def infer(
    samples: Samples, names: Sequence[str], rows_for_types: NDArray[Any], overrides: Mapping[str, Kind]
) -> Schema:
    """The kinds of the named columns.

    Args:
        samples: columns as a source gave them.
        names: the input columns, in order.
        rows_for_types: rows that may decide: all but the test rows.
        overrides: kinds that the config names.

    Raises:
        DataError: columns without a value, or numbers among which some cells are none; all of them at once.
    """
    columns: dict[str, ColumnSchema] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            columns[name] = _infer_column(name, samples[name], rows_for_types, overrides.get(name))
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)
    return Schema(columns=columns)


def convert(samples: Samples, schema: Schema, shelf: Shelf | None = None) -> tuple[Samples, dict[str, int]]:
    """The schema's columns, typed; columns that it does not name are left out. Arrays made of them lie on `shelf`.

    numeric: float64 with NaN, or the array as it is where a row has a shape of its own; categorical and
    text: `Coded`; datetime: int64 seconds UTC, `NO_TIME` where missing; image: uint8 or float
    with a channel axis.

    Returns:
        the typed columns, and by column how many cells did not fit its kind (they count as missing).

    Raises:
        DataError: columns are absent, or a row has another shape.
    """
    if absent := [name for name in schema.columns if name not in samples]:
        plural = "s" if len(absent) > 1 else ""
        message = f"column{plural} missing: {', '.join(absent)}"
        raise DataError(Problem("missing-column", message, f"columns that are there: {', '.join(samples)}"))
    typed: dict[str, Any] = {}
    misfits: dict[str, int] = {}
    for name, column in schema.columns.items():
        values, count = _convert_column(name, samples[name], column)
        if count:
            misfits[name] = count
        if shelf is not None and isinstance(values, np.ndarray) and file_of(values) is None:
            what = repr((name, column))
            values = shelf.kept(what, values.shape, values.dtype, partial(fill, array=values))
        typed[name] = values
    return Samples(typed, samples.rows), misfits


def overrides(lists: Mapping[Kind, Sequence[str] | None], names: Sequence[str]) -> dict[str, Kind]:
    """Kinds by column, from the lists `data.numeric`, `data.categorical`, `data.text`, `data.datetime`.

    Raises:
        DataError: a list names a column that is not there, or two lists name the same one.
    """
    kinds: dict[str, Kind] = {}
    problems: list[Problem] = []
    for kind, listed in lists.items():
        for position, name in enumerate(listed or ()):
            place = ("data", kind, position)
            if name not in names:
                message = f"data.{kind} names {name}, which is not there"
                problems.append(Problem("missing-column", message, f"columns: {', '.join(names)}", place))
            elif kinds.setdefault(name, kind) != kind:
                message = f"{name} is listed as {kinds[name]} and as {kind}"
                problems.append(Problem("column-in-two-roles", message, "keep one of them", place))
    if problems:
        raise DataError(problems)
    return kinds


@dataclass(frozen=True, slots=True)
class _Cells:
    """The texts of one column that occur in the deciding rows."""

    name: str
    texts: Sequence[str]
    counts: NDArray[np.int64]
    rows: int

    @classmethod
    def of(cls, name: str, column: Coded, rows: NDArray[Any]) -> _Cells:
        codes = column.codes[rows]
        counts = np.bincount(codes[codes != MISSING], minlength=len(column.vocabulary))
        used = np.flatnonzero(counts)
        return cls(name, picked(column.vocabulary, used), counts[used], len(codes))

    def first_misfits(self, fits: NDArray[np.bool_]) -> str:
        """What does not fit, the most frequent first: `"?" (6 cells), "x" (1 cell)`."""
        misfits = np.flatnonzero(~fits)
        order = misfits[np.argsort(-self.counts[misfits], kind="stable")]
        shown = [f'"{self.texts[i][:40]}" ({_cells(int(self.counts[i]))})' for i in order[:_TOKENS_SHOWN]]
        return ", ".join(shown) + (f", ... ({len(order)} different)" if len(order) > _TOKENS_SHOWN else "")


def _cells(count: int) -> str:
    return f"{count:,} cell" + ("s" if count != 1 else "")


def _infer_column(name: str, column: Any, rows: NDArray[Any], override: Kind | None) -> ColumnSchema:
    if not isinstance(column, Coded):
        return _array_schema(name, column, rows, override)
    cells = _Cells.of(name, column, rows)
    if not cells.texts:
        message = f"column {name} is empty: all {cells.rows:,} rows are missing"
        raise DataError(Problem("empty-column", message, f"leave it out: `ignore: [{name}]` under data", ("data",)))
    return _schema_of(override or _kind_of(cells), cells)


def _schema_of(kind: Kind, cells: _Cells) -> ColumnSchema:
    """The schema for a kind, once every cell is known to fit it."""
    if kind == "numeric":
        _, fits = literals.numbers(cells.texts)
        if not fits.all():
            raise DataError(_not_numbers(cells, fits))
        return ColumnSchema(kind="numeric")
    if kind == "datetime":
        _, fits = literals.times(cells.texts)
        if not fits.all():
            message = f"column {cells.name} is to hold times, but has {cells.first_misfits(fits)}"
            suggestion = "write ISO dates (2024-05-31, 2024-05-31 12:00), or list it under data.categorical"
            raise DataError(Problem("not-a-time", message, suggestion, ("data", "datetime")))
        return ColumnSchema(kind="datetime", dtype="int64")
    if kind == "image":
        message = f"column {cells.name} holds text, not images"
        raise DataError(Problem("wrong-kind", message, "list it as another kind", ("data",)))
    return ColumnSchema(kind=kind, dtype="string")


def _kind_of(cells: _Cells) -> Kind:
    _, fits = literals.numbers(cells.texts)
    number_cells, filled = int(cells.counts[fits].sum()), int(cells.counts.sum())
    one_token = int((~fits).sum()) == 1 and int(fits.sum()) > 1
    if fits.all() or one_token or number_cells >= NUMBERS_FROM_SHARE * filled:
        return "numeric"  # what does not fit is then a problem that names it
    if literals.times(cells.texts[:1])[1].all() and literals.times(cells.texts)[1].all():
        return "datetime"
    distinct = len(cells.texts)
    return "categorical" if distinct <= CATEGORIES_AT_MOST and distinct < CATEGORY_SHARE_BELOW * filled else "text"


def _not_numbers(cells: _Cells, fits: NDArray[np.bool_]) -> Problem:
    token = cells.texts[int(np.flatnonzero(~fits)[0])]
    message = f"column {cells.name} is numeric but for {cells.first_misfits(fits)}"
    suggestion = (
        f"if that means missing, add `missing: ['{token[:40]}']` to the source; "
        f"if the column is a category, add `categorical: [{cells.name}]` under data"
    )
    return Problem("not-a-number", message, suggestion, ("data", "source"))


def _array_schema(name: str, column: Any, rows: NDArray[Any], override: Kind | None) -> ColumnSchema:
    if isinstance(column, Ragged):
        return _sequence_schema(name, column, override)
    shape = tuple(column.shape[1:])
    if not shape:
        if column.dtype.kind == "f" and np.isnan(column[rows]).all():
            message = f"column {name} is empty: no row has a value"
            raise DataError(Problem("empty-column", message, f"leave it out: `ignore: [{name}]`", ("data",)))
        if override in ("categorical", "text"):
            return ColumnSchema(kind=override, dtype="string")
        return ColumnSchema(kind="datetime", dtype="int64") if override == "datetime" else ColumnSchema(kind="numeric")
    if override not in (None, "numeric", "image"):
        message = f"column {name} has rows of shape {shape}, which cannot be {override}"
        raise DataError(Problem("wrong-kind", message, "leave it out of that list", ("data", str(override))))
    dtype = "uint8" if column.dtype == bool else str(column.dtype)
    if override == "image" or (override is None and _looks_like_images(column)):
        return ColumnSchema(kind="image", shape=shape if len(shape) >= _IMAGE_AXES else (*shape, 1), dtype=dtype)
    return ColumnSchema(kind="numeric", shape=shape, dtype=dtype)


def _sequence_schema(name: str, column: Ragged, override: Kind | None) -> ColumnSchema:
    """Codes in rows of any length: whole numbers from 0."""
    if override is not None:
        message = f"column {name} has rows of different lengths, which cannot be {override}"
        raise DataError(Problem("wrong-kind", message, "leave it out of that list", ("data", override)))
    if column.values.dtype.kind not in "iu" or column.shapes.shape[1] != 1:
        message = f"rows of {name} differ in shape, and are no sequences of whole numbers"
        raise DataError(Problem("wrong-shape", message, f"leave it out: `ignore: [{name}]`", ("data",)))
    return ColumnSchema(kind="sequence", dtype="int64")


def _looks_like_images(column: NDArray[Any]) -> bool:
    """Height, width and channels, of a video with frames before them; or height and width, in bytes."""
    whole = column.ndim in (_IMAGE_AXES + 1, _IMAGE_AXES + 2)
    return whole or (column.ndim == _IMAGE_AXES and column.dtype == np.uint8)


def _convert_column(name: str, column: Any, schema: ColumnSchema) -> tuple[Any, int]:
    if schema.kind in ("categorical", "text"):
        return (column if isinstance(column, Coded) else _as_coded(column)), 0
    if isinstance(column, Coded):
        if schema.shape:
            message = f"column {name} holds text, but rows of shape {schema.shape} are expected"
            raise DataError(Problem("wrong-shape", message, "store it as an array in an .npz file"))
        return _parsed(column, literals.times if schema.kind == "datetime" else literals.numbers, schema.kind)
    if schema.kind == "sequence":
        return _sequences(name, column), 0
    return _reshaped(name, column, schema), 0


def _sequences(name: str, column: Any) -> Ragged:
    """Rows of codes; of a rectangle, what stands before the first negative number of each row."""
    if not isinstance(column, Ragged):
        if column.ndim != _SEQUENCE_AXES or column.dtype.kind not in "iu":
            message = f"{name} holds no rows of whole numbers"
            raise DataError(Problem("wrong-shape", message, "give sequences of codes, -1 behind the end of each"))
        column = Ragged.of([row[: np.argmax(np.append(row, -1) < 0)].astype(np.int64) for row in column])
    if any(block.min() < 0 for block in blocks(column.values)):
        message = f"{name} holds negative numbers, which cannot be codes"
        raise DataError(Problem("wrong-values", message, "give whole numbers from 0"))
    sequences: Ragged = column
    return sequences


def _parsed(column: Coded, parse: Any, kind: Kind) -> tuple[NDArray[Any], int]:
    """Each distinct text parsed once."""
    values, fits = parse(column.vocabulary)
    gap = NO_TIME if kind == "datetime" else np.nan
    table = np.append(values, np.asarray(gap, dtype=values.dtype))
    misfits = np.append(~fits, False)
    return table[column.codes], int(misfits[column.codes].sum())


def _as_coded(column: NDArray[Any]) -> Coded:
    """Numbers as the categories that they stand for."""
    known = ~np.isnan(column) if column.dtype.kind == "f" else np.ones(len(column), dtype=bool)
    values, inverse = np.unique(column[known], return_inverse=True)
    codes = np.full(len(column), MISSING, dtype=np.int32)
    codes[known] = inverse
    return Coded(codes, tuple(literals.as_texts(values)))


def _reshaped(name: str, column: NDArray[Any], schema: ColumnSchema) -> NDArray[Any]:
    shape = tuple(column.shape[1:])
    if schema.kind == "image" and (*shape, 1) == schema.shape:
        column, shape = column[..., None], schema.shape
    if shape != schema.shape:
        message = f"rows of {name} have shape {shape}, but {schema.shape} is expected"
        raise DataError(Problem("wrong-shape", message, "give rows of the shape that the network was trained on"))
    if schema.shape:
        return _cast(name, column, schema.dtype)
    if schema.kind == "datetime":
        return _as_times(column)
    infinite = np.isinf(column)
    if column.dtype == np.float64 and not infinite.any():
        return column
    values = column.astype(np.float64)
    values[infinite] = np.nan
    return values


def _as_times(column: NDArray[Any]) -> NDArray[np.int64]:
    """Seconds since 1970; what is no finite number is a gap."""
    if column.dtype.kind != "f":
        return column.astype(np.int64, copy=False)
    known = np.isfinite(column)
    return np.where(known, np.where(known, column, 0).astype(np.int64), NO_TIME)


def _cast(name: str, column: NDArray[Any], dtype: str) -> NDArray[Any]:
    """The column in another dtype; whole-number dtypes take only what they can hold."""
    if column.dtype == dtype:
        return column
    with np.errstate(invalid="ignore"):  # what cannot be held is found by comparing
        cast = column.astype(dtype)
    if cast.dtype.kind in "iu" and not np.array_equal(cast, column):
        message = f"{name} holds values that are no {dtype} numbers, as they were in training"
        raise DataError(Problem("wrong-values", message, "scale the values as in the training data"))
    return cast
