"""Whether a model has learned anything: its score against a baseline's on the same rows or folds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from dlcli.evaluation.comparison import FOUND, Difference, by_effective_rows, over_folds, paired
from dlcli.evaluation.estimate import estimate
from dlcli.evaluation.intervals import normal_quantile
from dlcli.evaluation.metrics import (
    Accuracy,
    AveragePrecision,
    EstimatedMetric,
    MeanAveragePrecision,
    MeanSquaredError,
    RocAuc,
    label,
    labels,
)
from dlcli.evaluation.metrics.right_rows import HammingLoss
from dlcli.evaluation.metrics.row_means import RowMean
from dlcli.evaluation.rows import ScoredRows
from dlcli.numbers import rounded
from dlcli.part import Metric
from dlcli.task import NUMBERS, Task

_GAMEABLE = frozenset(
    {
        *("precision", "recall", "specificity", "f1", "fbeta", "jaccard", "mean_cost"),
        *("positive_likelihood_ratio", "negative_likelihood_ratio"),
        *("mape", "msle", "rmsle", "mean_pinball_loss", "d2_pinball", "d2_absolute_error"),
        *("median_absolute_error", "max_error"),
    }
)
"""Metrics in which some constant, or a guess, beats the majority class or the mean."""
_BIASED = frozenset({AveragePrecision.part_name, MeanAveragePrecision.part_name})
"""Metrics in which a random ranking of few rows lies above chance: folds repeat that, and would call it power."""
_AT_THRESHOLD = frozenset({"accuracy", "zero_one_loss", "balanced_accuracy", "cohen_kappa", "matthews_corrcoef"})
"""Metrics of predicted classes, which a threshold that was chosen for another end may well make worse."""
_NOTHING = 1e-12
_FEWEST = 5
"""Rows that each class needs where no interval but the first-order one is known."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a model is better than its baseline.

    Attributes:
        metric: the name of the metric that it rests on.
        difference: the model's score minus the baseline's.
        doubt: what to think of a difference that may be chance.
        against: what the baseline is called.
        linear: the same beside a linear model, where there is one.
    """

    metric: str
    difference: Difference
    doubt: str = ""
    against: str = "the baseline"
    linear: Verdict | None = None

    @property
    def power(self) -> bool | None:
        """Whether the interval leaves no doubt that the model is better; None where there is no interval."""
        return None if self.difference.low is None else self.difference.better == "a"

    @property
    def detectable(self) -> float | None:
        """The gain that such rows would show in 4 of 5 tries."""
        return self.difference.detectable

    @property
    def gap(self) -> str:
        """The difference in words, or why none is known."""
        value, low, high = self.difference.value, self.difference.low, self.difference.high
        if value is None or low is None or high is None:
            return self.difference.reason
        shown = partial(rounded, width=high - low)
        ends = f"{shown(low)} to {shown(high)}" if value >= 0 else f"{shown(-high)} to {shown(-low)}"
        return f"{self.metric} {shown(abs(value))} {'above' if value >= 0 else 'below'} {self.against} ({ends})"

    @property
    def sentence(self) -> str:
        """The verdict in words."""
        words = {None: "no verdict on statistical power", True: "has statistical power", False: "no statistical power"}
        told = f"{words[self.power]}: {self.gap}{self.doubt}"
        if self.linear is None or self.linear.power is None:
            return told
        standing = {"a": "better", "b": "worse", None: "not better"}[self.linear.difference.better]
        return f"{told}; {standing} than a linear model: {self.linear.gap}"

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        difference = self.difference.as_json()
        found = {"metric": self.metric, **difference, "power": self.power, "sentence": self.sentence}
        return found | {"linear": None if self.linear is None else self.linear.as_json()}


def fair(metrics: Sequence[Metric], task: Task, *, chosen_threshold: bool = False) -> dict[str, Metric]:
    """The metrics in which no answer that looks at no input beats the baseline, by name; then the task's plainest.

    Where the threshold was chosen for another end, e.g. a high recall, a binary task is judged by ranks.

    F1 and its kin are none of them: against a majority class that scores 0 any guess wins. Nor is the mean average
    precision of classes, in which a random ranking lies above the share of positives.
    """
    plainest: Metric = (
        HammingLoss() if task is Task.MULTILABEL else MeanSquaredError() if task in NUMBERS else Accuracy()
    )
    gameable = _GAMEABLE | _BIASED if task is Task.MULTICLASS else _GAMEABLE
    if chosen_threshold and task is Task.BINARY:
        gameable, plainest = gameable | _AT_THRESHOLD, RocAuc()
    named = zip(labels(metrics), metrics, strict=True)
    return {name: each for name, each in named if each.part_name not in gameable} | {label(plainest): plainest}


def verdict(
    metrics: Sequence[Metric],
    model: ScoredRows,
    baseline: ScoredRows,
    confidence: float = 0.95,
    *,
    chosen_threshold: bool = False,
) -> Verdict:
    """Whether a model is better than a baseline on the same rows, by the first fair metric that can tell.

    Args:
        metrics: of the experiment, the most important first.
        model: the rows with the model's predictions.
        baseline: the same rows with the baseline's.
        confidence: of the interval.
        chosen_threshold: whether rows chose the threshold.
    """
    found = None
    for name, metric in fair(metrics, model.goal.task, chosen_threshold=chosen_threshold).items():
        if not np.isfinite(model.prediction).all():
            return _verdict(name, Difference(None, reason="predictions are not finite"))
        difference = _beyond_baseline(metric, model, baseline, confidence)
        if difference.low is not None:
            room = _room(metric, baseline.score(metric))
            return _verdict(name, difference, f"with {len(model):,} rows", room)
        found = found or _verdict(name, difference)
    assert found is not None
    return found


def _beyond_baseline(metric: Metric, model: ScoredRows, baseline: ScoredRows, confidence: float) -> Difference:
    """The model's score minus the baseline's; where that one is sure, the model's alone is uncertain."""
    if not isinstance(metric, EstimatedMetric) or not _is_sure(metric, baseline):
        return paired(metric, model, baseline, confidence)
    chance = baseline.score(metric)
    value, interval = model.score(metric) - chance, estimate(metric, model, confidence)
    if not math.isfinite(value):
        return Difference(None, reason="the score does not exist for these rows")
    if interval.low is None or interval.high is None:
        found = Difference(value, n=interval.n, reason=interval.reason)
        influence = metric.influence(model)
        if influence is not None and not model.ordered and model.groups is None and _rarest(model) >= _FEWEST:
            found = by_effective_rows(value, influence, model.weights(), confidence, "t of effective rows")
        return replace(found, greater_is_better=metric.greater_is_better)
    z = normal_quantile(confidence)
    detectable = (interval.high - interval.low) / (2 * z) * (z + normal_quantile(2 * FOUND - 1))
    ends = interval.low - chance, interval.high - chance
    found = Difference(value, *ends, None, interval.method, interval.n, "", detectable)
    return replace(found, greater_is_better=metric.greater_is_better)


def _rarest(rows: ScoredRows) -> int:
    """How many rows the rarest class has, or the rarest answer to a label; of numbers all rows are one class."""
    if rows.goal.task in NUMBERS:
        return len(rows)
    if rows.goal.task is Task.MULTILABEL:
        positive = rows.truth.sum(axis=0)
        return int(min(positive.min(), (len(rows) - positive).min()))
    return int(np.bincount(rows.truth, minlength=len(rows.goal.classes)).min())


def _is_sure(metric: EstimatedMetric, baseline: ScoredRows) -> bool:
    """Whether other rows would give the baseline the same score, as one that ranks none above another."""
    if isinstance(metric, RowMean) or np.ptp(baseline.prediction, axis=0).any():
        return False
    if isinstance(metric, AveragePrecision | MeanAveragePrecision):  # so far as they have as many positives
        return True
    influence = metric.influence(baseline)
    return influence is None or bool(np.abs(influence).max() < _NOTHING)


def verdict_over_folds(
    metrics: Sequence[Metric],
    task: Task,
    model: Sequence[Mapping[str, float | None]],
    baseline: Sequence[Mapping[str, float | None]],
    folds: int,
    confidence: float = 0.95,
    *,
    dependence: str = "",
    chosen_threshold: bool = False,
) -> Verdict:
    """Whether a recipe is better than the baselines of the same folds, by the first fair metric that can tell.

    Args:
        metrics: of the experiment, the most important first.
        task: the task.
        model: the scores by name, fold by fold, repeat after repeat; None or NaN where one does not exist.
        baseline: those of the baselines.
        folds: how many folds one repeat has.
        confidence: of the interval.
        dependence: why folds do not overlap as in plain k-fold; then there is no verdict.
        chosen_threshold: whether rows chose the threshold.
    """
    found = None
    for name, metric in fair(metrics, task, chosen_threshold=chosen_threshold).items():
        if metric.part_name in _BIASED or not all(name in scores for scores in (*model, *baseline)):
            continue
        ours, theirs = ([scores[name] for scores in side] for side in (model, baseline))
        difference = over_folds(metric, ours, theirs, folds, confidence, dependence=dependence)
        if difference.low is not None:
            room = _room(metric, float(np.mean([value for value in theirs if value is not None])))
            return _verdict(name, difference, f"over {len(model):,} folds", room)
        found = found or _verdict(name, difference)
    reason = f"in {', '.join(labels(metrics))} a guess can beat the baseline; add a metric in which it cannot"
    return found or _verdict(labels(metrics)[0], Difference(None, reason=reason))


def _room(metric: Metric, baseline: float) -> float:
    """How much better than the baseline a score can be."""
    if not isinstance(metric, EstimatedMetric):
        return math.inf
    lowest, highest = metric.bounds()
    return highest - baseline if metric.greater_is_better else baseline - lowest


def _verdict(name: str, difference: Difference, rows: str = "", room: float = math.inf) -> Verdict:
    low, high, detectable = difference.low, difference.high, difference.detectable
    if low is None or high is None or detectable is None or difference.better is not None:
        return Verdict(name, difference)
    doubt = f" is not distinguishable {rows}"
    if detectable < room:
        gain = rounded(detectable, width=high - low)
        return Verdict(name, difference, f"{doubt}; a gain of {gain} would be found in 4 of 5 tries")
    return Verdict(name, replace(difference, detectable=None), doubt)  # no score is so good
