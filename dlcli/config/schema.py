"""The JSON Schema of configs, for editors that check and complete."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic_core import PydanticUndefined

from dlcli.config import catalog
from dlcli.config.experiment import Experiment
from dlcli.config.forms import (
    Choice,
    Either,
    Form,
    Named,
    Nothing,
    Number,
    OnePart,
    OneSection,
    Several,
    Switch,
    Text,
    fields,
)
from dlcli.config.writer import long_form
from dlcli.part import Part, Record

_BOUNDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
_SCALARS = ["string", "number", "boolean"]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a config, with every Part in all three forms in which it can be written."""
    schema = _record(Experiment)
    path = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    schema["properties"]["extends"] = {**path, "description": "Configs that this one builds on; later ones win."}
    # What it extends may hold the required keys.
    schema["anyOf"] = [{"required": schema.pop("required")}, {"required": ["extends"]}]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dlcli experiment",
        **schema,
        "$defs": {family: _family(family) for family in catalog.families()},
    }


def _record(record: type[Record]) -> dict[str, Any]:
    """The mapping of a record's fields."""
    properties, required = {}, []
    for key, field in fields(record).items():
        properties[key] = _form(field.form)
        if field.info.description:
            properties[key]["description"] = field.info.description
        if field.info.is_required():
            required.append(key)
        elif field.info.default is not PydanticUndefined and field.info.default is not None:
            properties[key]["default"] = long_form(field.info.default)
    schema: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**schema, "required": required} if required else schema


def _family(family: str) -> dict[str, Any]:
    """Every Part of a family: by name alone, or name and fields."""
    parts = [part for name in catalog.names(family) if (part := catalog.find(family, name)) is not None]
    alone = [
        {"const": part.part_name, "description": _meaning(part)}
        for part in parts
        if not any(field.info.is_required() for field in fields(part).values())
    ]
    return {"anyOf": [*alone, *(_named(part) for part in parts)]} if parts else {"not": {}}


def _named(part: type[Part]) -> dict[str, Any]:
    inside: dict[str, Any] = _record(part)
    if part.main_field is not None:
        short = _form(fields(part)[part.main_field].form)
        inside = {"anyOf": [short, inside]}
    inside["description"] = _meaning(part)
    name = part.part_name
    return {"type": "object", "properties": {name: inside}, "required": [name], "additionalProperties": False}


def _meaning(part: type[Part]) -> str:
    return (inspect.getdoc(part) or "").partition("\n")[0]


def _form(form: Form) -> dict[str, Any]:
    match form:
        case Either():
            return {"anyOf": [_form(each) for each in form.forms]}
        case Named():
            return {"type": "object", "additionalProperties": _form(form.item)}
        case Several():
            return _list(form)
        case OnePart():
            return {"$ref": f"#/$defs/{form.family}"}
        case OneSection():
            return _section(form)
    return _single(form)


def _single(form: Form) -> dict[str, Any]:
    """The schema of a scalar; of plain data none."""
    match form:
        case Nothing():
            return {"const": "none"}
        case Number():
            return _number(form)
        case Text():
            return {"type": _SCALARS} if form.as_written else {"type": "string"}
        case Switch():
            return {"type": "boolean"}
        case Choice():
            return {"enum": list(form.values)}
    return {}


def _number(form: Number) -> dict[str, Any]:
    bounds = {_BOUNDS[kind]: value for kind, value in form.bounds}
    if form.whole:
        return {"type": "integer", **bounds}
    return {"anyOf": [{"type": "number", **bounds}, {"type": "string", "pattern": r"^[-+0-9.eE]+/[-+0-9.eE]+$"}]}


def _list(form: Several) -> dict[str, Any]:
    if form.places is not None:
        size = len(form.places)
        places = [_form(place) for place in form.places]
        alike = [places[0]] if all(place == places[0] for place in places) else []
        return {"anyOf": [{"type": "array", "prefixItems": places, "minItems": size, "maxItems": size}, *alike]}
    item = _form(form.item)
    alone = [{"const": "none"}] if isinstance(form.item, OnePart) else []
    return {"anyOf": [{"type": "array", "items": item}, item, *alone]}


def _section(form: OneSection) -> dict[str, Any]:
    section = form.section
    if section.main_field is None:
        return _record(section)
    return {"anyOf": [_form(fields(section)[section.main_field].form), _record(section)]}
