"""`dlcli kfold`: a training per fold, every row outside the test set scored by a model that never saw it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dlcli.config.document import Document, load
from dlcli.config.experiment import Experiment
from dlcli.data import folds as cutting
from dlcli.data.splits import Chronological, RowSplit
from dlcli.evaluation import fold_scores, scores
from dlcli.evaluation.scores import ScoreSheet
from dlcli.events import Event, Listener, Note, UnitEnded, UnitStarted, silent
from dlcli.problems import Problem, TrainingError
from dlcli.runs.directory import RunDirectory
from dlcli.seeds import Seeds
from dlcli.training.reuse import Bench
from dlcli.workflows import fold as one_fold
from dlcli.workflows import resuming
from dlcli.workflows.dataset import Dataset, located, prepare
from dlcli.workflows.fold import Fold, FoldTask, FoldUnit, Outcome, Reached
from dlcli.workflows.interruption import interruption
from dlcli.workflows.predictions import Predictions
from dlcli.workflows.recording import Recording, RunResult, recording, resume_command, where_it_goes_on
from dlcli.workflows.resuming import Given
from dlcli.workflows.scoring import Scorer, open_test, require_test_rows
from dlcli.workflows.unit import Assignment, DivergedUnitError, train_unit
from dlcli.workflows.worker_process import Failed
from dlcli.workflows.workers import Crew, threads_per_job

if TYPE_CHECKING:
    from numpy.typing import NDArray

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
            _Work(document, experiment, dataset, plan, run, emit).do(crew)
    return run.result()


def _resume(folder: RunDirectory, given: Given, jobs: int, emit: Listener) -> RunResult:
    if folder.record().status == "completed":
        return resuming.finished(folder, given, emit)
    with Crew(jobs) as crew, resuming.going_on(folder, given, emit) as again:
        with located(again.document):
            plan = divide(again.experiment, again.dataset)
        _Work(again.document, again.experiment, again.dataset, plan, again.run, emit).do(crew)
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
        pairs = cutting.folds(split, dataset.facts, settings.folds, repeat, dataset.pool)
        for number, (side, scored) in enumerate(pairs):
            train, inner = cutting.inner(split, dataset.facts, side, settings.inner, repeat=repeat, fold=number)
            label = f"fold {number + 1}/{settings.folds}"
            if settings.repeats > 1:
                label = f"repeat {repeat + 1}/{settings.repeats} {label}"
            for rows, which in ((train, "training"), (inner, "inner validation"), (scored, "scored")):
                dataset.require_weight(rows, f"{which} row of {label}")
            found.append(Fold(repeat, number, len(found), count, label, train, inner, scored))
    return found


class _Work:
    """The folds of a run under way."""

    def __init__(
        self,
        document: Document,
        experiment: Experiment,
        dataset: Dataset,
        plan: Sequence[Fold],
        run: Recording,
        listener: Listener,
    ) -> None:
        self.document, self.experiment, self.dataset = document, experiment, dataset
        self.plan, self.run, self.listener = plan, run, listener

    def do(self, crew: Crew) -> None:
        """Whatever is left to do."""
        run = self.run
        run.update(jobs=min(crew.jobs, len(self.plan)))
        if crew.jobs == 1:
            run.update(threads=run.load_tensorflow(run.entry.threads))
        reached = self._train(crew)
        run.write_scores(_summary(self.experiment, self.dataset, self.plan, reached, run).as_json())
        if run.entry.options.get("final"):
            self._finish(reached)

    def _train(self, crew: Crew) -> list[Reached]:
        """Trains every fold that is not finished yet, and keeps each as soon as it is.

        Raises:
            TrainingError: some folds failed.
        """
        reached = {fold.index: found for fold in self.plan if (found := one_fold.read(self.run.folder, fold))}
        missing = [fold for fold in self.plan if fold.index not in reached]
        tasks = [FoldTask(fold, self.run.state(_training(fold))) for fold in missing]
        if self.run.entry.resumed:
            begun = sum(task.resume is not None for task in tasks)
            text = f"{len(reached)} of {len(self.plan)} folds are trained already, {begun} go on from a checkpoint"
            self.listener(Note(f"{text}, {len(tasks) - begun} begin with epoch 1"))
        failed: dict[int, Failed] = {}
        results = crew.run(
            FoldUnit(self.experiment, self.dataset.for_training()),
            tasks,
            threads=self.run.entry.threads,
            emit=lambda number, event: self._tell(missing[number], event),
            keep=lambda number, state: self.run.keep_state(_training(missing[number]), state),
        )
        with located(self.document), closing(results):
            for number, result in results:
                fold = missing[number]
                if isinstance(result, Failed):
                    failed[fold.index] = result
                    self.listener(UnitEnded(fold.label, "failed", index=fold.index))
                else:
                    self._keep(fold, result)
                    reached[fold.index] = result.reached
            if failed:
                raise TrainingError(self._failures(failed))
        return [reached[fold.index] for fold in self.plan]

    def _tell(self, fold: Fold, event: Event) -> None:
        """Passes on what a fold says; the history of each is kept with it, so that the run's stays out of it."""
        match event:
            case Note():
                self.run.emit(replace(event, text=f"{fold.label}: {event.text}"))
            case UnitStarted():
                self.listener(event)
            case _:
                self.listener(replace(event, index=fold.index))

    def _keep(self, fold: Fold, outcome: Outcome) -> None:
        """Scores a fold and writes it down."""
        experiment, dataset = self.experiment, self.dataset
        values, baseline = _scores(experiment, dataset, fold, outcome.reached)
        one_fold.write(self.run.folder, fold, outcome, values, baseline)
        self.run.drop_state(_training(fold))
        if fold.index == 0:
            self.run.update(engine=outcome.engine.kind, engine_reason=outcome.engine.reason)
            for note in outcome.notes:
                self.run.emit(note)
        self.listener(UnitEnded(fold.label, f"epoch {outcome.reached.chosen_epoch}", values, index=fold.index))

    def _failures(self, failed: Mapping[int, Failed]) -> Iterable[Problem]:
        """The problems of folds, each once, with the names of those that have it."""
        folds: dict[Problem, list[str]] = {}
        for fold in self.plan:
            failure = failed.get(fold.index, Failed(()))
            for problem in failure.problems:
                hint = f"{resume_command(self.run)} trains the missing folds" if failure.lost else problem.suggestion
                folds.setdefault(replace(problem, suggestion=hint), []).append(fold.label)
        for problem, labels in folds.items():
            yield replace(problem, message=f"{_listed(labels)}: {problem.message}")

    def _finish(self, reached: Sequence[Reached]) -> None:
        """One model on all rows but the test rows, and one look at those."""
        run, dataset = self.run, self.dataset
        epochs = max(1, round(float(np.median([each.chosen_epoch for each in reached]))))
        nobody = np.zeros(0, dtype=np.int64)
        label = f"final training on {len(dataset.pool):,} rows"
        # Where scores decide the rates there are none here, so those of the fold that is most like it are used.
        alike = min(reached, key=lambda each: (each.chosen_epoch < epochs, abs(each.chosen_epoch - epochs)))
        seeds, rates = Seeds(self.experiment.seed), alike.rate_factors
        assignment = Assignment(dataset.pool, nobody, seeds, epochs=epochs, label=label, rate_factors=rates)
        run.load_tensorflow(run.entry.threads)
        state = run.state(FINAL)
        run.follow(earlier=state)
        if run.entry.resumed:
            run.emit(Note(where_it_goes_on(run, state, label)))
        try:
            with located(self.document), interruption() as interrupted:
                trained = train_unit(
                    self.experiment,
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
                run.keep_model(error.trained, trained_on=("train", "validation"))
            raise
        run.emit(UnitEnded(label, f"{epochs} epochs, the median of the folds"))
        run.write_history()
        run.keep_model(trained, trained_on=("train", "validation"))
        scorer = Scorer(self.experiment, dataset, dataset.pool)
        open_test(run, scorer, trained.export(), trained.fitted, "kfold --final")


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _training(fold: Fold) -> str:
    """Under which name a fold's state is kept."""
    return f"fold-{fold.name}"


def _scores(
    experiment: Experiment, dataset: Dataset, fold: Fold, reached: Reached
) -> tuple[dict[str, float], dict[str, float]]:
    """The scores of a fold, and those of its baseline."""
    base = Scorer(experiment, dataset, fold.train).baseline
    values = _values(experiment, dataset, fold.scored, reached.prediction, experiment.evaluation.threshold)
    return values, _values(experiment, dataset, fold.scored, base.predict(len(fold.scored)), base.threshold)


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


def _summary(
    experiment: Experiment, dataset: Dataset, plan: Sequence[Fold], reached: Sequence[Reached], run: Recording
) -> ScoreSheet:
    """Mean, standard deviation and interval over folds; the out-of-fold predictions are kept."""
    metrics, settings, evaluation = experiment.metrics or (), experiment.kfold, experiment.evaluation
    ordered = isinstance(experiment.split, Chronological)
    dependence = "each fold trains on more rows than the one before" if ordered else ""
    pairs = [_scores(experiment, dataset, fold, each) for fold, each in zip(plan, reached, strict=True)]
    summaries = [
        fold_scores.summarize(metrics, values, settings.folds, confidence=evaluation.confidence, dependence=dependence)
        for values in ([values for values, _ in pairs], [baseline for _, baseline in pairs])
    ]
    numbers = {"repeat": [fold.repeat + 1 for fold in plan], "fold": [fold.number + 1 for fold in plan]}
    lengths = [len(fold.scored) for fold in plan]
    run.write_predictions(
        "out-of-fold",
        Predictions(
            dataset.answer.goal,
            np.concatenate([each.prediction for each in reached]),
            np.concatenate([fold.scored for fold in plan]),
            evaluation.threshold,
            {name: np.repeat(each, lengths) for name, each in numbers.items()},
        ),
    )
    run.update(chosen_epochs=tuple(each.chosen_epoch for each in reached))
    name = Scorer(experiment, dataset, dataset.pool).baseline.name
    return ScoreSheet({}, {}, name, None, evaluation.confidence, summaries[0], summaries[1])
