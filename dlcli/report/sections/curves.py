"""Learning curves: loss, metrics and learning rate over epochs, of one training or of all folds together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from dlcli.numbers import number
from dlcli.report import drawing
from dlcli.report.drawing import Frame
from dlcli.report.elements import NONE, Column, Section, folded, heading, paragraph, shown, table
from dlcli.report.figures import Legend, Reading, figure
from dlcli.report.markup import Child, Html, join, tag
from dlcli.report.run_files import FoldRun, Run
from dlcli.runs.histories import History

_HEIGHT = 260.0
_POINTS = 400
"""Most epochs drawn of one curve."""
_FOLD_POINTS = 120
"""Most epochs drawn of each of several folds."""
_ROWS = 300
"""Most epochs in the table."""
_RATIO = 30.0
"""From this ratio of the largest to the smallest loss on, the axis is logarithmic."""
_CUT = 8.0
"""A range is cut where it is this many times wider than that of the later epochs."""

_RATE = "learning rate"
_CAPTIONS = {
    "loss": "Training: the mean over the batches of an epoch; validation: after the epoch.",
    _RATE: "At the start of each epoch.",
}

Values = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """What one figure draws: a quantity on training and on choosing rows.

    Attributes:
        name: of the quantity.
        columns: of a history, by tone, with what they are called.
    """

    name: str
    columns: Mapping[str, tuple[str, str]]


def curves(run: Run) -> Section | None:
    """The history of the last training, and those of all folds."""
    parts = []
    if run.folds and any(fold.history for fold in run.folds):
        parts.append(_over_folds(run.folds))
    if run.history:
        parts.append(_of_training(run))
    return Section("curves", "Learning curves", join(parts)) if parts else None


def _panels(columns: Iterable[str], choosing: str) -> list[Panel]:
    """A panel for each quantity, the loss first and the rate last."""
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for column in columns:
        if column in ("epoch", "seconds"):
            continue
        name = column.removeprefix("val_")
        entry = ("validation", (column, choosing)) if column != name else ("train", (column, "training"))
        if column == "learning_rate":
            name, entry = _RATE, ("plain", (column, _RATE))
        found.setdefault(name, {})[entry[0]] = entry[1]
    order = sorted(found, key=lambda name: (name == _RATE, name != "loss"))
    return [Panel(name, found[name]) for name in order]


def _of_training(run: Run) -> Html:
    """Panels of one training that share their reading."""
    history, kept = run.history, run.record.chosen_epoch
    epochs = [epoch or 0.0 for epoch in history["epoch"]]
    places = drawing.thinned(epochs, _POINTS)
    rates = set(history.get("learning_rate", ()))
    drawn = [each for each in _panels(history, "validation") if each.name != _RATE or len(rates) > 1]
    panels = [_panel(f"curve-{index}", each, epochs, history, places, kept) for index, each in enumerate(drawn)]
    constant = [paragraph("The learning rate was ", shown(rate), " throughout.") for rate in rates if len(rates) == 1]
    title = "Final training, on all rows but the test rows" if run.folds else ""
    return join(
        heading(title) if title else None,
        tag("div", panels, class_="figures", data_linked=True),
        constant,
        _numbers(history, epochs),
    )


def _panel(
    key: str, panel: Panel, epochs: Sequence[float], history: History, places: Sequence[int], kept: int | None
) -> Html:
    lines = {tone: [history[column][place] for place in places] for tone, (column, _) in panel.columns.items()}
    across = [epochs[place] for place in places]
    axes, note = _axes(across, list(lines.values()), panel.name)
    marks = [drawing.line(_inside(across, values, axes), axes.x, axes.y, tone) for tone, values in lines.items()]
    names = {tone: words for tone, (_, words) in panel.columns.items()}
    series = [(names[tone], tone, _said(values, axes)) for tone, values in lines.items()]
    reading = Reading("epoch", [axes.x(each) for each in across], [number(each) for each in across], series)
    told = [_told(names[tone], panel.name, epochs, history[panel.columns[tone][0]]) for tone in lines]
    alone = panel.name == _RATE
    stop = f" The weights of epoch {kept:,} were kept (dashed)." if kept is not None else ""
    picture = axes.picture(
        _kept(kept, axes),
        marks,
        title=f"{panel.name} by epoch",
        words=" ".join(told) + stop,
    )
    return figure(
        key,
        picture,
        _CAPTIONS.get(panel.name, "After each epoch.") + stop + note,
        legend=[] if alone else [Legend(words, tone) for tone, words in names.items()],
        reading=reading,
    )


def _axes(across: Sequence[float], lines: Sequence[Values], name: str) -> tuple[Frame, str]:
    """A frame for curves, and what must be said of its upright axis."""
    found = [value for values in lines for value in values if value is not None]
    log = name in ("loss", _RATE) and bool(found) and min(found) > 0 and max(found) > _RATIO * min(found)
    low, high = (min(found), max(found)) if found else (0.0, 1.0)
    note = " Equal ratios are equally high." if log else ""
    if not log and found:
        later = [value for values in lines for value in values[len(values) // 4 :] if value is not None] or found
        reach = (max(later) - min(later)) or high - low
        if high - low > _CUT * reach:
            low, high = max(low, min(later) - reach / 2), min(high, max(later) + reach / 2)
            note = " The first epochs lie beyond the edge."
    ends = (across[0], across[-1]) if len(across) > 1 else (across[0] - 1, across[0] + 1)
    label = f"{name} (log)" if log else name
    shared = {"x_label": "epoch", "y_label": label, "height": _HEIGHT, "log_y": log, "whole_x": True}
    return drawing.frame(ends, [low, high], **shared), note  # type: ignore[arg-type]


def _inside(across: Sequence[float], values: Values, axes: Frame) -> Iterator[tuple[float, float | None]]:
    """Points of a line that ends where it leaves the frame, and begins again where it comes back."""
    low, high = axes.y.low, axes.y.high
    before: tuple[float, float] | None = None
    for at, value in zip(across, values, strict=True):
        if value is None:
            before = None
            yield at, None
            continue
        if before is not None and not (low <= before[1] <= high and low <= value <= high):
            edge = low if min(before[1], value) < low else high
            if min(before[1], value) <= edge <= max(before[1], value):
                yield before[0] + (at - before[0]) * (edge - before[1]) / (value - before[1]), edge
        yield at, value if low <= value <= high else None
        before = at, value


def _said(values: Values, axes: Frame) -> list[tuple[float, str] | None]:
    return [None if value is None else (axes.y.inside(value), number(value)) for value in values]


def _kept(epoch: int | None, axes: Frame) -> Html | None:
    """The epoch whose weights were kept."""
    if epoch is None or not axes.x.low <= epoch <= axes.x.high:
        return None
    place = axes.x(epoch)
    left = place > (axes.x.start + axes.x.end) / 2
    words = drawing.label(
        place + (-5 if left else 5), axes.y.end + 12, f"epoch {epoch:,} kept", class_="end" if left else ""
    )
    return join(tag("path", d=f"M{place:g} {axes.y.end:g}V{axes.y.start:g}", class_="line kept"), words)


def _told(series: str, name: str, epochs: Sequence[float], values: Values) -> str:
    """A curve in words: where it begins, its lowest and highest, where it ends."""
    there = [(epoch, value) for epoch, value in zip(epochs, values, strict=True) if value is not None]
    if not there:
        return f"{series}: no finite {name}."
    low, high = min(there, key=lambda each: each[1]), max(there, key=lambda each: each[1])
    what = name if series == name else f"{series} {name}"
    return (
        f"{what} from {number(there[0][1])} at epoch {number(there[0][0])} to {number(there[-1][1])} at epoch "
        f"{number(there[-1][0])}; lowest {number(low[1])} (epoch {number(low[0])}), highest {number(high[1])} "
        f"(epoch {number(high[0])})."
    ).capitalize()


def _numbers(history: History, epochs: Sequence[float]) -> Html:
    """The curves as a table."""
    columns = [Column(name.replace("_", " ", 1) if name == "learning_rate" else name, numeric=True) for name in history]
    places = drawing.thinned(epochs, _ROWS)
    rows: list[list[Child]] = [
        [number(epochs[place]), *(shown(values[place]) for name, values in history.items() if name != "epoch")]
        for place in places
    ]
    left_out = f" {len(places)} of {len(epochs):,} epochs." if len(places) < len(epochs) else ""
    return folded("Numbers by epoch", table(f"History of the training.{left_out}", columns, rows), printed=False)


def _over_folds(folds: Sequence[FoldRun]) -> Html:
    """Panels with a thin line for each fold and a thick one for their median."""
    with_history = [fold for fold in folds if fold.history]
    panels = [panel for panel in _panels(with_history[0].history, "choosing rows") if panel.name != _RATE]
    drawn = [_fold_panel(f"fold-curve-{place}", panel, with_history) for place, panel in enumerate(panels)]
    return join(
        heading(f"All {len(with_history)} folds") if len(drawn) else None,
        tag("div", drawn, class_="figures", data_linked=True),
    )


def _fold_panel(key: str, panel: Panel, folds: Sequence[FoldRun]) -> Html:
    longest = max(len(fold.history["epoch"]) for fold in folds)
    places = drawing.thinned(range(longest), _FOLD_POINTS)
    across = [place + 1.0 for place in places]
    by_tone = {
        tone: [_at(fold.history.get(column) or (), places) for fold in folds]
        for tone, (column, _) in panel.columns.items()
    }
    middles = {tone: [_median(values) for values in zip(*lines, strict=True)] for tone, lines in by_tone.items()}
    axes, note = _axes(across, [line for lines in by_tone.values() for line in lines], panel.name)
    thin = [
        drawing.line(_inside(across, values, axes), axes.x, axes.y, f"thin {tone}")
        for tone, lines in by_tone.items()
        for values in lines
    ]
    thick = [
        drawing.line(_inside(across, line, axes), axes.x, axes.y, f"thick {tone}") for tone, line in middles.items()
    ]
    names = {tone: f"{words}, median" for tone, (_, words) in panel.columns.items()}
    series = [(names[tone], tone, _spread_said(by_tone[tone], middles[tone], axes)) for tone in by_tone]
    told = [_told(names[tone], panel.name, across, middles[tone]) for tone in by_tone]
    picture = axes.picture(
        thin,
        thick,
        title=f"{panel.name} by epoch, {len(folds)} folds",
        words=" ".join(told),
    )
    return figure(
        key,
        picture,
        f"Thin: each fold; thick: the median of those still training.{note}",
        legend=[Legend(words, tone) for tone, words in names.items()],
        reading=Reading("epoch", [axes.x(each) for each in across], [number(each) for each in across], series),
    )


def _at(values: Values, places: Sequence[int]) -> list[float | None]:
    return [values[place] if place < len(values) else None for place in places]


def _median(values: Iterable[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return median(there) if there else None


def _spread_said(lines: Sequence[Values], middles: Values, axes: Frame) -> list[tuple[float, str] | None]:
    """The median at each epoch with the range and the count of folds."""
    said: list[tuple[float, str] | None] = []
    for middle, values in zip(middles, zip(*lines, strict=True), strict=True):
        there = [value for value in values if value is not None]
        words = (
            f"{number(middle)} ({number(min(there))} to {number(max(there))}, {len(there)} folds)"
            if there and middle is not None
            else NONE
        )
        said.append((axes.y.inside(middle), words) if middle is not None else None)
    return said
