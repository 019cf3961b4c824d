"""How a run ended: its scores beside the baseline, where it lies, and what to do next. Read back from its directory."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dlcli.numbers import number
from dlcli.runs.directory import RunDirectory, runs_root
from dlcli.runs.record import Record
from dlcli.terminal.console import STARRED, make_console, print_table, print_words, shown

SUBSETS = ("train", "validation", "test", "data")
"""In the order in which they are shown; "data" are the rows of another file."""
LINEAR = "linear"


def print_run(path: Path, *, as_json: bool = False) -> None:
    """Draws a finished run, or prints it as JSON."""
    entry = RunDirectory(path).record()
    scores = json.loads((path / "scores.json").read_text(encoding="utf-8"))
    console = make_console()
    if as_json:
        console.print_json(json.dumps(_plain(path, entry, scores)))
        return
    _print_scores(console, scores)
    console.print(f"\nrun   {shown(path)}", markup=False)
    for step in _next_steps(path, entry, scores):
        console.print(f"next  {step}", markup=False)


def print_evaluation(path: Path, *, as_json: bool = False) -> None:
    """Draws what a model reached on another file, or prints it as JSON. `path` is where it is kept."""
    scores = json.loads(path.read_text(encoding="utf-8"))
    console = make_console()
    if as_json:
        told = {"run": path.parents[1].name, "path": str(path), "file": scores["file"]}
        console.print_json(json.dumps({**told, "scores": scores}))
        return
    _print_scores(console, scores)
    file = scores["file"]  # or an address
    here = shown(Path(file)) if Path(file).is_absolute() else file
    console.print(f"\nfile  {here}\nkept  {shown(path)}", markup=False)


def _print_scores(console: Console, scores: dict[str, Any]) -> None:
    for table in _tables(scores):
        console.print()
        print_table(console, table)
    for line in _remarks(scores):
        print_words(console, line, "dim")


def _plain(path: Path, entry: Record, scores: dict[str, Any]) -> dict[str, Any]:
    keys = ("status", "command", "rows", "chosen_epoch", "epochs_run", "stopped_by", "parameters", "warnings")
    return {"run": entry.name, "path": str(path)} | {key: getattr(entry, key) for key in keys} | {"scores": scores}


def _tables(scores: dict[str, Any]) -> Iterator[Table]:
    if scores["folds"]:
        yield _spread_table(scores["folds"], _baselines(scores, "folds"), "interval of the mean")
    if any(subset in scores for subset in SUBSETS):
        yield _subset_table(scores)
    if scores["repeats"]:
        yield _spread_table(scores["repeats"], [], "interval over seeds", what="validation")
    subset, slices = _shown_slices(scores)
    if slices:
        yield _slice_table(subset, slices, scores["confidence"])


def _shown_slices(scores: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """The slices of the one subset of which they are shown, and its name."""
    for subset in ("out_of_fold", *reversed(SUBSETS)):
        if subset in scores and (slices := scores[subset].get("slices")):
            return subset, slices
    return "", []


def _baselines(scores: dict[str, Any], where: str) -> list[tuple[str, dict[str, float | None]]]:
    """The reference and the linear baseline: what each is called, and its scores by metric in a subset, or "folds"."""
    found = []
    for base in scores["baselines"]:
        scored = base["folds"] if where == "folds" else base["subsets"].get(where, {}).get("scores")
        if scored and (base["reference"] or base["kind"] == LINEAR):
            value = "mean" if where == "folds" else "value"
            found.append((base["kind"], {each["name"]: each[value] for each in scored}))
    return found


def _subset_table(scores: dict[str, Any]) -> Table:
    there = [subset for subset in SUBSETS if subset in scores]
    kinds = list(dict.fromkeys(kind for subset in there for kind, _ in _baselines(scores, subset)))
    table = _table("subset", "rows", "metric", "score", f"{100 * scores['confidence']:g} % interval", *kinds)
    for subset in there:
        baselines = dict(_baselines(scores, subset))
        for place, score in enumerate(scores[subset]["scores"]):
            first = (subset, f"{scores[subset]['rows']:,}") if place == 0 else ("", "")
            star = "*" if score["starred"] else ""
            shown = (_number(score["value"]) + star, _interval(score))
            theirs = [_number(baselines.get(kind, {}).get(score["name"])) for kind in kinds]
            table.add_row(*first, score["name"], *shown, *theirs, style="bold" if subset == "test" else None)
    return table


def _spread_table(
    spread: list[dict[str, Any]],
    baselines: list[tuple[str, dict[str, float | None]]],
    interval: str,
    *,
    what: str = "metric",
) -> Table:
    """Each metric over folds, or over seeds."""
    table = _table(what, "mean", "sd", "lowest", "highest", interval, *(kind for kind, _ in baselines))
    for score in spread:
        values = [value for value in score.get("folds") or score.get("values") or [] if value is not None]
        ends = (_number(min(values)), _number(max(values))) if values else ("-", "-")
        star = "*" if score.get("starred") else ""
        shown = (_number(score["mean"]) + star, _number(score["sd"]), *ends, _interval(score))
        table.add_row(score["name"], *shown, *(_number(theirs.get(score["name"])) for _, theirs in baselines))
    return table


def _slice_table(subset: str, slices: list[dict[str, Any]], confidence: float) -> Table:
    """The first metric of each slice."""
    table = _table("slice", "rows", "metric", "score", f"{100 * confidence:g} % interval")
    for each in slices:
        score = each["scores"][0]
        star = "*" if score["starred"] else ""
        name = f"{subset}: {each['column']} {each['value']}"
        table.add_row(name, f"{each['rows']:,}", score["name"], _number(score["value"]) + star, _interval(score))
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        words = heading in ("subset", "metric", "slice", "validation")
        table.add_column(heading, justify="left" if words else "right", no_wrap=True)
    return table


def _interval(score: dict[str, Any]) -> str:
    return "-" if score["low"] is None else f"{_number(score['low'])} to {_number(score['high'])}"


def _number(value: float | None) -> str:
    return "-" if value is None else number(value)


def _remarks(scores: dict[str, Any]) -> Iterator[str]:
    """What one must know to read the tables."""
    names = [base["name"] for base in scores["baselines"] if base["reference"] or base["kind"] == LINEAR]
    if names:
        yield f"baselines, from the training rows alone: {', '.join(names)}"
    for where, told in scores["verdicts"].items():
        yield f"{where}: {told['sentence']}"
    shown = [each for name in SUBSETS if name in scores for each in scores[name]["scores"]]
    decision = scores["decision"]
    if decision["chosen_on"] and (decided := tuple(_decided(decision))):
        whose = "for a model on all of them: " if scores["folds"] else ""
        yield f"{whose}{' and '.join(decided)}, chosen on {decision['chosen_on'].replace('_', '-')} rows"
    if any(score["starred"] for score in shown):
        chose = "some of these rows trained the model or chose for it" if "data" in scores else STARRED
        yield f"* {chose}, so this score flatters"
    yield from _spread_remarks(scores)
    if scores["looks"]:
        yield _looks(scores)
    sliced = [each["scores"][0] for each in _shown_slices(scores)[1]]
    spreads = [*(scores["folds"] or []), *(scores["repeats"] or [])]
    reasons = dict.fromkeys(score["reason"] for score in [*shown, *sliced, *spreads] if score["reason"])
    for reason in reasons:
        yield f"no interval: {reason}"


def _spread_remarks(scores: dict[str, Any]) -> Iterator[str]:
    """What the tables over folds and seeds mean."""
    meaning = scores["meaning"]
    if scores["folds"]:
        first = scores["folds"][0]
        yield f"{len(first['folds'])} trainings; each is scored on rows that it never saw and that chose nothing"
        if first["degrees"]:
            yield f"interval of the mean: {first['method']}, {first['degrees']} degrees of freedom. {meaning['folds']}"
    if scores["repeats"]:
        yield f"validation scores of {len(scores['repeats'][0]['values'])} seeds; the model of the first one is kept"
        if any(each["low"] is not None for each in scores["repeats"]):
            yield f"interval over seeds: {meaning['repeats']}"


def _looks(scores: dict[str, Any]) -> str:
    """How often sealed rows were scored, and what that costs."""
    looks, bound, opened = scores["looks"], scores["looks_bound"], "data" not in scores
    if looks == 1:
        return "test set opened once" if opened else "these rows looked at once"
    what = "test set opened" if opened else "these rows, or some of them, looked at"
    metric = scores["test" if opened else "data"]["scores"][0]["name"]
    cost = f"by {bound:.2g} in {metric} at most" if bound else "by how much is not known"
    return f"{what} {looks} times: on average the best of {looks} equally good models looks too good, {cost}"


def _decided(decision: dict[str, Any]) -> Iterator[str]:
    """What rows have chosen."""
    threshold, rule = decision["threshold"], decision["threshold_rule"]
    values = threshold if isinstance(threshold, list) else [threshold]
    if rule[0].isalpha():  # a number was written, and not chosen
        yield f"threshold {', '.join(map(_number, values))} ({rule})"
    if decision["temperature"] != 1:
        yield f"temperature {_number(decision['temperature'])}"


def _next_steps(path: Path, entry: Record, scores: dict[str, Any]) -> Iterator[str]:
    run = entry.name if path.parent == runs_root() else shown(path)
    if entry.command == "kfold" and not entry.trained_on:
        if entry.rows.get("test"):
            again = shlex.join(entry.arguments or ("kfold", shown(path / "resolved.yaml")))
            yield f"dlcli {again} --final   one model on all other rows; opens the {entry.rows['test']:,} test rows"
        return
    hopeless = scores["verdicts"].get("validation", {}).get("power") is False
    if hopeless:
        yield f"dlcli diagnose {run}   says what limits it, and what to try"
    elif "test" not in scores and entry.rows.get("test"):
        yield f"dlcli evaluate {run}   opens the sealed test set ({entry.rows['test']:,} rows)"
    yield f"dlcli predict {run} FILE   predicts new rows"
