"""What a config can name, as plain data made from the Parts themselves."""

from __future__ import annotations

import inspect
from difflib import get_close_matches
from typing import Any

from dlcli.config import catalog, forms, schema
from dlcli.part import Part
from dlcli.problems import ConfigError, Problem


def config_schema() -> dict[str, Any]:
    """The JSON Schema of configs."""
    return schema.json_schema()


def describe(family: str | None = None, name: str | None = None) -> dict[str, Any]:
    """All families with their names; one family with a meaning per Part; or one Part with its fields.

    Raises:
        ConfigError: there is no such family or Part.
    """
    if family is None:
        return {"families": {each: list(catalog.names(each)) for each in catalog.families() if catalog.names(each)}}
    if family not in catalog.families():
        raise _unknown("family", family, tuple(catalog.families()))
    if name is None:
        return {"family": family, "parts": {each: _meaning(_part(family, each)) for each in catalog.names(family)}}
    return _card(_part(family, name))


def _part(family: str, name: str) -> type[Part]:
    part = catalog.find(family, name)
    if part is None:
        raise _unknown(family, name, tuple(catalog.names(family)))
    return part


def _unknown(what: str, name: str, names: tuple[str, ...]) -> ConfigError:
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(names)}"
    return ConfigError(Problem("unknown-name", f"there is no {what} named {name}", hint))


def _meaning(part: type[Part]) -> str:
    return (inspect.getdoc(part) or "").split("\n", 1)[0]


def _card(part: type[Part]) -> dict[str, Any]:
    fields = {}
    for key, info in part.model_fields.items():
        name = info.alias or key
        fields[name] = {
            "required": info.is_required(),
            "default": None if info.is_required() else _plain(info.get_default(call_default_factory=True)),
            "range": forms.in_words(forms.fields(part)[name].form),
            "meaning": info.description or "",
            "main": name == part.main_field,
        }
    return {
        "family": part.family,
        "name": part.part_name,
        "meaning": inspect.getdoc(part) or "",
        "example": part.example,
        "fields": fields,
    }


def _plain(value: object) -> Any:
    if isinstance(value, Part):
        return value.part_name
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
