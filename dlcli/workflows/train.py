"""`dlcli train`: one training, kept in a run directory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from dlcli import backend
from dlcli.config.document import Document, load
from dlcli.config.experiment import Experiment
from dlcli.evaluation.scores import ScoreSheet
from dlcli.events import Listener, UnitEnded, silent
from dlcli.problems import ConfigError, Problem
from dlcli.seeds import Seeds
from dlcli.workflows.dataset import Dataset, located, prepare
from dlcli.workflows.predictions import Predictions
from dlcli.workflows.recording import Recording, RunResult, recording
from dlcli.workflows.scoring import Scorer, open_test, require_test_rows
from dlcli.workflows.unit import Assignment, DivergedUnitError, Trained, train_unit


def train(
    config: Path | str,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    runs: Path | str | None = None,
    evaluate: bool = False,
    refit: bool = False,
    trust: bool = False,
    emit: Listener = silent,
) -> RunResult:
    """Trains the model that a config describes and keeps everything in a new run directory.

    Args:
        config: the YAML file.
        overrides: `path=value` texts as of `--set`.
        name: of the run; by default the config's.
        runs: the folder of the runs; by default DLCLI_RUNS, else `runs`.
        evaluate: open the sealed test set afterwards.
        refit: train once more on training and validation rows together, for the number of epochs that
            validation chose; the validation score of the first training is then void.
        trust: let the config run code of its own files.
        emit: hears of notes and epochs.

    Raises:
        ConfigError: the config has problems.
        DataError: the data cannot be used.
        TrainingError: the loss stayed non-finite.
        InterruptedRunError: the user stopped it; the run says so.
    """
    document = load(config, overrides, trusted=trust, command="train")
    backend.use_threads(document.experiment.training.threads)
    experiment, dataset = prepare(document, "train", emit)
    _require(dataset, evaluate=evaluate, refit=refit)
    backend.load()
    with recording(document, experiment, dataset, command="train", name=name, runs=runs, emit=emit) as run:
        try:
            trained = _train(document, experiment, dataset, run, run.emit, refit=refit)
        except DivergedUnitError as error:
            if error.trained.outcome.epochs_run:
                run.keep_model(error.trained, trained_on=("train",))
            raise
        run.keep_model(trained, trained_on=("train", "validation") if refit else ("train",))
        scorer = Scorer(experiment, dataset, dataset.pool if refit else dataset.subsets["train"])
        run.write_scores(_sheet(scorer, dataset, trained, run, refit=refit).as_json())
        if evaluate:
            open_test(run, scorer, trained.export(), trained.fitted, "train --evaluate")
    return run.result()


def _require(dataset: Dataset, *, evaluate: bool, refit: bool) -> None:
    """Refuses options that cannot be met before anything is trained."""
    if evaluate:
        require_test_rows(dataset)
    if refit and not len(dataset.subsets["validation"]):
        message = "--refit needs validation rows: they find the number of epochs"
        raise ConfigError(Problem("no-validation-rows", message, "leave --refit out", ("split",)))


def _train(
    document: Document, experiment: Experiment, dataset: Dataset, run: Recording, emit: Listener, *, refit: bool
) -> Trained:
    train_rows, validation = dataset.subsets["train"], dataset.subsets["validation"]
    seeds = Seeds(experiment.seed)
    with located(document):
        trained = train_unit(experiment, dataset, Assignment(train_rows, validation, seeds), emit)
    for note in trained.notes:
        emit(note)
    run.write_history()
    emit(UnitEnded(reason=_ending(trained)))
    if not refit:
        return trained
    epochs = max(1, trained.outcome.chosen_epoch)
    nobody = np.zeros(0, dtype=np.int64)
    again = Assignment(dataset.pool, nobody, seeds, epochs=epochs, label=f"refit on {len(dataset.pool):,} rows")
    trained = train_unit(experiment, dataset, again, emit)
    run.write_history("history-refit.csv")
    emit(UnitEnded(label=again.label, reason=f"{epochs} epochs"))
    return trained


def _ending(trained: Trained) -> str:
    outcome = trained.outcome
    ended = {
        "epochs": f"all {outcome.epochs_run} epochs run",
        "patience": f"stopped early after epoch {outcome.epochs_run}",
        "time_limit": f"time limit reached after epoch {outcome.epochs_run}",
    }.get(outcome.stopped_by, f"stopped after epoch {outcome.epochs_run}: {outcome.stopped_by.replace('_', ' ')}")
    if outcome.chosen_epoch != outcome.epochs_run:
        ended += f"; weights of epoch {outcome.chosen_epoch} kept (best {outcome.monitor})"
    return ended


def _sheet(scorer: Scorer, dataset: Dataset, trained: Trained, run: Recording, *, refit: bool) -> ScoreSheet:
    """Scores of the rows that may be looked at freely. After a refit, validation rows are training rows."""
    names = {"train": dataset.pool} if refit else {name: dataset.subsets[name] for name in ("train", "validation")}
    sheet = ScoreSheet({}, baseline_name=scorer.baseline.name, confidence=scorer.experiment.evaluation.confidence)
    for name, rows in names.items():
        if not len(rows):
            continue
        prediction = trained.predict(dataset, rows)
        chose = name == "validation" and trained.outcome.monitor != "last"
        sheet = replace(
            sheet,
            subsets={**sheet.subsets, name: scorer.scores(rows, prediction, starred=chose)},
            baseline={**sheet.baseline, name: scorer.baseline_scores(rows)},
        )
        if name == "validation":
            threshold = scorer.experiment.evaluation.threshold
            run.write_predictions(name, Predictions(scorer.goal, prediction, rows, threshold))
    return sheet
