"""Metrics of probabilities: what they lose on the classes that turn out true."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlcli.evaluation.metrics.estimated import here
from dlcli.evaluation.metrics.row_means import MeanLoss
from dlcli.task import CLASSIFICATION

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]


class LogLoss(MeanLoss):
    """Mean of -log of the probability given to the true class, in nats; a sure miss costs 36."""

    part_name = "log_loss"
    example = "log_loss"
    tasks = CLASSIFICATION
    other_names = here("log_loss", "neg_log_loss", "cross_entropy")

    def row_values(self, rows: ScoredRows) -> Floats:
        """-log of the probability of each row's class."""
        from dlcli.evaluation import errors

        return errors.log_losses(rows.goal, rows.truth, rows.prediction)


class Brier(MeanLoss):
    """Mean squared error of probabilities: of the positive class for binary, summed over all classes else."""

    part_name = "brier"
    example = "brier"
    tasks = CLASSIFICATION
    other_names = here("brier", "brier_score_loss", "neg_brier_score")

    def row_values(self, rows: ScoredRows) -> Floats:
        """The squared error of each row."""
        from dlcli.evaluation import errors

        return errors.brier_losses(rows.goal, rows.truth, rows.prediction)


class HingeLoss(MeanLoss):
    """Mean of what the logit of the true class lacks of a lead of 1: over 0 for binary, over the best other class else.

    Logits are those of the probabilities, so that the loss is that of what the network gives before its sigmoid
    or softmax.
    """

    part_name = "hinge_loss"
    example = "hinge_loss"
    tasks = CLASSIFICATION
    other_names = here("hinge_loss", "hinge")

    def row_values(self, rows: ScoredRows) -> Floats:
        """What each row lacks."""
        from dlcli.evaluation import errors

        return errors.hinge_losses(rows.goal, rows.truth, rows.prediction)
