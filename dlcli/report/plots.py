"""Plots as PNG files: those of a run from its `scores.json` and histories, and that of a learning-rate range."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dlcli.report import axes, class_plots, number_plots, training_plots
from dlcli.report.run_files import Run
from dlcli.runs import whole_files

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FOLDER = "plots"
_DRAWN = (
    training_plots.curves,
    training_plots.folds,
    class_plots.confusion,
    class_plots.label_confusions,
    class_plots.roc,
    class_plots.precision_recall,
    class_plots.calibration,
    number_plots.residuals,
    number_plots.importance,
)
_HEADROOM = 0.05
_SHOWN = 0.95


def write_plots(run: Run, folder: Path) -> list[Path]:
    """Draws what there is to see of a run into `plots/` of its directory, in place of older files.

    Args:
        run: what the directory holds.
        folder: the run directory.

    Returns:
        the files: `curves.png`, `folds.png`, `importance.png`, and by scored subset `confusion-test.png` and so on.

    Raises:
        DlcliError: they cannot be written.
    """
    place, found = folder / FOLDER, []
    with whole_files.writing(place):
        place.mkdir(exist_ok=True)
    for draw in _DRAWN:
        for name, figure in draw(run):
            axes.save(figure, place / f"{name}.png")
            found.append(place / f"{name}.png")
    return found


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
    figure, (drawn,) = axes.panels()
    axes.named(drawn, "learning rate", "training loss")
    drawn.plot(rates, losses, color=axes.SKY, linewidth=0.8, label="each batch")
    drawn.plot(rates, smoothed, color=axes.BLUE, linewidth=2, label="smoothed")
    for (text, rate), colour in zip(marks.items(), (axes.RED, axes.GREEN), strict=False):
        drawn.axvline(rate, color=colour, linestyle="--", linewidth=1.2, label=text)
    drawn.set_xscale("log")
    low, high = _within(losses, smoothed)
    room = _HEADROOM * (high - low or 1.0)
    drawn.set_ylim(low - room, high + room)
    axes.legend(drawn)
    axes.save(figure, path, "name another file with --plot")


def _within(losses: NDArray[np.float64], smoothed: NDArray[np.float64]) -> tuple[float, float]:
    """Bounds of what is worth showing: the smoothed losses and most of the single ones."""
    import numpy as np

    low, high = np.quantile(losses[np.isfinite(losses)], (0, _SHOWN))
    return float(min(low, smoothed.min())), float(max(high, smoothed.max()))
