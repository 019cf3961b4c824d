"""The loop above the engine, once per epoch: rates, scores, stopping, selection, recovery."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dlcli.events import EpochEnded, Listener, Note
from dlcli.problems import Problem, TrainingError
from dlcli.seeds import Seeds
from dlcli.training.divergence import Divergence, Recovery
from dlcli.training.engine import Engine
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


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The rows of a subset.

    Attributes:
        x: inputs (rows, *shape), float32.
        y: targets, as the loss takes them.
        weight: (rows,) or None.
    """

    x: NDArray[Any]
    y: NDArray[Any]
    weight: NDArray[Any] | None = None

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """How one training goes.

    Attributes:
        epochs: at most so many.
        batch_size: rows of a batch, or all of them.
        rates: the learning rate at a fractional epoch, 0.0 at the start.
        shuffle: whether rows come in another order in every epoch.
        early_stopping, select, divergence: the sections of the config.
        time_limit: seconds after which no further epoch begins.
        directions: whether more is better, by metric or monitor name.
        train_monitors: whether training rows are scored after every epoch too.
    """

    epochs: int
    batch_size: int | Literal["full"]
    rates: Callable[[float], float]
    shuffle: bool = True
    early_stopping: EarlyStopping | None = None
    select: str | None = None
    divergence: Divergence | None = field(default_factory=Divergence)
    time_limit: float | None = None
    directions: Mapping[str, bool] = field(default_factory=dict)
    train_monitors: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a training; the engine's model holds the chosen weights.

    Attributes:
        history: per epoch: epoch, losses and scores by monitor name, learning_rate, seconds.
        chosen_epoch: whose weights are kept; 0 for those of the start.
        stopped_by: why it ended.
        monitor: what chose.
        warnings: what the record should keep.
    """

    history: tuple[dict[str, float], ...]
    chosen_epoch: int
    stopped_by: Stop | Literal["diverged"]
    monitor: str
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
) -> Outcome:
    """Trains, and leaves the chosen weights in the engine's model.

    Args:
        engine: the model with its optimizer and loss.
        train: training rows.
        validation: validation rows, where there are any.
        settings: how the training goes.
        seeds: where the order of rows comes from.
        score: scores predictions of the validation rows.
        emit: hears of every epoch.
        score_train: scores predictions of the training rows, for `train_monitors`.
        clock: seconds.

    Raises:
        DivergedError: the loss is not finite, and no retry is left.
    """
    return _Training(engine, train, validation, settings, seeds, (score, score_train or score), emit, clock).run()


class _Training:
    """One training under way."""

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
        self.seeds = seeds
        self.score, self.score_train = scores
        self.emit = emit
        self.clock = clock
        self.batch_size = len(train) if settings.batch_size == "full" else min(settings.batch_size, len(train))
        monitor = selection_monitor(settings.select, settings.early_stopping, has_validation=validation is not None)
        self.selection = Selection(monitor, greater_is_better=greater_is_better(monitor, settings.directions))
        self.stopper: EarlyStopper | None = None
        if settings.early_stopping is not None:
            direction = greater_is_better(settings.early_stopping.monitor, settings.directions)
            self.stopper = EarlyStopper(settings.early_stopping, greater_is_better=direction)
        self.recovery = Recovery(settings.divergence)
        self.best: list[NDArray[Any]] | None = None
        self.history: list[dict[str, float]] = []
        self.warnings: list[str] = []

    def run(self) -> Outcome:
        """Every epoch, until something ends it."""
        begin = self.clock()
        good = self.engine.state()
        limit = self.settings.time_limit
        while len(self.history) < self.settings.epochs:
            epoch = len(self.history) + 1
            started = self.clock()
            rates = self._rates(epoch)
            values = self._epoch(epoch, rates)
            state = self.engine.state()
            if values is None or not _finite(state["model"]):
                self.engine.restore_state(good)
                self._go_back(epoch, float(rates.max()))
                continue
            good = state
            stopped_by = self._close(epoch, values, float(rates[0]), self.clock() - started)
            if stopped_by is None and limit is not None and self.clock() - begin >= limit:
                stopped_by = "time_limit"
            if stopped_by is not None:
                return self._outcome(stopped_by)
        return self._outcome("epochs")

    def _rates(self, epoch: int) -> NDArray[np.float64]:
        """The learning rate at the start of every batch."""
        batches = math.ceil(len(self.train) / self.batch_size)
        starts = [epoch - 1 + batch / batches for batch in range(batches)]
        return np.array([self.settings.rates(start) for start in starts]) * self.recovery.rate_factor

    def _epoch(self, epoch: int, rates: NDArray[np.float64]) -> dict[str, float] | None:
        """Trains and scores; None where a loss or a prediction is not finite."""
        rows, engine = self.train, self.engine
        order = np.arange(len(rows), dtype=np.int32)
        if self.settings.shuffle:
            order = self.seeds.generator("order", epoch).permutation(order)
        values = {"loss": engine.train_epoch(rows.x, rows.y, rows.weight, order, rates, self.batch_size)}
        if not math.isfinite(values["loss"]):
            return None
        if self.settings.train_monitors:
            predictions = engine.predict(rows.x)
            if not np.isfinite(predictions).all():
                return None
            values |= self.score_train(predictions)
        if self.validation is not None:
            predictions = engine.predict(self.validation.x)
            values["val_loss"] = engine.loss(self.validation.y, predictions, self.validation.weight)
            if not (math.isfinite(values["val_loss"]) and np.isfinite(predictions).all()):
                return None
            values |= {f"val_{name}": value for name, value in self.score(predictions).items()}
        return values

    def _close(self, epoch: int, values: dict[str, float], rate: float, seconds: float) -> Stop | None:
        """Selects, writes the epoch down, tells of it, and asks whether to stop."""
        best = self.selection.observe(epoch, values)
        if best:
            self.best = self.engine.variables()
        self.history.append({"epoch": epoch, **values, "learning_rate": rate, "seconds": seconds})
        pace = len(self.train) / seconds if seconds > 0 else 0.0
        self.emit(EpochEnded(epoch, self.settings.epochs, values, rate, seconds, pace, best))
        return self.stopper.observe(epoch, values) if self.stopper is not None else None

    def _go_back(self, epoch: int, rate: float) -> None:
        """Says that the loss is not finite; training has gone back and goes on with a smaller rate.

        Raises:
            DivergedError: no retry is left.
        """
        where = f"the loss is not finite in epoch {epoch} (learning rate up to {rate:.3g})"
        if self.recovery.go_back():
            text = f"{where}: back to epoch {epoch - 1}, rates times {self.recovery.rate_factor:.3g} from here"
            self._warn(text)
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
            self.engine.restore(self.best)
            chosen = self.selection.best_epoch
        elif monitor != LAST and self.history:
            self._warn(f"{monitor} was never a number: the last epoch is kept")
        return Outcome(tuple(self.history), chosen, stopped_by, monitor, tuple(self.warnings))


def _finite(arrays: list[NDArray[Any]]) -> bool:
    return all(np.isfinite(array).all() for array in arrays if array.dtype.kind == "f")
