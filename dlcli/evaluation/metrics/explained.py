"""Metrics of how much better predictions are than the best constant: 1 perfect, 0 no better, below 0 worse."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from dlcli.evaluation.metrics.estimated import EstimatedMetric, finite, here
from dlcli.evaluation.metrics.value_errors import Alpha
from dlcli.task import CLASSIFICATION, NUMBERS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.intervals import Interval, Scale
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]


class Explained(EstimatedMetric):
    """1 - a mean loss over that of the best constant, which these rows choose; the mean over several targets.

    Where the constant has no loss it is 1 if the prediction has none either, else 0.
    """

    lowest = -math.inf
    scale: ClassVar[Scale] = "rest"
    greater_is_better = True
    needs = "at least 2 rows"

    def losses(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """The losses of the predictions and of the best constant (rows, targets)."""
        raise NotImplementedError

    def value(self, rows: ScoredRows) -> float:
        """The mean over targets; NaN for a single row."""
        from dlcli.evaluation import errors

        return errors.explained(*self.losses(rows), rows.weight)[0]

    def influence(self, rows: ScoredRows) -> Floats | None:
        """That of a ratio of means; none where a target is constant."""
        from dlcli.evaluation import errors

        influence = errors.explained(*self.losses(rows), rows.weight)[1]
        return None if influence is None else finite(influence)

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """The log-t interval of 1 minus the score, a loss; it assumes no rare huge errors."""
        from dlcli.evaluation import intervals

        influence = self.influence(rows)
        if influence is None:
            return intervals.absent("the target is constant in these rows", len(rows))
        given = self.value(rows), influence, rows.weight, confidence
        return intervals.linearised(*given, "rest", f"log-t of 1 - {self.part_name}")


class R2(Explained):
    """Coefficient of determination: 1 perfect, 0 no better than the mean of these rows; the mean over targets."""

    part_name = "r2"
    example = "r2"
    tasks = NUMBERS
    other_names = here("r2", "r2_score", "r_squared")

    def losses(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """Squared errors, of the mean too."""
        from dlcli.evaluation import errors

        return (rows.truth - rows.prediction) ** 2, errors.centred(rows.truth, rows.weight) ** 2


class ExplainedVariance(Explained):
    """Share of the target's variance that is not left in the errors; unlike R2 blind to errors that all rows share."""

    part_name = "explained_variance"
    example = "explained_variance"
    tasks = NUMBERS
    other_names = here("explained_variance", "explained_variance_score")

    def losses(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """Squared deviations of the errors and of the target from their means."""
        from dlcli.evaluation import errors

        both = rows.truth - rows.prediction, rows.truth
        left, there = (errors.centred(values, rows.weight) ** 2 for values in both)
        return left, there


class D2Pinball(Explained):
    """How much better predicted quantiles are than the quantile of these rows, by the pinball loss."""

    part_name = "d2_pinball"
    example = "d2_pinball: {alpha: 0.9}"
    tasks = NUMBERS
    other_names = here("d2_pinball", "d2_pinball_score")

    alpha: Alpha = 0.5

    def losses(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """Pinball losses, of the quantile too."""
        from dlcli.evaluation import errors

        quantile = errors.weighted_quantile(rows.truth, rows.weight, self.alpha)
        constant = errors.pinball_losses(rows.truth, quantile, self.alpha)
        return errors.pinball_losses(rows.truth, rows.prediction, self.alpha), constant


class D2AbsoluteError(Explained):
    """How much smaller the absolute errors are than those of the median of these rows."""

    part_name = "d2_absolute_error"
    example = "d2_absolute_error"
    tasks = NUMBERS
    other_names = here("d2_absolute_error", "d2_absolute_error_score")

    def losses(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """Absolute errors, of the median too."""
        from dlcli.evaluation import errors

        median = errors.weighted_quantile(rows.truth, rows.weight, 0.5)
        return abs(rows.truth - rows.prediction), abs(rows.truth - median)


class _ExplainedClasses(Explained):
    """How much better probabilities are than the shares of the classes in these rows."""

    tasks = CLASSIFICATION
    needs = "rows of at least two classes"

    def row_losses(self, rows: ScoredRows) -> Floats:
        """The loss of each row (rows,)."""
        raise NotImplementedError

    def losses(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """Losses of the probabilities and of the shares; NaN where all rows are of one class."""
        from dataclasses import replace

        import numpy as np

        from dlcli.evaluation import errors

        shares = errors.class_shares(rows.goal, rows.truth, rows.weight)
        constant = self.row_losses(replace(rows, prediction=shares))
        one_class = len(np.unique(rows.truth[rows.weights() > 0])) < 2
        return self.row_losses(rows)[:, None], (constant * (math.nan if one_class else 1))[:, None]


class D2LogLoss(_ExplainedClasses):
    """How much smaller the log loss is than that of the shares of the classes in these rows."""

    part_name = "d2_log_loss"
    example = "d2_log_loss"
    other_names = here("d2_log_loss", "d2_log_loss_score")

    def row_losses(self, rows: ScoredRows) -> Floats:
        """Log losses."""
        from dlcli.evaluation import errors

        return errors.log_losses(rows.goal, rows.truth, rows.prediction)


class D2Brier(_ExplainedClasses):
    """How much smaller the Brier score is than that of the shares of the classes in these rows."""

    part_name = "d2_brier"
    example = "d2_brier"
    other_names = here("d2_brier", "d2_brier_score", "brier_skill_score")

    def row_losses(self, rows: ScoredRows) -> Floats:
        """Squared errors of the probabilities."""
        from dlcli.evaluation import errors

        return errors.brier_losses(rows.goal, rows.truth, rows.prediction)
