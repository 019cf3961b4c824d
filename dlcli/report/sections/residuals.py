"""How predicted numbers miss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dlcli.numbers import number
from dlcli.report import drawing
from dlcli.report.elements import Column, Section, first_open, paragraph, shown, table
from dlcli.report.figures import bars, figure
from dlcli.report.markup import Html, join, tag
from dlcli.report.run_files import SUBSETS, Run

_HEIGHT = 300.0
_MOST_TARGETS = 6
_MISSED = "actual minus predicted"
_NAMES = {"min": "smallest", "50": "median", "max": "largest"}


def residuals(run: Run) -> Section | None:
    """Residuals of each subset, target by target."""
    parts = [(f"{SUBSETS[name].capitalize()} rows", _subset(name, found)) for name, found in run.details("residuals")]
    return Section("residuals", "How predictions miss", first_open(parts)) if parts else None


def _subset(subset: str, found: Sequence[Mapping[str, Any]]) -> Html:
    drawn = [
        _target(f"{subset}-{place}", each, several=len(found) > 1) for place, each in enumerate(found[:_MOST_TARGETS])
    ]
    more = f"{len(found) - _MOST_TARGETS} more targets stand in the table." if len(found) > _MOST_TARGETS else None
    keys = list(found[0]["quantiles"])
    columns = [Column("target"), *(Column(_NAMES.get(key, f"{key} %"), numeric=True) for key in keys)]
    rows = [
        [
            each["target"],
            *(shown(each["quantiles"][key], f"{subset}.residuals.{place}.quantiles.{key}") for key in keys),
        ]
        for place, each in enumerate(found)
    ]
    quantiles = table("Quantiles of the residuals, actual minus predicted.", columns, rows)
    return join(tag("div", drawn, class_="figures"), paragraph(more) if more else None, quantiles)


def _target(key: str, found: Mapping[str, Any], *, several: bool) -> list[Html]:
    of = f" of {found['target']}" if several else ""
    return [_scatter(key, found, of), _histogram(key, found, of)]


def _scatter(key: str, found: Mapping[str, Any], of: str) -> Html:
    points = found["points"]
    axes = drawing.frame(
        [at for at, _ in points],
        [0.0, *(missed for _, missed in points)],
        x_label=f"predicted{of}",
        y_label=_MISSED,
        height=_HEIGHT,
    )
    zero = drawing.segment((axes.x.start, axes.y(0)), (axes.x.end, axes.y(0)), "chance")
    path = "".join(f"M{axes.x(at):g} {axes.y(missed):g}h0" for at, missed in points)
    predicted, low, high = _ends([at for at, _ in points]), found["quantiles"].get("5"), found["quantiles"].get("95")
    between = "" if low is None else f" Nine of ten residuals lie between {number(low)} and {number(high)}."
    picture = axes.picture(
        zero,
        tag("path", d=path, class_="points model"),
        title=f"Residuals over predicted values{of}",
        words=f"{len(points)} rows, predicted {predicted}; residuals {_ends([m for _, m in points])}.{between}",
    )
    return figure(
        f"residuals-{key}",
        picture,
        "Each dot is a row; above the line the prediction was too small. A pattern means that something is left "
        "to learn; a fan means that large values are less sure.",
    )


def _histogram(key: str, found: Mapping[str, Any], of: str) -> Html:
    edges, counts = found["histogram"]["edges"], found["histogram"]["counts"]
    axes = drawing.frame(edges, [0.0, max(counts)], x_label=_MISSED, y_label="rows", height=_HEIGHT, room=(0.02, 0.0))
    zero = drawing.segment((axes.x(0), axes.y.start), (axes.x(0), axes.y.end), "chance") if _inside(0, axes) else None
    fullest = max(range(len(counts)), key=counts.__getitem__)
    picture = axes.picture(
        bars(edges, counts, axes, "model"),
        zero,
        title=f"Histogram of residuals{of}",
        words=(
            f"{number(sum(counts))} from {number(edges[0])} to {number(edges[-1])}; most, {number(counts[fullest])},"
            f" between {number(edges[fullest])} and {number(edges[fullest + 1])}; "
            f"median {number(found['quantiles']['50'])}."
        ),
    )
    return figure(
        f"residual-counts-{key}",
        picture,
        "How many rows miss by how much. The dashed line is no error.",
    )


def _inside(value: float, axes: drawing.Frame) -> bool:
    return axes.x.low <= value <= axes.x.high


def _ends(values: Sequence[float]) -> str:
    return f"{number(min(values))} to {number(max(values))}" if values else "none"
