"""pydantic's errors as Problems: our own sentence per kind of mistake."""

from __future__ import annotations

from collections.abc import Sequence as List
from dataclasses import dataclass
from typing import Any

from pydantic_core import ErrorDetails, PydanticUndefined

from dlcli.config.forms import Anything, Choice, Either, Form, Named, Number, Several, Switch, bounds_in_words
from dlcli.config.forms import in_words as words_of
from dlcli.config.long_form import choose
from dlcli.config.nearest import nearest
from dlcli.config.nodes import KEY, Mapping, Node, Scalar, Sequence, clipped
from dlcli.problems import Problem

_BEYOND = ("greater_than", "less_than", "finite_number", "multiple_of")
_SWITCH_WORDS = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}

_PERCENT = range(5, 100)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sentence is about: a field as it is called in a sentence, its node and what it takes."""

    name: str
    node: Node
    form: Form
    default: Any = PydanticUndefined


def field_problem(errors: List[ErrorDetails], about: Subject) -> Problem:
    """The one Problem of everything that pydantic says about a field."""
    deepest = max(errors, key=lambda error: len(error["loc"]))
    about = _descend(about, deepest["loc"][1:])
    custom = next((error for error in errors if error["type"] in ("value_error", "assertion_error")), None)
    if custom is not None:
        said = about_whom(about.name, reason(custom))
        if " must " in said and ", got " not in said:
            said = f"{said}, got {got(about.node)}"
        return Problem("invalid-value", said, "", (), about.node.place)
    size = next((error for error in errors if error["type"].endswith(("too_short", "too_long"))), None)
    if size is not None:
        return Problem("value-out-of-range", _size_sentence(about, size), "", (), about.node.place)
    form = about.form
    if isinstance(form, Either):
        form = _meant(form, about.node)
    beyond = any(error["type"].startswith(_BEYOND) for error in errors)
    if beyond and isinstance(form, Number) and form.bounds:
        allowed = " or ".join(filter(None, (_words_besides(about.form), bounds_in_words(form))))
        message = f"{about.name} must be {allowed}, got {got(about.node)}"
        return Problem("value-out-of-range", message, _example(about, form), (), about.node.place)
    message = f"{about.name} must be {words_of(about.form)}, got {got(about.node)}"
    code = "value-out-of-range" if beyond else "wrong-type"
    hint = _hint(form, about)
    if isinstance(form, Choice) and isinstance(about.node, Scalar) and not beyond:
        code = "not-one-of"
    return Problem(code, message, hint, (), about.node.place)


def reason(error: ErrorDetails) -> str:
    """What a validator of ours said."""
    said = error.get("ctx", {}).get("error")
    return str(said) if said is not None else error["msg"]


def _size_sentence(about: Subject, error: ErrorDetails) -> str:
    """A list or text of the wrong length."""
    limits = error.get("ctx", {})
    of_text = error["type"].startswith("string")
    least, most = limits.get("min_length"), limits.get("max_length")
    limit = f"at least {least}" if least is not None else f"at most {most}"
    unit = "character" if of_text else "item"
    return f"{about.name} must have {limit} {unit}{'s' if (least or most) != 1 else ''}, got {got(about.node)}"


def about_whom(name: str, said: str) -> str:
    """A sentence of a validator with its owner in front, if it does not begin with it."""
    if said.startswith("must "):
        return f"{name} {said}"
    return said if not name or said.startswith(name) else f"{name}: {said}"


def got(node: Node) -> str:
    """A node as it is named at the end of a sentence."""
    match node:
        case Scalar() if not node.plain or (isinstance(node.value, str) and _looks_like_number(node.text)):
            return f"the text '{clipped(node.text)}'"
        case Scalar():
            return clipped(node.text) or "nothing"
        case Sequence():
            return f"a list of {len(node.items)}"
        case Mapping():
            return "a mapping"
    return "something else"


def _looks_like_number(text: str) -> bool:
    return text[:1].isdigit()


def _descend(about: Subject, location: tuple[int | str, ...]) -> Subject:
    """Follows pydantic's location below a field; its names of union arms lead nowhere and are skipped."""
    name, node, form = about.name, about.node, about.form
    for step in location:
        inner = choose(form, node) if isinstance(form, Either) else form
        if isinstance(inner, Several) and isinstance(step, int):
            form = inner.places[step] if inner.places and step < len(inner.places) else inner.item
            if isinstance(node, Sequence) and step < len(node.items):
                node = node.items[step]
                name = f"item {step} of {name}" if " of " not in name else name
        elif isinstance(inner, Named) and isinstance(node, Mapping) and step in node.entries:
            entry = node.entries[str(step)]
            if location[-1] == KEY:
                return Subject(f"a key of {name}", entry.key, inner.key)
            form, node, name = inner.item, entry.value, f"{name}.{clipped(step)}"
        elif isinstance(inner, Anything):
            break
    return Subject(name, node, form, about.default if node is about.node else PydanticUndefined)


def _meant(form: Either, node: Node) -> Form:
    """The arm that a value was probably meant for: numbers for numbers, words for words."""
    chosen = choose(form, node)
    if isinstance(node, Scalar) and isinstance(node.value, str):
        words = form.only(Choice)
        if words and not isinstance(chosen, Number):
            values = [value for each in words if isinstance(each, Choice) for value in each.values]
            return Choice(tuple(values))
    return chosen or form


def _words_besides(form: Form) -> str:
    """The words that a field takes beside numbers."""
    if not isinstance(form, Either):
        return ""
    return " or ".join(words_of(each) for each in form.only(Choice))


def _hint(form: Form, about: Subject) -> str:
    node = about.node
    if not isinstance(node, Scalar):
        return _example(about, form)
    if isinstance(form, Choice):
        values = [str(value) for value in form.values]
        near = nearest(node.text, values)
        return f"did you mean {near}?" if near else _example(about, form)
    if isinstance(form, Switch) and node.text.lower() in _SWITCH_WORDS:
        return f"write {_SWITCH_WORDS[node.text.lower()]}"
    if isinstance(form, Number) and not node.plain and _is_number(node.text):
        return "write it without quotes"
    if isinstance(form, Number) and form.whole and isinstance(node.value, float) and node.value.is_integer():
        return f"write {int(node.value)}" if abs(node.value) < 2**53 else f"write at most {2**63 - 1}"
    return _example(about, form)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _example(about: Subject, form: Form) -> str:
    """What could be written instead."""
    default = about.default
    if isinstance(form, Number) and form.bounds and form.bounds[-1][0] in ("lt", "le") and form.bounds[-1][1] == 1:
        value = about.node.value if isinstance(about.node, Scalar) else None
        share = default if isinstance(default, float) and default else 0.15
        if isinstance(value, int) and value in _PERCENT:
            share = value / 100
        return f"write a share, for example {share:g}"
    if isinstance(default, str | int | float):
        return f"the default is {str(default).lower() if isinstance(default, bool) else default}"
    return ""
