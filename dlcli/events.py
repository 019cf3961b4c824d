"""What a piece of work says while it goes on; listeners draw it, write it down or ignore it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence worth showing once, e.g. what was inferred. `warning`: worth keeping in the record."""

    text: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class UnitStarted:
    """A training begins. `label` names it among several ("fold 2/5"); empty when it is the only one."""

    epochs: int
    label: str = ""
    index: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """A part of an epoch is over. `share`: of the epoch, between 0 and 1; `loss`: the mean so far.

    `index`, here and below: the UnitStarted that it belongs to.
    """

    epoch: int
    epochs: int
    share: float
    loss: float
    rows_per_second: float
    index: int = 0


@dataclass(frozen=True, slots=True)
class EpochEnded:
    """One epoch is over. `values`: loss, val_loss and metrics by monitor name."""

    epoch: int
    epochs: int
    values: Mapping[str, float]
    learning_rate: float
    seconds: float
    rows_per_second: float = 0.0
    best: bool = False
    index: int = 0


@dataclass(frozen=True, slots=True)
class UnitEnded:
    """A training is over; `scores`: what it reached, by metric name."""

    label: str = ""
    reason: str = ""
    scores: Mapping[str, float] = field(default_factory=dict)
    index: int = 0


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work is before training begins. `what`: what is counted ("images read")."""

    what: str
    done: int
    total: int


Event = Note | Progress | UnitStarted | SegmentEnded | EpochEnded | UnitEnded
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Listens to nothing."""
