"""How tables and sentences fit a terminal."""

from __future__ import annotations

import io

from rich.console import Console
from rich.table import Table

from dlcli.terminal.console import print_table, print_words


def drawn(width: int, *, terminal: bool = True) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, force_terminal=terminal, color_system=None, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    for heading in ("subset", "score", "interval"):
        table.add_column(heading, no_wrap=True)
    table.add_row("validation", "0.9714*", "0.85 to 0.99")
    table.add_row("", "0.5", "-")
    print_table(console, table)
    print_words(console, "each row is scored by models that never saw it")
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_table_that_fits_is_a_table() -> None:
    assert drawn(60)[:2] == ["subset      score    interval", "validation  0.9714*  0.85 to 0.99"]


def test_in_a_narrow_terminal_rows_become_paragraphs_and_words_stay_whole() -> None:
    assert drawn(24) == [
        "  subset validation,",
        "  score 0.9714*,",
        "  interval 0.85 to 0.99",
        "  score 0.5, interval -",
        "each row is scored by",
        "models that never saw it",
    ]


def test_a_pipe_gets_whole_lines_whatever_its_width() -> None:
    lines = drawn(24, terminal=False)
    assert lines[1] == "validation  0.9714*  0.85 to 0.99"
    assert lines[-1] == "each row is scored by models that never saw it"
