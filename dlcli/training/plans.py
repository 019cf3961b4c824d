"""What each epoch of a training does with the rows: it follows from its number and the seeds."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from dlcli.seeds import Seeds
from dlcli.training.engine import Epoch

_MANY_ROWS = 100_000
"""To shuffle so many takes long enough to begin before the order is needed."""


class Plans:
    """The epochs of one training.

    Args:
        rows: how many there are.
        seeds: where their order and augmentation draw from.
        shuffle: whether they come in another order in every epoch.
    """

    def __init__(self, rows: int, seeds: Seeds, *, shuffle: bool) -> None:
        self._rows, self._seeds, self._shuffle = rows, seeds, shuffle
        self._ahead = ThreadPoolExecutor(1, "dlcli-order") if shuffle and rows >= _MANY_ROWS else None
        self._drawn: dict[int, Future[NDArray[np.int32]]] = {}

    def epoch(self, number: int, rates: NDArray[np.float64]) -> Epoch:
        """The order of the rows and the key of their augmentation, with the learning rates; the first epoch is 1."""
        low, high = self._seeds.sequence("augmentation", number).generate_state(2).astype(np.int32).tolist()
        return Epoch(self._order(number), rates, (low, high))

    def _order(self, number: int) -> NDArray[np.int32]:
        """That of the next epoch is drawn while this one is trained on."""
        if self._ahead is None:
            return self._draw(number)
        drawn = self._drawn.get(number) or self._ahead.submit(self._draw, number)
        self._drawn = {number + 1: self._ahead.submit(self._draw, number + 1)}
        return drawn.result()

    def _draw(self, number: int) -> NDArray[np.int32]:
        order = np.arange(self._rows, dtype=np.int32)
        return self._seeds.generator("order", number).permutation(order) if self._shuffle else order
