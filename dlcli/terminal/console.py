"""Where output is drawn: on a terminal as wide as it is, elsewhere never cut or wrapped."""

from __future__ import annotations

from rich.console import Console

PIPED_WIDTH = 400


def make_console(*, stderr: bool = False) -> Console:
    """A console without automatic colours for numbers and paths."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=True)
    if not made.is_terminal:
        made.width = PIPED_WIDTH
    return made
