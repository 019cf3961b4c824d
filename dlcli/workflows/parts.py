"""What a config can name, as plain data made from the Parts themselves."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from dlcli.config import catalog, forms, schema
from dlcli.config.experiment import Experiment
from dlcli.data.target_section import Target
from dlcli.part import Part, Record, Section
from dlcli.problems import ConfigError, Problem

SHOWN_NAMES = 30


def config_schema() -> dict[str, Any]:
    """The JSON Schema of configs."""
    return schema.json_schema()


def describe(family: str | None = None, name: str | None = None) -> dict[str, Any]:
    """Everything that a config can name, or one family, section or Part.

    Args:
        family: a family ("layer"), a section of the config ("training"), or the name of a Part.
        name: a Part of the family.

    Raises:
        ConfigError: there is no such thing.
    """
    families = {each: list(catalog.names(each)) for each in catalog.families() if catalog.names(each)}
    sections = _sections()
    if family is None:
        return {"families": families, "sections": {each: list(forms.fields(cls)) for each, cls in sections.items()}}
    if name is not None:
        if family not in families:
            raise _unknown("family", family, families)
        return _card(_part(family, name))
    if family in families:
        return {"family": family, "parts": {each: _meaning(_part(family, each)) for each in families[family]}}
    if family in sections:
        return _section_card(family, sections[family])
    owners = [each for each, names in families.items() if family in names]
    if len(owners) == 1:
        return _card(_part(owners[0], family))
    if owners:
        hint = " or ".join(f"dlcli parts {each} {family}" for each in owners)
        raise ConfigError(Problem("unknown-name", f"{family} stands in {len(owners)} families", hint))
    raise _unknown(
        "family, section or Part", family, [*families, *sections, *(n for ns in families.values() for n in ns)]
    )


def _sections() -> dict[str, type[Section]]:
    """The sections of a config by key; `data.target` is one inside another."""
    found: dict[str, type[Section]] = {}
    for key, field in forms.fields(Experiment).items():
        if section := _section_in(field.form):
            found[key] = section
    return found | {"target": Target}


def _section_in(form: forms.Form) -> type[Section] | None:
    inside = form.only(forms.OneSection) if isinstance(form, forms.Either) else (form,)
    return next((each.section for each in inside if isinstance(each, forms.OneSection)), None)


def _part(family: str, name: str) -> type[Part]:
    part = catalog.find(family, name)
    if part is None:
        raise _unknown(family, name, catalog.names(family))
    return part


def _unknown(what: str, name: str, names: Iterable[str]) -> ConfigError:
    there = list(names)
    near = get_close_matches(name, there, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(there[:SHOWN_NAMES])}"
    return ConfigError(Problem("unknown-name", f"there is no {what} named {name}", hint))


def _meaning(part: type[Record]) -> str:
    return (inspect.getdoc(part) or "").split("\n", 1)[0]


def _card(part: type[Part]) -> dict[str, Any]:
    return {
        "family": part.family,
        "name": part.part_name,
        "meaning": inspect.getdoc(part) or "",
        "example": part.example,
        "fields": _fields(part, part.main_field),
    }


def _section_card(name: str, section: type[Section]) -> dict[str, Any]:
    return {
        "family": "section",
        "name": name,
        "meaning": _meaning(section),
        "example": None,
        "fields": _fields(section, section.main_field),
    }


def _fields(record: type[Record], main_field: str | None) -> dict[str, dict[str, Any]]:
    known = forms.fields(record)
    return {
        name: {
            "required": field.info.is_required(),
            "default": None if field.info.is_required() else _plain(field.info.get_default(call_default_factory=True)),
            "range": forms.in_words(field.form),
            "meaning": field.info.description or "",
            "main": name == main_field,
        }
        for name, field in known.items()
    }


def _plain(value: object) -> Any:
    if isinstance(value, Part):
        return value.part_name
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
