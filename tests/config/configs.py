"""Configs for tests: a short complete one, and what reading a text gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlcli.config.document import Document, load
from dlcli.config.nodes import Node, Origin
from dlcli.config.reader import compose, split_lines
from dlcli.problems import ConfigError, Problem

DATA = "data: {source: {builtin: wine}}\n"
NETWORK = "architecture: [dense: 16]\n"
SHORT = DATA + NETWORK


def written(folder: Path, text: str, name: str = "config.yaml") -> Path:
    """The text as a file."""
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="")
    return path


def read(folder: Path, text: str, *overrides: str, **options: object) -> Document:
    """The document that a text is."""
    return load(written(folder, text), overrides, **options)  # type: ignore[arg-type]


def problems(folder: Path, text: str, *overrides: str, **options: object) -> list[Problem]:
    """The problems of a text that has some."""
    with pytest.raises(ConfigError) as error:
        read(folder, text, *overrides, **options)
    return list(error.value.problems)


def problem(folder: Path, text: str, *overrides: str, **options: object) -> Problem:
    """The only problem of a text."""
    (found,) = problems(folder, text, *overrides, **options)
    return found


def underlined(found: Problem) -> str:
    """What a problem's place underlines."""
    place = found.place
    assert place is not None
    return place.excerpt[place.column - 1 : place.column - 1 + place.length]


def composed(text: str) -> tuple[Node | None, list[Problem]]:
    """What the reader makes of a text."""
    return compose(text, Origin("config.yaml", Path.cwd(), split_lines(text)))
