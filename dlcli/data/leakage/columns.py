"""Single columns that number the rows, or have gaps where training sees none."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.leakage.findings import Divided, Finding
from dlcli.samples import MISSING, NO_TIME, Coded

FALSE_ALARM = 1e-3
"""The probability of any false alarm in one set of data that a rule may have, over all its columns."""
_FEWEST_ROWS = 50
_LONGEST_ID = 64
_BIRTHDAYS = 10.0
"""Whole numbers that were drawn at random would be all different with a probability below exp of minus this."""


def id_like(divided: Divided) -> Iterator[Finding]:
    """Inputs that number or name the rows.

    Whole numbers that are all different count where they rise or fall throughout, or where so many in
    so small a range would not be all different by chance (probability exp(-n^2 / 2R) of n draws from R values).
    Words count that are all different, without a blank, and hold a digit.
    """
    if divided.samples.rows < _FEWEST_ROWS:
        return
    for name, column in divided.samples.items():
        if divided.schema.columns[name].kind == "datetime":
            continue
        if is_id_number(column) if isinstance(column, np.ndarray) else is_id_text(column):
            message = f"{name} is different in every row, like a number or name of the row"
            hint = f"a network can only learn it by heart: write `ignore: [{name}]` under data"
            yield Finding("id-like-column", message, hint, (name,))


def is_id_number(column: NDArray[Any]) -> bool:
    """Whether whole numbers number the rows."""
    if column.ndim != 1 or not np.isfinite(column).all() or (column != np.floor(column)).any():
        return False
    steps = np.diff(column)
    if (steps > 0).all() or (steps < 0).all():
        return True
    numbers = np.sort(column)
    if (np.diff(numbers) == 0).any():
        return False
    spread = float(numbers[-1]) - float(numbers[0]) + 1
    return len(column) ** 2 / (2 * spread) > _BIRTHDAYS


def is_id_text(column: Any) -> bool:
    """Whether words name the rows."""
    if not isinstance(column, Coded) or len(column.vocabulary) < len(column) or (column.codes == MISSING).any():
        return False
    return len(np.unique(column.codes)) == len(column) and all(
        len(text) <= _LONGEST_ID and not any(sign.isspace() for sign in text) and any(map(str.isdigit, text))
        for text in column.vocabulary
    )


def missing_only_later(divided: Divided) -> Iterator[Finding]:
    """Inputs with gaps outside training only, where chance would hardly have put all of them there.

    With a share p of the rows in training, chance puts none of m gaps there with the probability (1 - p)^m; this
    must lie below `FALSE_ALARM` divided by the number of inputs (Bonferroni).
    """
    train, rows = divided.subsets["train"], sum(map(len, divided.subsets.values()))
    later = [subset for subset, rows_of in divided.subsets.items() if subset != "train" and len(rows_of)]
    if not len(train) or len(train) == rows:
        return
    for name, column in divided.samples.items():
        gaps = gaps_of(column)
        if gaps is None or gaps[train].any():
            continue
        counts = {subset: int(gaps[divided.subsets[subset]].sum()) for subset in later}
        if (total := sum(counts.values())) and total * math.log1p(-len(train) / rows) < math.log(
            FALSE_ALARM / len(divided.samples)
        ):
            where = " and ".join(f"{count:,} {subset} rows" for subset, count in counts.items() if count)
            message = f"{name} has gaps in {where}, but in no training row"
            yield Finding(
                "missing-only-later",
                message,
                "so the model never learnt what a gap means: find out why they lack it",
                (name,),
            )


def gaps_of(column: Any) -> NDArray[np.bool_] | None:
    """Which cells of a column are missing; None for columns that cannot have gaps, or rows with a shape."""
    if isinstance(column, Coded):
        return np.asarray(column.codes == MISSING)
    if not isinstance(column, np.ndarray) or column.ndim != 1:
        return None
    if column.dtype.kind == "f":
        return np.asarray(np.isnan(column))
    return np.asarray(column == NO_TIME) if column.dtype == np.int64 else None
