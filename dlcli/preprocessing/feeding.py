"""What the engine is fed: numbers worked out beforehand, or small whole numbers that the graph prepares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlcli.preprocessing import frames
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.samples import Block, Frame, Samples

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST_FLOATS = 32 * 1024 * 1024
"""Bytes up to which rows are kept as float32: no work is left for the graph then."""
_FLOAT_BYTES = 4
_COMPACT = ("int8", "uint8", "int16", "uint16", "bool")


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """Rows as the engine keeps them.

    Attributes:
        pipeline: the fitted preprocessing.
        column: the one column that is kept in its own type; None where floats are kept.
    """

    pipeline: Pipeline
    column: str | None

    def rows(self, samples: Samples, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Inputs of some rows: (rows, *shape) float32, or the column as it is.

        Raises:
            DataError: a gap or a number too large for float32 is left.
        """
        if self.column is None:
            return self.pipeline.transform(samples, rows)
        values: NDArray[Any] = samples[self.column][rows]
        return values

    def prepare(self, values: Any) -> Any:
        """Preprocessing inside the graph: from a tensor of `rows` to what the network takes."""
        if self.column is None:
            return values
        kind, size = self.pipeline.schema.columns[self.column].kind, self.pipeline.cardinalities.get(self.column)
        frame = Frame((Block((self.column,), kind, values, size),), (self.column,))
        for step in self.pipeline.fitted:
            frame = step.apply(frame)
        return frames.joined(frame)

    @property
    def key(self) -> str:
        """What a graph that prepares rows depends on."""
        return "" if self.column is None else repr((self.pipeline.schema, self.pipeline.steps))

    @property
    def kept_as(self) -> str:
        """Said in the record: how rows are kept."""
        if self.column is None:
            return "float32"
        return f"{self.pipeline.schema.columns[self.column].dtype}, prepared in the graph"


def feed(pipeline: Pipeline, rows: int) -> Feed:
    """Keeps a single column of small whole numbers as it is where its floats would be large.

    Only where preprocessing has learned nothing: numbers that it has learned would be constants of the graph,
    which folds could then not share. And only where any engine can run it.
    """
    (name, column), *others = pipeline.schema.columns.items()
    small = not others and pipeline.length is None and bool(column.shape) and column.dtype in _COMPACT
    large = _FLOAT_BYTES * rows * math.prod(pipeline.output.shape) > LARGEST_FLOATS
    learned = any(step.learned for step in pipeline.fitted)
    compiles = all(step.compiles for step in pipeline.steps)
    return Feed(pipeline, name if small and large and not learned and compiles else None)
