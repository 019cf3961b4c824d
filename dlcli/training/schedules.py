"""Schedules: the learning rate as a pure function of progress, counted in epochs.

Epoch 0.0 is the start, 2.5 the middle of the third epoch, so the batch size changes no schedule.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from dlcli import custom_code
from dlcli.part import CodePath, Number, Schedule

_TAIL_DIVISOR = 1000


class WarmedSchedule(Schedule):
    """A schedule that can begin with a warm-up: its own rate, times a factor that rises from 0 to 1."""

    warm_up: Annotated[Number, Field(ge=0, description="Epochs in which the rate rises from 0 to its value.")] = 0.0

    def rate(self, epoch: float, *, epochs: int, initial: float) -> float:
        """The rate at `epoch`, of `epochs` in all, from the optimizer's rate."""
        factor = min(1.0, epoch / self.warm_up) if self.warm_up else 1.0
        return factor * self.planned(epoch, epochs, initial)

    def planned(self, epoch: float, epochs: int, initial: float) -> float:
        """The rate without the warm-up."""
        raise NotImplementedError


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


class CustomSchedule(WarmedSchedule):
    """A function f(epoch) -> rate from a Python file; the epoch has fractions, 0 is the start."""

    part_name = "custom"
    main_field = "object"
    example = 'custom: {object: "rates.py:staircase"}'
    runs_code = True

    object: Annotated[CodePath, Field(description="file.py:Name of a function of the epoch.")]

    def planned(self, epoch: float, epochs: int, initial: float) -> float:  # noqa: ARG002 - the function decides
        """The rate without the warm-up."""
        return float(custom_code.call(self.object, {}, epoch))
