"""A data card: what the columns hold, in numbers and small histograms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.data.leakage.columns import gaps_of
from dlcli.samples import MISSING, NO_TIME, Coded, ColumnSchema, Ragged, Samples, Schema
from dlcli.words import picked

if TYPE_CHECKING:
    from numpy.typing import NDArray

BINS = 10
"""Bars of a histogram."""
VALUES_TOLD = 10
"""So many of the most frequent categories are counted."""
_EXAMPLE_SIGNS = 60


def columns(samples: Samples, schema: Schema, rows: NDArray[np.int64]) -> dict[str, dict[str, Any]]:
    """The input columns as plain data.

    Args:
        samples: typed, every row.
        schema: what they hold.
        rows: what is described: all but the test rows.

    Returns:
        by name: `kind`, `shape`, `missing` (of all rows), and of the given rows `distinct` and by kind: numbers
        `low`, `high`, `mean`, `median`, `histogram` (10 equally wide bars); categories `values` (the most
        frequent, with counts); texts `words` (fewest, median, most) and `example`; times `first`, `last`; arrays
        and images `low`, `high`, and `sizes` where rows differ.
    """
    return {name: _column(samples[name], schema.columns[name], rows) for name in schema.columns}


def target(goal_values: NDArray[Any], names: tuple[str, ...], classes: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """The targets of rows that may be looked at, as plain data.

    Args:
        goal_values: class numbers (rows,), or numbers (rows, targets).
        names: of the targets.
        classes: names of the classes; empty for numbers.

    Returns:
        by name: `values` (class by class) or the numbers of a numeric column.
    """
    if classes:
        counts = np.bincount(goal_values, minlength=len(classes))
        return {names[0]: {"values": dict(zip(classes, counts.tolist(), strict=True))}}
    return {name: _numbers(goal_values[:, place]) for place, name in enumerate(names)}


def _column(column: Any, schema: ColumnSchema, rows: NDArray[np.int64]) -> dict[str, Any]:
    gaps = gaps_of(column)
    card: dict[str, Any] = {
        "kind": schema.kind,
        "shape": list(schema.shape),
        "missing": 0 if gaps is None else int(gaps.sum()),
    }
    if isinstance(column, Coded):
        return card | (_categories(column, rows) if schema.kind == "categorical" else _texts(column, rows))
    if isinstance(column, Ragged):
        sizes = column.shapes[rows]
        return card | {"sizes": [sizes.min(axis=0).tolist(), sizes.max(axis=0).tolist()]}
    part = column[rows]
    if part.ndim > 1:
        return card | {"low": float(part.min()), "high": float(part.max())} if part.size else card
    if schema.kind == "datetime":
        return card | _times(part)
    return card | _numbers(part)


def _numbers(values: NDArray[Any]) -> dict[str, Any]:
    numbers = values[np.isfinite(values)].astype(np.float64)
    if not len(numbers):
        return {"distinct": 0}
    low, high = float(numbers.min()), float(numbers.max())
    with np.errstate(over="ignore", invalid="ignore"):
        counts = np.histogram(numbers, BINS, (low, high))[0] if np.isfinite(high - low) else np.zeros(0, dtype=int)
    return {
        "distinct": len(np.unique(numbers)),
        "low": low,
        "high": high,
        "mean": float(numbers.mean()),
        "median": float(np.median(numbers)),
        "histogram": counts.tolist(),
    }


def _categories(column: Coded, rows: NDArray[np.int64]) -> dict[str, Any]:
    codes = column.codes[rows]
    counts = np.bincount(codes[codes != MISSING], minlength=len(column.vocabulary))
    order = np.argsort(-counts, kind="stable")[:VALUES_TOLD]
    values = {column.vocabulary[code]: int(counts[code]) for code in order if counts[code]}
    return {"distinct": int((counts > 0).sum()), "values": values}


def _texts(column: Coded, rows: NDArray[np.int64]) -> dict[str, Any]:
    codes = column.codes[rows]
    codes = codes[codes != MISSING]
    if not len(codes):
        return {"distinct": 0}
    used = np.unique(codes)
    lengths = np.zeros(len(column.vocabulary), dtype=np.int64)
    lengths[used] = [len(text.split()) for text in picked(column.vocabulary, used)]
    words = lengths[codes]
    return {
        "distinct": len(used),
        "words": [int(words.min()), int(np.median(words)), int(words.max())],
        "histogram": np.histogram(words, BINS)[0].tolist(),
        "example": " ".join(column.vocabulary[int(codes[0])][: 2 * _EXAMPLE_SIGNS].split())[:_EXAMPLE_SIGNS],
    }


def _times(seconds: NDArray[np.int64]) -> dict[str, Any]:
    known = seconds[seconds != NO_TIME]
    if not len(known):
        return {"distinct": 0}
    first, last = (_day(int(each)) for each in (known.min(), known.max()))
    return {
        "distinct": len(np.unique(known)),
        "first": first,
        "last": last,
        "histogram": np.histogram(known.astype(np.float64), BINS)[0].tolist(),
    }


def _day(seconds: int) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%d" if moment.hour == moment.minute == moment.second == 0 else "%Y-%m-%d %H:%M")
