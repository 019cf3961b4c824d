"""Metrics of how far answers agree with the truth beyond chance, and how much they change the odds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from dlcli.evaluation.metrics.estimated import EstimatedMetric, finite, here
from dlcli.task import CLASSIFICATION, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.counts import Answers, Ratio
    from dlcli.evaluation.intervals import Scale
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]


class MatthewsCorrcoef(EstimatedMetric):
    """Correlation of predicted and true classes: 1 perfect, 0 chance, or where either is always the same class."""

    part_name = "matthews_corrcoef"
    example = "matthews_corrcoef"
    tasks = CLASSIFICATION
    greater_is_better = True
    lowest = -1.0
    other_names = here("matthews_corrcoef", "mcc")

    def value(self, rows: ScoredRows) -> float:
        """Covariance of the classes over the root of both variances (Gorodkin 2004)."""
        from dlcli.evaluation.counts import Answers

        shared, predicted, actual = self._covariances(Answers.of(rows))
        return shared / math.sqrt(predicted * actual) if predicted * actual > 0 else 0.0

    def influence(self, rows: ScoredRows) -> Floats | None:
        """From the slopes of the score by the counts."""
        import numpy as np

        from dlcli.evaluation.counts import Answers, Counts

        answers = Answers.of(rows)
        counts = answers.counts()
        shared, predicted, actual = self._covariances(answers)
        if not predicted * actual > 0:
            return None
        root = math.sqrt(predicted * actual)
        value = shared / root
        return answers.moved(
            Counts(
                np.full(answers.classes, counts.rows / root),
                -counts.actual / root + value * counts.predicted / predicted,
                -counts.predicted / root + value * counts.actual / actual,
                float(counts.hits.sum()) / root - value * counts.rows * (1 / predicted + 1 / actual),
            )
        )

    def _covariances(self, answers: Answers) -> tuple[float, float, float]:
        """Of predictions with the truth, of each with itself; times all weight squared."""
        counts = answers.counts()
        rows, predicted, actual = counts.rows, counts.predicted, counts.actual
        shared = counts.hits.sum() * rows - predicted @ actual
        # Written so that it is exactly 0 where one class has all rows.
        first, second = (float(each @ (rows - each)) * ((each > 0).sum() > 1) for each in (predicted, actual))
        return float(shared), first, second


class CohenKappa(EstimatedMetric):
    """Agreement of predicted and true classes beyond that of chance, as a share of the most that is possible."""

    part_name = "cohen_kappa"
    example = "cohen_kappa: {weights: quadratic}"
    tasks = CLASSIFICATION
    greater_is_better = True
    lowest = -1.0
    needs = "more than one class among true and predicted ones"
    other_names = here("cohen_kappa", "cohen_kappa_score", "kappa")

    weights: Annotated[
        Literal["linear", "quadratic"] | None,
        Field(description="How a mistake grows with the distance of classes in their order; by default all are alike."),
    ] = None

    def value(self, rows: ScoredRows) -> float:
        """1 - the mean cost of the answers over that of independent ones."""
        from dlcli.evaluation.counts import Answers

        answers = Answers.of(rows)
        costs = self._costs(answers.classes)
        chance = self._chance(answers, costs)
        return 1 - float((costs * answers.confusion()).sum()) / chance if chance > 0 else math.nan

    def influence(self, rows: ScoredRows) -> Floats | None:
        """From the cost of each answer and the slopes of that of independent ones."""
        import numpy as np

        from dlcli.evaluation.counts import Answers, Counts

        answers = Answers.of(rows)
        costs, counts = self._costs(answers.classes), answers.counts()
        chance = self._chance(answers, costs)
        if not chance > 0:
            return None
        rest = float((costs * answers.confusion()).sum()) / chance
        none, pace = np.zeros(answers.classes), rest / (chance * counts.rows)
        slopes = Counts(none, pace * (counts.actual @ costs), pace * (costs @ counts.predicted), -rest / counts.rows)
        own: Floats = costs[answers.truth, answers.guess] * counts.rows / chance
        return answers.moved(slopes) - own

    def _costs(self, classes: int) -> Floats:
        """The cost of each mistake (classes, classes)."""
        import numpy as np

        number = np.arange(classes, dtype=np.float64)
        distance = abs(number[:, None] - number)
        return distance if self.weights == "linear" else distance**2 if self.weights else np.minimum(distance, 1)

    def _chance(self, answers: Answers, costs: Floats) -> float:
        """The total cost if answers did not depend on the truth."""
        counts = answers.counts()
        return float(counts.actual @ costs @ counts.predicted) / counts.rows


class _LikelihoodRatio(EstimatedMetric):
    """One rate over another: of the rows that are positive, and of those that are not."""

    tasks = frozenset({Task.BINARY})
    highest = math.inf
    scale: ClassVar[Scale] = "log"

    def _rates(self) -> tuple[tuple[Ratio, bool], tuple[Ratio, bool]]:
        """The rate above and the rate below, each with whether it is 1 minus the ratio."""
        raise NotImplementedError

    def value(self, rows: ScoredRows) -> float:
        """The rate above over the rate below; NaN where one has no rows or the one below is 0."""
        over, under = (value for value, _ in self._found(rows))
        return over / under if under > 0 else math.nan

    def influence(self, rows: ScoredRows) -> Floats | None:
        """That of a ratio of rates."""
        (over, up), (under, down) = self._found(rows)
        return finite((up - over / under * down) / under) if under > 0 else None

    def _found(self, rows: ScoredRows) -> list[tuple[float, Floats]]:
        from dlcli.evaluation.counts import Answers

        answers = Answers.of(rows)
        found = []
        for ratio, rest in self._rates():
            there = answers.weights[answers.carriers(ratio)].sum() > 0
            value = answers.score(ratio, "binary") if there else math.nan
            influence = answers.influence(ratio, "binary")
            found.append((1 - value, -influence) if rest else (value, influence))
        return found


class PositiveLikelihoodRatio(_LikelihoodRatio):
    """How much a positive answer raises the odds of the positive class: recall / (1 - specificity)."""

    part_name = "positive_likelihood_ratio"
    example = "positive_likelihood_ratio"
    greater_is_better = True
    needs = "rows of both classes and a false positive one"
    other_names = here("positive_likelihood_ratio", "class_likelihood_ratios")

    def _rates(self) -> tuple[tuple[Ratio, bool], tuple[Ratio, bool]]:
        from dlcli.evaluation.counts import RECALL, SPECIFICITY

        return (RECALL, False), (SPECIFICITY, True)


class NegativeLikelihoodRatio(_LikelihoodRatio):
    """How much a negative answer lowers the odds of the positive class: (1 - recall) / specificity."""

    part_name = "negative_likelihood_ratio"
    example = "negative_likelihood_ratio"
    greater_is_better = False
    needs = "rows of both classes and a true negative one"
    other_names = here("negative_likelihood_ratio", "neg_negative_likelihood_ratio")

    def _rates(self) -> tuple[tuple[Ratio, bool], tuple[Ratio, bool]]:
        from dlcli.evaluation.counts import RECALL, SPECIFICITY

        return (RECALL, True), (SPECIFICITY, False)
