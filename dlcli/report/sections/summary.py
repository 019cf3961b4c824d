"""What one must know first: the score that counts, how sure it is, what it is compared with, and what to beware of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dlcli.numbers import number
from dlcli.report.elements import FEW, POWER, Kind, interval, pairs, remark, shown
from dlcli.report.figures import Estimate, Legend, dot_plot
from dlcli.report.markup import Html, join, tag
from dlcli.report.run_files import SUBSETS, Run
from dlcli.task import NUMBERS

_STATUS: dict[str, Kind] = {"completed": "good", "running": "note", "interrupted": "warning", "failed": "bad"}
_WARNINGS = 4
"""Most warnings of the run at the top; all of them stand under its provenance."""


@dataclass(frozen=True, slots=True)
class Headline:
    """The score that counts.

    Attributes:
        where: "folds", or the subset that it is of.
        score: as `scores.json` has it.
        path: where it stands there.
    """

    where: str
    score: Mapping[str, Any]
    path: str

    @property
    def key(self) -> str:
        """Under which key the value stands."""
        return "mean" if self.where == "folds" else "value"


def headline(run: Run) -> Headline | None:
    """The first metric on test rows; else over folds; else on the rows that tell most."""
    folds = run.scores.get("folds")
    if folds and run.primary != "test":
        return Headline("folds", folds[0], "folds.0")
    if run.primary is None or not run.scores[run.primary]["scores"]:
        return None
    return Headline(run.primary, run.scores[run.primary]["scores"][0], f"{run.primary}.scores.0")


def summary(run: Run) -> Html:
    """The head of the page."""
    record = run.record
    status = tag("span", record.status, class_=f"chip {_STATUS[record.status]}")
    task = tag("span", str(record.goal.task).replace("_", " "), class_="chip") if record.goal else None
    name = tag(
        "div", tag("h1", record.name), tag("p", tag("code", f"dlcli {record.command}"), status, task, class_="command")
    )
    first = headline(run)
    hero = tag("div", _score(run, first), _forest(run, first), class_="hero") if first else None
    return join(name, hero, tag("div", list(_remarks(run, first)), class_="remarks"), _facts(run))


def _score(run: Run, first: Headline) -> Html:
    value, path = first.score[first.key], f"{first.path}.{first.key}"
    flattered = "*" if first.score.get("starred") else None
    says = f"{first.score['name']} {_on(run, first)}"
    lines = [tag("p", shown(value, path), flattered, class_="big"), tag("p", tag("strong", says))]
    if first.score["low"] is None:
        lines.append(tag("p", f"no interval: {first.score['reason'] or 'none is known'}"))
    else:
        ends = interval(first.score["low"], first.score["high"], first.path)
        lines.append(tag("p", f"{run.confidence} interval ", ends, f" ({_method(first.score)})"))
    baseline = run.baseline(first.where, first.score["name"])
    if baseline is not None:
        better = "" if first.score["greater_is_better"] else "; smaller is better"
        name = run.baselines()[0]["name"]
        lines.append(tag("p", f"Baseline ({name}): ", shown(baseline), f" on the same rows{better}"))
    return tag("div", lines, class_="score")


def _on(run: Run, first: Headline) -> str:
    if first.where == "folds":
        return f"on average over {len(first.score['folds'])} folds"
    rows = run.scores[first.where]["rows"]
    return f"on {rows:,} {SUBSETS[first.where]} row{'' if rows == 1 else 's'}"


def _method(score: Mapping[str, Any]) -> str:
    degrees = score.get("degrees")
    return f"{score['method']}, {number(degrees)} degrees of freedom" if degrees else str(score["method"])


def _forest(run: Run, first: Headline) -> Html:
    """The first metric wherever it was measured, beside its baselines."""
    name = first.score["name"]
    rows = [*_measured(run, name), *_of_baselines(run, first)]
    reference = run.baseline(first.where, name)
    legend = [Legend("this model", "model", "dot")]
    if reference is not None:
        legend.append(Legend("baselines", "plain", "dot"))
        legend.append(Legend(f"the reference: {run.baselines()[0]['name']}", "baseline"))
    starred = " * These rows chose something, so their score flatters." if any(row.star for row in rows) else ""
    dots = " Small dots are single folds." if run.scores.get("folds") else ""
    return dot_plot(
        "overview",
        rows,
        f"The {name} with its {run.confidence} interval, beside that of simple answers.{starred}{dots}",
        title=f"{name} on every set of rows",
        axis=name,
        reference=None if reference is None else (reference, run.baselines()[0]["name"]),
        legend=legend,
    )


def _measured(run: Run, name: str) -> Iterator[Estimate]:
    for fold in run.scores.get("folds") or ():
        if fold["name"] == name:
            dots = [value for value in fold["folds"] if value is not None]
            yield Estimate("folds, mean", fold["mean"], fold["low"], fold["high"], dots)
    for subset in run.subsets():
        for score in run.scores[subset]["scores"]:
            if score["name"] == name:
                ends = score["low"], score["high"]
                yield Estimate(SUBSETS[subset], score["value"], *ends, star=score["starred"])


def _of_baselines(run: Run, first: Headline) -> Iterator[Estimate]:
    for base in run.baselines():
        scores = base.get("folds") if first.where == "folds" else base["subsets"].get(first.where, {}).get("scores")
        for score in scores or ():
            if score["name"] == first.score["name"]:
                yield Estimate(base["name"], score[first.key], score["low"], score["high"], tone="plain")


def _remarks(run: Run, first: Headline | None) -> Iterator[Html]:
    record = run.record
    if record.status != "completed":
        yield remark("bad", f"This run is {record.status}{f': {record.failure}' if record.failure else ''}.")
    if first is None:
        yield remark("note", "There are no scores yet.")
        return
    yield from _verdict(run, first)
    if run.scores:
        yield looks(run)
    if first.score.get("starred"):
        words = "These rows chose something (the epoch, a threshold), so this score flatters."
        yield remark("warning", words)
    if first.where != "folds" and first.score["n"] is not None and first.score["n"] < FEW:
        words = f"The interval rests on a count of {number(first.score['n'])}: few rows say little."
        yield remark("warning", words)
    for warning in record.warnings[:_WARNINGS]:
        yield remark("warning", warning)
    if len(record.warnings) > _WARNINGS:
        more = len(record.warnings) - _WARNINGS
        yield remark("warning", f"{more} more stand under ", tag("a", "provenance", href="#provenance"), ".")


def _verdict(run: Run, first: Headline) -> Iterator[Html]:
    found = (run.scores.get("verdicts") or {}).get(first.where)
    if found:
        words, colon, numbers = found["sentence"].partition(":")
        yield remark(POWER[found["power"]], tag("strong", words[:1].upper() + words[1:]), colon, numbers, ".")


def looks(run: Run) -> Html:
    """How often the test rows were looked at, and what that costs."""
    count, rows = run.scores.get("looks"), run.record.rows.get("test")
    if not count:
        if not rows:
            return remark("note", "There are no test rows: nothing here was measured on rows that chose nothing else.")
        return remark("good", f"The test set is sealed: nobody has seen the targets of its {rows:,} rows.")
    if count == 1:
        return remark("good", "The test set was opened once: its score has chosen nothing.")
    bound, metric = run.scores.get("looks_bound"), run.scores["test"]["scores"][0]["name"]
    cost = f" by up to {number(bound)} ({metric})" if bound is not None else ""
    words = f"The test set was opened {count} times: the best of {count} equal models looks too good{cost}."
    return remark("warning", words)


def _facts(run: Run) -> Html:
    record = run.record
    entries: list[tuple[str, str | Html]] = [("Started", _time(record.started))]
    if record.ended:
        entries.append(("Took", _duration(record.started, record.ended)))
    if record.goal:
        what = "Predicts" if record.goal.task in NUMBERS else "Tells apart"
        entries.append((what, _target(run)))
    if run.rows:
        entries.append(("Rows", ", ".join(f"{rows:,} {name}" for name, rows in run.rows.items())))
    if record.parameters is not None:
        entries.append(("Parameters", f"{record.parameters:,}"))
    if record.chosen_epoch is not None:
        entries.append(("Epoch kept", f"{record.chosen_epoch:,} of {record.epochs_run or record.chosen_epoch:,}"))
    return tag("div", pairs(entries), class_="facts")


def _target(run: Run) -> str:
    goal = run.record.goal
    assert goal is not None
    names = ", ".join(goal.names[:3]) + (f" and {len(goal.names) - 3} more" if len(goal.names) > 3 else "")
    return f"{len(goal.classes)} classes of {names}" if len(goal.classes) > 2 else names


def _time(written: str) -> Html:
    return tag("time", written[:16].replace("T", " ") + " UTC", datetime=written)


def _duration(start: str, end: str) -> str:
    seconds = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
    if seconds < 60:
        return f"{number(seconds)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
