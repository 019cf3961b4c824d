"""What is predicted: the task, the target columns and their classes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Task(StrEnum):
    """The kinds of question that a network can answer."""

    BINARY = "binary"
    MULTICLASS = "multiclass"
    MULTILABEL = "multilabel"
    REGRESSION = "regression"
    BOUNDED_REGRESSION = "bounded_regression"
    FORECAST = "forecast"


CLASSIFICATION = frozenset({Task.BINARY, Task.MULTICLASS})
"""Tasks in which each row has exactly one class."""
LABELS = CLASSIFICATION | {Task.MULTILABEL}
"""Tasks whose answers are classes."""
NUMBERS = frozenset({Task.REGRESSION, Task.BOUNDED_REGRESSION, Task.FORECAST})
"""Tasks whose answers are numbers."""
ALL_TASKS = frozenset(Task)


@dataclass(frozen=True, slots=True)
class Goal:
    """What the network predicts.

    Attributes:
        task: the task.
        names: target columns, in order.
        classes: class names by class number, for binary (the positive class is number 1) and
            multiclass; empty otherwise.
        naive_errors: of a forecast, for each name how far a row of the training rows is from the one before it, in
            the mean; empty otherwise.
    """

    task: Task
    names: tuple[str, ...]
    classes: tuple[str, ...] = ()
    naive_errors: tuple[float, ...] = ()

    @property
    def outputs(self) -> int:
        """How many numbers the network gives per row."""
        return len(self.classes) if self.task is Task.MULTICLASS else len(self.names)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        told = {"task": str(self.task), "names": list(self.names), "classes": list(self.classes)}
        return told | ({"naive_errors": list(self.naive_errors)} if self.naive_errors else {})

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Goal:
        """Reads what `as_json` wrote."""
        return cls(
            Task(data["task"]), tuple(data["names"]), tuple(data["classes"]), tuple(data.get("naive_errors", ()))
        )
