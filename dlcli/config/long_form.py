"""Every node in its long form, so that layers of configs can be merged and paths mean the same everywhere.

A Part is written as `dense`, `dense: 16` or `dense: {units: 16}`; the long form is always a mapping
with one name, whose value is the mapping of its fields. What does not fit is left as it stands: the
problem is found when values are made.
"""

from __future__ import annotations

from collections.abc import Iterable

from dlcli.config import catalog
from dlcli.config.forms import (
    Anything,
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
from dlcli.config.nodes import Entry, Mapping, Node, Scalar, Sequence, mapping_at, text_at
from dlcli.part import Record

NONE = "none"


def long_form(node: Node, form: Form) -> Node:
    """A node in the long form of what a field takes."""
    match form:
        case Either():
            chosen = choose(form, node)
            return long_form(node, chosen) if chosen else node
        case OnePart():
            return _part(node, form.family)
        case OneSection():
            return _section(node, form)
        case Several():
            return _list(node, form)
        case Named() if isinstance(node, Mapping):
            return _with_values(node, ((key, form.item) for key in node.entries))
    return node


def choose(form: Either, node: Node) -> Form | None:
    """The form, of several, that a node can only mean; None if it is like none of them."""
    if isinstance(node, Scalar):
        return _choose_for_scalar(form, node)
    kinds = (Named, OneSection, OnePart) if isinstance(node, Mapping) else (Several, OneSection)
    if isinstance(node, Mapping):
        parts = [each for each in form.only(Several) if isinstance(each, Several) and isinstance(each.item, OnePart)]
        return next(iter((*form.only(*kinds), *parts, *form.only(Anything))), None)
    return next(iter((*form.only(*kinds), *form.only(Anything))), None)


def _choose_for_scalar(form: Either, node: Scalar) -> Form | None:
    for each in form.only(Choice):
        if isinstance(each, Choice) and any(
            node.value == value and type(node.value) is type(value) for value in each.values
        ):
            return each
    if node.says(NONE) and form.only(Nothing):
        several = [each for each in form.only(Several) if isinstance(each, Several) and isinstance(each.item, OnePart)]
        return several[0] if several else Nothing()
    order: tuple[type[Form], ...]
    if isinstance(node.value, bool):
        order = (Switch, Text, Several, OneSection, Anything)
    elif isinstance(node.value, int | float) or _is_fraction(node):
        order = (Number, Text, Several, OneSection, Anything, OnePart)
    else:
        order = (OnePart, Text, Several, OneSection, Anything, Choice, Number, Switch)
    return next((each for kind in order for each in form.only(kind)), None)


def _is_fraction(node: Scalar) -> bool:
    top, slash, bottom = node.text.partition("/")
    return node.plain and bool(slash) and isinstance(top, str) and _is_number(top) and _is_number(bottom)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _part(node: Node, family: str) -> Node:
    if isinstance(node, Scalar):
        if node.is_empty or catalog.find(family, node.text) is None:
            return node
        return mapping_at(node, {node.text: Entry(node, mapping_at(node, {}))}, is_part=True)
    if not isinstance(node, Mapping) or len(node.entries) != 1:
        return node
    name, entry = next(iter(node.entries.items()))
    return mapping_at(node, {name: Entry(entry.key, part_fields(entry.value, family, name))}, is_part=True)


def part_fields(node: Node, family: str, name: str) -> Node:
    """What is written after a Part's name, as the mapping of its fields."""
    part = catalog.find(family, name)
    if part is None or (isinstance(node, Scalar) and node.is_empty):
        return node
    if isinstance(node, Mapping):
        return _record(node, part)
    return node if part.main_field is None else _main_field(node, part, part.main_field)


def _section(node: Node, form: OneSection) -> Node:
    main = form.section.main_field
    if isinstance(node, Scalar) and node.is_empty:
        return mapping_at(node, {})
    if isinstance(node, Mapping):
        return _record(node, form.section)
    return node if main is None else _main_field(node, form.section, main)


def _main_field(node: Node, record: type[Record], main: str) -> Mapping:
    key = text_at(node, main)
    return mapping_at(node, {main: Entry(key, long_form(node, fields(record)[main].form))})


def _record(node: Mapping, record: type[Record]) -> Mapping:
    known = fields(record)
    return _with_values(node, ((key, known[key].form) for key in node.entries if key in known))


def _with_values(node: Mapping, forms: Iterable[tuple[str, Form]]) -> Mapping:
    entries = dict(node.entries)
    for key, form in forms:
        entry = entries[key]
        entries[key] = Entry(entry.key, long_form(entry.value, form))
    return mapping_at(node, entries)


def _list(node: Node, form: Several) -> Node:
    if isinstance(node, Sequence):
        items = node.items
        forms = form.places if form.places and len(form.places) == len(items) else (form.item,) * len(items)
        made = tuple(long_form(item, each) for item, each in zip(items, forms, strict=True))
        return Sequence(node.origin, node.line, node.column, node.length, made)
    of_parts = isinstance(form.item, OnePart)
    if form.places is not None or (isinstance(node, Scalar) and (node.is_empty or (of_parts and node.says(NONE)))):
        return node
    if isinstance(node, Mapping) and not (of_parts or isinstance(form.item, OneSection | Named | Anything)):
        return node
    item = long_form(node, form.item)
    return Sequence(node.origin, node.line, node.column, node.length, (item,))
