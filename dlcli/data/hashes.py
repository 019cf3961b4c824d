"""Who a row is: a 64-bit hash of all its columns, the same wherever and in whatever order they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.samples import Coded, Ragged, Samples
from dlcli.storage import let_go

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)
_CELL_GAP = np.uint64(0x5851F42D4C957F2D)
"""The hash of a missing cell."""
_WHOLE_FLOATS_BELOW = 2.0**53


def row_hashes(samples: Samples, forms: Mapping[str, Callable[[str], str]] | None = None) -> NDArray[np.uint64]:
    """One hash per row.

    Every column's cells are hashed (text by its UTF-8 bytes, each distinct text once; numbers by their
    float64 bits, -0 as 0; images and vectors by their values), mixed with the column's name, and added
    up, so that the order of columns does not matter.

    Args:
        samples: the columns.
        forms: of columns of text, what is done to each text before.
    """
    total = np.zeros(samples.rows, dtype=np.uint64)
    for name in samples:
        salt = np.uint64(_text_hash(name))
        with np.errstate(over="ignore"):
            total += _mix(_column_hashes(samples[name], (forms or {}).get(name)) ^ salt)
        let_go(samples[name])
    return total


def without(hashes: NDArray[np.uint64], samples: Samples, names: Collection[str]) -> NDArray[np.uint64]:
    """The rows' hashes less what some of the columns add to them; names of no column do not matter."""
    columns = {name: samples[name] for name in names if name in samples}
    with np.errstate(over="ignore"):
        return hashes - row_hashes(Samples(columns, len(hashes)))


def among(hashes: NDArray[np.uint64], others: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether each of some hashes is one of others."""
    # Sorted: the tables that np.isin makes are slow once they are larger than the processor's cache.
    held = np.sort(others)
    order = np.argsort(hashes)
    places = np.searchsorted(held, hashes[order])
    found = np.zeros(len(hashes), dtype=bool)
    inside = places < len(held)
    found[order[inside]] = held[places[inside]] == hashes[order[inside]]
    return found


def distinct(hashes: NDArray[np.uint64]) -> int:
    """How many different ones there are."""
    held = np.sort(hashes)
    return int((held[1:] != held[:-1]).sum()) + (len(held) > 0)


def subset_hash(hashes: NDArray[np.uint64]) -> str:
    """One hash, in hex, of a set of rows in any order."""
    return order_hash(np.sort(hashes))


def order_hash(hashes: NDArray[np.uint64]) -> str:
    """One hash, in hex, of rows as they follow each other."""
    return hashlib.sha256(hashes.astype("<u8").tobytes()).hexdigest()


def _column_hashes(column: Any, form: Callable[[str], str] | None = None) -> NDArray[np.uint64]:
    if isinstance(column, Coded):
        texts = map(form, column.vocabulary) if form else column.vocabulary
        words = np.fromiter(map(_text_hash, texts), np.uint64, len(column.vocabulary))
        return np.asarray(np.append(words, _CELL_GAP)[column.codes])  # code -1 picks the gap
    if isinstance(column, Ragged):
        return np.fromiter(map(_bytes_hash, column.spans()), np.uint64, len(column))
    if column.ndim == 1:
        return _mix(_bits(column))
    return _vector_hashes(column.reshape(len(column), -1))


def _text_hash(text: str) -> int:
    return _bytes_hash(text.encode("utf-8", "surrogatepass"))


def _bytes_hash(content: bytes | memoryview) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _bits(values: NDArray[Any]) -> NDArray[np.uint64]:
    """Numbers as the bits of a float64, with one NaN and one zero; int64 beyond 2**53 by their own bits."""
    numbers = values.astype(np.float64) + 0.0  # turns -0 into 0
    numbers[np.isnan(numbers)] = np.nan
    bits = numbers.view(np.uint64)
    if values.dtype.kind in "iu" and values.dtype.itemsize > 4:
        bits = np.where(np.abs(numbers) < _WHOLE_FLOATS_BELOW, bits, values.astype(np.uint64))
    return bits


def _vector_hashes(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Hashes of rows of equal length, eight bytes at a time over all rows at once."""
    if rows.dtype == bool:
        rows = rows.astype(np.uint8)
    if rows.dtype == np.uint8:
        padded = np.zeros((len(rows), -(-rows.shape[1] // 8) * 8), dtype=np.uint8)
        padded[:, : rows.shape[1]] = rows
        words = padded.view("<u8")
    else:
        words = _bits(np.ascontiguousarray(rows).reshape(-1)).reshape(rows.shape)
    hashes = np.full(len(rows), rows.shape[1], dtype=np.uint64)
    for position in range(words.shape[1]):
        hashes = _mix(hashes ^ words[:, position])
    return hashes


def _mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spreads every bit over the whole word (multiply, shift, twice)."""
    with np.errstate(over="ignore"):
        mixed = (values ^ (values >> _SHIFT)) * _PRIME
        mixed = (mixed ^ (mixed >> np.uint64(32))) * _PRIME
    return mixed ^ (mixed >> _SHIFT)
