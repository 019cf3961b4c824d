"""Metrics that are means over rows: what each row scores or loses by itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from dlcli.evaluation.metrics.estimated import EstimatedMetric, finite

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.intervals import Interval, Scale
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]


class RowMean(EstimatedMetric):
    """A weighted mean over rows."""

    def row_values(self, rows: ScoredRows) -> Floats:
        """What each row scores (rows,)."""
        raise NotImplementedError

    def value(self, rows: ScoredRows) -> float:
        """The weighted mean."""
        from dlcli.evaluation import errors

        return float(errors.mean(self.row_values(rows), rows.weight))

    def influence(self, rows: ScoredRows) -> Floats | None:
        """What each row scores more than the mean (rows,)."""
        return finite(self.row_values(rows) - self.value(rows))


class MeanLoss(RowMean):
    """A mean loss, 0 at best."""

    highest = math.inf
    scale: ClassVar[Scale] = "log"
    greater_is_better = False

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """The log-t interval of a mean."""
        from dlcli.evaluation import intervals

        influence = self.influence(rows)
        if influence is None:
            return intervals.absent(f"takes {self.needs}", len(rows))
        return intervals.log_t(self.value(rows), influence, rows.weight, confidence)


class RowShare(RowMean):
    """The share of rows of which something is true."""

    scale: ClassVar[Scale] = "logit"

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """Wilson's."""
        from dlcli.evaluation import counts, intervals

        return intervals.wilson(self.value(rows), counts.effective_rows(rows.weights()), confidence)
