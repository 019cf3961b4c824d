"""Single inputs that give the target away."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.leakage.findings import Divided, Finding
from dlcli.task import CLASSIFICATION, LABELS

PERFECT = 0.999
"""An input that alone reaches this AUC, or this share of the target's variance, gives it away."""
NEARLY = 0.9
"""So does one that surely (by two standard errors) reaches this, where it stands alone: see `STANDS_ALONE`."""
STANDS_ALONE = 2.0
"""How many times further from perfect the next best input is than one that stands alone.

Where several inputs are nearly as good (the petals of irises, the sizes of tumours), the target is easy;
where one is far ahead of all others, it may have been written down after the answer was known.
"""
MOST_BINS = 100
_ROWS_PER_BIN = 20
_FEWEST_ROWS = 100
_FEWEST_OF_A_CLASS = 10
_MOST_CLASSES = 100
_CELLS = 2_000_000


def answer_in_column(divided: Divided) -> Iterator[Finding]:
    """Inputs that alone predict the target of training and validation rows.

    Each input is cut into at most 100 bins of equally many rows. The bins' class shares (or means) in one half of
    the rows predict the other half, and the other way round; this is scored by the AUC, a class against the rest
    and the mean over classes (for numbers: the share of variance explained).
    """
    rows = divided.known
    columns = divided.single_values()
    if not columns or len(rows) < _FEWEST_ROWS:
        return
    generator = np.random.default_rng(0)
    rows = generator.permutation(rows)[: max(_CELLS // len(columns), _FEWEST_ROWS)]
    bins = {name: binned(column[rows]) for name, column in columns.items()}
    for number, what in enumerate(divided.goal.names):
        targets = _targets(divided, rows, number)
        if targets is None:
            continue
        skills = {name: skill(each, targets) for name, each in bins.items()}
        labels = divided.goal.task in LABELS
        surely = {name: found - 2 * standard_error(found, targets, labels=labels) for name, found in skills.items()}
        for name in _giving_away(skills, surely):
            of = f"AUC {skills[name]:.3f}" if labels else f"R2 {skills[name]:.3f}"
            ahead = max((value for other, value in skills.items() if other != name), default=0.0)
            how = "gives" if skills[name] >= PERFECT else "nearly gives"
            message = f"{name} alone {how} {what} away ({of} of at most 1; the next best input {ahead:.3f})"
            hint = f"if it is known only after {what} is, write `ignore: [{name}]` under data"
            yield Finding("answer-in-column", message, hint, (name,))


def _giving_away(skills: dict[str, float], surely: dict[str, float]) -> Iterator[str]:
    order = sorted(skills, key=lambda name: -skills[name])
    for name in order:
        if skills[name] >= PERFECT:
            yield name
    others = [name for name in order if skills[name] < PERFECT]
    if len(others) > 1 and surely[others[0]] >= NEARLY:
        best, following = (1 - skills[name] for name in others[:2])
        if following >= STANDS_ALONE * best:
            yield others[0]


def _targets(divided: Divided, rows: NDArray[np.int64], number: int) -> NDArray[np.float64] | None:
    """The target as (rows, classes) of 0 and 1, or (rows, 1) of numbers; None if there is too little of it."""
    if divided.goal.task in CLASSIFICATION:
        classes = divided.values[rows]
        if len(divided.goal.classes) > _MOST_CLASSES:
            return None
        known = [k for k in range(len(divided.goal.classes)) if (classes == k).sum() >= _FEWEST_OF_A_CLASS]
        if len(known) < 2:
            return None
        if len(divided.goal.classes) == 2:
            known = [1]
        return np.stack([classes == k for k in known], axis=1).astype(np.float64)
    values = np.asarray(divided.values[rows, number], dtype=np.float64)
    if divided.goal.task in LABELS and min(values.sum(), (1 - values).sum()) < _FEWEST_OF_A_CLASS:
        return None
    return values[:, None] if np.ptp(values) > 0 else None


def skill(bins: NDArray[np.int64], targets: NDArray[np.float64]) -> float:
    """How well one input alone predicts, on rows that it was not fitted on.

    Args:
        bins: (rows,) of `binned`.
        targets: (rows, classes) of 0 and 1, or (rows, 1) of numbers.

    Returns:
        the mean AUC of the classes, or the share of variance explained, at least 0.
    """
    count = int(bins.max()) + 1
    half = len(bins) // 2
    counts = np.stack([np.bincount(part, minlength=count) for part in (bins[:half], bins[half:])]).astype(np.float64)
    scores = [_one_skill(bins, target, half, counts) for target in targets.T]
    return float(np.mean(scores))


def standard_error(skill: float, targets: NDArray[np.float64], *, labels: bool) -> float:
    """That of an AUC (Hanley and McNeil 1982), of the rarest class; else of R2 (Olkin and Finn 1995)."""
    rows = len(targets)
    if not labels:
        return 2 * math.sqrt(max(skill, 0) / rows) * (1 - skill)
    ups = float(targets.sum(axis=0).min())
    downs = rows - ups
    one, two = skill / (2 - skill) - skill**2, 2 * skill**2 / (1 + skill) - skill**2
    return math.sqrt(max(0.0, skill * (1 - skill) + (ups - 1) * one + (downs - 1) * two) / (ups * downs))


def binned(column: NDArray[Any]) -> NDArray[np.int64]:
    """A bin for each row: its code (int32) or, for numbers, their place in order; gaps have their own."""
    if column.dtype == np.int32:
        return column.astype(np.int64) + 1
    values = column.astype(np.float64)
    bins = np.zeros(len(values), dtype=np.int64)
    known = ~np.isnan(values)
    numbers = values[known]
    most = max(2, min(MOST_BINS, len(numbers) // _ROWS_PER_BIN))
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, most + 1)[1:])) if len(numbers) else numbers
    bins[known] = np.searchsorted(edges, numbers) + 1
    return bins


def _one_skill(bins: NDArray[np.int64], target: NDArray[np.float64], half: int, counts: NDArray[np.float64]) -> float:
    """Each half predicted by the other; the mean of the two scores."""
    count, parts = counts.shape[1], (slice(0, half), slice(half, None))
    sums = [np.bincount(bins[part], weights=target[part], minlength=count) for part in parts]
    labels = bool(np.isin(target, (0.0, 1.0)).all())
    scores = []
    for fit, check in ((0, 1), (1, 0)):
        mean = target[parts[fit]].mean()
        predicted = (sums[fit] + mean) / (counts[fit] + 1)
        if labels:
            scores.append(_auc(predicted, sums[check], counts[check] - sums[check]))
        else:
            left = target[parts[check]] - predicted[bins[parts[check]]]
            spread = float(target[parts[check]].var())
            scores.append(1 - float((left**2).mean()) / spread if spread else 0.0)
    return max(0.0, float(np.mean(scores)))


def _auc(score: NDArray[Any], positive: NDArray[Any], negative: NDArray[Any]) -> float:
    """The area under the ROC curve of bins that hold so many rows of either class; equal scores count half."""
    _, place = np.unique(score, return_inverse=True)
    ups = np.bincount(place.reshape(-1), weights=positive)
    downs = np.bincount(place.reshape(-1), weights=negative)
    pairs = ups.sum() * downs.sum()
    below = np.cumsum(downs) - downs
    return float((ups * (below + downs / 2)).sum() / pairs) if pairs else 0.5
