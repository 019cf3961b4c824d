"""How far probabilities can be trusted, and what turns them into answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dlcli.numbers import number
from dlcli.report import drawing
from dlcli.report.elements import Column, Section, first_open, folded, heading, pairs, paragraph, shown, table
from dlcli.report.figures import Legend, figure
from dlcli.report.markup import Child, Html, join, tag
from dlcli.report.run_files import SUBSETS, Run
from dlcli.report.settings import costs
from dlcli.task import LABELS

_HEIGHT = 380.0
_SURE = 0.05
"""A p below it says that a calibrated model would hardly show such an error."""


def calibration(run: Run) -> Section | None:
    """Reliability of each subset, and the decision."""
    parts = [(f"{SUBSETS[name].capitalize()} rows", _subset(name, found)) for name, found in run.details("calibration")]
    decided = _decision(run)
    if not parts and decided is None:
        return None
    return Section("calibration", "Probabilities and decisions", join(decided, first_open(parts)))


def _decision(run: Run) -> Html | None:
    found = run.scores.get("decision")
    if not found or run.record.goal is None or run.record.goal.task not in LABELS:
        return None
    chosen = found["chosen_on"]
    said: list[tuple[Child, Child]] = [
        ("Chosen on", f"{SUBSETS.get(chosen, chosen)} rows" if chosen else "no rows: fixed before")
    ]
    threshold = found["threshold"]
    if isinstance(threshold, list):
        names = run.record.goal.names
        each = [join(name, " ", shown(value), "; ") for name, value in zip(names, threshold, strict=False)]
        said.append(("Thresholds", join(each, f"rule {found['threshold_rule']}")))
    elif len(run.record.goal.classes) <= 2:
        rule = f" (rule {found['threshold_rule']})" if chosen else ""
        said.append(("Threshold", join(shown(threshold, "decision.threshold"), rule)))
    temperature = found["temperature"]
    words = (
        {True: " (less sure than the network itself)", False: " (surer)"}[temperature > 1] if temperature != 1 else ""
    )
    said.append(("Temperature", join(shown(temperature, "decision.temperature"), words)))
    notes = [paragraph(note) for note in found.get("notes") or ()]
    return join(heading("Decision"), pairs(said), notes, _costs(run))


def _costs(run: Run) -> Html | None:
    """What each mistake costs."""
    if not any(score["name"] == "mean_cost" for subset in run.subsets() for score in run.scores[subset]["scores"]):
        return None
    found = costs(run.resolved)
    names = run.record.goal.classes if run.record.goal else ()
    columns = [Column("actual"), *(Column(f"taken for {name}", numeric=True) for name in names)]
    rows: list[list[Child]] = [
        [actual, *(shown(float(found.get(actual, {}).get(name, 0))) for name in names)] for actual in names
    ]
    return table("Costs, of which mean_cost is the mean over rows.", columns, rows, sortable=False)


def _subset(subset: str, found: Mapping[str, Any]) -> Html:
    words = paragraph(*_sentence(subset, found))
    if not found["bins"]:
        return words
    return join(words, tag("div", _reliability(subset, found), _shares(subset, found), class_="figures"), _bins(found))


def _sentence(subset: str, found: Mapping[str, Any]) -> Iterator[Child]:
    path = f"{subset}.calibration"
    brier = found.get("brier")
    if found["ece"] is None:
        yield f"No calibration error: {found['reason']}."
    else:
        yield "Expected calibration error "
        yield shown(found["ece"], f"{path}.ece")
        yield "; a perfectly calibrated model would show about "
        yield shown(found["noise_floor"], f"{path}.noise_floor")
        yield " on so few rows" if found["p"] is None or found["p"] >= _SURE else " on as many rows"
        if found["p"] is not None:
            yield " (p "
            yield shown(found["p"], f"{path}.p") if found["p"] else "close to 0"
            yield "): "
            yield "miscalibrated." if found["p"] < _SURE else "not distinguishable from calibrated."
        else:
            yield f"; no p: {found['reason']}."
    if brier is not None:
        yield " Brier score "
        yield shown(brier, f"{path}.brier")
        yield "."


def _reliability(subset: str, found: Mapping[str, Any]) -> Html:
    axes = drawing.frame(
        (0.0, 1.0), (0.0, 1.0), x_label="confidence", y_label="share that is right", height=_HEIGHT, room=(0.0, 0.0)
    )
    bins = found["bins"]
    most = max(each["rows"] for each in bins)
    diagonal = drawing.segment((axes.x(0), axes.y(0)), (axes.x(1), axes.y(1)), "chance")
    path = drawing.line([(each["confidence"], each["share"]) for each in bins], axes.x, axes.y, "model")
    dots = [
        drawing.dot(axes.x(b["confidence"]), axes.y(b["share"]), "model", _bin(b), 3 + 6 * (b["rows"] / most) ** 0.5)
        for b in bins
    ]
    picture = axes.picture(
        diagonal,
        path,
        dots,
        title=f"Reliability diagram, {SUBSETS[subset]} rows",
        words="; ".join(map(_bin, bins)) + ".",
    )
    return figure(
        f"reliability-{subset}",
        picture,
        "Reliability: how often answers of a confidence are right. On the dashed line confidence is earned; "
        "below it the model is too sure. Larger dots: more rows.",
        legend=[Legend("this model", "model"), Legend("perfectly calibrated", "chance")],
    )


def _shares(subset: str, found: Mapping[str, Any]) -> Html:
    """How many rows have which confidence."""
    bins = found["bins"]
    axes = drawing.frame(
        (0.0, 1.0),
        (0.0, max(each["rows"] for each in bins)),
        x_label="confidence",
        y_label="rows",
        height=_HEIGHT,
        room=(0.0, 0.0),
    )
    bars = []
    for each in bins:
        left, right, top = axes.x(each["low"]), axes.x(each["high"]), axes.y(each["rows"])
        shape = {"x": left, "y": top, "width": round(right - left - 1, 1), "height": round(axes.y.start - top, 1)}
        bars.append(tag("rect", tag("title", _bin(each)), class_="area model", **shape))
    picture = axes.picture(
        bars,
        title=f"Confidences, {SUBSETS[subset]} rows",
        words="; ".join(f"{number(b['low'])} to {number(b['high'])}: {b['rows']:,} rows" for b in bins) + ".",
    )
    return figure(
        f"confidences-{subset}",
        picture,
        "How many rows have which confidence.",
    )


def _bin(each: Mapping[str, Any]) -> str:
    return f"{each['rows']:,} rows of confidence {number(each['confidence'])}: {number(each['share'])} right"


def _bins(found: Mapping[str, Any]) -> Html:
    columns = [
        Column("from", numeric=True),
        Column("to", numeric=True),
        Column("rows", numeric=True),
        Column("mean confidence", numeric=True),
        Column("share right", numeric=True),
    ]
    rows = [[shown(each[key]) for key in ("low", "high", "rows", "confidence", "share")] for each in found["bins"]]
    return folded("Numbers", table("Bins of confidence", columns, rows))
