"""Plots as files."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.problems import DlcliError
from dlcli.report import axes, class_plots, training_plots
from dlcli.report.plots import plot_rate_range, write_plots
from dlcli.report.run_files import read_run
from dlcli.task import Goal, Task
from tests.report import runs

RATES = np.geomspace(1e-4, 1, 30)
LOSSES = np.r_[np.linspace(1, 0.2, 25), 0.3, 0.6, 2, 50, np.nan]
SMOOTHED = np.r_[np.linspace(1, 0.3, 25), np.linspace(0.3, 1, 5)]
HOSTILE = ("$x$", "_hidden", "a\nb" * 40, runs.HOSTILE, "")


def plot(path: Path) -> None:
    plot_rate_range(path, RATES, LOSSES, SMOOTHED, {"0.01: here": 0.01, "0.003: or here": 0.003})


def drawn(folder: Path) -> set[str]:
    return {path.stem for path in write_plots(read_run(folder), folder)}


def ink(path: Path) -> float:
    """The share of a picture that is not white."""
    from matplotlib.image import imread

    return float((imread(path)[..., :3] < 0.9).any(axis=-1).mean())


def test_a_rate_range_becomes_a_png_with_ink_in_it(tmp_path: Path) -> None:
    from matplotlib.image import imread

    plot(tmp_path / "curve.png")
    height, width = imread(tmp_path / "curve.png").shape[:2]
    assert (height, width) == (630, 1050)
    assert 0.01 < ink(tmp_path / "curve.png") < 0.5


def test_the_same_curve_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("first.png", "again.png"):
        plot(tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_a_file_that_cannot_be_written_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(DlcliError, match="cannot write") as error:
        plot(tmp_path / "nowhere" / "curve.png")
    assert error.value.problems[0].suggestion == "name another file with --plot"


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            runs.classification,
            {"curves", "importance", "calibration-test"}
            | {f"{name}-{of}" for name in ("confusion", "roc", "precision-recall") for of in ("test", "validation")},
        ),
        (
            runs.multilabel,
            {"curves", *(f"{n}-validation" for n in ("confusion", "roc", "precision-recall", "calibration"))},
        ),
        (runs.regression, {"curves", "residuals-validation"}),
        (runs.kfold, {"curves", "folds", "residuals-out-of-fold"}),
        (runs.minimal, set()),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_run_has_the_plots_that_its_scores_tell_of(
    tmp_path: Path, make: Callable[[Path], Path], expected: set[str]
) -> None:
    folder = make(tmp_path)
    assert drawn(folder) == expected
    for path in (folder / "plots").iterdir():
        assert 0.005 < ink(path) < 0.9


def test_a_failed_run_has_its_curves(tmp_path: Path) -> None:
    goal, epochs = Goal(Task.BINARY, ("y",), ("a", "b")), runs.history(1, ["accuracy"])
    folder = runs.write(tmp_path, None, goal=goal, status="failed", epochs=epochs)
    assert drawn(folder) == {"curves"}


@pytest.mark.parametrize("make", [runs.classification, runs.multilabel], ids=["classes", "labels"])
def test_names_from_data_are_never_read_as_formulas_or_left_out(tmp_path: Path, make: Callable[..., Path]) -> None:
    assert drawn(make(tmp_path, HOSTILE[:3]))


def test_a_name_is_cut_and_made_plain() -> None:
    assert axes.said("$x$") == r"\$x\$"
    assert axes.said("_hidden").strip("\u200b") == "_hidden"
    assert not axes.said("_hidden").startswith("_")
    assert "\n" not in axes.said(HOSTILE[2])
    assert len(axes.said(HOSTILE[2])) == 30
    assert axes.said("") == "(empty)"


def test_letters_that_the_font_lacks_are_no_warning(tmp_path: Path) -> None:
    folder = runs.classification(tmp_path, ("漢字", "ქართული"))
    _, figure = next(class_plots.confusion(read_run(folder)))
    axes.save(figure, tmp_path / "confusion.png")


def test_names_are_left_out_where_there_is_no_room_for_them(tmp_path: Path) -> None:
    for count, named in ((20, True), (60, False)):
        folder = runs.classification(tmp_path / str(count), tuple(f"class {number}" for number in range(count)))
        _, figure = next(class_plots.confusion(read_run(folder)))
        assert ("class 1" in [label.get_text() for label in figure.axes[0].get_yticklabels()]) == named


def test_a_plot_says_the_numbers_of_the_scores(tmp_path: Path) -> None:
    run = read_run(runs.kfold(tmp_path))
    _, figure = next(training_plots.folds(run))
    (dots,) = [each for each in figure.axes[0].collections if each.get_label() == "folds"]
    assert [x for x, _ in dots.get_offsets()] == run.scores["folds"][0]["folds"]


def test_plots_written_again_are_the_same_files(tmp_path: Path) -> None:
    folder = runs.regression(tmp_path)
    found: list[dict[str, Any]] = []
    for _ in range(2):
        drawn(folder)
        found.append({path.name: path.read_bytes() for path in (folder / "plots").iterdir()})
    assert found[0] == found[1]


def test_drawing_needs_no_window_and_no_global_state() -> None:
    code = (
        "import sys, pathlib, tempfile, numpy as np; from dlcli.report.plots import plot_rate_range as plot\n"
        "assert 'matplotlib' not in sys.modules\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    plot(pathlib.Path(folder, 'a.png'), np.array([.1, 1]), np.ones(2), np.ones(2), {})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
