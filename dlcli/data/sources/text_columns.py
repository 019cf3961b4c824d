"""Columns of text while they are read: rows come in, some at a time, and one column goes out."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING, Any

from dlcli.samples import MISSING, Coded
from dlcli.storage import Filling, OnDisk, Storage
from dlcli.words import Words

if TYPE_CHECKING:
    from numpy.typing import NDArray

HELD_BYTES = 16 * 1024 * 1024
"""So much text of a column is held in memory, as a tuple."""
_DIGEST_BYTES = 16


class Texts:
    """A column of text that is filled from its first row to its last.

    In memory, or where there are few different ones, its vocabulary is a sorted tuple. Of a column that goes to
    the disk the different texts are `Words` if they are longer than `HELD_BYTES` together, in the order in which
    they come.

    Args:
        storage: where it goes.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage if isinstance(storage, OnDisk) else None
        self._parts: list[Coded] = []
        self._content: Filling | None = None
        self._last = bytearray()
        self._codes: list[NDArray[Any]] = []
        self._ends = array("q")
        self._digests = bytearray()

    def append(self, cells: Coded) -> None:
        """The next rows."""
        import numpy as np

        if self._storage is None:
            self._parts.append(cells)
            return
        known = len(self._ends)
        self._codes.append(np.where(cells.codes == MISSING, MISSING, cells.codes + known).astype(np.int32))
        end = self._ends[-1] if known else 0
        for text in cells.vocabulary:
            word = text.encode("utf-8", "surrogatepass")
            self._last += word
            end += len(word)
            self._ends.append(end)
            self._digests += hashlib.blake2b(word, digest_size=_DIGEST_BYTES).digest()
            if len(self._last) > HELD_BYTES:
                self._content = self._content or self._storage.begin_flat(np.uint8)
                self._content.append(np.frombuffer(self._last, np.uint8))
                self._last = bytearray()

    def end(self) -> Coded:
        """The column, once every row is there."""
        import numpy as np

        if self._storage is None:
            return self._parts[0] if len(self._parts) == 1 else Coded.joined(self._parts)
        content = np.frombuffer(self._last, np.uint8)
        if self._content is not None:
            self._content.append(content)
            content = self._content.end()
        ends = np.frombuffer(self._ends, np.int64)
        starts = np.append(np.int64(0), ends)[:-1]
        first, place = _distinct(np.frombuffer(self._digests, np.uint64).reshape(-1, 2))
        codes = np.append(place, MISSING).astype(np.int32)[np.concatenate(self._codes)]
        starts, ends = starts[first], ends[first]
        if (ends - starts).sum() > HELD_BYTES:
            words = Words(content, self._storage.keep(starts), self._storage.keep(ends))
            return Coded(self._storage.keep(codes), words)
        column = Coded.joined([Coded(codes, tuple(Words(content, starts, ends)))])
        return Coded(self._storage.keep(column.codes), column.vocabulary)


def _distinct(digests: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The places where each different one of (texts, 2) first stands, ascending, and for each its number there."""
    import numpy as np

    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ranked = digests[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    first = order[new]  # the sort is stable
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = rank[np.cumsum(new) - 1]
    return np.sort(first), place
