"""What a config text is made of: scalars, sequences and mappings that know where they stand."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from dlcli.problems import ConfigPath, Place

LONGEST_WORD = 60
LONGEST_PATH = 300
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """A text that nodes come from: a file, or the value of a `--set` option.

    Attributes:
        name: how it is shown.
        directory: what relative paths in it are relative to.
        lines: its lines, for excerpts.
    """

    name: str
    directory: Path
    lines: tuple[str, ...]

    def place(self, line: int, column: int, length: int = 1) -> Place:
        """A stretch of one of its lines; line and column count from 0."""
        excerpt = self.lines[line] if line < len(self.lines) else ""
        return Place(self.name, line + 1, column + 1, max(1, min(length, len(excerpt) - column)), excerpt)


@dataclass(slots=True, eq=False)
class Node:
    """A part of a config text. Line and column count from 0; length is that of its first line."""

    origin: Origin
    line: int
    column: int
    length: int

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.origin.place(self.line, self.column, self.length)


@dataclass(slots=True, eq=False)
class Scalar(Node):
    """A single value.

    Attributes:
        value: what it means in the YAML 1.2 core schema.
        text: as it is written, quotes taken off.
        plain: whether it is written without quotes.
    """

    value: Value
    text: str
    plain: bool = True

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written, or only `null`."""
        return self.plain and self.value is None

    def says(self, word: str) -> bool:
        """Whether it is this word, without quotes."""
        return self.plain and self.text == word


@dataclass(slots=True, eq=False)
class Sequence(Node):
    """A list."""

    items: tuple[Node, ...] = ()


@dataclass(slots=True, eq=False)
class Entry:
    """A key of a mapping, and its value."""

    key: Scalar
    value: Node


@dataclass(slots=True, eq=False)
class Mapping(Node):
    """Keys, as text, and values.

    Attributes:
        is_part: whether it is the long form of a Part: one name, and a mapping of its fields.
        lost_keys: whether keys are missing about which a problem is already known.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    is_part: bool = False
    lost_keys: bool = False

    def get(self, key: str) -> Node | None:
        """The value of a key."""
        entry = self.entries.get(key)
        return entry.value if entry else None

    def with_entry(self, key: Scalar, value: Node) -> Mapping:
        """A copy in which a key has another value."""
        entries = {**self.entries, key.text: Entry(key, value)}
        return Mapping(self.origin, self.line, self.column, self.length, entries, self.is_part, self.lost_keys)

    def without(self, key: str) -> Mapping:
        """A copy without a key."""
        entries = {name: entry for name, entry in self.entries.items() if name != key}
        return Mapping(self.origin, self.line, self.column, self.length, entries, self.is_part, self.lost_keys)


@dataclass(slots=True, eq=False)
class Invalid(Node):
    """Something that YAML or we cannot read, about which a problem is already known."""


def clipped(text: object, longest: int = LONGEST_WORD) -> str:
    """A written word for a sentence: one line, cut where it is very long."""
    word = " ".join(str(text).split())
    return word if len(word) <= longest else word[: longest - 3] + "..."


def text_at(node: Node, text: str) -> Scalar:
    """A text that is not written but stands for what is written at a node."""
    return Scalar(node.origin, node.line, node.column, node.length, text, text)


def mapping_at(node: Node, entries: dict[str, Entry], *, is_part: bool = False) -> Mapping:
    """A mapping that is not written but stands for what is written at a node."""
    lost_keys = isinstance(node, Mapping) and node.lost_keys
    return Mapping(node.origin, node.line, node.column, node.length, entries, is_part, lost_keys)


def plain_data(node: Node) -> object:
    """A node as dict, list and scalars."""
    match node:
        case Scalar():
            return node.value
        case Sequence():
            return [plain_data(item) for item in node.items]
        case Mapping():
            return {key: plain_data(entry.value) for key, entry in node.entries.items()}
    return None


KEY = "[key]"
"""The last step of a config path that is about a key, not about what stands behind it. Also pydantic's word."""


def place_of(root: Node, path: ConfigPath) -> Place:
    """Where a config path stands, or its nearest ancestor that is written.

    A scalar is shown itself; a list or mapping is shown by its key, and so is whatever `KEY` follows. A path may
    leave the names of Parts out: ("architecture", 0, "units").
    """
    node, place = root, root.place
    for step, after in zip(path, (*path[1:], None), strict=True):
        if isinstance(node, Mapping) and node.is_part and str(step) not in node.entries:
            node = next(iter(node.entries.values())).value
        if isinstance(node, Mapping) and str(step) in node.entries:
            entry = node.entries[str(step)]
            node = entry.value
            shown = isinstance(node, Scalar) and node.length and after != KEY
            place = node.place if shown else entry.key.place
        elif isinstance(node, Sequence) and isinstance(step, int) and 0 <= step < len(node.items):
            node = node.items[step]
            place = node.place
            if isinstance(node, Mapping) and node.is_part:
                place = next(iter(node.entries.values())).key.place
        else:
            break
    return place
