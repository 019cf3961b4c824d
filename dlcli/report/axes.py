"""Axes in one style, and figures as files. matplotlib without pyplot: no window, no global state, no display."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from dlcli.runs.whole_files import whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = (7.0, 4.2)
BLUE, ORANGE, GREEN, RED, SKY, PINK, BLACK = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#000000"
)  # fmt: skip
"""Okabe and Ito's colours (2008), which colour-blind readers tell apart."""
GREY = "#767676"
SERIES = (BLUE, RED, GREEN, ORANGE, PINK, SKY, BLACK, GREY)
DASHES = ("-", "--", "-.", ":")
SMALL = 8
"""Points of what stands in legends and beside marks."""
_DOTS_PER_INCH = 150
_LONGEST = 30
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def panels(count: int = 1, inches: tuple[float, float] = INCHES, *, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """A figure with so many axes, row by row."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=inches, layout="constrained")
    grid = figure.subplots(-(-count // columns), columns, squeeze=False)
    found = [axes for row in grid for axes in row]
    for axes in found[count:]:
        axes.remove()
    for axes in found[:count]:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, alpha=0.25)
        axes.set_axisbelow(True)
    return figure, found[:count]


def named(axes: Axes, horizontal: str, vertical: str, title: str = "") -> Axes:
    """Names both axes, and says above them what they show."""
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    if title:
        axes.set_title(title, loc="left", fontsize=10)
    return axes


def said(name: str, longest: int = _LONGEST) -> str:
    """A name from data as a figure can show it: no formula, no line ends, not too long, never left out."""
    plain = _UNSEEN.sub(" ", name).strip() or "(empty)"
    cut = plain if len(plain) <= longest else plain[: longest - 1] + "…"
    # matplotlib reads dollars as formulas and leaves what begins with an underscore out of legends.
    return ("\u200b" if cut.startswith("_") else "") + cut.replace("$", r"\$")


def legend(axes: Axes) -> None:
    """A legend without a frame, where there is something to tell apart."""
    if len(axes.get_legend_handles_labels()[0]) > 1:
        axes.legend(frameon=False, fontsize=SMALL)


def save(figure: Figure, path: Path, suggestion: str = "make room, or make the run's folder writable") -> None:
    """Writes a PNG file whole; the same figure gives the same bytes.

    Raises:
        DlcliError: it cannot be written.
    """
    import warnings

    with whole(path, suggestion) as temporary, warnings.catch_warnings():
        # A letter that the font lacks is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(temporary, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
