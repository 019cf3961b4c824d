"""Flat rows as images, and channels moved to the last axis."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.data import literals
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import MISSING, Coded, Samples

Channels = Literal["first", "last"]
SHAPED = "image"
"""The name of the column that several flat columns become."""
_BYTE_VALUES = 256
_IMAGE_AXES = 3


def lay_out(
    samples: Samples,
    inputs: tuple[str, ...],
    shape: tuple[int, ...] | None,
    channels: Channels,
    deciding: NDArray[Any] | None = None,
) -> tuple[Samples, tuple[str, ...]]:
    """Applies `data.shape` and `data.channels` to the input columns.

    Columns of single numbers are put side by side, in order, and become one column `image`; a column
    of vectors keeps its name. Whole numbers from 0 to 255 are stored as uint8, others as float32. With
    `channels` "first", `shape` is (channels, height, width), and the result is (height, width, channels).

    Only the `deciding` rows (all but the test rows; by default all) say whether they are bytes, and must
    hold numbers; elsewhere what is no byte is moved to the nearest one.

    Returns:
        the samples with the new columns instead of the old, and the names of the input columns.

    Raises:
        DataError: the row does not have as many numbers as the shape, or they are no numbers.
    """
    columns = dict(samples.columns)
    if shape is not None:
        flat = [name for name in inputs if isinstance(columns[name], Coded) or columns[name].ndim == 1]
        if flat and len(flat) < len(inputs):
            message = "`shape` takes single numbers or one array, but the inputs hold both"
            raise DataError(Problem("wrong-shape", message, "name those that belong to it under `inputs`", _PATH))
        if flat:
            image = _side_by_side([(name, columns.pop(name)) for name in flat], deciding)
            columns[SHAPED], inputs = _reshaped(image, shape, f"{len(flat)} input columns"), (SHAPED,)
        else:
            columns |= {name: _reshaped(columns[name], shape, f"rows of {name}") for name in inputs}
    if channels == "first":
        columns |= {name: _channels_last(columns[name]) for name in inputs}
    return Samples(columns, samples.rows), inputs


_PATH: ConfigPath = ("data", "shape")


def _reshaped(array: NDArray[Any], shape: tuple[int, ...], what: str) -> NDArray[Any]:
    size = math.prod(array.shape[1:])
    if size != math.prod(shape):
        message = f"{what} hold {size:,} numbers, but shape {list(shape)} needs {math.prod(shape):,}"
        raise DataError(Problem("wrong-shape", message, "correct `shape`, `inputs` or `ignore`", _PATH))
    return array.reshape(len(array), *shape)


def _channels_last(column: Any) -> Any:
    if isinstance(column, np.ndarray) and column.ndim == _IMAGE_AXES + 1:
        return np.ascontiguousarray(np.moveaxis(column, 1, -1))
    return column


def _side_by_side(columns: list[tuple[str, Any]], deciding: NDArray[Any] | None) -> NDArray[Any]:
    """Columns of numbers as (rows, columns): uint8 if they are bytes, else float32."""
    arrays = [_numbers(name, column, deciding) for name, column in columns]
    if all(_are_bytes(array if deciding is None else array[deciding]) for array in arrays):
        return np.stack([as_bytes(array) for array in arrays], axis=1)
    return np.stack([array.astype(np.float32) for array in arrays], axis=1)


def as_bytes(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Numbers as uint8, each as the nearest byte; a gap is 0."""
    if array.dtype == np.uint8:
        return array
    nearest: NDArray[np.uint8] = np.clip(np.rint(np.nan_to_num(array)), 0, _BYTE_VALUES - 1).astype(np.uint8)
    return nearest


def _numbers(name: str, column: Any, deciding: NDArray[Any] | None) -> NDArray[Any]:
    if not isinstance(column, Coded):
        return np.asarray(column)
    values, fits = literals.numbers(column.vocabulary)
    codes = column.codes if deciding is None else column.codes[deciding]
    if not fits[np.unique(codes[codes != MISSING])].all():
        message = f'column {name} holds "{column.vocabulary[int(np.argmin(fits))][:40]}", but `shape` needs numbers'
        raise DataError(Problem("not-a-number", message, "leave it out: `ignore`, or name the `inputs`", _PATH))
    return np.asarray(np.append(values, np.nan)[column.codes])


def _are_bytes(array: NDArray[Any]) -> bool:
    if array.dtype == np.uint8:
        return True
    return bool((np.isfinite(array) & (array >= 0) & (array < _BYTE_VALUES) & (array == np.floor(array))).all())
