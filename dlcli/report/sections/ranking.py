"""How probabilities rank the rows: ROC and precision-recall curves."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from dlcli.numbers import number
from dlcli.report import drawing
from dlcli.report.drawing import Frame
from dlcli.report.elements import NONE, Section, first_open, paragraph
from dlcli.report.figures import Legend, Reading, figure
from dlcli.report.markup import Html, join, tag
from dlcli.report.run_files import SUBSETS, Run

_HEIGHT = 380.0
_MOST_CURVES = 8
"""Curves that can still be told apart; of more, those with the smallest area are drawn."""
_STEPS = 50
_AT = (0.1, 0.8)
"""The false positive rate and the recall at which a curve is put in words."""

Curve = Mapping[str, Any]


def ranking(run: Run) -> Section | None:
    """Both curves of each subset."""
    roc, precision = dict(run.details("roc")), dict(run.details("precision_recall"))
    parts = [
        (f"{SUBSETS[name].capitalize()} rows", _pair(name, roc.get(name) or (), precision.get(name) or ()))
        for name in run.subsets()
        if name in roc or name in precision
    ]
    return Section("ranking", "How well probabilities rank", first_open(parts)) if parts else None


def _pair(subset: str, roc: Sequence[Curve], precision: Sequence[Curve]) -> Html:
    figures = [_roc(subset, _worst(roc, "auc")) if roc else None]
    figures += [_precision(subset, _worst(precision, "average_precision")) if precision else None]
    count = max(len(roc), len(precision))
    more = f"Drawn are the {_MOST_CURVES} of {count} with the smallest areas." if count > _MOST_CURVES else None
    return join(tag("div", figures, class_="figures"), paragraph(more) if more else None)


def _worst(curves: Sequence[Curve], key: str) -> list[Curve]:
    kept = sorted(curves, key=lambda each: -1.0 if each[key] is None else each[key])[:_MOST_CURVES]
    return [each for each in curves if each in kept]


def _frame(x_label: str, y_label: str) -> Frame:
    shared = {"x_label": x_label, "y_label": y_label, "height": _HEIGHT, "room": (0.0, 0.0)}
    return drawing.frame((0.0, 1.0), (0.0, 1.0), **shared)  # type: ignore[arg-type]


def _roc(subset: str, curves: Sequence[Curve]) -> Html:
    axes = _frame("false positive rate", "true positive rate")
    chance = drawing.segment((axes.x(0), axes.y(0)), (axes.x(1), axes.y(1)), "chance")
    told = [
        f"{each['label']}: area {number(each['auc'])}, true positive rate "
        f"{number(_height(each['points'], _AT[0]))} at a false positive rate of {_AT[0]}."
        for each in curves
    ]
    picture = axes.picture(
        chance,
        _lines(curves, axes),
        title=f"ROC curve, {SUBSETS[subset]} rows",
        words=" ".join(told),
    )
    return figure(
        f"roc-{subset}",
        picture,
        "ROC: how many of the positive rows are found while so many of the others are taken for positive. "
        "The dashed line is chance.",
        legend=_legend(curves, "auc", "area"),
        reading=_reading(curves, axes, "false positive rate"),
    )


def _precision(subset: str, curves: Sequence[Curve]) -> Html:
    axes = _frame("recall", "precision")
    chance = [
        drawing.segment((axes.x(0), axes.y(each["prevalence"])), (axes.x(1), axes.y(each["prevalence"])), "chance")
        for each in curves[:1]
        if len(curves) == 1
    ]
    told = [
        f"{each['label']}: average precision {number(each['average_precision'])} where chance gives "
        f"{number(each['prevalence'])}, precision {number(_height(each['points'], _AT[1]))} at a recall of {_AT[1]}."
        for each in curves
    ]
    line = f" The dashed line is chance, {number(curves[0]['prevalence'])}." if chance else ""
    picture = axes.picture(
        chance,
        _lines(curves, axes),
        title=f"Precision-recall curve, {SUBSETS[subset]} rows",
        words=" ".join(told),
    )
    return figure(
        f"precision-recall-{subset}",
        picture,
        f"Precision against recall: how many of the rows taken for positive are, while so many are found.{line}",
        legend=_legend(curves, "average_precision", "average precision"),
        reading=_reading(curves, axes, "recall"),
    )


def _tone(place: int) -> str:
    return f"kind-{place}"


def _lines(curves: Sequence[Curve], axes: Frame) -> list[Html]:
    return [drawing.line(each["points"], axes.x, axes.y, _tone(place)) for place, each in enumerate(curves)]


def _legend(curves: Sequence[Curve], key: str, said: str) -> list[Legend]:
    return [
        Legend(f"{each['label']}: {said} {NONE if each[key] is None else number(each[key])}", _tone(place))
        for place, each in enumerate(curves)
    ]


def _reading(curves: Sequence[Curve], axes: Frame, axis: str) -> Reading:
    at = [step / _STEPS for step in range(_STEPS + 1)]
    series = []
    for place, each in enumerate(curves):
        heights = [_height(each["points"], value) for value in at]
        series.append((each["label"], _tone(place), [(axes.y(height), number(height)) for height in heights]))
    return Reading(axis, [axes.x(value) for value in at], [number(value) for value in at], series)


def _height(points: Sequence[Sequence[float]], at: float) -> float:
    """The height of a curve over a place, on the straight line between its points; the upper end of a jump."""
    after = bisect_right(points, at, key=lambda point: point[0])
    if after == len(points):
        return points[-1][1]
    (left, low), (right, high) = points[max(after - 1, 0)], points[after]
    return low + (high - low) * (at - left) / (right - left) if right > left else high
