"""Where the error is: reference, training, validation and test as errors of one metric, and the gaps between them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from dlcli.evaluation.diagnosis.courses import Course
from dlcli.evaluation.fold_scores import corrected_t
from dlcli.task import LABELS, Task

RungName = Literal["baseline", "linear", "reference", "training", "validation", "test"]
GapName = Literal["avoidable bias", "variance", "validation to test"]
ERROR = "error"
"""The key under `human_level` that names an error, whatever the metric."""
_PREFERRED = ("rmse", "mse", "r2", "mae")
"""Which metric of numbers is diagnosed, the first that there is."""
_STEPS: tuple[tuple[GapName, RungName, RungName], ...] = (
    ("avoidable bias", "reference", "training"),
    ("variance", "training", "validation"),
    ("validation to test", "validation", "test"),
)


@dataclass(frozen=True, slots=True)
class Measured:
    """A score as `scores.json` holds it.

    Attributes:
        value: the score.
        low, high: its interval; None where there is none.
        greater_is_better: its direction.
        starred: whether the rows chose something, so that it flatters.
    """

    value: float
    low: float | None = None
    high: float | None = None
    greater_is_better: bool = True
    starred: bool = False


@dataclass(frozen=True, slots=True)
class Rung:
    """The error of some rows.

    Attributes:
        name: which rows; `reference`: the best that can be reached, `baseline`: what looks at no input,
            `linear`: a model without hidden layers, on the validation rows.
        error, low, high: the error with its interval; None for ends that are not known.
        score: the metric itself, where the error is made from it.
        rows: how many.
        starred: whether these rows chose something.
    """

    name: RungName
    error: float
    low: float | None = None
    high: float | None = None
    score: float | None = None
    rows: int | None = None
    starred: bool = False


@dataclass(frozen=True, slots=True)
class Gap:
    """A step of the ladder: the error of `above` minus that of `below`, with its interval."""

    name: GapName
    below: RungName
    above: RungName
    value: float
    low: float | None = None
    high: float | None = None

    @property
    def established(self) -> bool:
        """Whether it is more than rows that happened to be drawn explain."""
        return self.low is not None and self.low > 0


@dataclass(frozen=True, slots=True)
class Ladder:
    """Errors of one metric, the smallest to be expected first.

    Attributes:
        metric: which.
        error: how the error follows from it, in words.
        rungs: those that are known.
        gaps: between the rungs that are known.
        percent: whether the errors are shares of rows.
        human: whether the reference is a level that people reach; else it is 0, which may be out of reach.
        note: what is not known, and why.
    """

    metric: str
    error: str
    rungs: tuple[Rung, ...]
    gaps: tuple[Gap, ...]
    percent: bool = False
    human: bool = False
    note: str = ""

    def rung(self, name: RungName) -> Rung | None:
        """One rung, if it is known."""
        return next((rung for rung in self.rungs if rung.name == name), None)

    def gap(self, name: GapName) -> Gap | None:
        """One gap, if both of its ends are known."""
        return next((gap for gap in self.gaps if gap.name == name), None)

    @property
    def least(self) -> float:
        """The error of the reference."""
        reference = self.rung("reference")
        return reference.error if reference else 0.0

    @property
    def unit(self) -> float:
        """What there was to gain: the baseline's error minus the reference; 1 where that says nothing."""
        baseline = self.rung("baseline")
        gain = (baseline.error if baseline else 1.0) - self.least
        return gain if gain > 0 else 1.0

    @property
    def largest(self) -> Gap | None:
        """The largest of the gaps that are established; None where none is."""
        return max((gap for gap in self.gaps if gap.established), key=lambda gap: gap.value, default=None)

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        largest = self.largest
        return {
            "metric": self.metric,
            "error": self.error,
            "percent": self.percent,
            "human": self.human,
            "rungs": [asdict(rung) for rung in self.rungs],
            "gaps": [asdict(gap) | {"established": gap.established} for gap in self.gaps],
            "largest": largest.name if largest else None,
            "note": self.note or None,
        }


@dataclass(frozen=True, slots=True)
class _Measure:
    """How an error is made from a metric: 1 - score, or (score / unit) to a power."""

    metric: str
    rest: bool
    unit: float = 1.0
    power: int = 1

    def error(self, score: float) -> float:
        return 1 - score if self.rest else (score / self.unit) ** self.power

    def words(self) -> str:
        if self.rest:
            return f"1 - {self.metric}"
        if self.unit == 1.0:
            return self.metric
        ratio = f"{self.metric} / {self.metric} of the baseline"
        return f"({ratio})², the share of the spread that is left" if self.power == 2 else ratio

    def rung(self, name: RungName, score: Measured, rows: int | None) -> Rung:
        ends = sorted(self.error(end) for end in (score.low, score.high) if end is not None)
        low, high = ends if len(ends) == 2 else (None, None)
        return Rung(name, self.error(score.value), low, high, score.value, rows, score.starred)


def from_scores(
    task: Task,
    scores: Mapping[str, Mapping[str, Measured]],
    baseline: Mapping[str, Measured],
    rows: Mapping[str, int],
    human_level: Mapping[str, float] | None = None,
    linear: Mapping[str, Measured] | None = None,
) -> Ladder | None:
    """The ladder of a run whose rows were scored; None where no score is a number.

    Args:
        task: what is predicted.
        scores: by subset ("train", "validation", "test") and metric.
        baseline: the baseline's scores on the training rows, by metric.
        rows: of each subset.
        human_level: the reference, under `error` or a metric's name.
        linear: the scores of a model without hidden layers on the validation rows.
    """
    human = dict(human_level or {})
    names = next(iter(scores.values()), {})
    metric = _metric(task, names, human)
    if metric is None:
        return None
    base = baseline.get(metric)
    measure = _measure(metric, names[metric], base)
    rungs = []
    if base is not None:
        rungs.append(measure.rung("baseline", Measured(base.value, starred=False), None))
    if linear and metric in linear:
        rungs.append(measure.rung("linear", linear[metric], rows.get("validation")))
    known = ERROR in human or metric in human
    level = human[ERROR] if ERROR in human else measure.error(human[metric]) if metric in human else 0.0
    rungs.append(Rung("reference", level, level, level))
    subsets: tuple[tuple[RungName, str], ...] = (("training", "train"), ("validation",) * 2, ("test",) * 2)
    rungs += [
        measure.rung(name, scores[subset][metric], rows.get(subset))
        for name, subset in subsets
        if metric in scores.get(subset, {})
    ]
    percent = measure.rest and task in LABELS
    return Ladder(metric, measure.words(), tuple(rungs), _gaps(rungs), percent=percent, human=known)


def from_losses(courses: Sequence[Course], naive: float | None, folds: int | None, confidence: float) -> Ladder | None:
    """The ladder of a run whose training rows were not scored: losses of the chosen epochs.

    Args:
        courses: one, or one per fold.
        naive: the loss of an answer that looks at no input, if it is known.
        folds: how many folds one round has; None for a single training.
        confidence: of the intervals over folds.
    """
    courses = [course for course in courses if course.epochs]
    if not courses:
        return None
    fitted = np.array([course.at_chosen(course.loss) for course in courses])
    held = np.array([course.at_chosen(course.val_loss) for course in courses if course.val_loss is not None])
    rungs = [Rung("baseline", naive)] if naive else []
    rungs.append(_mean("training", fitted, folds, confidence))
    gaps: tuple[Gap, ...] = ()
    if len(held) == len(fitted):
        rungs.append(_mean("validation", held, folds, confidence))
        step = _mean("validation", held - fitted, folds, confidence)
        gaps = (Gap("variance", "training", "validation", step.error, step.low, step.high),)
    note = "the training loss is the mean while an epoch went on: dropout and augmentation are in it"
    if folds is not None:
        note += "; validation: the inner rows, which chose the epochs"
    return Ladder("loss", "loss", tuple(rungs), gaps, note=note)


def _mean(name: RungName, values: Any, folds: int | None, confidence: float) -> Rung:
    low = high = None
    if folds is not None:
        interval = corrected_t(values, folds, confidence)
        low, high = interval.low, interval.high
        if low is not None and (values >= 0).all():
            low = max(low, 0.0)
    return Rung(name, float(values.mean()), low, high, starred=name == "validation")


def _metric(task: Task, names: Mapping[str, Measured], human: Mapping[str, float]) -> str | None:
    """The metric whose error is diagnosed: that of the reference, accuracy, that of numbers, else the first."""
    usable = [name for name, score in names.items() if math.isfinite(score.value)]
    wanted = (*human, "accuracy") if task in LABELS else (*human, *_PREFERRED)
    return next((name for name in wanted if name in usable), next(iter(usable), None))


def _measure(metric: str, score: Measured, baseline: Measured | None) -> _Measure:
    if score.greater_is_better:
        return _Measure(metric, rest=True)
    unit = baseline.value if baseline is not None and baseline.value > 0 else 1.0
    return _Measure(metric, rest=False, unit=unit, power=2 if metric == "rmse" else 1)


def _gaps(rungs: Sequence[Rung]) -> tuple[Gap, ...]:
    """The gaps between rungs of different rows, with the interval of Zou and Donner (2008).

    The reference is a number, not an estimate. Rows of different subsets are independent of each other.
    """
    known = {rung.name: rung for rung in rungs}
    found = []
    for name, below, above in _STEPS:
        if below not in known or above not in known:
            continue
        a, b = known[below], known[above]
        value, low, high = b.error - a.error, None, None
        if a.low is not None and a.high is not None and b.low is not None and b.high is not None:
            low = value - math.hypot(b.error - b.low, a.high - a.error)
            high = value + math.hypot(b.high - b.error, a.error - a.low)
        found.append(Gap(name, below, above, value, low, high))
    return tuple(found)
