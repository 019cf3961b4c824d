"""What mistakes cost, as a score: the mean cost per row."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from dlcli.evaluation.metrics.row_means import RowMean
from dlcli.problems import ConfigError, Problem
from dlcli.task import CLASSIFICATION, Goal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.intervals import Interval
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]

Costs = Mapping[str, Mapping[str, float]]
"""Cost by actual, then predicted class; 0 where none is written. A gain is a negative cost."""
_LISTED = 20
"""Most class names in a message."""


class MeanCost(RowMean):
    """Mean cost per row, of a table of costs; what is right may cost or gain too.

    It is made of the config's `evaluation.costs` by `mean_cost`, and no Part that a config names.

    Attributes:
        table: cost by class number, actual first (classes, classes).
    """

    part_name: ClassVar[str] = "mean_cost"
    example: ClassVar[str] = "mean_cost"
    tasks = CLASSIFICATION
    greater_is_better = False
    lowest: ClassVar[float] = -math.inf
    highest: ClassVar[float] = math.inf

    table: tuple[tuple[float, ...], ...]

    def row_values(self, rows: ScoredRows) -> Floats:
        """What each row costs (rows,)."""
        import numpy as np

        from dlcli.evaluation.counts import predicted_classes

        costs: Floats = np.array(self.table)[rows.truth, predicted_classes(rows.goal, rows.prediction, rows.threshold)]
        return costs

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """Student's t, kept within the costs of the table."""
        from dlcli.evaluation import intervals

        value = self.value(rows)
        found = intervals.linearised(
            value, self.row_values(rows) - value, rows.weight, confidence, self.scale, "Student's t"
        )
        return found.within(*self.bounds())

    def bounds(self) -> tuple[float, float]:
        """The least and the greatest cost of the table."""
        every = [cost for row in self.table for cost in row]
        return min(every), max(every)


def mean_cost(goal: Goal, costs: Costs) -> MeanCost:
    """The metric of a table of finite costs by class names.

    Raises:
        ConfigError: a row has not exactly one class in this task, or a class is unknown.
    """
    path = ("evaluation", "costs")
    if goal.task not in CLASSIFICATION:
        message = f"costs need one class per row, which a {goal.task} task does not have"
        raise ConfigError(Problem("no-effect", message, "take costs away", path))
    named = dict.fromkeys([*costs, *(name for row in costs.values() for name in row)])
    unknown = [name for name in named if name not in goal.classes]
    if unknown:
        hint = f"there are: {', '.join(goal.classes[:_LISTED])}{', ...' if len(goal.classes) > _LISTED else ''}"
        raise ConfigError(Problem("unknown-name", f"there is no class {name}", hint, path) for name in unknown)
    rows = (costs.get(actual, {}) for actual in goal.classes)
    return MeanCost(table=tuple(tuple(float(row.get(name, 0)) for name in goal.classes) for row in rows))
