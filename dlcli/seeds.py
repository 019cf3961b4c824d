"""Seeds: named streams of one experiment seed, never global state.

`numpy.random.SeedSequence([seed, purpose, repeat, fold])` gives every purpose its own stream, so that
drawing more numbers for one never shifts another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np

Purpose = Literal["weights", "order", "dropout", "augmentation", "tune", "split", "inner", "importance"]
_NUMBERS: dict[Purpose, int] = {
    "weights": 1, "order": 2, "dropout": 3, "augmentation": 4, "tune": 5, "split": 6, "inner": 7,
    "importance": 8
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Seeds:
    """The seeds of one unit of work: an experiment's seed, and which repeat and fold it is."""

    seed: int
    repeat: int = 0
    fold: int = 0

    def sequence(self, purpose: Purpose, *more: int) -> np.random.SeedSequence:
        """The sequence of one purpose; `more` tells apart e.g. epochs."""
        import numpy as np

        return np.random.SeedSequence([self.seed, _NUMBERS[purpose], self.repeat, self.fold, *more])

    def generator(self, purpose: Purpose, *more: int) -> np.random.Generator:
        """A numpy generator of one purpose."""
        import numpy as np

        return np.random.default_rng(self.sequence(purpose, *more))

    def stream(self) -> SeedStream:
        """Integer seeds for the layers of one network, in the order in which they ask."""
        return SeedStream(self)


class SeedStream:
    """Hands out int seeds (31 bits) per purpose; the n-th request always gets the same seed."""

    def __init__(self, seeds: Seeds) -> None:
        self._seeds = seeds
        self._drawn: dict[Purpose, int] = {}

    def draw(self, purpose: Purpose) -> int:
        """The next seed of a purpose."""
        count = self._drawn.get(purpose, 0)
        self._drawn[purpose] = count + 1
        return int(self._seeds.sequence(purpose, count).generate_state(1)[0] >> 1)
