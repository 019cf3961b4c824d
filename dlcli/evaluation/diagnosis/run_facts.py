"""What a diagnosis looks at, and the findings it makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dlcli.evaluation.diagnosis.changes import Setup
from dlcli.evaluation.diagnosis.courses import Course
from dlcli.evaluation.diagnosis.ladder import Gap, Ladder, Measured, from_losses, from_scores
from dlcli.numbers import number
from dlcli.task import Task

MATERIAL = 0.05
"""Share of what there was to gain over the baseline from which on a gap matters."""
CERTAIN = 0.02
"""Share that the low end of its interval must reach."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Where a loss was not finite.

    Attributes:
        epoch: the first time.
        times: how often training went back to the last good epoch.
        rate: the smallest rate at which it happened.
        failed: whether it stayed so.
    """

    epoch: int
    times: int
    rate: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Repeats:
    """A score over trainings that differ in nothing but the seed."""

    name: str
    values: tuple[float, ...]
    sd: float


@dataclass(frozen=True, eq=False)
class Facts:
    """What is known of a run.

    Attributes:
        task: what is predicted.
        setup: what its config has.
        courses: its training, or one per fold.
        scores: by subset and metric; empty where nothing was scored.
        baseline: the baseline's scores on the training rows.
        rows: of each subset.
        class_rows: rows of each class, by subset, where they are known.
        human_level: the reference, under `error` or a metric's name.
        naive_loss: the loss of an answer that looks at no input, if it is known.
        breakdown: where its loss was not finite, if it ever was.
        linear: the scores of a model without hidden layers on the validation rows, by metric.
        over_folds: a metric over folds, for a k-fold: its name and value.
        repeats: a metric over seeds, if there are several.
        powerless: what is said where the score is not above the baseline's.
        confidence: of the intervals.
    """

    task: Task
    setup: Setup
    courses: tuple[Course, ...]
    scores: Mapping[str, Mapping[str, Measured]] = field(default_factory=dict)
    baseline: Mapping[str, Measured] = field(default_factory=dict)
    rows: Mapping[str, int] = field(default_factory=dict)
    class_rows: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    human_level: Mapping[str, float] | None = None
    naive_loss: float | None = None
    breakdown: Breakdown | None = None
    linear: Mapping[str, Measured] = field(default_factory=dict)
    over_folds: tuple[str, Measured] | None = None
    repeats: Repeats | None = None
    powerless: str | None = None
    confidence: float = 0.95

    @cached_property
    def ladder(self) -> Ladder | None:
        """Errors of the scored rows; losses where training and validation rows were not both scored."""
        held = any(course.val_loss is not None for course in self.courses)
        if self.setup.folds is None and ({"train", "validation"} <= self.scores.keys() or not held):
            return from_scores(self.task, self.scores, self.baseline, self.rows, self.human_level, self.linear)
        return from_losses(self.courses, self.naive_loss, self.setup.folds, self.confidence)

    @property
    def gained(self) -> float:
        """The share of what there was to gain over the baseline that the training rows have."""
        training = self.ladder.rung("training") if self.ladder else None
        if self.ladder is None or training is None or self.ladder.rung("baseline") is None:
            return 0.0
        return 1 - (training.error - self.ladder.least) / self.ladder.unit

    @property
    def validation_rows(self) -> int:
        """How many rows chose the epoch; of a k-fold, in one fold."""
        return min((course.validation_rows for course in self.courses), default=0)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that the run shows.

    Attributes:
        code: a stable word; that of the verdict which it supports, where it supports one.
        sentence: what, with numbers.
        epoch: where it shows, if it has a place.
    """

    code: str
    sentence: str
    epoch: int | None = None


def share(value: float) -> str:
    """A share as text."""
    return f"{100 * value:.2g} %" if value < 1 else f"{100 * value:.0f} %"


def above(rise: float, what: str) -> str:
    """By which share something is higher than something else, as text."""
    return f"{share(rise)} above {what}" if rise < 1 else f"{1 + rise:.3g} times {what}"


def amount(ladder: Ladder, error: float) -> str:
    """An error as text."""
    return f"{100 * error:.3g} %" if ladder.percent else number(error)


def described(ladder: Ladder, gap: Gap) -> str:
    """A gap with its interval as text."""
    scale, unit = (100.0, " points") if ladder.percent else (1.0, "")
    interval = ""
    if gap.low is not None and gap.high is not None:
        interval = f" [{scale * gap.low:.3g}, {scale * gap.high:.3g}]"
    most = " at most" if gap.name == "avoidable bias" and not ladder.human else ""
    return f"{gap.name}{most} {scale * gap.value:.3g}{unit}{interval}"
