"""Metrics of the errors of predicted numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dlcli.evaluation.metrics.estimated import EstimatedMetric, finite, here
from dlcli.evaluation.metrics.row_means import MeanLoss
from dlcli.part import Number
from dlcli.task import NUMBERS, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.intervals import Interval, Scale
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]

Alpha = Annotated[
    Number, Field(gt=0, lt=1, description="Which quantile is predicted: 0.5 the median, 0.9 what 90 % stay below.")
]


class ValueLoss(MeanLoss):
    """A mean loss of numbers, the mean over several targets too."""

    tasks = NUMBERS

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """The loss of each target of each row (rows, targets)."""
        raise NotImplementedError

    def row_values(self, rows: ScoredRows) -> Floats:
        """The mean over targets."""
        losses: Floats = self.target_losses(rows.truth, rows.prediction).mean(axis=1)
        return losses


class MeanAbsoluteError(ValueLoss):
    """Mean absolute error, in the target's unit; the mean over several targets."""

    part_name = "mae"
    example = "mae"
    other_names = here("mae", "mean_absolute_error", "neg_mean_absolute_error")

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """Absolute errors."""
        return abs(truth - prediction)


class MeanAbsoluteScaledError(ValueLoss):
    """Mean absolute error over that of the naive forecast one step ahead: below 1 is better than "as the row before".

    The naive error is the mean absolute change from row to row of the training rows (Hyndman and Koehler 2006),
    for each target; the mean over targets and steps.
    """

    part_name = "mase"
    example = "mase"
    tasks = frozenset({Task.FORECAST})
    needs = "training rows that change"

    def row_values(self, rows: ScoredRows) -> Floats:
        """Scaled absolute errors, the mean over targets and steps."""
        import numpy as np

        errors: Floats = abs(rows.truth - rows.prediction)
        naive = np.array(rows.goal.naive_errors or (np.nan,) * errors.shape[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            scaled: Floats = (errors / naive).mean(axis=1)
        return scaled


class MeanSquaredError(ValueLoss):
    """Mean squared error, in the target's unit squared; the mean over several targets."""

    part_name = "mse"
    example = "mse"
    other_names = here("mse", "mean_squared_error", "neg_mean_squared_error")

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """Squared errors."""
        squares: Floats = (truth - prediction) ** 2
        return squares


class MeanSquaredLogError(ValueLoss):
    """Mean squared error of log(1 + value), so of relative errors of large values; the mean over several targets."""

    part_name = "msle"
    example = "msle"
    needs = "targets and predictions above -1"
    other_names = here("msle", "mean_squared_log_error", "neg_mean_squared_log_error")

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """Squared errors of the logarithms."""
        from dlcli.evaluation import errors

        true, predicted = errors.logarithms(truth, prediction)
        squares: Floats = (true - predicted) ** 2
        return squares


class MeanAbsolutePercentageError(ValueLoss):
    """Mean absolute error as a share of the true value (0.1 is 10 %), huge where that is 0; the mean over targets."""

    part_name = "mape"
    example = "mape"
    other_names = here("mape", "mean_absolute_percentage_error", "neg_mean_absolute_percentage_error")

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """Relative errors."""
        from dlcli.evaluation import errors

        return errors.percentage_losses(truth, prediction)


class MeanPinballLoss(ValueLoss):
    """Mean loss of a predicted quantile: alpha times what it lacks, 1 - alpha times what it exceeds."""

    part_name = "mean_pinball_loss"
    example = "mean_pinball_loss: {alpha: 0.9}"
    other_names = here("mean_pinball_loss", "pinball", "quantile_loss", "neg_mean_pinball_loss")

    alpha: Alpha = 0.5

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """Pinball losses."""
        from dlcli.evaluation import errors

        return errors.pinball_losses(truth, prediction, self.alpha)


class RootMeanSquaredError(EstimatedMetric):
    """Root of the mean squared error, in the target's unit; the mean over several targets."""

    part_name = "rmse"
    example = "rmse"
    tasks = NUMBERS
    highest = math.inf
    scale: ClassVar[Scale] = "log"
    greater_is_better = False
    other_names = here("rmse", "root_mean_squared_error", "neg_root_mean_squared_error")

    def pair(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """What the errors are taken between (rows, targets)."""
        return rows.truth, rows.prediction

    def value(self, rows: ScoredRows) -> float:
        """The mean of the targets' roots."""
        from dlcli.evaluation import errors

        return errors.rmse(*self.pair(rows), rows.weight)[0]

    def influence(self, rows: ScoredRows) -> Floats | None:
        """Half a row's squared error beyond the mean, over the root."""
        from dlcli.evaluation import errors

        return finite(errors.rmse(*self.pair(rows), rows.weight)[1])

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """The log-t interval; it assumes no rare huge errors."""
        from dlcli.evaluation import intervals

        influence = self.influence(rows)
        if influence is None:
            return intervals.absent(f"takes {self.needs}", len(rows))
        return intervals.log_t(self.value(rows), influence, rows.weight, confidence)


class RootMeanSquaredLogError(RootMeanSquaredError):
    """Root of the mean squared error of log(1 + value); the mean over several targets."""

    part_name = "rmsle"
    example = "rmsle"
    needs = MeanSquaredLogError.needs
    other_names = here("rmsle", "root_mean_squared_log_error", "neg_root_mean_squared_log_error")

    def pair(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """Logarithms."""
        from dlcli.evaluation import errors

        return errors.logarithms(rows.truth, rows.prediction)


class MedianAbsoluteError(EstimatedMetric):
    """Median absolute error, in the target's unit, blind to rare huge errors; the mean over several targets."""

    part_name = "median_absolute_error"
    example = "median_absolute_error"
    tasks = NUMBERS
    highest = math.inf
    scale: ClassVar[Scale] = "log"
    greater_is_better = False
    other_names = here("median_absolute_error", "neg_median_absolute_error", "medae")

    def value(self, rows: ScoredRows) -> float:
        """The mean of the targets' medians."""
        from dlcli.evaluation import errors

        return float(errors.weighted_quantile(abs(rows.truth - rows.prediction), rows.weight, 0.5).mean())


class MaxError(EstimatedMetric):
    """Largest absolute error, in the target's unit; the mean over several targets."""

    part_name = "max_error"
    example = "max_error"
    tasks = NUMBERS
    highest = math.inf
    scale: ClassVar[Scale] = "log"
    greater_is_better = False
    other_names = here("max_error", "neg_max_error")

    def value(self, rows: ScoredRows) -> float:
        """The mean of the targets' largest errors, among rows of weight above 0."""
        return float(abs(rows.truth - rows.prediction)[rows.weights() > 0].max(axis=0).mean())
