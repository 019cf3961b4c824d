"""Curves in text: a chart of one series, and a line of blocks. Plain characters, so that pipes and files take them."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise

from rich.console import Console

from dlcli.terminal.numbers import number

WIDTH = 80
"""Most columns of a chart: a line this long is readable everywhere."""
_LEAST_COLUMNS = 10
_TICKS = 4
_BLOCKS = "▁▂▃▄▅▆▇█"
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
    values = [value for _, value in points]
    low, high = min(values), max(values)
    low = low if lowest is None else min(low, lowest)
    if low == high:
        low, high = low - (abs(low) or 1.0) / 2, high + (abs(high) or 1.0) / 2
    marks = {height - 1 - round(step * (height - 1) / _TICKS): step / _TICKS for step in range(_TICKS + 1)}
    names = {row: number(low + (high - low) * share) for row, share in marks.items()}
    margin = max(map(len, names.values())) + 1
    columns = max(_LEAST_COLUMNS, width - margin - 1)
    rows = [height - 1 - round((each - low) / (high - low) * (height - 1)) for each in _resampled(points, columns + 1)]
    lines = [y_label.rjust(margin).rstrip()] if y_label else []
    for row, cells in enumerate(_cells(rows, height)):
        lines.append(f"{names.get(row, ''):>{margin - 1}} {'┤' if row in names else '│'}{cells}".rstrip())
    return "\n".join(lines + _x_axis(points[0][0], points[-1][0], margin, columns, x_label, log_x=log_x))


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
        at = first + (last - first) * place / (count - 1)
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
