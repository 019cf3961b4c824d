"""Plots of answers that are classes: confusions, curves over thresholds, reliability."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dlcli.numbers import number
from dlcli.report import axes
from dlcli.report.run_files import SUBSETS, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from dlcli.report.training_plots import Drawn

_SQUARE = (5.6, 5.0)
_MOST_LINES = 8
_MOST_NAMED = 30
"""Classes whose names and counts a picture has room for."""
_LABEL = 16


def rows_of(run: Run, subset: str) -> str:
    """Which rows a plot shows, in words."""
    return f"{run.scores[subset]['rows']:,} {SUBSETS[subset]} rows"


def told(run: Run, key: str) -> Iterator[tuple[str, Any]]:
    """What all subsets but the training rows tell about one subject."""
    return ((subset, found) for subset, found in run.details(key) if subset != "train")


def named(subject: str, subset: str) -> str:
    """The file of a subject and a subset."""
    return f"{subject}-{SUBSETS[subset].replace(' ', '-')}"


def confusion(run: Run) -> Drawn:
    """`confusion`: how many rows of each class were predicted as which, shaded by the share of the actual class."""
    for subset, found in told(run, "confusion"):
        labels = [axes.said(label, _LABEL) for label in found["labels"]]
        title = f"Predicted classes of {rows_of(run, subset)}"
        figure = _matrix(found["counts"], labels, labels, title)
        figure.axes[0].set_xlabel("predicted")
        figure.axes[0].set_ylabel("actual")
        yield named("confusion", subset), figure


def label_confusions(run: Run) -> Drawn:
    """`confusion` of labels: of the rows with and without each label, how many were predicted to have it."""
    for subset, found in told(run, "label_confusions"):
        labels = [axes.said(each["label"], _LABEL) for each in found]
        counts = [[*each["counts"][0], *each["counts"][1]] for each in found]
        heads = ["true\nnegatives", "false\npositives", "false\nnegatives", "true\npositives"]
        title = f"Predicted labels of {rows_of(run, subset)}"
        yield named("confusion", subset), _matrix(counts, labels, heads, title, pairs=True)


def _matrix(
    counts: Sequence[Sequence[float]], rows: Sequence[str], columns: Sequence[str], title: str, *, pairs: bool = False
) -> Figure:
    """Counts in a grid, shaded by their share of the row, or of each pair of cells in it."""
    import numpy as np

    table = np.array(counts, dtype=np.float64)
    whole = table.reshape(len(table), -1, 2) if pairs else table[:, np.newaxis]
    sums = whole.sum(axis=-1, keepdims=True)
    share = np.divide(whole, sums, out=np.zeros_like(whole), where=sums > 0).reshape(table.shape)
    side = 1.6 + min(0.62 * len(table), 8.0)
    figure, (drawn,) = axes.panels(inches=(max(side, 4.6) + 1.2, max(side, 3.0 if pairs else 4.0)))
    drawn.grid(visible=False)
    image = drawn.imshow(share, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    axes.named(drawn, "", "", title)
    figure.colorbar(image, ax=drawn, label="share of the actual class", shrink=0.8)
    if len(rows) > _MOST_NAMED:
        return figure
    drawn.set_yticks(range(len(rows)), rows)
    if _fit(columns):
        drawn.set_xticks(range(len(columns)), columns)
    else:
        drawn.set_xticks(range(len(columns)), columns, rotation=45, ha="right")
    size = 9 if len(table) <= 12 else 6
    for row, column in np.ndindex(table.shape):
        colour, count = "white" if share[row, column] > 0.55 else "black", number(float(table[row, column]))
        drawn.text(column, row, count, ha="center", va="center", color=colour, fontsize=size)
    return figure


def _fit(words: Sequence[str]) -> bool:
    """Whether names have room side by side."""
    return max(len(line) for word in words for line in word.split("\n")) * len(words) <= 48


def roc(run: Run) -> Drawn:
    """`roc`: which share of the positives is found at the price of which share of the negatives."""
    for subset, found in told(run, "roc"):
        figure, (drawn,) = axes.panels(inches=_SQUARE)
        drawn.plot([0, 1], [0, 1], color=axes.GREY, linestyle=":", linewidth=1)
        axes.named(drawn, "false positive rate", "true positive rate", f"ROC of {rows_of(run, subset)}")
        _lines(drawn, found, "auc", "AUC")
        yield named("roc", subset), figure


def precision_recall(run: Run) -> Drawn:
    """`precision-recall`: how precise predictions are at each share of the positives that they find."""
    for subset, found in told(run, "precision_recall"):
        figure, (drawn,) = axes.panels(inches=_SQUARE)
        title = f"Precision and recall of {rows_of(run, subset)}"
        axes.named(drawn, "recall", "precision", title)
        if len(found) == 1:
            prevalence = found[0]["prevalence"]
            words = f"chance: {number(prevalence)}"
            drawn.axhline(prevalence, color=axes.GREY, linestyle=":", linewidth=1, label=words)
        _lines(drawn, found, "average_precision", "average precision")
        yield named("precision-recall", subset), figure


def _lines(drawn: Axes, found: Sequence[Mapping[str, Any]], key: str, words: str) -> None:
    """A line per class; of many those that score lowest."""
    known = sorted((each for each in found if each["points"] and each[key] is not None), key=lambda each: each[key])
    shown = known[:_MOST_LINES]
    for place, each in enumerate(shown):
        across, up = zip(*each["points"], strict=True)
        label = f"{axes.said(each['label'], 20)}: {words} {number(each[key])}"
        dash = axes.DASHES[place % len(axes.DASHES)]
        drawn.plot(across, up, color=axes.SERIES[place], linestyle=dash, linewidth=1.6, label=label)
    drawn.set_xlim(-0.02, 1.02)
    drawn.set_ylim(-0.02, 1.02)
    drawn.set_aspect("equal")
    if shown:
        title = f"the {len(shown)} lowest of {len(known)}" if len(known) > len(shown) else ""
        drawn.legend(frameon=False, fontsize=axes.SMALL, title=title, title_fontsize=axes.SMALL)


def calibration(run: Run) -> Drawn:
    """`calibration`: how often predictions of a given confidence come true, and how many have it."""
    from matplotlib.ticker import MaxNLocator

    for subset, found in told(run, "calibration"):
        bins = [each for each in found["bins"] if each["rows"]]
        if not bins:
            continue
        figure, (drawn, below) = axes.panels(2, (_SQUARE[0], 6.2))
        drawn.plot([0, 1], [0, 1], color=axes.GREY, linestyle=":", linewidth=1, label="perfect")
        confidence = [each["confidence"] for each in bins]
        drawn.plot(confidence, [each["share"] for each in bins], "o-", color=axes.BLUE, label="this model")
        axes.named(drawn, "", "share that came true", _calibrated(run, subset, found))
        drawn.set_ylim(-0.02, 1.02)
        drawn.legend(frameon=False, fontsize=axes.SMALL, loc="lower right")
        for each in bins:
            width = each["high"] - each["low"]
            below.bar(each["low"], each["rows"], width, align="edge", color=axes.SKY, edgecolor="white", linewidth=0.5)
        axes.named(below, "confidence", "rows").yaxis.set_major_locator(MaxNLocator(integer=True))
        low = min(each["low"] for each in bins)
        for each in (drawn, below):
            each.set_xlim(low - 0.02, 1.02)
        yield named("calibration", subset), figure


def _calibrated(run: Run, subset: str, found: Mapping[str, Any]) -> str:
    title = f"Calibration of {rows_of(run, subset)}"
    if found["ece"] is None:
        return f"{title}\n{found['reason']}" if found.get("reason") else title
    noise = "" if found["noise_floor"] is None else f"; noise alone gives {number(found['noise_floor'])}"
    return f"{title}\nexpected calibration error {number(found['ece'])}{noise}"
