"""Charts in text."""

import io
import math

import pytest
from rich.console import Console

from dlcli.terminal.curves import chart, overlay, printable, room, sparkline


def test_a_line_over_labelled_axes():
    drawn = chart([0, 1, 2, 3, 4], [0, 1, 2, 1, 0], width=27, height=5, x_label="epoch", y_label="rate")
    assert drawn.split("\n") == [
        "rate",
        "  2 ┤         ╭──╮",
        "1.5 ┤      ╭──╯  ╰──╮",
        "  1 ┤    ╭─╯        ╰─╮",
        "0.5 ┤ ╭──╯            ╰──╮",
        "  0 ┤─╯                  ╰─",
        "    └┬────┬────┬─────┬────┬",
        "     0    1    2     3    4",
        "             epoch",
    ]


def test_a_jump_is_a_vertical_line():
    drawn = chart([0, 1, 1, 2], [3, 3, 1, 1], width=14, height=5)
    assert [line[5:] for line in drawn.split("\n")[:5]] == ["─────╮", "     │", "     │", "     │", "     ╰────"]


def test_values_that_are_not_finite_are_left_out():
    drawn = chart([1, 2, 3, 4], [1, 2, 3, math.inf], width=30, height=3)
    assert drawn == chart([1, 2, 3], [1, 2, 3], width=30, height=3)
    assert chart([1, 2], [math.nan, math.nan], y_label="loss") == "loss: no finite value"


def test_equal_ratios_are_equally_wide_on_a_logarithmic_axis():
    ticks = chart([1e-4, 1e-2, 1], [3, 2, 1], width=60, height=3, log_x=True).split("\n")[-1]
    assert ticks.split() == ["0.0001", "0.001", "0.01", "0.1", "1"]


def test_the_axis_reaches_down_to_the_lowest_value_asked_for():
    assert "  0 ┤" in chart([0, 1], [5, 6], lowest=0.0, width=40)
    assert "  0 ┤" not in chart([0, 1], [5, 6], width=40)


@pytest.mark.parametrize("values", [[2.0, 2.0], [0.0, 0.0], [-3.0]])
def test_a_constant_is_a_level_line(values):
    drawn = chart(list(range(len(values))), values, width=40, height=5)
    assert sum("───" in line for line in drawn.split("\n")) == 2  # the line and the axis


@pytest.mark.parametrize("width", [20, 40, 80])
def test_no_line_is_longer_than_the_width(width):
    numbers = [math.sin(step / 7) * 1e-5 for step in range(200)]
    drawn = chart(list(range(200)), numbers, width=width, x_label="step", y_label="value")
    assert max(map(len, drawn.split("\n"))) <= max(width, 22)


def test_several_series_stand_over_the_same_axes():
    falls, rises = [(1, 4), (2, 2), (3, 0)], [(1, 0), (2, 2)]
    drawn = overlay({"falls": falls, "rises": rises}, width=16, height=5, x_label="epoch", y_label="loss")
    assert drawn.split("\n") == [
        "1 falls   2 rises   + several",
        "loss",
        "4 ┤11",
        "3 ┤  111",
        "2 ┤     ++1",
        "1 ┤  222   111",
        "0 ┤22         11",
        "  └┬──┬──┬──┬──┬",
        "   1 1.5 2 2.5 3",
        "       epoch",
    ]


def test_series_without_finite_values_are_left_out():
    assert overlay({"a": [(1, math.nan)]}, y_label="loss") == "loss: no finite value"
    assert overlay({"a": [(1, math.nan)], "b": [(1, 2), (2, 1)]}).startswith("1 b\n")


def test_a_sparkline_goes_from_the_smallest_to_the_largest():
    assert sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([0, 0, 8, 8], 2) == "▁█"
    assert sparkline([1, math.nan, 2], 9) == "▁ █"
    assert sparkline([5, 5], 9) == "▅▅"
    assert sparkline([], 9) == sparkline([math.nan], 9) == ""


def console(encoding: str) -> Console:
    return Console(file=io.TextIOWrapper(io.BytesIO(), encoding=encoding), width=200)


def test_lines_and_blocks_become_ascii_where_the_output_cannot_hold_them():
    drawn = chart([0, 1, 2], [0, 2, 1], width=40) + sparkline([0, 1, 2, 3, 4, 5, 6, 7], 8)
    assert printable(drawn, console("utf-8")) == drawn
    assert printable(drawn, console("ascii")).isascii()
    assert printable(drawn, console("cp1252")).isascii()


def test_a_chart_takes_no_more_than_80_columns():
    assert room(console("utf-8")) == 80
    assert room(Console(width=60)) == 60
