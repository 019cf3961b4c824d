"""The scores of several trainings as one, of folds or of seeds: mean, standard deviation, interval of the mean."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dlcli.evaluation import intervals
from dlcli.evaluation.estimate import estimate
from dlcli.evaluation.intervals import Interval
from dlcli.evaluation.metrics import EstimatedMetric, labels
from dlcli.evaluation.metrics.row_means import RowMean
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric

_CORRECTED = "corrected t"
FEWEST_RUNS = 5
"""Below it the mean of several trainings has no interval."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One metric over several trainings on the same rows.

    Attributes:
        name: of the metric.
        values: training by training; None where it does not exist.
        mean, sd: of the values; None where one is missing (sd: or there are fewer than 2).
        interval: of the mean over ever more trainings on these rows.
        greater_is_better: the direction of the metric.
    """

    name: str
    values: tuple[float | None, ...]
    mean: float | None
    sd: float | None
    interval: Interval
    greater_is_better: bool = True

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        interval = self.interval
        return {
            "name": self.name,
            "values": list(self.values),
            "mean": self.mean,
            "sd": self.sd,
            "low": interval.low,
            "high": interval.high,
            "reason": interval.reason or None,
            "greater_is_better": self.greater_is_better,
        }


@dataclass(frozen=True, slots=True)
class FoldScores:
    """One metric over all folds.

    Attributes:
        spread: fold by fold, repeat after repeat; its interval is of the expected score of this recipe,
            trained on as many rows as a fold trains on.
        degrees: of freedom of Student's t; None without it.
    """

    spread: Spread
    degrees: int | None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        found, interval = self.spread.as_json(), self.spread.interval
        more = {"method": interval.method or None, "n": interval.n, "degrees": self.degrees}
        return {"folds": found.pop("values"), **found, **more}


def summarize(
    metrics: Sequence[Metric],
    fold_scores: Sequence[Mapping[str, float]],
    folds: int,
    *,
    confidence: float = 0.95,
    dependence: str = "",
    pooled: ScoredRows | None = None,
) -> tuple[FoldScores, ...]:
    """Each metric over all folds.

    Args:
        metrics: what was scored.
        fold_scores: what `scores.score` gave for each fold, repeat after repeat.
        folds: how many folds one repeat has.
        confidence: of the intervals.
        dependence: why folds do not overlap as in plain k-fold, e.g. "each fold trains on more rows than
            the one before"; then there are no intervals.
        pooled: the out-of-fold rows of a single repeat. A mean over rows then takes its interval from them:
            the spread of a few folds says little.
    """
    found = []
    for metric, spread in zip(metrics, _spreads(metrics, fold_scores, "fold"), strict=True):
        values = _whole(spread)
        if values is None:
            found.append(FoldScores(spread, None))
            continue
        if dependence:
            interval = intervals.absent(dependence)
        elif pooled is not None and len(values) == folds and isinstance(metric, RowMean):
            interval = estimate(metric, pooled, confidence)
        else:
            interval = corrected_t(values, folds, confidence)
        by_t = interval.method == _CORRECTED
        found.append(FoldScores(_with(spread, interval, metric), len(values) - 1 if by_t else None))
    return tuple(found)


def spread(
    metrics: Sequence[Metric], run_scores: Sequence[Mapping[str, float]], *, confidence: float = 0.95
) -> tuple[Spread, ...]:
    """Each metric over several trainings that differ in the seed alone.

    From five on there is Student's interval of the mean; fewer say next to nothing of their spread.

    Args:
        metrics: what was scored.
        run_scores: what `scores.score` gave for each training.
        confidence: of the intervals.
    """
    found = []
    for metric, each in zip(metrics, _spreads(metrics, run_scores, "run"), strict=True):
        values = _whole(each)
        found.append(each if values is None else _with(each, _student(values, confidence), metric))
    return tuple(found)


def meaning_over_folds(folds: int, confidence: float) -> str:
    """What the interval of a mean over folds covers, in a sentence."""
    return (
        f"The {100 * confidence:.4g} % interval holds the expected score of this recipe trained on {folds - 1}/{folds} "
        "of this many rows, over new training sets and new rows; not the score of any one model."
    )


def meaning_over_runs(confidence: float) -> str:
    """What the interval of a mean over seeds covers, in a sentence."""
    return (
        f"The {100 * confidence:.4g} % interval holds the mean score of ever more trainings on these rows with other "
        "seeds; it knows nothing of other rows."
    )


def _spreads(metrics: Sequence[Metric], scores: Sequence[Mapping[str, float]], each_is: str) -> Iterator[Spread]:
    """Each metric's values, mean and deviation, as yet without an interval."""
    for name, metric in zip(labels(metrics), metrics, strict=True):
        values = np.array([each[name] for each in scores], dtype=np.float64)
        whole = len(values) > 0 and bool(np.isfinite(values).all())
        yield Spread(
            name,
            tuple(float(value) if math.isfinite(value) else None for value in values),
            float(values.mean()) if whole else None,
            float(values.std(ddof=1)) if whole and len(values) > 1 else None,
            intervals.absent(f"does not exist in every {each_is}"),
            metric.greater_is_better,
        )


def _whole(spread: Spread) -> intervals.Floats | None:
    """The values, if all exist."""
    return None if spread.mean is None else np.array(spread.values, dtype=np.float64)


def _student(values: intervals.Floats, confidence: float) -> Interval:
    count = len(values)
    if count < FEWEST_RUNS:
        return intervals.absent(f"takes at least {FEWEST_RUNS} runs", count)
    if np.ptp(values) == 0:
        return intervals.absent("every run scores the same", count)
    error = float(values.std(ddof=1)) / math.sqrt(count)
    quantile = intervals.student_quantile(confidence, count - 1)
    return intervals.on_scale(float(values.mean()), error, quantile, "plain", "Student's t", count)


def corrected_t(values: intervals.Floats, folds: int, confidence: float) -> Interval:
    """Nadeau and Bengio's interval (2003): m +- t s sqrt(1/J + 1/(K-1)) for J scores of K-fold rounds.

    The second term is for folds that share training rows; without it the interval would be far too narrow.
    """
    count = len(values)
    if count < 2:
        return intervals.absent("takes at least 2 folds", count)
    if np.ptp(values) == 0:
        return intervals.absent("every fold scores the same", count)
    mean = float(values.mean())
    half = intervals.student_quantile(confidence, count - 1) * corrected_error(values, folds)
    return Interval(mean - half, mean + half, _CORRECTED, count)


def corrected_error(values: intervals.Floats, folds: int) -> float:
    """The standard error of the mean of J scores of K-fold rounds: s sqrt(1/J + 1/(K-1)) (Nadeau and Bengio 2003)."""
    return float(values.std(ddof=1)) * math.sqrt(1 / len(values) + 1 / (folds - 1))


def _with(spread: Spread, interval: Interval, metric: Metric) -> Spread:
    """The spread with its interval, inside the range of the score."""
    if isinstance(metric, EstimatedMetric):
        interval = interval.within(*metric.bounds())
    return replace(spread, interval=interval)
