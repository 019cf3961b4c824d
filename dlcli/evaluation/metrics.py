"""Metrics: scores of predictions on a whole subset, equal to scikit-learn's of the same name.

A mean over classes or labels leaves out those for which the score does not exist (no positive row). A
score that does not exist at all is NaN.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlcli import custom_code
from dlcli.part import CodePath, Metric
from dlcli.problems import ConfigError, Problem
from dlcli.task import ALL_TASKS, CLASSIFICATION, LABELS, NUMBERS, Goal, Task

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.counts import Average, Counts
    from dlcli.evaluation.intervals import Interval
    from dlcli.evaluation.rows import ScoredRows
    from dlcli.part import Threshold

    Floats = NDArray[np.float64]


def label(metric: Metric) -> str:
    """The name of a metric among the monitors; that of its function for a custom one."""
    return metric.object.rpartition(":")[2] if isinstance(metric, Custom) else metric.part_name


def labels(metrics: Sequence[Metric]) -> tuple[str, ...]:
    """The names of the metrics of one list, each different.

    Of several metrics of one name, those with fields that are not the default carry them: `f1`, `f1_macro`.
    """
    often = Counter(label(metric) for metric in metrics)
    names: list[str] = []
    for metric in metrics:
        name = label(metric)
        if often[name] > 1 and not isinstance(metric, Custom):
            name = "_".join([name, *(str(value) for field, value in metric if _differs(metric, field))])
        number = sum(earlier == name or earlier.startswith(f"{name}#") for earlier in names)
        names.append(f"{name}#{number + 1}" if number else name)
    return tuple(name.replace("#", "_") for name in names)


def _differs(metric: Metric, field: str) -> bool:
    return bool(getattr(metric, field) != type(metric).model_fields[field].default)


def misfit(metric: Metric, task: Task) -> str | None:
    """Why a metric cannot score a task; None if it can."""
    if task not in metric.tasks:
        return f"{metric.part_name} does not score the task {task}"
    if getattr(metric, "average", None) == "binary" and task is not Task.BINARY:
        return f"{metric.part_name} with average binary needs the task binary, this one is {task}"
    return None


class EstimatedMetric(Metric):
    """A metric that knows the interval of its scores.

    Attributes:
        lowest, highest: the range of the score.
    """

    lowest: ClassVar[float] = 0.0
    highest: ClassVar[float] = 1.0

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """The interval of the score, for independent rows."""
        raise NotImplementedError


class Accuracy(EstimatedMetric):
    """Share of rows answered right; in multilabel, of rows with every label right."""

    part_name = "accuracy"
    example = "accuracy"
    tasks = LABELS
    greater_is_better = True

    def compute(
        self, goal: Goal, truth: NDArray[Any], prediction: Floats, weight: Floats | None, threshold: Threshold
    ) -> float:
        """Weighted share of right rows."""
        from dlcli.evaluation import counts, errors

        return float(errors.mean(counts.right_rows(goal, truth, prediction, threshold), weight))

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """Wilson's."""
        from dlcli.evaluation import counts, intervals

        return intervals.wilson(rows.score(self), counts.effective_rows(rows.weights()), confidence)


class _OfClasses(EstimatedMetric):
    """A metric of one class, or a mean over classes."""

    tasks = LABELS
    greater_is_better = True

    average: Annotated[
        Literal["auto", "binary", "macro", "micro", "weighted"],
        Field(
            description="binary: of the positive class; macro: mean over classes or labels; weighted: that mean by "
            "their rows; micro: of all counts together; auto: binary for the task binary, else macro."
        ),
    ] = "auto"

    def _average(self, task: Task) -> Average:
        if (reason := misfit(self, task)) is not None:
            raise ConfigError(Problem("metric-does-not-fit", reason, "choose macro, micro or weighted"))
        if self.average != "auto":
            return self.average
        return "binary" if task is Task.BINARY else "macro"

    def _of(self, counts: Counts, average: Average) -> float:
        raise NotImplementedError

    def _carriers(self, truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.bool_]:
        """The rows in the denominator for the positive class."""
        raise NotImplementedError

    def compute(
        self, goal: Goal, truth: NDArray[Any], prediction: Floats, weight: Floats | None, threshold: Threshold
    ) -> float:
        """From the counts of each class."""
        from dlcli.evaluation.counts import Counts

        counts = Counts.of(goal, truth, prediction, weight, threshold)
        return self._of(counts, self._average(goal.task))

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """Wilson's for the positive class, and for micro averages of rows with one class each."""
        from dlcli.evaluation import counts, intervals

        goal, average = rows.goal, self._average(rows.goal.task)
        if average == "micro" and goal.task in CLASSIFICATION:  # the same as accuracy
            return Accuracy().interval(rows, confidence)
        if average != "binary":
            return intervals.absent(f"no formula for the {average} average")
        guess = counts.predicted_classes(goal, rows.prediction, rows.threshold)
        carriers = self._carriers(rows.truth == 1, guess == 1)
        return self._proportion()(rows.score(self), counts.effective_rows(rows.weights()[carriers]), confidence)

    def _proportion(self) -> Callable[[float, float, float], Interval]:
        from dlcli.evaluation import intervals

        return intervals.wilson


class Precision(_OfClasses):
    """Share of the rows predicted as a class that are of it; 0 where none is predicted."""

    part_name = "precision"
    example = "precision: {average: macro}"

    def _of(self, counts: Counts, average: Average) -> float:
        return counts.precision(average)

    def _carriers(self, truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.bool_]:  # noqa: ARG002 - as its kin
        return guess


class Recall(_OfClasses):
    """Share of the rows of a class that are predicted as it; 0 where there is none."""

    part_name = "recall"
    example = "recall: {average: macro}"

    def _of(self, counts: Counts, average: Average) -> float:
        return counts.recall(average)

    def _carriers(self, truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.bool_]:  # noqa: ARG002 - as its kin
        return truth


class F1(_OfClasses):
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); 0 where that is 0 / 0."""

    part_name = "f1"
    example = "f1: {average: macro}"

    def _of(self, counts: Counts, average: Average) -> float:
        return counts.f1(average)

    def _carriers(self, truth: NDArray[Any], guess: NDArray[Any]) -> NDArray[np.bool_]:
        either: NDArray[np.bool_] = truth | guess
        return either

    def _proportion(self) -> Callable[[float, float, float], Interval]:
        from dlcli.evaluation import intervals

        return intervals.f1


class _Ranking(EstimatedMetric):
    """A metric of how probabilities rank rows; the threshold plays no part."""

    greater_is_better = True

    def _score(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> float:
        raise NotImplementedError

    def _interval(self, positive: NDArray[Any], score: Floats, confidence: float) -> Interval:
        raise NotImplementedError

    def _mean(self, scores: Floats, shares: Floats) -> float:  # noqa: ARG002 - for weighted means
        return float(scores.mean())

    def compute(
        self,
        goal: Goal,
        truth: NDArray[Any],
        prediction: Floats,
        weight: Floats | None,
        threshold: Threshold,  # noqa: ARG002 - needs none
    ) -> float:
        """Of the positive class, or the mean over classes (each against the rest) or labels."""
        import numpy as np

        if goal.task is Task.BINARY:
            return self._score(truth, prediction, weight)
        columns = np.eye(goal.outputs)[truth] if goal.task is Task.MULTICLASS else truth
        pairs = zip(columns.T, prediction.T, strict=True)
        scores = np.array([self._score(positive, score, weight) for positive, score in pairs])
        there = np.isfinite(scores)
        if not there.any():
            return math.nan
        return self._mean(scores[there], np.average(columns[:, there], axis=0, weights=weight))

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """For two classes and rows without weights."""
        from dlcli.evaluation import intervals

        if rows.goal.task is not Task.BINARY:
            return intervals.absent("no formula for a mean over classes")
        if rows.weight is not None:
            return intervals.absent("no formula for weighted rows")
        return self._interval(rows.truth, rows.prediction, confidence)


class RocAuc(_Ranking):
    """Area under the ROC curve: the chance that a row of the class scores above one that is not; ties count half."""

    part_name = "roc_auc"
    example = "roc_auc"
    tasks = LABELS

    average: Annotated[
        Literal["macro", "weighted"],
        Field(description="Of several classes (each against the rest) or labels: their mean, or by their rows."),
    ] = "macro"

    def _score(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> float:
        from dlcli.evaluation import ranking

        return ranking.roc_auc(positive, score, weight)

    def _interval(self, positive: NDArray[Any], score: Floats, confidence: float) -> Interval:
        from dlcli.evaluation import intervals

        return intervals.roc_auc(positive, score, confidence)

    def _mean(self, scores: Floats, shares: Floats) -> float:
        return float(scores @ shares / shares.sum() if self.average == "weighted" else scores.mean())


class AveragePrecision(_Ranking):
    """Mean precision over the recalls that falling thresholds reach; a random ranking scores the share of positives."""

    part_name = "average_precision"
    example = "average_precision"
    tasks = frozenset({Task.BINARY})

    def _score(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> float:
        from dlcli.evaluation import ranking

        return ranking.average_precision(positive, score, weight)

    def _interval(self, positive: NDArray[Any], score: Floats, confidence: float) -> Interval:
        from dlcli.evaluation import intervals

        return intervals.average_precision(positive, score, confidence)


class MeanAveragePrecision(AveragePrecision):
    """Average precision of each label, or of each class against the rest, averaged."""

    part_name = "mean_average_precision"
    example = "mean_average_precision"
    tasks = frozenset({Task.MULTICLASS, Task.MULTILABEL})


class _MeanLoss(EstimatedMetric):
    """A mean over rows of a loss that is 0 at best."""

    highest = math.inf
    greater_is_better = False

    def _losses(self, goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:
        """The loss of each row (rows,)."""
        raise NotImplementedError

    def compute(
        self,
        goal: Goal,
        truth: NDArray[Any],
        prediction: Floats,
        weight: Floats | None,
        threshold: Threshold,  # noqa: ARG002 - needs none
    ) -> float:
        """The weighted mean."""
        from dlcli.evaluation import errors

        return float(errors.mean(self._losses(goal, truth, prediction), weight))

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """The log-t interval of a mean."""
        from dlcli.evaluation import intervals

        value = rows.score(self)
        influence = self._losses(rows.goal, rows.truth, rows.prediction) - value
        return intervals.log_t(value, influence, rows.weight, confidence)


class LogLoss(_MeanLoss):
    """Mean of -log of the probability given to the true class, in nats; a sure miss costs 36."""

    part_name = "log_loss"
    example = "log_loss"
    tasks = CLASSIFICATION

    def _losses(self, goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:
        from dlcli.evaluation import errors

        return errors.log_losses(goal, truth, prediction)


class Brier(_MeanLoss):
    """Mean squared error of probabilities: of the positive class for binary, summed over all classes else."""

    part_name = "brier"
    example = "brier"
    tasks = CLASSIFICATION

    def _losses(self, goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:
        from dlcli.evaluation import errors

        return errors.brier_losses(goal, truth, prediction)


class MeanAbsoluteError(_MeanLoss):
    """Mean absolute error, in the target's unit; the mean over several targets."""

    part_name = "mae"
    example = "mae"
    tasks = NUMBERS

    def _losses(self, goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:  # noqa: ARG002 - as its kin
        losses: Floats = abs(truth - prediction).mean(axis=1)
        return losses


class MeanSquaredError(_MeanLoss):
    """Mean squared error, in the target's unit squared; the mean over several targets."""

    part_name = "mse"
    example = "mse"
    tasks = NUMBERS

    def _losses(self, goal: Goal, truth: NDArray[Any], prediction: Floats) -> Floats:  # noqa: ARG002 - as its kin
        losses: Floats = ((truth - prediction) ** 2).mean(axis=1)
        return losses


class RootMeanSquaredError(EstimatedMetric):
    """Root of the mean squared error, in the target's unit; the mean over several targets."""

    part_name = "rmse"
    example = "rmse"
    tasks = NUMBERS
    highest = math.inf
    greater_is_better = False

    def compute(
        self,
        goal: Goal,  # noqa: ARG002 - numbers need none
        truth: NDArray[Any],
        prediction: Floats,
        weight: Floats | None,
        threshold: Threshold,  # noqa: ARG002 - needs none
    ) -> float:
        """The mean of the targets' roots."""
        from dlcli.evaluation import errors

        return errors.rmse(truth, prediction, weight)[0]

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """The log-t interval; it assumes no rare huge errors."""
        from dlcli.evaluation import errors, intervals

        return intervals.log_t(*errors.rmse(rows.truth, rows.prediction, rows.weight), rows.weight, confidence)


class R2(EstimatedMetric):
    """Share of the target's variance that is explained: 1 is perfect, 0 no better than the mean of these rows."""

    part_name = "r2"
    example = "r2"
    tasks = NUMBERS
    lowest = -math.inf
    greater_is_better = True

    def compute(
        self,
        goal: Goal,  # noqa: ARG002 - numbers need none
        truth: NDArray[Any],
        prediction: Floats,
        weight: Floats | None,
        threshold: Threshold,  # noqa: ARG002 - needs none
    ) -> float:
        """The mean over targets; NaN for a single row."""
        from dlcli.evaluation import errors

        return errors.r2(truth, prediction, weight)[0]

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """The log-t interval of 1 - R2; it assumes no rare huge errors."""
        from dlcli.evaluation import errors, intervals

        value, influence = errors.r2(rows.truth, rows.prediction, rows.weight)
        if influence is None:
            return intervals.absent("the target is constant in these rows", len(rows.truth))
        return intervals.r2(value, influence, rows.weight, confidence)


class Custom(Metric):
    """A function f(y_true, y_score, **arguments) of the user's own that returns a number; it sees no weights.

    y_true and y_score come as in scikit-learn: class numbers and probabilities, or numbers in original
    units. Its name among the monitors is that of the function.
    """

    part_name = "custom"
    main_field = "object"
    example = 'custom: {object: "scores.py:gini", greater_is_better: true}'
    runs_code = True
    tasks = ALL_TASKS

    object: Annotated[CodePath, Field(description="file.py:Name of the function.")]
    arguments: dict[str, Any] = Field(default_factory=dict, description="What else it is called with, by name.")
    greater_is_better: Annotated[bool, Field(description="Whether a greater number is better.")] = True  # type: ignore[misc]

    def compute(
        self,
        goal: Goal,  # noqa: ARG002 - the function knows its task
        truth: NDArray[Any],
        prediction: Floats,
        weight: Floats | None,  # noqa: ARG002 - the function takes none
        threshold: Threshold,  # noqa: ARG002 - nor this
    ) -> float:
        """What the function returns.

        Raises:
            ConfigError: it fails or does not return a number.
        """
        function = custom_code.load(self.object)
        try:
            return float(function(truth, prediction, **self.arguments))
        except Exception as error:
            message = f"{self.object} failed: {type(error).__name__}: {error}"
            raise ConfigError(Problem("custom-code", message, "mend the file or the arguments")) from error
