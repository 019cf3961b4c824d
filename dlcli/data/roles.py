"""Which column is what: inputs, target, weight, group, time."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data import literals
from dlcli.problems import ConfigError, ConfigPath, DataError, Problem
from dlcli.samples import MISSING, Coded, Found, Samples

_NAMES_SHOWN = 12
_WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Roles:
    """Every role's columns. A column has one role; `time` alone may be an input too."""

    inputs: tuple[str, ...]
    target: tuple[str, ...]
    weight: str | None = None
    group: str | None = None
    time: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the `data` section says about roles, as written; `inputs` and `ignore` may hold globs."""

    inputs: tuple[str, ...] | None = None
    ignore: tuple[str, ...] = ()
    weight: str | None = None
    group: str | None = None
    time: str | None = None
    reserved: tuple[str, ...] = ()
    """Columns that a split reads (`predefined: fold`), which are no inputs."""
    past: bool = False
    """Whether targets are inputs too: what they were in rows before the one that is predicted."""


def assign(found: Found, target: tuple[str, ...], wanted: Wanted) -> Roles:
    """Gives every column its role; inputs are all columns that have no other, unless they are named.

    Args:
        found: what the source read.
        target: the target columns.
        wanted: the roles that the config names.

    Raises:
        DataError: a named column is not there, or no input is left.
        ConfigError: a column has two roles.
    """
    there = tuple(found.samples)
    named = {"weight": wanted.weight, "group": wanted.group, "time": wanted.time}
    problems = list(_absent(there, wanted, named))
    if problems:
        raise DataError(problems)
    taken = {name: role for role, name in named.items() if name}
    taken |= dict.fromkeys((name for name in wanted.reserved if name in there), "split")
    taken |= {} if wanted.past else dict.fromkeys(target, "target")
    _require_one_role(target, named, wanted, taken)
    ignored = {name for pattern in wanted.ignore for name in _matches(pattern, there)}
    if wanted.inputs is not None:
        inputs = tuple(dict.fromkeys(name for pattern in wanted.inputs for name in _matches(pattern, there)))
        inputs = tuple(name for name in inputs if name not in taken or name in wanted.inputs)
    else:
        usual = (*found.inputs, *(target if wanted.past else ())) if found.inputs else there
        inputs = tuple(name for name in dict.fromkeys(usual) if name not in taken)
    inputs = tuple(name for name in inputs if name not in ignored)
    if not inputs:
        message = "no input column is left"
        suggestion = f"the source has: {_shown(there)}; look at `inputs` and `ignore` under data"
        raise DataError(Problem("no-inputs", message, suggestion, ("data",)))
    return Roles(inputs, target, wanted.weight, wanted.group, wanted.time)


def _absent(there: tuple[str, ...], wanted: Wanted, named: dict[str, str | None]) -> Iterator[Problem]:
    """A problem for each named column that is not there."""
    for field, names in (("inputs", wanted.inputs or ()), ("ignore", wanted.ignore)):
        for position, name in enumerate(names):
            if not _matches(name, there):
                yield _missing(name, there, ("data", field, position))
    for role, column in named.items():
        if column is not None and column not in there:
            yield _missing(column, there, ("data", role))


def _missing(name: str, there: tuple[str, ...], path: ConfigPath) -> Problem:
    near = difflib.get_close_matches(name, there, n=1)
    suggestion = f"did you mean {near[0]}?" if near else f"columns: {_shown(there)}"
    return Problem("missing-column", f"there is no column {name}", suggestion, path)


def _require_one_role(
    target: tuple[str, ...], named: dict[str, str | None], wanted: Wanted, taken: dict[str, str]
) -> None:
    problems = [
        Problem("column-in-two-roles", f"{name} is the target and the {role}", "choose one", ("data", role))
        for role, name in named.items()
        if name in target
    ]
    problems += [
        Problem("column-in-two-roles", f"{name} is an input and the {taken[name]}", "choose one", ("data", "inputs", i))
        for i, name in enumerate(wanted.inputs or ())
        if name in taken and taken[name] != "time"
    ]
    if problems:
        raise ConfigError(problems)


def _matches(pattern: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if pattern in names:
        return (pattern,)
    return tuple(name for name in names if fnmatchcase(name, pattern)) if _WILDCARDS & set(pattern) else ()


def weights(samples: Samples, name: str) -> NDArray[np.float64]:
    """The weight of every row.

    Raises:
        DataError: one is absent, negative or no number, or all are 0.
    """
    values = _plain_numbers(samples[name])
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if len(bad):
        message = (
            f"weight {name} must be a number from 0 in every row; {len(bad):,} rows, first row {bad[0] + 1}, are not"
        )
        raise DataError(Problem("wrong-weight", message, "fill or remove those rows", ("data", "weight")))
    if not values.any():
        message = f"weight {name} is 0 in every row"
        raise DataError(Problem("wrong-weight", message, "name another column", ("data", "weight")))
    return values


def groups(column: Any, name: str) -> NDArray[np.int64]:
    """A group number for every row.

    Raises:
        DataError: rows have no group.
    """
    if isinstance(column, Coded):
        numbers, missing = column.codes.astype(np.int64), column.codes == MISSING
    else:
        missing = np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), dtype=bool)
        numbers = np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.int64)
    _require_all(missing, f"group {name}", ("data", "group"))
    return numbers


def times(column: Any, name: str) -> NDArray[np.float64] | NDArray[np.int64]:
    """A number for every row that orders rows in time: seconds since 1970, or the column's own numbers.

    Raises:
        DataError: rows have no time, or it is neither an ISO date nor a number.
    """
    if not isinstance(column, Coded):
        values = column.astype(np.float64)
        _require_all(~np.isfinite(values), f"time {name}", ("data", "time"))
        return np.asarray(values)
    _require_all(column.codes == MISSING, f"time {name}", ("data", "time"))
    used = np.unique(column.codes)
    seconds, are_dates = literals.times(column.vocabulary)
    if are_dates[used].all():
        return np.asarray(seconds[column.codes])
    numbers, are_numbers = literals.numbers(column.vocabulary)
    are_numbers &= np.isfinite(numbers)
    if are_numbers[used].all():
        return np.asarray(numbers[column.codes])
    odd = used[~(are_dates if are_dates[used].sum() >= are_numbers[used].sum() else are_numbers)[used]]
    message = f'time {name} must hold ISO dates or numbers, but has "{column.vocabulary[int(odd[0])][:40]}"'
    suggestion = "write dates as 2024-05-31 or 2024-05-31 12:00"
    raise DataError(Problem("not-a-time", message, suggestion, ("data", "time")))


def _plain_numbers(column: Any) -> NDArray[np.float64]:
    if isinstance(column, Coded):
        column = np.append(literals.numbers(column.vocabulary)[0], np.nan)[column.codes]
    return np.asarray(column, dtype=np.float64)


def _require_all(missing: NDArray[np.bool_], what: str, path: ConfigPath) -> None:
    if count := int(missing.sum()):
        message = f"{what} is missing in {count:,} rows, first in row {int(np.argmax(missing)) + 1}"
        raise DataError(Problem("missing-value", message, "fill those rows, or remove them", path))


def _shown(names: Sequence[str]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > _NAMES_SHOWN else ""
    return ", ".join(names[:_NAMES_SHOWN]) + more
