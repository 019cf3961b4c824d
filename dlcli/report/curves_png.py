"""Curves of several runs in one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

from dlcli.report.axes import DASHES, SERIES, legend, named, panels, said, save


def plot_curves(path: Path, series: Mapping[str, tuple[Sequence[float], Sequence[float]]], monitor: str) -> None:
    """Draws what runs reached epoch by epoch.

    Args:
        path: the PNG file.
        series: epochs and values by run.
        monitor: what the values are.

    Raises:
        DlcliError: the file cannot be written.
    """
    figure, (axes,) = panels()
    styles = zip(cycle(SERIES), cycle(DASHES), strict=False)
    for (name, (epochs, values)), (colour, dashes) in zip(series.items(), styles, strict=False):
        mark = "." if len(epochs) == 1 else ""
        axes.plot(epochs, values, color=colour, linestyle=dashes, linewidth=1.6, marker=mark, label=said(name))
    legend(named(axes, "epoch", monitor, f"{monitor} by epoch"))
    save(figure, path, "name another file with --plot")
