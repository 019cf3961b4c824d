"""When the learning rate falls because a score has stopped improving."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dlcli.part import Schedule
from dlcli.training.schedules import Performance
from dlcli.training.stopping import greater_is_better, monitored


def plateau(schedule: Schedule | None, initial: float, directions: Mapping[str, bool]) -> Plateau | None:
    """What watches the scores for a schedule; None for one that depends on progress alone.

    Args:
        schedule: the schedule of the config.
        initial: the optimizer's rate.
        directions: whether more is better, by metric or monitor name.
    """
    if not isinstance(schedule, Performance):
        return None
    return Plateau(schedule, initial, greater_is_better=greater_is_better(schedule.monitor, directions))


class Plateau:
    """Watches the epochs of one training for the schedule `performance`.

    An improvement is a value better than the best so far by more than `min_delta`. After `patience` epochs
    without one the rate falls, and the count begins anew. Epochs of the warm-up and the `cooldown` epochs
    after a fall are not counted.

    Attributes:
        monitor: what is watched.
        rate_factor: what the planned rates are multiplied with from the next epoch on.
    """

    def __init__(self, settings: Performance, initial: float, *, greater_is_better: bool) -> None:
        self.monitor = settings.monitor
        self._settings = settings
        self._sign = -1.0 if greater_is_better else 1.0
        self._floor = min(1.0, settings.min_learning_rate / initial)
        self._best = math.inf
        self._waited = 0
        self._cooling = 0
        self.rate_factor = 1.0

    def observe(self, epoch: int, values: Mapping[str, float]) -> bool:
        """Takes one epoch (the first is 1) with its values by monitor; says whether the rate falls now."""
        settings = self._settings
        value = self._sign * monitored(values, settings.monitor, "schedule")
        # NaN is no improvement: it compares as false.
        improved = value < self._best - settings.min_delta
        if improved:
            self._best = value
        counts = epoch > settings.warm_up and not self._cooling
        self._cooling = max(0, self._cooling - 1)
        self._waited = self._waited + 1 if counts and not improved else 0
        if self._waited < settings.patience:
            return False
        lowered = max(self._floor, self.rate_factor * settings.factor)
        fell = lowered < self.rate_factor
        self.rate_factor, self._waited, self._cooling = lowered, 0, settings.cooldown
        return fell

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {
            "best": self._best,
            "waited": self._waited,
            "cooling": self._cooling,
            "rate_factor": self.rate_factor,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state."""
        self._best, self._waited, self._cooling = state["best"], state["waited"], state["cooling"]
        self.rate_factor = state["rate_factor"]
