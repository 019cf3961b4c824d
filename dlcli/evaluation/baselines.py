"""What an answer that looks at no input would reach: the majority class, or the mean, of the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation.errors import mean
from dlcli.task import Goal, Task

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """A constant answer.

    Attributes:
        name: what it is, e.g. "majority class No".
        answer: a probability or mean per output: () for binary, else (outputs,).
        threshold: what to score it with: at 0.5 the shares of the classes answer the majority.
    """

    name: str
    answer: Floats
    threshold: ClassVar[float] = 0.5

    def predict(self, rows: int) -> Floats:
        """The answer for every row: (rows,) for binary, else (rows, outputs)."""
        return np.broadcast_to(self.answer, (rows, *self.answer.shape)).copy()


def baseline(goal: Goal, truth: NDArray[Any], weight: Floats | None) -> Baseline:
    """The baseline of a task.

    Its probabilities are the shares of the classes, so that losses of probabilities are fair too.

    Args:
        goal: task and classes.
        truth: of the training rows, as `Metric.compute` takes it.
        weight: of the training rows (rows,), or None.
    """
    if goal.task is Task.MULTICLASS:
        shares = np.bincount(truth, weight, goal.outputs)
        shares = shares / shares.sum()
        return Baseline(f"majority class {goal.classes[int(shares.argmax())]}", shares)
    answer = np.asarray(mean(truth.astype(np.float64), weight))
    if goal.task is Task.BINARY:
        return Baseline(f"majority class {goal.classes[int(answer >= Baseline.threshold)]}", answer)
    return Baseline("majority class of each label" if goal.task is Task.MULTILABEL else "mean", answer)
