"""`dlcli kfold`: a training per fold, every row outside the test set scored by a model that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlcli import backend
from dlcli.config.document import Document, load
from dlcli.config.experiment import Experiment
from dlcli.data import folds as cutting
from dlcli.data.splits import Chronological, RowSplit
from dlcli.evaluation import fold_scores, scores
from dlcli.evaluation.scores import ScoreSheet
from dlcli.events import Listener, UnitEnded, silent
from dlcli.seeds import Seeds
from dlcli.workflows.dataset import Dataset, located, prepare
from dlcli.workflows.predictions import Predictions
from dlcli.workflows.recording import Recording, RunResult, recording
from dlcli.workflows.scoring import Scorer, open_test, require_test_rows
from dlcli.workflows.unit import Assignment, Trained, train_unit

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """One fold of one repeat: rows that train, rows that choose the epoch, rows that are scored."""

    repeat: int
    number: int
    train: NDArray[np.int64]
    inner: NDArray[np.int64]
    scored: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """What a fold reached."""

    fold: Fold
    prediction: NDArray[np.float64]
    values: dict[str, float]
    baseline: dict[str, float]
    chosen_epoch: int


def kfold(  # noqa: PLR0913 - mirrors the options of the command
    config: Path | str,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    runs: Path | str | None = None,
    folds: int | None = None,
    repeats: int | None = None,
    final: bool = False,
    trust: bool = False,
    emit: Listener = silent,
) -> RunResult:
    """Trains a model per fold and says how the score varies.

    Training and validation rows are pooled and divided as the split divides; within each fold an inner
    part of the training rows alone stops training and selects the epoch. The test set stays sealed.

    Args:
        config: the YAML file.
        overrides: `path=value` texts as of `--set`.
        name: of the run; by default the config's.
        runs: the folder of the runs; by default DLCLI_RUNS, else `runs`.
        folds: how many folds; by default the config's.
        repeats: how often the rows are divided anew; by default the config's.
        final: then train on all rows but the test rows, for the median number of epochs that the folds
            chose, and open the test set once.
        trust: let the config run code of its own files.
        emit: hears of notes, epochs and folds.

    Raises:
        ConfigError, DataError, TrainingError, InterruptedRunError: as `train`.
    """
    given = {"kfold.folds": folds, "kfold.repeats": repeats}
    overrides = [*overrides, *(f"{path}={value}" for path, value in given.items() if value is not None)]
    document = load(config, overrides, trusted=trust, command="kfold")
    backend.use_threads(document.experiment.training.threads)
    experiment, dataset = prepare(document, "kfold", emit)
    if final:
        require_test_rows(dataset)
    with located(document):
        plan = divide(experiment, dataset)
    backend.load()
    with recording(document, experiment, dataset, command="kfold", name=name, runs=runs, emit=emit) as run:
        done = [_run_fold(document, experiment, dataset, fold, len(plan), run, run.emit) for fold in plan]
        run.write_scores(_summary(experiment, dataset, done, run).as_json())
        if final:
            _finish(document, experiment, dataset, done, run, run.emit)
    return run.result()


def divide(experiment: Experiment, dataset: Dataset) -> list[Fold]:
    """Every fold of every repeat.

    Raises:
        DataError: too few rows, groups, or rows of a class.
    """
    split, settings = experiment.split, experiment.kfold
    assert isinstance(split, RowSplit)
    found = []
    for repeat in range(settings.repeats):
        pairs = cutting.folds(split, dataset.facts, settings.folds, repeat, dataset.pool)
        for number, (side, scored) in enumerate(pairs):
            train, inner = cutting.inner(split, dataset.facts, side, settings.inner, repeat=repeat, fold=number)
            found.append(Fold(repeat, number, train, inner, scored))
    return found


def _run_fold(
    document: Document,
    experiment: Experiment,
    dataset: Dataset,
    fold: Fold,
    count: int,
    run: Recording,
    emit: Listener,
) -> Scored:
    settings = experiment.kfold
    label = f"fold {fold.number + 1}/{settings.folds}"
    if settings.repeats > 1:
        label = f"repeat {fold.repeat + 1}/{settings.repeats} {label}"
    seeds = Seeds(experiment.seed, fold.repeat, fold.number)
    index = fold.repeat * settings.folds + fold.number
    assignment = Assignment(fold.train, fold.inner, seeds, label=label, index=index, count=count)
    with located(document):
        trained = train_unit(experiment, dataset, assignment, emit)
    prediction = trained.predict(dataset, fold.scored)
    scorer = Scorer(experiment, dataset, fold.train)
    values = _values(experiment, dataset, fold.scored, prediction, experiment.evaluation.threshold)
    base = scorer.baseline.predict(len(fold.scored))
    baseline = _values(experiment, dataset, fold.scored, base, scorer.baseline.threshold)
    folder = f"folds/{fold.repeat + 1}-{fold.number + 1}"
    run.write_history(f"{folder}/history.csv")
    if settings.keep_models:
        run.save_model(trained.export(), f"{folder}/model.keras")
    if index == 0:
        for note in trained.notes:
            emit(note)
    emit(UnitEnded(label, f"epoch {trained.outcome.chosen_epoch}", values))
    return Scored(fold, prediction, values, baseline, trained.outcome.chosen_epoch)


def _values(
    experiment: Experiment,
    dataset: Dataset,
    rows: NDArray[np.int64],
    prediction: NDArray[np.float64],
    threshold: float,
) -> dict[str, float]:
    weight = None if dataset.weight is None else dataset.weight[rows]
    answer = dataset.answer
    return scores.score(experiment.metrics or (), answer.goal, answer.values[rows], prediction, weight, threshold)


def _summary(experiment: Experiment, dataset: Dataset, done: Sequence[Scored], run: Recording) -> ScoreSheet:
    """Mean, standard deviation and interval over folds; the out-of-fold predictions are kept."""
    metrics, settings = experiment.metrics or (), experiment.kfold
    ordered = isinstance(experiment.split, Chronological)
    dependence = "each fold trains on more rows than the one before" if ordered else ""
    summaries = [
        fold_scores.summarize(
            metrics, values, settings.folds, confidence=experiment.evaluation.confidence, dependence=dependence
        )
        for values in ([each.values for each in done], [each.baseline for each in done])
    ]
    numbers = {"repeat": [each.fold.repeat + 1 for each in done], "fold": [each.fold.number + 1 for each in done]}
    lengths = [len(each.fold.scored) for each in done]
    run.write_predictions(
        "out-of-fold",
        Predictions(
            dataset.answer.goal,
            np.concatenate([each.prediction for each in done]),
            np.concatenate([each.fold.scored for each in done]),
            experiment.evaluation.threshold,
            {name: np.repeat(each, lengths) for name, each in numbers.items()},
        ),
    )
    run.update(chosen_epochs=tuple(each.chosen_epoch for each in done))
    name = Scorer(experiment, dataset, dataset.pool).baseline.name
    confidence = experiment.evaluation.confidence
    return ScoreSheet({}, {}, name, None, confidence, summaries[0], summaries[1])


def _finish(
    document: Document,
    experiment: Experiment,
    dataset: Dataset,
    done: Sequence[Scored],
    run: Recording,
    emit: Listener,
) -> None:
    """One model on all rows but the test rows, and one look at those."""
    epochs = max(1, round(float(np.median([each.chosen_epoch for each in done]))))
    nobody = np.zeros(0, dtype=np.int64)
    label = f"final training on {len(dataset.pool):,} rows"
    assignment = Assignment(dataset.pool, nobody, Seeds(experiment.seed), epochs=epochs, label=label)
    with located(document):
        trained: Trained = train_unit(experiment, dataset, assignment, emit)
    emit(UnitEnded(label, f"{epochs} epochs, the median of the folds"))
    run.write_history()
    run.keep_model(trained, trained_on=("train", "validation"))
    open_test(run, Scorer(experiment, dataset, dataset.pool), trained.export(), trained.fitted, "kfold --final")
