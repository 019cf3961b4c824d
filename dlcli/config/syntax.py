"""PyYAML's errors to Problems that say what to type."""

from __future__ import annotations

import re

import yaml

from dlcli.config.nodes import Origin, clipped
from dlcli.problems import Place, Problem

_SIGNS = ">|*&!%@`?#"
_WORD = re.compile(r"[^\s,\]}]+")


def syntax_problem(error: yaml.YAMLError, origin: Origin, column: int = 0) -> Problem:
    """The Problem of a YAML error; `column`: where the text begins in the origin's first line."""
    mark = getattr(error, "problem_mark", None)
    opened = getattr(error, "context_mark", None)
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read")
    context = str(getattr(error, "context", None) or "")
    if mark is None:
        return Problem("yaml-syntax", f"not YAML: {said}", place=origin.place(0, 0))
    place = _place(origin, mark, column)
    start = _place(origin, opened, column) if opened else place
    sign = _sign(start) or _sign(place)
    if sign:
        return Problem(
            "yaml-syntax", f"{sign[0]} has a meaning of its own in YAML", f"quote it: '{clipped(sign[1])}'", (), sign[2]
        )
    message, suggestion, at = _sentence(said, context, place, start)
    return Problem("yaml-syntax", message, suggestion, (), at)


def _place(origin: Origin, mark: yaml.Mark, column: int) -> Place:
    """A mark's place; the end of the text is shown at its last written line."""
    line, at = mark.line, mark.column + (column if mark.line == 0 else 0)
    while line > 0 and (line >= len(origin.lines) or not origin.lines[line].strip()):
        line -= 1
        at = len(origin.lines[line].rstrip())
    return origin.place(line, at)


def _sign(place: Place) -> tuple[str, str, Place] | None:
    """A sign at a place that wants quoting: the sign, the text that it begins, and where."""
    rest = place.excerpt[place.column - 1 :]
    if not rest or rest[0] not in _SIGNS:
        return None
    found = _WORD.match(rest)
    text = found.group() if found else rest[0]
    return rest[0], text, Place(place.file, place.line, place.column, len(text), place.excerpt)


_SENTENCES = (
    ("mapping values are not allowed", "a second `key: value` in one line", "begin a new line, or quote the text"),
    ("node content", "a value is missing here, or a bracket is too many", ""),
    ("block", "this line fits no level of indentation above", "indent it as the lines that it belongs to"),
)
"""A word of PyYAML's problem or context, our message and suggestion."""


def _sentence(said: str, context: str, place: Place, start: Place) -> tuple[str, str, Place]:
    """Message, suggestion and place of the errors that people make."""
    if "cannot start any token" in said and place.excerpt[place.column - 1 :].startswith("\t"):
        return "a tab cannot indent", "indent with blanks", place
    if "quoted scalar" in context:
        if "escape" in said:
            return "\\ begins an escape in double quotes", "use single quotes, or write \\\\", place
        return f"the quote of line {start.line} is not closed", "close it on the same line", start
    if "flow" in context:
        return _bracket(context, place, start)
    if "could not find expected ':'" in said:
        return "this line is no `key: value`", "write a colon and a blank after the key", start
    for word, message, suggestion in _SENTENCES:
        if word in said or word in context:
            return message, suggestion, place
    return f"not YAML: {said}", "", place


def _bracket(context: str, place: Place, start: Place) -> tuple[str, str, Place]:
    """Something within brackets that cannot stand there."""
    if "${" in place.excerpt[: place.column + 1]:
        at = place.excerpt.rindex("${", 0, place.column + 1)
        dollar = Place(place.file, place.line, at + 1, 2, place.excerpt)
        return "${ opens a mapping within brackets", 'quote the text: "${VARIABLE}/file.csv"', dollar
    opening, closing = "[]" if "sequence" in context else "{}"
    return f"the {opening} of line {start.line} is not closed before this", f"put a comma or {closing} here", place
