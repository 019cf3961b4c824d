"""Groups, times and classes across the borders between subsets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from dlcli.data.leakage.findings import Divided, Finding, first_rows, listed
from dlcli.samples import NO_TIME, Subset
from dlcli.task import CLASSIFICATION, LABELS, Goal

_SORTED_SHARE = 0.05
"""Rows count as sorted by class with at most this share of the class changes that chance would bring."""
_FEWEST_ROWS = 30


def shared_groups(divided: Divided) -> Iterator[Finding]:
    """Groups that have rows in two subsets."""
    groups = divided.groups
    if groups is None:
        return
    for border in divided.borders(each=True):
        rows = border.found(lambda here, there: here[np.isin(groups[here], groups[there])])
        if len(rows):
            count = len(np.unique(groups[rows]))
            which = "1 group has" if count == 1 else f"{count:,} groups have"
            where = f"{border.here} and in {border.there}" if border.here else "several folds"
            message = f"{which} rows in {where}: {border.of_all(len(rows))}"
            yield Finding(
                "shared-groups",
                message,
                "so the model meets them in training: write `split: grouped`",
                (),
                first_rows(rows),
            )


def training_after_test(divided: Divided) -> Iterator[Finding]:
    """Training rows later than rows that are scored, where `data.time` or a sorted time column says so.

    Whole series apart that windows lie over are no fault: there time orders the rows within each.
    """
    if divided.windowed and divided.way == "grouped":
        return
    if divided.times is not None:
        yield from _later(divided, divided.times, "", "the future would predict the past: write `split: chronological`")
        return
    for name in divided.schema.of_kind("datetime"):
        seconds = divided.samples[name]
        if _orders_rows(seconds):
            hint = f"if they are a series, write `time: {name}` under data, so that the past predicts the future"
            yield from _later(divided, seconds, name, hint)
            return


def _later(divided: Divided, times: NDArray[np.int64], name: str, hint: str) -> Iterator[Finding]:
    train = divided.subsets["train"]
    by = f" (by {name}, which orders the rows)" if name else ""
    for border in divided.borders(each=True):
        if border.here and border.there != "train":
            continue
        after = border.found(lambda here, there: there[times[there] > times[here].min()])
        if len(after):
            whose = f"the first {border.here} row" if border.here else "rows that are scored by what they train"
            are = "is" if len(after) == 1 else "are"
            message = f"{len(after):,} of {len(train):,} training rows {are} later than {whose}{by}"
            yield Finding("training-after-test", message, hint, (name,) if name else (), first_rows(after))


def _orders_rows(seconds: NDArray[np.int64]) -> bool:
    """Whether rows follow each other in time, as in a series: no step back, and (almost) no time twice."""
    steps = np.diff(seconds)
    return bool(len(steps) and (seconds != NO_TIME).all() and (steps >= 0).all() and (steps > 0).mean() > 0.5)


def present(
    goal: Goal, labels: NDArray[np.int64] | None, subsets: Mapping[Subset, NDArray[np.int64]]
) -> dict[Subset, NDArray[np.bool_]]:
    """By subset, which classes (or labels) occur; of test rows nothing else is asked.

    Args:
        goal: what is predicted.
        labels: class numbers (rows,), or 0/1 labels (rows, labels), of every row; None for numbers.
        subsets: row numbers.
    """
    if labels is None:
        return {}
    if goal.task in CLASSIFICATION:
        numbers = np.arange(len(goal.classes))
        return {name: np.isin(numbers, labels[rows]) for name, rows in subsets.items()}
    return {name: (labels[rows] == 1).any(axis=0) for name, rows in subsets.items()}


def missing_class(divided: Divided) -> Iterator[Finding]:
    """Classes (or labels) of which a subset has no row."""
    if divided.goal.task not in LABELS:
        return
    names = divided.goal.classes or divided.goal.names
    for subset, present in divided.present.items():
        if len(divided.subsets[subset]) and not present.all():
            absent = [names[number] for number in np.flatnonzero(~present)]
            message = f"{subset} has no row of {listed(absent)}"
            hint = "it says nothing of them: write `split: stratified`, or gather more such rows"
            yield Finding("missing-class", message, hint)


def sorted_by_class(divided: Divided) -> Iterator[Finding]:
    """Rows that stand class by class, where their order decides: cut in that order, or trained on in it."""
    by_place = divided.way == "chronological" and divided.times is None
    if divided.goal.task not in CLASSIFICATION or not (by_place or not divided.shuffled):
        return
    classes = divided.values[divided.known if by_place else divided.subsets["train"]]
    if len(classes) < _FEWEST_ROWS:
        return
    shares = np.bincount(classes) / len(classes)
    by_chance = (len(classes) - 1) * (1 - float((shares**2).sum()))
    changes = int((np.diff(classes) != 0).sum())
    if changes > _SORTED_SHARE * by_chance and not (changes < len(shares) and by_chance >= 1):
        return
    if by_chance < 1:
        return
    message = f"rows are sorted by class: it changes {changes:,} times in {len(classes):,} rows"
    where = "the split cuts them in that order" if by_place else "training takes them in that order"
    hint = "write `split: stratified`" if by_place else "write `shuffle: true` under training"
    yield Finding("sorted-by-class", f"{message}, and {where}", hint)
