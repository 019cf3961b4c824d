"""Predictions as a table: classes by name with the probability of each, or numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from dlcli.evaluation.counts import predicted_classes
from dlcli.task import CLASSIFICATION, LABELS, Goal, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dlcli.part import Threshold

ACTUAL = "actual_"
"""What the name of a column of true values begins with."""


def predicted(goal: Goal, values: NDArray[np.float64], threshold: Threshold) -> NDArray[Any]:
    """What is predicted: class numbers (rows,), 0/1 by label (rows, labels), or the numbers themselves."""
    return predicted_classes(goal, values, threshold) if goal.task in LABELS else values


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions of some rows.

    Attributes:
        goal: what is predicted.
        values: as a network gives them, in the units of the target: the probability of the positive
            class (rows,), of each class (rows, classes), or (rows, targets).
        row_numbers: which rows of the data they are, counted from 0.
        threshold: from which probability on a label counts as predicted: one, or an array that fits `values`.
        more: further columns, put first.
        actual: the truth as metrics take it, where it may be kept: never that of test rows.
        beside: what else scores depend on, put last: `weight`, `group`, `time`; none that a target
            is called.
    """

    goal: Goal
    values: NDArray[np.float64]
    row_numbers: NDArray[np.int64]
    threshold: Threshold = 0.5
    more: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    actual: NDArray[Any] | None = None
    beside: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.values)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns: `row`, the target (its predicted class or number), `probability_<class>`, `actual_<target>`."""
        answers = dict(self._predicted()) | dict(self._actual())
        beside = {name: column for name, column in self.beside.items() if name not in answers}
        return {**self.more, "row": self.row_numbers, **answers, **beside}

    def _predicted(self) -> Iterator[tuple[str, NDArray[Any]]]:
        goal, values = self.goal, self.values
        guess = predicted(goal, values, self.threshold)
        if goal.task in CLASSIFICATION:
            shares = np.stack([1 - values, values], axis=1) if goal.task is Task.BINARY else values
            yield goal.names[0], np.array(goal.classes, dtype=object)[guess]
            for number, name in enumerate(goal.classes):
                yield f"probability_{name}", shares[:, number]
        elif goal.task is Task.MULTILABEL:
            for number, name in enumerate(goal.names):
                yield name, guess[:, number]
                yield f"probability_{name}", values[:, number]
        else:
            for number, name in enumerate(goal.names):
                yield name, values[:, number]

    def _actual(self) -> Iterator[tuple[str, NDArray[Any]]]:
        goal, actual = self.goal, self.actual
        if actual is None:
            return
        if goal.task in CLASSIFICATION:
            yield f"{ACTUAL}{goal.names[0]}", np.array(goal.classes, dtype=object)[actual]
        else:
            for number, name in enumerate(goal.names):
                yield f"{ACTUAL}{name}", actual[:, number]

    def write_csv(self, stream: IO[str]) -> None:
        """Writes the table as CSV; numbers keep all their digits."""
        stream.write(self._frame().write_csv())
        stream.flush()

    def save_csv(self, path: Path) -> None:
        """Writes the table to a file."""
        path.write_text(self._frame().write_csv(), encoding="utf-8")

    def parquet(self) -> bytes:
        """The table as a Parquet file."""
        import io

        buffer = io.BytesIO()
        self._frame().write_parquet(buffer)
        return buffer.getvalue()

    def _frame(self) -> Any:
        import polars as pl

        return pl.DataFrame(
            {name: column.tolist() if column.dtype == object else column for name, column in self.columns().items()}
        )
