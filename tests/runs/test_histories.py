"""Histories read back."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlcli.problems import DataError
from dlcli.runs.histories import read_history


def test_columns_by_name_without_what_is_no_finite_number(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss,val_loss\n1,0.5,nan\n2,inf,0.25\n3,0.1,\n")
    assert read_history(tmp_path / "history.csv") == {
        "epoch": (1, 2, 3),
        "loss": (0.5, None, 0.1),
        "val_loss": (None, 0.25, None),
    }


def test_no_epochs_and_no_file(tmp_path: Path) -> None:
    (tmp_path / "history.csv").write_text("epoch,loss\n")
    assert read_history(tmp_path / "history.csv") == {"epoch": (), "loss": ()}
    assert read_history(tmp_path / "nothing.csv") == {}


@pytest.mark.parametrize("text", ["", "epoch,loss\n1,x\n", "epoch,loss\n1\n"])
def test_a_damaged_history_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "history.csv").write_text(text)
    with pytest.raises(DataError, match=r"history\.csv"):
        read_history(tmp_path / "history.csv")
