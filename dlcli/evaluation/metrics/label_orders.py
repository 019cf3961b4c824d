"""Metrics of how each row orders its own labels, whatever the threshold."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dlcli.evaluation.metrics.estimated import here
from dlcli.evaluation.metrics.row_means import MeanLoss, RowMean
from dlcli.part import Number
from dlcli.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.intervals import Scale
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]

_LABELS_OF_ROWS = frozenset({Task.MULTILABEL})
_Places = Annotated[int | None, Field(ge=1, description="How many of the likeliest labels count; by default all.")]


class CoverageError(MeanLoss):
    """How many of the likeliest labels it takes to cover all true ones, on average; 0 for a row without one."""

    part_name = "coverage_error"
    example = "coverage_error"
    tasks = _LABELS_OF_ROWS

    def row_values(self, rows: ScoredRows) -> Floats:
        """Labels that it takes."""
        from dlcli.evaluation import within_rows

        return within_rows.coverages(rows.truth, rows.prediction)


class LabelRankingLoss(MeanLoss):
    """Share of pairs of a true and an untrue label in which the untrue one is as likely or likelier, mean over rows."""

    part_name = "label_ranking_loss"
    example = "label_ranking_loss"
    tasks = _LABELS_OF_ROWS
    highest = 1.0

    def row_values(self, rows: ScoredRows) -> Floats:
        """The share of pairs in the wrong order."""
        from dlcli.evaluation import within_rows

        return within_rows.ranking_losses(rows.truth, rows.prediction)


class LabelRankingAveragePrecision(RowMean):
    """Mean over rows and their true labels of the share of true ones among those at least as likely."""

    part_name = "label_ranking_average_precision"
    example = "label_ranking_average_precision"
    tasks = _LABELS_OF_ROWS
    greater_is_better = True
    scale: ClassVar[Scale] = "logit"
    other_names = here("label_ranking_average_precision", "label_ranking_average_precision_score", "lrap")

    def row_values(self, rows: ScoredRows) -> Floats:
        """The mean over true labels."""
        from dlcli.evaluation import within_rows

        return within_rows.ranking_precisions(rows.truth, rows.prediction)


class Dcg(RowMean):
    """Discounted cumulative gain: each true label counts 1 / log(1 + its place among the likeliest), mean over rows."""

    part_name = "dcg"
    example = "dcg: {k: 5}"
    tasks = _LABELS_OF_ROWS
    greater_is_better = True
    highest = math.inf
    other_names = here("dcg", "dcg_score")

    k: _Places = None
    log_base: Annotated[Number, Field(gt=1, description="Base of the logarithm: the greater, the milder.")] = 2.0

    def row_values(self, rows: ScoredRows) -> Floats:
        """The sum over true labels; labels of equal score share their places."""
        from dlcli.evaluation import within_rows

        return within_rows.gains(rows.truth, rows.prediction, self.k, self.log_base)


class Ndcg(RowMean):
    """Discounted cumulative gain as a share of the greatest, mean over rows; 0 for a row without a true label."""

    part_name = "ndcg"
    example = "ndcg: {k: 5}"
    tasks = _LABELS_OF_ROWS
    greater_is_better = True
    scale: ClassVar[Scale] = "logit"
    other_names = here("ndcg", "ndcg_score")

    k: _Places = None

    def row_values(self, rows: ScoredRows) -> Floats:
        """The share; labels of equal score share their places."""
        from dlcli.evaluation import within_rows

        return within_rows.normalized_gains(rows.truth, rows.prediction, self.k)
