"""Dealing rows out to subsets or folds: at random, by class, by group, or in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.data.gaps import Gap
from dlcli.data.keys import by_shares, into_bins
from dlcli.data.row_facts import SUBSETS, RowFacts, Way
from dlcli.problems import ConfigPath, DataError, Problem
from dlcli.samples import Subset

Rows = NDArray[np.int64]
_LEAST_EXPECTED = 0.5
"""Fewer rows of a class than this are not expected of a bin: keeps the greedy rule finite."""


_NO_GAP = Gap()


@dataclass(frozen=True, slots=True)
class Order:
    """How to deal.

    Attributes:
        way: random, stratified, grouped, hash or chronological.
        generator: where chance comes from.
        gap: what is left out at each border in time.
        path: where the config asks for it.
        every_class: which bins must hold each class: all of them, at least the first (training), or none
            (folds, of which each trains with the rows of the others).
    """

    way: Way
    generator: np.random.Generator
    gap: Gap = _NO_GAP
    path: ConfigPath = ("split",)
    every_class: Literal["all", "first", "none"] = "all"


def divide(
    facts: RowFacts, rows: Rows, train: float | None, shares: Mapping[Subset, float], order: Order
) -> dict[Subset, Rows]:
    """Divides rows into training and the named other subsets; those not named are empty.

    Args:
        facts: what is known of all rows.
        rows: the rows to divide.
        train: share or count of training rows; None for the rest.
        shares: share (below 1) or count of the other subsets; 0 for none.
        order: how to deal.

    Raises:
        DataError: there are too few rows, groups, or rows of a class.
    """
    counts: dict[Subset, int] = {name: _count(shares.get(name, 0), len(rows)) for name in SUBSETS[1:]}
    gaps = order.gap.rows * sum(1 for count in counts.values() if count) if order.way == "chronological" else 0
    left = len(rows) - sum(counts.values()) - gaps
    counts = {"train": left if train is None else _count(train, len(rows)), **counts}
    if left < max(counts["train"], 1) or not counts["train"]:
        told = {**counts, "train": max(counts["train"], 1)}
        wanted = ", ".join(f"{name} {count:,}" for name, count in told.items())
        message = f"{len(rows):,} rows are too few for the split ({wanted}" + (f", gaps {gaps:,})" if gaps else ")")
        raise DataError(Problem("too-few-rows", message, "take smaller shares or more data", order.path))
    if order.way == "chronological":
        return _in_time(facts, rows, counts, order)
    if order.way == "hash":
        wide = {"test": shares.get("test", 0), "validation": shares.get("validation", 0), "train": train}
        cut = by_shares(_keys(facts, rows), wide, order.generator, order.path)
        return {name: rows[cut[name]] for name in SUBSETS}
    names = [name for name in SUBSETS if counts[name]]
    sizes = [counts[name] for name in names]
    unused = len(rows) - sum(sizes)
    parts = deal(facts, rows, [*sizes, unused] if unused else sizes, names, order)
    return {name: parts[names.index(name)] if name in names else rows[:0] for name in SUBSETS}


def _count(share: float, rows: int) -> int:
    """Rows of a share, at least one; 1 and more is a count."""
    if share >= 1:
        return int(share)
    return max(round(share * rows), 1) if share else 0


def deal(facts: RowFacts, rows: Rows, sizes: Sequence[int], names: Sequence[str], order: Order) -> list[Rows]:
    """Deals rows out to bins of given sizes; rows of one group, or identical rows, stay together.

    Args:
        facts: what is known of all rows.
        rows: the rows to deal.
        sizes: wanted size of each bin; their sum is the number of rows.
        names: names of the bins that must not be empty; a last bin without a name takes what is unused.
        order: how to deal.

    Returns:
        the rows of each bin, ascending.
    """
    labels = None if facts.labels is None else facts.labels[rows]
    clusters = facts.clusters_of(rows)
    if order.way == "grouped":
        assert facts.groups is not None
        bins = _by_group(facts.groups[rows], labels, sizes, names, order)
    elif order.way == "hash":
        bins = into_bins(_keys(facts, rows), len(sizes), order.generator, order.path)
    elif order.way == "stratified" and labels is not None and labels.ndim > 1:
        units = np.arange(len(rows)) if clusters is None else clusters
        bins = _by_group(units, labels, sizes, names, order)
    else:
        stratified = order.way == "stratified" and labels is not None
        classes = labels if stratified and labels is not None else np.zeros(len(rows), dtype=np.int64)
        bins = _by_class(classes, clusters, sizes, names, order, facts.class_names if stratified else ())
    return [np.sort(rows[bins == number]) for number in range(len(sizes))]


def _keys(facts: RowFacts, rows: Rows) -> NDArray[np.uint64]:
    assert facts.keys is not None
    return np.asarray(facts.keys[rows])


# By class


def _by_class(
    classes: NDArray[np.int64],
    clusters: NDArray[np.int64] | None,
    sizes: Sequence[int],
    names: Sequence[str],
    order: Order,
    class_names: tuple[str, ...],
) -> NDArray[np.int64]:
    """A bin per row such that every class is spread over the bins as evenly as whole rows allow."""
    shuffled = order.generator.permutation(len(classes))
    by_class = shuffled[np.argsort(classes[shuffled], kind="stable")]
    numbers, counts = np.unique(classes, return_counts=True)
    quotas = _quotas(counts, sizes)
    bins = np.zeros(len(classes), dtype=np.int64)
    if class_names and order.every_class != "none":
        quotas = _with_every_class(quotas, numbers, names, order, class_names)
    for quota, rows in zip(quotas, np.split(by_class, np.cumsum(counts)[:-1]), strict=True):
        bins[rows] = (
            np.repeat(np.arange(len(sizes)), quota)
            if clusters is None
            else _clusters_to_bins(clusters[rows], quota, order.generator)
        )
    if class_names and clusters is not None and order.every_class == "all":
        held = np.array([[np.any(classes[bins == b] == n) for b in range(len(names))] for n in numbers])
        for number in numbers[~held.all(axis=1)]:
            raise _class_too_small(class_names[number], int((classes == number).sum()), names, order, identical=True)
    return bins


def _quotas(counts: NDArray[np.int64], sizes: Sequence[int]) -> NDArray[np.int64]:
    """Rows per class and bin: exact bin sizes, each class nearly in proportion.

    The places of all bins are laid out evenly along a line, and the classes, one after the other,
    take the places in turn.
    """
    places = np.concatenate([(np.arange(size) + 0.5) / max(size, 1) for size in sizes])
    bins = np.repeat(np.arange(len(sizes)), sizes)[np.argsort(places, kind="stable")]
    classes = np.repeat(np.arange(len(counts)), counts)
    table = np.zeros((len(counts), len(sizes)), dtype=np.int64)
    np.add.at(table, (classes, bins), 1)
    return table


def _with_every_class(
    quotas: NDArray[np.int64],
    numbers: NDArray[np.int64],
    names: Sequence[str],
    order: Order,
    class_names: tuple[str, ...],
) -> NDArray[np.int64]:
    """Moves single rows so that every bin holds every class, or at least the first (training) does.

    Raises:
        DataError: a class, or a bin, is too small.
    """
    quotas = quotas.copy()
    for row, number in enumerate(numbers):
        total = int(quotas[row].sum())
        if order.every_class == "all" and total < len(names):
            raise _class_too_small(class_names[number], total, names, order)
        for target in range(len(names)) if total >= len(names) else (0,):
            if quotas[row, target] == 0:
                donor = int(np.argmax(quotas[row]))
                giver = _class_to_swap(quotas, row, target)
                if giver is None:
                    if order.every_class == "first":
                        continue
                    message = (
                        f"{names[target]} has {int(quotas[:, target].sum())} rows, too few for {len(numbers)} classes"
                    )
                    raise DataError(Problem("subset-too-small", message, "give it a larger share", order.path))
                quotas[row, donor] -= 1
                quotas[row, target] += 1
                quotas[giver, target] -= 1
                quotas[giver, donor] += 1
    return quotas


def _class_to_swap(quotas: NDArray[np.int64], row: int, target: int) -> int | None:
    """The class that can best spare a row of a bin."""
    spare = quotas[:, target].copy()
    spare[row] = 0
    giver = int(np.argmax(spare))
    return giver if spare[giver] > 1 else None


def _class_too_small(name: str, rows: int, names: Sequence[str], order: Order, *, identical: bool = False) -> DataError:
    alike = ", some of them identical" if identical else ""
    plural = "s" if rows != 1 else ""
    message = f"class {name} has only {rows:,} row{plural}{alike}: too few for one in each of {', '.join(names)}"
    suggestion = "merge it with another (`aliases` under data.target), remove it, or write `split: random`"
    return DataError(Problem("class-too-small", message, suggestion, order.path))


def _clusters_to_bins(
    clusters: NDArray[np.int64], quota: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """A bin for each row of one class; rows of a cluster get the same."""
    _, inverse, counts = np.unique(clusters, return_inverse=True, return_counts=True)
    bin_of = np.zeros(len(counts), dtype=np.int64)
    need = quota.copy()
    for cluster in generator.permutation(np.flatnonzero(counts > 1)):
        room = np.cumsum(np.where(need >= counts[cluster], need, 0))
        place = generator.random() * room[-1]
        chosen = int(np.searchsorted(room, place, side="right")) if room[-1] else int(np.argmax(need))
        bin_of[cluster] = chosen
        need[chosen] -= counts[cluster]
    bins = bin_of[inverse]
    single = np.flatnonzero(counts[inverse] == 1)
    need = np.maximum(need, 0)
    while need.sum() > len(single):  # a cluster filled a bin to more than its size
        need[int(np.argmax(need))] -= 1
    bins[single] = generator.permutation(np.repeat(np.arange(len(need)), need))
    return bins


# By group


def _by_group(
    groups: NDArray[np.int64],
    labels: NDArray[np.int64] | None,
    sizes: Sequence[int],
    names: Sequence[str],
    order: Order,
) -> NDArray[np.int64]:
    """A bin per row, the same for all rows of a group (greedy: rare and large groups first).

    Raises:
        DataError: there are fewer groups than bins.
    """
    _, inverse, members = np.unique(groups, return_inverse=True, return_counts=True)
    if len(members) < len(names):
        message = f"{len(members)} groups cannot be divided into {len(names)} parts"
        raise DataError(Problem("too-few-groups", message, "take fewer parts, or another group column", order.path))
    counts = np.concatenate([_label_counts(inverse, labels, len(members)), members[:, None]], axis=1).astype(float)
    shuffled = order.generator.permutation(len(members))
    rarity = (counts / np.maximum(counts.sum(axis=0), 1)).sum(axis=1)
    queue = shuffled[np.argsort(-rarity[shuffled], kind="stable")]
    return _greedy(counts, queue, np.array(sizes, dtype=float), len(names))[inverse]


def _label_counts(groups: NDArray[np.int64], labels: NDArray[np.int64] | None, count: int) -> NDArray[np.float64]:
    """Rows of each class, or of each label, in each group: (groups, classes)."""
    if labels is None:
        return np.zeros((count, 0))
    if labels.ndim == 1:
        table = np.zeros((count, int(labels.max(initial=0)) + 1))
        np.add.at(table, (groups, labels), 1)
        return table
    table = np.zeros((count, labels.shape[1]))
    np.add.at(table, groups, labels)
    return table


def _greedy(
    counts: NDArray[np.float64], queue: NDArray[np.int64], sizes: NDArray[np.float64], named: int
) -> NDArray[np.int64]:
    """Each unit in turn to the bin that comes nearest to its share of every class; none is left empty.

    The last column of `counts` is the size of a unit; it weighs as much as all classes together.
    """
    wanted = np.outer(sizes / sizes.sum(), counts.sum(axis=0))
    scale = 1 / np.maximum(wanted, _LEAST_EXPECTED)
    scale[:, -1] *= max(counts.shape[1] - 1, 1)
    held = np.zeros_like(wanted)
    chosen = np.zeros(len(counts), dtype=np.int64)
    for position, unit in enumerate(queue):
        count = counts[unit]
        cost = ((2 * (held - wanted) + count) * count * scale).sum(axis=1)
        empty = held[:named, -1] == 0
        if len(queue) - position <= empty.sum():
            allowed = np.append(empty, np.zeros(len(sizes) - named, dtype=bool))
        else:
            fits = held[:, -1] + count[-1] <= sizes
            allowed = fits if fits.any() else sizes > 0
        bin_number = int(np.argmin(np.where(allowed, cost, np.inf)))
        chosen[unit] = bin_number
        held[bin_number] += count
    return chosen


# In order of time


def in_order(facts: RowFacts, rows: Rows) -> Rows:
    """The rows in order of time, else of the file; rows of one moment as in the file, identical ones side by side."""
    if facts.times is None:
        return np.sort(rows)
    rows = np.sort(rows)
    first = rows
    clusters = facts.clusters_of(rows)
    if clusters is not None:
        _, at, inverse = np.unique(clusters, return_index=True, return_inverse=True)
        first = rows[at][inverse]
    return rows[np.lexsort((first, facts.times[rows]))]


def _in_time(facts: RowFacts, rows: Rows, counts: Mapping[Subset, int], order: Order) -> dict[Subset, Rows]:
    """Test last, validation before it, training before that, gaps between."""
    ordered = in_order(facts, rows)
    parts: dict[Subset, Rows] = {}
    end = len(ordered)
    for name in reversed(SUBSETS[1:]):
        start = border(facts, ordered, end - counts[name])
        parts[name] = ordered[start:end]
        end = order.gap.before(facts, ordered, start) if counts[name] else start
    parts["train"] = ordered[max(end - counts["train"], 0) : end]
    if empty := [name for name in SUBSETS if counts[name] and not len(parts[name])]:
        message = f"the gaps leave no {empty[0]} rows"
        raise DataError(Problem("too-few-rows", message, "take a smaller gap or more data", order.path))
    return {name: parts[name] for name in SUBSETS}


def border(facts: RowFacts, ordered: Rows, position: int) -> int:
    """The position, moved forward past rows that are identical to the one before it."""
    clusters = facts.clusters_of(ordered)
    if clusters is None or facts.times is None:
        return position
    while 0 < position < len(ordered) and clusters[position] == clusters[position - 1]:
        position += 1
    return position
