"""K-fold: every fold, their mean, and what its interval covers; and the same training with several seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlcli.numbers import number
from dlcli.report.elements import (
    NONE,
    Column,
    Section,
    folded,
    interval,
    paragraph,
    remark,
    shown,
    star,
    table,
)
from dlcli.report.figures import Estimate, dot_plot
from dlcli.report.markup import Child, Html, join, tag
from dlcli.report.run_files import FoldRun, Run

_FEW_SEEDS, _SEEDS_TO_COMPARE = 5, 10


def folds(run: Run) -> Section | None:
    """Scores over folds."""
    found = run.scores.get("folds")
    if not found:
        return None
    columns = [
        Column("metric"),
        Column("mean", numeric=True),
        Column("sd", numeric=True, hint="standard deviation over folds"),
        Column("lowest", numeric=True),
        Column("highest", numeric=True),
        Column(f"{run.confidence} interval of the mean", numeric=True),
        Column("degrees of freedom", numeric=True),
        Column("method"),
        Column("baseline", numeric=True, hint="mean over the same folds"),
    ]
    rows = [_row(run, place, each) for place, each in enumerate(found)]
    caption = f"Mean over {len(found[0]['folds'])} folds; each row is scored by models that never saw it."
    pictures = tag("div", [_plot(run, place, each) for place, each in enumerate(found)], class_="figures")
    covered = remark("note", run.meaning("folds")) if run.meaning("folds") else None
    body = [table(caption, columns, rows), covered, *_reasons(found), pictures]
    return Section("folds", "Folds", join(body, _table(run), _epochs(run)))


def _row(run: Run, place: int, fold: Mapping[str, Any]) -> list[Child]:
    path, values = f"folds.{place}", [value for value in fold["folds"] if value is not None]
    return [
        fold["name"],
        shown(fold["mean"], f"{path}.mean"),
        shown(fold["sd"], f"{path}.sd"),
        shown(min(values, default=None)),
        shown(max(values, default=None)),
        interval(fold["low"], fold["high"], path),
        shown(fold.get("degrees"), f"{path}.degrees"),
        fold["method"] or NONE,
        shown(run.baseline("folds", fold["name"])),
    ]


def _reasons(found: Sequence[Mapping[str, Any]]) -> list[Html]:
    reasons = dict.fromkeys(each["reason"] for each in found if each["reason"])
    return [
        paragraph(f"No interval for {', '.join(e['name'] for e in found if e['reason'] == reason)}: {reason}.")
        for reason in reasons
    ]


def _plot(run: Run, place: int, fold: Mapping[str, Any]) -> Html:
    """The folds of each repeat as dots, and their mean with its interval."""
    values, parts = fold["folds"], max((each.result["fold"] for each in run.folds), default=len(fold["folds"]))
    rows = [Estimate("mean", fold["mean"], fold["low"], fold["high"])]
    repeats = [values[start : start + parts] for start in range(0, len(values), parts)]
    for count, repeat in enumerate(repeats, start=1):
        there = [value for value in repeat if value is not None]
        mean = sum(there) / len(there) if there else None
        rows.append(Estimate(f"repeat {count}" if len(repeats) > 1 else "folds", mean, dots=there, tone="plain"))
    reference = run.baseline("folds", fold["name"])
    return dot_plot(
        f"folds-{place}",
        rows,
        f"Each fold (small dots); large dots are means, the first with its {run.confidence} interval"
        + (", the dashed line the baseline." if reference is not None else "."),
        title=f"{fold['name']} over folds",
        axis=fold["name"],
        reference=None if reference is None else (reference, "baseline, mean over folds"),
    )


def _table(run: Run) -> Html | None:
    if not run.folds:
        return None
    metrics = list(run.folds[0].result["scores"])
    columns = [
        Column("fold", hint="repeat-fold"),
        Column("training rows", numeric=True),
        Column("choosing rows", numeric=True, hint="a part of the training side that stops training and selects"),
        Column("scored rows", numeric=True),
        *(Column(metric, numeric=True) for metric in metrics),
        Column("epoch kept", numeric=True),
        Column("epochs", numeric=True),
        Column("stopped by"),
    ]
    rows = [_fold_row(each, metrics) for each in run.folds]
    caption = "Each fold. The rows that chose its epoch are not those that it is scored on."
    return folded(f"All {len(rows)} folds", table(caption, columns, rows))


def _fold_row(fold: FoldRun, metrics: Sequence[str]) -> list[Child]:
    result = fold.result
    return [
        fold.name,
        *(shown(result["rows"][each]) for each in ("train", "inner", "scored")),
        *(shown(result["scores"].get(metric)) for metric in metrics),
        shown(result["chosen_epoch"]),
        shown(result["epochs_run"]),
        result["stopped_by"],
    ]


def _epochs(run: Run) -> Html | None:
    chosen = sorted(run.record.chosen_epochs)
    if not chosen:
        return None
    middle = (chosen[(len(chosen) - 1) // 2] + chosen[len(chosen) // 2]) / 2
    return paragraph(f"Epochs kept: {number(chosen[0])} to {number(chosen[-1])}, median {number(middle)}.")


def seeds(run: Run) -> Section | None:
    """The spread of scores over trainings that differ in their seed alone."""
    found = run.scores.get("repeats")
    if not found:
        return None
    columns = [
        Column("metric"),
        Column("mean", numeric=True),
        Column("sd", numeric=True),
        Column(f"{run.confidence} interval of the mean", numeric=True),
        Column("each training"),
    ]
    rows = [
        [
            each["name"],
            join(shown(each["mean"], f"repeats.{place}.mean"), star(each)),
            shown(each["sd"], f"repeats.{place}.sd"),
            interval(each["low"], each["high"], f"repeats.{place}"),
            tag("span", [[shown(value), " "] for value in each["values"]], class_="apart"),
        ]
        for place, each in enumerate(found)
    ]
    count = len(found[0]["values"])
    enough = f"{_FEW_SEEDS} trainings are enough to report a spread, {_SEEDS_TO_COMPARE} to compare two recipes"
    words = f"{count} trainings on the same split that differ in their seed alone: luck of training, not of rows."
    pictures = [_seed_plot(run, place, each) for place, each in enumerate(found)]
    body = [
        paragraph(words, f" {enough}. {run.meaning('repeats')}"),
        table("Scores over seeds", columns, rows, sortable=False),
    ]
    return Section("seeds", "Spread over seeds", join(body, _reasons(found), tag("div", pictures, class_="figures")))


def _seed_plot(run: Run, place: int, spread: Mapping[str, Any]) -> Html:
    values = [value for value in spread["values"] if value is not None]
    row = Estimate("mean", spread["mean"], spread["low"], spread["high"], values)
    return dot_plot(
        f"seeds-{place}",
        [row],
        "Small dots are trainings, the large one is their mean"
        + (f" with its {run.confidence} interval." if spread["low"] is not None else "."),
        title=f"{spread['name']} over seeds",
        axis=spread["name"],
    )
