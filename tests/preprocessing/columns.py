"""Small tables for the tests of this folder."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.part import Step
from dlcli.preprocessing import pipeline
from dlcli.samples import Coded, ColumnSchema, Samples, Schema


def table(columns: dict[str, Any]) -> tuple[Samples, Schema]:
    """Samples and schema of lists of numbers or texts (None is a gap), arrays, or datetime64 (NaT)."""
    values: dict[str, Any] = {}
    kinds: dict[str, ColumnSchema] = {}
    for name, column in columns.items():
        if isinstance(column, np.ndarray) and column.ndim > 1:
            kind = "image" if column.ndim == 4 else "numeric"
            values[name] = column
            kinds[name] = ColumnSchema(kind=kind, shape=column.shape[1:], dtype=str(column.dtype))
        elif isinstance(column, np.ndarray) and column.dtype.kind == "M":
            values[name] = column.astype("datetime64[s]").astype(np.int64)
            kinds[name] = ColumnSchema(kind="datetime", dtype="int64")
        elif any(isinstance(cell, str) for cell in column):
            values[name] = Coded.of(column)
            kinds[name] = ColumnSchema(kind="categorical", dtype="string")
        else:
            values[name] = np.array(column, dtype=np.float64)
            kinds[name] = ColumnSchema(kind="numeric")
    return Samples.of(values), Schema(columns=kinds)


def results(columns: dict[str, Any], *steps: Step, train: int | None = None) -> dict[str, list[float]]:
    """What the steps make of a table, by feature; fitted on the first `train` rows (all by default)."""
    samples, schema = table(columns)
    fitted = pipeline.fit(steps, samples, schema, np.arange(train or samples.rows))
    matrix = fitted.transform(samples)
    return {name: matrix[:, position].tolist() for position, name in enumerate(fitted.output.names)}


def rows(count: int) -> NDArray[np.int64]:
    """The first row numbers."""
    return np.arange(count)
