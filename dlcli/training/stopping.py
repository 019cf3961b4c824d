"""When training stops, and whose weights are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from dlcli.part import Number, Section
from dlcli.problems import ConfigError, Problem

Stop = Literal["epochs", "patience", "loss_below", "loss_change_below", "time_limit"]
"""Why a training ended."""
LAST = "last"
"""The `select` that keeps the weights of the last epoch."""
_ROUNDING = 1e-9


class EarlyStopping(Section):
    """Stops training when it no longer pays. Off unless written."""

    monitor: Annotated[str, Field(description="What is watched: loss, val_loss, <metric> or val_<metric>.")] = (
        "val_loss"
    )
    patience: Annotated[int, Field(ge=1, description="Epochs without improvement after which training stops.")] = 5
    min_delta: Annotated[Number, Field(ge=0, description="A smaller change is no improvement.")] = 0.0
    start: Annotated[int, Field(ge=1, description="The first epoch that counts.")] = 1
    loss_below: Annotated[Number | None, Field(description="Stops once the training loss is below this value.")] = None
    loss_change_below: Annotated[
        Number | None,
        Field(gt=0, description="Stops once the training loss changes by less than this from one epoch to the next."),
    ] = None


def selection_monitor(select: str | None, early_stopping: EarlyStopping | None, *, has_validation: bool) -> str:
    """What decides whose weights are kept: `select`, else the monitor of early stopping, else val_loss or last."""
    if select is not None:
        return select
    if early_stopping is not None:
        return early_stopping.monitor
    return "val_loss" if has_validation else LAST


def greater_is_better(monitor: str, directions: Mapping[str, bool]) -> bool:
    """The direction of a monitor, by its own name or that of its metric; losses should be small."""
    return directions.get(monitor, directions.get(monitor.removeprefix("val_"), False))


def monitored(values: Mapping[str, float], monitor: str, section: str) -> float:
    """The value of a monitor.

    Raises:
        ConfigError: there is none of that name.
    """
    if monitor not in values:
        message = f'there is no monitor "{monitor}" in this training'
        raise ConfigError(Problem("unknown-monitor", message, f"there are: {', '.join(values)}", (section,)))
    return values[monitor]


class EarlyStopper:
    """Watches the epochs of one training for the reasons of `early_stopping`."""

    def __init__(self, settings: EarlyStopping, *, greater_is_better: bool) -> None:
        self._settings = settings
        self._sign = -1.0 if greater_is_better else 1.0
        self._best = math.inf
        self._waited = 0
        self._loss: float | None = None

    def observe(self, epoch: int, values: Mapping[str, float]) -> Stop | None:
        """Takes one epoch (the first is 1) with its values by monitor; says whether and why training stops."""
        settings = self._settings
        value = self._sign * monitored(values, settings.monitor, "early_stopping")
        loss, before = values["loss"], self._loss
        self._loss = loss
        if epoch < settings.start:
            return None
        # NaN is no improvement: it compares as false.
        if value < self._best - settings.min_delta:
            self._best, self._waited = value, 0
        else:
            self._waited += 1
        if settings.loss_below is not None and loss < settings.loss_below:
            return "loss_below"
        # .008 - .009 is a little less than .001 in binary; that is rounding, not a smaller change.
        still = (settings.loss_change_below or 0.0) * (1 - _ROUNDING)
        if before is not None and abs(loss - before) < still:
            return "loss_change_below"
        return "patience" if self._waited >= settings.patience else None

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"best": self._best, "waited": self._waited, "loss": self._loss}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state."""
        self._best, self._waited, self._loss = state["best"], state["waited"], state["loss"]


class Selection:
    """Finds the best epoch by a monitor; of equal ones the earlier."""

    def __init__(self, monitor: str, *, greater_is_better: bool) -> None:
        self.monitor = monitor
        self.best_epoch = 0
        self._sign = -1.0 if greater_is_better else 1.0
        self._best = math.inf

    def observe(self, epoch: int, values: Mapping[str, float]) -> bool:
        """Takes one epoch; says whether it is the best so far. With `last`, none is."""
        if self.monitor == LAST:
            return False
        value = self._sign * monitored(values, self.monitor, "select")
        if not value < self._best:
            return False
        self._best, self.best_epoch = value, epoch
        return True

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"best": self._best, "best_epoch": self.best_epoch}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state."""
        self._best, self.best_epoch = state["best"], state["best_epoch"]
