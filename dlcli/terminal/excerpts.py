"""Problems, each with its line of the config and the place underlined."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from dlcli.problems import Place, Problem

MOST_SHOWN = 50
_OPTION = "--set"
_TAB = 4
_LONGEST_JSON_EXCERPT = 300
_NARROWEST = 20


def print_problems(problems: Sequence[Problem], *, as_json: bool = False, console: Console | None = None) -> None:
    """Draws problems on stderr, or prints them on stdout as JSON."""
    if as_json:
        sys.stdout.write(json.dumps(problems_as_json(problems), indent=2, ensure_ascii=False) + "\n")
        return
    console = console or Console(stderr=True, highlight=False)
    for problem in problems[:MOST_SHOWN]:
        # Never wrapped by rich: the excerpt is cut to the width, and other lines may be copied whole.
        console.print(draw(problem, width=console.width), soft_wrap=True)
    if len(problems) > MOST_SHOWN:
        console.print(f"and {len(problems) - MOST_SHOWN} problems more", style="dim")
    elif len(problems) > 1:
        console.print(f"{len(problems)} problems", style="dim")


def problems_as_json(problems: Sequence[Problem]) -> dict[str, Any]:
    """Plain data for `--json`."""
    found = []
    for problem in problems:
        data = problem.as_json()
        if problem.place and len(problem.place.excerpt) > _LONGEST_JSON_EXCERPT:
            data["excerpt"] = problem.place.excerpt[:_LONGEST_JSON_EXCERPT]
        found.append(data)
    return {"problems": found}


def draw(problem: Problem, *, width: int = 100) -> Text:
    """A problem as lines of text: header, excerpt, underline and suggestion."""
    text = Text()
    place = problem.place
    if place is not None:
        text.append(f"{_where(place)} ", style="bold")
    text.append(problem.code, style="bold red")
    text.append(f": {_printable(problem.message)}")
    if place is not None and place.excerpt:
        text.append("\n")
        _append_excerpt(text, place, problem.suggestion, width)
    elif problem.suggestion:
        text.append(f"\n  {_printable(problem.suggestion)}", style="cyan")
    return text


def _where(place: Place) -> str:
    if place.file.startswith(_OPTION):
        return f"{_printable(place.file)}:"
    return f"{_printable(place.file)}:{place.line}:{place.column}"


def _append_excerpt(text: Text, place: Place, suggestion: str, width: int) -> None:
    gutter = f"{place.line} | "
    start = place.column - 1
    line, before, marked = _window(place.excerpt, start, start + place.length, max(_NARROWEST, width - len(gutter)))
    text.append(gutter, style="dim")
    text.append(f"{line}\n")
    margin = " " * (len(gutter) + before)
    text.append(margin + "^" * marked, style="red")
    hint = _printable(suggestion)
    if hint and len(margin) + marked + 1 + cell_len(hint) <= width:
        text.append(f" {hint}", style="cyan")
    elif hint:
        text.append(f"\n{' ' * len(gutter)}{hint}", style="cyan")


def _window(line: str, start: int, end: int, width: int) -> tuple[str, int, int]:
    """The part of a line around a place that fits a width.

    Returns:
        The text, cells before the place, and cells of the place (at least one).
    """
    # A few characters would do for any width; the rest of a very long line is not even measured.
    first = max(0, start - 4 * width)
    before = _printable(line[first:start])
    marked = _printable(line[start : min(end, start + 4 * width)])
    after = _printable(line[end : end + 4 * width])
    if cell_len(before) + cell_len(marked) > width or first > 0:
        room = max(width // 3, width - cell_len(marked) - 8)
        kept = _last_cells(before, room)
        before = f"...{kept}" if kept != before or first > 0 else before
    shown = _first_cells(before + marked + after, width)
    cells_before = cell_len(before)
    return shown, cells_before, max(1, min(cell_len(marked), width - cells_before))


def _first_cells(text: str, cells: int) -> str:
    return text if cell_len(text) <= cells else set_cell_size(text, cells - 3).rstrip() + "..."


def _last_cells(text: str, cells: int) -> str:
    while cell_len(text) > cells:
        text = text[max(1, (cell_len(text) - cells) // 2) :]
    return text


def _printable(text: str) -> str:
    """Tabs as blanks; nothing that could move the cursor."""
    return "".join(
        " " * _TAB if letter == "\t" else letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )
