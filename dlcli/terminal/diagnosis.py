"""What limits a run's score: the verdict, the ladder of errors, the curves, and proposals ready to paste."""

from __future__ import annotations

import csv
import math
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from dlcli.numbers import number
from dlcli.terminal.console import STARRED, make_console, print_table, print_words, shown
from dlcli.terminal.curves import overlay, printable, room

_BAR = 24
"""Columns of the longest bar."""
_CURVES = {"loss": "training loss", "val_loss": "validation loss"}
_STEEP = 1e3
"""A loss this many times its median would flatten everything else."""
_FILE = "better.yaml"
_LEAST_EPOCHS = 4
"""A curve of fewer points says nothing."""


def print_diagnosis(result: Mapping[str, Any]) -> None:
    """Draws a diagnosis from the plain data that `--json` prints."""
    console = make_console()
    first, *others = result["findings"]
    console.print(f"{result['run']}: {result['verdict'].replace('_', ' ')}", markup=False, style="bold")
    print_words(console, first["sentence"])
    if result["ladder"]:
        _print_ladder(console, result["ladder"])
    if drawn := _curves(console, Path(result["path"]) / "history.csv"):
        console.print(f"\n{printable(drawn, console)}", markup=False)
    if others:
        console.print("\nalso", markup=False, style="bold")
    for finding in others:
        print_words(console, f"- {finding['sentence']}")
    for place, proposal in enumerate(result["suggestions"], start=1):
        print_words(console, f"\ntry {place}  {proposal['code']}: {proposal['why']}", "bold")
        for line in _steps(result, proposal):
            console.print(f"       {line}", markup=False)
    if result["written"]:
        console.print(f"\nwritten  {shown(Path(result['written']))}", markup=False)


def _print_ladder(console: Console, ladder: Mapping[str, Any]) -> None:
    """Errors as bars, the gaps between them in their places."""
    gaps = {gap["above"]: gap for gap in ladder["gaps"]}
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for heading in ("error", "", "interval", "", ladder["metric"]):
        table.add_column(heading, justify="right" if heading in ("", ladder["metric"]) else "left", no_wrap=True)
    table.columns[3].justify = "left"
    longest = max((rung["error"] for rung in ladder["rungs"]), default=0.0)
    block = printable("█", console)
    for rung in ladder["rungs"]:
        if gap := gaps.get(rung["name"]):
            table.add_row(*_gap(ladder, gap), style="bold" if gap["name"] == ladder["largest"] else "dim")
        bar = block * round(_BAR * max(rung["error"], 0.0) / longest) if longest > 0 else ""
        star = "*" if rung["starred"] else ""
        ends = "" if rung["name"] == "reference" else _interval(ladder, rung)
        score = "" if rung["score"] is None or rung["name"] == "reference" else number(rung["score"])
        table.add_row(rung["name"] + star, _amount(ladder, rung["error"]), ends, bar, score)
    console.print()
    print_table(console, table)
    if ladder["error"] != ladder["metric"]:
        print_words(console, f"error: {ladder['error']}", "dim")
    for remark in _remarks(ladder):
        print_words(console, remark, "dim")


def _gap(ladder: Mapping[str, Any], gap: Mapping[str, Any]) -> tuple[str, str, str, str]:
    most = "at most " if gap["name"] == "avoidable bias" and not ladder["human"] else ""
    size = f"{100 * gap['value']:+.3g} points" if ladder["percent"] else f"{gap['value']:+.3g}"
    mark = "largest gap" if gap["name"] == ladder["largest"] else ""
    return f"  {gap['name']}", most + size, _interval(ladder, gap), mark


def _remarks(ladder: Mapping[str, Any]) -> Iterator[str]:
    """What one must know to read the ladder."""
    if any(rung["starred"] for rung in ladder["rungs"]):
        yield f"* {STARRED}, so this error flatters"
    if any(rung["name"] == "reference" for rung in ladder["rungs"]) and not ladder["human"]:
        yield "reference 0: what can be reached is not known; write it under evaluation.human_level"
    if ladder["note"]:
        yield ladder["note"]


def _amount(ladder: Mapping[str, Any], error: float) -> str:
    return f"{100 * error:.3g} %" if ladder["percent"] else number(error)


def _interval(ladder: Mapping[str, Any], rung: Mapping[str, Any]) -> str:
    if rung["low"] is None or rung["high"] is None:
        return "-"
    scale = 100.0 if ladder["percent"] else 1.0
    return f"{scale * rung['low']:.3g} to {scale * rung['high']:.3g}"


def _curves(console: Console, path: Path) -> str:
    """Training and validation loss over the epochs; empty where there are too few."""
    if not path.exists():
        return ""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) < _LEAST_EPOCHS:
        return ""
    series = {
        name: [(float(row["epoch"]), float(row[column])) for row in rows]
        for column, name in _CURVES.items()
        if column in rows[0]
    }
    values = [value for points in series.values() for _, value in points]
    label = "loss"
    if min(values) > 0 and max(values) > _STEEP * median(values):
        label = "logarithm of the loss"
        series = {name: [(epoch, math.log10(value)) for epoch, value in points] for name, points in series.items()}
    return overlay(series, width=room(console), height=9, x_label="epoch", y_label=label)


def _steps(result: Mapping[str, Any], proposal: Mapping[str, Any]) -> Iterator[str]:
    """The proposal as a config, and as a command line."""
    base = shown(Path(result["path"]) / "resolved.yaml")
    if proposal["problem"]:
        yield f"does not fit this config: {proposal['problem']}"
    elif proposal["yaml"]:
        yield f"# save as {_FILE}, then: dlcli {proposal['command']} {_FILE}"
        yield from proposal["yaml"].splitlines()
        if proposal["set"]:
            words = [word for each in proposal["set"] for word in ("--set", each)]
            yield f"or: {shlex.join(['dlcli', proposal['command'], base, *words])}"
    elif proposal["command"] == "evaluate":
        yield f"dlcli evaluate {result['run']}"
    elif proposal["command"]:
        yield f"dlcli {proposal['command']} {base}"
