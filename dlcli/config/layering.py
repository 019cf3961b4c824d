"""Configs on top of each other: `extends` and `--set`."""

from __future__ import annotations

import os
from collections.abc import Mapping as Known
from collections.abc import Sequence as List
from dataclasses import replace
from pathlib import Path

from dlcli.config import catalog
from dlcli.config.forms import Either, Form, Named, OnePart, OneSection, RecordField, Several, fields
from dlcli.config.long_form import choose, long_form
from dlcli.config.nearest import did_you_mean
from dlcli.config.nodes import (
    LONGEST_PATH,
    Entry,
    Mapping,
    Node,
    Origin,
    Scalar,
    Sequence,
    clipped,
    mapping_at,
    text_at,
)
from dlcli.config.paths import expand
from dlcli.config.reader import compose, read_text, split_lines
from dlcli.problems import Place, Problem

DEFAULT = "default"


class Layers:
    """Reads a config with the files that it extends.

    Attributes:
        texts: every file that was read, and its text.
        problems: what was found on the way.
    """

    def __init__(self, form: OneSection) -> None:
        self.texts: list[tuple[Path, str]] = []
        self.problems: list[Problem] = []
        self._form = form
        self._done: dict[Path, Mapping | None] = {}

    def read(self, path: Path, text: str | None = None) -> Mapping | None:
        """The config in long form on top of what it extends; None if it cannot be read.

        Args:
            path: its file.
            text: what is read in place of the file's own text.
        """
        return self._read(path, str(path), (), None, text)

    def _read(
        self, path: Path, shown: str, below: tuple[Path, ...], named: Place | None, text: str | Problem | None = None
    ) -> Mapping | None:
        real = Path(os.path.realpath(path))
        if real in self._done:
            return self._done[real]
        if text is None:
            text = read_text(path, clipped(shown, LONGEST_PATH))
        if isinstance(text, Problem):
            self.problems.append(text.at(named))
            return None
        self.texts.append((path, text))
        origin = Origin(shown, path.parent, split_lines(text))
        node, problems = compose(text, origin)
        self.problems += problems
        top = self._top(node, origin, nothing_said=not problems)
        if top is not None:
            written = long_form(top.without("extends"), self._form)
            assert isinstance(written, Mapping)
            top = self._extend(top, written, (*below, real))
        self._done[real] = top
        return top

    def _top(self, node: Node | None, origin: Origin, *, nothing_said: bool) -> Mapping | None:
        if isinstance(node, Mapping):
            return node
        if nothing_said and (node is None or (isinstance(node, Scalar) and node.is_empty)):
            hint = "begin with data: and architecture:, or let `dlcli init` write one"
            self.problems.append(Problem("empty-config", f"{origin.name} holds nothing", hint, (), origin.place(0, 0)))
        elif nothing_said and node is not None:
            message = "a config is a mapping of keys such as data: and architecture:"
            self.problems.append(Problem("wrong-type", message, "write `key: value` lines", (), node.place))
        return None

    def _extend(self, top: Mapping, written: Mapping, below: tuple[Path, ...]) -> Mapping:
        """Puts a config on top of what its `extends` names; later ones win."""
        extends = top.get("extends")
        if extends is None:
            return written
        result: Mapping | None = None
        for node in extends.items if isinstance(extends, Sequence) else (extends,):
            base = self._base(node, below)
            if base is None:
                written = replace(written, lost_keys=True)  # what is missing may have stood there
            else:
                result = base if result is None else merge_mappings(result, base)
        if result is None:
            return written
        return replace(merge_mappings(result, written), lost_keys=written.lost_keys or result.lost_keys)

    def _base(self, node: Node, below: tuple[Path, ...]) -> Mapping | None:
        if not isinstance(node, Scalar) or not isinstance(node.value, str):
            message = "extends must be the path of a config, or a list of them"
            self.problems.append(Problem("wrong-type", message, "extends: base.yaml", (), node.place))
            return None
        path = expand(node)
        if isinstance(path, Problem):
            self.problems.append(path)
            return None
        if Path(os.path.realpath(path)) in below:
            message = f"{clipped(node.text)} extends this file, which would never end"
            self.problems.append(
                Problem("extends-cycle", message, "take one of the two `extends` away", (), node.place)
            )
            return None
        shown = os.path.join(os.path.dirname(node.origin.name), node.text)  # noqa: PTH118, PTH120 - as written
        return self._read(Path(path), os.path.normpath(shown), below, node.place)


def merge(below: Node, above: Node) -> Node:
    """One layer on top of another: mappings merge, the same Part merges, everything else is replaced."""
    if not isinstance(below, Mapping) or not isinstance(above, Mapping):
        return above
    if (below.is_part or above.is_part) and list(below.entries) != list(above.entries):
        return above
    return merge_mappings(below, above)


def merge_mappings(below: Mapping, above: Mapping) -> Mapping:
    """Merges key by key; the word `default` takes what lies below away."""
    entries = dict(below.entries)
    for key, entry in above.entries.items():
        if key not in entries:
            entries[key] = entry
        elif isinstance(entry.value, Scalar) and entry.value.says(DEFAULT):
            del entries[key]
        else:
            entries[key] = Entry(entry.key, merge(entries[key].value, entry.value))
    return mapping_at(above, entries, is_part=above.is_part)


def override(root: Mapping, option: str, form: OneSection) -> Mapping | Problem:
    """The config with one `--set path=value`."""
    path, equals, text = option.partition("=")
    origin = Origin(f"--set {clipped(option)}", Path.cwd(), (" ".join(split_lines(option)),))
    if not equals or not all(path.split(".")):
        hint = "for example --set training.epochs=3"
        return Problem(
            "set-syntax", f"--set takes path=value, got {clipped(option)}", hint, (), origin.place(0, 0, 999)
        )
    value, problems = compose(text, origin, len(path) + 1)
    if problems:
        return problems[0]
    if value is None:
        value = Scalar(origin, 0, len(path), 1, None, "")
    steps = []
    column = 0
    for step in path.split("."):
        steps.append(Scalar(origin, 0, column, len(step), step, step))
        column += len(step) + 1
    try:
        changed = _change(root, steps, value, form)
    except _NoSuchPathError as error:
        return error.problem
    assert isinstance(changed, Mapping)
    return changed


class _NoSuchPathError(Exception):
    def __init__(self, step: Scalar, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.problem = Problem("no-such-path", message, suggestion, (), step.place)


def _change(node: Node | None, steps: List[Scalar], value: Node, form: Form) -> Node | None:
    """A node with the value at a path changed; None takes the whole away."""
    if not steps:
        if isinstance(value, Scalar) and value.says(DEFAULT):
            return None
        return long_form(value, form)
    form = _towards(form, node)
    step = steps[0]
    match form:
        case OneSection():
            known = fields(form.section)
            if step.text not in known:
                hint = _below(step.text, known) or did_you_mean(step.text, known)
                raise _NoSuchPathError(step, f"there is no {step.text} here", hint)
            return _change_entry(node, steps, value, known[step.text].form)
        case Named():
            return _change_entry(node, steps, value, form.item)
        case OnePart():
            return _change_part(node, steps, value, form.family)
        case Several():
            return _change_item(node, steps, value, form)
    raise _NoSuchPathError(step, f"{step.text} leads nowhere: there is a single value above it")


def _below(name: str, known: Known[str, RecordField]) -> str:
    """A suggestion where a path begins with a field of a section, without the section."""
    sections = {key: _towards(field.form, None) for key, field in known.items()}
    paths = [
        f"{key}.{name}"
        for key, form in sections.items()
        if isinstance(form, OneSection) and name in fields(form.section)
    ]
    return f"did you mean {' or '.join(paths)}?" if paths else ""


def _towards(form: Form, node: Node | None) -> Form:
    """Of several forms the one that has something below it; the written node decides where there are two."""
    if not isinstance(form, Either):
        return form
    chosen = choose(form, node) if node is not None else None
    if isinstance(chosen, OneSection | Named | OnePart | Several):
        return chosen
    inner = form.only(OneSection, OnePart, Named, Several)
    return inner[0] if inner else form


def _change_entry(node: Node | None, steps: List[Scalar], value: Node, form: Form, *, is_part: bool = False) -> Mapping:
    step = steps[0]
    mapping = node if isinstance(node, Mapping) else mapping_at(step, {}, is_part=is_part)
    changed = _change(mapping.get(step.text), steps[1:], value, form)
    return mapping.without(step.text) if changed is None else mapping.with_entry(step, changed)


def _change_part(node: Node | None, steps: List[Scalar], value: Node, family: str) -> Node:
    step = steps[0]
    part = catalog.find(family, step.text)
    if part is None:
        hint = _named_first(step.text, family, node) or did_you_mean(step.text, catalog.names(family))
        raise _NoSuchPathError(step, f"there is no {catalog.noun(family)} named {step.text}", hint)
    same = node if isinstance(node, Mapping) and node.is_part and step.text in node.entries else None
    if len(steps) == 1:
        whole = long_form(mapping_at(step, {step.text: Entry(step, value)}), OnePart(family))
        return whole if same is None else merge(same, whole)
    known = fields(part)
    if steps[1].text not in known:
        message = f"{step.text} has no field {steps[1].text}"
        raise _NoSuchPathError(steps[1], message, did_you_mean(steps[1].text, known))
    inside = same.entries[step.text].value if same else None
    changed = _change_entry(inside, steps[1:], value, known[steps[1].text].form)
    return mapping_at(step, {step.text: Entry(step, changed)}, is_part=True)


def _named_first(field: str, family: str, node: Node | None) -> str:
    """A suggestion where a path names a field of a Part without the Part."""
    written = list(node.entries) if isinstance(node, Mapping) and node.is_part else catalog.names(family)
    parts = [(name, catalog.find(family, name)) for name in written]
    paths = [f"{name}.{field}" for name, part in parts if part is not None and field in fields(part)]
    return f"name the {catalog.noun(family)} first: {' or '.join(paths[:3])}" if paths else ""


def _change_item(node: Node | None, steps: List[Scalar], value: Node, form: Several) -> Sequence:
    step = steps[0]
    items = node.items if isinstance(node, Sequence) else ()
    names = [_name_of(item) for item in items]
    number = names.index(step.text) if step.text in names else int(step.text) if step.text.isdecimal() else -1
    if not 0 <= number < len(items) or node is None:
        numbered = ", ".join(f"{place} is {_part_of(item)}" for place, item in enumerate(items))
        there = f"items go by number: {clipped(numbered)}" if items else "the config does not write this list"
        raise _NoSuchPathError(step, f"there is no item {step.text}", there)
    changed = _change(items[number], steps[1:], value, form.item)
    kept = (*items[:number], *(() if changed is None else (changed,)), *items[number + 1 :])
    return Sequence(node.origin, node.line, node.column, node.length, kept)


def _part_of(item: Node) -> str:
    """Which Part an item of a list is."""
    return next(iter(item.entries)) if isinstance(item, Mapping) and item.entries else "something else"


def _name_of(item: Node) -> str | None:
    """The `name` field of a Part in a list."""
    if not isinstance(item, Mapping) or not item.is_part:
        return None
    inside = next(iter(item.entries.values())).value
    name = inside.get("name") if isinstance(inside, Mapping) else None
    return name.text if isinstance(name, Scalar) else None


def set_name(root: Mapping, name: str) -> Mapping:
    """The config with its name, where it writes none."""
    return root if "name" in root.entries else root.with_entry(text_at(root, "name"), text_at(root, name))
