"""The target: which task it is, its classes, its values as arrays."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data import literals
from dlcli.data.target_columns import (
    NAMES_SHOWN,
    PATH,
    MissingTarget,
    as_coded,
    columns_of,
    is_known,
    listed,
    missing_notes,
    names_of,
    shown,
)
from dlcli.data.target_scale import FittedScale
from dlcli.data.target_section import Target, TargetScale
from dlcli.problems import ConfigError, DataError, Problem
from dlcli.samples import MISSING, Coded, Found
from dlcli.task import CLASSIFICATION, LABELS, NUMBERS, Goal, Task

CLASS_NUMBERS_AT_MOST = 100
"""Whole numbers without a gap are classes up to so many; beyond they are amounts."""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What is to be predicted, for every row of the source.

    Attributes:
        goal: task, target names and classes.
        values: class numbers (rows,) int64 for binary and multiclass, -1 where missing; else float64
            (rows, targets), NaN where missing.
        keep: the rows whose target is known.
        scales: the scale of each target; empty for classes.
        notes: what was inferred or left out and should be said.
    """

    goal: Goal
    values: NDArray[Any]
    keep: NDArray[np.int64]
    scales: tuple[TargetScale | None, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def labels(self) -> NDArray[Any] | None:
        """What a split can balance: class numbers, or 0/1 labels (rows, targets); None for numbers."""
        return self.values if self.goal.task in LABELS else None

    def fit(self, rows: NDArray[Any]) -> FittedScale:
        """The target scale fitted on the given, training rows; the identity for classes."""
        return FittedScale.fit(self.scales, self.values[rows]) if self.scales else FittedScale()


def resolve(
    section: Target | None,
    found: Found,
    task: Task | None,
    missing_target: MissingTarget,
    sealed_rows: NDArray[Any] | None = None,
    *,
    follows_window: bool = False,
) -> Answer:
    """Reads the target out of what a source found.

    Args:
        section: `data.target`; None uses the source's own target.
        found: what the source read.
        task: the task if the config names it, else it is inferred.
        missing_target: what to do about rows without a target.
        sealed_rows: rows that are known to be test rows; of them only the class names are used.
        follows_window: whether what is predicted comes after a window over a series: then numbers are a forecast.

    Raises:
        DataError: a target column is absent, has gaps, one value, or values that do not fit the task.
        ConfigError: a setting that cannot go with the task.
    """
    section = section or Target()
    columns = columns_of(section, found)
    _require_aliases(section, found, columns)
    keep, notes = _with_target(columns, missing_target)
    deciding = keep if sealed_rows is None else np.setdiff1d(keep, sealed_rows)
    chosen = task or _infer_task(columns, deciding, follows_window=follows_window)
    if task is None:
        notes += (f"task: {chosen}, from {_described(columns, deciding)}",)
    _require_fitting_settings(section, chosen)
    if chosen in CLASSIFICATION:
        goal, values = _classes(section, columns, keep, chosen)
        return Answer(goal, values, keep, (), notes)
    numbers = _numbers(columns, keep, chosen)
    if chosen in NUMBERS:
        _require_variety(numbers[keep], tuple(columns))
    scales = _scales(section, numbers[deciding], tuple(columns)) if chosen in NUMBERS else ()
    if chosen is Task.BOUNDED_REGRESSION:
        _require_bounds(numbers[deciding], tuple(columns), scales)
    return Answer(Goal(chosen, tuple(columns)), numbers, keep, scales, notes)


def decode(section: Target, found: Found, goal: Goal, missing_target: MissingTarget) -> Answer:
    """Reads the target of rows that a trained model is scored on: goal and classes are known, nothing is inferred.

    Args:
        section: `data.target` of the run.
        found: the rows, with their target.
        goal: of the run.
        missing_target: what to do about rows without a target.

    Raises:
        DataError: a target column is absent, or holds what the run knows no class or number for.
    """
    columns = columns_of(section, found)
    if tuple(columns) != goal.names:
        message = f"the run predicts {shown(list(goal.names))}, but the target here is {shown(list(columns))}"
        raise DataError(Problem("wrong-target", message, "", PATH))
    keep, notes = _with_target(columns, missing_target)
    if goal.task in CLASSIFICATION:
        return Answer(goal, _known_classes(as_coded(columns[goal.names[0]]), goal), keep, (), notes)
    return Answer(goal, _numbers(columns, keep, goal.task), keep, (), notes)


def _known_classes(column: Coded, goal: Goal) -> NDArray[np.int64]:
    """The class of each row: that which is written so, or else has the same number; -1 where it has none."""
    number: dict[str | float, int] = {}
    for names in (literals.numbers(goal.classes)[0].tolist(), goal.classes):
        number |= {name: position for position, name in enumerate(names)}
    same = literals.numbers(column.vocabulary)[0].tolist()
    words = zip(column.vocabulary, same, strict=True)
    table = np.array([*(number.get(word, number.get(value, MISSING)) for word, value in words), MISSING])
    values = np.asarray(table[column.codes], dtype=np.int64)
    unknown = (values == MISSING) & is_known(column)
    if unknown.any():
        names = [column.vocabulary[code] for code in np.unique(column.codes[unknown])]
        message = f"{goal.names[0]} holds {shown(names)} ({unknown.sum():,} rows), of which the run knows no class"
        suggestion = f"its classes: {shown(list(goal.classes))}; leave those rows out, or train on such rows too"
        raise DataError(Problem("unknown-class", message, suggestion, PATH))
    return values


def _with_target(columns: dict[str, Any], missing_target: MissingTarget) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """The rows whose target is known, and what to say of the others."""
    known = np.all([is_known(column) for column in columns.values()], axis=0)
    keep = np.flatnonzero(known)
    return keep, missing_notes(tuple(columns), len(known), len(keep), missing_target)


def _require_aliases(section: Target, found: Found, columns: dict[str, Any]) -> None:
    """Refuses other spellings of which none is there: they would do nothing."""
    if section.aliases and not any(
        alias in as_coded(found.samples[name]).vocabulary
        for alias in section.aliases
        for name in names_of(section, found)
    ):
        message = f"no target has the value {', '.join(section.aliases)} that `aliases` renames"
        suggestion = f"write what the file holds; {listed(tuple(_distinct(columns)))}"
        raise DataError(Problem("unknown-class", message, suggestion, (*PATH, "aliases")))


# Which task it is


def _infer_task(columns: dict[str, Any], keep: NDArray[np.int64], *, follows_window: bool) -> Task:
    """The task, as the reference of `task` describes."""
    values = {name: _numbers_or_none(name, column, keep) for name, column in columns.items()}
    if follows_window and all(column is not None for column in values.values()):
        return Task.FORECAST
    if len(columns) > 1:
        texts = [name for name, column in values.items() if column is None]
        if texts:
            message = f"several targets must all be numbers, but {', '.join(texts)} holds text"
            raise DataError(Problem("wrong-target", message, "name one target, or 0/1 columns as labels", PATH))
        all_flags = all(np.isin(column, (0, 1)).all() for column in values.values() if column is not None)
        return Task.MULTILABEL if all_flags else Task.REGRESSION
    ((name, numbers),) = values.items()
    distinct = _distinct({name: columns[name]}, keep) if numbers is None else literals.as_texts(np.unique(numbers))
    if len(distinct) <= 1:
        raise _one_value(name, distinct)
    if len(distinct) == 2:
        return Task.BINARY
    if numbers is None or _are_class_numbers(np.asarray(distinct, dtype=np.float64)):
        return Task.MULTICLASS
    return Task.REGRESSION


def _are_class_numbers(distinct: NDArray[np.float64]) -> bool:
    """Whether sorted numbers are 0..k-1 or 1..k without a gap."""
    count = len(distinct)
    return count <= CLASS_NUMBERS_AT_MOST and any(np.array_equal(distinct, np.arange(s, s + count)) for s in (0, 1))


def _numbers_or_none(name: str, column: Any, keep: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """The known values as numbers, None if they are text.

    Raises:
        DataError: they are numbers but for one token.
    """
    if not isinstance(column, Coded):
        return np.asarray(column[keep], dtype=np.float64)
    values, fits = literals.numbers(column.vocabulary)
    codes = column.codes[keep]
    used = np.unique(codes)
    faults = used[~fits[used]]
    if len(faults) == 1 and len(used) > 2:
        raise _not_a_number(name, column, codes, faults)
    return None if len(faults) else values[codes]


def _not_a_number(name: str, column: Coded, codes: NDArray[np.int32], faults: NDArray[np.int32]) -> DataError:
    token = column.vocabulary[int(faults[0])]
    count = int(np.isin(codes, faults).sum())
    others = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
    message = f'target {name} is numeric but for "{token[:40]}"{others} ({count:,} of {len(codes):,} rows)'
    suggestion = (
        f"if that means missing, add `missing: ['{token[:40]}']` to the source; if it is a class, name the task"
    )
    return DataError(Problem("not-a-number", message, suggestion, PATH))


def _distinct(columns: dict[str, Any], keep: NDArray[np.int64] | None = None) -> list[str]:
    """The values of one target as text, in order."""
    column = next(iter(columns.values()))
    coded = as_coded(column)
    codes = coded.codes if keep is None else coded.codes[keep]
    return _sorted([coded.vocabulary[code] for code in np.unique(codes[codes != MISSING])])


def _sorted(names: list[str]) -> list[str]:
    """Numbers as numbers, else as text."""
    values, fits = literals.numbers(names)
    if names and fits.all():
        return [names[i] for i in np.lexsort((np.array(names), values))]
    return sorted(names)


def _described(columns: dict[str, Any], keep: NDArray[np.int64]) -> str:
    if len(columns) > 1:
        return f"{len(columns)} targets"
    distinct = _distinct(columns, keep)
    name = next(iter(columns))
    return f"{len(distinct):,} values of {name}" + (f" ({', '.join(distinct)})" if len(distinct) <= NAMES_SHOWN else "")


def _one_value(name: str, distinct: Sequence[str]) -> DataError:
    value = f" ({distinct[0]})" if len(distinct) else ""
    message = f"target {name} has the same value{value} in every row: there is nothing to learn"
    return DataError(Problem("one-class", message, "is it the right column, or were rows cut off?", PATH))


def _require_fitting_settings(section: Target, task: Task) -> None:
    """Raises the settings of `data.target` that do nothing for a task, all of them."""
    without_effect = {
        "positive": section.positive is not None and task is not Task.BINARY,
        "classes": section.classes is not None and task not in CLASSIFICATION,
        "scale": section.scale is not None and task not in NUMBERS,
    }
    problems = [
        Problem("no-effect", f"`{field}` has no meaning for {task}", "remove it, or name the task", (*PATH, field))
        for field, wrong in without_effect.items()
        if wrong
    ]
    if problems:
        raise ConfigError(problems)


# Classes


def _classes(
    section: Target, columns: dict[str, Any], keep: NDArray[np.int64], task: Task
) -> tuple[Goal, NDArray[np.int64]]:
    if len(columns) > 1:
        message = f"{task} takes one target, but there are {len(columns)}: {', '.join(columns)}"
        raise ConfigError(Problem("wrong-target", message, "name one, or write `task: multilabel`", PATH))
    ((name, column),) = columns.items()
    coded = as_coded(column)
    present = _distinct({name: coded}, keep)
    if len(present) <= 1:
        raise _one_value(name, present)
    names = _listed_classes(section.classes, present) if section.classes else present
    _require_class_count(name, names, len(keep), task, present)
    if section.positive is not None:
        meant = section.aliases.get(section.positive, section.positive)
        positive = _same_class(meant, names, "positive")
        names = [*(other for other in names if other != positive), positive]
    number = {word: position for position, word in enumerate(names)}
    table = np.array([*(number.get(word, MISSING) for word in coded.vocabulary), MISSING], dtype=np.int64)
    values = table[coded.codes]
    return Goal(task, (name,), tuple(names)), values


def _listed_classes(classes: Sequence[str], present: list[str]) -> list[str]:
    """The classes as listed, each spelt as the file spells it."""
    names = [_same_number(name, present) or name for name in classes]
    if left := [name for name in present if name not in names]:
        message = f"`classes` lacks {shown(left)}, which the target holds"
        suggestion = "list it, or say what it means under `aliases`"
        raise DataError(Problem("unknown-class", message, suggestion, (*PATH, "classes")))
    return names


def _same_class(written: str, names: list[str], field: str) -> str:
    found = _same_number(written, names)
    if found is None:
        near = difflib.get_close_matches(written, names, n=1)
        suggestion = f"did you mean {near[0]}?" if near else f"its classes: {shown(names)}"
        raise DataError(Problem("unknown-class", f"the target has no class {written}", suggestion, (*PATH, field)))
    return found


def _same_number(written: str, names: Sequence[str]) -> str | None:
    """The class that is written so, or else has the same number (`1` finds `1.0`)."""
    if written in names:
        return written
    values, fits = literals.numbers([written, *names])
    if not fits[0]:
        return None
    return next((name for name, value in zip(names, values[1:], strict=True) if value == values[0]), None)


def _require_class_count(name: str, names: list[str], rows: int, task: Task, present: list[str]) -> None:
    if task is Task.BINARY and len(names) != 2:
        message = f"binary takes two classes, but {name} has {len(names)}: {shown(names)}"
        suggestion = "write `task: multiclass`, or say under `aliases` which are the same"
        raise DataError(Problem("class-count", message, suggestion, PATH))
    if len(names) > rows or (len(present) == rows and rows > 2):
        message = f"target {name} has {len(names):,} classes in {rows:,} rows: none could be learnt"
        suggestion = "is it the right column? For amounts write `task: regression`"
        raise DataError(Problem("class-count", message, suggestion, PATH))


# Numbers


def _numbers(columns: dict[str, Any], keep: NDArray[np.int64], task: Task) -> NDArray[np.float64]:
    """All targets side by side, (rows, targets), NaN where missing.

    Raises:
        DataError: a target holds text, or (multilabel) other than 0 and 1.
    """
    arrays = []
    for name, column in columns.items():
        if isinstance(column, Coded):
            values, fits = literals.numbers(column.vocabulary)
            codes = column.codes[keep]
            used = np.unique(codes)
            if len(faults := used[~fits[used]]):
                raise _not_a_number(name, column, codes, faults)
            array = np.append(values, np.nan)[column.codes]
        else:
            array = column.astype(np.float64)
        distinct = np.unique(array[keep])
        if task is Task.MULTILABEL and not np.isin(distinct, (0, 1)).all():
            other = literals.as_texts(distinct[~np.isin(distinct, (0, 1))][:1])[0]
            message = f"label {name} must be 0 or 1, but holds {other}"
            raise DataError(Problem("wrong-target", message, "multilabel takes one 0/1 column per label", PATH))
        arrays.append(array)
    return np.stack(arrays, axis=1)


def _require_variety(values: NDArray[np.float64], names: tuple[str, ...]) -> None:
    for name, column in zip(names, values.T, strict=True):
        if len(distinct := np.unique(column)) <= 1:
            raise _one_value(name, literals.as_texts(distinct))


def _scales(section: Target, values: NDArray[np.float64], names: tuple[str, ...]) -> tuple[TargetScale | None, ...]:
    if isinstance(section.scale, dict):
        if unknown := [name for name in section.scale if name not in names]:
            message = f"`scale` names {', '.join(unknown)}, which is no target"
            raise ConfigError(Problem("unknown-name", message, f"targets: {', '.join(names)}", (*PATH, "scale")))
        scales = tuple(section.scale.get(name) for name in names)
    else:
        scales = (section.scale,) * len(names)
    for number, (name, scale) in enumerate(zip(names, scales, strict=True)):
        if scale == "log1p" and (smallest := values[:, number].min()) <= -1:
            message = f"log1p needs values above -1, but {name} goes down to {smallest:g}"
            raise DataError(Problem("wrong-scale", message, "write `scale: standardize`", (*PATH, "scale")))
    return scales


def _require_bounds(
    values: NDArray[np.float64], names: tuple[str, ...], scales: tuple[TargetScale | None, ...]
) -> None:
    """A sigmoid gives 0 to 1, so the scaled target must lie there."""
    for number, (name, scale) in enumerate(zip(names, scales, strict=True)):
        low, high = values[:, number].min(), values[:, number].max()
        if scale is None and (low < 0 or high > 1):
            message = f"bounded_regression takes values from 0 to 1, but {name} goes from {low:g} to {high:g}"
            suggestion = "write `scale: min_max`, or `task: regression`"
            raise DataError(Problem("wrong-target", message, suggestion, PATH))
        if scale not in (None, "min_max"):
            message = f"{scale} does not keep {name} between 0 and 1, as bounded_regression needs"
            raise ConfigError(Problem("wrong-scale", message, "write `scale: min_max`", (*PATH, "scale")))
