"""Plots as files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlcli.problems import DlcliError
from dlcli.report.plots import plot_rate_range

RATES = np.geomspace(1e-4, 1, 30)
LOSSES = np.r_[np.linspace(1, 0.2, 25), 0.3, 0.6, 2, 50, np.nan]
SMOOTHED = np.r_[np.linspace(1, 0.3, 25), np.linspace(0.3, 1, 5)]


def plot(path: Path) -> None:
    plot_rate_range(path, RATES, LOSSES, SMOOTHED, {"0.01: here": 0.01, "0.003: or here": 0.003})


def test_a_rate_range_becomes_a_png_with_ink_in_it(tmp_path: Path) -> None:
    from matplotlib.image import imread

    plot(tmp_path / "curve.png")
    image = imread(tmp_path / "curve.png")
    height, width = image.shape[:2]
    assert (height, width) == (630, 1050)
    assert 0.01 < (image[..., :3] < 0.9).any(axis=-1).mean() < 0.5


def test_the_same_curve_gives_the_same_file(tmp_path: Path) -> None:
    for name in ("first.png", "again.png"):
        plot(tmp_path / name)
    assert (tmp_path / "first.png").read_bytes() == (tmp_path / "again.png").read_bytes()


def test_a_file_that_cannot_be_written_is_one_problem(tmp_path: Path) -> None:
    with pytest.raises(DlcliError, match="cannot write") as error:
        plot(tmp_path / "nowhere" / "curve.png")
    assert error.value.problems[0].suggestion == "name another file with --plot"


def test_drawing_needs_no_window_and_no_global_state() -> None:
    code = (
        "import sys, pathlib, tempfile, numpy as np; from dlcli.report.plots import plot_rate_range as plot\n"
        "assert 'matplotlib' not in sys.modules\n"
        "with tempfile.TemporaryDirectory() as folder:\n"
        "    plot(pathlib.Path(folder, 'a.png'), np.array([.1, 1]), np.ones(2), np.ones(2), {})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
