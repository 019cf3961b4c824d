"""Values as a person would write them: fields that hold their default are left out."""

from __future__ import annotations

from typing import Any

from dlcli.config.forms import fields
from dlcli.config.writer import long_form
from dlcli.part import Part, Record


def short_form(value: object) -> Any:
    """Plain data in which a Part is its name, `name: main field` or `name: {fields}`, whichever is enough."""
    match value:
        case Part():
            inside = _fields(value)
            if not inside:
                return value.part_name
            main = value.main_field
            return {value.part_name: inside[main] if main and set(inside) == {main} else inside}
        case Record():
            return _fields(value)
        case tuple() | list():
            return [short_form(item) for item in value]
    return long_form(value)


def _fields(record: Record) -> dict[str, Any]:
    """The fields that differ from their defaults."""
    known = fields(type(record))
    return {
        key: short_form(value)
        for key, field in known.items()
        if (value := getattr(record, field.name)) != field.info.get_default(call_default_factory=True)
    }
