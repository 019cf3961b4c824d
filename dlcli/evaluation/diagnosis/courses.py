"""What the course of a training says: where validation turned, whether losses still fall, creep, jump or blow up.

Every reading is of a smoothed course and asks for more than the noise that the course itself shows, so that
one odd epoch decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LOSS_SPREAD = 1.5
"""Standard deviation of the losses of rows over their mean: near 1 for the cross-entropy of a trained network,
1.4 for squares of normal errors."""
_WIDEST = 5
"""Epochs on either side that a smoothed value draws on, at most."""
_AFTER = 3
"""Epochs that must lie higher before a rise counts."""
_FELL = 0.1
_STEADIEST, _MOST = 0.8, 0.9
"""A loss is taken to fall no more steadily, and by no larger share, than these."""
_BLOW_UP = 2.0
_APART = 0.1
_JUMPS = 0.02
"""Jumps of the training loss count from this share of its first value."""


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One training, epoch by epoch.

    Attributes:
        loss: bare training loss (epochs,), the mean while the epoch went on, so dropout and augmentation are in it.
        val_loss: bare loss of the validation rows after each epoch, or None.
        rate: the learning rate with which each epoch began.
        chosen: the epoch whose weights are kept; the first is 1.
        stopped_by: why it ended.
        validation_rows: how many rows `val_loss` is a mean of.
        score: the validation rows' values of the metric that is diagnosed, or None.
        spread: standard deviation of the losses of rows over their mean before anything is learned.
    """

    loss: Floats
    val_loss: Floats | None
    rate: Floats
    chosen: int
    stopped_by: str = "epochs"
    validation_rows: int = 0
    score: Floats | None = None
    spread: float = LOSS_SPREAD

    @property
    def epochs(self) -> int:
        """How many were completed."""
        return len(self.loss)

    def at_chosen(self, values: Floats) -> float:
        """A value of the epoch whose weights are kept."""
        return float(values[min(max(self.chosen, 1), len(values)) - 1])


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that a course shows.

    Attributes:
        epoch: where; the first is 1.
        size: how much of it; what that means, the function that found it says.
    """

    epoch: int
    size: float


def smoothed(values: Floats) -> Floats:
    """Medians of three, then means over a tenth of the epochs; near the ends over fewer, so that slopes stay."""
    count = len(values)
    if count < _AFTER:
        return values
    middle = np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0)
    calm = np.concatenate([values[:1], middle, values[-1:]])
    reach = min(count // 10, _WIDEST)
    widths = np.minimum(np.minimum(np.arange(count), np.arange(count)[::-1]), reach)
    return np.array([calm[at - width : at + width + 1].mean() for at, width in enumerate(widths)])


def noise(values: Floats) -> float:
    """Standard deviation of single epochs around their smooth course, from second differences; bends add little."""
    if len(values) < 4:
        return 0.0
    return float(1.4826 * np.median(np.abs(np.diff(values, 2))) / math.sqrt(6))


def loss_error(loss: float, rows: int, spread: float = LOSS_SPREAD) -> float:
    """A rough standard error of a mean loss over so many rows, where the losses of rows are not known."""
    return spread * abs(loss) / math.sqrt(rows) if rows else math.inf


def turn(course: Course) -> Sign | None:
    """Where validation loss turned while training loss fell by a tenth or more; size: its rise as a share."""
    if course.val_loss is None or course.epochs <= _AFTER:
        return None
    held, fitted = smoothed(course.val_loss), smoothed(course.loss)
    lowest = int(np.argmin(held))
    if course.epochs - 1 - lowest < _AFTER or held[lowest] <= 0:
        return None
    rise = float(held[-_AFTER:].min() - held[lowest])
    fell = fitted[-1] < (1 - _FELL) * fitted[lowest]
    return Sign(lowest + 1, rise / float(held[lowest])) if fell and rise > 3 * noise(course.val_loss) else None


def prospect(values: Floats) -> float:
    """By which share a loss would fall in as many epochs again, if its last two quarters go on as they went.

    The falls of successive quarters are taken for a geometric series. 0 where the last quarter is flat.
    """
    if len(values) < 2:
        return 0.0
    if len(values) < 4:
        return min(_MOST, max(0.0, float(values[-2] - values[-1])) / float(values[-1])) if values[-1] > 0 else 0.0
    calm = smoothed(values)
    places = (len(calm) - 1) * np.array([0.5, 0.75, 1.0])
    half, quarter, end = (float(value) for value in np.interp(places, np.arange(len(calm)), calm))
    before, now = half - quarter, quarter - end
    if now <= noise(values[len(values) // 2 - 1 :]) or end <= 0:
        return 0.0
    ratio = min(_STEADIEST, now / before) if before > 0 else 0.5
    return min(_MOST, now * sum(ratio**step for step in range(1, 5)) / end)


def still_falls(course: Course, *, least: float) -> Sign | None:
    """Whether training and validation loss still fall at the end; size: the share that as many epochs would bring.

    Args:
        course: the training.
        least: a smaller share does not count, nor does one smaller than a tenth of it of the first value.
    """
    watched = [course.loss] if course.val_loss is None else [course.loss, course.val_loss]
    sizes = []
    for values in watched:
        share = prospect(values)
        if share < least or share * values[-1] < least / 10 * values[0]:
            return None
        sizes.append(share)
    return Sign(course.epochs, sizes[-1])


def fall(course: Course, naive: float | None) -> float:
    """The share of its start by which the training loss has fallen.

    Args:
        course: the training.
        naive: the loss of an answer that looks at no input, if it is known: with many rows most of the
            fall may lie within the first epoch.
    """
    end = float(smoothed(course.loss)[-1])
    start = max(float(course.loss[0]), naive or 0.0)
    return 1 - end / start if start > 0 else 0.0


def longest_wait(course: Course) -> int:
    """How many epochs the chosen one, or one before it, was waited for since the best before."""
    if course.val_loss is None:
        return 0
    best, wait, longest = math.inf, 0, 0
    for value in course.val_loss[: course.chosen]:
        wait += 1
        if value < best:
            best, wait, longest = float(value), 0, max(longest, wait)
    return longest


def steadiness(course: Course) -> float:
    """How much of the pace of the first half is left in the second: 1 for a straight line, 0 for a flat end."""
    if course.epochs < _AFTER:
        return 1.0
    calm = smoothed(course.loss)
    middle = float(calm[len(calm) // 2])
    first, second = float(calm[0]) - middle, middle - float(calm[-1])
    return max(0.0, second / first) if first > 0 else 0.0


def blow_up(course: Course) -> Sign | None:
    """Where a finite training loss began to rise by factors, beyond its start; size: the factor."""
    epoch = int(np.argmin(course.loss))
    lowest, end = float(course.loss[epoch]), float(np.median(course.loss[-_AFTER:]))
    return Sign(epoch + 1, end / lowest) if lowest > 0 and end > max(_BLOW_UP * lowest, course.loss[0]) else None


def oscillation(course: Course) -> Sign | None:
    """Whether the training loss jumps up and down in the second half; size: its noise over its level there."""
    half = course.loss[course.epochs // 2 :]
    if len(half) < 6:
        return None
    jumps, level = noise(half), float(np.median(half))
    rises = float(np.mean(np.diff(half) > 0))
    if jumps > 0.1 * level and jumps > _JUMPS * float(course.loss[0]) and rises > 0.25:
        return Sign(course.epochs // 2 + 1, jumps / level)
    return None


def starts_apart(course: Course, *, sure: float) -> Sign | None:
    """Whether validation loss lies above training loss from the first epoch on; size: by which share in the first.

    In its first epoch a network meets every row for the first time, so the running training loss is that of
    new rows, and of a network that had learned less than at the epoch's end: nothing can be memorised yet.

    Args:
        course: the training.
        sure: of how many standard errors.
    """
    if course.val_loss is None or course.epochs < _AFTER:
        return None
    apart = course.val_loss[:_AFTER] - course.loss[:_AFTER]
    first = float(course.loss[0])
    doubt = sure * loss_error(float(course.val_loss[0]), course.validation_rows, course.spread)
    return Sign(1, float(apart[0]) / first) if (apart > 0).all() and apart[0] > max(doubt, _APART * first) > 0 else None


def never_helped(course: Course) -> Sign | None:
    """Whether validation loss never got better while training loss fell by a third; size: its rise as a share."""
    if course.val_loss is None or course.epochs < _AFTER:
        return None
    held, fitted = smoothed(course.val_loss), smoothed(course.loss)
    end, first = float(held[-1]), float(course.val_loss[0])
    rose = end - first > 2 * loss_error(end, course.validation_rows)
    return Sign(1, end / first - 1) if rose and held.min() > 0.95 * first and fitted[-1] < fitted[0] / 1.5 else None


def ends_apart(course: Course) -> bool:
    """Whether validation loss ended above training loss by more than so few rows explain."""
    if course.val_loss is None:
        return False
    held, fitted = float(smoothed(course.val_loss)[-1]), float(smoothed(course.loss)[-1])
    return held - fitted > 2 * loss_error(held, course.validation_rows)


Reading = Callable[[Course], Sign | None]


def agreed(courses: Sequence[Course], reading: Reading) -> Sign | None:
    """What more than half of the courses show, with the median epoch and size."""
    signs = [sign for sign in map(reading, courses) if sign is not None]
    if not signs or 2 * len(signs) <= len(courses):
        return None
    return Sign(round(median(sign.epoch for sign in signs)), median(sign.size for sign in signs))
