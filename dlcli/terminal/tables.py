"""Lists of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from dlcli.numbers import number
from dlcli.terminal.console import make_console, print_table


def print_runs(rows: Sequence[dict[str, Any]]) -> None:
    """Draws runs, the newest last."""
    console = make_console()
    if not rows:
        console.print("no runs yet; dlcli train makes one")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("run", "command", "status", "started (UTC)", "score", "on"):
        table.add_column(heading, justify="right" if heading == "score" else "left", no_wrap=True)
    for row in rows:
        started = (row["started"] or "")[:16].replace("T", " ")
        score = "" if row["score"] is None else f"{row['metric']} {number(row['score'])}"
        table.add_row(row["run"], row["command"] or "", row["status"], started, score, row["on"] or "")
    print_table(console, table)
