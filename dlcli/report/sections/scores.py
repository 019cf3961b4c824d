"""All scores with their intervals beside the reference, the baselines, and the verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlcli.numbers import number
from dlcli.report import drawing
from dlcli.report.elements import (
    FEW,
    NONE,
    POWER,
    Column,
    Section,
    first_open,
    heading,
    interval,
    paragraph,
    remark,
    shown,
    star,
    table,
)
from dlcli.report.figures import spark
from dlcli.report.markup import Child, Html, join, tag
from dlcli.report.run_files import SUBSETS, Run

_SPARK = 132
"""Units across a dot with its whisker in a cell."""


def scores(run: Run) -> Section | None:
    """A row per metric and subset."""
    metrics = list(dict.fromkeys(score["name"] for _, _, score in _all(run)))
    if not metrics:
        return None
    rows: list[list[Child]] = []
    strong: set[int] = set()
    for metric in metrics:
        found = [(subset, place, score) for subset, place, score in _all(run) if score["name"] == metric]
        across = _across(run, metric, [score for _, _, score in found])
        for subset, place, score in found:
            if subset == "test":
                strong.add(len(rows))
            rows.append(_row(run, subset, f"{subset}.scores.{place}", score, across))
    columns = [
        Column("metric"),
        Column("rows of"),
        Column("rows", numeric=True),
        Column("score", numeric=True),
        Column(f"{run.confidence} interval", numeric=True),
        Column("drawn", hint="dot: score; line: interval; dashed: baseline; one scale for each metric"),
        Column("baseline", numeric=True, hint="the reference baseline on the same rows"),
        Column("method", hint="how the interval was computed"),
        Column("n", numeric=True, hint="the count that carries the interval"),
    ]
    caption = f"Every score with its interval beside the reference baseline. {run.meaning('rows')}".rstrip()
    return Section("scores", "Scores", join(table(caption, columns, rows, strong=frozenset(strong)), _notes(run)))


def _all(run: Run) -> Iterator[tuple[str, int, Mapping[str, Any]]]:
    for subset in run.subsets():
        for place, score in enumerate(run.scores[subset]["scores"]):
            yield subset, place, score


def _across(run: Run, metric: str, found: list[Mapping[str, Any]]) -> drawing.Scale:
    ends = [score[key] for score in found for key in ("value", "low", "high")]
    return drawing.scale([*ends, *(run.baseline(subset, metric) for subset in run.subsets())], 0, _SPARK)


def _row(run: Run, subset: str, path: str, score: Mapping[str, Any], across: drawing.Scale) -> list[Child]:
    reference = run.baseline(subset, score["name"])
    return [
        score["name"],
        SUBSETS[subset],
        shown(run.scores[subset]["rows"]),
        join(shown(score["value"], f"{path}.value"), star(score)),
        interval(score["low"], score["high"], path),
        spark(score["value"], score["low"], score["high"], reference, across),
        shown(reference),
        score["method"] or NONE,
        shown(score["n"], f"{path}.n"),
    ]


def _notes(run: Run) -> Iterator[Html]:
    everything = [(subset, score) for subset, _, score in _all(run)]
    if any(score["starred"] for _, score in everything):
        yield paragraph(
            "* These rows chose something (the epoch, a threshold, a temperature), so their score flatters."
        )
    if {"rmse", "r2"} & {score["name"] for _, score in everything}:
        yield paragraph("The intervals of RMSE and R² assume no rare huge errors; read them beside the MAE.")
    for reason in dict.fromkeys(score["reason"] for _, score in everything if score["reason"]):
        where = [f"{score['name']} ({SUBSETS[subset]})" for subset, score in everything if score["reason"] == reason]
        yield paragraph(f"No interval for {', '.join(where)}: {reason}.")
    few = [
        f"{score['name']} ({SUBSETS[subset]}, {number(score['n'])})"
        for subset, score in everything
        if score["n"] is not None and score["n"] < FEW
    ]
    if few:
        yield remark("warning", f"Intervals that rest on a count below {FEW}: {', '.join(few)}.")


def other_files(run: Run) -> Section | None:
    """Scores of this run's model on the rows of other files."""
    found = [join(heading(Path(each["file"]).name), _other_file(run, each)) for each in run.evaluations]
    return Section("other-files", "On other files", join(found)) if found else None


def _other_file(run: Run, found: Mapping[str, Any]) -> Html:
    told = found["data"]
    columns = [Column("metric"), Column("score", numeric=True), Column(f"{run.confidence} interval", numeric=True)]
    rows = [
        [
            score["name"],
            join(shown(score["value"]), star(score)),
            interval(score["low"], score["high"]),
        ]
        for score in told["scores"]
    ]
    count = found.get("looks") or 1
    looked = "once" if count == 1 else f"{count} times, so that the best of them flatters"
    caption = (
        f"{told['rows']:,} rows of {found['file']}, {found['time'][:16].replace('T', ' ')} UTC; looked at {looked}."
    )
    verdicts = [_sentence(name, verdict) for name, verdict in (found.get("verdicts") or {}).items()]
    return join(table(caption, columns, rows), verdicts)


def baselines(run: Run) -> Section | None:
    """What is reached without this model, and whether the model is better."""
    verdicts = run.scores.get("verdicts") or {}
    places = [*(["folds"] if run.scores.get("folds") else []), *run.subsets()]
    tables = [(_title(where), answers) for where in places if (answers := _answers(run, where)) is not None]
    if not (tables or verdicts):
        return None
    sentences = [_sentence(name, found) for name, found in verdicts.items()]
    differences = _verdict_table(run, verdicts) if verdicts else None
    return Section("baselines", "Better than simple answers?", join(sentences, differences, first_open(tables)))


def _title(where: str) -> str:
    return "Mean over folds" if where == "folds" else f"{SUBSETS[where].capitalize()} rows"


def _sentence(where: str, verdict: Mapping[str, Any]) -> Html:
    return remark(POWER[verdict["power"]], tag("strong", _place(where).capitalize()), " ", verdict["sentence"], ".")


def _place(where: str) -> str:
    return "folds" if where == "folds" else SUBSETS.get(where, where)


def _verdict_table(run: Run, verdicts: Mapping[str, Mapping[str, Any]]) -> Html:
    columns = [
        Column("rows of"),
        Column("metric"),
        Column("difference", numeric=True, hint="this model minus the reference baseline"),
        Column(f"{run.confidence} interval", numeric=True),
        Column("p", numeric=True),
        Column("detectable", numeric=True, hint="the difference that so many rows would show in 80 of 100 cases"),
        Column("method"),
        Column("statistical power"),
    ]
    rows = [
        [
            _place(where),
            found["metric"],
            shown(found["difference"], f"verdicts.{where}.difference"),
            interval(found["low"], found["high"], f"verdicts.{where}"),
            shown(found["p"], f"verdicts.{where}.p"),
            shown(found["detectable"], f"verdicts.{where}.detectable"),
            found["method"] or NONE,
            {True: "has", False: "has none", None: "unknown"}[found["power"]],
        ]
        for where, found in verdicts.items()
    ]
    return table("This model minus the reference baseline, on the same rows.", columns, rows)


def _answers(run: Run, where: str) -> Html | None:
    """This model and every baseline on the same rows, a row each, with a pair of columns for each metric."""
    key = "mean" if where == "folds" else "value"
    ours = run.scores.get("folds") if where == "folds" else (run.scores.get(where) or {}).get("scores")
    answers = [("this model", "folds" if where == "folds" else f"{where}.scores", ours)]
    for place, base in enumerate(run.scores.get("baselines") or ()):
        at = f"baselines.{place}.folds" if where == "folds" else f"baselines.{place}.subsets.{where}.scores"
        found = base.get("folds") if where == "folds" else base["subsets"].get(where, {}).get("scores")
        answers.append((base["name"] + (" (reference)" if base.get("reference") else ""), at, found))
    if not ours or not any(found for _, _, found in answers[1:]):
        return None
    columns = [Column("answer")]
    for score in ours:
        columns += [Column(score["name"], numeric=True), Column(f"{run.confidence} interval", numeric=True)]
    rows = [[name, *_cells(ours, found, at, key)] for name, at, found in answers if found]
    return table("On the same rows; baselines know the training rows alone.", columns, rows, strong=frozenset({0}))


def _cells(ours: Sequence[Mapping[str, Any]], found: Sequence[Mapping[str, Any]], at: str, key: str) -> Iterator[Child]:
    places = {score["name"]: place for place, score in enumerate(found)}
    for score in ours:
        place = places.get(score["name"])
        if place is None:
            yield from (NONE, NONE)
            continue
        yield shown(found[place][key], f"{at}.{place}.{key}")
        yield interval(found[place]["low"], found[place]["high"], f"{at}.{place}")
