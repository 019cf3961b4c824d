"""Drawing in SVG: scales, axes and marks. Colours and line styles are the style sheet's; a mark only names its tone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dlcli.numbers import number
from dlcli.report.markup import Child, Html, join, tag

WIDTH = 380
"""Units across a figure; a phone shows about as many pixels, so text stays readable there."""
_CHARACTER = 6.6
"""Units that a character takes on average."""
_MOST_TICKS = 5
_EQUAL, _NOTHING = 1e-12, 1e-280
"""Values this close to each other, relative to their size, or to 0, are drawn as equal."""
_MAGNITUDES = (1.0, 2.0, 2.5, 5.0, 10.0)

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to places: `low` lies at `start`, `high` at `end`, in between in proportion or, with `log`, in ratio."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """The place of a value, inside the scale or beyond its ends."""
        low, high, at = (math.log(each) if self.log else each for each in (self.low, self.high, value))
        return round(self.start + (at - low) / (high - low) * (self.end - self.start), 1)

    def inside(self, value: float) -> float:
        """The place of a value; those beyond an end lie at the end."""
        return self(min(max(value, self.low), self.high))

    def ticks(self, most: int = _MOST_TICKS, *, whole: bool = False) -> list[float]:
        """Round values inside, few enough to be labelled; with `whole` whole numbers alone."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            powers = [10.0**power for power in range(first, last + 1, max(1, -(-(last - first) // most)))]
            if len(powers) > 1:
                return powers
        step = _round_step((self.high - self.low) / most)
        step = max(1.0, step) if whole else step
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first
        return [float(f"{(first + place) * step:.12g}") for place in range(count + 1)]


def scale(values: Iterable[float | None], start: float, end: float, *, log: bool = False, room: float = 0.04) -> Scale:
    """A scale that holds all values, with some room beyond them."""
    found = [value for value in values if value is not None and math.isfinite(value)] or [0.0, 1.0]
    low, high = min(found), max(found)
    if log:
        margin = (high / low) ** room if high > low else 2.0
        return Scale(low / margin, high * margin, start, end, log=True)
    size = max(abs(low), abs(high))
    margin = (high - low) * room
    if high - low <= _EQUAL * size or size < _NOTHING:
        margin = size / 2 if size >= _NOTHING else 0.5
    return Scale(low - margin, high + margin, start, end)


def _round_step(least: float) -> float:
    power = 10.0 ** math.floor(math.log10(least))
    return next(factor for factor in _MAGNITUDES if factor * power >= least * (1 - 1e-9)) * power


def fitted(words: str, room: float) -> str:
    """Words cut to a width in units."""
    most = max(1, int(room / _CHARACTER))
    return words if len(words) <= most else words[: most - 1] + "…"


def width_of(words: str) -> float:
    """About how many units words take."""
    return len(words) * _CHARACTER


def label(x: float, y: float, words: str, *, class_: str = "", room: float = WIDTH) -> Html:
    """Words at a place; what does not fit the room is cut, and said in full on hover."""
    shown = fitted(words, room)
    return tag("text", shown, tag("title", words) if shown != words else None, x=x, y=y, class_=class_ or None)


def line(points: Iterable[tuple[float, float | None]], x: Scale, y: Scale, tone: str) -> Html:
    """A line through points; where a value is missing, it has a gap."""
    path, pen = [], "M"
    for across, up in points:
        if up is None:
            pen = "M"
            continue
        path.append(f"{pen}{x(across):g} {y(up):g}")
        pen = "L"
    return tag("path", d="".join(path), class_=f"line {tone}") if path else Html("")


def dot(x: float, y: float, tone: str, said: str = "", radius: float = 3.5) -> Html:
    """A dot, with words that appear on hover."""
    return tag("circle", tag("title", said) if said else None, cx=x, cy=y, r=radius, class_=f"dot {tone}")


def segment(start: Point, end: Point, tone: str) -> Html:
    """A straight line between two places."""
    return tag("path", d=f"M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}", class_=f"line {tone}")


def whisker(low: float, high: float, y: float, tone: str) -> Html:
    """An interval: a level line with an upright stroke at each end."""
    path = f"M{low:g} {y:g}H{high:g}M{low:g} {y - 4:g}v8M{high:g} {y - 4:g}v8"
    return tag("path", d=path, class_=f"whisker {tone}")


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing, and what it says to those who cannot see it.

    Attributes:
        marks: SVG within WIDTH x `height` units.
        height: in units.
        title: a name, read out in its place.
        words: its numbers in words, read out after the title.
    """

    marks: Child
    height: float
    title: str
    words: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A rectangle with two axes, in which marks are drawn."""

    x: Scale
    y: Scale
    x_label: str
    y_label: str
    height: float
    whole_x: bool = False

    def picture(self, *marks: Child, title: str, words: str) -> Picture:
        """The axes with their ticks, and the marks over them."""
        x, y = self.x, self.y
        level = [self._level(tick) for tick in y.ticks()]
        upright = [self._upright(tick) for tick in x.ticks(whole=self.whole_x)]
        edge = tag("path", d=f"M{x.start:g} {y.end:g}V{y.start:g}H{x.end:g}", class_="axis")
        names = (
            label(x.start, y.end - 9, self.y_label, class_="name"),
            label(x.end, y.start + 33, self.x_label, class_="name end"),
        )
        return Picture([level, upright, edge, names, marks], self.height, title, words)

    def _level(self, tick: float) -> Html:
        place = self.y(tick)
        drawn = tag("path", d=f"M{self.x.start:g} {place:g}H{self.x.end:g}", class_="grid")
        return join(drawn, label(self.x.start - 6, place + 4, number(tick), class_="end"))

    def _upright(self, tick: float) -> Html:
        place, bottom = self.x(tick), self.y.start
        drawn = tag("path", d=f"M{place:g} {bottom:g}v4", class_="axis")
        return join(drawn, label(place, bottom + 17, number(tick), class_="middle"))


def frame(
    xs: Iterable[float | None],
    ys: Iterable[float | None],
    *,
    x_label: str,
    y_label: str,
    height: float = 260,
    log_y: bool = False,
    whole_x: bool = False,
    room: tuple[float, float] = (0.02, 0.05),
) -> Frame:
    """A frame around all values.

    Args:
        xs: what must lie inside, across.
        ys: the same, up.
        x_label: stands at the end of the axis.
        y_label: the same, up.
        height: of the whole figure, in units.
        log_y: whether equal ratios, not differences, are equally high.
        whole_x: whether only whole numbers are marked across.
        room: how much of the range lies free beyond the values, across and up.
    """
    y = scale(ys, height - 44, 26, log=log_y, room=room[1])
    left = 14 + max((width_of(number(tick)) for tick in y.ticks()), default=0.0)
    return Frame(scale(xs, left, WIDTH - 14, room=room[0]), y, x_label, y_label, height, whole_x)


def thinned(positions: Sequence[float], count: int) -> list[int]:
    """Indices of about `count` of the positions, evenly over their order, the first and the last among them."""
    if len(positions) <= count:
        return list(range(len(positions)))
    return sorted({round(place * (len(positions) - 1) / (count - 1)) for place in range(count)})
