"""The same row twice, on both sides of a border, or with two answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.data.hashes import among, distinct, row_hashes
from dlcli.data.leakage.coincidence import by_chance
from dlcli.data.leakage.findings import COPIES, Divided, Finding, first_rows
from dlcli.data.leakage.normal_text import normal
from dlcli.problems import Problem, RefusedError
from dlcli.samples import Samples, Subset
from dlcli.task import CLASSIFICATION

Rule = Literal["together", "keep", "drop", "refuse"]
REPEATING_SHARE = 0.2
"""Where more than this share of rows repeats, as in tables with few distinct rows, they are only reported."""
ROWS_SHOWN = 10
"""So many repeated rows are listed where they are refused."""


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


def duplicates(hashes: NDArray[np.uint64], rule: Rule, numbers: NDArray[np.int64] | None = None) -> Duplicates:
    """Applies `data.duplicates` to the rows' hashes.

    Args:
        hashes: of the rows that may be used.
        rule: what to do.
        numbers: of these rows in the source, from 0; None where they are all.

    Raises:
        RefusedError: rows repeat and the rule is "refuse".
    """
    _, first, clusters = np.unique(hashes, return_index=True, return_inverse=True)
    every, repeated = np.arange(len(hashes)), len(hashes) - len(first)
    if not repeated:
        return Duplicates(every, None, 0, ())
    found = _told(repeated, len(hashes))
    if rule == "refuse":
        repeating = np.setdiff1d(every, first)
        rows = [int(row) + 1 for row in (repeating if numbers is None else numbers[repeating])]
        shown = ", ".join(f"{row:,}" for row in rows[:ROWS_SHOWN]) + (", ..." if repeated > ROWS_SHOWN else "")
        are = "the first are rows" if repeated > 1 else "it is row"
        message = f"{found}; {are} {shown} (rows count from 1, without the header)"
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


def as_divided(
    found: Duplicates, clusters: NDArray[np.int64] | None, subsets: Mapping[Subset, NDArray[np.int64]]
) -> tuple[str, ...]:
    """The notes once rows are divided: a split that follows something else may part equal rows.

    Args:
        found: what was to be done.
        clusters: as in `found`, of every row of the source.
        subsets: row numbers.
    """
    if clusters is None or found.clusters is None or clusters_to_keep(found.clusters) is None:
        return found.notes
    places = [np.unique(clusters[rows]) for rows in subsets.values()]
    if not (np.unique(np.concatenate(places), return_counts=True)[1] > 1).any():
        return found.notes
    return (f"{_told(found.repeated, len(found.clusters))}: some of them in other subsets, as the split has them",)


def clusters_to_keep(clusters: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The clusters of some rows if these are to be kept together: where some repeat, but not too many.

    It is asked of the very rows that are divided, so that rows of a sealed test set cannot change how the
    others are divided.
    """
    repeated = len(clusters) - len(np.unique(clusters))
    return clusters if 0 < repeated <= REPEATING_SHARE * len(clusters) else None


_DROP = "a score on rows that were met before is too good: write `duplicates: drop` under data"


def _told(repeated: int, rows: int) -> str:
    return f"{repeated:,} of {rows:,} rows {'repeats' if repeated == 1 else 'repeat'} an earlier row"


def shared_rows(divided: Divided) -> Iterator[Finding]:
    """Rows of a later subset, or of a fold, that also stand, target and all, in an earlier one or in another."""
    hashes = divided.hashes
    for border in divided.borders(each=True):
        shared = border.found(lambda here, there: here[among(hashes[here], hashes[there])])
        if len(shared):
            message = f"{border.of_all(len(shared))} also {'stand' if len(shared) > 1 else 'stands'} in {border.there}"
            yield Finding("shared-rows", message, _DROP, (), first_rows(shared))


def input_hashes(samples: Samples, texts: tuple[str, ...]) -> NDArray[np.uint64]:
    """One hash per row of its inputs: pixels and numbers as they are, texts in their normal form.

    Args:
        samples: the typed input columns.
        texts: which of them hold free text.
    """
    return row_hashes(samples, dict.fromkeys(texts, normal))


def same_inputs(divided: Divided, inputs: NDArray[np.uint64]) -> Iterator[Finding]:
    """Equal inputs on both sides of a border, and equal inputs with other targets.

    Where they are coincidences, as in tables of few and coarse columns (see `by_chance`), they mean nothing and are
    not reported. Targets of test rows are not looked at.

    Args:
        divided: the rows.
        inputs: `input_hashes` of them.
    """
    rows = np.concatenate(list(divided.subsets.values()))
    if distinct(inputs[rows]) == len(rows) or by_chance(divided, inputs, rows):
        return
    hashes = divided.hashes
    for border in divided.borders():
        same = border.found(
            lambda here, there: here[among(inputs[here], inputs[there]) & ~among(hashes[here], hashes[there])]
        )
        if len(same):
            have = "have" if len(same) > 1 else "has"
            message = f"{border.of_all(len(same))} {have} the same inputs as a row in {border.there}"
            yield Finding("shared-inputs", message, COPIES, (), first_rows(same))
    yield from _contradictions(divided, inputs)


def _contradictions(divided: Divided, inputs: NDArray[np.uint64]) -> Iterator[Finding]:
    known = divided.known
    sets, rows = contradicting(inputs[known], divided.values[known])
    if not sets:
        return
    what = "classes" if divided.goal.task in CLASSIFICATION else "targets"
    plural = "sets of rows outside test have" if sets > 1 else "set of rows outside test has"
    message = f"{sets:,} {plural} the same inputs but different {what}, {len(rows):,} rows in all"
    hint = "no model can get them all right: mend the wrong ones, or add the input that tells them apart"
    yield Finding("contradicting-rows", message, hint, (), first_rows(known[rows]))


def contradicting(inputs: NDArray[np.uint64], values: NDArray[Any]) -> tuple[int, NDArray[np.int64]]:
    """How many sets of rows have equal inputs and more than one target, and the places of their rows."""
    _, clusters, counts = np.unique(inputs, return_inverse=True, return_counts=True)
    clusters = clusters.reshape(-1)
    several = np.flatnonzero(counts[clusters] > 1)
    if not len(several):
        return 0, several
    targets = np.unique(values[several], axis=0, return_inverse=True)[1].reshape(-1)
    answers = np.unique(np.stack([clusters[several], targets], axis=1), axis=0)[:, 0]
    contested = np.flatnonzero(np.bincount(answers) > 1)
    return len(contested), several[np.isin(clusters[several], contested)]
