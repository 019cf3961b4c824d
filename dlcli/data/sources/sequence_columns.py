"""Columns of sequences while they are read: rows come in, some at a time, and one column goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlcli.samples import Ragged
from dlcli.storage import Storage

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Sequences:
    """A column of sequences that is filled from its first row to its last.

    Args:
        storage: where it goes.
        dtype: of the values.
    """

    def __init__(self, storage: Storage, dtype: Any) -> None:
        self._storage = storage
        self._values = storage.begin_flat(dtype)
        self._sizes: list[NDArray[Any]] = []

    def append_values(self, values: NDArray[Any]) -> None:
        """The next values, of any rows."""
        self._values.append(values)

    def append_sizes(self, sizes: NDArray[Any]) -> None:
        """How many values each of the next rows has."""
        self._sizes.append(sizes)

    def end(self) -> Ragged:
        """The column, once every row is there."""
        import numpy as np

        sizes = np.concatenate(self._sizes).astype(np.int64)
        offsets = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return Ragged(self._values.end(), self._storage.keep(offsets), self._storage.keep(sizes[:, None]))
