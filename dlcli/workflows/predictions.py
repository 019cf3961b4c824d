"""Predictions as a table: classes by name with the probability of each, or numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from dlcli.task import Goal, Task

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Predictions of some rows.

    Attributes:
        goal: what is predicted.
        values: as a network gives them, in the units of the target: the probability of the positive
            class (rows,), of each class (rows, classes), or (rows, targets).
        row_numbers: which rows of the data they are, counted from 0.
        threshold: from which probability on a label counts as predicted.
        more: further columns, put first.
    """

    goal: Goal
    values: NDArray[np.float64]
    row_numbers: NDArray[np.int64]
    threshold: float = 0.5
    more: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        """How many rows."""
        return len(self.values)

    def columns(self) -> dict[str, NDArray[Any]]:
        """The columns by name: `row`, the target (its predicted class or number), `probability_<class>`."""
        return dict(self.more) | {"row": self.row_numbers} | dict(self._predicted())

    def _predicted(self) -> Iterator[tuple[str, NDArray[Any]]]:
        goal, values = self.goal, self.values
        classes = np.array(goal.classes, dtype=object)
        if goal.task is Task.BINARY:
            yield goal.names[0], classes[(values >= self.threshold).astype(np.int64)]
            yield f"probability_{classes[0]}", 1 - values
            yield f"probability_{classes[1]}", values
        elif goal.task is Task.MULTICLASS:
            yield goal.names[0], classes[values.argmax(axis=1)]
            for number, name in enumerate(goal.classes):
                yield f"probability_{name}", values[:, number]
        elif goal.task is Task.MULTILABEL:
            for number, name in enumerate(goal.names):
                yield name, (values[:, number] >= self.threshold).astype(np.int64)
                yield f"probability_{name}", values[:, number]
        else:
            for number, name in enumerate(goal.names):
                yield name, values[:, number]

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
