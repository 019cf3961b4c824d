"""YAML text to nodes with positions, by the YAML 1.2 core schema.

PyYAML only splits the text into events. The composer here is our own: it does not recurse, bounds
depth and what aliases expand to, and sees duplicate keys.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from dlcli.config.nodes import Entry, Invalid, Mapping, Node, Origin, Scalar, Sequence, clipped
from dlcli.config.resolver import resolve
from dlcli.config.syntax import syntax_problem
from dlcli.problems import Problem

MAX_BYTES = 1 << 20
MAX_DEPTH = 60
MAX_NODES = 50_000
MAX_ALIASED_NODES = 10_000
MAX_PROBLEMS = 100

_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|(?<!^)\ufeff")


def read_text(path: Path, shown: str) -> str | Problem:
    """The text of a config file, or the problem that it cannot be read."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Problem("config-not-found", f"there is no file {shown}", _similar_file(path, shown))
    except IsADirectoryError:
        return Problem("config-is-directory", f"{shown} is a directory", "name the YAML file in it")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Problem("config-unreadable", f"{shown} cannot be read: {reason}")
    if len(content) > MAX_BYTES:
        return Problem("config-too-large", f"{shown} is larger than 1 MiB", "a config holds settings; data have files")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"{shown} is not UTF-8: byte {content[error.start]:#04x} in line {line}"
        return Problem("config-not-utf8", message, "save it as UTF-8")


def _similar_file(path: Path, shown: str) -> str:
    """A file beside the missing one whose name is near."""
    from dlcli.config.nearest import nearest

    try:
        names = sorted(entry.name for entry in os.scandir(path.parent) if entry.name.endswith((".yaml", ".yml")))
    except OSError:
        return ""
    near = nearest(path.name, names)
    return f"did you mean {Path(shown).parent / near}?" if near else ""


def split_lines(text: str) -> tuple[str, ...]:
    """Lines as YAML counts them."""
    return tuple(_LINE_BREAK.split(text))


def line_starts(text: str) -> tuple[int, ...]:
    """At which character each of these lines begins."""
    return (0, *(found.end() for found in _LINE_BREAK.finditer(text)))


def compose(text: str, origin: Origin, column: int = 0) -> tuple[Node | None, list[Problem]]:
    """Reads one YAML document.

    Args:
        text: the YAML text.
        origin: where it comes from.
        column: at which column of the origin's first line the text begins.

    Returns:
        The top node, None if the text cannot be read or holds nothing, and the problems found.
    """
    composer = _Composer(origin, column)
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        line = len(_LINE_BREAK.findall(text, 0, unprintable.start()))
        last = list(_LINE_BREAK.finditer(text, 0, unprintable.start()))[-1:]
        at = origin.place(line, unprintable.start() - (last[0].end() if last else 0) + (0 if line else column))
        message = f"the character U+{ord(unprintable.group()):04X} cannot stand in a config"
        return None, [Problem("yaml-syntax", message, "delete it, or write it as an escape in double quotes", place=at)]
    try:
        node = composer.compose(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        broken = syntax_problem(error, origin, column)
        if any(known.place and broken.place and known.place.line == broken.place.line for known in composer.problems):
            return None, composer.problems
        return None, [*composer.problems, broken]
    except _StoppedError as stopped:
        return None, [*composer.problems, stopped.problem]
    return node, composer.problems


class _StoppedError(Exception):
    """Reading on makes no sense."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


@dataclass(slots=True)
class _Open:
    """A sequence or mapping that has not ended yet."""

    node: Sequence | Mapping
    anchor: str | None
    flow: bool
    items: list[Node] = field(default_factory=list)
    key: Scalar | Invalid | None = None
    size: int = 1
    height: int = 1


class _Composer:
    """Builds nodes from PyYAML's events, with a stack of its own."""

    def __init__(self, origin: Origin, column: int) -> None:
        self.problems: list[Problem] = []
        self._origin = origin
        self._column = column
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int, int]] = {}
        self._nodes = 0
        self._aliased = 0
        self._root: Node | None = None

    def compose(self, events: Iterator[yaml.Event]) -> Node | None:
        """The top node of the only document."""
        documents = 0
        for event in events:
            match event:
                case yaml.DocumentStartEvent():
                    documents += 1
                    if documents > 1:
                        message = "a second document begins here; one file holds one experiment"
                        raise self._stop(event, "several-documents", message, "put it into a file of its own")
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.SequenceStartEvent() | yaml.MappingStartEvent():
                    self._begin(event)
                case yaml.SequenceEndEvent() | yaml.MappingEndEvent():
                    self._end(event)
        return self._root

    def _at(self, event: yaml.Event) -> tuple[Origin, int, int, int]:
        start, end = event.start_mark, event.end_mark
        assert start is not None
        assert end is not None
        shift = self._column if start.line == 0 else 0
        line = self._origin.lines[start.line] if start.line < len(self._origin.lines) else ""
        column = start.column + shift
        length = end.column + shift - column if end.line == start.line else len(line.rstrip()) - column
        return self._origin, start.line, column, max(0, length)

    def _stop(self, event: yaml.Event, code: str, message: str, suggestion: str) -> _StoppedError:
        origin, line, column, length = self._at(event)
        return _StoppedError(Problem(code, message, suggestion, place=origin.place(line, column, length)))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        at = self._at(event)
        if event.tag is not None:
            tag = str(event.tag).removeprefix("tag:yaml.org,2002:")
            written = at[0].lines[at[1]][at[2] : at[2] + at[3]] if at[3] else tag
            self._problem(
                at,
                "yaml-tag",
                f"{clipped(written)} is a YAML tag; tags have no meaning here",
                f"quote it: '{clipped(written)}'",
            )
            self._add(Invalid(*at), 1, 0, event.anchor)
            return
        if event.style in ("|", ">") and not event.value.strip():
            sign = str(event.style)
            self._problem(at, "yaml-syntax", f"{sign} begins a block of text that is empty", f"quote it: '{sign}'")
            self._add(Invalid(*at), 1, 0, event.anchor)
            return
        plain = event.style is None or event.style == ""
        self._add(Scalar(*at, resolve(event.value) if plain else event.value, event.value, plain), 1, 0, event.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        at = self._at(event)
        if event.anchor not in self._anchors:
            name = clipped(event.anchor)
            itself = any(frame.anchor == event.anchor for frame in self._stack)
            message = f"*{name} stands within &{name}" if itself else f"there is no &{name} above"
            advice = "an alias cannot hold itself" if itself else f"if it is a text, quote it: '*{name}'"
            self._problem(at, "unknown-alias", message, advice)
            self._add(Invalid(*at), 1, 0, None)
            return
        node, size, height = self._anchors[event.anchor]
        self._aliased += size
        if self._aliased > MAX_ALIASED_NODES or len(self._stack) + height > MAX_DEPTH:
            message = f"aliases expand to more than {MAX_ALIASED_NODES:,} values, or nest too deeply"
            raise self._stop(event, "too-many-aliases", message, "write the values out")
        self._add(node, size, height, None)

    def _begin(self, event: yaml.SequenceStartEvent | yaml.MappingStartEvent) -> None:
        at = self._at(event)
        if len(self._stack) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} lists and mappings in each other"
            raise self._stop(event, "too-deep", message, "is a bracket too many here?")
        if event.tag is not None:
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self._problem(at, "yaml-tag", f"{clipped(tag)} is a YAML tag; tags have no meaning here", "delete it")
        node = Sequence(*at) if isinstance(event, yaml.SequenceStartEvent) else Mapping(*at)
        self._stack.append(_Open(node, event.anchor, bool(event.flow_style)))

    def _end(self, event: yaml.Event) -> None:
        frame = self._stack.pop()
        node = frame.node
        if frame.flow:
            end = event.end_mark
            assert end is not None
            line = node.origin.lines[node.line]
            shift = self._column if node.line == 0 else 0
            node.length = (end.column + shift if end.line == node.line else len(line.rstrip())) - node.column
        if isinstance(node, Sequence):
            node.items = tuple(frame.items)
        self._add(node, frame.size, frame.height, frame.anchor)

    def _add(self, node: Node, size: int, height: int, anchor: str | None) -> None:
        """Puts a finished node where it belongs."""
        if anchor is not None:
            self._anchors[anchor] = (node, size, height)
        self._nodes += 1
        if self._nodes > MAX_NODES:
            message = f"more than {MAX_NODES:,} values"
            place = node.place
            raise _StoppedError(
                Problem("too-many-values", message, "a config holds settings; data have files", (), place)
            )
        if not self._stack:
            self._root = node
            return
        frame = self._stack[-1]
        frame.size += size
        frame.height = max(frame.height, height + 1)
        if isinstance(frame.node, Sequence):
            frame.items.append(node)
        elif frame.key is None:
            frame.key = self._key(node)
        else:
            if isinstance(frame.key, Scalar):
                frame.node.entries[frame.key.text] = Entry(frame.key, node)
            frame.key = None

    def _key(self, node: Node) -> Scalar | Invalid:
        """A node as key of the innermost mapping; an invalid one drops the entry."""
        at = (node.origin, node.line, node.column, node.length)
        mapping = self._stack[-1].node
        if isinstance(node, Invalid):
            return node
        if not isinstance(node, Scalar):
            self._problem(at, "yaml-syntax", "a list or mapping cannot be a key", "keys are words; is a quote missing?")
        elif node.says("<<"):
            self._problem(at, "merge-key", "<< is not understood", "use `extends: base.yaml` to build on another file")
        elif node.plain and not node.text:
            self._problem(at, "yaml-syntax", "a key is missing before the colon", "a text such as ? wants quotes: '?'")
        elif isinstance(mapping, Mapping) and node.text in mapping.entries:
            line = mapping.entries[node.text].key.line + 1
            self._problem(
                at, "duplicate-key", f"{clipped(node.text)} is already written in line {line}", "delete one of the two"
            )
        else:
            return node
        if isinstance(mapping, Mapping):
            mapping.lost_keys = True
        return Invalid(*at)

    def _problem(self, at: tuple[Origin, int, int, int], code: str, message: str, suggestion: str) -> None:
        origin, line, column, length = at
        problem = Problem(code, message, suggestion, place=origin.place(line, column, length))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _StoppedError(problem)
        self.problems.append(problem)
