"""The same row twice, or on both sides of a border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.problems import Problem, RefusedError
from dlcli.samples import Subset

Rule = Literal["together", "keep", "drop", "refuse"]
REPEATING_SHARE = 0.2
"""Where more than this share of rows repeats, as in tables with few distinct rows, they are only reported."""


@dataclass(frozen=True, slots=True, eq=False)
class Duplicates:
    """What to do about identical rows.

    Attributes:
        keep: the rows that stay.
        clusters: for every row the number of its cluster of identical rows; None if they need not stay
            together.
        repeated: rows that repeat an earlier one.
        notes: what should be said.
    """

    keep: NDArray[np.int64]
    clusters: NDArray[np.int64] | None
    repeated: int
    notes: tuple[str, ...]


def duplicates(hashes: NDArray[np.uint64], rule: Rule) -> Duplicates:
    """Applies `data.duplicates` to the rows' hashes.

    Raises:
        RefusedError: rows repeat and the rule is "refuse".
    """
    _, first, clusters = np.unique(hashes, return_index=True, return_inverse=True)
    every, repeated = np.arange(len(hashes)), len(hashes) - len(first)
    if not repeated:
        return Duplicates(every, None, 0, ())
    found = f"{repeated:,} of {len(hashes):,} rows repeat an earlier row"
    if rule == "refuse":
        row = int(np.setdiff1d(every, first)[0])
        message = f"{found}; the first is row {row + 1} (rows count from 1, without the header)"
        suggestion = "remove them, or write `duplicates: drop` or `duplicates: together` under data"
        raise RefusedError(Problem("duplicate-rows", message, suggestion, ("data", "duplicates")))
    if rule == "drop":
        return Duplicates(np.sort(first), None, repeated, (f"{found}: dropped",))
    if rule == "keep":
        return Duplicates(every, None, repeated, (f"{found}: kept where they fall",))
    clusters = clusters.reshape(-1)
    if clusters_to_keep(clusters) is None:
        note = f"{found}, too many to keep each set in one subset: equal rows may stand on both sides of a split"
        return Duplicates(every, clusters, repeated, (note,))
    return Duplicates(every, clusters, repeated, (f"{found}: equal rows go to one subset",))


def clusters_to_keep(clusters: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The clusters of some rows if these are to be kept together: where some repeat, but not too many.

    It is asked of the very rows that are divided, so that rows of a sealed test set cannot change how the
    others are divided.
    """
    repeated = len(clusters) - len(np.unique(clusters))
    return clusters if 0 < repeated <= REPEATING_SHARE * len(clusters) else None


def shared_rows(hashes: NDArray[np.uint64], subsets: Mapping[Subset, NDArray[np.int64]]) -> tuple[str, ...]:
    """A sentence for each later subset of which rows also stand in an earlier one."""
    notes, names = [], [name for name in subsets if len(subsets[name])]
    for number, later in enumerate(names):
        for earlier in names[:number]:
            count = int(np.isin(hashes[subsets[later]], hashes[subsets[earlier]]).sum())
            if count:
                notes.append(f"{count:,} of {len(subsets[later]):,} {later} rows also stand in {earlier}")
    return tuple(notes)
