"""Changes a config's text at one place; everything else, comments and layout too, stays as it is."""

from __future__ import annotations

import re
from pathlib import Path

from dlcli.config.nodes import Mapping, Node, Origin, Scalar
from dlcli.config.reader import compose, line_starts, split_lines
from dlcli.config.writer import inline
from dlcli.part import Part

_ANCHOR = re.compile(r"&\S+\s+")
_END_MARK = re.compile(r"^\.\.\.(?=\s|\Z)", re.MULTILINE)


def set_part_field(text: str, section: str, part: type[Part], field: str, value: float | str) -> str | None:
    """Sets one field of a Part, e.g. the `learning_rate` of `adam` under `optimizer`.

    A bare name gets a value (`adam` becomes `{adam: 0.01}`), a value is replaced, a missing field is added
    to its mapping, and a missing section at the end. Whether the new text means what it should is seen by
    reading it: what aliases share changes everywhere.

    Args:
        text: a config without problems.
        section: the top-level key whose value is the Part.
        part: which Part.
        field: which field.
        value: its new value.

    Returns:
        The new text; None where something else stands in that place.
    """
    root, problems = compose(text, Origin("", Path(), split_lines(text)))
    if not isinstance(root, Mapping) or problems:
        return None
    name, main, edit = part.part_name, part.main_field, _Edit(text)
    whole = inline({name: value if field == main else {field: value}})
    held = root.get(section)
    if held is None:
        return edit.add_at_end(root, f"{section}: {whole}")
    if isinstance(held, Scalar) and held.text == name:
        return edit.replace(held, whole)
    inside = held.get(name) if isinstance(held, Mapping) else None
    if isinstance(inside, Mapping):
        written = inside.get(field)
        if written is None:
            return edit.add(inside, inline_entry(field, value))
        return edit.replace(written, inline(value)) if isinstance(written, Scalar) else None
    if isinstance(inside, Scalar) and main is not None:
        if field == main:
            return edit.replace(inside, inline(value))
        return edit.replace(inside, f"{{{main}: {edit.written(inside)}, {inline_entry(field, value)}}}")
    return None


def inline_entry(key: str, value: object) -> str:
    """A key and its value, as within a mapping."""
    return inline({key: value})[1:-1]


class _Edit:
    """A text and where its nodes stand in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = line_starts(text)
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def written(self, node: Scalar) -> str:
        """A scalar as it is written, quotes too; an anchor before it left out."""
        return self._text[self._start(node) : self._offset(node) + node.length]

    def replace(self, node: Scalar, new: str) -> str:
        """The text with a scalar replaced; an anchor before it stays."""
        return self._text[: self._start(node)] + new + self._text[self._offset(node) + node.length :]

    def add(self, mapping: Mapping, entry: str) -> str:
        """The text with an entry as the first of a mapping."""
        start = self._start(mapping)
        if self._text.startswith("{", start):
            return self._insert(start + 1, f"{entry}, " if mapping.entries else entry)
        key = next(iter(mapping.entries.values())).key
        return self._insert(self._offset(key), f"{entry}{self._newline}{' ' * key.column}")

    def add_at_end(self, root: Mapping, entry: str) -> str:
        """The text with an entry as the last of the top-level mapping."""
        if self._text.startswith("{", self._start(root)):
            return self.add(root, entry)
        end = _END_MARK.search(self._text)
        at = len(self._text[: end.start() if end else None].rstrip())
        indent = " " * next(iter(root.entries.values())).key.column
        line = f"{self._newline}{indent}{entry}"
        return self._insert(at, line if self._text[at:] else line + self._newline)

    def _insert(self, at: int, new: str) -> str:
        return self._text[:at] + new + self._text[at:]

    def _offset(self, node: Node) -> int:
        return self._starts[node.line] + node.column

    def _start(self, node: Node) -> int:
        """Where a node begins, its anchor left out."""
        offset = self._offset(node)
        anchor = _ANCHOR.match(self._text, offset)
        return anchor.end() if anchor else offset
