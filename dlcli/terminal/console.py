"""Where output is drawn: on a terminal as wide as it is, elsewhere never cut or wrapped."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

PIPED_WIDTH = 400


def make_console(*, stderr: bool = False) -> Console:
    """A console without automatic colours for numbers and paths."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not made.is_terminal:
        made.width = PIPED_WIDTH
    return made


def print_table(console: Console, table: Table) -> None:
    """Draws a table at its own width: a terminal that is too narrow wraps lines, but nothing is cut off."""
    needed = Measurement.get(console, console.options.update(width=PIPED_WIDTH), table).maximum
    wide = Console(file=console.file, width=max(needed, console.width), highlight=False)
    wide.print(table)
