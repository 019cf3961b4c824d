"""Problems as a person sees them."""

import io
import json

import pytest
from rich.cells import cell_len
from rich.console import Console

from dlcli.problems import Place, Problem
from dlcli.terminal.excerpts import draw, print_problems, problems_as_json

LINE = "architecture: [dense: 16, dropout: 1.5]"
MISTAKE = Problem(
    "value-out-of-range",
    "dropout rate must be at least 0 and below 1, got 1.5",
    "write a share, for example 0.15",
    ("architecture", 1, "dropout", "rate"),
    Place("configs/churn.yaml", 9, 36, 3, LINE),
)


def at(line: str, column: int, length: int, suggestion: str = "mend it") -> Problem:
    return Problem("code", "message", suggestion, (), Place("file.yaml", 7, column, length, line))


def test_a_problem_shows_place_sentence_excerpt_and_suggestion() -> None:
    assert draw(MISTAKE).plain.split("\n") == [
        "configs/churn.yaml:9:36 value-out-of-range: dropout rate must be at least 0 and below 1, got 1.5",
        "9 | architecture: [dense: 16, dropout: 1.5]",
        "                                       ^^^ write a share, for example 0.15",
    ]


def test_without_a_place_there_is_no_excerpt() -> None:
    found = Problem("no-such-run", "there is no run x", "did you mean y?")
    assert draw(found).plain == "no-such-run: there is no run x\n  did you mean y?"


def test_an_option_has_no_line() -> None:
    place = Place("--set seed=x", 1, 6, 1, "seed=x")
    assert draw(Problem("wrong-type", "no number", place=place)).plain.split("\n") == [
        "--set seed=x: wrong-type: no number",
        "1 | seed=x",
        "         ^",
    ]


@pytest.mark.parametrize(
    ("line", "column", "length", "cells_before", "cells"),
    [
        ("数据: x", 1, 2, 0, 4),
        ("数据: x", 5, 1, 6, 1),
        ("\tx", 2, 1, 4, 1),
        ("a\tb", 2, 1, 1, 4),
        ("é: x", 4, 1, 3, 1),
        ("", 1, 1, 0, 1),
        ("abc", 4, 1, 3, 1),
    ],
)
def test_the_underline_stands_below_the_place(
    line: str, column: int, length: int, cells_before: int, cells: int
) -> None:
    lines = draw(at(line, column, length)).plain.split("\n")
    if line:
        mark = lines[2].removesuffix(" mend it")
        assert mark == " " * (len("7 | ") + cells_before) + "^" * cells


@pytest.mark.parametrize("width", [30, 60, 100])
@pytest.mark.parametrize("column", [1, 50, 500, 900])
def test_long_lines_are_cut_around_the_place(width: int, column: int) -> None:
    line = "数" * 400 + "x" * 600
    excerpt, *marks = draw(at(line, column, 40, suggestion=""), width=width).plain.split("\n")[1:]
    assert cell_len(excerpt) <= width
    assert all(cell_len(mark) <= width for mark in marks)
    shown = excerpt[len(marks[0]) - len(marks[0].lstrip()) :] if "数" not in excerpt else excerpt
    assert ("x" if column > 400 else "数") in shown


def test_a_huge_line_is_drawn_at_once() -> None:
    text = draw(at("x" * 1_000_000, 500_000, 900_000), width=80).plain
    assert len(text) < 500


def test_what_could_move_the_cursor_is_not_printed() -> None:
    text = draw(Problem("code", "a \x1b[31m red", "\x07", (), Place("f\x1b", 1, 1, 3, "a\x1b[2Jb"))).plain
    assert "\x1b" not in text
    assert "\x07" not in text


def printed(problems: list[Problem], **options: object) -> str:
    stream = io.StringIO()
    print_problems(problems, console=Console(file=stream, width=100, **options))  # type: ignore[arg-type]
    return stream.getvalue()


def test_colours_are_for_terminals_only() -> None:
    assert "\x1b[" not in printed([MISTAKE])
    assert "\x1b[" in printed([MISTAKE], force_terminal=True)


def test_brackets_are_no_markup() -> None:
    assert "[bold]x[/bold]" in printed([Problem("code", "[bold]x[/bold]")])


def test_several_problems_are_counted() -> None:
    assert printed([MISTAKE, MISTAKE]).endswith("2 problems\n")
    assert "and 10 problems more" in printed([MISTAKE] * 60)


def test_json_holds_every_problem(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems([MISTAKE], as_json=True)
    (found,) = json.loads(capsys.readouterr().out)["problems"]
    assert found == {
        "code": "value-out-of-range",
        "message": "dropout rate must be at least 0 and below 1, got 1.5",
        "suggestion": "write a share, for example 0.15",
        "path": "architecture.1.dropout.rate",
        "file": "configs/churn.yaml",
        "line": 9,
        "column": 36,
        "length": 3,
        "excerpt": LINE,
    }


def test_json_cuts_huge_lines() -> None:
    (found,) = problems_as_json([at("x" * 10_000, 5, 2)])["problems"]
    assert len(found["excerpt"]) == 300
