"""Markdown from text that may hold anything: names from data stay names."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SIGNS = re.compile(r"([\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_]))")
"""What means something anywhere in a line; an underscore does not inside a word."""
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LONGEST = 200


def plain(text: str) -> str:
    """Text that reads as it is, not at the start of a line: no markup, no HTML, no further line or cell."""
    shown = _CONTROLS.sub(" ", text).strip()
    cut = shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
    return _SIGNS.sub(r"\\\1", "".join(_HTML.get(sign, sign) for sign in cut)).encode("utf-8", "replace").decode()


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown, numbers stand right of the first column."""
    lines = [heads, ["---", *("---:" for _ in heads[1:])], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def bullets(lines: Iterable[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def code(text: str, language: str) -> str:
    """A block of code, fenced by more backticks than it holds."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def document(title: str, sections: Iterable[tuple[str, Iterable[str]]]) -> str:
    """A page: headings, each over its paragraphs; empty ones are left out."""
    parts = [f"# {title}"]
    for heading, paragraphs in sections:
        found = [paragraph for paragraph in paragraphs if paragraph]
        parts += [f"## {heading}", *found] if found else []
    return "\n\n".join(parts) + "\n"
