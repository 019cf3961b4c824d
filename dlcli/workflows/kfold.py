"""`dlcli kfold`: a training per fold, every row outside the test set scored by a model that never saw it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlcli.config.document import load
from dlcli.config.experiment import Experiment
from dlcli.data import folds as cutting
from dlcli.data.splits import RowSplit
from dlcli.evaluation.decision import Decision
from dlcli.events import Listener, Note, UnitEnded, silent
from dlcli.runs.directory import RunDirectory
from dlcli.seeds import Seeds
from dlcli.training.reuse import Bench
from dlcli.workflows import resuming
from dlcli.workflows.baseline_answers import FittedBaselines
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.ensemble import keep_ensemble
from dlcli.workflows.fold import Fold, Reached
from dlcli.workflows.fold_summary import summary
from dlcli.workflows.fold_trainings import FoldTrainings
from dlcli.workflows.interruption import interruption
from dlcli.workflows.preparation import located, prepare
from dlcli.workflows.recording import RunResult, recording, where_it_goes_on
from dlcli.workflows.resuming import Given
from dlcli.workflows.scoring import Scorer, open_test, require_test_rows
from dlcli.workflows.unit import Assignment, DivergedUnitError, Trained, train_unit
from dlcli.workflows.workers import Crew, threads_per_job

if TYPE_CHECKING:
    pass

FINAL = "final"
"""Under which name the state of the final training is kept."""


def kfold(  # noqa: PLR0913 - mirrors the options of the command
    config: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    runs: Path | str | None = None,
    folds: int | None = None,
    repeats: int | None = None,
    final: bool = False,
    jobs: int = 1,
    resume: Path | str | None = None,
    trust: bool = False,
    emit: Listener = silent,
) -> RunResult:
    """Trains a model per fold and says how the score varies.

    Training and validation rows are pooled and divided as the split divides; within each fold an inner
    part of the training rows alone stops training and selects the epoch. The test set stays sealed.

    Args:
        config: the YAML file; with `resume` it may be left out.
        overrides: `path=value` texts as of `--set`.
        name: of the run; by default the config's.
        runs: the folder of the runs; by default DLCLI_RUNS, else `runs`.
        folds: how many folds; by default the config's.
        repeats: how often the rows are divided anew; by default the config's.
        final: then train on all rows but the test rows, for the median number of epochs that the folds
            chose, and open the test set once.
        jobs: how many folds are trained side by side, each in a process of its own.
        resume: the run to go on with, by name or folder, or "latest": only the folds that it lacks are trained. If
            it is finished, its result is returned again.
        trust: let the config run code of its own files.
        emit: hears of notes, epochs and folds.

    Raises:
        ConfigError, DataError, InterruptedRunError: as `train`.
        RefusedError: the run to go on with is another's, or config or data have changed since.
        TrainingError: the loss of some folds stayed non-finite, or their processes died; the others are kept.
    """
    given = {"kfold.folds": folds, "kfold.repeats": repeats}
    overrides = [*overrides, *(f"{path}={value}" for path, value in given.items() if value is not None)]
    if resume is not None:
        folder = resuming.find(resume, command="kfold", runs=runs, name=name, options={"final": final})
        return _resume(folder, Given(config, overrides, trust), jobs, emit)
    document = load(resuming.required(config), overrides, trusted=trust, command="kfold")
    options = {"overrides": overrides, "trust": trust, "final": final}
    with Crew(jobs) as crew:
        experiment, dataset = prepare(document, "kfold", emit)
        with located(document):
            if final:
                require_test_rows(dataset)
            plan = divide(experiment, dataset)
        threads = threads_per_job(experiment.training.threads, min(jobs, len(plan)))
        with recording(
            document, experiment, dataset, command="kfold", name=name, runs=runs, emit=emit, options=options
        ) as run:
            run.update(threads=threads)
            _carry_out(FoldTrainings(document, experiment, dataset, plan, run, emit), crew)
    return run.result()


def _resume(folder: RunDirectory, given: Given, jobs: int, emit: Listener) -> RunResult:
    if folder.record().status == "completed":
        return resuming.finished(folder, given, emit)
    with Crew(jobs) as crew, resuming.going_on(folder, given, emit) as again:
        with located(again.document):
            plan = divide(again.experiment, again.dataset)
        work = FoldTrainings(again.document, again.experiment, again.dataset, plan, again.run, emit)
        _carry_out(work, crew)
    return again.run.result()


def divide(experiment: Experiment, dataset: Dataset) -> list[Fold]:
    """Every fold of every repeat.

    Raises:
        DataError: too few rows, groups, or rows of a class, or rows of a fold without weight.
    """
    split, settings = experiment.split, experiment.kfold
    assert isinstance(split, RowSplit)
    count = settings.folds * settings.repeats
    found: list[Fold] = []
    for repeat in range(settings.repeats):
        pairs = cutting.folds(
            split, dataset.facts, settings.folds, repeat, dataset.pool_rows, max_train_size=settings.max_train_size
        )
        for number, (side, scored) in enumerate(pairs):
            train, inner = cutting.inner(split, dataset.facts, side, settings.inner, repeat=repeat, fold=number)
            label = f"fold {number + 1}/{settings.folds}"
            train = dataset.within(train, which=f"training rows of {label}")
            inner = dataset.within(inner, side, f"inner validation rows of {label}")
            scored = dataset.within(scored, dataset.pool_rows, f"rows of {label}")
            if settings.repeats > 1:
                label = f"repeat {repeat + 1}/{settings.repeats} {label}"
            for rows, which in ((train, "training"), (inner, "inner validation"), (scored, "scored")):
                dataset.require_weight(rows, f"{which} row of {label}")
            found.append(Fold(repeat, number, len(found), count, label, train, inner, scored))
    return found


def _carry_out(work: FoldTrainings, crew: Crew) -> None:
    """Whatever is left to do."""
    run, experiment, dataset = work.run, work.experiment, work.dataset
    run.update(jobs=min(crew.jobs, len(work.plan)))
    if crew.jobs == 1:
        run.update(threads=run.load_tensorflow(run.entry.threads))
    reached = work.train(crew)
    run.write_scores(summary(experiment, dataset, work.plan, reached, run))
    final, decision = bool(run.entry.options.get("final")), Decision.from_json(run.entry.decision or {})
    if experiment.kfold.ensemble:
        run.load_tensorflow(run.entry.threads)
        model, fitted = keep_ensemble(experiment, dataset, work.plan, reached, run)
        decision = Decision.from_json(run.entry.decision or {})
    elif final:
        trained = _train_final(work, reached)
        model, fitted = run.keep_model(trained, decision, trained_on=("train", "validation")), trained.fitted
    if final:
        baselines = FittedBaselines(experiment, dataset, fitted, dataset.pool)
        open_test(run, Scorer(experiment, dataset, decision), model, fitted, baselines, "kfold --final")


def _train_final(work: FoldTrainings, reached: Sequence[Reached]) -> Trained:
    """One model on all rows but the test rows."""
    run, experiment, dataset = work.run, work.experiment, work.dataset
    epochs = max(1, round(float(np.median([each.chosen_epoch for each in reached]))))
    nobody = np.zeros(0, dtype=np.int64)
    label = f"final training on {len(dataset.pool):,} rows"
    # Where scores decide the rates there are none here, so those of the fold that is most like it are used.
    alike = min(reached, key=lambda each: (each.chosen_epoch < epochs, abs(each.chosen_epoch - epochs)))
    seeds, rates = Seeds(experiment.seed), alike.rate_factors
    assignment = Assignment(dataset.pool, nobody, seeds, epochs=epochs, label=label, rate_factors=rates)
    run.load_tensorflow(run.entry.threads)
    state = run.state(FINAL)
    run.follow(earlier=state)
    if run.entry.resumed:
        run.emit(Note(where_it_goes_on(run, state, label)))
    try:
        with located(work.document), interruption() as interrupted:
            trained = train_unit(
                experiment,
                dataset,
                assignment,
                run.emit,
                Bench(),
                ready=lambda unit: run.ready(unit, FINAL),
                resume=state,
                keep=lambda state: run.keep_state(FINAL, state),
                interrupted=interrupted,
            )
    except DivergedUnitError as error:
        if error.trained.outcome.epochs_run:
            run.keep_model(error.trained, Decision(), trained_on=("train", "validation"))
        raise
    run.emit(UnitEnded(label, f"{epochs} epochs, the median of the folds"))
    run.write_history()
    return trained
