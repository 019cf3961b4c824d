"""One fold: a unit of work for any process, and what the run keeps of it."""

from __future__ import annotations

import io
import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dlcli.config.experiment import Experiment
from dlcli.evaluation.decision import Decision
from dlcli.events import Note
from dlcli.runs.directory import RunDirectory
from dlcli.runs.record import LayerFacts
from dlcli.seeds import Seeds
from dlcli.task import Goal
from dlcli.training import choice
from dlcli.training.checkpoint import State
from dlcli.workflows.baseline_answers import Answers, FittedBaselines
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.recording import as_csv, fitted_hash
from dlcli.workflows.unit import Assignment, Ready, decided_rates, train_unit
from dlcli.workflows.worker_process import Tools

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

RESULT = "result.json"
"""Written last: a fold that has it is finished."""
PREDICTIONS = "predictions.npz"


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One fold of one repeat: rows that train, rows that choose the epoch, rows that are scored.

    A repeat of a training with another seed is one too, in which validation rows choose and are scored.

    Attributes:
        repeat, number: which it is, from 0; both give its seeds.
        index, count: the same among all folds of all repeats.
        label: the same as a person reads it.
        kind: what it is one of.
    """

    repeat: int
    number: int
    index: int
    count: int
    label: str
    train: NDArray[np.int64]
    inner: NDArray[np.int64]
    scored: NDArray[np.int64]
    kind: Literal["folds", "repeats"] = "folds"

    @property
    def place(self) -> str:
        """Where it is kept in the run directory."""
        return f"{self.kind}/{self.name}"

    @property
    def name(self) -> str:
        """Its name among files."""
        return f"{self.repeat + 1}-{self.number + 1}" if self.kind == "folds" else str(self.repeat + 1)


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """What a run needs of a fold.

    Attributes:
        prediction: of the scored rows, as the network gives it, at temperature 1.
        decision: the temperature and the threshold that the inner rows chose.
        chosen_epoch: whose weights made it.
        answers: what the baselines of the same training rows say.
        rate_factors: what scores made of the rates of each epoch, where the schedule leaves that to scores.
    """

    prediction: NDArray[np.float64]
    decision: Decision
    chosen_epoch: int
    answers: tuple[Answers, ...]
    rate_factors: tuple[float, ...] = ()

    def tempered(self, goal: Goal) -> NDArray[np.float64]:
        """The predictions at the chosen temperature."""
        return self.decision.apply(goal, self.prediction)


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What a fold's training came to, as plain data.

    Attributes:
        reached: what the scores need.
        epochs_run, stopped_by: how it ended.
        history: a row per epoch.
        engine: what ran the epochs, and why.
        layers: of its network.
        notes: worth saying once.
        model: the saved model, where it is wanted.
        fitted: what preprocessing has learned, as plain data.
    """

    reached: Reached
    epochs_run: int
    stopped_by: str
    history: tuple[dict[str, float], ...]
    engine: choice.Choice
    layers: tuple[LayerFacts, ...]
    notes: tuple[Note, ...]
    model: bytes | None
    fitted: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class FoldTask:
    """A fold to train; `resume`: what it kept, if it goes on."""

    fold: Fold
    resume: State | None


@dataclass(frozen=True, slots=True, eq=False)
class FoldUnit:
    """Trains folds of one data set. It travels to other processes, so the data set should hold no test targets."""

    experiment: Experiment
    dataset: Dataset

    def __call__(self, task: FoldTask, tools: Tools) -> Outcome:
        """Trains a fold and predicts the rows that it is scored on.

        Raises:
            TrainingError: the loss stayed non-finite.
            RefusedError: it goes on, and preprocessing has learned something else than when it began.
            KeyboardInterrupt: it was interrupted, and has kept its state.
        """
        fold, dataset, resume, fitted = task.fold, self.dataset, task.resume or {}, ""

        def ready(unit: Ready) -> None:
            nonlocal fitted
            fitted = fitted_hash(unit, resume.get("fitted"))

        seeds = Seeds(self.experiment.seed, fold.repeat, fold.number)
        trained = train_unit(
            self.experiment,
            dataset,
            Assignment(fold.train, fold.inner, seeds, label=fold.label, index=fold.index, count=fold.count),
            tools.emit,
            tools.bench,
            ready=ready,
            resume=resume.get("training"),
            keep=lambda state: tools.keep({"fitted": fitted, "training": state}),
            interrupted=tools.interrupted,
        )
        outcome, unit, settings = trained.outcome, trained.unit, self.experiment.kfold
        decision = trained.decide()
        baselines = FittedBaselines(self.experiment, dataset, trained.fitted, fold.train)
        return Outcome(
            Reached(
                trained.predict(dataset, fold.scored),
                decision,
                outcome.chosen_epoch,
                baselines.answers(fold.scored),
                decided_rates(self.experiment, outcome),
            ),
            outcome.epochs_run,
            outcome.stopped_by,
            outcome.history,
            unit.choice,
            unit.layers,
            (*unit.notes, *(Note(text, warning=True) for text in decision.notes)),
            _saved(trained.export(decision)) if settings.keep_models or settings.ensemble else None,
            trained.fitted.state,
        )


def _saved(model: keras.Model) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        return path.read_bytes()


def write(
    folder: RunDirectory,
    fold: Fold,
    outcome: Outcome,
    scores: Mapping[str, float],
    baselines: Mapping[str, Mapping[str, float]],
) -> None:
    """Keeps a finished fold; after this, and not before, `read` finds it."""
    reached, place = outcome.reached, fold.place
    folder.write_text(f"{place}/history.csv", as_csv(outcome.history))
    if outcome.model is not None:
        folder.write_bytes(f"{place}/model.keras", outcome.model)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {each.kind: each.prediction for each in reached.answers}
    np.savez(buffer, rows=fold.scored, prediction=reached.prediction, **arrays)
    folder.write_bytes(f"{place}/{PREDICTIONS}", buffer.getvalue())
    result = {
        "repeat": fold.repeat + 1,
        "fold": fold.number + 1,
        "rows": {"train": len(fold.train), "inner": len(fold.inner), "scored": len(fold.scored)},
        "chosen_epoch": reached.chosen_epoch,
        "decision": reached.decision.as_json(),
        "rate_factors": reached.rate_factors,
        "epochs_run": outcome.epochs_run,
        "stopped_by": outcome.stopped_by,
        "engine": outcome.engine.kind,
        "engine_reason": outcome.engine.reason,
        **({} if outcome.model is None else {"fitted": outcome.fitted}),
        "scores": _finite(scores),
        "baselines": {
            each.kind: {
                "name": each.name,
                "threshold": np.asarray(each.threshold).tolist(),
                "scores": _finite(baselines[each.kind]),
            }
            for each in reached.answers
        },
    }
    folder.write_json(f"{place}/{RESULT}", result)


def read(folder: RunDirectory, fold: Fold) -> Reached | None:
    """What a fold reached, if it is finished and its files are whole."""
    place = folder.path / fold.place
    try:
        result = json.loads((place / RESULT).read_bytes())
        with np.load(place / PREDICTIONS, allow_pickle=False) as arrays:
            rows, prediction = arrays["rows"], arrays["prediction"]
            answers = tuple(
                Answers(each["name"], kind, arrays[kind], np.array(each["threshold"]))
                for kind, each in result["baselines"].items()
            )
        chosen_epoch, rates = int(result["chosen_epoch"]), tuple(map(float, result["rate_factors"]))
        reached = Reached(prediction, Decision.from_json(result["decision"]), chosen_epoch, answers, rates)
    except Exception:  # a damaged file makes zipfile and numpy raise almost anything: then the fold is trained again
        return None
    return reached if np.array_equal(rows, fold.scored) else None


def _finite(scores: Mapping[str, float]) -> dict[str, Any]:
    """JSON has no NaN."""
    return {name: value if math.isfinite(value) else None for name, value in scores.items()}
