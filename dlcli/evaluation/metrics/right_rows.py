"""Metrics of how many rows are answered right, or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dlcli.evaluation.metrics.estimated import here
from dlcli.evaluation.metrics.row_means import MeanLoss, RowShare
from dlcli.task import LABELS, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.intervals import Interval, Scale
    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]


class Accuracy(RowShare):
    """Share of rows answered right; in multilabel, of rows with every label right."""

    part_name = "accuracy"
    example = "accuracy"
    tasks = LABELS
    greater_is_better = True
    other_names = here("accuracy", "accuracy_score")

    def row_values(self, rows: ScoredRows) -> Floats:
        """1 for each right row."""
        from dlcli.evaluation import counts

        right = counts.right_answers(rows)
        return (right.all(axis=1) if right.ndim > 1 else right).astype(float)


class ZeroOneLoss(RowShare):
    """Share of rows not answered right: 1 - accuracy."""

    part_name = "zero_one_loss"
    example = "zero_one_loss"
    tasks = LABELS
    greater_is_better = False

    def row_values(self, rows: ScoredRows) -> Floats:
        """1 for each row that is not right."""
        return 1 - Accuracy().row_values(rows)


class HammingLoss(MeanLoss):
    """Share of answers that are wrong; in multilabel each label of a row is an answer."""

    part_name = "hamming_loss"
    example = "hamming_loss"
    tasks = LABELS
    highest = 1.0
    scale: ClassVar[Scale] = "logit"

    def row_values(self, rows: ScoredRows) -> Floats:
        """The share of each row's answers that are wrong."""
        from dlcli.evaluation import counts

        right = counts.right_answers(rows)
        return 1 - (right.mean(axis=1) if right.ndim > 1 else right.astype(float))

    def interval(self, rows: ScoredRows, confidence: float) -> Interval:
        """Wilson's for rows with one answer each, else the log-t interval of a mean."""
        if rows.goal.task is Task.MULTILABEL:
            return super().interval(rows, confidence)
        return ZeroOneLoss().interval(rows, confidence)


class TopKAccuracy(RowShare):
    """Share of rows whose class is among the k likeliest; of equally likely classes the last comes first."""

    part_name = "top_k_accuracy"
    example = "top_k_accuracy: {k: 5}"
    tasks = frozenset({Task.MULTICLASS})
    greater_is_better = True
    other_names = here("top_k_accuracy", "top_k_accuracy_score")

    k: Annotated[int, Field(ge=1, description="How many of the likeliest classes count.")] = 2

    def row_values(self, rows: ScoredRows) -> Floats:
        """1 for each row whose class is among them."""
        from dlcli.evaluation import within_rows

        return within_rows.top_hits(rows.truth, rows.prediction, self.k).astype(float)
