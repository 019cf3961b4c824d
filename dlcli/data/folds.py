"""Folds and inner sets: the same ways of dividing as a split, over and over."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dlcli.data.allocation import Order, Rows, border, deal, divide, in_order
from dlcli.data.gaps import Gap
from dlcli.data.row_facts import RowFacts
from dlcli.data.splits import RowSplit
from dlcli.problems import ConfigError, DataError, Problem
from dlcli.seeds import Seeds

_FOLDS = ("kfold", "folds")
_COLUMN = ("kfold", "column")


def folds(
    split: RowSplit,
    facts: RowFacts,
    count: int,
    repeat: int,
    pool: NDArray[np.int64],
    *,
    max_train_size: int | None = None,
) -> list[tuple[Rows, Rows]]:
    """Divides a pool of rows into folds: (training rows, validation rows) of each.

    Every row is validated exactly once; in order of time instead each fold is validated by rows that
    come after its training rows (expanding windows, or rolling ones of at most `max_train_size` rows), and the
    first rows only train. Where a column names the folds (`facts.folds`), rows of no fold always train.

    Args:
        split: the split, whose kind the folds follow.
        facts: what is known of all rows.
        count: how many folds, at least 2.
        repeat: which repeat: each deals the rows out anew.
        pool: training and validation rows; test rows are no part of it.
        max_train_size: in order of time, how many of the newest rows each fold trains on; None for all.

    Raises:
        DataError: too few rows, groups, or rows of a class.
        ConfigError: a repeat of folds in order of time or of a column, which would be the same again, or a
            `max_train_size` of folds that do not follow time.
    """
    split = split.settle(facts)
    facts = split.know(facts)
    way = split.way(facts)
    if len(pool) < count + (way == "chronological"):
        message = f"{len(pool):,} rows are too few for {count} folds"
        raise DataError(Problem("too-few-rows", message, "take fewer folds", _FOLDS))
    if repeat and (facts.folds is not None or way == "chronological"):
        what = "in order of time" if facts.folds is None else "of a column"
        message = f"folds {what} are the same in every repeat"
        raise ConfigError(Problem("no-effect", message, "write `repeats: 1`", ("kfold", "repeats")))
    if facts.folds is not None:
        return _of_column(facts.folds, pool, count)
    if way == "chronological":
        return _in_time(facts, pool, count, split.left_out(), max_train_size)
    if max_train_size is not None:
        message = "max_train_size is for folds in order of time, which these are not"
        hint = "take it away, or write `split: chronological`"
        raise ConfigError(Problem("no-effect", message, hint, ("kfold", "max_train_size")))
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
    order = Order(split.way(facts), generator, split.left_out(), ("kfold", "inner"), every_class="first")
    parts = divide(facts, rows, None, {"validation": share}, order)
    return parts["train"], parts["validation"]


def of_column(folds: NDArray[np.int64], pool: Rows) -> NDArray[np.int64]:
    """The numbers of the folds, as a column names them, that the rows of a pool validate: ascending."""
    found = np.unique(folds[pool])
    return np.asarray(found[found >= 0])


def _of_column(folds: NDArray[np.int64], pool: Rows, count: int) -> list[tuple[Rows, Rows]]:
    """A fold for each value of the column."""
    numbers = of_column(folds, pool)
    if len(numbers) != count or count < 2:
        message = f"the column names {len(numbers)} folds outside the test set" + (
            f", not {count}" if count > 1 else ""
        )
        raise DataError(Problem("too-few-folds", message, "name a column with at least two values", _COLUMN))
    return [(pool[folds[pool] != number], pool[folds[pool] == number]) for number in numbers]


def _in_time(facts: RowFacts, pool: Rows, count: int, gap: Gap, most: int | None) -> list[tuple[Rows, Rows]]:
    ordered = in_order(facts, pool)
    edges = [border(facts, ordered, len(ordered) * number // (count + 1)) for number in range(1, count + 2)]
    found = []
    for number, (start, end) in enumerate(pairwise(edges)):
        last = gap.before(facts, ordered, start)
        if not last or start == end:
            left_out = f"gap {gap.rows:,}" if not gap.seconds else f"gap {gap.seconds:,} s"
            message = f"fold {number + 1} of {count} has no rows left ({len(pool):,} rows, {left_out})"
            raise DataError(Problem("too-few-rows", message, "take fewer folds or a smaller gap", _FOLDS))
        first = 0 if most is None else max(last - most, 0)
        found.append((ordered[first:last], ordered[start:end]))
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
