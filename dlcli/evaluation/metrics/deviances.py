"""Metrics of predicted amounts and counts: deviances of Poisson's, the gamma and other Tweedie distributions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from dlcli.evaluation.metrics.estimated import here
from dlcli.evaluation.metrics.explained import Explained
from dlcli.evaluation.metrics.value_errors import ValueLoss
from dlcli.part import Number
from dlcli.task import NUMBERS, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.evaluation.rows import ScoredRows

    Floats = NDArray[np.float64]

_Power = Annotated[
    Number,
    Field(
        description="How the variance grows with the mean: 0 not (squared errors), 1 Poisson's, 2 gamma, 3 inverse "
        "Gaussian; 0 or less, or 1 or more."
    ),
]
_NEEDS = "targets and predictions that its power has a meaning for"


def _power_misfit(name: str, power: float) -> str | None:
    return f"{name} has no meaning for a power between 0 and 1, got {power:g}" if 0 < power < 1 else None


class MeanPoissonDeviance(ValueLoss):
    """Mean deviance of a Poisson distribution, of counts: 2 (y log(y/p) - y + p); the mean over several targets."""

    part_name = "mean_poisson_deviance"
    example = "mean_poisson_deviance"
    needs = "targets of 0 or more and predictions above 0"
    other_names = here("mean_poisson_deviance", "neg_mean_poisson_deviance")

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """Unit deviances."""
        from dlcli.evaluation import errors

        return errors.tweedie_losses(truth, prediction, 1)


class MeanGammaDeviance(ValueLoss):
    """Mean deviance of a gamma distribution, of amounts: 2 (log(p/y) + y/p - 1); the mean over several targets."""

    part_name = "mean_gamma_deviance"
    example = "mean_gamma_deviance"
    needs = "targets and predictions above 0"
    other_names = here("mean_gamma_deviance", "neg_mean_gamma_deviance")

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """Unit deviances."""
        from dlcli.evaluation import errors

        return errors.tweedie_losses(truth, prediction, 2)


class MeanTweedieDeviance(ValueLoss):
    """Mean deviance of a Tweedie distribution; the mean over several targets."""

    part_name = "mean_tweedie_deviance"
    example = "mean_tweedie_deviance: {power: 1.5}"
    needs = _NEEDS
    other_names = here("mean_tweedie_deviance", "tweedie", "neg_mean_tweedie_deviance")

    power: _Power = 0.0

    def field_misfit(self, task: Task) -> str | None:  # noqa: ARG002 - whatever the task
        """No distribution has a power between 0 and 1."""
        return _power_misfit(self.part_name, self.power)

    def target_losses(self, truth: Floats, prediction: Floats) -> Floats:
        """Unit deviances."""
        from dlcli.evaluation import errors

        return errors.tweedie_losses(truth, prediction, self.power)


class D2Tweedie(Explained):
    """How much smaller the Tweedie deviance is than that of the mean of these rows; the mean over several targets."""

    part_name = "d2_tweedie"
    example = "d2_tweedie: {power: 1.5}"
    tasks = NUMBERS
    needs = f"at least 2 rows, {_NEEDS}"
    other_names = here("d2_tweedie", "d2_tweedie_score")

    power: _Power = 0.0

    def field_misfit(self, task: Task) -> str | None:  # noqa: ARG002 - whatever the task
        """No distribution has a power between 0 and 1."""
        return _power_misfit(self.part_name, self.power)

    def losses(self, rows: ScoredRows) -> tuple[Floats, Floats]:
        """Unit deviances, of the mean too."""
        from dlcli.evaluation import errors

        constant = rows.truth - errors.centred(rows.truth, rows.weight)
        return (
            errors.tweedie_losses(rows.truth, rows.prediction, self.power),
            errors.tweedie_losses(rows.truth, constant, self.power),
        )
