"""What people write where a Part is meant, and what they meant."""

from __future__ import annotations

import re

from dlcli.config import catalog
from dlcli.config.forms import Choice, Either, Form, Number, RecordField, Several, Text, fields, with_article
from dlcli.config.nearest import did_you_mean
from dlcli.config.nodes import Entry, Mapping, Node, Scalar, Sequence, Value, clipped, plain_data
from dlcli.config.writer import inline
from dlcli.part import Part
from dlcli.problems import ConfigPath, Problem

_NO_BLANK = re.compile(r"([A-Za-z_][\w.]*):(\S+)")


def not_a_part(node: Node, family: str, path: ConfigPath, field: RecordField) -> Problem:
    """Why a node is not a Part of a family."""
    if isinstance(node, Mapping) and node.entries:
        return _mapping(node, family, path, field)
    noun = catalog.noun(family)
    if isinstance(node, Scalar) and isinstance(node.value, str):
        return _unknown(node, family, path, field)
    default = _default_part(field, family)
    hint = did_you_mean("", catalog.names(family))
    if default is not None and default.main_field is not None and isinstance(node, Scalar):
        hint = f"write {default.part_name}: {clipped(node.text)}"
    shown = clipped(node.text) if isinstance(node, Scalar) else "a list" if isinstance(node, Sequence) else "{}"
    return Problem(
        "wrong-type", f"{_where(path)} must be the name of {with_article(noun)}, got {shown}", hint, path, node.place
    )


def _mapping(node: Mapping, family: str, path: ConfigPath, field: RecordField) -> Problem:
    keys = list(node.entries)
    first = node.entries[keys[0]].key
    default = _default_part(field, family)
    if default is not None and not catalog.find(family, keys[0]) and set(keys) <= set(fields(default)):
        message = f"{_where(path)} needs the name of {with_article(catalog.noun(family))} before {clipped(keys[0])}"
        named = {default.part_name: plain_data(node)}
        hint = f"write {_where(path)}: {clipped(inline(named))}"
        return Problem("unknown-name", message, hint, path, first.place)
    if len(keys) == 1:
        return _unknown(first, family, path, field)
    second = node.entries[keys[1]].key
    message = f"one {catalog.noun(family)} has one name, got {clipped(keys[0])} and {clipped(keys[1])}"
    part = catalog.find(family, keys[0])
    if part is not None and keys[1] in fields(part):
        hint = f"indent {keys[1]} below {keys[0]}, or write {_as_one_part(node, part)}"
    elif isinstance(path[-1], int):
        hint = "begin each with a dash of its own; fields of one are indented below its name"
    else:
        hint = f"keep one; the fields of {clipped(keys[0])} are indented below it"
    return Problem("two-keys", message, hint, path, second.place)


def _as_one_part(node: Mapping, part: type[Part]) -> str:
    """Keys side by side, as the fields of the first."""
    first, *others = node.entries.items()
    inside = first[1].value
    written = inside.entries.items() if isinstance(inside, Mapping) else ()
    own: dict[str, object] = {key: plain_data(entry.value) for key, entry in written}
    if isinstance(inside, Scalar) and not inside.is_empty and part.main_field is not None:
        own = {part.main_field: inside.value}
    own |= {key: plain_data(entry.value) for key, entry in others}
    return clipped(f"{first[0]}: {inline(own)}")


def _unknown(node: Scalar, family: str, path: ConfigPath, field: RecordField) -> Problem:
    """An unknown name, or one that hides a missing blank."""
    names = [*catalog.names(family), *_words(field.form)]
    noun = catalog.noun(family)
    joined = missing_blank(node, path)
    if joined is not None and joined.message.split(":", 1)[0].lstrip("'") in names:
        return joined
    message = f"there is no {noun} named {clipped(node.text)}"
    here = catalog.written(family, node.text)
    hint = f"write {here}" if here else did_you_mean(node.text, names) if names else f"there is no {noun} yet"
    return Problem("unknown-name", message, hint, path, node.place)


def missing_blank(node: Scalar, path: ConfigPath) -> Problem | None:
    """`dense:16` is one word for YAML."""
    found = _NO_BLANK.fullmatch(node.text) if node.plain else None
    if found is None:
        return None
    message = f"'{clipped(node.text)}' is one word: the blank after the colon is missing"
    hint = f"write {clipped(found.group(1))}: {clipped(found.group(2))}"
    return Problem("missing-blank", message, hint, path, node.place)


def misread_main_field(node: Mapping, part: type[Part], path: ConfigPath) -> Problem | None:
    """A value given to a Part whose main field holds columns, and that is meant for another field."""
    main = part.main_field
    if main is None or list(node.entries) != [main] or not _is_short(node.entries[main]):
        return None
    if not any(isinstance(form, Text) and form.as_written for form in _flat(fields(part)[main].form)):
        return None
    value = node.entries[main].value
    name = field_meant_for(value, part)
    if name is None:
        return None
    written = plain_data(value)
    if isinstance(written, list) and len(written) == 1:
        written = written[0]
    message = f"{part.part_name} takes {main} here, and {clipped(inline(written))} is meant for {name}"
    hint = f"write {part.part_name}: {clipped(inline({name: written}))}"
    return Problem("main-field", message, hint, path, value.place)


def field_meant_for(node: Node, part: type[Part]) -> str | None:
    """The field, beside the main field, that a value can only be meant for: one of its words, or a number."""
    scalars = node.items if isinstance(node, Sequence) else (node,)
    values = [scalar.value for scalar in scalars if isinstance(scalar, Scalar)]
    own = vars(part).get("__annotations__", {})  # rather than a field that all its family has
    for name, field in sorted(fields(part).items(), key=lambda each: each[0] not in own):
        if name != part.main_field and _takes(values, field.form):
            return name
    return None


def _is_short(entry: Entry) -> bool:
    """Whether the key is not written: the value went to the main field."""
    return (entry.key.line, entry.key.column) == (entry.value.line, entry.value.column)


def _takes(values: list[Value], form: Form) -> bool:
    """Whether a field takes a word or numbers."""
    flat = _flat(form)
    if len(values) == 1 and any(isinstance(each, Choice) and values[0] in each.values for each in flat):
        return True
    arms = form.forms if isinstance(form, Either) else (form,)
    if not values or (len(values) > 1 and not any(isinstance(arm, Several) for arm in arms)):
        return False
    kinds = [(int,) if each.whole else (int, float) for each in flat if isinstance(each, Number)]
    return any(all(type(value) in kind for value in values) for kind in kinds)


def _flat(form: Form) -> list[Form]:
    """The scalar forms within a form."""
    match form:
        case Either():
            return [inner for each in form.forms for inner in _flat(each)]
        case Several():
            return [inner for each in form.places or (form.item,) for inner in _flat(each)]
    return [form]


def _words(form: Form) -> list[str]:
    """The words that a field takes beside the names of Parts."""
    return [str(value) for each in _flat(form) if isinstance(each, Choice) for value in each.values]


def _default_part(field: RecordField, family: str) -> type[Part] | None:
    """The Part that stands where nothing is written."""
    default = field.info.get_default(call_default_factory=True, validated_data={})
    if isinstance(default, tuple) and len(default) == 1:
        default = default[0]
    return type(default) if isinstance(default, Part) and default.family == family else None


def _where(path: ConfigPath) -> str:
    return ".".join(str(step) for step in path)
