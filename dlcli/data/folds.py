"""Folds and inner sets: the same ways of dividing as a split, over and over."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dlcli.data.allocation import Order, Rows, border, deal, divide, in_order
from dlcli.data.row_facts import RowFacts
from dlcli.data.splits import RowSplit
from dlcli.problems import ConfigError, DataError, Problem
from dlcli.seeds import Seeds

_FOLDS = ("kfold", "folds")


def folds(
    split: RowSplit, facts: RowFacts, count: int, repeat: int, pool: NDArray[np.int64]
) -> list[tuple[Rows, Rows]]:
    """Divides a pool of rows into folds: (training rows, validation rows) of each.

    Every row is validated exactly once; in order of time instead each fold is validated by rows that
    come after its training rows (expanding windows), and the first rows only train.

    Args:
        split: the split, whose kind the folds follow.
        facts: what is known of all rows.
        count: how many folds, at least 2.
        repeat: which repeat: each deals the rows out anew.
        pool: training and validation rows; test rows are no part of it.

    Raises:
        DataError: too few rows, groups, or rows of a class.
        ConfigError: a repeat of folds in order of time, which would be the same again.
    """
    split = split.settle(facts)
    facts = split.know(facts)
    way = split.way(facts)
    if len(pool) < count + (way == "chronological"):
        message = f"{len(pool):,} rows are too few for {count} folds"
        raise DataError(Problem("too-few-rows", message, "take fewer folds", _FOLDS))
    if way == "chronological":
        if repeat:
            message = "folds in order of time are the same in every repeat"
            raise ConfigError(Problem("no-effect", message, "write `repeats: 1`", ("kfold", "repeats")))
        return _expanding(facts, pool, count, split.gap_rows())
    if way == "stratified":
        _require_two_of_each_class(facts, pool)
    generator = Seeds(split.seed, repeat=repeat).generator("split", count)
    order = Order(way, generator, path=_FOLDS, every_class="none")
    sizes = [len(pool) // count + (number < len(pool) % count) for number in range(count)]
    parts = deal(facts, np.sort(pool), sizes, [f"fold {number + 1}" for number in range(count)], order)
    return [(np.setdiff1d(pool, part, assume_unique=True), part) for part in parts]


def inner(split: RowSplit, facts: RowFacts, rows: Rows, share: float, *, repeat: int, fold: int) -> tuple[Rows, Rows]:
    """Cuts an inner set off the training side of a fold, as the split would; in order of time its last part.

    Args:
        split: the split, whose kind is followed.
        facts: what is known of all rows.
        rows: training rows of the fold.
        share: share of those rows; 0 for none.
        repeat: which repeat it is.
        fold: which fold it is.

    Returns:
        the rows that stay in training, and the inner rows.

    Raises:
        DataError: there are too few rows or groups.
    """
    if not share:
        return rows, rows[:0]
    split = split.settle(facts)
    facts = split.know(facts)
    generator = Seeds(split.seed, repeat=repeat, fold=fold).generator("inner")
    order = Order(split.way(facts), generator, split.gap_rows(), ("kfold", "inner"), every_class="first")
    parts = divide(facts, rows, None, {"validation": share}, order)
    return parts["train"], parts["validation"]


def _expanding(facts: RowFacts, pool: Rows, count: int, gap: int) -> list[tuple[Rows, Rows]]:
    ordered = in_order(facts, pool)
    edges = [border(facts, ordered, len(ordered) * number // (count + 1)) for number in range(1, count + 2)]
    found = []
    for number, (start, end) in enumerate(pairwise(edges)):
        if start <= gap or start == end:
            message = f"fold {number + 1} of {count} has no rows left ({len(pool):,} rows, gap {gap:,})"
            raise DataError(Problem("too-few-rows", message, "take fewer folds or a smaller gap", _FOLDS))
        found.append((ordered[: start - gap], ordered[start:end]))
    return found


def _require_two_of_each_class(facts: RowFacts, pool: Rows) -> None:
    """A class with a single row would be absent from training where that row validates."""
    if facts.labels is None or facts.labels.ndim > 1:
        return
    numbers, counts = np.unique(facts.labels[pool], return_counts=True)
    for number in numbers[counts < 2]:
        message = f"class {facts.class_names[number]} has only one row outside the test set: no fold could learn it"
        suggestion = "merge it with another (`aliases` under data.target), or remove it"
        raise DataError(Problem("class-too-small", message, suggestion, _FOLDS))
