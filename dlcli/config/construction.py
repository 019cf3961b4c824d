"""Nodes to typed values: Parts and sections, with a Problem for everything that does not fit.

pydantic validates one class per node and never a union of Parts, so one mistake is one Problem.
A broken value becomes BROKEN in the record around it, so that rules about the rest still run.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

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
    RecordField,
    Several,
    Text,
    fields,
    in_words,
)
from dlcli.config.layering import DEFAULT
from dlcli.config.long_form import NONE, choose, long_form
from dlcli.config.misreadings import field_meant_for, misread_main_field, missing_blank, not_a_part
from dlcli.config.nearest import did_you_mean, nearest
from dlcli.config.nodes import Entry, Invalid, Mapping, Node, Scalar, Sequence, clipped, plain_data
from dlcli.config.paths import expand, expand_code
from dlcli.config.sentences import Subject, about_whom, field_problem, got, reason
from dlcli.config.unknown import BROKEN, UnknownValueError
from dlcli.config.writer import inline
from dlcli.part import Part, Record, Section
from dlcli.problems import ConfigPath, Problem

MAX_PROBLEMS = 100


class TooManyProblemsError(Exception):
    """There are so many problems that more would not help."""


class Construction:
    """Makes values of nodes in long form and collects the problems.

    Attributes:
        problems: what was found.
    """

    def __init__(self, *, trusted: bool) -> None:
        self.problems: list[Problem] = []
        self._trusted = trusted

    def section(self, node: Mapping, section: type[Section], path: ConfigPath = ()) -> Any:
        """A section; fields that are broken hold BROKEN."""
        owner = "".join(f"{step}." for step in path)
        return self._record(node, section, owner, path)

    def _say(self, code: str, message: str, suggestion: str, node: Node, path: ConfigPath) -> Any:
        self.add(Problem(code, message, suggestion, path, node.place))
        return BROKEN

    def add(self, problem: Problem) -> None:
        """Keeps a problem.

        Raises:
            TooManyProblemsError: there are enough.
        """
        if len(self.problems) >= MAX_PROBLEMS:
            raise TooManyProblemsError
        self.problems.append(problem)

    def _value(self, node: Node, form: Form, name: str, path: ConfigPath, field: RecordField) -> Any:
        """The value of a node; BROKEN if its problem has been said."""
        if isinstance(node, Invalid):
            return BROKEN
        chosen = choose(form, node) if isinstance(form, Either) else form
        if chosen is None:
            return self._wrong(node, form, name, path)
        if _says_nothing(node, chosen):
            hint = _quote_hint(node) or f"write a value, or leave {path[-1]} out"
            return self._say("empty-field", f"{name} has no value", hint, node, path)
        if isinstance(node, Scalar) and not isinstance(chosen, OnePart | OneSection | Named | Several):
            return self._scalar(node, chosen, path)
        match chosen:
            case OnePart():
                return self._part(node, chosen.family, path, field)
            case OneSection() if isinstance(node, Mapping):
                return self.section(node, chosen.section, path)
            case Several():
                return self._several(node, chosen, name, path, field)
            case Named() if isinstance(node, Mapping):
                return self._named(node, chosen, name, path, field)
            case Anything():
                return plain_data(node)
        return self._wrong(node, form, name, path)

    def _wrong(self, node: Node, form: Form, name: str, path: ConfigPath) -> Any:
        joined = missing_blank(node, path) if isinstance(node, Scalar) else None
        if joined is not None:
            self.add(joined)
            return BROKEN
        hint = ""
        if isinstance(form, OneSection):
            hint = f"its fields: {', '.join(fields(form.section))}"
        return self._say("wrong-type", f"{name} must be {in_words(form)}, got {got(node)}", hint, node, path)

    def _scalar(self, node: Scalar, form: Form, path: ConfigPath) -> Any:
        value = node.value
        if isinstance(form, Nothing):
            return None
        if isinstance(form, Text) and (form.path or form.code) and isinstance(value, str):
            expanded = expand_code(node) if form.code else expand(node)
            if isinstance(expanded, Problem):
                self.add(Problem(expanded.code, expanded.message, expanded.suggestion, path, expanded.place))
                return BROKEN
            return expanded
        if isinstance(form, Text) and form.as_written:
            return node.text
        if isinstance(form, Choice) and form.kind is not None and value in form.values:
            return form.kind(value)
        if isinstance(form, Number) and isinstance(value, str) and node.plain:
            return _fraction(value)
        return value

    def _several(self, node: Node, form: Several, name: str, path: ConfigPath, field: RecordField) -> Any:
        if isinstance(node, Scalar) and node.says(NONE) and isinstance(form.item, OnePart):
            return ()
        if isinstance(node, Mapping) and isinstance(form.item, OnePart):
            return self._part(node, form.item.family, path, field)
        if isinstance(node, Scalar) and form.places:
            return self._scalar(node, form.places[0], path)  # the field may read one value as several
        if not isinstance(node, Sequence):
            return self._wrong(node, form, name, path)
        forms = form.places if form.places and len(form.places) == len(node.items) else (form.item,) * len(node.items)
        values = [
            self._value(item, each, f"item {number} of {name}", (*path, number), field)
            for number, (item, each) in enumerate(zip(node.items, forms, strict=True))
        ]
        # A list of Parts stays useful when one of them is broken, a list of scalars does not.
        if isinstance(form.item, OnePart):
            return tuple(values)
        return BROKEN if any(value is BROKEN for value in values) else tuple(values)

    def _named(self, node: Mapping, form: Named, name: str, path: ConfigPath, field: RecordField) -> Any:
        values = {
            key: self._value(entry.value, form.item, f"{name}.{clipped(key)}", (*path, key), field)
            for key, entry in node.entries.items()
        }
        return BROKEN if any(value is BROKEN for value in values.values()) else values

    def _part(self, node: Node, family: str, path: ConfigPath, field: RecordField) -> Any:
        entry = next(iter(node.entries.values())) if isinstance(node, Mapping) and len(node.entries) == 1 else None
        name = entry.key.text if entry else ""
        part = catalog.find(family, name) if entry else None
        if entry is None or part is None:
            self.add(not_a_part(node, family, path, field))
            return BROKEN
        inside = (*path, name)
        if part.runs_code and not self._trusted:
            message = f"the {catalog.noun(family)} {name} runs code of your own"
            self._say("needs-trust", message, "if you trust it, run again with --trust", entry.key, inside)
        value = entry.value
        if not isinstance(value, Mapping):
            return self._not_fields(value, part, inside)
        misread = misread_main_field(value, part, inside)
        if misread is not None:
            self.add(misread)
            return BROKEN
        return self._record(value, part, f"{name} ", inside)

    def _not_fields(self, node: Node, part: type[Part], path: ConfigPath) -> Any:
        name = part.part_name
        if isinstance(node, Invalid):
            return BROKEN
        if isinstance(node, Scalar) and node.is_empty:
            hint = _quote_hint(node) or f"write `{name}` alone for its defaults"
            return self._say("empty-field", f"{name} has no value", hint, node, path)
        meant = field_meant_for(node, part)
        hint = f"write {name}: {clipped(inline({meant: plain_data(node)}))}" if meant else f"write {name} alone"
        message = f"{name} has no main field, so it is not clear what {got(node)} is"
        return self._say("main-field", message, hint, node, path)

    def _record(self, node: Mapping, record: type[Record], owner: str, path: ConfigPath) -> Any:
        """A Part or section. Every wrong field gives one problem and is BROKEN in the result."""
        known = fields(record)
        values: dict[str, Any] = {}
        broken: set[str] = set()
        for key, entry in node.entries.items():
            if key not in known:
                broken |= self._unknown_key(entry, known, node, owner, (*path, key))
            elif not _restores_default(entry.value, known[key]):
                name = f"{owner}{key}"
                value = self._value(entry.value, known[key].form, name, (*path, key), known[key])
                values[key] = value
                if _is_broken(value):
                    broken.add(key)
        good = {key: value for key, value in values.items() if key not in broken}
        try:
            made = record.model_validate(good)
            if not broken:
                return made
        except ValidationError as error:
            broken |= self._report(error.errors(include_url=False), node, record, owner, path, broken)
        except UnknownValueError:
            pass  # a check of the record met a value that is broken further down
        missing = [key for key, field in known.items() if field.info.is_required() and key not in good]
        lost = dict.fromkeys({*broken, *missing}, BROKEN)
        partly = {key: value for key, value in values.items() if value is not BROKEN and _is_broken(value)}
        given = {key: value for key, value in good.items() if key not in lost}
        return record.model_construct(**given, **lost | partly)

    def _unknown_key(
        self, entry: Entry, known: dict[str, RecordField], node: Mapping, owner: str, path: ConfigPath
    ) -> set[str]:
        """Says that a key is unknown, and what is wrong with its value if the nearest key was meant."""
        key = entry.key
        joined = missing_blank(key, path)
        if joined is not None and key.text.split(":", 1)[0] in known:
            self.add(joined)
            return {key.text.split(":", 1)[0]}
        free = [name for name in known if name not in node.entries]
        near = nearest(key.text, free)
        whose = owner.strip(" .")
        message = f"{whose} has no field {clipped(key.text)}" if whose else f"there is no key {clipped(key.text)}"
        there = [*known, "extends"] if not whose else known
        hint = f"did you mean {near}?" if near else did_you_mean(key.text, there)
        self._say("unknown-key", message, hint, key, path)
        if not near:
            return set()
        self._value(long_form(entry.value, known[near].form), known[near].form, f"{owner}{near}", path, known[near])
        return {near}

    def _report(
        self,
        errors: list[ErrorDetails],
        node: Mapping,
        record: type[Record],
        owner: str,
        path: ConfigPath,
        broken: set[str],
    ) -> set[str]:
        """Says pydantic's errors, one Problem per field; returns the fields."""
        known = fields(record)
        by_field: dict[str, list[ErrorDetails]] = {}
        for error in errors:
            by_field.setdefault(str(error["loc"][0]) if error["loc"] else "", []).append(error)
        for key, group in by_field.items():
            if key in broken or (not key and broken):
                continue
            if not key:
                self._say("invalid-value", about_whom(owner.strip(" ."), reason(group[0])), "", node, path)
            elif key not in node.entries:
                if node.lost_keys:
                    continue
                self._missing(key, known[key], node, owner, path)
            else:
                about = Subject(f"{owner}{key}", node.entries[key].value, known[key].form, known[key].info.default)
                problem = field_problem(group, about)
                self.add(Problem(problem.code, problem.message, problem.suggestion, (*path, key), problem.place))
        return set(by_field) - {""}

    def _missing(self, key: str, field: RecordField, node: Mapping, owner: str, path: ConfigPath) -> None:
        whose = owner.strip(" .")
        message = f"{whose} needs {key}" if whose else f"a config needs {key}"
        form = field.form
        if isinstance(form, OnePart):
            hint = f"add {key}: one of {', '.join(catalog.names(form.family))}"
        else:
            hint = f"add {key}: {_as_clause(field.info.description or '')}"
        self._say("missing-key", message, hint, node, path)


def _as_clause(sentence: str) -> str:
    """A description to go on with after a colon."""
    return sentence[:1].lower() + sentence[1:].rstrip(".")


def _is_broken(value: object) -> bool:
    """Whether a value is broken, or a list of Parts of which one is."""
    return value is BROKEN or (type(value) is tuple and any(item is BROKEN for item in value))


def _says_nothing(node: Node, form: Form) -> bool:
    """Whether no value is written; where a token is meant, the word `null` is one."""
    if not isinstance(node, Scalar) or not node.is_empty:
        return False
    return not (isinstance(form, Text) and form.as_written and node.text)


def _quote_hint(node: Node) -> str:
    """A comment sign where a value should be wants quotes."""
    if isinstance(node, Scalar) and not node.text and node.line < len(node.origin.lines):
        rest = node.origin.lines[node.line][node.column :].strip()
        if rest.startswith("#") and " " not in rest:
            return f"# begins a comment; quote it: '{clipped(rest)}'"
    return ""


def _restores_default(node: Node, field: RecordField) -> bool:
    """Whether a field is set to the bare word `default`, and is not one that takes any text."""
    if not isinstance(node, Scalar) or not node.says(DEFAULT):
        return False
    forms = field.form.forms if isinstance(field.form, Either) else (field.form,)
    takes_text = any(isinstance(each.item if isinstance(each, Several) else each, Text | Anything) for each in forms)
    return not takes_text


def _fraction(text: str) -> str | float:
    """Reads `1/255` as the number that it means."""
    top, slash, bottom = text.partition("/")
    try:
        return float(top) / float(bottom) if slash else text
    except (ValueError, ZeroDivisionError):
        return text
