"""The loop above the engine, once per segment: rates, scores, stopping, selection, recovery, checkpoints.

All that it goes on from is the dictionary that it hands to `keep`, so a training that is resumed from one
ends with the same bits as one that was never stopped.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.events import EpochEnded, Listener, Note, SegmentEnded
from dlcli.part import Schedule
from dlcli.problems import DataError, Problem, TrainingError
from dlcli.seeds import Seeds
from dlcli.training.checkpoint import State
from dlcli.training.compilation import BARE_LOSS
from dlcli.training.divergence import NOT_FINITE, Divergence, Recovery
from dlcli.training.engine import Closed, Engine, Rows, copies
from dlcli.training.pace import Pace
from dlcli.training.plans import Plans
from dlcli.training.plateau import Plateau, plateau
from dlcli.training.stopping import (
    LAST,
    EarlyStopper,
    EarlyStopping,
    Selection,
    Stop,
    greater_is_better,
    selection_monitor,
)

Score = Callable[[NDArray[np.float64]], Mapping[str, float]]
"""From the predictions of a subset to its scores by metric name."""


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How one training goes.

    Attributes:
        epochs: at most so many.
        batch_size: rows of a batch, or all of them.
        learning_rate: the optimizer's.
        schedule: how it changes; None: not at all.
        planned_epochs: how many the schedule is for; by default `epochs`.
        rate_factors: of each epoch, in place of what scores make of the rates.
        shuffle: whether rows come in another order in every epoch.
        early_stopping, select, divergence: the sections of the config.
        time_limit: seconds after which no further epoch begins.
        directions: whether more is better, by metric or monitor name.
        train_monitors: whether training rows are scored after every epoch too.
        checkpoint_every: seconds between two states that are kept.
    """

    epochs: int
    batch_size: int | Literal["full"]
    learning_rate: float
    schedule: Schedule | None = None
    planned_epochs: int | None = None
    rate_factors: Sequence[float] = ()
    shuffle: bool = True
    early_stopping: EarlyStopping | None = None
    select: str | None = None
    divergence: Divergence | None = field(default_factory=Divergence)
    time_limit: float | None = None
    directions: Mapping[str, bool] = field(default_factory=dict)
    train_monitors: bool = False
    checkpoint_every: float = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a training; the engine's model holds the chosen weights.

    Attributes:
        history: per epoch: epoch, losses and scores by monitor name, learning_rate, seconds.
        chosen_epoch: whose weights are kept; 0 for those of the start.
        stopped_by: why it ended.
        monitor: what chose.
        rate_factors: of each epoch, for `LoopSettings.rate_factors`.
        warnings: what the record should keep.
    """

    history: tuple[dict[str, float], ...]
    chosen_epoch: int
    stopped_by: Stop | Literal["diverged"]
    monitor: str
    rate_factors: tuple[float, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def epochs_run(self) -> int:
        """How many epochs were completed."""
        return len(self.history)


class DivergedError(TrainingError):
    """The loss is not finite and no retry is left; the model holds the last good weights."""

    def __init__(self, problem: Problem, outcome: Outcome) -> None:
        super().__init__(problem)
        self.outcome = outcome


def run(  # noqa: PLR0913 - what a training consists of
    engine: Engine,
    train: Rows,
    validation: Rows | None,
    settings: LoopSettings,
    seeds: Seeds,
    score: Score,
    emit: Listener,
    *,
    score_train: Score | None = None,
    clock: Callable[[], float] = time.monotonic,
    resume: State | None = None,
    keep: Callable[[State], None] | None = None,
    interrupted: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Trains, and leaves the chosen weights in the engine's model.

    Args:
        engine: the model with its optimizer and loss, before its first step.
        train: training rows.
        validation: validation rows, where there are any.
        settings: how the training goes.
        seeds: where the order of rows and augmentation draw from.
        score: scores predictions of the validation rows.
        emit: hears of every segment and epoch.
        score_train: scores predictions of the training rows, for `train_monitors`.
        clock: seconds.
        resume: a state that `keep` got, to go on from.
        keep: gets the state every `checkpoint_every` seconds, between two segments.
        interrupted: whether to stop; asked after every segment.

    Raises:
        DivergedError: the loss is not finite, and no retry is left.
        DataError: `resume` is not a state of this training.
        KeyboardInterrupt: `interrupted` said so; `keep` got the state.
    """
    training = _Training(engine, train, validation, settings, seeds, (score, score_train or score), emit, clock)
    training.keep, training.interrupted = keep, interrupted
    if resume is not None:
        try:
            training.restore(resume)
        except (KeyError, ValueError) as error:
            message = "the checkpoint is that of another training, or of another version of dlcli"
            hint = "resume with the version in record.json, or remove the folder checkpoint: then training begins anew"
            raise DataError(Problem("foreign-checkpoint", message, hint)) from error
    return training.run()


def rows_per_batch(batch_size: int | Literal["full"], rows: int) -> int:
    """What `training.batch_size` means for so many rows."""
    return rows if batch_size == "full" else min(batch_size, rows)


class _Training:
    """One training under way."""

    keep: Callable[[State], None] | None
    interrupted: Callable[[], bool]

    def __init__(
        self,
        engine: Engine,
        train: Rows,
        validation: Rows | None,
        settings: LoopSettings,
        seeds: Seeds,
        scores: tuple[Score, Score],
        emit: Listener,
        clock: Callable[[], float],
    ) -> None:
        self.engine = engine
        self.train = train
        self.validation = validation
        self.settings = settings
        self.plans = Plans(len(train), seeds, shuffle=settings.shuffle)
        self.score, self.score_train = scores
        self.emit = emit
        self.clock = clock
        engine.load(train, validation, batch_size=rows_per_batch(settings.batch_size, len(train)))
        monitor = selection_monitor(settings.select, settings.early_stopping, has_validation=validation is not None)
        self.selection = Selection(monitor, greater_is_better=greater_is_better(monitor, settings.directions))
        self.stopper: EarlyStopper | None = None
        if settings.early_stopping is not None:
            direction = greater_is_better(settings.early_stopping.monitor, settings.directions)
            self.stopper = EarlyStopper(settings.early_stopping, greater_is_better=direction)
        self.plateau: Plateau | None = None
        if not settings.rate_factors:
            self.plateau = plateau(settings.schedule, settings.learning_rate, settings.directions)
        self.recovery = Recovery(settings.divergence)
        self.good: Sequence[Any] = engine.snapshot()
        self.best: Sequence[Any] | None = None
        self.history: list[dict[str, float]] = []
        self.factors: list[float] = []
        self.warnings: list[str] = []
        self.rates = np.zeros(0)
        self.batch = 0
        self.epoch_seconds = 0.0
        self.elapsed = 0.0
        self.pace = Pace()
        self.marked = self.kept = clock()

    def run(self) -> Outcome:
        """Every epoch, until something ends it."""
        limit = self.settings.time_limit
        self.marked = self.kept = self.clock()
        while len(self.history) < self.settings.epochs:
            closed = self._epoch()
            values = None if closed is None else self._values(closed)
            self._mark()
            if closed is None or values is None:
                self._go_back()
                continue
            stopped_by = self._close(closed, values)
            if stopped_by is None and limit is not None and self.elapsed >= limit:
                stopped_by = "time_limit"
            if stopped_by is not None:
                return self._outcome(stopped_by)
            self._pause()
        return self._outcome("epochs")

    @property
    def epoch(self) -> int:
        """The number of the epoch under way; the first is 1."""
        return len(self.history) + 1

    def _epoch(self) -> Closed | None:
        """Trains what is left of an epoch; None where the loss is not finite."""
        engine, batches = self.engine, self.engine.batches
        self.rates = self._rates()
        plan = self.plans.epoch(self.epoch, self.rates)
        while (size := self.pace.batches(batches - self.batch)) < batches - self.batch:
            engine.train(plan, self.batch, self.batch + size)
            self.batch += size
            loss = engine.metrics()[BARE_LOSS]
            seconds = self._mark()
            self.pace.observe(size, seconds)
            if not math.isfinite(loss):
                return None
            speed = len(self.train) * size / batches / max(seconds, 1e-9)
            self.emit(SegmentEnded(self.epoch, self.settings.epochs, self.batch / batches, loss, speed))
            self._pause()
        whole = self.batch == 0
        closed = engine.finish(plan, self.batch)
        if whole:
            self.pace.observe(batches, self._mark())
        return closed

    def _rates(self) -> NDArray[np.float64]:
        """The learning rate of every batch."""
        settings, batches = self.settings, self.engine.batches
        factor = self.rate_factor
        if settings.schedule is None:
            return np.full(batches, settings.learning_rate * factor)
        rate = partial(
            settings.schedule.rate,
            epochs=settings.planned_epochs or settings.epochs,
            initial=settings.learning_rate,
            span=1 / batches,
        )
        return np.array([rate(self.epoch - 1 + batch / batches) for batch in range(batches)]) * factor

    @property
    def rate_factor(self) -> float:
        """What the rates of the epoch under way are multiplied with, for reasons other than the schedule."""
        if self.settings.rate_factors:
            return self.recovery.rate_factor * self.settings.rate_factors[self.epoch - 1]
        return self.recovery.rate_factor * (self.plateau.rate_factor if self.plateau else 1.0)

    def _values(self, closed: Closed) -> dict[str, float] | None:
        """Losses and scores of an epoch by monitor; None where a loss, weight or prediction is not finite."""
        values = {"loss": closed.metrics[BARE_LOSS]}
        if not (closed.finite and math.isfinite(values["loss"]) and np.isfinite(closed.predictions).all()):
            return None
        if self.settings.train_monitors:
            self.engine.show(self.engine.averaged(closed.state))
            predictions = self.engine.predict(self.train.x)
            self.engine.put(closed.state)
            if not np.isfinite(predictions).all():
                return None
            values |= self.score_train(predictions)
        if self.validation is not None:
            losses = closed.losses.astype(np.float64)
            values["val_loss"] = float(np.average(losses, weights=self.validation.weight))
            if not math.isfinite(values["val_loss"]):
                return None
            scores = self.score(closed.predictions.astype(np.float64))
            values |= {f"val_{name}": value for name, value in scores.items()}
        return values

    def _close(self, closed: Closed, values: dict[str, float]) -> Stop | None:
        """Selects, writes the epoch down, tells of it, and asks whether to stop."""
        epoch, seconds, rate = self.epoch, self.epoch_seconds, float(self.rates[0])
        self.good = closed.state
        best = self.selection.observe(epoch, values)
        if best:
            self.best = self.engine.averaged(closed.state)
        self.factors.append(self.rate_factor)
        self.history.append({"epoch": epoch, **values, "learning_rate": rate, "seconds": seconds})
        self.batch, self.epoch_seconds = 0, 0.0
        speed = len(self.train) / seconds if seconds > 0 else 0.0
        self.emit(EpochEnded(epoch, self.settings.epochs, values, rate, seconds, speed, best))
        if self.plateau and self.plateau.observe(epoch, values):
            rate = self.settings.learning_rate * self.plateau.rate_factor
            self.emit(Note(f"{self.plateau.monitor} no longer improves: learning rate {rate:.3g} from here"))
        return self.stopper.observe(epoch, values) if self.stopper else None

    def _mark(self) -> float:
        """Seconds since the last call, added to those of the epoch and of the training."""
        now = self.clock()
        seconds, self.marked = now - self.marked, now
        self.epoch_seconds += seconds
        self.elapsed += seconds
        return seconds

    def _pause(self) -> None:
        """Between two segments: keeps the state where it is time, and stops where that is wanted.

        Raises:
            KeyboardInterrupt: it is wanted.
        """
        stop = self.interrupted()
        if self.keep is not None and (stop or self.clock() - self.kept >= self.settings.checkpoint_every):
            self.keep(self.state())
            self.kept = self.clock()
        if stop:
            raise KeyboardInterrupt

    def _go_back(self) -> None:
        """Goes back to the last good epoch and says so; training goes on with a smaller rate.

        Raises:
            DivergedError: no retry is left.
        """
        epoch, rate = self.epoch, float(self.rates.max())
        self.engine.put(self.good)
        self.batch, self.epoch_seconds = 0, 0.0
        where = f"{NOT_FINITE} in epoch {epoch} (learning rate up to {rate:.3g})"
        if self.recovery.go_back():
            self._warn(f"{where}: back to epoch {epoch - 1}, rates times {self.recovery.rate_factor:.3g} from here")
            return
        tried = f", also after going back {self.recovery.retries} times" if self.recovery.retries else ""
        problem = Problem(
            "diverged",
            f"{where}{tried}",
            "lower optimizer.learning_rate, set clipnorm: 1, or scale the inputs",
            ("optimizer",),
        )
        raise DivergedError(problem, self._outcome("diverged"))

    def _warn(self, text: str) -> None:
        self.warnings.append(text)
        self.emit(Note(text, warning=True))

    def _outcome(self, stopped_by: Stop | Literal["diverged"]) -> Outcome:
        """Puts the chosen weights in place."""
        monitor = self.selection.monitor
        chosen = len(self.history)
        if self.best is not None:
            chosen = self.selection.best_epoch
        elif monitor != LAST and self.history:
            self._warn(f"{monitor} was never a number: the last epoch is kept")
        if self.history:
            self.engine.show(self.engine.averaged(self.good) if self.best is None else self.best)
        return Outcome(tuple(self.history), chosen, stopped_by, monitor, tuple(self.factors), tuple(self.warnings))

    def state(self) -> State:
        """All that `restore` needs to go on with the same bits."""
        return {
            "history": self.history,
            "factors": self.factors,
            "batch": self.batch,
            "epoch_seconds": self.epoch_seconds,
            "elapsed": self.elapsed,
            "warnings": self.warnings,
            "engine": self.engine.state(),
            "good": copies(self.good),
            "best": None if self.best is None else copies(self.best),
            "selection": self.selection.state(),
            "stopper": self.stopper.state() if self.stopper else None,
            "plateau": self.plateau.state() if self.plateau else None,
            "recovery": self.recovery.state(),
        }

    def restore(self, state: State) -> None:
        """Goes on from a state."""
        self.history = [dict(row) for row in state["history"]]
        self.factors = list(state["factors"])
        self.batch = state["batch"]
        self.epoch_seconds, self.elapsed = state["epoch_seconds"], state["elapsed"]
        self.warnings = list(state["warnings"])
        self.engine.restore(state["engine"])
        self.good, self.best = state["good"], state["best"]
        self.selection.restore(state["selection"])
        if self.stopper:
            self.stopper.restore(state["stopper"])
        if self.plateau:
            self.plateau.restore(state["plateau"])
        self.recovery.restore(state["recovery"])
