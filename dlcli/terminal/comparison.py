"""Runs side by side: what differs between them, what each scored, and whether that tells them apart."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table

from dlcli.numbers import number, rounded
from dlcli.terminal.console import STARRED, make_console, print_table, print_words
from dlcli.terminal.curves import overlay, printable, room

_LONGEST_VALUE = 60


def print_comparison(result: dict[str, Any]) -> None:
    """Draws what `workflows.compare.compare` found, as plain data."""
    console = make_console()
    console.print(f"compared on the same {result['where']}")
    for table in (_settings(result), _scores(result), _differences(result)):
        console.print()
        print_table(console, table)
    console.print()
    for sentence in result["verdicts"]:
        print_words(console, sentence, "bold")
    for note in (*_starred(result), *_reasons(result), *result["notes"]):
        print_words(console, note, "dim")
    if result["curves"]:
        console.print()
        console.print(printable(_curves(result, console), console))


def _settings(result: dict[str, Any]) -> Table:
    table = _table("setting", *_names(result))
    for setting in result["settings"]:
        table.add_row(setting["path"], *map(_short, setting["values"]))
    if not result["settings"]:
        table.add_row("no setting differs", *("" for _ in result["runs"]))
    return table


def _scores(result: dict[str, Any]) -> Table:
    table = _table("metric", *_names(result))
    shown = [{score["name"]: score for score in run["scores"]} for run in result["runs"]]
    for name in dict.fromkeys(name for scores in shown for name in scores):
        table.add_row(name, *(_score(scores.get(name)) for scores in shown))
    return table


def _differences(result: dict[str, Any]) -> Table:
    corrected = len(result["runs"]) > 2
    interval = f"{100 * result['confidence']:g} % interval"
    first = result["runs"][0]["run"]
    table = _table(
        "metric", f"against {first}", "difference", interval, "p", *(["p (Holm)"] if corrected else []), "test"
    )
    for each in result["differences"]:
        value, low, high = each["difference"], each["low"], each["high"]
        known = low is not None
        shown = "-" if value is None else rounded(value, high - low) if known else number(value)
        ends = f"{rounded(low, high - low)} to {rounded(high, high - low)}" if known else "-"
        values = [shown, ends, _p(each["p"]), *([_p(each["p_holm"])] if corrected else [])]
        table.add_row(each["metric"], each["run"], *values, each["method"] or "-")
    return table


def _curves(result: dict[str, Any], console: Console) -> str:
    series = {
        curve["run"]: list(zip(curve["epochs"], curve["values"], strict=True)) for curve in result["curves"]
    }  # fmt: skip
    return overlay(series, width=room(console), x_label="epoch", y_label=result["monitor"])


def _starred(result: dict[str, Any]) -> Iterator[str]:
    if any(score["starred"] for run in result["runs"] for score in run["scores"]):
        yield f"* {STARRED}, so this score flatters"


def _reasons(result: dict[str, Any]) -> Iterator[str]:
    """Why differences have no interval, each reason once."""
    metrics: dict[str, dict[str, None]] = {}
    for each in result["differences"]:
        if each["reason"]:
            metrics.setdefault(each["reason"], {})[each["metric"]] = None
    for reason, names in metrics.items():
        yield f"no interval of the difference of {', '.join(names)}: {reason}"


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, heading in enumerate(headings):
        words = place == 0 or heading == "test" or heading.startswith("against ")
        table.add_column(heading, justify="left" if words else "right", no_wrap=True)
    return table


def _names(result: dict[str, Any]) -> Iterator[str]:
    return (run["run"] for run in result["runs"])


def _score(score: dict[str, Any] | None) -> str:
    if score is None or score["value"] is None:
        return "-"
    interval = "" if score["low"] is None else f" ({number(score['low'])} to {number(score['high'])})"
    return f"{number(score['value'])}{'*' if score['starred'] else ''}{interval}"


def _p(value: float | None) -> str:
    if value is None:
        return "-"
    return "< 0.0001" if value < 0.0001 else f"{value:.2g}"


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST_VALUE else value[: _LONGEST_VALUE - 3] + "..."
