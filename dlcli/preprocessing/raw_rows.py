"""Raw rows at the door of preprocessing: samples as tensors, and the inputs of `model.keras`.

Numbers of a table stand side by side in one block, so that three hundred columns cost as many
operations as one; every other column is a block of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.preprocessing.frames import free_name
from dlcli.problems import DataError, Problem
from dlcli.samples import MISSING, NO_TIME, Block, Coded, ColumnSchema, Frame, Ragged, Samples, Schema
from dlcli.storage import let_go
from dlcli.words import lengths, picked

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.int64] | slice


_NUMBER_BYTES = 8


def frame(samples: Samples, schema: Schema, cardinalities: Mapping[str, int], rows: Rows) -> Frame:
    """The columns of the schema, of some rows, as eager tensors."""
    from keras import ops

    scalars = tuple(name for name, column in schema.columns.items() if _is_scalar(column))
    others = [name for name in schema.columns if name not in frozenset(scalars)]
    blocks = [Block((name,), schema.columns[name].kind, _tensor(samples, schema, name, rows), cardinalities.get(name))
              for name in others]  # fmt: skip
    if scalars:
        matrix = np.empty((_count(samples, rows), len(scalars)))
        for position, name in enumerate(scalars):
            matrix[:, position] = samples[name][rows]
            let_go(samples[name])
        blocks.insert(0, Block(scalars, "numeric", ops.convert_to_tensor(matrix)))
    return Frame(tuple(blocks), tuple(schema.columns))


def tensors(samples: Samples, schema: Schema, rows: Rows) -> dict[str, Any]:
    """What `model.keras` takes: a tensor for each column, [rows, 1] or [rows, *shape]."""
    return {name: _tensor(samples, schema, name, rows) for name in schema.columns}


def keras_inputs(schema: Schema, length: int | None = None) -> dict[str, Any]:
    """A symbolic input for each column: a row, or a window of `length` rows."""
    import keras

    inputs: dict[str, Any] = {}
    taken: list[str] = []
    for name, column in schema.columns.items():
        # Keras allows no slash in a name and makes one up for an empty one; the key stays as it is.
        taken.append(free_name(name.replace("/", "_") or "column", taken))
        shape = (None,) if column.kind == "sequence" else column.shape or (1,)
        if length is not None:
            shape = (length, *column.shape)
        inputs[name] = keras.Input(shape, dtype=column.dtype, name=taken[-1])
    return inputs


def symbolic_frame(inputs: Mapping[str, Any], schema: Schema, cardinalities: Mapping[str, int]) -> Frame:
    """The frame that the symbolic inputs make, in the blocks of `frame`."""
    from keras import ops

    scalars = tuple(name for name, column in schema.columns.items() if _is_scalar(column))
    blocks = [
        Block((name,), column.kind, inputs[name], cardinalities.get(name))
        for name, column in schema.columns.items()
        if not _is_scalar(column)
    ]
    if scalars:
        columns = [ops.cast(inputs[name], "float64") for name in scalars]
        matrix = columns[0] if len(columns) == 1 else ops.concatenate(columns, axis=-1)
        blocks.insert(0, Block(scalars, "numeric", matrix))
    return Frame(tuple(blocks), tuple(schema.columns))


def example(schema: Schema) -> Samples:
    """One row of zeros and gaps, for what depends on shapes only."""
    return _one_row(schema, lambda column: np.zeros((1, *column.shape), column.dtype))


def gaps(schema: Schema) -> Samples:
    """One row of nothing but gaps, also in columns of whole numbers, which cannot hold any."""
    return _one_row(
        schema, lambda column: np.full((1, *column.shape), NO_TIME if column.kind == "datetime" else np.nan)
    )


def _one_row(schema: Schema, numbers: Callable[[ColumnSchema], NDArray[Any]]) -> Samples:
    """A row without a text and without a code, with some numbers."""
    columns: dict[str, Any] = {}
    for name, column in schema.columns.items():
        if column.dtype == "string":
            columns[name] = Coded(np.array([-1], np.int32), ())
        elif column.kind == "sequence":
            columns[name] = Ragged.of([np.zeros(0, np.int64)])
        else:
            columns[name] = numbers(column)
    return Samples(columns, 1)


def values_per_row(samples: Samples, schema: Schema, rows: Rows) -> float:
    """Of how many numbers one of the rows consists on average; eight bytes of text count as one."""
    total = 0.0
    for name, column in schema.columns.items():
        cells = samples[name]
        if isinstance(cells, Coded):
            used, counts = np.unique(cells.codes[rows], return_counts=True)
            known = used != MISSING
            nbytes = float(lengths(picked(cells.vocabulary, used[known])) @ counts[known])
            total += max(1.0, nbytes / _NUMBER_BYTES / max(1, int(counts.sum())))
        elif isinstance(cells, Ragged):
            sizes = cells.sizes(rows)
            total += float(sizes.sum()) / max(1, len(sizes))
        else:
            total += math.prod(column.shape)
    return total


def cardinalities(samples: Samples, schema: Schema, rows: Rows) -> dict[str, int]:
    """For each column of whole numbers with a shape of its own: one more than its largest one."""
    found: dict[str, int] = {}
    for name, column in schema.columns.items():
        if column.kind == "numeric" and column.shape and column.dtype.startswith(("int", "uint")):
            values = samples[name][rows]
            if values.size and values.min() >= 0:
                found[name] = int(values.max()) + 1
    return found


def _is_scalar(column: ColumnSchema) -> bool:
    return column.kind == "numeric" and not column.shape


def _count(samples: Samples, rows: Rows) -> int:
    return len(range(samples.rows)[rows]) if isinstance(rows, slice) else len(rows)


def _tensor(samples: Samples, schema: Schema, name: str, rows: Rows) -> Any:
    """One column; a scalar becomes [rows, 1]; text becomes a string tensor with "" for a gap."""
    from keras import ops

    column = samples[name]
    if isinstance(column, Ragged) and schema.columns[name].kind == "sequence":
        return ops.convert_to_tensor(_filled(column, rows))
    if isinstance(column, Ragged):
        message = f"the rows of {name} differ in size; a network takes rows of one size"
        raise DataError(Problem("rows-differ-in-size", message, f"leave it out: `drop: {name}`", ("preprocessing",)))
    if isinstance(column, Coded):
        used, places = np.unique(column.codes[rows], return_inverse=True)  # few of a vocabulary of free texts
        known = used[used != MISSING]
        words = [*[""] * (len(used) - len(known)), *picked(column.vocabulary, known)]  # the gap comes first
        return ops.take(ops.convert_to_tensor(words, dtype="string"), places.reshape(-1, 1), axis=0)
    values = column[rows]
    return ops.convert_to_tensor(values[:, None] if values.ndim == 1 else values)


def _filled(column: Ragged, rows: Rows) -> NDArray[np.int64]:
    """Sequences as (rows, longest), -1 behind the end of each."""
    taken, sizes = column.take(rows), column.sizes(rows)
    filled = np.full((len(sizes), int(sizes.max(initial=0))), -1, dtype=np.int64)
    filled[np.arange(filled.shape[1]) < sizes[:, None]] = taken.values
    return filled
