"""Windows over a series at the door of preprocessing: steps work on single rows, each once, before windows are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.samples import Samples, Schema, Windowed, Windows

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class SeriesRows:
    """The single rows that windows hold.

    Attributes:
        samples: columns of single rows.
        rows: int64, the numbers of those in any window, each once.
        places: int64 (windows, length), for each row of each window its place in `rows`.
    """

    samples: Samples
    rows: NDArray[Any]
    places: NDArray[Any]


def windows_of(samples: Samples) -> Windows | None:
    """The windows that rows of samples are; None where they are single rows."""
    column = next(iter(samples.columns.values()), None)
    return column.windows if isinstance(column, Windowed) else None


def rows_alone(samples: Samples) -> Samples:
    """The columns of single rows that the windows lie over; samples without windows as they are."""
    if windows_of(samples) is None:
        return samples
    columns = {name: column.column for name, column in samples.items()}
    return Samples(columns, len(next(iter(columns.values()))))


def rows_of_windows(samples: Samples, windows: NDArray[Any] | None) -> SeriesRows:
    """The single rows of some windows, by number; of all where none are named."""
    every = {id(column.windows): column.windows for column in samples.columns.values()}
    chosen = np.arange(samples.rows) if windows is None else windows
    if len(every) == 1:
        held = next(iter(every.values())).take(chosen).rows()
        rows, places = np.unique(held, return_inverse=True)
        return SeriesRows(rows_alone(samples), rows, places.reshape(held.shape))
    # Columns whose windows differ, as where one of them is shuffled: every row of every window by itself.
    columns = {name: _gathered(column, chosen) for name, column in samples.items()}
    length = next(iter(every.values())).length
    rows = np.arange(len(chosen) * length)
    return SeriesRows(Samples(columns, len(rows)), rows, rows.reshape(len(chosen), length))


def hash_of_rows(samples: Samples, chosen: NDArray[Any]) -> str:
    """Which rows these are of the single rows, in hex: by number, windows by the rows that they hold."""
    digest = blake2b(chosen.tobytes(), digest_size=16)
    if (windows := windows_of(samples)) is not None:
        digest.update(repr((windows.length, windows.rate, len(windows.order))).encode())
        digest.update(windows.order.tobytes())
        digest.update(windows.ends[chosen].tobytes())
    return digest.hexdigest()


def tensors(samples: Samples, schema: Schema, windows: NDArray[Any] | None) -> dict[str, Any]:
    """What `model.keras` takes: for each column a tensor [windows, length, *shape]."""
    from keras import ops

    from dlcli.preprocessing import raw_rows

    chosen = np.arange(samples.rows) if windows is None else windows
    columns = {name: _gathered(samples[name], chosen) for name in schema.columns}
    single = raw_rows.tensors(Samples(columns, len(next(iter(columns.values())))), schema, slice(None))
    return {
        name: ops.reshape(tensor, (len(chosen), samples[name].windows.length, *schema.columns[name].shape))
        for name, tensor in single.items()
    }


def one_row_each(inputs: Mapping[str, Any], schema: Schema) -> dict[str, Any]:
    """Symbolic windows as the symbolic rows that they hold, one after the other."""
    from keras import ops

    return {name: ops.reshape(inputs[name], (-1, *(column.shape or (1,)))) for name, column in schema.columns.items()}


def _gathered(column: Windowed, windows: NDArray[Any]) -> Any:
    """The rows of some windows, one after the other."""
    rows = column.windows.take(windows).rows().ravel()
    return column.column[rows] if isinstance(column.column, np.ndarray) else column.column.take(rows)
