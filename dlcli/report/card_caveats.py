"""What one must know before one believes a model's scores, told from what its run directory holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dlcli.numbers import number
from dlcli.report.markdown import plain
from dlcli.report.run_files import SUBSETS, Run

_FEW = 30
"""Below this count an interval rests on few rows."""
_MOST_WARNINGS = 20


def caveats(run: Run) -> Iterator[str]:
    """One sentence each, in Markdown."""
    if run.record.status != "completed":
        yield f"The run has not come to its end ({run.record.status}): what stands here may be incomplete."
    yield from _of_rows(run)
    yield from _of_scores(run)
    yield from _of_parts(run)
    yield from _of_calibration(run)
    yield "Nothing here says how the model does on rows that differ from these, or later in time."
    for warning in run.record.warnings[:_MOST_WARNINGS]:
        yield f"Warning of the run: {plain(warning)}"
    if (more := len(run.record.warnings) - _MOST_WARNINGS) > 0:
        yield f"{more:,} more warnings stand in `record.json`."


def where(name: str) -> str:
    """The rows of a verdict, in words."""
    return f"On {SUBSETS[name]} rows" if name in SUBSETS else "Over the folds"


def _of_rows(run: Run) -> Iterator[str]:
    """Whether any rows were scored that chose nothing, and how often they were looked at."""
    looks, bound = run.scores.get("looks"), run.scores.get("looks_bound")
    if "test" not in run.scores and not run.scores.get("folds"):
        why = "The test set was not opened" if run.record.rows.get("test") else "There are no test rows"
        yield f"{why}: no score here is of rows that took part in nothing."
    if looks and looks > 1:
        cost = f", by up to {number(bound)}" if bound else ""
        yield f"The test set was opened {looks:,} times: the best of as many equal models looks too good{cost}."
    if run.scores.get("folds") and "test" not in run.scores:
        yield "The folds score the recipe, not one model: a model trained on all rows may do better or worse."
    if run.record.command == "kfold" and run.trained_on:
        yield "Scores over folds and of out-of-fold rows are of the models of the folds, not of the one that was saved."
    elif "validation" in run.record.trained_on:
        yield "The model was trained on validation rows too, so no score of theirs speaks of it."


def _of_scores(run: Run) -> Iterator[str]:
    shown = [(subset, score) for subset in run.subsets() for score in run.scores[subset]["scores"]]
    if any(score.get("starred") for _, score in shown):
        yield r"Scores with \* are of rows that chose something (an epoch, a threshold, a temperature): they flatter."
    few = [
        f"{plain(score['name'])} on {SUBSETS[subset]} rows on {number(score['n'])}"
        for subset, score in shown
        if score["low"] is not None and score["n"] is not None and score["n"] < _FEW
    ]
    if few:
        yield f"Intervals that rest on few rows: {', '.join(few)}."
    for reason in dict.fromkeys(score["reason"] for _, score in shown if score["reason"]):
        yield f"No interval, or no score: {plain(reason)}."
    for name, verdict in (run.scores.get("verdicts") or {}).items():
        if verdict["power"] is False:
            yield f"{where(name)}: {plain(verdict['sentence'])}"


def _of_parts(run: Run) -> Iterator[str]:
    """Where the model does worst."""
    if run.primary is None:
        return
    subset, rows = run.scores[run.primary], f"{SUBSETS[run.primary]} rows"
    if worst := _worst(subset.get("classes"), "recall"):
        score, part = worst
        yield f"Lowest recall of a class: {number(score)}, of {plain(part['name'])} ({part['rows']:,} {rows})."
    slices = subset.get("slices")
    if slices and (worst := _worst(slices, slices[0]["scores"][0]["name"])):
        score, part = worst
        name, place = plain(slices[0]["scores"][0]["name"]), f"{part['column']} = {part['value']}"
        yield f"Worst {name} of a slice: {number(score)}, where {plain(place)} ({part['rows']:,} {rows})."


def _worst(parts: Sequence[Mapping[str, Any]] | None, metric: str) -> tuple[float, Mapping[str, Any]] | None:
    """The part with the worst score and that score; None where there are fewer than two to tell apart."""
    found = [
        (score["value"] if score["greater_is_better"] else -score["value"], score["value"], part)
        for part in parts or ()
        for score in part["scores"]
        if score["name"] == metric and score["value"] is not None
    ]
    if len(found) < 2:
        return None
    _, value, part = min(found, key=lambda each: each[0])
    return value, part


def _of_calibration(run: Run) -> Iterator[str]:
    for subset, found in run.details("calibration"):
        if subset == run.primary and found["ece"] is not None and found["p"] is not None and found["p"] < 0.05:
            error, noise = number(found["ece"]), number(found["noise_floor"])
            yield (
                f"Probabilities are off on {SUBSETS[subset]} rows: expected calibration error {error}, where noise "
                f"alone gives {noise}."
            )
