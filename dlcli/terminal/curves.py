"""Curves in text, one or several, and a line of blocks. Plain characters, so that pipes and files take them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise

from rich.console import Console

from dlcli.numbers import number

WIDTH = 80
"""Most columns of a chart: a line this long is readable everywhere."""
_LEAST_COLUMNS = 10
_TICKS = 4
_BLOCKS = "▁▂▃▄▅▆▇█"
_SIGNS = "123456789abcdefghijklmnopqrstuvwxyz"
_SEVERAL = "+"
_ASCII = str.maketrans("─│╭╮╰╯┤└┬▁▂▃▄▅▆▇█", "-|..''|++__..--==")


def chart(
    x: Sequence[float],
    y: Sequence[float],
    *,
    width: int = WIDTH,
    height: int = 13,
    x_label: str = "",
    y_label: str = "",
    lowest: float | None = None,
    log_x: bool = False,
) -> str:
    """One series as a line over labelled axes.

    Args:
        x: positions, rising; above 0 with `log_x`.
        y: a value per position; those that are not finite are left out.
        width: columns of the whole chart.
        height: lines of the curve, without the axis below.
        x_label: stands below the axis.
        y_label: stands above the chart.
        lowest: a value that the y axis reaches down to at least.
        log_x: whether equal ratios of x, not equal differences, are equally wide.
    """
    points = [(math.log10(a) if log_x else a, b) for a, b in zip(x, y, strict=True) if math.isfinite(b)]
    if not points:
        return f"{y_label}: no finite value".lstrip(": ")
    frame = _Frame([points], width, height, lowest)
    rows = [frame.row(value) for value in _resampled(points, frame.columns + 1)]
    return frame.around(_cells(rows, height), x_label, y_label, log_x=log_x)


def overlay(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    width: int = WIDTH,
    height: int = 13,
    x_label: str = "",
    y_label: str = "",
) -> str:
    """Several series over the same axes, each drawn with its own sign; a legend above says which.

    Args:
        series: points by name, positions rising; those that are not finite are left out.
        width: as of `chart`, as the next three.
        height: as of `chart`.
        x_label: as of `chart`.
        y_label: as of `chart`.
    """
    finite = {name: [point for point in points if math.isfinite(point[1])] for name, points in series.items()}
    shown = {name: points for name, points in finite.items() if points}
    if not shown:
        return f"{y_label}: no finite value".lstrip(": ")
    frame = _Frame(list(shown.values()), width, height)
    grid = [[" "] * frame.columns for _ in range(height)]
    for sign, points in zip(_SIGNS, shown.values(), strict=False):
        start, end = frame.column(points[0][0]), frame.column(points[-1][0])
        rows = [frame.row(value) for value in _resampled(points, end - start + 1)]
        for place, row in enumerate(rows):
            before = rows[max(0, place - 1)]
            for cell in {row, *range(row, before, 1 if before > row else -1)}:
                taken = grid[cell][start + place]
                grid[cell][start + place] = sign if taken in (" ", sign) else _SEVERAL
    legend = [f"{sign} {name}" for sign, name in zip(_SIGNS, shown, strict=False)]
    legend += [f"{_SEVERAL} several"] if any(_SEVERAL in line for line in grid) else []
    drawn = frame.around(["".join(line) for line in grid], x_label, y_label)
    return "   ".join(legend) + "\n" + drawn


class _Frame:
    """Axes around a drawing of points, and where these fall in it."""

    def __init__(
        self, series: Sequence[Sequence[tuple[float, float]]], width: int, height: int, lowest: float | None = None
    ) -> None:
        places = [place for points in series for place, _ in points]
        values = [value for points in series for _, value in points]
        self.first, self.last = min(places), max(places)
        low, high = min(values), max(values)
        low = low if lowest is None else min(low, lowest)
        if low == high:
            low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
        self.low, self.high, self.height = low, high, height
        marks = {height - 1 - round(step * (height - 1) / _TICKS): step / _TICKS for step in range(_TICKS + 1)}
        self._names = {row: number(low + (high - low) * share) for row, share in marks.items()}
        self._margin = max(map(len, self._names.values())) + 1
        self.columns = max(_LEAST_COLUMNS, width - self._margin - 1)

    def row(self, value: float) -> int:
        """The line of a value, from the top."""
        return self.height - 1 - round((value - self.low) / (self.high - self.low) * (self.height - 1))

    def column(self, place: float) -> int:
        """The column of a position, from the left."""
        return round((place - self.first) / ((self.last - self.first) or 1.0) * (self.columns - 1))

    def around(self, cells: Sequence[str], x_label: str, y_label: str, *, log_x: bool = False) -> str:
        """The drawing between its axes."""
        margin, names = self._margin, self._names
        lines = [y_label.rjust(margin).rstrip()] if y_label else []
        for row, line in enumerate(cells):
            lines.append(f"{names.get(row, ''):>{margin - 1}} {'┤' if row in names else '│'}{line}".rstrip())
        return "\n".join(lines + _x_axis(self.first, self.last, margin, self.columns, x_label, log_x=log_x))


def sparkline(values: Sequence[float], width: int) -> str:
    """Values as a line of blocks from the smallest to the largest; a blank where a value is not finite."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite or width < 1:
        return ""
    low, spread = min(finite), max(finite) - min(finite)
    width = min(width, len(values))
    line = ""
    for place in range(width):
        value = values[place * len(values) // width]
        share = (value - low) / spread if spread else 0.5
        line += _BLOCKS[min(int(share * len(_BLOCKS)), len(_BLOCKS) - 1)] if math.isfinite(value) else " "
    return line


def room(console: Console) -> int:
    """Columns that a chart may take on a console."""
    return min(WIDTH, console.width)


def printable(text: str, console: Console) -> str:
    """The text in characters that the console can encode: lines and blocks become ASCII where they must."""
    return text.translate(_ASCII) if console.options.ascii_only else text


def _resampled(points: Sequence[tuple[float, float]], count: int) -> list[float]:
    """Values at equally spaced positions, in straight lines between the points."""
    positions = [position for position, _ in points]
    first, last = positions[0], positions[-1]
    found = []
    for place in range(count):
        at = first + (last - first) * place / max(1, count - 1)
        right = min(bisect_left(positions, at), len(points) - 1)
        left = max(0, right - 1)
        (a, low), (b, high) = points[left], points[right]
        share = min(1.0, max(0.0, (at - a) / (b - a))) if b > a else 1.0
        found.append(low + (high - low) * share)
    return found


def _cells(rows: Sequence[int], height: int) -> list[str]:
    """A line through the row of each column, drawn from one column's row to the next one's."""
    grid = [[" "] * (len(rows) - 1) for _ in range(height)]
    for column, (here, there) in enumerate(pairwise(rows)):
        if here == there:
            grid[here][column] = "─"
            continue
        falls = there > here
        grid[here][column] = "╮" if falls else "╯"
        grid[there][column] = "╰" if falls else "╭"
        for between in range(min(here, there) + 1, max(here, there)):
            grid[between][column] = "│"
    return ["".join(line) for line in grid]


def _x_axis(first: float, last: float, margin: int, columns: int, label: str, *, log_x: bool) -> list[str]:
    """The axis with its numbers, and the label below its middle."""
    axis, names = ["─"] * columns, [" "] * (margin + columns + 1)
    for tick in range(_TICKS + 1):
        column = round(tick * (columns - 1) / _TICKS)
        axis[column] = "┬"
        at = first + (last - first) * tick / _TICKS
        name = number(10**at if log_x else at)
        start = min(max(0, margin + 1 + column - len(name) // 2), len(names) - len(name))
        if all(sign == " " for sign in names[max(0, start - 1) : start + len(name)]):
            names[start : start + len(name)] = name
    lines = [" " * margin + "└" + "".join(axis), "".join(names).rstrip()]
    return [*lines, (" " * (margin + 1) + label.center(columns)).rstrip()] if label else lines
