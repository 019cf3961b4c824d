"""Where output is drawn: on a terminal as wide as it is, elsewhere never cut or wrapped."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table

PIPED_WIDTH = 400
STARRED = "these rows chose something (epoch, threshold, temperature)"
"""What a star beside a score says."""


class _PipedConsole(Console):
    """A console that work outlives: when its reader is gone (`| head`), what is drawn goes nowhere."""

    def on_broken_pipe(self) -> None:
        """Goes on in silence; rich would end the process."""
        self.quiet = True
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.file.fileno())


def make_console(*, stderr: bool = False) -> Console:
    """A console that prints text as it is: brackets and colons in data are no styles and no pictures."""
    made = _PipedConsole(stderr=stderr, highlight=False, markup=False, emoji=False, soft_wrap=True)
    if not made.is_terminal:
        made.width = PIPED_WIDTH
    return made


def print_words(console: Console, text: str, style: str = "") -> None:
    """Prints sentences: a terminal breaks them between words. What is meant to be copied is printed as it is."""
    console.print(text, style=style, soft_wrap=not console.is_terminal)


def print_table(console: Console, table: Table) -> None:
    """Draws a table; where a terminal is too narrow for it, each row becomes a paragraph. Nothing is cut off."""
    needed = Measurement.get(console, console.options.update(width=PIPED_WIDTH), table).maximum
    if console.is_terminal and needed > console.width:
        for row in zip(*(column.cells for column in table.columns), strict=True):
            named = zip((column.header for column in table.columns), row, strict=True)
            told = ", ".join(f"{header} {cell}" if header else str(cell) for header, cell in named if cell)
            console.print(Padding(told, (0, 0, 0, 2)), soft_wrap=False)
        return
    wide = Console(file=console.file, width=max(needed, console.width), highlight=False, markup=False, emoji=False)
    wide.print(table)


def shown(path: Path) -> str:
    """The path as a person would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
