"""Arrays of any origin as columns: numbers and images stay arrays, text is coded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import MISSING, Coded

if TYPE_CHECKING:
    import polars as pl

_NUMBERS = "biuf"
_TEXT = "US"
_FEW = 10_000
"""So many cells are coded faster by Python."""


def column(name: str, values: Any, field: ConfigPath) -> Any:
    """One column from an array or a list, one entry per row.

    Raises:
        DataError: the values have no row axis, or are neither numbers nor text.
    """
    array = values if isinstance(values, np.ndarray) else _array(values)
    if array.ndim == 0:
        message = f"{name} is a single value, not a column with one entry per row"
        raise DataError(Problem("not-a-column", message, "leave it out (`inputs`), or give it a row axis", field))
    if array.dtype.kind == "O" and array.ndim == 1 and all(cell is None or isinstance(cell, str) for cell in array):
        return Coded.of(list(array))
    if array.dtype.kind in _TEXT and array.ndim == 1:
        return _coded(array)
    if array.dtype.kind not in _NUMBERS:
        message = f"{name} holds {array.dtype} values with shape {array.shape}: neither numbers nor a list of texts"
        raise DataError(Problem("unknown-values", message, "store numbers, or one text per row", field))
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def coded(cells: pl.Series) -> Coded:
    """Cells of text with a sorted vocabulary; null is missing."""
    import polars as pl

    if len(cells) <= _FEW:
        return Coded.of(cells.to_list())
    frame = cells.alias("cell").to_frame()
    words = frame.unique().drop_nulls().sort("cell")
    words = words.with_columns(pl.Series("code", np.arange(words.height, dtype=np.int32)))
    codes = frame.join(words, on="cell", how="left", maintain_order="left")["code"].fill_null(MISSING)
    return Coded(codes.to_numpy().astype(np.int32, copy=False), tuple(words["cell"].to_list()))


def _array(values: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(values)
    except ValueError:  # rows of different lengths
        return np.array([*values, None], dtype=object)[:-1]
    # a list of text and None would otherwise hold what str() makes of None
    return np.asarray(values, dtype=object) if array.dtype.kind in _TEXT and array.ndim == 1 else array


def _coded(array: np.ndarray[Any, Any]) -> Coded:
    words, codes = np.unique(array, return_inverse=True)
    texts = Coded.of([word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word) for word in words])
    return Coded(texts.codes[codes], texts.vocabulary)


def require_same_rows(columns: dict[str, Any], field: ConfigPath) -> None:
    """Checks that all columns have the same rows, at least one.

    Raises:
        DataError: they have not.
    """
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} {rows}" for name, rows in lengths.items())
        message = f"arrays with different numbers of rows: {shown}"
        raise DataError(
            Problem("different-rows", message, "name those that belong together (`inputs`, `target`)", field)
        )
    if not lengths or not next(iter(lengths.values())):
        raise DataError(Problem("no-rows", "there are no rows", "is it the right file?", field))
