"""The rows that an epoch uses: held in memory at once, or read from disk some batches at a time."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.storage import ALIGNMENT_BYTES, Mapped, taken
from dlcli.training.graphs import rows_predicted_at_once

if TYPE_CHECKING:
    from numpy.typing import NDArray

_Chunk = tuple[tuple[Any, ...], "NDArray[np.int32]"]

CHUNK_BYTES = 64 * 1024 * 1024
"""At most so much is read at once: three of them fit anywhere."""
_LEAST_BYTES = 8 * 1024 * 1024
_CHUNKS = 16
"""A file is read in as many chunks, if they are not too small, so that training waits for a small part of it alone."""
_COPIED_BELOW_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, eq=False)
class Portion:
    """Batches of an epoch with the rows that they use.

    Attributes:
        data: tensors of inputs, targets and, where there are any, weights.
        order: int32, the places of rows in `data` in the order in which they are used.
        first, last: the batches [first, last) of the epoch that are to be trained on.
        base: the batch of the epoch whose rows stand first in `order`.
    """

    data: tuple[Any, ...]
    order: NDArray[np.int32]
    first: int
    last: int
    base: int = 0


class Held:
    """Rows that stay in memory: inputs, targets and, where there are any, weights, as tensors."""

    def __init__(self, data: tuple[Any, ...]) -> None:
        self._data = data

    def portions(self, order: NDArray[np.int32], first: int, last: int) -> Iterator[Portion]:
        """The batches [first, last) of an epoch whose rows are used in an order: all at once."""
        if last > first:
            yield Portion(self._data, order, first, last)

    def example(self) -> tuple[Any, ...]:
        """One row of everything."""
        return tuple(tensor[:1] for tensor in self._data)


class Stream:
    """Rows that lie on disk: while one portion is trained on, the next one is read.

    Args:
        x: inputs.
        others: what goes with them, in memory: targets and, where there are any, weights.
        batch_size: rows of a batch.
        same_size: whether the last portion is filled with rows of zeros, which nothing reads.
    """

    def __init__(
        self, x: Mapped, others: tuple[NDArray[Any], ...], batch_size: int, *, same_size: bool = False
    ) -> None:
        self._x, self._others, self._batch_size = x, others, batch_size
        self._filled = same_size
        batches = -(-len(x) // batch_size)
        size = min(CHUNK_BYTES, max(_LEAST_BYTES, x.row_bytes * len(x) // _CHUNKS))
        self._batches = min(batches, max(1, size // (x.row_bytes * batch_size)))
        self._order: NDArray[np.int32] | None = None
        self._read: dict[int, Future[_Chunk]] = {}
        self._reader = ThreadPoolExecutor(1, "dlcli-reader")
        self._rank = np.empty(len(x), dtype=np.int32)

    @property
    def rows(self) -> int:
        """Most rows of a portion."""
        return self._batches * self._batch_size

    def portions(self, order: NDArray[np.int32], first: int, last: int) -> Iterator[Portion]:
        """The batches [first, last) of an epoch whose rows are used in an order."""
        if order is not self._order:
            self._order, self._read = order, {}
        while first < last:
            number = first // self._batches
            base = number * self._batches
            end = min(last, base + self._batches)
            data, order_in_file = self._asked_for(number).result()
            self._read = {number: self._read[number]}
            if (number + 1) * self.rows < len(order):
                self._asked_for(number + 1)
            yield Portion(data, order_in_file, first, end, base)
            first = end

    def example(self) -> tuple[Any, ...]:
        """One row of everything."""
        import tensorflow as tf

        arrays = (self._x.take(slice(0, 1)), *(each[:1] for each in self._others))
        return tuple(map(tf.convert_to_tensor, arrays))

    def _asked_for(self, number: int) -> Future[_Chunk]:
        """The rows of a portion, which is being read or has been."""
        assert self._order is not None
        if number not in self._read:
            rows = self._order[number * self.rows : (number + 1) * self.rows]
            self._read[number] = self._reader.submit(self._taken, rows)
        return self._read[number]

    def _taken(self, places: NDArray[np.int32]) -> _Chunk:
        """Rows in ascending order, and the order in which they are used."""
        in_file = np.sort(places)
        self._rank[in_file] = np.arange(len(places), dtype=np.int32)
        order = self._rank[places]
        arrays = (self._x.take(in_file), *(taken(each, in_file) for each in self._others))
        most = self.rows if self._filled else 0
        return tuple(tensor(padded(array, most)) for array in arrays), order


def padded(array: NDArray[Any], rows: int) -> NDArray[Any]:
    """The array with rows of zeros, which nothing reads, up to a number of rows."""
    missing = rows - len(array)
    return array if missing <= 0 else np.concatenate([array, np.zeros((missing, *array.shape[1:]), array.dtype)])


def prediction_parts(x: NDArray[Any] | Mapped) -> Iterator[slice]:
    """Which rows to predict at once: all in memory; of those on disk as many as are read at once."""
    if not isinstance(x, Mapped):
        yield slice(0, len(x))
        return
    batch = rows_predicted_at_once(x.row_shape)  # parts end where batches do, so that no number changes
    step = batch * max(1, CHUNK_BYTES // (x.row_bytes * batch))
    for start in range(0, max(1, len(x)), step):
        yield slice(start, min(start + step, len(x)))


def tensor_of(x: NDArray[Any] | Mapped, part: slice) -> Any:
    """Some rows as a tensor."""
    return tensor(x.take(part) if isinstance(x, Mapped) else x[part])


@cache
def _on_accelerator() -> bool:
    """Whether tensors lie elsewhere than arrays."""
    import tensorflow as tf

    return bool(tf.config.list_logical_devices("GPU"))


def tensor(array: NDArray[Any]) -> Any:
    """An array as a tensor. A large one in `storage.room` is not copied: nothing may write to it from here on."""
    import tensorflow as tf

    large = array.nbytes >= _COPIED_BELOW_BYTES and array.dtype.kind in "biuf"
    plain = array.flags.c_contiguous and array.flags.writeable and array.ctypes.data % ALIGNMENT_BYTES == 0
    if large and plain and not _on_accelerator():
        return tf.experimental.dlpack.from_dlpack(array.__dlpack__())
    return tf.convert_to_tensor(array)
