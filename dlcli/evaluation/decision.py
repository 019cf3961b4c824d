"""What turns probabilities into answers: the temperature first, then the threshold, both chosen once and kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import thresholds
from dlcli.evaluation.calibration import fit_temperature, temper
from dlcli.evaluation.calibration import temper_ops as temper_ops  # beside `Decision.apply`, of which it is the model's
from dlcli.evaluation.thresholds import NEUTRAL, Rule
from dlcli.task import LABELS, Goal, Task

if TYPE_CHECKING:
    from dlcli.part import Threshold

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Decision:
    """How answers follow from what a network gives; by default, as they are and from 0.5 on.

    Attributes:
        temperature: what logits are divided by.
        threshold: from which tempered probability on a label counts as predicted; (labels,) where each has its own.
        threshold_rule: how the threshold was asked for: "0.5", "f1", "recall 0.9".
        chosen_on: the rows that were asked, e.g. "validation"; None where none were.
        notes: what could not be chosen, and what stands instead.
    """

    temperature: float = 1.0
    threshold: float | tuple[float, ...] = NEUTRAL
    threshold_rule: str = thresholds.title(NEUTRAL)
    chosen_on: str | None = None
    notes: tuple[str, ...] = ()

    def apply(self, goal: Goal, prediction: Floats) -> Floats:
        """The tempered probabilities, of the same shape; numbers stay as they are."""
        return temper(goal, prediction, self.temperature) if goal.task in LABELS else prediction

    def threshold_for(self, goal: Goal) -> Threshold:
        """The threshold as metrics take it: a number, or (labels,) in multilabel."""
        if isinstance(self.threshold, tuple):
            if len(self.threshold) != goal.outputs:
                raise ValueError(f"{len(self.threshold)} thresholds for {goal.outputs} labels")
            return np.array(self.threshold)
        return self.threshold

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        threshold = list(self.threshold) if isinstance(self.threshold, tuple) else self.threshold
        return asdict(self) | {"threshold": threshold, "notes": list(self.notes)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Decision:
        """Reads what `as_json` wrote; what is not there is as by default."""
        read: dict[str, Callable[[Any], Any]] = {"threshold": _numbers, "notes": tuple}
        return cls(**{key: read.get(key, lambda value: value)(value) for key, value in data.items()})


def _numbers(threshold: float | Sequence[float]) -> float | tuple[float, ...]:
    return tuple(threshold) if isinstance(threshold, Sequence) else threshold


def decide(
    goal: Goal,
    truth: NDArray[Any],
    prediction: Floats,
    weight: Floats | None,
    *,
    threshold: Rule,
    calibrate: bool,
    chosen_on: str | None,
) -> Decision:
    """Chooses the temperature, then the threshold on the tempered probabilities.

    Args:
        goal: task and classes.
        truth: of the rows that choose, as `Metric.compute` takes it, as the next two.
        prediction: probabilities as the network gives them.
        weight: (rows,) or None.
        threshold: how the threshold is found; of no account in tasks other than binary and multilabel.
        calibrate: whether to look for a temperature; of no account where numbers are predicted.
        chosen_on: the name of these rows, e.g. "validation".

    Returns:
        The decision; it names the rows if they were asked anything, whatever they answered.
    """
    if goal.task not in LABELS:
        return Decision()
    temperature, note = fit_temperature(goal, truth, prediction, weight) if calibrate else (1.0, "")
    notes = (note,) if note else ()
    if goal.task is Task.MULTICLASS:
        return Decision(temperature, chosen_on=chosen_on if calibrate else None, notes=notes)
    tempered = temper(goal, prediction, temperature)
    choice = thresholds.choose(goal, truth, tempered, weight, threshold)
    asked = calibrate or not isinstance(threshold, (int, float))
    return Decision(
        temperature,
        choice.threshold,
        thresholds.title(threshold),
        chosen_on if asked else None,
        (*notes, *choice.notes),
    )
