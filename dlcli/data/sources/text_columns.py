"""Columns of text while they are read: rows come in, some at a time, and one column goes out."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING, Any

from dlcli.samples import MISSING, Coded
from dlcli.storage import Filling, OnDisk, Storage, file_of, let_go, packed
from dlcli.words import Words, lengths

if TYPE_CHECKING:
    from numpy.typing import NDArray

HELD_BYTES = 16 * 1024 * 1024
"""So much text of a column is held in memory, as a tuple."""
_DIGEST_BYTES = 16
_KEY_BYTES = 32
_KEYS_AT_ONCE = 100_000


class Texts:
    """A column of text that is filled from its first row to its last; its vocabulary is sorted.

    On its way to the disk each part's different texts go to a file, which is removed once they are sorted.

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
        self._codes.append(np.where(cells.codes == MISSING, MISSING, cells.codes.astype(np.int64) + known))
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
        words = Words(content, starts[first], ends[first])
        order = _in_order(words)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        codes = np.append(rank[place], MISSING)[np.concatenate(self._codes)]
        column = written(Coded(codes.astype(np.int32), words.take(order)), self._storage)
        if (scratch := file_of(content)) is not None:
            scratch.unlink()
        return column


def written(column: Coded, storage: OnDisk) -> Coded:
    """The same cells in files of their own.

    The vocabulary holds the texts that occur, in the same order: up to `HELD_BYTES` as a tuple, beyond as `Words`.
    """
    import numpy as np

    codes, texts = column.occurring()
    codes, sizes = storage.keep(codes), lengths(texts)
    if not isinstance(texts, Words) or sizes.sum() <= HELD_BYTES:
        return Coded(codes, tuple(texts))
    content = storage.begin_flat(np.uint8)
    for block in packed(texts.encoded(), np.uint8):
        content.append(block)
    ends = np.cumsum(sizes)
    return Coded(codes, Words(content.end(), storage.keep(ends - sizes), storage.keep(ends)))


def _distinct(digests: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The places where each different one of (texts, 2) first stands, and for each the number of that place."""
    import numpy as np

    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ranked = digests[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (ranked[1:] != ranked[:-1]).any(axis=1)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.cumsum(new) - 1
    return order[new], place


def _in_order(words: Words) -> NDArray[Any]:
    """The places of texts as Python sorts them, which is the order of their UTF-8.

    By the first bytes, then those that have these in common by the next ones, and so on.
    """
    import numpy as np

    sizes = lengths(words)
    order, groups, tied = np.arange(len(words)), np.zeros(len(words), dtype=np.int64), np.arange(len(words))
    depth = 0
    while len(tied):
        keys = _keys(words, order[tied], depth)
        by = np.lexsort((sizes[order[tied]], *keys.T[::-1], groups[tied]))
        order[tied] = order[tied][by]
        keys, group = keys[by], groups[tied]
        depth += _KEY_BYTES
        new = np.ones(len(tied), dtype=bool)
        new[1:] = (group[1:] != group[:-1]) | (keys[1:] != keys[:-1]).any(axis=1)
        group = np.cumsum(new) - 1
        groups[tied] = group
        longest = np.maximum.reduceat(sizes[order[tied]], np.flatnonzero(new))
        tied = tied[(np.bincount(group)[group] > 1) & (longest[group] > depth)]
    return order


def _keys(words: Words, places: NDArray[Any], depth: int) -> NDArray[Any]:
    """(texts, numbers): of each text the bytes from `depth` on as numbers, 0 behind its end."""
    import numpy as np

    keys = np.zeros((len(places), _KEY_BYTES // 8), dtype=np.uint64)
    last = max(0, len(words.content) - 1)
    for first in range(0, len(places), _KEYS_AT_ONCE):
        some = places[first : first + _KEYS_AT_ONCE]
        at = words.starts[some][:, None] + np.arange(depth, depth + _KEY_BYTES)
        inside = at < words.ends[some][:, None]
        content = words.content[np.minimum(at, last)] if len(words.content) else np.zeros(at.shape, np.uint8)
        keys[first : first + _KEYS_AT_ONCE] = np.where(inside, content, 0).astype(np.uint8).view(">u8")
        let_go(words.content)
    return keys
