"""Plots of how training went: curves over epochs, and scores over folds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlcli.numbers import number
from dlcli.report import axes
from dlcli.report.run_files import Run
from dlcli.runs.histories import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Drawn = Iterator[tuple[str, "Figure"]]
"""Figures by the name of their file."""

_PANEL_INCHES = 2.6
_MOST_METRICS = 6
_LOG_FROM = 50.0
"""A loss that falls by more than this factor is drawn on a logarithmic axis."""


def curves(run: Run) -> Drawn:
    """`curves`: loss and first metric over the epochs, and the rate where it changes; all folds of a k-fold at once."""
    histories = [history for history in (run.history, *(fold.history for fold in run.folds)) if history.get("epoch")]
    if not histories:
        return
    metric = _first_metric(histories)
    shown = ["loss", *([metric] if metric else []), *(["learning_rate"] if _varies(histories) else [])]
    figure, found = axes.panels(len(shown), (axes.INCHES[0], 0.6 + _PANEL_INCHES * len(shown)))
    for drawn, name in zip(found, shown, strict=True):
        _curve(drawn, name, histories)
        _chosen(drawn, run, single=len(histories) == 1)
        axes.legend(drawn)
    found[0].set_title(_told(run, histories), loc="left", fontsize=10)
    found[-1].set_xlabel("epoch")
    yield "curves", figure


def _told(run: Run, histories: Sequence[History]) -> str:
    if not run.folds:
        return f"{axes.said(run.record.name)}: training"
    final = " and the final training" if run.history else ""
    return f"{axes.said(run.record.name)}: {len(histories) - bool(run.history)} folds{final}"


def _first_metric(histories: Sequence[History]) -> str | None:
    """The first metric that epochs were scored by."""
    names = [name[4:] for name in histories[-1] if name.startswith("val_") and name != "val_loss"]
    return names[0] if names else None


def _varies(histories: Sequence[History]) -> bool:
    return any(len(set(history.get("learning_rate", ()))) > 1 for history in histories)


def _curve(drawn: Axes, name: str, histories: Sequence[History]) -> None:
    from matplotlib.ticker import MaxNLocator

    several = len(histories) > 1
    watched = "inner validation" if several else "validation"
    pairs = [(name, axes.BLUE, "-", "training"), (f"val_{name}", axes.RED, "--", watched)]
    values = []
    for column, colour, dash, words in pairs:
        label = words if name != "learning_rate" else None
        for history in histories:
            if column in history:
                line = _with_gaps(history[column])
                (drawn_line,) = drawn.plot(_with_gaps(history["epoch"]), line, dash, color=colour, label=label)
                drawn_line.set(linewidth=0.9 if several else 1.6, alpha=0.5 if several else 1)
                drawn_line.set_marker("." if len(line) == 1 else "")
                label = None
                values += [value for value in line if math.isfinite(value)]
    if name == "loss" and values and min(values) > 0 and max(values) > _LOG_FROM * min(values):
        drawn.set_yscale("log")
    drawn.set_ylabel(axes.said(name.replace("_", " ")))
    drawn.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def _with_gaps(values: Sequence[float | None]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def _chosen(drawn: Axes, run: Run, *, single: bool) -> None:
    epoch = run.record.chosen_epoch
    if single and epoch and epoch < (run.record.epochs_run or epoch):
        drawn.axvline(epoch, color=axes.GREY, linestyle=":", linewidth=1.2, label=f"chosen: epoch {epoch}")


def folds(run: Run) -> Drawn:
    """`folds`: each metric in each fold, with mean, interval and baseline."""
    scores = (run.scores.get("folds") or ())[:_MOST_METRICS]
    if not scores:
        return
    figure, found = axes.panels(len(scores), (axes.INCHES[0], 0.8 + 1.3 * len(scores)))
    for drawn, score in zip(found, scores, strict=True):
        _fold(drawn, score, run.baseline("folds", score["name"]))
    found[0].set_title(f"{axes.said(run.record.name)}: a dot for each fold", loc="left", fontsize=10)
    found[0].legend(frameon=False, fontsize=axes.SMALL, loc="lower right", bbox_to_anchor=(1, 1), ncols=3)
    yield "folds", figure


def _fold(drawn: Axes, score: Mapping[str, Any], baseline: float | None) -> None:
    values = [value for value in score["folds"] if value is not None]
    heights = [0.12 * ((place * 2) % 5 - 2) for place in range(len(values))]  # so that equal scores do not hide
    drawn.scatter(values, heights, s=22, color=axes.BLUE, alpha=0.7, linewidths=0, label="folds")
    if score["mean"] is not None:
        ends = None if score["low"] is None else [[score["mean"] - score["low"]], [score["high"] - score["mean"]]]
        drawn.errorbar(
            [score["mean"]], [-0.6], xerr=ends, fmt="D", color=axes.BLACK, markersize=5, capsize=4, label="mean"
        )
        drawn.annotate(number(score["mean"]), (score["mean"], -0.6), (0, 6), textcoords="offset points", ha="center",
                       fontsize=axes.SMALL)  # fmt: skip
    if baseline is not None:
        drawn.axvline(baseline, color=axes.RED, linestyle="--", linewidth=1.2, label="baseline")
    drawn.set_ylim(-1, 0.5)
    drawn.set_yticks([])
    drawn.set_xlabel(axes.said(score["name"].replace("_", " ")))
