"""An experiment back to YAML, every field explicit. What is written here, the reader reads as the same value."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from typing import Any

from dlcli.config.forms import Choice, Either, Form, Nothing, OnePart, Several, fields
from dlcli.config.resolver import resolve
from dlcli.part import Part, Record

WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z0-9_./(+-][\w./()%*+ -]*", re.ASCII)
_RESERVED = frozenset({"none", "default"})
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def long_form(value: object) -> Any:
    """Plain data in which every Part is `{name: {fields}}` (its name, if it has none) and every field is written.

    A field that is not set is None, unless not being set means something else than switching off
    (`metrics`: chosen by the task); such a field is left out.
    """
    match value:
        case Part():
            inside = _fields(value)
            return {value.part_name: inside} if inside else value.part_name
        case Record():
            return _fields(value)
        case enum.Enum():
            return value.value
        case tuple() | list():
            return [long_form(item) for item in value]
        case Mapping():
            return {str(key): long_form(item) for key, item in value.items()}
    return value


def _fields(record: Record) -> dict[str, Any]:
    written = {}
    for key, field in fields(type(record)).items():
        value = getattr(record, field.name)
        if value is not None or _says_none(field.form):
            written[key] = long_form(value)
    return written


def _says_none(form: Form) -> bool:
    """Whether `none` is read as "not set"; a list of Parts would be empty instead."""
    arms = form.forms if isinstance(form, Either) else (form,)
    lists = any(isinstance(arm, Several) and isinstance(arm.item, OnePart) for arm in arms)
    words = any(isinstance(arm, Choice) and "none" in arm.values for arm in arms)
    return Nothing() in arms and not lists and not words


def to_yaml(experiment: Record) -> str:
    """The experiment as a config that reads back as an equal experiment."""
    return dump(long_form(experiment))


def dump(data: Mapping[str, Any]) -> str:
    """Plain data as YAML: blocks where a line would be too long, else inline."""
    return "\n".join(_block(data, 0)) + "\n" if data else "{}\n"


def _block(data: Mapping[str, Any], indent: int) -> list[str]:
    lines = []
    for key, value in data.items():
        lines += _entry(f"{' ' * indent}{scalar(key, is_key=True)}:", value, indent)
    return lines


def _entry(start: str, value: Any, indent: int) -> list[str]:
    """A key with its value; `indent` is that of the key."""
    short = f"{start} {inline(value)}"
    if not value or not isinstance(value, Mapping | list) or (len(short) <= WIDTH and indent > 0):
        return [short]
    if isinstance(value, Mapping):
        return [start, *_block(value, indent + 2)]
    if len(short) <= WIDTH and not any(isinstance(item, Mapping | list) for item in value):
        return [short]
    return [start, *(line for item in value for line in _item(item, indent + 2))]


def _item(item: Any, indent: int) -> list[str]:
    """An item of a list: inline, or a Part's fields below its name."""
    dash = " " * indent + "- "
    if not item or not isinstance(item, Mapping | list) or len(dash) + len(inline(item)) <= WIDTH:
        return [dash + (inline_pair(item) if isinstance(item, Mapping) and len(item) == 1 else inline(item))]
    if isinstance(item, list):
        return [dash.rstrip(), *(line for inner in item for line in _item(inner, indent + 2))]
    lines = _block(item, indent + 2)
    return [dash + lines[0].lstrip(), *lines[1:]]


def inline_pair(data: Mapping[str, Any]) -> str:
    """A mapping of one key, without braces."""
    key, value = next(iter(data.items()))
    return f"{scalar(key, is_key=True)}: {inline(value)}"


def inline(data: object) -> str:
    """Plain data on one line."""
    if isinstance(data, Mapping):
        return "{" + ", ".join(f"{scalar(key, is_key=True)}: {inline(value)}" for key, value in data.items()) + "}"
    if isinstance(data, list | tuple):
        return "[" + ", ".join(inline(item) for item in data) + "]"
    return scalar(data)


def scalar(value: object, *, is_key: bool = False) -> str:
    """A single value; text is quoted unless it reads as itself."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value)
    text = str(value)
    # Keys are text as written, so `1:` needs no quotes; a value that would be a number does.
    is_itself = is_key or (resolve(text) == text and isinstance(resolve(text), str) and text not in _RESERVED)
    if _PLAIN.fullmatch(text) and text == text.rstrip() and is_itself and not text.startswith(("- ", "---", "...")):
        return text if text != "-" else '"-"'
    return '"' + "".join(_escaped(letter) for letter in text) + '"'


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[repr(float(value))]
    return repr(value)


def _escaped(letter: str) -> str:
    if letter in _ESCAPES:
        return _ESCAPES[letter]
    if letter.isprintable():
        return letter
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
