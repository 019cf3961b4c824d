"""The learning-rate range test: batches at ever higher rates show where the loss falls and where it blows up.

Smith, 2017, arxiv.org/abs/1506.01186. The suggestions are those that fastai calls `minimum` and `steep`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Step = Callable[[int, float], float]
"""Trains one batch: from its number (0, 1, ...) and a learning rate to its loss."""

_BLOW_UP = 3
"""How far above its smallest value the loss is blown up: times that value, or its fall where that is more."""
_MEMORY = 0.8
"""Share of the old value in the running mean that is watched meanwhile: one bad batch is no blow-up."""
_SMOOTHING_DECADES = 0.3
"""Standard deviation of the smoothing afterwards, in powers of ten of the rate."""
_SAFETY = 10
"""How far below the rate of the smallest loss the suggestion stays."""
_NOISE = 7
"""How many standard deviations of the smoothed loss a fall must have: noise alone reaches 3, rarely 6."""
_RISEN = 0.1
"""Share of its fall by which the loss must rise again to show that rates have become too high."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """What a range test saw.

    Attributes:
        rates: learning rates (batches,), rising.
        losses: the loss of each batch (batches,); the last one may be infinite or not a number.
        limit: from where on a loss counts as blown up.
        blew_up: whether that ended the test.
    """

    rates: NDArray[np.float64]
    losses: NDArray[np.float64]
    limit: float
    blew_up: bool


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A learning rate that a curve speaks for.

    Attributes:
        name: `minimum`: a tenth of the rate where the loss was smallest; `steepest`: where it fell fastest.
        rate: rounded to two digits; more would pretend.
        reason: why, to follow the rate.
    """

    name: Literal["minimum", "steepest"]
    rate: float
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a curve says.

    Attributes:
        smoothed: the loss (batches,) without the noise of single batches and without the height of a blow-up.
        suggestions: none, one or two; the first is the one to take.
        warnings: why one is missing, and what to do.
    """

    smoothed: NDArray[np.float64]
    suggestions: tuple[Suggestion, ...]
    warnings: tuple[str, ...]


def ramp(lowest: float, highest: float, steps: int) -> NDArray[np.float64]:
    """Rates (steps,) from the lowest to the highest, each the same factor above the one before."""
    return np.geomspace(lowest, highest, steps)


def sweep(step: Step, rates: NDArray[np.float64]) -> Curve:
    """Trains a batch at each rate, until the loss blows up.

    It has when its running mean lies above the smallest so far by three times that value (so four times the
    smallest, as in fastai), or by three times its fall where that is more: a loss near 0 may tremble.
    """
    losses: list[float] = []
    total, first, smallest, limit = 0.0, math.nan, math.inf, math.inf
    for number, rate in enumerate(rates):
        losses.append(step(number, float(rate)))
        total = _MEMORY * total + (1 - _MEMORY) * losses[-1]
        mean = total / (1 - _MEMORY ** (number + 1))
        if not mean <= limit or math.isinf(mean):
            return Curve(rates[: number + 1], np.array(losses), limit, blew_up=True)
        first = mean if number == 0 else first
        smallest = min(smallest, mean)
        limit = smallest + _BLOW_UP * max(abs(smallest), first - smallest)
    return Curve(rates, np.array(losses), limit, blew_up=False)


def read(curve: Curve) -> Reading:
    """Suggests learning rates."""
    if not np.isfinite(curve.losses[0]):
        nothing = "the loss is not a number from the first batch on: scale the inputs, and look for gaps in them"
        return Reading(np.full(len(curve.losses), np.nan), (), (nothing,))
    # What a blow-up reaches is arbitrary; cut, it does not outweigh its neighbours.
    losses = np.where(np.isfinite(curve.losses), np.minimum(curve.losses, curve.limit), curve.limit)
    width = _width(curve.rates)
    smoothed = _smooth(losses, width)
    lowest = int(np.argmin(smoothed))
    before = smoothed[: lowest + 1]
    fall = float(before.max() - smoothed[lowest])
    if not fall > _NOISE * _noise(losses[: lowest + 1] - before, width):
        return Reading(smoothed, (), (_never_fell(curve),))
    steepest = int(np.argmin(np.gradient(before)))
    downhill = Suggestion("steepest", _rounded(curve.rates[steepest]), "where the loss fell fastest")
    if smoothed[-1] - smoothed[lowest] < _RISEN * fall:
        low = f"the loss hardly rose again up to {curve.rates[-1]:.2g}: raise --max to see where it does"
        return Reading(smoothed, (downhill,), (low,))
    reason = f"a tenth of the rate where the loss was smallest ({curve.rates[lowest]:.2g})"
    return Reading(smoothed, (Suggestion("minimum", _rounded(curve.rates[lowest] / _SAFETY), reason), downhill), ())


def _width(rates: NDArray[np.float64]) -> float:
    """The standard deviation of the smoothing in batches."""
    decades = math.log10(rates[1] / rates[0]) if len(rates) > 1 else math.inf
    return max(1.0, _SMOOTHING_DECADES / decades)


def _smooth(losses: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Means with Gaussian weights around each point: unlike a running mean they shift nothing to higher rates."""
    reach = math.ceil(3 * width)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    inside = slice(reach, reach + len(losses))
    sums, shares = (np.convolve(values, weights)[inside] for values in (losses, np.ones(len(losses))))
    means: NDArray[np.float64] = sums / shares
    return means


def _noise(residuals: NDArray[np.float64], width: float) -> float:
    """The standard deviation that noise of single batches leaves in the smoothed loss."""
    return float(np.std(residuals)) / math.sqrt(2 * math.sqrt(math.pi) * width)


def _never_fell(curve: Curve) -> str:
    highest = f"{curve.rates[-1]:.2g}"
    if curve.blew_up:
        return (
            f"the loss blew up at {highest} and fell no more than its noise before: lower --min, or take more --steps"
        )
    return f"the loss fell no more than its noise up to {highest}: raise --max, or take more --steps"


def _rounded(rate: float) -> float:
    return float(f"{rate:.2g}")
