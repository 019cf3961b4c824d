"""Metrics of how probabilities rank rows: areas under curves over all thresholds."""

from __future__ import annotations

import math
from itertools import combinations
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from dlcli.evaluation.metrics.estimated import EstimatedMetric, finite, here
from dlcli.part import Number
from dlcli.task import LABELS, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.intervals import Interval, Scale
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]


class ClassAreas(EstimatedMetric):
    """An area of the positive class, or a mean over classes (each against the rest) or labels."""

    tasks = LABELS
    greater_is_better = True
    scale: ClassVar[Scale] = "logit"

    average: Annotated[
        Literal["macro", "weighted", "micro"],
        Field(
            description="Of several classes or labels: macro is their mean, weighted that mean by their rows, micro "
            "the area of all their probabilities in one."
        ),
    ] = "macro"

    def area(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> float:
        """The area of one class against the rest (rows,); NaN where it does not exist."""
        raise NotImplementedError

    def area_influence(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> Floats:
        """How much each row moves that area (rows,)."""
        raise NotImplementedError

    def value(self, rows: ScoredRows) -> float:
        """The mean over those for which it exists."""
        if rows.goal.task is Task.BINARY:
            return self.area(rows.truth, rows.prediction, rows.weight)
        if self.average == "micro":
            return self.area(*_in_one(rows))
        areas, portions, _ = self._of_classes(rows)
        return float(areas @ portions) if len(areas) else math.nan

    def influence(self, rows: ScoredRows) -> Floats | None:
        """The mean of the influence on each area, and on the portion of each in a weighted mean."""
        import numpy as np

        if not math.isfinite(self.value(rows)):
            return None
        if rows.goal.task is Task.BINARY:
            return self.area_influence(rows.truth, rows.prediction, rows.weight)
        if self.average == "micro":
            return np.asarray(self.area_influence(*_in_one(rows)).reshape(len(rows), -1).mean(axis=1))
        areas, portions, pairs = self._of_classes(rows)
        moved = np.zeros(len(rows))
        for portion, pair in zip(portions, pairs, strict=True):
            moved += portion * self.area_influence(*pair, rows.weight)
        if self.average == "weighted":
            positive = np.stack([positive for positive, _ in pairs], axis=1)
            weights = rows.weights()
            moved += positive @ (areas - areas @ portions) * weights.sum() / (weights @ positive).sum()
        return moved

    def _of_classes(self, rows: ScoredRows) -> tuple[Floats, Floats, list[tuple[NDArray[Any], Floats]]]:
        """The areas that exist, their portions in the mean, and the positives and scores of each."""
        import numpy as np

        pairs = list(zip(_columns(rows).T, rows.prediction.T, strict=True))
        areas = np.array([self.area(*pair, rows.weight) for pair in pairs])
        there = np.flatnonzero(np.isfinite(areas))
        pairs = [pairs[number] for number in there]
        portions = np.array([rows.weights() @ positive if self.average == "weighted" else 1.0 for positive, _ in pairs])
        return areas[there], portions / max(portions.sum(), np.finfo(float).tiny), pairs


def _columns(rows: ScoredRows) -> NDArray[Any]:
    """Which rows are of each class or label (rows, classes), 0 or 1."""
    import numpy as np

    return np.eye(rows.goal.outputs)[rows.truth] if rows.goal.task is Task.MULTICLASS else rows.truth


def _in_one(rows: ScoredRows) -> tuple[NDArray[Any], Floats, Floats]:
    """Positives, scores and weights of every probability of every row (rows x classes,)."""
    import numpy as np

    return _columns(rows).ravel(), rows.prediction.ravel(), np.repeat(rows.weights(), rows.prediction.shape[1])


class RocAuc(ClassAreas):
    """Area under the ROC curve: the chance that a row of the class scores above one that is not; ties count half."""

    part_name = "roc_auc"
    example = "roc_auc"
    needs = "rows of a class and others"
    other_names = here("roc_auc", "roc_auc_score", "roc_auc_ovr", "auc_score") | {
        "roc_auc_ovr_weighted": "roc_auc: {average: weighted}",
        "roc_auc_ovo": "roc_auc: {multi_class: ovo}",
        "roc_auc_ovo_weighted": "roc_auc: {multi_class: ovo, average: weighted}",
    }

    multi_class: Annotated[
        Literal["ovr", "ovo"],
        Field(description="Of several classes: ovr sets each against the rest, ovo each against each other one."),
    ] = "ovr"
    max_fpr: Annotated[
        Number | None,
        Field(
            gt=0,
            le=1,
            description="Only the area up to this false positive rate, scaled so that chance is 0.5 and the best 1.",
        ),
    ] = None

    def field_misfit(self, task: Task) -> str | None:
        """One against one needs several classes, a part of the area one or labels."""
        if self.multi_class == "ovo" and task is not Task.MULTICLASS:
            return f"roc_auc with multi_class ovo needs the task multiclass, this one is {task}"
        if self.multi_class == "ovo" and self.average == "micro":
            return "roc_auc with multi_class ovo has no micro average"
        if self.max_fpr is not None and task is Task.MULTICLASS:
            return "roc_auc with max_fpr needs the task binary or multilabel, this one is multiclass"
        return None

    def value(self, rows: ScoredRows) -> float:
        """The mean over those for which it exists; of one against one over pairs (Hand and Till 2001)."""
        return super().value(rows) if self.multi_class == "ovr" else self._of_pairs(rows)

    def influence(self, rows: ScoredRows) -> Floats | None:
        """DeLong's placements less their mean; not known of one against one, nor of a part of the area."""
        return super().influence(rows) if self.multi_class == "ovr" and self.max_fpr is None else None

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """For two classes, the whole area and rows without weights."""
        from dlcli.evaluation import intervals

        if self.max_fpr is not None:
            return intervals.absent("no formula for a part of the area", len(rows))
        return _of_two_classes(rows) or intervals.roc_auc(rows.truth, rows.prediction, confidence)

    def area(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> float:
        """The area, or the part of it that is asked for."""
        from dlcli.evaluation import ranking

        if self.max_fpr is None:
            return ranking.roc_auc(positive, score, weight)
        return ranking.partial_roc_auc(positive, score, weight, self.max_fpr)

    def area_influence(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> Floats:
        """DeLong's."""
        from dlcli.evaluation import ranking

        return ranking.roc_auc_influence(positive, score, weight)

    def _of_pairs(self, rows: ScoredRows) -> float:
        """The mean over pairs of classes that have rows, or that mean by the rows of each pair."""
        import numpy as np

        weights, areas, portions = rows.weights(), [], []
        there = [number for number in range(rows.goal.outputs) if weights[rows.truth == number].sum() > 0]
        for pair in combinations(there, 2):
            inside = np.isin(rows.truth, pair)
            truth, score = rows.truth[inside], rows.prediction[inside]
            each = [self.area(truth == number, score[:, number], weights[inside]) for number in pair]
            areas.append(sum(each) / 2)
            portions.append(weights[inside].sum() if self.average == "weighted" else 1.0)
        return float(np.average(areas, weights=portions)) if areas else math.nan


class AveragePrecision(EstimatedMetric):
    """Mean precision over the recalls that falling thresholds reach; a random ranking scores the share of positives."""

    part_name = "average_precision"
    example = "average_precision"
    tasks = frozenset({Task.BINARY})
    greater_is_better = True
    scale: ClassVar[Scale] = "logit"
    needs = "a row of the positive class"
    other_names = here("average_precision", "average_precision_score")

    def value(self, rows: ScoredRows) -> float:
        """The sum over the distinct scores of (gain in recall) x precision."""
        from dlcli.evaluation import ranking

        return ranking.average_precision(rows.truth, rows.prediction, rows.weight)

    def influence(self, rows: ScoredRows) -> Floats | None:
        """The infinitesimal jackknife's."""
        from dlcli.evaluation import ranking

        _, slopes = ranking.average_precision_influence(rows.truth, rows.prediction, rows.weight)
        return finite(slopes * rows.weights().sum())

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """For rows without weights."""
        from dlcli.evaluation import intervals

        return _of_two_classes(rows) or intervals.average_precision(rows.truth, rows.prediction, confidence)


class MeanAveragePrecision(ClassAreas):
    """Average precision of each label, or of each class against the rest, averaged."""

    part_name = "mean_average_precision"
    example = "mean_average_precision"
    tasks = frozenset({Task.MULTICLASS, Task.MULTILABEL})
    needs = "a row of a class"

    def area(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> float:
        """Average precision."""
        from dlcli.evaluation import ranking

        return ranking.average_precision(positive, score, weight)

    def area_influence(self, positive: NDArray[Any], score: Floats, weight: Floats | None) -> Floats:
        """The infinitesimal jackknife's."""
        from dlcli.evaluation import ranking

        _, slopes = ranking.average_precision_influence(positive, score, weight)
        return slopes * (len(score) if weight is None else weight.sum())


def _of_two_classes(rows: ScoredRows) -> Interval | None:
    """Why there is no interval of an area; None if there is."""
    from dlcli.evaluation import intervals

    if rows.goal.task is not Task.BINARY:
        return intervals.absent("no formula for a mean over classes", len(rows))
    return intervals.absent("no formula for weighted rows", len(rows)) if rows.weight is not None else None
