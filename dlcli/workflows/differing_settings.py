"""In which settings experiments differ, path by path."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dlcli.config.experiment import Experiment
from dlcli.config.forms import fields
from dlcli.config.short_form import short_form
from dlcli.config.writer import inline, inline_pair
from dlcli.part import Part, Record

_TITLES = frozenset({"name", "description"})


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting that differs.

    Attributes:
        path: as `--set` takes it.
        values: of each experiment, as they are written in a config; of a Part what is not its default.
    """

    path: str
    values: tuple[str, ...]


def differing_settings(experiments: Sequence[Experiment], *, unused: frozenset[str]) -> tuple[Setting, ...]:
    """Every setting that is not the same in all experiments, in their order; `unused` sections are left out."""
    return tuple(
        Setting(".".join(path), values)
        for path, values in _differing(experiments, ())
        if path[0] not in _TITLES | unused
    )


def _differing(values: Sequence[Any], path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    first = values[0]
    if all(value == first for value in values):
        return
    alike = all(type(value) is type(first) for value in values)
    if alike and isinstance(first, Record):
        inside = (*path, first.part_name) if isinstance(first, Part) else path
        for key, field in fields(type(first)).items():
            yield from _differing([getattr(value, field.name) for value in values], (*inside, key))
    elif alike and isinstance(first, tuple) and all(len(value) == len(first) for value in values):
        for place, inner in enumerate(zip(*values, strict=True)):
            yield from _differing(inner, (*path, str(place)))
    elif alike and isinstance(first, dict) and all(value.keys() == first.keys() for value in values):
        for key in first:
            yield from _differing([value[key] for value in values], (*path, str(key)))
    else:
        yield path, tuple(_written(short_form(value)) for value in values)


def _written(data: Any) -> str:
    """As a person writes it: a Part without braces."""
    if isinstance(data, list):
        return f"[{', '.join(_written(item) for item in data)}]"
    return inline_pair(data) if isinstance(data, dict) and len(data) == 1 else inline(data)
