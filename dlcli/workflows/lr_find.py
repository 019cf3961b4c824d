"""Which learning rate fits: a few batches at rising rates, and on request a copy of the config with the found one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from dlcli import backend
from dlcli.config.document import Document, load
from dlcli.config.editing import set_part_field
from dlcli.config.experiment import Experiment
from dlcli.config.writer import inline, long_form
from dlcli.events import Listener, SegmentEnded, UnitEnded, UnitStarted, silent
from dlcli.part import Part
from dlcli.problems import ConfigError, Problem
from dlcli.runs.whole_files import whole
from dlcli.seeds import Seeds
from dlcli.training.choice import Choice
from dlcli.training.compilation import BARE_LOSS
from dlcli.training.engine import Epoch
from dlcli.training.loop import rows_per_batch
from dlcli.training.plans import Plans
from dlcli.training.rate_range import Curve, Reading, Step, ramp, read, sweep
from dlcli.training.reuse import Bench
from dlcli.training.schedules import CustomSchedule, OneCycle, Piecewise
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.preparation import located, prepare
from dlcli.workflows.unit import Assignment, Ready, set_up

_ELSEWHERE = "name another file with --write"
LOWEST, HIGHEST, STEPS = 1e-6, 10.0, 200
Edit = tuple[str, Part, str]
"""A top-level key, the Part that it holds, and which of its fields."""


@dataclass(frozen=True, slots=True, eq=False)
class RateRange:
    """What a range test found.

    Attributes:
        config: the config that was tested.
        overrides: what `--set` changed in it.
        curve: loss over learning rate.
        reading: what it says.
        copy: the config with the first suggestion in it, if one was written.
    """

    config: Path
    overrides: tuple[str, ...]
    curve: Curve
    reading: Reading
    copy: Path | None

    def as_json(self) -> dict[str, Any]:
        """Plain data; a loss that is no number is None."""
        return {
            "config": str(self.config),
            "overrides": list(self.overrides),
            "suggestions": [
                {"name": each.name, "learning_rate": each.rate, "reason": each.reason}
                for each in self.reading.suggestions
            ],
            "warnings": list(self.reading.warnings),
            "blew_up": self.curve.blew_up,
            "learning_rates": self.curve.rates.tolist(),
            "losses": [loss if np.isfinite(loss) else None for loss in self.curve.losses.tolist()],
            "smoothed": [loss if np.isfinite(loss) else None for loss in self.reading.smoothed.tolist()],
            "copy": str(self.copy) if self.copy else None,
        }


def lr_find(
    config: Path | str,
    *,
    overrides: Sequence[str] = (),
    lowest: float = LOWEST,
    highest: float = HIGHEST,
    steps: int = STEPS,
    write: Path | str | bool = False,
    trust: bool = False,
    emit: Listener = silent,
) -> RateRange:
    """Trains on one batch after the other at rising learning rates, until the loss blows up.

    Training rows alone are used; nothing is scored and no run is made. What the config says of regularization,
    weights, augmentation and clipping holds; its schedule does not, and steps beyond an epoch go on in the next.

    Args:
        config: the YAML file.
        overrides: `path=value` texts as of `--set`.
        lowest: the first learning rate.
        highest: the last one, unless the loss blows up before.
        steps: batches from one to the other.
        write: also write a copy of the config with the suggested rate: where, or True for `<name>-lr.yaml`
            beside it. No file is overwritten.
        trust: let the config run code of its own files.
        emit: hears of notes.

    Raises:
        ConfigError: the config has problems, or no such copy can be written.
        DataError: the data cannot be used.
    """
    document = load(config, overrides, trusted=trust, command="train")
    copy = None
    if write is not False:
        copy = _Copy(document, None if write is True else Path(write), tuple(overrides), trust=trust)
    backend.use_threads(document.experiment.training.threads)
    experiment, dataset = prepare(document, "train", emit)
    backend.load()
    with located(document):
        unit = _set_up(experiment, dataset, emit)
        curve = sweep(_step(unit, steps, emit), ramp(lowest, highest, steps))
    ended = ", where the loss blew up" if curve.blew_up else ""
    emit(UnitEnded(reason=f"{len(curve.rates)} batches at rates from {lowest:g} to {curve.rates[-1]:.2g}{ended}"))
    reading = read(curve)
    written = copy.write(reading.suggestions[0].rate) if copy is not None and reading.suggestions else None
    return RateRange(document.path, tuple(overrides), curve, reading, written)


def _set_up(experiment: Experiment, dataset: Dataset, emit: Listener) -> Ready:
    nobody = np.zeros(0, dtype=np.int64)
    # A few hundred batches one by one are over before XLA has compiled them.
    engine = Choice("graph", "a few batches") if experiment.training.engine == "auto" else None
    assignment = Assignment(dataset.subsets["train"], nobody, Seeds(experiment.seed), engine=engine)
    unit = set_up(experiment, dataset, assignment, Bench())
    for note in unit.notes:
        emit(note)
    return unit


def _step(unit: Ready, steps: int, emit: Listener) -> Step:
    """Trains the batches of one epoch after the other, in the order in which `train` does."""
    rows, engine, training = unit.rows(unit.assignment.train), unit.engine, unit.experiment.training
    engine.load(rows, None, batch_size=rows_per_batch(training.batch_size, len(rows)))
    epochs = -(-steps // engine.batches)
    plans = Plans(len(rows), unit.assignment.seeds, shuffle=training.shuffle)
    emit(UnitStarted(epochs))

    @lru_cache(maxsize=1)
    def epoch(number: int) -> Epoch:
        return plans.epoch(number, np.zeros(engine.batches))

    def step(number: int, rate: float) -> float:
        finished, batch = divmod(number, engine.batches)
        engine.train(replace(epoch(finished + 1), rates=np.full(engine.batches, rate)), batch, batch + 1)
        loss = engine.metrics(reset=True)[BARE_LOSS]
        emit(SegmentEnded(finished + 1, epochs, (batch + 1) / engine.batches, loss, rows_per_second=0.0))
        return loss

    return step


class _Copy:
    """A copy of a config that will hold another learning rate; whether there can be one is settled at once.

    Args:
        document: the config.
        path: the copy's; by default the config's name with -lr, beside it.
        overrides: as of `--set`; the copy does not hold them, but must mean the same under them.
        trust: whether the config may run code.

    Raises:
        ConfigError: the file exists, or the rate cannot be put in.
    """

    def __init__(self, document: Document, path: Path | None, overrides: tuple[str, ...], *, trust: bool) -> None:
        self._document, self._overrides, self._trust = document, overrides, trust
        self.path = path or unused(document.path.with_name(f"{document.path.stem}-lr.yaml"))
        if self.path.exists():
            raise ConfigError(Problem("file-exists", f"{self.path} exists and is not overwritten", _ELSEWHERE))
        if not os.access(self.path.parent, os.W_OK):
            raise ConfigError(Problem("cannot-write", f"cannot write into {self.path.parent}", _ELSEWHERE))
        self._text(document.experiment.optimizer.learning_rate * 0.9)

    def write(self, rate: float) -> Path:
        """Writes the copy.

        Raises:
            DlcliError: it cannot be written.
        """
        with whole(self.path, _ELSEWHERE) as temporary:
            temporary.write_bytes(self._text(rate).encode())
        return self.path

    def _text(self, rate: float) -> str:
        """The config's text with the rate in it and nothing else changed: both are read and compared."""
        wanted = _with_rate(self._document.experiment, rate)
        for edits in _edits(self._document.experiment):
            text: str | None = self._document.texts[0][1]
            for section, part, field in edits:
                text = set_part_field(text, section, type(part), field, rate) if text is not None else None
            if text is not None and self._read(text) == wanted:
                return text
        raise ConfigError(self._refusal())

    def _read(self, text: str) -> dict[str, Any] | None:
        try:
            return _without_name(load(self.path, self._overrides, trusted=self._trust, text=text).experiment)
        except ConfigError:
            return None

    def _refusal(self) -> Problem:
        experiment = self._document.experiment
        if isinstance(experiment.schedule, Piecewise | CustomSchedule):
            name = experiment.schedule.part_name
            message = f"the schedule {name} names its rates itself, so there is no one rate to write"
            return Problem("does-not-fit", message, "leave --write out and edit the schedule", ("schedule", name))
        message = f"the learning rate cannot be put into {self.path} without changing more"
        if self._overrides:
            hint = "leave --set out: what it changes would not be in the copy"
        elif self.path.parent.resolve() != self._document.path.parent.resolve():
            hint = f"write it into {self._document.path.parent}: the paths in it are relative to that folder"
        else:
            short = inline({experiment.optimizer.part_name: experiment.optimizer.learning_rate})
            hint = f"leave --write out, or write the optimizer as {short}"
        return Problem("does-not-fit", message, hint)


def unused(path: Path) -> Path:
    """The path, or the first of `name-2`, `name-3`, ... that does not exist yet."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free


def _edits(experiment: Experiment) -> tuple[tuple[Edit, ...], ...]:
    """Which fields hold the learning rate; the first set of them that does it is enough."""
    optimizer, schedule = experiment.optimizer, experiment.schedule
    rate: Edit = ("optimizer", optimizer, "learning_rate")
    if isinstance(schedule, Piecewise | CustomSchedule):
        return ()
    if isinstance(schedule, OneCycle) and schedule.peak is not None:
        peak: Edit = ("schedule", schedule, "peak")
        return (peak,), (peak, rate)
    return ((rate,),)


def _with_rate(experiment: Experiment, rate: float) -> dict[str, Any]:
    """The experiment as plain data, with another rate: that of the optimizer, and of one_cycle where it has its own."""
    data = _without_name(experiment)
    data["optimizer"][experiment.optimizer.part_name]["learning_rate"] = rate
    if isinstance(experiment.schedule, OneCycle) and experiment.schedule.peak is not None:
        data["schedule"][experiment.schedule.part_name]["peak"] = rate
    return data


def _without_name(experiment: Experiment) -> dict[str, Any]:
    """Plain data; the name is the file's where none is written."""
    data: dict[str, Any] = long_form(experiment)
    data.pop("name")
    return data
