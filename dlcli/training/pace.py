"""How much of an epoch is trained in one call, so that it is neither felt nor costs."""

from __future__ import annotations

SEGMENT_SECONDS = 0.25
"""Between two moments at which a training shows how far it is, saves, or hears that it should stop."""
_FIRST_SEGMENT_BATCHES = 32
"""Epochs up to this length begin in one piece; longer ones first show how fast they go."""
_LONGEST_SEGMENT = 1.5
"""In segments: what is left of an epoch is not cut once more if it takes no longer."""


class Pace:
    """How many batches fit into a segment. It changes no number: segments of any length give the same bits."""

    def __init__(self) -> None:
        self._batch_seconds: float | None = None
        self._traced = False

    def batches(self, left: int) -> int:
        """How many of the batches that are left to train on next; all where they do not take much longer."""
        if self._batch_seconds is None:
            return min(left, _FIRST_SEGMENT_BATCHES)
        if left * self._batch_seconds <= _LONGEST_SEGMENT * SEGMENT_SECONDS:
            return left
        return min(left, max(1, int(SEGMENT_SECONDS / self._batch_seconds)))

    def observe(self, batches: int, seconds: float) -> None:
        """Takes how long some batches took; the first ones also wait for the graph, and say nothing."""
        if self._traced:
            self._batch_seconds = seconds / batches
        self._traced = True
