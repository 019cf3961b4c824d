"""Steps that cut the range of a number into bins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import MISSING_TEXT, Keeping, gaps, values
from dlcli.preprocessing.vocabularies import spoken
from dlcli.samples import Block, Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Discretize(Keeping):
    """The bin that a number lies in, as a category: 1 for the lowest, 2 for the next, ...; a gap stays a gap.

    A category is no number yet: put `one_hot`, `ordinal`, `embed` or `cross` behind. Bins that would be
    empty because many rows hold the same value are left out. Numbers beyond the training rows belong to
    the first or last bin.
    """

    part_name = "discretize"
    example = "discretize: {columns: Age, bins: 5}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric",)
    result_kind = "categorical"
    finishes = False

    bins: Annotated[int, Field(ge=2, le=10_000, description="How many bins.")] = 5
    strategy: Annotated[
        Literal["quantile", "uniform"],
        Field(description="Bins with as many training rows each (quantile), or of equal width (uniform)."),
    ] = "quantile"

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"edges": numbers between the bins}}."""
        return {
            name: {"edges": _inner(_edges(block, self.bins, self.strategy))} for name, block in _alone(frame, names)
        }

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Texts "1", "2", ...: one more than the number of edges at or below the cell."""
        taken = frame.names

        def work(block: Block) -> Block:
            import numpy as np
            from keras import ops

            edges = state[block.names[0]]["edges"]
            words = [*(str(number) for number in range(1, len(edges) + 2)), MISSING_TEXT]
            cells = frames.as_float(block)
            above = [ops.cast(ops.greater_equal(cells, np.array([edge])), "int64") for edge in edges]
            places = sum(above, start=ops.ones_like(cells, dtype="int64"))
            places = ops.where(gaps(block), len(words), places)
            return Block(self.result_names(block, taken), "categorical", spoken(words, places))

        return frames.replaced(frames.separated(frame, names), names, work, keep=self.keep)


class PiecewiseLinear(Keeping):
    """A number as how far it has come through each of several bins: Age_1, Age_2, ...

    Component t is (x - b[t-1]) / (b[t] - b[t-1]), where b are quantiles of the training rows, and is held
    between 0 and 1; only the first one may fall below 0 and the last one rise above 1. A gap stays a gap.
    Helps plain networks on tables to learn steps and kinks (Gorishniy, Rubachev and Babenko, "On Embeddings
    for Numerical Features in Tabular Deep Learning", 2022).
    """

    part_name = "piecewise_linear"
    example = "piecewise_linear: {columns: numeric, bins: 8}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric",)
    result_kind = "encoded"

    bins: Annotated[int, Field(ge=1, le=1_000, description="How many bins, with as many training rows each.")] = 8

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"edges": all ends of the bins}}."""
        return {name: {"edges": _edges(block, self.bins, "quantile").tolist()} for name, block in _alone(frame, names)}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """A float32 column for each bin."""
        taken = frame.names

        def work(block: Block) -> Block:
            import numpy as np
            from keras import ops

            column = block.names[0]
            edges = np.array(state[column]["edges"])
            starts, widths = edges[:-1], np.diff(edges)
            starts, widths = (starts, widths) if len(starts) else (edges, np.ones(1))  # the same in all rows
            last = np.arange(len(starts)) == len(starts) - 1
            share = ops.divide(ops.subtract(frames.as_float(block), starts), widths)
            lowest = np.where(np.arange(len(starts)) == 0, -np.inf, 0.0)
            highest = np.where(last, np.inf, 1.0)
            # Comparisons leave a NaN as it is, which minimum and maximum need not.
            held = ops.where(ops.less(share, lowest), lowest, share)
            held = ops.where(ops.greater(held, highest), highest, held)
            results = tuple(frames.free_name(f"{column}_{number + 1}", taken) for number in range(len(starts)))
            return Block(results, "encoded", ops.cast(held, "float32"))

        return frames.replaced(frames.separated(frame, names), names, work, keep=self.keep)


def _alone(frame: Frame, names: tuple[str, ...]) -> list[tuple[str, Block]]:
    return [(name, block) for name in names for block in frames.picked(frame, (name,))]


def _edges(block: Block, bins: int, strategy: str) -> NDArray[Any]:
    """All ends of the bins, each once: (at most bins + 1,)."""
    import numpy as np

    from dlcli.preprocessing import moments

    cells = values(block)
    if strategy == "quantile":
        shares = tuple((np.arange(bins + 1) / bins).tolist())
        return np.unique(np.concatenate(moments.quantiles(cells, shares)))
    low, high = (float(end[0]) for end in moments.extremes(cells))
    return np.unique(np.linspace(low, high, bins + 1))


def _inner(edges: NDArray[Any]) -> list[float]:
    """The ends that lie between two bins."""
    inner: list[float] = edges[1:-1].tolist()
    return inner
