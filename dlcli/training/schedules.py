"""Schedules: the learning rate as a pure function of progress, counted in epochs.

Epoch 0.0 is the start, 2.5 the middle of the third epoch, so the batch size changes no schedule. The rate of
an update is the schedule's at its start.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from dlcli import custom_code
from dlcli.part import CodePath, Number, Schedule
from dlcli.problems import ConfigError, Problem

_TAIL_DIVISOR = 1000
_ROUNDING = 1e-9


class WarmedSchedule(Schedule):
    """A schedule that can begin with a warm-up: its own rate, times a factor that rises from 0 to 1.

    The factor is t / warm_up at epoch t. An update takes its mean over the stretch of progress that the
    update covers. So even the first one learns, with 1 / (2 n) of the rate where the warm-up takes n updates,
    and the factors add up to the same for every batch size.
    """

    warm_up: Annotated[Number, Field(ge=0, description="Epochs in which the rate rises from 0 to its value.")] = 0.0

    def rate(self, epoch: float, *, epochs: int, initial: float, span: float = 0.0) -> float:
        """The rate at `epoch`, of `epochs` in all, from the optimizer's rate.

        Args:
            epoch: progress at the start of the update.
            epochs: progress at the end of the training.
            initial: the optimizer's rate.
            span: epochs that the update covers, 1 / batches; 0: the rate at this very moment.
        """
        return _warmth(epoch, span, self.warm_up) * self.planned(epoch, epochs, initial)

    def planned(self, epoch: float, epochs: int, initial: float) -> float:
        """The rate without the warm-up."""
        raise NotImplementedError


def _warmth(start: float, span: float, length: float) -> float:
    """Mean of min(1, t / length) for t from start to start + span."""
    if start >= length:
        return 1.0
    if span <= 0:
        return start / length
    rising = min(span, length - start)
    return (rising * (start + rising / 2) / length + span - rising) / span


class Constant(WarmedSchedule):
    """The optimizer's rate throughout."""

    part_name = "constant"
    example = "constant: {warm_up: 2}"

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - the same at any time
        """The rate without the warm-up."""
        return initial


class Piecewise(WarmedSchedule):
    """One rate up to each boundary, another after it."""

    part_name = "piecewise"
    example = "piecewise: {boundaries: [5, 85], values: [0.1, 0.01, 0.001]}"

    boundaries: Annotated[
        tuple[Annotated[Number, Field(gt=0)], ...],
        Field(min_length=1, description="Epochs after which the rate changes, rising."),
    ]
    values: Annotated[
        tuple[Annotated[Number, Field(gt=0)], ...],
        Field(min_length=2, description="The rates: one more than boundaries."),
    ]

    @model_validator(mode="after")
    def _in_order(self) -> Piecewise:
        if any(later <= earlier for earlier, later in zip(self.boundaries, self.boundaries[1:], strict=False)):
            message = "boundaries must rise"
            raise ValueError(message)
        if len(self.values) != len(self.boundaries) + 1:
            message = (
                f"{len(self.boundaries)} boundaries need {len(self.boundaries) + 1} values, got {len(self.values)}"
            )
            raise ValueError(message)
        return self

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - values are absolute
        """The rate without the warm-up."""
        return self.values[sum(epoch >= boundary for boundary in self.boundaries)]


class Exponential(WarmedSchedule):
    """Falls by the same share in every epoch, smoothly.

    r0 decay^t, or r0 factor^(t / every), or r0 e^(-t / constant): three ways to say the same.
    """

    part_name = "exponential"
    example = "exponential: {decay: 0.95}"

    decay: Annotated[Number | None, Field(gt=0, le=1, description="Factor per epoch.")] = None
    every: Annotated[Number | None, Field(gt=0, description="Epochs in which the rate is multiplied by factor.")] = None
    factor: Annotated[Number | None, Field(gt=0, le=1, description="Factor for `every` epochs.")] = None
    constant: Annotated[Number | None, Field(gt=0, description="Epochs in which the rate falls to 37 %.")] = None

    @model_validator(mode="after")
    def _one_form(self) -> Exponential:
        written = {name for name in ("decay", "every", "factor", "constant") if getattr(self, name) is not None}
        if written not in ({"decay"}, {"every", "factor"}, {"constant"}):
            message = "exponential takes decay, or every and factor, or constant"
            raise ValueError(message)
        return self

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - falls whatever the end
        """The rate without the warm-up."""
        if self.decay is not None:
            return float(initial * self.decay**epoch)
        if self.every is not None and self.factor is not None:
            return float(initial * self.factor ** (epoch / self.every))
        return initial * math.exp(-epoch / (self.constant or math.inf))


class Power(WarmedSchedule):
    """Falls ever more slowly: r0 / (1 + t / s)^c after t epochs."""

    part_name = "power"
    example = "power: {s: 20, c: 1}"

    s: Annotated[Number, Field(gt=0, description="Epochs until the rate is r0 / 2^c.")]
    c: Annotated[Number, Field(gt=0, description="How fast it falls.")] = 1.0

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - falls whatever the end
        """The rate without the warm-up."""
        return float(initial * (1 + epoch / self.s) ** -self.c)


class Staircase(WarmedSchedule):
    """Falls by a factor every so many epochs and stays in between: r0 factor^floor(t / every)."""

    part_name = "step"
    example = "step: {every: 30, factor: 0.1}"

    every: Annotated[Number, Field(gt=0, description="Epochs after which the rate falls.")]
    factor: Annotated[Number, Field(gt=0, le=1, description="Factor by which it falls.")] = 0.1

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - falls whatever the end
        """The rate without the warm-up."""
        return float(initial * self.factor ** (epoch // self.every))


class OneCycle(WarmedSchedule):
    """Up in the first half, back down in the second.

    Starts at peak / divisor; with a tail, the last share of the run falls further, to peak / 1000.
    Smith, 2018, arxiv.org/abs/1803.09820.
    """

    part_name = "one_cycle"
    example = "one_cycle: {peak: 0.012}"

    peak: Annotated[Number | None, Field(gt=0, description="Highest rate; by default the optimizer's.")] = None
    divisor: Annotated[Number, Field(ge=1, description="The start is peak / divisor.")] = 10.0
    tail: Annotated[Number, Field(ge=0, lt=1, description="Share of the run that falls to peak / 1000.")] = 0.0
    shape: Annotated[Literal["linear", "cosine"], Field(description="How the rate goes between these points.")] = (
        "linear"
    )

    def planned(self, epoch: float, epochs: int, initial: float) -> float:
        """The rate without the warm-up."""
        peak = initial if self.peak is None else self.peak
        low = peak / self.divisor
        cycle = epochs * (1 - self.tail)
        if epoch <= cycle / 2:
            return self._between(low, peak, epoch / (cycle / 2))
        if epoch <= cycle or not self.tail:
            return self._between(peak, low, (epoch - cycle / 2) / (cycle / 2))
        return self._between(low, min(low, peak / _TAIL_DIVISOR), (epoch - cycle) / (epochs - cycle))

    def _between(self, start: float, end: float, share: float) -> float:
        """From start to end; past the end it stays there."""
        share = min(share, 1.0)
        if self.shape == "cosine":
            share = (1 - math.cos(math.pi * share)) / 2
        return start + (end - start) * share


class Cosine(WarmedSchedule):
    """Falls along half a cosine wave: slowly, fast in the middle, slowly to the end.

    r0 (alpha + (1 - alpha) (1 + cos(pi t / epochs)) / 2).
    Loshchilov and Hutter, 2017, arxiv.org/abs/1608.03983, without the restarts.
    """

    part_name = "cosine"
    example = "cosine: {alpha: 0.01, warm_up: 5}"

    alpha: Annotated[Number, Field(ge=0, le=1, description="Share of the rate that is left at the end.")] = 0.0

    def planned(self, epoch: float, epochs: int, initial: float) -> float:
        """The rate without the warm-up."""
        return initial * _half_wave(min(1.0, epoch / epochs), self.alpha)


class CosineRestarts(WarmedSchedule):
    """Falls along half a cosine wave again and again; each period can be longer and lower than the one before.

    Loshchilov and Hutter, 2017, arxiv.org/abs/1608.03983.
    """

    part_name = "cosine_restarts"
    example = "cosine_restarts: {first_period: 10, t_mul: 2}"

    first_period: Annotated[Number, Field(gt=0, description="Epochs until the first restart.")]
    t_mul: Annotated[Number, Field(ge=1, description="Length of each period over that of the one before.")] = 1.0
    m_mul: Annotated[
        Number, Field(gt=0, le=1, description="Rate after each restart over that after the one before.")
    ] = 1.0
    alpha: Annotated[
        Number, Field(ge=0, le=1, description="Share of the rate that is left at the end of a period.")
    ] = 0.0

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - periods have their length
        """The rate without the warm-up."""
        first, growth = self.first_period, self.t_mul
        if growth == 1:
            restarts = int(epoch / first + _ROUNDING)
            begin = first * restarts
        else:  # periods of a geometric series
            restarts = int(math.log1p(epoch / first * (growth - 1)) / math.log(growth) + _ROUNDING)
            begin = first * (growth**restarts - 1) / (growth - 1)
        share = max(0.0, epoch - begin) / (first * growth**restarts)
        return float(initial * self.m_mul**restarts * _half_wave(share, self.alpha))


def _half_wave(share: float, low: float) -> float:
    """From 1 down to `low`, along a cosine."""
    return low + (1 - low) * (1 + math.cos(math.pi * share)) / 2


class Polynomial(WarmedSchedule):
    """Falls to a given rate at the end, in a straight line or a curve.

    end + (r0 - end) (1 - t / epochs)^power.
    """

    part_name = "polynomial"
    example = "polynomial: {power: 2, end_learning_rate: 0.0001}"

    power: Annotated[Number, Field(gt=0, description="1: a straight line; more: fast at first.")] = 1.0
    end_learning_rate: Annotated[Number, Field(ge=0, description="The rate at the end.")] = 0.0

    def planned(self, epoch: float, epochs: int, initial: float) -> float:
        """The rate without the warm-up."""
        left = 1 - min(1.0, epoch / epochs)
        return float(self.end_learning_rate + (initial - self.end_learning_rate) * left**self.power)


class Performance(WarmedSchedule):
    """Falls whenever a score has stopped improving, as Keras's ReduceLROnPlateau.

    How far it has fallen depends on the scores, not on progress alone.
    """

    part_name = "performance"
    example = "performance: {factor: 0.5, patience: 3}"

    monitor: Annotated[str, Field(description="What is watched: loss, val_loss, <metric> or val_<metric>.")] = (
        "val_loss"
    )
    factor: Annotated[Number, Field(gt=0, lt=1, description="Factor by which the rate falls.")] = 0.1
    patience: Annotated[int, Field(ge=1, description="Epochs without improvement after which the rate falls.")] = 3
    min_learning_rate: Annotated[Number, Field(ge=0, description="The rate falls no further.")] = 0.0
    min_delta: Annotated[Number, Field(ge=0, description="A smaller change is no improvement.")] = 0.0
    cooldown: Annotated[int, Field(ge=0, description="Epochs after a fall that do not count.")] = 0

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - scores decide
        """The rate without the warm-up, before any fall."""
        return initial


class CustomSchedule(WarmedSchedule):
    """A function f(epoch) -> rate from a Python file; the epoch has fractions, 0 is the start."""

    part_name = "custom"
    main_field = "object"
    example = 'custom: {object: "rates.py:staircase"}'
    runs_code = True

    object: Annotated[CodePath, Field(description="file.py:Name of a function of the epoch.")]

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - the function decides
        """The rate without the warm-up."""
        found = custom_code.call(self.object, {}, epoch)
        try:
            rate = float(found)
        except (TypeError, ValueError):
            rate = math.nan
        if not 0 <= rate < math.inf:
            message = f"{self.object} must give a learning rate of 0 or more, got {found!r} at epoch {epoch:g}"
            raise ConfigError(Problem("custom-code", message, "mend the function", ("schedule", "custom", "object")))
        return rate
