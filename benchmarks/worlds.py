"""Worlds whose true scores are known, for `coverage.py`: what rows look like that are scored there."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, ndtr, ndtri  # noqa: TID253 - needed by every world

from dlcli.evaluation.fold_scores import summarize
from dlcli.evaluation.intervals import Interval
from dlcli.evaluation.metrics import Accuracy
from dlcli.evaluation.rows import ScoredRows
from dlcli.task import Goal, Task

Floats = NDArray[np.float64]

BINARY = Goal(Task.BINARY, ("answer",), ("no", "yes"))
NUMBERS = Goal(Task.REGRESSION, ("answer",))
WITHIN_GROUP = 0.3
"""Correlation of two rows of one group."""
MEMORY = 0.8
"""Correlation of neighbours in time."""


def answered(right: NDArray[np.bool_], rng: np.random.Generator, **more: Any) -> ScoredRows:
    """Binary rows of which those in `right` are answered right."""
    truth = rng.integers(0, 2, len(right))
    return ScoredRows(
        BINARY, truth, np.where(right, truth, 1 - truth) * 0.8 + 0.1, more.pop("weight", None), 0.5, **more
    )


def share_right(rng: np.random.Generator, share: float, n: int) -> ScoredRows:
    """Independent rows, each answered right with one probability."""
    return answered(rng.random(n) < share, rng)


def weighted_right(rng: np.random.Generator, share: float, n: int) -> ScoredRows:
    """The same with lognormal weights."""
    return answered(rng.random(n) < share, rng, weight=rng.lognormal(size=n))


def grouped_right(rng: np.random.Generator, share: float, *, equal: bool) -> ScoredRows:
    """Rows of 20 groups, of which some are easier."""
    latent, groups = grouped_noise(rng, equal=equal)
    return answered(latent < ndtri(share), rng, groups=groups)


def ordered_right(rng: np.random.Generator, share: float, n: int) -> ScoredRows:
    """Rows in time order, with easier and harder times."""
    return answered(autoregression(rng, n) < ndtri(share), rng, ordered=True)


@dataclass(frozen=True, slots=True)
class Confusions:
    """Rows that fall independently into the cells of a confusion matrix.

    Attributes:
        shares: of all rows, by true and by predicted class.
    """

    shares: Floats

    @classmethod
    def of(cls, classes: Sequence[float], recalls: Sequence[float]) -> Confusions:
        """Classes of these shares and recalls, wrong answers spread evenly over the other classes."""
        right = np.eye(len(classes))
        share, recall = np.array(classes)[:, None], np.array(recalls)[:, None]
        return cls(share * np.where(right, recall, (1 - recall) / (len(classes) - 1)))

    def draw(self, rng: np.random.Generator, n: int) -> ScoredRows:
        """Rows of their classes, with probabilities that say only which class is predicted."""
        classes = len(self.shares)
        cell = rng.choice(self.shares.size, n, p=self.shares.ravel())
        truth, guess = np.divmod(cell, classes)
        if classes == 2:
            return ScoredRows(BINARY, truth, guess * 0.8 + 0.1, None, 0.5)
        goal = Goal(Task.MULTICLASS, ("answer",), tuple(f"class {number}" for number in range(classes)))
        return ScoredRows(goal, truth, np.eye(classes)[guess] * 0.5 + 0.5 / classes, None, 0.5)

    @property
    def recalls(self) -> Floats:
        """By class."""
        return np.asarray(np.diag(self.shares) / self.shares.sum(axis=1))

    @property
    def f1s(self) -> Floats:
        """By class."""
        return np.asarray(2 * np.diag(self.shares) / (self.shares.sum(axis=0) + self.shares.sum(axis=1)))


@dataclass(frozen=True, slots=True)
class Ranking:
    """Rows of which a share is positive, with normal scores, `apart` standard deviations higher for those."""

    share: float
    apart: float

    def draw(self, rng: np.random.Generator, n: int) -> ScoredRows:
        """Independent rows."""
        truth = (rng.random(n) < self.share).astype(np.int64)
        return ScoredRows(BINARY, truth, expit(rng.normal(size=n) + self.apart * truth), None, 0.5)

    @property
    def area(self) -> float:
        """Under the ROC curve."""
        return float(ndtr(self.apart / math.sqrt(2)))

    @property
    def average_precision(self) -> float:
        """Precision averaged over the scores of positive rows, by the midpoints of 200,000 slices."""
        threshold = ndtri((np.arange(200_000) + 0.5) / 200_000) + self.apart
        yes, no = self.share * ndtr(self.apart - threshold), (1 - self.share) * ndtr(-threshold)
        return float(np.mean(yes / (yes + no)))


def said(rng: np.random.Generator, n: int, overconfidence: float) -> ScoredRows:
    """Binary rows whose log odds are 1.5 normal deviates; the model says them times a factor."""
    odds = 1.5 * rng.normal(size=n)
    return ScoredRows(
        BINARY, (rng.random(n) < expit(odds)).astype(np.int64), expit(overconfidence * odds), None, 0.5
    )  # fmt: skip


def true_loss(loss: Callable[[Floats, Floats], Floats], overconfidence: float) -> float:
    """The mean over that world of a loss of (probability that is said, true probability)."""
    odds = 1.5 * ndtri((np.arange(200_000) + 0.5) / 200_000)
    return float(np.mean(loss(expit(overconfidence * odds), expit(odds))))


# Worlds of numbers


def grouped_noise(rng: np.random.Generator, *, equal: bool) -> tuple[Floats, NDArray[np.int64]]:
    """Standard normal noise that rows of one of 20 groups share in part: 15 rows each, or lognormal sizes."""
    sizes = np.full(20, 15) if equal else np.maximum(1, np.rint(15 * rng.lognormal(-0.32, 0.8, 20)).astype(int))
    groups = np.repeat(np.arange(20), sizes)
    shared = math.sqrt(WITHIN_GROUP) * rng.normal(size=20)[groups]
    return shared + math.sqrt(1 - WITHIN_GROUP) * rng.normal(size=len(groups)), groups


def autoregression(rng: np.random.Generator, n: int) -> Floats:
    """Standard normal noise, each value correlated with the one before."""
    from scipy.signal import lfilter

    shocks = math.sqrt(1 - MEMORY**2) * rng.normal(size=n)
    start = rng.normal()
    return np.asarray(lfilter([1.0], [1.0, -MEMORY], shocks, zi=[MEMORY * start])[0])


def measured(noise: Floats, rng: np.random.Generator, **more: Any) -> ScoredRows:
    """Rows whose truth is a normal prediction, of deviation 2, plus noise."""
    prediction = 2 * rng.normal(size=(len(noise), 1))
    return ScoredRows(NUMBERS, prediction + noise[:, None], prediction, None, 0.5, **more)


def independent(rng: np.random.Generator, n: int) -> ScoredRows:
    """Normal errors."""
    return measured(rng.normal(size=n), rng)


def heavy_tailed(rng: np.random.Generator, n: int) -> ScoredRows:
    """Errors of Student's t with 3 degrees of freedom, of variance 3: now and then a huge one."""
    return measured(rng.standard_t(3, n), rng)


def over_time(rng: np.random.Generator, n: int) -> ScoredRows:
    """Autoregressive errors."""
    return measured(autoregression(rng, n), rng, ordered=True)


def in_groups(rng: np.random.Generator, *, equal: bool) -> ScoredRows:
    """Errors that rows of a group share in part."""
    noise, groups = grouped_noise(rng, equal=equal)
    return measured(noise, rng, groups=groups)


# Folds


@dataclass(frozen=True, slots=True)
class Recipe:
    """Logistic regression of two normal classes, cross-validated.

    Attributes:
        n, features: rows and columns.
        shift: by which the classes' means differ in each column.
        folds, repeats: of the cross-validation.
    """

    n: int = 100
    features: int = 5
    shift: float = 0.8
    folds: int = 5
    repeats: int = 10

    def sample(self, rng: np.random.Generator, *shape: int) -> tuple[Floats, Floats]:
        """Columns with a leading 1 (*shape, features + 1), and classes (*shape,)."""
        y = rng.integers(0, 2, shape).astype(np.float64)
        x = rng.normal(size=(*shape, self.features)) + self.shift * (y - 0.5)[..., None]
        return np.concatenate([np.ones((*shape, 1)), x], axis=-1), y

    def interval(self, rng: np.random.Generator, *, pool: bool, confidence: float) -> Interval:
        """That of the mean accuracy over the folds of one sample."""
        x, y = self.sample(rng, self.n)
        orders = np.stack([rng.permutation(self.n) for _ in range(self.repeats)])
        scored = orders.reshape(self.repeats * self.folds, -1)
        train = np.stack([np.delete(orders[at // self.folds], _slot(at, self)) for at in range(len(scored))])
        prediction = expit(np.einsum("jnf,jf->jn", x[scored], fitted(x[train], y[train])))
        rows = [
            ScoredRows(BINARY, y[at].astype(np.int64), p, None, 0.5) for at, p in zip(scored, prediction, strict=True)
        ]
        metric = Accuracy()
        everything = ScoredRows(BINARY, y[scored.ravel()].astype(np.int64), prediction.ravel(), None, 0.5)
        scores = [{"accuracy": each.score(metric)} for each in rows]
        (found,) = summarize([metric], scores, self.folds, confidence=confidence, pooled=everything if pool else None)
        return found.spread.interval

    def truth(self) -> float:
        """The expected accuracy of the recipe trained on the rows of all folds but one, over 20,000 trainings."""
        rng = np.random.default_rng(0)
        weights = np.concatenate(
            [fitted(*self.sample(rng, 500, self.n - self.n // self.folds)) for _ in range(40)]
        )  # fmt: skip
        slope = np.linalg.norm(weights[:, 1:], axis=1)
        centre = self.shift / 2 * weights[:, 1:].sum(axis=1)
        right = (ndtr((centre + weights[:, 0]) / slope) + ndtr((centre - weights[:, 0]) / slope)) / 2
        return float(right.mean())


def _slot(at: int, recipe: Recipe) -> slice:
    size = recipe.n // recipe.folds
    return slice(at % recipe.folds * size, (at % recipe.folds + 1) * size)


def fitted(x: Floats, y: Floats) -> Floats:
    """Weights of many logistic regressions at once, slightly held back, by Newton's method.

    Args:
        x: (regressions, rows, columns).
        y: (regressions, rows).

    Returns:
        (regressions, columns).
    """
    weights = np.zeros((len(x), x.shape[2]))
    held = 0.1 * np.eye(x.shape[2])
    for _ in range(8):
        chance = expit(np.matmul(x, weights[..., None])[..., 0])
        slope = np.matmul((y - chance)[:, None], x)[:, 0] - weights @ held
        bend = np.matmul((x * (chance * (1 - chance))[..., None]).transpose(0, 2, 1), x) + held
        weights += np.linalg.solve(bend, slope[..., None])[..., 0]
    return weights
