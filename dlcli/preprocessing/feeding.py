"""What the engine is fed: numbers worked out beforehand, or small whole numbers that the graph prepares."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlcli.preprocessing import frames
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.preprocessing.raw_windows import hash_of_rows
from dlcli.preprocessing.tables import Drop
from dlcli.samples import Block, Frame, Samples
from dlcli.storage import IN_MEMORY_BYTES, Mapped, Shelf, taken

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
        column: the one column that is kept in its own type; None where what preprocessing gives is kept.
        dtype: in which that is kept.
        shelf: where it lies if it does not fit into memory; None if it does.
    """

    pipeline: Pipeline
    column: str | None
    dtype: str = "float32"
    shelf: Shelf | None = None

    def rows(self, samples: Samples, rows: NDArray[np.int64]) -> NDArray[Any] | Mapped:
        """Inputs of some rows: (rows, *shape) as preprocessing gives them, or the column as it is.

        Raises:
            DataError: a gap or a number too large for float32 is left.
        """
        if self.column is not None:
            values: NDArray[Any] = samples[self.column]
            return taken(values, rows) if self.shelf is None else Mapped(values, rows)
        if self.shelf is None:
            return self.pipeline.transform(samples, rows, self.dtype)
        pipeline, shape = self.pipeline, (len(rows), *self.pipeline.output.shape)
        what = repr((pipeline.schema, pipeline.steps, pipeline.state, hash_of_rows(samples, rows)))
        kept = self.shelf.kept(what, shape, self.dtype, lambda filling: pipeline.transform_into(filling, samples, rows))
        return Mapped(kept)

    def prepare(self, values: Any) -> Any:
        """Preprocessing inside the graph: from a tensor of `rows` to what the network takes."""
        from keras import ops

        if self.column is None:
            return values if self.dtype == "float32" else ops.cast(values, "float32")
        kind, size = self.pipeline.schema.columns[self.column].kind, self.pipeline.cardinalities.get(self.column)
        frame = Frame((Block((self.column,), kind, values, size),), (self.column,))
        for step in self.pipeline.fitted:
            frame = step.apply(frame)
        return frames.joined(frame)

    @property
    def key(self) -> str:
        """What a graph that prepares rows depends on."""
        if self.column is None:
            return "" if self.dtype == "float32" else self.dtype
        return repr((self.pipeline.schema, self.pipeline.steps))

    @property
    def kept_as(self) -> str:
        """Said in the record: how rows are kept."""
        place = "" if self.shelf is None else ", on disk"
        if self.column is None:
            return self.dtype + place
        return f"{self.pipeline.schema.columns[self.column].dtype}{place}, prepared in the graph"


def feed(pipeline: Pipeline, rows: int, shelf: Shelf | None = None) -> Feed:
    """Keeps what is large as float32 in fewer bytes: small whole numbers that go in or come out; or on a shelf.

    A single column of them is kept as it is where preprocessing has learned nothing: numbers that it has learned
    would be constants of the graph, which folds could then not share; and where any engine can run it. What a single
    step makes of a column is kept as whole numbers where that step makes nothing else, such as the 0 and 1 of many
    tokens.
    """
    import numpy as np

    (name, column), *others = pipeline.schema.columns.items()
    values = rows * math.prod(pipeline.output.shape)
    everything = shelf if shelf is not None and shelf.everything else None
    dtype = "float32"
    if _FLOAT_BYTES * values > LARGEST_FLOATS and not others and pipeline.length is None:
        learned = any(each.learned for each in pipeline.fitted)
        compiles = all(step.compiles for step in pipeline.steps)
        if column.shape and column.dtype in _COMPACT and not learned and compiles:
            return Feed(pipeline, name, shelf=everything)
        working = [step for step in pipeline.steps if not isinstance(step, Drop)]
        compact = working[0].compact(pipeline.output.cardinality) if len(working) == 1 else None
        dtype = compact or dtype
    large = values * np.dtype(dtype).itemsize > IN_MEMORY_BYTES
    return Feed(pipeline, None, dtype, shelf if large else everything)
