"""Figures: a drawing with its caption, the same said in words, and what a reader finds by hovering or with keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dlcli.numbers import number
from dlcli.report import drawing
from dlcli.report.drawing import WIDTH, Frame, Picture, Scale
from dlcli.report.elements import NONE
from dlcli.report.markup import Child, Html, in_script, join, tag

_ROW = 26
"""Units from one row of a dot plot to the next."""


@dataclass(frozen=True, slots=True)
class Legend:
    """What one tone of a figure stands for; `mark`: drawn as a "line", a "dot" or an "area"."""

    words: str
    tone: str
    mark: str = "line"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a figure says at each of some positions across.

    Attributes:
        what: is read across, e.g. "epoch".
        places: in units, rising.
        heads: the value at each position, in words.
        series: by name and tone: the height in units and the words at each position, None where there is none.
    """

    what: str
    places: Sequence[float]
    heads: Sequence[str]
    series: Sequence[tuple[str, str, Sequence[tuple[float, str] | None]]]


def figure(
    key: str,
    picture: Picture,
    caption: Child,
    *,
    legend: Sequence[Legend] = (),
    reading: Reading | None = None,
    class_: str = "",
) -> Html:
    """A figure.

    Args:
        key: its id in the page.
        picture: what is drawn.
        caption: what it shows and what to see in it.
        legend: what its tones stand for.
        reading: what is said at each position.
        class_: of the figure.
    """
    drawn = tag(
        "svg",
        tag("title", picture.title, id=f"{key}-title"),
        tag("desc", picture.words, id=f"{key}-words"),
        picture.marks,
        viewBox=f"0 0 {WIDTH} {picture.height:g}",
        role="img",
        aria_labelledby=f"{key}-title",
        aria_describedby=f"{key}-words",
    )
    keys = tag("ul", [tag("li", _swatch(each), each.words) for each in legend], class_="legend") if legend else None
    data = tag("script", _reading(reading), type="application/json", data_reading=True) if reading else None
    return tag("figure", keys, drawn, data, tag("figcaption", caption), id=key, class_=class_ or None)


def _swatch(entry: Legend) -> Html:
    drawn = {
        "line": tag("path", d="M0 6H24", class_=f"line {entry.tone}"),
        "dot": tag("circle", cx=12, cy=6, r=4, class_=f"dot {entry.tone}"),
        "area": tag("rect", x=4, y=0, width=16, height=12, class_=f"area {entry.tone}"),
    }[entry.mark]
    return tag("svg", drawn, viewBox="0 0 24 12", class_="swatch", aria_hidden="true")


def _reading(reading: Reading) -> Html:
    series = [
        {"name": name, "tone": tone, "at": [at and at[0] for at in found], "words": [at and at[1] for at in found]}
        for name, tone, found in reading.series
    ]
    return in_script(
        {"what": reading.what, "places": list(reading.places), "heads": list(reading.heads), "series": series}
    )


@dataclass(frozen=True, slots=True)
class Estimate:
    """A row of a dot plot: a value with its interval, or several values side by side.

    Attributes:
        words: what is estimated.
        value: the estimate; None where there is none.
        low, high: its interval, None where there is none.
        dots: single values behind it.
        tone: how it is drawn.
        star: whether its rows chose something.
    """

    words: str
    value: float | None
    low: float | None = None
    high: float | None = None
    dots: Sequence[float] = ()
    tone: str = "model"
    star: bool = False

    def said(self) -> str:
        """The row in words."""
        if self.value is None:
            return f"{self.words}: no value"
        star = " (these rows chose something)" if self.star else ""
        interval = "" if self.low is None or self.high is None else f", {number(self.low)} to {number(self.high)}"
        return f"{self.words}: {number(self.value)}{interval}{star}"


def dot_plot(
    key: str,
    rows: Sequence[Estimate],
    caption: Child,
    *,
    title: str,
    axis: str,
    reference: tuple[float, str] | None = None,
    legend: Sequence[Legend] = (),
    class_: str = "",
) -> Html:
    """Estimates as dots with whiskers over one axis, a row each.

    Args:
        key: its id in the page.
        rows: from top to bottom.
        caption: what it shows.
        title: a name, read out.
        axis: what is measured.
        reference: a value to compare with, drawn through all rows, and its name.
        legend: what its tones stand for.
        class_: of the figure.
    """
    left = min(140.0, 12 + max(drawing.width_of(row.words + "*") for row in rows))
    across = drawing.scale(_ends(rows, reference), left + 8, WIDTH - 68, room=0.06)
    bottom = 20 + _ROW * len(rows)
    marks = [_dot_row(row, across, left, 26 + _ROW * place) for place, row in enumerate(rows)]
    beyond = f"; {reference[1]}: {number(reference[0])}" if reference else ""
    return figure(
        key,
        Picture(
            [_axis_below(across, bottom, axis), _reference(reference, across, bottom), marks],
            bottom + 40,
            title,
            "; ".join(row.said() for row in rows) + beyond + ".",
        ),
        caption,
        legend=legend,
        class_=class_,
    )


def _ends(rows: Sequence[Estimate], reference: tuple[float, str] | None) -> list[float | None]:
    ends = [end for row in rows for end in (row.value, row.low, row.high, *row.dots)]
    return [*ends, reference[0] if reference else None]


def _axis_below(across: Scale, bottom: float, axis: str) -> Html:
    ticks = [
        join(
            tag("path", d=f"M{across(tick):g} 12V{bottom:g}", class_="grid"),
            drawing.label(across(tick), bottom + 15, number(tick), class_="middle"),
        )
        for tick in across.ticks(4)
    ]
    name = drawing.label((across.start + across.end) / 2, bottom + 33, axis, class_="name middle")
    return join(ticks, tag("path", d=f"M{across.start:g} {bottom:g}H{across.end:g}", class_="axis"), name)


def _reference(reference: tuple[float, str] | None, across: Scale, bottom: float) -> Html | None:
    if reference is None:
        return None
    place = across(reference[0])
    return tag("path", tag("title", reference[1]), d=f"M{place:g} 8V{bottom:g}", class_="line baseline")


def _dot_row(row: Estimate, across: Scale, left: float, y: float) -> Html:
    name = drawing.label(left, y + 4, row.words, class_="end ink", room=left - 4)
    if row.value is None:
        return join(name, drawing.label(WIDTH - 4, y + 4, NONE, class_="end"))
    dots = [drawing.dot(across(value), y + 7, f"single {row.tone}", number(value), 2.5) for value in row.dots]
    interval = None
    if row.low is not None and row.high is not None:
        interval = drawing.whisker(across(row.low), across(row.high), y, row.tone)
    shown = drawing.label(WIDTH - 4, y + 4, number(row.value) + "*" * row.star, class_="end ink strong")
    return join(name, dots, interval, drawing.dot(across(row.value), y, row.tone, row.said(), 4.5), shown)


def spark(value: float | None, low: float | None, high: float | None, reference: float | None, across: Scale) -> Html:
    """A dot with its whisker, small enough for a cell; the reference is an upright stroke."""
    if value is None:
        return tag("span", NONE)
    said = number(value)
    if low is not None and high is not None:
        said += f", interval {number(low)} to {number(high)}"
    if reference is not None:
        said += f", baseline {number(reference)}"
    mark = None
    if reference is not None:
        mark = tag("path", d=f"M{across(reference):g} 1V19", class_="line baseline")
    interval = None if low is None or high is None else drawing.whisker(across(low), across(high), 10, "model")
    size = f"{across.start - 6:g} 0 {across.end - across.start + 12:g} 20"
    inside = (tag("title", said), mark, interval, drawing.dot(across(value), 10, "model"))
    return tag("svg", inside, viewBox=size, class_="spark", role="img")


def bars(edges: Sequence[float], counts: Sequence[float], axes: Frame, tone: str) -> Html:
    """A histogram in a frame, each bar with its count on hover."""
    drawn = []
    for low, high, count in zip(edges[:-1], edges[1:], counts, strict=True):
        top = axes.y(count)
        said = f"{number(low)} to {number(high)}: {number(count)}"
        wide = max(0.5, axes.x(high) - axes.x(low) - 1)
        place = {"x": axes.x(low), "y": top, "width": round(wide, 1), "height": round(axes.y.start - top, 1)}
        drawn.append(tag("rect", tag("title", said), class_=f"area {tone}", **place))
    return join(drawn)
