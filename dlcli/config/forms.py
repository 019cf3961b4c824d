"""What a field takes, read once from its type: the forms that walk nodes, make sentences and the JSON Schema."""

from __future__ import annotations

import enum
import types
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic.fields import FieldInfo

from dlcli.config import catalog
from dlcli.part import AsWritten, CodeText, Part, PathText, Record, Section


@dataclass(frozen=True, slots=True)
class Form:
    """What a field takes."""


@dataclass(frozen=True, slots=True)
class Anything(Form):
    """Any plain data."""


@dataclass(frozen=True, slots=True)
class Nothing(Form):
    """Not set: the bare word `none`."""


@dataclass(frozen=True, slots=True)
class Text(Form):
    """Text; `as_written`: of any scalar; `path`: of a file, made absolute; `code`: of a name in a file."""

    as_written: bool = False
    path: bool = False
    code: bool = False


@dataclass(frozen=True, slots=True)
class Number(Form):
    """A number within bounds; `whole`: without a fraction."""

    whole: bool
    bounds: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Switch(Form):
    """True or false."""


@dataclass(frozen=True, slots=True)
class Choice(Form):
    """One of some words; `kind`: their enumeration, if they have one."""

    values: tuple[str | int | bool, ...]
    kind: type[enum.Enum] | None = None


@dataclass(frozen=True, slots=True)
class Several(Form):
    """A list: of any length with one form for all, or with one form per place."""

    item: Form
    places: tuple[Form, ...] | None = None


@dataclass(frozen=True, slots=True)
class Named(Form):
    """A mapping with free keys."""

    item: Form
    key: Form


@dataclass(frozen=True, slots=True)
class OnePart(Form):
    """A Part of a family."""

    family: str


@dataclass(frozen=True, slots=True)
class OneSection(Form):
    """The fields of a section."""

    section: type[Section]


@dataclass(frozen=True, slots=True)
class Either(Form):
    """One of several forms."""

    forms: tuple[Form, ...]

    def only(self, *kinds: type[Form]) -> tuple[Form, ...]:
        """Its forms of some kinds."""
        return tuple(form for form in self.forms if isinstance(form, kinds))


@dataclass(frozen=True, slots=True)
class RecordField:
    """A field of a Part or section.

    Attributes:
        name: as it is called in Python.
        info: pydantic's description.
        form: what it takes.
    """

    name: str
    info: FieldInfo
    form: Form


@cache
def fields(record: type[Record]) -> dict[str, RecordField]:
    """The fields of a Part or section by the key that a config writes."""
    return {
        info.alias or name: RecordField(name, info, form_of(info.annotation, info.metadata))
        for name, info in record.model_fields.items()
    }


def form_of(annotation: Any, metadata: Iterable[Any] = ()) -> Form:
    """The form that a type describes."""
    marks = [inner for mark in metadata for inner in (mark.metadata if isinstance(mark, FieldInfo) else (mark,))]
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return form_of(inner, [*more, *marks])
    if origin in (Union, types.UnionType):
        return _either([form_of(arm, marks) for arm in get_args(annotation)])
    if origin is Literal:
        return Choice(get_args(annotation))
    if origin is tuple:
        arms = get_args(annotation)
        if arms[-1] is Ellipsis:
            return Several(form_of(arms[0]))
        return Several(Anything(), tuple(form_of(arm) for arm in arms))
    if origin is dict:
        key, value = get_args(annotation)
        return Named(form_of(value), form_of(key))
    return _simple(annotation, marks)


def _either(forms: list[Form]) -> Form:
    flat = [inner for form in forms for inner in (form.forms if isinstance(form, Either) else (form,))]
    return Either(tuple(dict.fromkeys(flat)))


def _simple(annotation: Any, marks: list[Any]) -> Form:
    if annotation is None or annotation is type(None):
        return Nothing()
    if isinstance(annotation, type):
        if issubclass(annotation, bool):
            return Switch()
        if issubclass(annotation, enum.Enum):
            return Choice(tuple(member.value for member in annotation), annotation)
        if issubclass(annotation, str):
            return Text(*(any(isinstance(mark, kind) for mark in marks) for kind in (AsWritten, PathText, CodeText)))
        if issubclass(annotation, int | float):
            return Number(issubclass(annotation, int), tuple(_bounds(marks)))
        if issubclass(annotation, Part):
            return OnePart(annotation.family)
        if issubclass(annotation, Section):
            return OneSection(annotation)
    return Anything()


def _bounds(marks: list[Any]) -> Iterable[tuple[str, float]]:
    """Bounds as ("ge", 0), in the order lower, upper."""
    kinds = {"ge": annotated_types.Ge, "gt": annotated_types.Gt, "lt": annotated_types.Lt, "le": annotated_types.Le}
    for name, kind in kinds.items():
        for mark in marks:
            if isinstance(mark, kind | annotated_types.Interval) and getattr(mark, name) is not None:
                yield name, getattr(mark, name)


_BOUND_WORDS = {"ge": "at least", "gt": "above", "lt": "below", "le": "at most"}


def bounds_in_words(form: Number) -> str:
    """Its range: "at least 0 and below 1"; empty if it has none."""
    return " and ".join(f"{_BOUND_WORDS[kind]} {_plain(value)}" for kind, value in form.bounds)


def _plain(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:g}"


_WORDS: dict[type[Form], str] = {
    Switch: "true or false",
    Named: "a mapping",
    OneSection: "a mapping of fields",
    Nothing: "none",
    Anything: "plain data",
}


def in_words(form: Form) -> str:
    """What a form takes, to follow "must be"."""
    match form:
        case Number():
            words = "a whole number" if form.whole else "a number"
            within = bounds_in_words(form)
            return f"{words} of {within}" if within.startswith("at") else f"{words} {within}".rstrip()
        case Text():
            return "a path" if form.path else "`file.py:Name`" if form.code else "text"
        case Choice():
            return any_of([str(value).lower() if isinstance(value, bool) else str(value) for value in form.values])
        case Several():
            return _list_in_words(form)
        case OnePart():
            return with_article(catalog.noun(form.family))
        case Either():
            return any_of([in_words(each) for each in form.forms if not isinstance(each, Nothing)])
    return _WORDS[type(form)]


def _list_in_words(form: Several) -> str:
    if form.places is None:
        return f"a list, each {in_words(form.item)}"
    if len(set(form.places)) == 1:
        return f"a list of {len(form.places)}, each {in_words(form.places[0])}"
    return "a list of " + " and ".join(in_words(place) for place in form.places)


def with_article(noun: str) -> str:
    """A layer, an optimizer."""
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def any_of(words: list[str]) -> str:
    """Joins words as `a, b or c`."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else ""
