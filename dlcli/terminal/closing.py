"""How a run ended: its scores beside the baseline, where it lies, and what to do next. Read back from its directory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.table import Table

from dlcli.runs.directory import RunDirectory, runs_root
from dlcli.runs.record import Record
from dlcli.task import NUMBERS
from dlcli.terminal.console import make_console, print_table
from dlcli.terminal.numbers import number

SUBSETS = ("train", "validation", "test")


def print_run(path: Path, *, as_json: bool = False) -> None:
    """Draws a finished run, or prints it as JSON."""
    entry = RunDirectory(path).record()
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    console = make_console()
    if as_json:
        console.print_json(json.dumps(_plain(path, entry, scores)))
        return
    console.print()
    print_table(console, _fold_table(scores) if scores["folds"] else _subset_table(scores))
    if scores["folds"] and "test" in scores:
        console.print()
        print_table(console, _subset_table(scores))
    for line in _remarks(entry, scores):
        console.print(line, markup=False, style="dim")
    console.print(f"\nrun   {_shown(path)}", markup=False)
    for step in _next_steps(path, entry, scores):
        console.print(f"next  {step}", markup=False)


def _plain(path: Path, entry: Record, scores: dict[str, Any]) -> dict[str, Any]:
    keys = ("status", "command", "rows", "chosen_epoch", "epochs_run", "stopped_by", "parameters", "warnings")
    return {"run": entry.name, "path": str(path)} | {key: getattr(entry, key) for key in keys} | {"scores": scores}


def _subset_table(scores: dict[str, Any]) -> Table:
    table = _table("subset", "rows", "metric", "score", f"{100 * scores['confidence']:g} % interval", "baseline")
    for subset in SUBSETS:
        if subset not in scores:
            continue
        baseline = {each["name"]: each["value"] for each in scores["baseline"][subset]["scores"]}
        for place, score in enumerate(scores[subset]["scores"]):
            first = (subset, f"{scores[subset]['rows']:,}") if place == 0 else ("", "")
            star = "*" if score["starred"] else ""
            shown = (_number(score["value"]) + star, _interval(score), _number(baseline[score["name"]]))
            table.add_row(*first, score["name"], *shown, style="bold" if subset == "test" else None)
    return table


def _fold_table(scores: dict[str, Any]) -> Table:
    table = _table("metric", "mean", "sd", "lowest", "highest", "interval of the mean", "baseline")
    for score, baseline in zip(scores["folds"], scores["baseline_folds"], strict=True):
        values = [value for value in score["folds"] if value is not None]
        ends = (_number(min(values)), _number(max(values))) if values else ("-", "-")
        shown = (_number(score["mean"]), _number(score["sd"]), *ends, _interval(score), _number(baseline["mean"]))
        table.add_row(score["name"], *shown)
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        words = heading in ("subset", "metric")
        table.add_column(heading, justify="left" if words else "right", no_wrap=True)
    return table


def _interval(score: dict[str, Any]) -> str:
    return "-" if score["low"] is None else f"{_number(score['low'])} to {_number(score['high'])}"


def _number(value: float | None) -> str:
    return "-" if value is None else number(value)


def _remarks(entry: Record, scores: dict[str, Any]) -> Iterator[str]:
    """What one must know to read the table."""
    if scores["baseline_name"]:
        yield f"baseline: {scores['baseline_name']}, from the training rows alone"
    shown = [each for name in SUBSETS if name in scores for each in scores[name]["scores"]]
    yield from _not_above_baseline(entry, scores)
    if any(score["starred"] for score in shown):
        yield "* these rows chose the epoch, so this score flatters"
    if scores["folds"]:
        count = len(scores["folds"][0]["folds"])
        yield f"{count} trainings; each row is scored by models that never saw it, and chose nothing"
    if looks := scores["looks"]:
        again = "" if looks == 1 else f": the best of {looks} looks flatters"
        yield f"test set opened {'once' if looks == 1 else f'{looks} times'}{again}"
    reasons = dict.fromkeys(score["reason"] for score in [*shown, *(scores["folds"] or [])] if score["reason"])
    for reason in reasons:
        yield f"no interval: {reason}"


def _not_above_baseline(entry: Record, scores: dict[str, Any]) -> Iterator[str]:
    """Says which scores an answer that looks at no input would reach as well."""
    pairs = [("folds", scores["folds"], scores["baseline_folds"], "mean")] if scores["folds"] else []
    pairs += [
        (subset, scores[subset]["scores"], scores["baseline"][subset]["scores"], "value")
        for subset in ("validation", "test")
        if subset in scores
    ]
    for where, reached, baseline, key in pairs:
        worse = [a["name"] for a, b in zip(reached, baseline, strict=True) if not _is_better(a, b, key)]
        if worse:
            yield f"warning: not better than the baseline on {where}: {', '.join(worse)}"
            hint = "look at the inputs and the learning rate"
            if entry.goal is not None and entry.goal.task in NUMBERS:
                hint += "; a large numeric target wants `scale: standardize`"
            yield f"         {hint}"


def _is_better(score: dict[str, Any], baseline: dict[str, Any], key: str) -> bool:
    if score[key] is None or baseline[key] is None:
        return True
    better: bool = score[key] > baseline[key] if score["greater_is_better"] else score[key] < baseline[key]
    return better


def _next_steps(path: Path, entry: Record, scores: dict[str, Any]) -> Iterator[str]:
    run = entry.name if path.parent == runs_root() else _shown(path)
    if entry.command == "kfold" and "test" not in scores:
        if entry.rows.get("test"):
            yield f"dlcli kfold ... --final   one model on all other rows; opens the {entry.rows['test']:,} test rows"
        return
    if "test" not in scores and entry.rows.get("test"):
        yield f"dlcli evaluate {run}   opens the sealed test set ({entry.rows['test']:,} rows)"
    yield f"dlcli predict {run} FILE   predicts new rows"


def _shown(path: Path) -> str:
    """The path as a person would type it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
