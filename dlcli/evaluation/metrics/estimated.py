"""What metrics share: a score and how sure it is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.intervals import Interval, Scale
    from dlcli.part import Threshold
    from dlcli.task import Goal, Task

    Floats = NDArray[np.float64]


class EstimatedMetric(Metric):
    """A metric that knows how sure its scores are.

    Attributes:
        lowest, highest: the range of the score.
        scale: on which the score is nearer to normal: "logit" for proportions and areas, "log" for losses, "rest"
            for 1 minus a loss, "plain" for others.
        needs: what rows must have for the score to exist, where it may not.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0
    scale: ClassVar[Scale] = "plain"
    needs: ClassVar[str] = ""

    def compute(
        self, goal: Goal, truth: NDArray[Any], prediction: Floats, weight: Floats | None, threshold: Threshold
    ) -> float:
        """The score, NaN where it does not exist."""
        return self.value(ScoredRows(goal, truth, prediction, weight, threshold))

    def value(self, rows: ScoredRows) -> float:
        """The score of rows, NaN where it does not exist."""
        raise NotImplementedError

    def influence(self, rows: ScoredRows) -> Floats | None:  # noqa: ARG002 - not known of every metric
        """How much each row moves the score (rows,), None where that is not known or the score does not exist.

        It is the derivative of the score by the row's weight times the sum of all weights, so that
        sum w psi = 0 and the squared standard error is n/(n-1) sum (w psi)^2 / (sum w)^2.
        """
        return None

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:  # noqa: ARG002 - not known of every metric
        """The interval of the score, for independent rows."""
        from dlcli.evaluation import intervals

        return intervals.absent(f"no formula for {self.part_name}", len(rows))

    def bounds(self) -> tuple[float, float]:
        """The range of the score where its fields narrow that of its class."""
        return self.lowest, self.highest

    def field_misfit(self, task: Task) -> str | None:  # noqa: ARG002 - most have no such fields
        """Why its fields do not fit a task that it serves with others; None if they do."""
        return None


def misfit(metric: Metric, task: Task) -> str | None:
    """Why a metric cannot score a task; None if it can."""
    if task not in metric.tasks:
        return f"{metric.part_name} does not score the task {task}"
    return metric.field_misfit(task) if isinstance(metric, EstimatedMetric) else None


def finite(influence: Floats) -> Floats | None:
    """Influence values, or None if one of them is not a number."""
    return influence if math.isfinite(float(influence.sum())) else None


def here(written: str, *elsewhere: str) -> dict[str, str]:
    """Names that a metric has elsewhere, and what to write for them."""
    return dict.fromkeys(elsewhere, written)
