"""Rules about `data.window`: it needs an order, rows side by side, and a task that it can serve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dlcli.config.facts import Case
from dlcli.problems import ConfigPath, Problem

_PATH: ConfigPath = ("data", "window")
_SCATTERING = ("random", "stratified", "hash")
"""Splits that leave no rows side by side."""


def _order(case: Case) -> Iterator[Problem]:
    """A window needs to know which row comes first."""
    data, split = case.experiment.data, case.experiment.split.part_name
    if data.window is not None and data.time is None and split != "chronological":
        hint = "name its column: `time` under data; or write split: chronological where rows stand in order of time"
        yield Problem("window-without-order", "nothing says in which order the rows of a window follow", hint, _PATH)


def _side_by_side(case: Case) -> Iterator[Problem]:
    """Rows dealt out one by one leave no window whole."""
    split = case.experiment.split.part_name
    if case.experiment.data.window is not None and split in _SCATTERING:
        message = f"a {split} split tears windows apart: none would have all its rows in one subset"
        hint = "write split: chronological, or split: grouped for whole series"
        yield Problem("does-not-fit", message, hint, ("split", split))


def _gap(case: Case) -> Iterator[Problem]:
    """Where nothing is predicted ahead, nothing lies between."""
    window = case.experiment.data.window
    if window is not None and not window.horizon and window.gap:
        message = "horizon: 0 predicts the window's own last row, so there is no gap before it"
        yield Problem("no-effect", message, "take gap away, or write horizon: 1", (*_PATH, "gap"))


def _windowed_options(case: Case) -> Iterator[Problem]:
    """What gives single rows another shape goes with no window."""
    data = case.experiment.data
    if data.window is not None and data.shape is not None:
        message = "shape and window both give rows their shape"
        yield Problem("contradiction", message, "take shape away", ("data", "shape"))


def _folds(case: Case) -> Iterator[Problem]:
    """Rolling windows follow time."""
    kfold, split, data = case.experiment.kfold, case.experiment.split.part_name, case.experiment.data
    if kfold.max_train_size is None:
        return
    if (
        kfold.column is not None
        or split not in ("chronological", "auto", "predefined")
        or (split != "chronological" and data.time is None)
    ):
        message = "max_train_size is for folds in order of time, which these are not"
        yield Problem("no-effect", message, "take it away, or write split: chronological", ("kfold", "max_train_size"))


Rule = Callable[[Case], Iterable[Problem]]
WINDOW_RULES: tuple[Rule, ...] = (_order, _side_by_side, _gap, _windowed_options, _folds)
"""Every rule about windows and folds in order of time."""
