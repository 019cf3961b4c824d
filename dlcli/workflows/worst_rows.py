"""The rows on which a model is most wrong, as a person wants to see them."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation.details import worst
from dlcli.evaluation.rows import ScoredRows
from dlcli.preprocessing.raw_windows import rows_alone
from dlcli.samples import Coded, Ragged, Samples
from dlcli.task import CLASSIFICATION, Task
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.predictions import predicted

FILE_NAME = "worst.json"
_CELLS = 40
"""Most cells shown of a row."""
_TEXT = 400
_HALF, _WHITE = 128.0, 255.0
_PIXELS = 96
"""Larger images are shown at every second, third ... pixel."""


def worst_rows(dataset: Dataset, subset: str, numbers: NDArray[np.int64], rows: ScoredRows) -> dict[str, Any]:
    """What `worst.json` holds.

    Args:
        dataset: whose rows they are.
        subset: what these rows are called.
        numbers: row numbers in the data set, as `rows` stand.
        rows: truth and predictions; never those of test rows.
    """
    samples = rows_alone(dataset.samples)  # of a window its last row
    guesses = predicted(rows.goal, rows.prediction, rows.threshold)
    found = []
    for place, loss, probability in worst(rows):
        number = int(numbers[place])
        found.append(
            {
                "row": int(dataset.numbers_in_source(numbers[place])),
                "actual": _said(rows, rows.truth[place]),
                "predicted": _said(rows, guesses[place]),
                "loss": loss,
                "probability": probability,
                "cells": _cells(samples, number),
                "image": _image(samples, number),
            }
        )
    return {"subset": subset, "rows": found}


def _said(rows: ScoredRows, values: Any) -> Any:
    """A truth or a guess as a person reads it: a class, the labels that hold, a number, or numbers by target."""
    goal = rows.goal
    if goal.task in CLASSIFICATION:
        return goal.classes[int(values)]
    if goal.task is Task.MULTILABEL:
        return ", ".join(name for name, value in zip(goal.names, values, strict=True) if value)
    if len(goal.names) == 1:
        return float(values[0])
    return ", ".join(f"{name} {value:.4g}" for name, value in zip(goal.names, values, strict=True))


def _cells(samples: Samples, row: int) -> dict[str, Any]:
    """The cells of a row: words, and numbers; images are left out."""
    found: dict[str, Any] = {}
    for name, column in samples.columns.items():
        if len(found) == _CELLS:
            break
        if isinstance(column, Coded):
            code = int(column.codes[row])
            found[name] = column.vocabulary[code][:_TEXT] if code >= 0 else None
        elif not isinstance(column, Ragged) and column.ndim == 1:
            value = float(column[row])
            found[name] = value if np.isfinite(value) else None
    return found


def _image(samples: Samples, row: int) -> str | None:
    """The row's first image as a PNG for a page: a `data:` address."""
    from PIL import Image

    for column in samples.columns.values():
        if isinstance(column, (Coded, Ragged)) or column.ndim not in (3, 4):
            continue
        pixels = np.atleast_3d(column[row])
        if pixels.shape[-1] not in (1, 3, 4):
            continue
        step = -(-max(pixels.shape[:2]) // _PIXELS)
        shown = _bytes(pixels[::step, ::step], column)
        png = io.BytesIO()
        Image.fromarray(shown[..., 0] if shown.shape[-1] == 1 else shown).save(png, "png")
        return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return None


def _bytes(pixels: NDArray[Any], column: NDArray[Any]) -> NDArray[np.uint8]:
    """Pixels from 0 to 255, which are the least and the greatest of all images unless those are bytes in full use."""
    low, high = min(0.0, float(np.nanmin(column))), float(np.nanmax(column))
    if low == 0 and _HALF <= high <= _WHITE:
        high = _WHITE
    scaled = (pixels.astype(np.float64) - low) / ((high - low) or 1.0)
    return np.asarray(np.round(_WHITE * np.nan_to_num(scaled)), dtype=np.uint8)
