"""Rows dealt out by a hash of their own: where one goes does not depend on which others there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from dlcli.problems import ConfigPath, DataError, Problem

_BITS_OF_A_FLOAT = 53
_PRIME = np.uint64(0x9E3779B97F4A7C15)


def places(keys: NDArray[np.uint64], generator: np.random.Generator) -> NDArray[np.float64]:
    """A number from 0 to below 1 for each key: the same key, the same number; another generator, other numbers."""
    mixed = keys ^ generator.integers(0, 2**64, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for shift in (np.uint64(32), np.uint64(29), np.uint64(32)):
            mixed = (mixed ^ (mixed >> shift)) * _PRIME
    return np.asarray((mixed >> np.uint64(64 - _BITS_OF_A_FLOAT)) / 2.0**_BITS_OF_A_FLOAT)


def by_shares(
    keys: NDArray[np.uint64], shares: Mapping[str, float | None], generator: np.random.Generator, path: ConfigPath
) -> dict[str, NDArray[np.int64]]:
    """The positions of keys by name; each name has about its share of the keys, None: what is left.

    Raises:
        DataError: a name with a share gets nothing.
    """
    place, found, start = places(keys, generator), dict[str, NDArray[np.int64]](), 0.0
    for name, share in sorted(shares.items(), key=lambda item: item[1] is None):
        end = 1.0 if share is None else start + share
        found[name] = np.flatnonzero((place >= start) & (place < end))
        start = end
    _require_some([name for name, share in shares.items() if share != 0 and not len(found[name])], len(keys), path)
    return found


def into_bins(
    keys: NDArray[np.uint64], count: int, generator: np.random.Generator, path: ConfigPath
) -> NDArray[np.int64]:
    """The number of a bin for each key, all bins about alike.

    Raises:
        DataError: a bin gets nothing.
    """
    bins = (places(keys, generator) * count).astype(np.int64)
    _require_some([f"fold {number + 1}" for number in np.setdiff1d(np.arange(count), bins)], len(keys), path)
    return bins


def _require_some(empty: Sequence[str], rows: int, path: ConfigPath) -> None:
    if empty:
        message = f"no hash of {rows:,} rows falls into {empty[0]}"
        raise DataError(Problem("empty-subset", message, "take larger shares, fewer parts, or more data", path))
