"""Which columns a step works on: by name, glob or kind."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from fnmatch import fnmatchcase

from dlcli.part import Step
from dlcli.problems import ConfigPath, Problem
from dlcli.samples import KINDS

_GLOB_SIGNS = frozenset("*?[")
_LISTED = 8
"""How many column names a suggestion lists."""
_REMEDIES = {
    "categorical": "put `one_hot` or `ordinal` before it, or declare the column under `data.numeric`",
    "text": "put `tokens` before it, drop the column, or declare it under `data.categorical`",
    "datetime": "put `date_parts` before it, or drop the column",
    "numeric": "declare the column under `data.categorical` if its numbers are names",
    "image": "name other columns",
    "sequence": "put `pad` or `multi_hot` before it",
    "encoded": "name other columns",
}


def select(
    step: Step, columns: Mapping[str, str], path: ConfigPath, *, more_to_come: bool = False
) -> tuple[tuple[str, ...], list[Problem]]:
    """The names that a step works on, in file order, and what is wrong with its selection.

    Args:
        step: the step; without `columns` it takes its default kinds.
        columns: kind by name of the columns that there are.
        path: the step's place in the config.
        more_to_come: whether there will be columns that are not known yet (what `one_hot` makes), so
            that a name that fits nothing is no problem yet.
    """
    if step.reads is not None:
        return _read(step, step.reads, columns, path, more_to_come=more_to_come)
    if step.columns is None:
        names = tuple(name for name, kind in columns.items() if kind in step.default_kinds)
        return names, [] if names or more_to_come else [_nothing_to_do(step, path)]
    chosen: set[str] = set()
    problems: list[Problem] = []
    for position, entry in enumerate(step.columns):
        found = _matches(entry, columns)
        place = (*path, step.part_name, "columns", position)
        if not found and not more_to_come:
            problems.append(_matches_nothing(step, entry, columns, place))
        problems += [
            _wrong_kind(step, name, columns[name], place)
            for name in found
            if columns[name] not in step.accepted_kinds and name not in chosen
        ]
        chosen.update(found)
    return tuple(name for name in columns if name in chosen), problems


def _read(
    step: Step, wanted: tuple[str, ...], columns: Mapping[str, str], path: ConfigPath, *, more_to_come: bool
) -> tuple[tuple[str, ...], list[Problem]]:
    """The columns that other fields of a step name, by their exact names."""
    place = (*path, step.part_name)
    lost = () if more_to_come else tuple(name for name in wanted if name not in columns)
    return tuple(name for name in columns if name in wanted), [
        _matches_nothing(step, name, columns, place) for name in lost
    ]


def _matches(entry: str, columns: Mapping[str, str]) -> list[str]:
    """A column of exactly that name comes before a kind, a kind before a glob."""
    if entry in columns:
        return [entry]
    if entry == "all":
        return list(columns)
    if entry in KINDS:
        return [name for name, kind in columns.items() if kind == entry]
    if _GLOB_SIGNS.intersection(entry):
        return [name for name in columns if fnmatchcase(name, entry)]
    return []


def _nothing_to_do(step: Step, path: ConfigPath) -> Problem:
    wanted = " or ".join(step.default_kinds) or "named"
    return Problem(
        "no-such-column",
        f"{step.part_name} finds no {wanted} column to work on",
        f"name columns ({step.part_name}: [...]) or leave the step out",
        (*path, step.part_name),
    )


def _matches_nothing(step: Step, entry: str, columns: Mapping[str, str], place: ConfigPath) -> Problem:
    if entry in KINDS:
        message = f"{step.part_name} finds no {entry} column to work on"
        return Problem("no-such-column", message, "leave the step out, or name other columns", place)
    near = difflib.get_close_matches(entry, columns, n=1)
    listed = ", ".join(list(columns)[:_LISTED]) + (", ..." if len(columns) > _LISTED else "")
    return Problem(
        "no-such-column",
        f"{step.part_name} names {entry}, but no column is called that here",
        f"did you mean {near[0]}?" if near else f"columns here: {listed}",
        place,
    )


def _wrong_kind(step: Step, name: str, kind: str, place: ConfigPath) -> Problem:
    accepted = ", ".join(step.accepted_kinds)
    return Problem(
        "wrong-column-kind",
        f"{step.part_name} takes {accepted} columns, but {name} is {kind}",
        _REMEDIES[kind],
        place,
    )
