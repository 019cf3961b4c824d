"""Plots of answers that are numbers, and of what columns are worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dlcli.report import axes
from dlcli.report.class_plots import named, rows_of, told
from dlcli.report.run_files import SUBSETS, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from dlcli.report.training_plots import Drawn

_MOST_TARGETS = 4
_MOST_FEATURES = 20


def residuals(run: Run) -> Drawn:
    """`residuals`: actual minus predicted, over what was predicted and as a histogram; a row per target."""
    for subset, found in told(run, "residuals"):
        shown = found[:_MOST_TARGETS]
        figure, grid = axes.panels(2 * len(shown), (8.4, 0.6 + 3.2 * len(shown)), columns=2)
        for left, right, each in zip(grid[::2], grid[1::2], shown, strict=True):
            _residuals(left, right, each)
        more = f" ({len(found) - len(shown)} more targets)" if len(found) > len(shown) else ""
        grid[0].set_title(f"Errors on {rows_of(run, subset)}{more}", loc="left", fontsize=10)
        yield named("residuals", subset), figure


def _residuals(left: Axes, right: Axes, found: Mapping[str, Any]) -> None:
    target = axes.said(found["target"])
    if found["points"]:
        across, up = zip(*found["points"], strict=True)
        left.scatter(across, up, s=9, color=axes.BLUE, alpha=0.5, linewidths=0)
    left.axhline(0, color=axes.GREY, linestyle=":", linewidth=1)
    axes.named(left, f"predicted {target}", "actual - predicted")
    edges, counts = found["histogram"]["edges"], found["histogram"]["counts"]
    right.stairs(counts, edges, fill=True, color=axes.SKY)
    right.axvline(0, color=axes.GREY, linestyle=":", linewidth=1)
    axes.named(right, "actual - predicted", "rows")
    for each in (left, right):
        each.locator_params(axis="x", nbins=6)


def importance(run: Run) -> Drawn:
    """`importance`: how much worse a score gets when a column is shuffled, with its interval."""
    found = run.importance
    if not found or not found["features"]:
        return
    shown = found["features"][:_MOST_FEATURES]
    figure, (drawn,) = axes.panels(inches=(axes.INCHES[0], 1.45 + 0.26 * len(shown)))
    places = range(len(shown))
    drops = [each["drop"] for each in shown]
    for place, each in zip(places, shown, strict=True):
        if each["low"] is not None:
            drawn.plot([each["low"], each["high"]], [place, place], color=axes.BLUE, linewidth=1.4)
    drawn.plot(drops, places, "o", color=axes.BLUE, markersize=5)
    drawn.axvline(0, color=axes.GREY, linestyle=":", linewidth=1)
    drawn.set_yticks(places, [axes.said(each["name"]) for each in shown], fontsize=axes.SMALL)
    drawn.set_ylim(len(shown) - 0.5, -0.5)
    metric = axes.said(found["metric"].replace("_", " "))
    title = f"How much worse {metric} gets when a column is shuffled\n({_of(found, len(shown))})"
    figure.suptitle(title, x=0.01, ha="left", fontsize=10)  # over the names too: there is room for it
    axes.named(drawn, f"change of {metric} for the worse, with its {run.confidence} interval", "")
    yield "importance", figure


def _of(found: Mapping[str, Any], shown: int) -> str:
    rows, columns = f"{found['rows']:,} {SUBSETS.get(found['subset'], found['subset'])} rows", len(found["features"])
    return f"{rows}, the first {shown} of {columns} columns" if columns > shown else rows
