"""Predictions of a run read back from its tables, as rows that can be scored again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dlcli.evaluation.rows import ScoredRows
from dlcli.problems import DataError, Problem
from dlcli.task import CLASSIFICATION, LABELS, NUMBERS, Goal, Task
from dlcli.workflows.predictions import ACTUAL

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kept = Literal["validation", "out-of-fold"]
"""The tables that hold what was predicted beside what is true."""


@dataclass(frozen=True, slots=True, eq=False)
class KeptPredictions:
    """A table of predictions.

    Attributes:
        numbers: int64 (rows,), which rows of the data they are, counted from 0.
        folds: int64 (rows, 2), the repeat and the fold that scored each, from 1; None outside a k-fold.
        scored: the rows, in time order where they have one. The threshold, one per prediction, is one that gives the
            classes which the run gave.
    """

    numbers: NDArray[np.int64]
    folds: NDArray[np.int64] | None
    scored: ScoredRows


def path_of(run: Path, kept: Kept) -> Path:
    """Where a run keeps a table."""
    return run / "predictions" / f"{kept}.parquet"


def read_predictions(run: Path, kept: Kept, goal: Goal, *, ordered: bool = False) -> KeptPredictions:
    """Reads a table of a run.

    Args:
        run: its directory.
        kept: which table.
        goal: of the run.
        ordered: whether its rows have an order in time.

    Raises:
        DataError: it is missing, damaged, or holds no true values.
    """
    import polars as pl

    path = path_of(run, kept)
    try:
        table = pl.read_parquet(path)
        beside = {"weight", "group", "time"} & set(table.columns) - set(goal.names)
        if ordered:
            table = table.sort(["time", "row"] if "time" in beside else ["row"])
        columns = {name: table[name].to_numpy() for name in table.columns}
        guess = _answers(columns, "", goal)
        prediction = _predictions(columns, goal)
        scored = ScoredRows(
            goal,
            _answers(columns, ACTUAL, goal),
            prediction,
            columns["weight"] if "weight" in beside else None,
            # Rows of a k-fold may have been judged by different thresholds.
            np.where(guess == 1, -np.inf, np.inf) if goal.task in LABELS - {Task.MULTICLASS} else 0.5,
            columns["group"] if "group" in beside else None,
            ordered,
        )
        folds = np.stack([columns["repeat"], columns["fold"]], axis=1) if kept == "out-of-fold" else None
        return KeptPredictions(columns["row"], folds, scored)
    except (OSError, KeyError, pl.exceptions.PolarsError) as error:
        missing = f"it has no column {error}" if isinstance(error, KeyError) else "it is missing or damaged"
        hint = "train the run again: it was made by an earlier version, or its files were changed"
        raise DataError(Problem("unreadable-predictions", f"cannot read {path}: {missing}", hint)) from error


def _answers(columns: dict[str, NDArray[Any]], start: str, goal: Goal) -> NDArray[Any]:
    """True or predicted values as metrics take the truth."""
    if goal.task not in CLASSIFICATION:
        kind = np.float64 if goal.task in NUMBERS else np.int64
        return np.stack([columns[start + name] for name in goal.names], axis=1).astype(kind)
    numbers = {name: number for number, name in enumerate(goal.classes)}
    return np.array([numbers[name] for name in columns[start + goal.names[0]]], dtype=np.int64)


def _predictions(columns: dict[str, NDArray[Any]], goal: Goal) -> NDArray[np.float64]:
    """What was predicted, as metrics take it."""
    if goal.task is Task.BINARY:
        return np.asarray(columns[f"probability_{goal.classes[1]}"], dtype=np.float64)
    names = [*goal.classes] if goal.task is Task.MULTICLASS else [*goal.names]
    start = "probability_" if goal.task in LABELS else ""
    return np.stack([columns[start + name] for name in names], axis=1).astype(np.float64)
