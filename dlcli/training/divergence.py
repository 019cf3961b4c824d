"""What happens when the loss is no longer a number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from dlcli.part import Number, Section

NOT_FINITE = "the loss is not finite"
"""How every message about a divergence begins."""


class Divergence(Section):
    """A loss that is not finite: back to the last good epoch, with a smaller learning rate."""

    retries: Annotated[int, Field(ge=0, description="How often training goes back before it gives up.")] = 2
    factor: Annotated[Number, Field(gt=0, lt=1, description="What the learning rate is multiplied by each time.")] = 0.3


class Recovery:
    """Counts how often training went back, and how far the learning rate has come down for it.

    Attributes:
        rate_factor: what the schedule's rates are multiplied by.
        retries: how often training went back.
    """

    def __init__(self, settings: Divergence | None) -> None:
        self._settings = settings
        self.rate_factor = 1.0
        self.retries = 0

    def go_back(self) -> bool:
        """Lowers the rate for another attempt; False when there is none left."""
        if self._settings is None or self.retries >= self._settings.retries:
            return False
        self.retries += 1
        self.rate_factor *= self._settings.factor
        return True

    def state(self) -> dict[str, Any]:
        """What `restore` needs."""
        return {"rate_factor": self.rate_factor, "retries": self.retries}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state."""
        self.rate_factor, self.retries = state["rate_factor"], state["retries"]
