"""Plots as PNG files. matplotlib is used without pyplot, so no window, no global state, no display."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dlcli.runs.whole_files import whole

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_INCHES = (7.0, 4.2)
_DOTS_PER_INCH = 150
_PALE, _STRONG, _MARKS = "#9db8d2", "#1f4e79", ("#c0392b", "#27805a")
_HEADROOM = 0.05
_SHOWN = 0.95


def plot_rate_range(
    path: Path,
    rates: NDArray[np.float64],
    losses: NDArray[np.float64],
    smoothed: NDArray[np.float64],
    marks: Mapping[str, float],
) -> None:
    """Draws loss over learning rate, the rate logarithmic.

    Args:
        path: the PNG file.
        rates: (batches,), rising.
        losses: the loss of each batch; the highest are cut off, what is no number left out.
        smoothed: the same without noise, finite.
        marks: rates to mark, by what is said of them.

    Raises:
        DlcliError: the file cannot be written.
    """
    figure, axes = _axes("learning rate", "training loss")
    axes.plot(rates, losses, color=_PALE, linewidth=0.8, label="each batch")
    axes.plot(rates, smoothed, color=_STRONG, linewidth=2, label="smoothed")
    for (text, rate), colour in zip(marks.items(), _MARKS, strict=False):
        axes.axvline(rate, color=colour, linestyle="--", linewidth=1.2, label=text)
    axes.set_xscale("log")
    low, high = _within(losses, smoothed)
    room = _HEADROOM * (high - low or 1.0)
    axes.set_ylim(low - room, high + room)
    axes.legend(frameon=False, fontsize=8)
    with whole(path, "name another file with --plot") as temporary:
        figure.savefig(temporary, format="png", dpi=_DOTS_PER_INCH)


def _axes(horizontal: str, vertical: str) -> tuple[Figure, Axes]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=_INCHES, layout="constrained")
    axes = figure.subplots()
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, alpha=0.25)
    return figure, axes


def _within(losses: NDArray[np.float64], smoothed: NDArray[np.float64]) -> tuple[float, float]:
    """Bounds of what is worth showing: the smoothed losses and most of the single ones."""
    import numpy as np

    low, high = np.quantile(losses[np.isfinite(losses)], (0, _SHOWN))
    return float(min(low, smoothed.min())), float(max(high, smoothed.max()))
