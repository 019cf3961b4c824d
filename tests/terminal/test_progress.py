"""Events as a person sees them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from rich.console import Console

from dlcli.events import EpochEnded, Listener, SegmentEnded, UnitEnded, UnitStarted
from dlcli.terminal import progress


def epoch(number: int, index: int = 0) -> EpochEnded:
    return EpochEnded(number, 9, {"loss": 0.5, "val_loss": 0.25}, 0.01, 0.1, index=index)


@contextmanager
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Listener, io.StringIO]]:
    """What draws on a terminal, and what it has drawn."""
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=100, color_system=None)
    monkeypatch.setattr(progress, "make_console", lambda **_: console)
    with progress.progress(quiet=False, as_json=False) as emit:
        yield emit, screen


def test_piped_output_has_a_line_per_epoch_of_a_single_training(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress(quiet=False, as_json=False) as emit:
        emit(UnitStarted(9))
        emit(SegmentEnded(1, 9, 0.5, 0.7, 1000.0))
        emit(epoch(1))
    assert capsys.readouterr().out == "epoch 1/9  loss 0.5  val_loss 0.25  rate 0.01  0.10s\n"


def test_piped_output_has_a_line_per_training_of_several_side_by_side(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress(quiet=False, as_json=False) as emit:
        for index in (0, 1):
            emit(UnitStarted(9, f"fold {index + 1}/2", index, 2))
        for index in (0, 1, 0):
            emit(epoch(1, index))
        emit(UnitEnded("fold 2/2", "epoch 3", {"accuracy": 0.75}, index=1))
        emit(epoch(2, 0))
    assert capsys.readouterr().out == "fold 2/2  epoch 3  accuracy 0.75\n"


def test_a_terminal_shows_every_training_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as (emit, screen):
        for index in (0, 1):
            emit(UnitStarted(9, f"fold {index + 1}/2", index, 2))
        emit(epoch(3, 0))
        emit(epoch(5, 1))
        emit(UnitEnded("fold 1/2", "epoch 3", index=0))
        emit(epoch(6, 1))
    drawn = screen.getvalue()
    assert "fold 1/2  epoch 3\n" in drawn
    assert "fold 2/2 epoch 6/9" in drawn


def test_a_terminal_shows_the_loss_inside_the_first_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    with terminal(monkeypatch) as (emit, screen):
        emit(UnitStarted(9))
        emit(SegmentEnded(1, 9, 0.5, 0.7, 1000.0))
    assert "epoch 1/9" in screen.getvalue()
    assert "loss 0.7  1,000 rows/s" in screen.getvalue()
