"""Rows that are scored: truth, predictions, weights, and how the rows depend on each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.part import Metric, Threshold
    from dlcli.task import Goal

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoredRows:
    """Rows of one subset.

    Attributes:
        goal: task, target names and classes.
        truth: as `Metric.compute` takes it, as the next three.
        prediction: probabilities, or values in original units.
        weight: (rows,) or None.
        threshold: from which probability on a label counts as predicted; of the shape of `prediction` where rows
            differ in it.
        groups: int64 (rows,), the number of each row's group, or None; rows of one group depend on each other.
        ordered: whether the rows stand in time order, so that neighbours depend on each other.
    """

    goal: Goal
    truth: NDArray[Any]
    prediction: Floats
    weight: Floats | None
    threshold: Threshold
    groups: NDArray[np.int64] | None = None
    ordered: bool = False

    def __len__(self) -> int:
        """How many rows."""
        return len(self.truth)

    def weights(self) -> Floats:
        """The weight of each row (rows,), 1 without weights."""
        import numpy as np

        return np.ones(len(self.truth)) if self.weight is None else self.weight

    def score(self, metric: Metric) -> float:
        """The score that a metric gives them."""
        return metric.compute(self.goal, self.truth, self.prediction, self.weight, self.threshold)

    def take(self, index: NDArray[Any]) -> ScoredRows:
        """Some of the rows, by number or as a mask (rows,), in that order."""
        import numpy as np

        threshold = self.threshold
        if isinstance(threshold, np.ndarray) and threshold.shape == self.prediction.shape:
            threshold = threshold[index]
        return replace(
            self,
            truth=self.truth[index],
            prediction=self.prediction[index],
            threshold=threshold,
            weight=None if self.weight is None else self.weight[index],
            groups=None if self.groups is None else self.groups[index],
        )
