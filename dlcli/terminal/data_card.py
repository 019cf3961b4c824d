"""A data card, drawn: columns, target, subsets, what the leak guard found, the network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dlcli.numbers import number
from dlcli.terminal.console import make_console
from dlcli.terminal.curves import printable, sparkline

MOST_COLUMNS = 60
"""So many columns are drawn; `--json` has all."""
_VALUES = 5
_BAR = 20


def print_data(result: Mapping[str, Any]) -> None:
    """Draws what `workflows.check.check` found in a config without problems and in its data."""
    console = make_console()
    console.print(f"{result['config']}: no problems")
    for note in result["notes"]:
        console.print(note, style="dim")
    rows, split = result["rows"], result["split"]
    what = f"windows of {window['length']:,} rows" if (window := result.get("window")) else "rows"
    console.print(f"\n{sum(rows.values()):,} {what}, task {result['task']}", style="bold")
    console.print(f"split {split}: " + ", ".join(f"{count:,} {name}" for name, count in rows.items()))
    repeated = result["duplicates"]["repeated"]
    console.print(f"repeated rows: {repeated:,}" if repeated else "no row repeats another")
    _heading(console, "columns", "of training and validation rows; gaps of all")
    _print_columns(console, result["columns"])
    _heading(console, "target", "of training and validation rows")
    for name, card in result["target"].items():
        _print_target(console, name, card)
    _heading(console, "leaks", "")
    _print_findings(console, result["findings"])
    _heading(console, "network", "")
    _print_network(console, result["layers"])


def _heading(console: Console, word: str, rest: str) -> None:
    console.print(Text.assemble("\n", (word, "bold"), (f"  {rest}", "dim") if rest else ""))


def _table(console: Console, *headings: str) -> Table:
    """A table as wide as it needs, at most as wide as the console; long cells fold."""
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(headings))
    for heading in headings:
        right = heading in ("gaps", "parameters")
        most = max(12, console.width // 3) if heading in ("name", "layer") else None
        table.add_column(heading, overflow="fold", justify="right" if right else "left", max_width=most)
    return table


def _print_columns(console: Console, columns: Mapping[str, Mapping[str, Any]]) -> None:
    shown = dict(list(columns.items())[:MOST_COLUMNS])
    gaps = any(card["missing"] for card in shown.values())
    table = _table(console, "name", "kind", *(("gaps",) if gaps else ()), "histogram", "values")
    for name, card in shown.items():
        missing = (f"{card['missing']:,}" if card["missing"] else "",) if gaps else ()
        table.add_row(name, card["kind"], *missing, _bars(console, card.get("histogram", ())), _described(card))
    console.print(table, soft_wrap=False)
    if (more := len(columns) - MOST_COLUMNS) > 0:
        console.print(f"and {more:,} more columns (--json has all)", style="dim")


def _bars(console: Console, counts: Sequence[int]) -> str:
    return printable(sparkline([0, *counts], len(counts) + 1)[1:], console) if any(counts) else ""


def _described(card: Mapping[str, Any]) -> str:
    """The values of a column in a few words."""
    if "values" in card:
        told = [f"{value} {count:,}" for value, count in list(card["values"].items())[:_VALUES]]
        more = card["distinct"] - len(told)
        return ", ".join(told) + (f", {more:,} more values" if more > 0 else "")
    if "words" in card:
        low, middle, high = card["words"]
        return f'{low:,} to {high:,} words, median {middle:,}: "{card["example"]}..."'
    if "first" in card:
        return f"{card['first']} to {card['last']}"
    if "sizes" in card:
        low_size, high_size = (" x ".join(map(str, size)) for size in card["sizes"])
        return f"{low_size} to {high_size}"
    if "low" not in card:
        return "no values"
    if card["shape"]:
        return f"{' x '.join(map(str, card['shape']))}, from {number(card['low'])} to {number(card['high'])}"
    if card["distinct"] == 1:
        return f"always {number(card['low'])}"
    return f"{number(card['low'])} to {number(card['high'])}, mean {number(card['mean'])}"


def _print_target(console: Console, name: str, card: Mapping[str, Any]) -> None:
    if "values" not in card:
        bars = _bars(console, card.get("histogram", ()))
        console.print(f"{name}  {bars}  {_described({'shape': [], **card})}")
        return
    console.print(name)
    total = max(1, sum(card["values"].values()))
    table = _table(console, "", "", "", "")
    for value, count in list(card["values"].items())[:MOST_COLUMNS]:
        bar = printable("█" * max(1 if count else 0, round(_BAR * count / total)), console)
        table.add_row(value, f"{count:,}", f"{count / total:.1%}", bar)
    console.print(Padding(table, (0, 0, 0, 2), expand=False), soft_wrap=False)


def _print_findings(console: Console, findings: Iterable[Mapping[str, Any]]) -> None:
    found = list(findings)
    if not found:
        console.print("none found")
    for finding in found:
        console.print(Text.assemble((finding["code"], "bold yellow"), "  ", finding["message"]), soft_wrap=False)
        if finding["rows"]:
            rows = ", ".join(f"{row:,}" for row in finding["rows"])
            console.print(f"  first rows: {rows}", style="dim", soft_wrap=False)
        if finding["suggestion"]:
            console.print(f"  {finding['suggestion']}", soft_wrap=False)


def _print_network(console: Console, layers: Sequence[Mapping[str, Any]]) -> None:
    table = _table(console, "layer", "output", "parameters")
    for layer in layers:
        table.add_row(layer["name"], " x ".join(map(str, layer["shape"])), f"{layer['parameters']:,}")
    table.add_row("", "", f"{sum(layer['parameters'] for layer in layers):,}", style="bold")
    console.print(table, soft_wrap=False)
