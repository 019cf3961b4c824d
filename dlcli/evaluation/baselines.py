"""What simple answers reach: constants and a guess that look at no input, the past of a series, a linear model.

All are fitted on training rows alone, in bounded time for any number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import linear
from dlcli.evaluation.forecasts import Course
from dlcli.evaluation.persistence import Past, season
from dlcli.evaluation.thresholds import NEUTRAL, Rule, choose
from dlcli.task import NUMBERS, Goal, Task

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Kind = Literal["majority", "stratified", "mean", "median", "persistence", "seasonal", "linear"]
LINEAR: Kind = "linear"
_GUESS_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows as a baseline may see them.

    Attributes:
        numbers: int64 (rows,), their row numbers in the source.
        inputs: what the network gets of rows by number, float32 (rows, *shape); None where these are codes for
            an embedding, which are no amounts.
        past: of numeric targets in time order, with the truth of every row that is known.
        course: of forecasts, in place of `numbers` being rows they are the ends of windows.
    """

    numbers: Integers
    inputs: Callable[[Integers], NDArray[np.float32]] | None = None
    past: Past | None = None
    course: Course | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Baseline:
    """A simple answer.

    Attributes:
        name: what it is, e.g. "majority class No".
        kind: which of them it is.
        reference: whether it is the one that a model is judged by.
        threshold: what to score it with, (labels,) where each label has its own: at 0.5 the shares of the classes
            answer the majority.
    """

    name: str
    kind: Kind
    reference: bool = False
    threshold: float | Floats = NEUTRAL

    def predict(self, rows: Rows) -> Floats:
        """The answer for each of the rows, as `Metric.compute` takes it: (rows,) for binary, else (rows, outputs)."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Constant(Baseline):
    """The same answer for every row. `answer`: () for binary, else (outputs,)."""

    answer: Floats

    def predict(self, rows: Rows) -> Floats:
        """The answer, once per row."""
        return np.broadcast_to(self.answer, (len(rows.numbers), *self.answer.shape)).copy()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Guess(Baseline):
    """Classes drawn at random with their shares, always by the same draw.

    Attributes:
        shares: of the classes or labels: () for binary, else (outputs,).
        one_class: whether each row has exactly one of them.
    """

    shares: Floats
    one_class: bool

    def predict(self, rows: Rows) -> Floats:
        """1 for what was drawn, else 0."""
        generator, count = np.random.default_rng(_GUESS_SEED), len(rows.numbers)
        if not self.one_class:
            return (generator.random((count, *self.shares.shape)) < self.shares).astype(np.float64)
        drawn = generator.choice(len(self.shares), size=count, p=self.shares)
        return np.eye(len(self.shares))[drawn]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Persistence(Baseline):
    """The truth `lag` rows before in the same series; where that is not known yet, `mean` (targets,)."""

    lag: int
    mean: Floats

    def predict(self, rows: Rows) -> Floats:
        """The truth of an earlier row for each; it never looks at the row itself or a later one."""
        assert rows.past is not None
        before = rows.past.row_before(self.lag)
        if self.lag > 1:  # in its first season the row before is the best that is known
            before = np.where(before >= 0, before, rows.past.row_before(1))
        before = before[rows.numbers]
        return np.where((before >= 0)[:, None], rows.past.truth[before], self.mean)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Repetition(Baseline):
    """For each step ahead the newest known value a whole number of lags before it; else `mean` (outputs,)."""

    lag: int
    mean: Floats

    def predict(self, rows: Rows) -> Floats:
        """(rows, steps x targets)."""
        assert rows.course is not None
        steps = rows.course.repeated(rows.numbers, self.lag)
        if self.lag > 1:  # in its first season the last value is the best that is known
            steps = np.where(np.isfinite(steps), steps, rows.course.repeated(rows.numbers, 1))
        flat = steps.reshape(len(steps), -1)
        return np.where(np.isfinite(flat), flat, self.mean)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Linear(Baseline):
    """Logistic or ridge regression on what the network gets."""

    model: linear.Model

    def predict(self, rows: Rows) -> Floats:
        """Its probabilities or numbers."""
        assert rows.inputs is not None
        return self.model.predict(rows.inputs, rows.numbers)


def standing(name: str, kind: str) -> str:
    """What a baseline is called where something stands above or below it."""
    return f"the {name}" if kind in ("majority", "mean", "median") else name


def fit(
    goal: Goal, train: Rows, truth: NDArray[Any], weight: Floats | None, *, first_metric: str
) -> tuple[Baseline, ...]:
    """Fits the baselines that look at no input; the first is the reference.

    The reference is the majority class; for numbers the mean, or the median where the first metric is mae; for
    numbers in time order the row before.

    Args:
        goal: task and classes.
        train: the training rows.
        truth: of these rows, as `Metric.compute` takes it.
        weight: of these rows (rows,), or None.
        first_metric: the label of the first metric.
    """
    if goal.task not in NUMBERS:
        return tuple(_of_classes(goal, truth, weight))
    mean = Constant(name="mean", kind="mean", answer=_mean(truth, weight))
    median = Constant(name="median", kind="median", answer=_median(truth, weight))
    constants = (median, mean) if first_metric == "mae" else (mean, median)
    found: tuple[Persistence | Repetition | Constant, ...] = (*_of_past(train, mean.answer), *constants)
    return (replace(found[0], reference=True), *found[1:])


def fit_linear(
    goal: Goal, train: Rows, truth: NDArray[Any], weight: Floats | None, rule: Rule = NEUTRAL
) -> Linear | str:
    """Fits logistic regression to classes (one for each label), or ridge regression to numbers.

    Its threshold follows the same rule as the model's, on the training rows. Its name says how many rows it was fitted
    to where these are not all.

    Args:
        goal: as of `fit`.
        train: as of `fit`.
        truth: as of `fit`.
        weight: as of `fit`.
        rule: how the threshold is found.

    Returns:
        the baseline, or why there is none.
    """
    if train.inputs is None:
        return "the inputs are codes, which are no amounts"
    model = linear.fit(goal, train.inputs, train.numbers, truth, weight)
    if isinstance(model, str):
        return model
    name = ("ridge" if goal.task in NUMBERS else "logistic") + " regression"
    if model.rows is not None:
        name += f" on {model.rows:,} rows"
    if goal.task in NUMBERS:
        return Linear(name=name, kind=LINEAR, model=model)
    threshold: float | Floats = NEUTRAL
    if goal.task is not Task.MULTICLASS and rule != NEUTRAL:
        found = choose(goal, truth, model.predict(train.inputs, train.numbers), weight, rule).threshold
        threshold = np.array(found) if isinstance(found, tuple) else found
    return Linear(name=name, kind=LINEAR, model=model, threshold=threshold)


def _of_classes(goal: Goal, truth: NDArray[Any], weight: Floats | None) -> Iterator[Baseline]:
    """The majority, whose probabilities are the shares of the classes so that losses are fair too, and the guess."""
    if goal.task is Task.MULTICLASS:
        counts = np.bincount(truth, weight, goal.outputs)
        shares = counts / counts.sum()
        name = f"majority class {goal.classes[int(shares.argmax())]}"
    else:
        shares = _mean(truth.astype(np.float64), weight)
        name = "majority class of each label"
        if goal.task is Task.BINARY:
            name = f"majority class {goal.classes[int(shares >= NEUTRAL)]}"
    yield Constant(name=name, kind="majority", answer=shares, reference=True)
    one_class = goal.task is Task.MULTICLASS
    yield Guess(name="stratified guess", kind="stratified", shares=shares, one_class=one_class)


def _of_past(train: Rows, mean: Floats) -> Iterator[Persistence | Repetition]:
    """Persistence, and seasonal persistence where the training rows show a season."""
    if train.past is None:
        return
    if train.course is not None:
        yield Repetition(name="persistence", kind="persistence", lag=1, mean=mean)
        if lag := season(train.past):
            name = f"seasonal persistence ({lag:,} rows before)"
            yield Repetition(name=name, kind="seasonal", lag=lag, mean=mean)
        return
    yield Persistence(name="persistence", kind="persistence", lag=1, mean=mean)
    if lag := season(train.past.known_at(train.numbers)):
        yield Persistence(name=f"seasonal persistence ({lag:,} rows before)", kind="seasonal", lag=lag, mean=mean)


def _mean(truth: Floats, weight: Floats | None) -> Floats:
    return np.asarray(np.average(truth, axis=0, weights=weight))


def _median(truth: Floats, weight: Floats | None) -> Floats:
    """The number with half of the weight on either side; the middle of two where both are such. (targets,)."""
    if weight is None:
        return np.asarray(np.median(truth, axis=0))
    return np.array([_weighted_median(column, weight) for column in truth.T])


def _weighted_median(values: Floats, weight: Floats) -> float:
    order = np.argsort(values, kind="stable")
    order = order[weight[order] > 0]
    reached = np.cumsum(weight[order])
    half = reached[-1] / 2
    low = int(np.searchsorted(reached, half, "left"))
    high = min(int(np.searchsorted(reached, half, "right")), len(order) - 1)
    return float(values[order[low]] + values[order[high]]) / 2
