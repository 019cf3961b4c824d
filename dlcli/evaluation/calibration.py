"""How far probabilities can be trusted, and the one temperature that makes them more trustworthy.

Temperature scaling (Guo et al. 2017): logits, or log probabilities of several classes, divided by one T > 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation.counts import effective_rows
from dlcli.evaluation.errors import brier_losses, mean
from dlcli.evaluation.rows import ScoredRows
from dlcli.task import LABELS, Goal, Task

if TYPE_CHECKING:
    import keras

Floats = NDArray[np.float64]

BINS = 15
"""Equal widths of confidence over which the calibration error is taken."""
DRAWS = 200
"""Draws of labels from the model's own confidences."""
FITTED = "these rows fitted the temperature"
"""Why they cannot say how well calibrated the model is."""
_GAIN = 3.84
"""A temperature is kept where twice the gain in log likelihood exceeds this, the 95 % point of chi-squared."""
_COLDEST, _HOTTEST = 1 / 20, 20.0
_HALVINGS = 40
"""Of the range of temperatures, to 12 digits."""
_SMALLEST = 2.0**-126
"""The smallest normal float32: what a probability of 0 counts as."""
_FROM_ONE = 2.0**-25
"""What a probability of 1 lacks of it: half of what the float32 below it lacks, so that both stay apart."""
_MANY_ROWS = 20_000
"""With more rows, the sum of drawn labels in a bin is drawn at once, as normally distributed."""


def temper(goal: Goal, prediction: Floats, temperature: float) -> Floats:
    """Probabilities at a temperature, of the same shape: above 1 less sure, below 1 surer.

    Args:
        goal: task and classes.
        prediction: probabilities (rows,) for binary, else (rows, classes) or (rows, labels).
        temperature: above 0; 1 changes nothing.
    """
    if temperature == 1:
        return prediction
    return _probabilities(goal, _logits(goal, prediction) / temperature)


def temper_ops(goal: Goal, tensor: keras.KerasTensor, temperature: float) -> keras.KerasTensor:
    """What `temper` does, as Keras operations for a model: stock ones, which load without dlcli.

    Args:
        goal: task and classes.
        tensor: probabilities (rows, 1) for binary, else (rows, classes) or (rows, labels).
        temperature: above 0; 1 changes nothing.
    """
    from keras import ops

    if temperature == 1:
        return tensor
    log = ops.log(ops.maximum(tensor, _SMALLEST))
    if goal.task is Task.MULTICLASS:
        return ops.softmax(log / temperature, axis=-1)
    return ops.sigmoid((log - ops.log(ops.maximum(1.0 - tensor, _FROM_ONE))) / temperature)


def _logits(goal: Goal, prediction: Floats) -> Floats:
    """Log odds of each label, or log probabilities of classes; finite also where float32 rounded to 0 or 1."""
    log = np.log(np.maximum(prediction, _SMALLEST))
    if goal.task is Task.MULTICLASS:
        return log
    return np.asarray(log - np.log(np.maximum(1 - prediction, _FROM_ONE)))


def _probabilities(goal: Goal, logits: Floats) -> Floats:
    if goal.task is Task.MULTICLASS:
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))


def fit_temperature(goal: Goal, truth: NDArray[Any], prediction: Floats, weight: Floats | None) -> tuple[float, str]:
    """The temperature with the smallest log loss on these rows, if it is surely better than 1.

    It is kept where 2 n (loss at 1 - loss at T) > 3.84, n being the number of rows, by Kish with weights. In
    multilabel the loss is the mean over labels and n the number of labels in all rows, divided by how much the
    labels of one row speak alike: the mean square of a row's summed slope over the sum of its mean squares,
    1 for independent labels, the number of labels where all say the same.

    Args:
        goal: of a task with classes or labels.
        truth: as `Metric.compute` takes it, as the next two.
        prediction: probabilities.
        weight: (rows,) or None.

    Returns:
        The temperature between 0.05 and 20, 1 where none is better, and a note that says why it is 1.
    """
    weights = np.ones(len(truth)) if weight is None else weight
    counted = weights > 0
    truth, prediction, weights = truth[counted], prediction[counted], weights[counted]
    if not len(truth):
        return 1.0, "temperature 1, since there are no rows to choose it on"
    if not np.isfinite(prediction).all():
        return 1.0, "temperature 1, since predictions are not finite"
    logits = _logits(goal, prediction)
    if _all_right(goal, truth, logits):
        return 1.0, "temperature 1, since every answer is right: the lower, the better it would seem"

    def slope(sharpness: float) -> float:
        return float(np.sum(weights[:, None] * _slopes(goal, truth, logits, sharpness)))

    sharpness = _root(slope, 1 / _HOTTEST, 1 / _COLDEST)
    losses = (_log_losses(goal, truth, logits, each).mean(axis=1) for each in (1.0, sharpness))
    before, after = (float(mean(each, weights)) for each in losses)
    if 2 * _independent_answers(goal, truth, logits, weights) * (before - after) > _GAIN:
        return 1 / sharpness, ""
    return 1.0, f"temperature 1, since {1 / sharpness:.3g} is not surely better"


def _root(slope: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses 0, by bisection on the log scale; an end where it does not.

    The log loss is convex in 1 / T, so its slope rises and no second minimum can be missed.
    """
    ends = math.log(low), math.log(high)
    for _ in range(_HALVINGS):
        middle = sum(ends) / 2
        ends = (ends[0], middle) if slope(math.exp(middle)) > 0 else (middle, ends[1])
    return math.exp(sum(ends) / 2)


def _all_right(goal: Goal, truth: NDArray[Any], logits: Floats) -> bool:
    """Whether no answer is wrong, so that the loss falls with the temperature, down to 0."""
    if goal.task is Task.MULTICLASS:
        return bool((logits[np.arange(len(truth)), truth] >= logits.max(axis=1)).all())
    return bool((np.where(truth == 1, logits, -logits) >= 0).all())


def _slopes(goal: Goal, truth: NDArray[Any], logits: Floats, sharpness: float) -> Floats:
    """Derivative of each row's loss by 1 / T, (rows, labels), one column in tasks with one class per row."""
    probabilities = _probabilities(goal, logits * sharpness)
    if goal.task is Task.MULTICLASS:
        return np.asarray((probabilities * logits).sum(axis=1) - logits[np.arange(len(truth)), truth])[:, None]
    return _columns((probabilities - truth) * logits)


def _log_losses(goal: Goal, truth: NDArray[Any], logits: Floats, sharpness: float) -> Floats:
    """Each row's loss at 1 / T, (rows, labels); not clipped, so that it stays convex."""
    tempered = logits * sharpness
    if goal.task is Task.MULTICLASS:
        top = tempered.max(axis=1)
        sums = top + np.log(np.exp(tempered - top[:, None]).sum(axis=1))
        return np.asarray(sums - tempered[np.arange(len(truth)), truth])[:, None]
    return _columns(np.logaddexp(0, np.where(truth == 1, -tempered, tempered)))


def _columns(values: Floats) -> Floats:
    return values[:, None] if values.ndim == 1 else values


def _independent_answers(goal: Goal, truth: NDArray[Any], logits: Floats, weights: Floats) -> float:
    """How many independent answers the rows are worth."""
    rows = effective_rows(weights)
    if goal.task is not Task.MULTILABEL:
        return rows
    slopes = _slopes(goal, truth, logits, 1.0) * weights[:, None]
    together, alone = float(np.sum(slopes.sum(axis=1) ** 2)), float(np.sum(slopes**2))
    alike = min(max(together / alone, 1.0), goal.outputs) if alone > 0 else 1.0
    return rows * goal.outputs / alike


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of like confidence.

    Attributes:
        low, high: between which confidences.
        rows: how many answers.
        confidence: their mean confidence.
        share: how many of them are right; of labels: are 1.
    """

    low: float
    high: float
    rows: int
    confidence: float
    share: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How well confidences match the shares of right answers.

    Attributes:
        ece: expected calibration error, the mean over answers of how far the share of their bin is from its
            confidence; None where `reason` says why.
        noise_floor: the mean error that a perfectly calibrated model would show on as many rows.
        p: share of draws from such a model with an error at least as great; None where rows depend on each other.
        brier: mean squared error of the probabilities, as the metric of that name; over labels the mean.
        bins: those that hold answers, from the lowest confidence on.
        reason: why there is no error, or no p.
    """

    ece: float | None
    noise_floor: float | None
    p: float | None
    brier: float
    bins: tuple[Bin, ...]
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"bins": [asdict(each) for each in self.bins], "reason": self.reason or None}


def calibration(rows: ScoredRows, *, fitted_temperature: bool = False) -> Calibration | None:
    """The calibration of rows, over 15 bins of equal width; None where there is nothing to compare.

    A row's confidence is the probability of its likeliest class, which is right or not (top label); the
    decision threshold plays no part. In multilabel every label of every row is an answer of its own, its
    confidence the probability that the label is 1, and "right" that it is 1. The error is biased up: a
    calibrated model shows the noise floor, the mean over 200 draws of answers from its own confidences, and p
    compares with those draws (Broecker and Smith 2007); they take answers to be independent.

    Args:
        rows: of a task with classes or labels.
        fitted_temperature: whether a temperature was chosen on these rows: then there are no error and no bins.
    """
    answers = _answers(rows)
    if answers is None:
        return None
    confidence, right, weights = answers
    brier = _brier(rows)
    if fitted_temperature:
        return Calibration(None, None, None, brier, (), FITTED)
    edges = np.linspace(0, 1, BINS + 1)
    number = np.searchsorted(edges[1:-1], confidence, side="right")
    mass, expected, found = (
        np.bincount(number, weights * each, BINS) for each in (np.ones(len(weights)), confidence, right)
    )
    error = float(abs(found - expected).sum() / mass.sum())
    drawn = abs(_drawn_sums(number, confidence, weights) - expected).sum(axis=1) / mass.sum()
    count = np.bincount(number, minlength=BINS)
    ends = edges.tolist()
    bins = tuple(
        Bin(
            ends[each],
            ends[each + 1],
            int(count[each]),
            *(float(sums[each] / mass[each]) for sums in (expected, found)),
        )
        for each in np.flatnonzero(mass)
    )
    dependent = rows.groups is not None or rows.ordered
    p = None if dependent else float(np.mean(drawn >= error))
    return Calibration(error, float(drawn.mean()), p, brier, bins, "rows depend on each other" if dependent else "")


def _answers(rows: ScoredRows) -> tuple[Floats, Floats, Floats] | None:
    """Confidence, whether right (0 or 1), and weight of each answer (answers,); those of weight 0 are left out."""
    truth, prediction, task = rows.truth, rows.prediction, rows.goal.task
    if task not in LABELS or not len(rows) or not np.isfinite(prediction).all():
        return None
    weights = rows.weights()
    if task is Task.BINARY:
        confidence, right = np.maximum(prediction, 1 - prediction), (prediction >= 1 / 2) == truth
    elif task is Task.MULTICLASS:
        confidence, right = prediction.max(axis=1), prediction.argmax(axis=1) == truth
    else:
        confidence, right, weights = prediction.ravel(), truth.ravel() == 1, np.repeat(weights, prediction.shape[1])
    counted = weights > 0
    if not counted.any():
        return None
    return confidence[counted], right[counted].astype(np.float64), weights[counted]


def _drawn_sums(number: NDArray[np.int64], confidence: Floats, weights: Floats) -> Floats:
    """Sums of the weights of right answers in each bin, if each is right with its confidence: (draws, bins)."""
    generator = np.random.default_rng(0)
    if len(number) > _MANY_ROWS:
        sums = np.bincount(number, weights * confidence, BINS)
        spread = np.sqrt(np.bincount(number, weights**2 * confidence * (1 - confidence), BINS))
        return generator.normal(sums, spread, (DRAWS, BINS))
    draws = (generator.random(len(number)) < confidence for _ in range(DRAWS))
    return np.array([np.bincount(number, weights * right, BINS) for right in draws])


def _brier(rows: ScoredRows) -> float:
    if rows.goal.task is Task.MULTILABEL:
        return float(mean(((rows.truth - rows.prediction) ** 2).mean(axis=1), rows.weight))
    return float(mean(brier_losses(rows.goal, rows.truth, rows.prediction), rows.weight))
