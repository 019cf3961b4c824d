"""Metrics made of the hits and misses of each class: one class's, or a mean over classes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from dlcli.evaluation.metrics.estimated import EstimatedMetric, finite, here
from dlcli.part import Number
from dlcli.problems import ConfigError, Problem
from dlcli.task import CLASSIFICATION, LABELS, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.counts import Answers, Average, Counts, Ratio
    from dlcli.evaluation.intervals import Interval, Scale
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]


def _averages(name: str) -> dict[str, str]:
    """scikit-learn's names of one metric's averages."""
    averages = ("macro", "micro", "weighted", "samples")
    written = {each: f"{name}: {{average: {each}}}" for each in averages}
    either = {f"{name}_{each}": text for each, text in written.items()}
    return here(name, f"{name}_score") | either | {f"{each}_{name}": text for each, text in written.items()}


def _answers(rows: ScoredRows) -> Answers:
    from dlcli.evaluation.counts import Answers

    return Answers.of(rows)


class ClassShare(EstimatedMetric):
    """A share of the rows of one class, or a mean over classes."""

    tasks = LABELS
    greater_is_better = True
    scale: ClassVar[Scale] = "logit"

    average: Annotated[
        Literal["auto", "binary", "macro", "micro", "weighted", "samples"],
        Field(
            description="binary: of the positive class; macro: mean over classes or labels; weighted: that mean by "
            "their rows; micro: of all counts together; samples: mean over rows, each over its labels; auto: binary "
            "for the task binary, else macro."
        ),
    ] = "auto"

    def field_misfit(self, task: Task) -> str | None:
        """Binary and samples are averages of one task each."""
        needed = {"binary": Task.BINARY, "samples": Task.MULTILABEL}.get(self.average, task)
        if needed is task:
            return None
        return f"{self.part_name} with average {self.average} needs the task {needed}, this one is {task}"

    def ratio(self) -> Ratio:
        """What is counted over what."""
        raise NotImplementedError

    def value(self, rows: ScoredRows) -> float:
        """From the counts of each class."""
        return _answers(rows).score(self.ratio(), self._average(rows))

    def influence(self, rows: ScoredRows) -> Floats | None:
        """From the slopes of the score by the counts."""
        return _answers(rows).influence(self.ratio(), self._average(rows))

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """Wilson's for the positive class and, through accuracy, for micro averages of rows with one class each."""
        from dlcli.evaluation.counts import effective_rows

        average = self._average(rows)
        if average == "micro" and rows.goal.task in CLASSIFICATION:
            return self._of_accuracy(rows, confidence)
        if average != "binary":
            return self._of_mean(rows, average, confidence)
        answers = _answers(rows)
        n = effective_rows(answers.weights[answers.carriers(self.ratio())])
        return self._of_class(self.value(rows), n, confidence)

    def _average(self, rows: ScoredRows) -> Average:
        task = rows.goal.task
        if (reason := self.field_misfit(task)) is not None:
            raise ConfigError(Problem("metric-does-not-fit", reason, "choose macro, micro or weighted"))
        if self.average == "auto":
            return "binary" if task is Task.BINARY else "macro"
        return self.average

    def _of_class(self, value: float, n: float, confidence: float) -> Interval:
        """The interval of a share of the positive class."""
        from dlcli.evaluation import intervals

        return intervals.wilson(value, n, confidence)

    def _of_mean(self, rows: ScoredRows, average: Average, confidence: float) -> Interval:  # noqa: ARG002 - some need it
        """The interval of a mean over classes or rows."""
        from dlcli.evaluation import intervals

        return intervals.absent(f"no formula for the {average} average of {self.part_name}", len(rows))

    def _of_accuracy(self, rows: ScoredRows, confidence: float) -> Interval:
        """Counts of all classes together follow from accuracy alone, and the score rises with it."""
        from dlcli.evaluation import intervals
        from dlcli.evaluation.counts import effective_rows

        counts = _answers(rows).counts()
        share = intervals.wilson(float(counts.hits.sum() / counts.rows), effective_rows(rows.weights()), confidence)
        if share.low is None or share.high is None:
            return share
        low, high = (_together(self.ratio(), end, len(counts.hits)) for end in (share.low, share.high))
        return intervals.Interval(low, high, share.method, share.n)


def _together(ratio: Ratio, accuracy: float, classes: int) -> float:
    """A micro average of rows with one class each, at an accuracy."""
    over, under = (accuracy * each.hits + each.predicted + each.actual + classes * each.rows for each in ratio)
    return over / under


class Precision(ClassShare):
    """Share of the rows predicted as a class that are of it; 0 where none is predicted."""

    part_name = "precision"
    example = "precision: {average: macro}"
    other_names = _averages("precision")

    def ratio(self) -> Ratio:
        """TP / (TP + FP)."""
        from dlcli.evaluation.counts import PRECISION

        return PRECISION


class Recall(ClassShare):
    """Share of the rows of a class that are predicted as it; 0 where there is none."""

    part_name = "recall"
    example = "recall: {average: macro}"
    other_names = _averages("recall") | here("recall", "sensitivity")

    def ratio(self) -> Ratio:
        """TP / (TP + FN)."""
        from dlcli.evaluation.counts import RECALL

        return RECALL

    def _of_mean(self, rows: ScoredRows, average: Average, confidence: float) -> Interval:
        from dlcli.evaluation import intervals

        if rows.goal.task is Task.MULTILABEL:
            return super()._of_mean(rows, average, confidence)
        if average == "weighted":  # the same as accuracy
            return self._of_accuracy(rows, confidence)
        answers = _answers(rows)
        if not answers.counts().actual.all():
            return intervals.absent("a class has no row here", len(rows))
        return _mean_recall(answers, confidence)


class Specificity(ClassShare):
    """Share of the rows not of a class that are not predicted as it; 0 where every row is of it."""

    part_name = "specificity"
    example = "specificity"

    def ratio(self) -> Ratio:
        """TN / (TN + FP)."""
        from dlcli.evaluation.counts import SPECIFICITY

        return SPECIFICITY


class F1(ClassShare):
    """Harmonic mean of precision and recall, 2 TP / (2 TP + FP + FN); 0 where that is 0 / 0."""

    part_name = "f1"
    example = "f1: {average: macro}"
    other_names = _averages("f1")

    def ratio(self) -> Ratio:
        """2 TP / (2 TP + FP + FN)."""
        from dlcli.evaluation.counts import f_ratio

        return f_ratio(1)

    def _of_class(self, value: float, n: float, confidence: float) -> Interval:
        from dlcli.evaluation import intervals

        return intervals.f1(value, n, confidence)

    def _of_mean(self, rows: ScoredRows, average: Average, confidence: float) -> Interval:
        from dlcli.evaluation import class_means, counts

        if average != "macro" or rows.goal.task is Task.MULTILABEL:
            return super()._of_mean(rows, average, confidence)
        answers = _answers(rows)
        worth = counts.effective_rows(answers.weights) / answers.weights.sum()
        return class_means.macro_f1(answers.confusion() * worth, confidence)


class FBeta(ClassShare):
    """Weighted harmonic mean of precision and recall, in which recall counts beta times as much; 0 where 0 / 0."""

    part_name = "fbeta"
    example = "fbeta: {beta: 2}"
    other_names = here("fbeta: {beta: 2}", "fbeta_score", "f2")

    beta: Annotated[Number, Field(gt=0, description="How many times as much recall counts as precision.")]

    def ratio(self) -> Ratio:
        """(1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP)."""
        from dlcli.evaluation.counts import f_ratio

        return f_ratio(self.beta)

    def _of_class(self, value: float, n: float, confidence: float) -> Interval:
        from dlcli.evaluation import intervals

        return intervals.f1(value, n, confidence) if self.beta == 1 else intervals.absent("no formula for fbeta", n)


class Jaccard(ClassShare):
    """Rows predicted as a class and of it, as a share of those that are either; 0 where there is none."""

    part_name = "jaccard"
    example = "jaccard: {average: macro}"
    other_names = _averages("jaccard") | here("jaccard", "iou")

    def ratio(self) -> Ratio:
        """TP / (TP + FP + FN)."""
        from dlcli.evaluation.counts import JACCARD

        return JACCARD


class BalancedAccuracy(EstimatedMetric):
    """Mean over classes of the share of their rows answered right; classes without a row are left out."""

    part_name = "balanced_accuracy"
    example = "balanced_accuracy"
    tasks = CLASSIFICATION
    greater_is_better = True
    needs = "rows of at least two classes to be adjusted"
    other_names = here("balanced_accuracy", "balanced_accuracy_score")

    adjusted: Annotated[
        bool, Field(description="Scaled so that chance scores 0 and only a score worse than chance is negative.")
    ] = False

    @property
    def lowest(self) -> float:  # type: ignore[override]
        """Below 0 only where chance scores 0."""
        return -1.0 if self.adjusted else 0.0

    @property
    def scale(self) -> Scale:  # type: ignore[override]
        """A proportion unless it is scaled."""
        return "plain" if self.adjusted else "logit"

    def value(self, rows: ScoredRows) -> float:
        """From the counts of each class."""
        from dlcli.evaluation.counts import RECALL

        counts = _answers(rows).counts()
        return self._scaled(counts.score(RECALL, "present"), counts)

    def influence(self, rows: ScoredRows) -> Floats | None:
        """From the slopes of the score by the counts."""
        from dlcli.evaluation.counts import RECALL

        answers = _answers(rows)
        counts = answers.counts()
        width = self._scaled(1, counts) - self._scaled(0, counts)
        return finite(width * answers.influence(RECALL, "present"))

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """That of a mean of recalls, over the classes that have rows."""
        from dlcli.evaluation.intervals import Interval

        answers = _answers(rows)
        counts, found = answers.counts(), _mean_recall(answers, confidence)
        if found.low is None or found.high is None:
            return found
        return Interval(self._scaled(found.low, counts), self._scaled(found.high, counts), found.method, found.n)

    def _scaled(self, score: float, counts: Counts) -> float:
        if not self.adjusted:
            return score
        chance = 1 / int((counts.actual > 0).sum())
        return (score - chance) / (1 - chance) if chance < 1 else math.nan


def _mean_recall(answers: Answers, confidence: float) -> Interval:
    """The interval of the mean recall of the classes that have rows; of rows with one class each."""
    import numpy as np

    from dlcli.evaluation import class_means
    from dlcli.evaluation.counts import RECALL, effective_rows

    counts = answers.counts()
    present = counts.actual > 0
    worth = np.array([effective_rows(answers.weights[answers.truth == number]) for number in np.flatnonzero(present)])
    return class_means.balanced_accuracy(counts.shares(RECALL)[present] * worth, worth, confidence)
