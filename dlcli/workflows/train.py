"""`dlcli train`: one training, kept in a run directory."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from dlcli import backend
from dlcli.config.document import Document, load
from dlcli.config.experiment import Experiment
from dlcli.data.row_facts import SUBSETS
from dlcli.evaluation.decision import Decision
from dlcli.events import Listener, Note, UnitEnded, silent
from dlcli.problems import ConfigError, Problem
from dlcli.seeds import Seeds
from dlcli.training.choice import Choice, Kind
from dlcli.training.reuse import Bench
from dlcli.training.stopping import LAST
from dlcli.workflows import repeats, resuming
from dlcli.workflows.baseline_answers import FittedBaselines
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.interruption import interruption
from dlcli.workflows.preparation import located, prepare
from dlcli.workflows.recording import Recording, RunResult, recording, where_it_goes_on
from dlcli.workflows.scoring import Json, Scorer, open_test, require_test_rows
from dlcli.workflows.unit import Assignment, DivergedUnitError, Trained, decided_rates, train_unit, validation_chooses
from dlcli.workflows.workers import Crew
from dlcli.workflows.worst_rows import FILE_NAME, worst_rows

if TYPE_CHECKING:
    from numpy.typing import NDArray


def train(  # noqa: PLR0913 - mirrors the options of the command
    config: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    name: str | None = None,
    runs: Path | str | None = None,
    evaluate: bool = False,
    refit: bool = False,
    repeat: int = 1,
    jobs: int = 1,
    trust: bool = False,
    resume: Path | str | None = None,
    emit: Listener = silent,
) -> RunResult:
    """Trains the model that a config describes and keeps everything in a run directory.

    Args:
        config: the YAML file; a resumed run has its own.
        overrides: `path=value` texts as of `--set`.
        name: of a new run; by default the config's.
        runs: the folder of the runs; by default DLCLI_RUNS, else `runs`.
        evaluate: open the sealed test set afterwards.
        refit: train once more on training and validation rows together, for the number of epochs that
            validation chose; the validation score of the first training is then void.
        repeat: how many seeds to train with; the model of the first is kept, the others say how much of its
            score is luck of the seed.
        jobs: how many of the others are trained side by side, each in a process of its own.
        trust: let the config run code of its own files.
        resume: name or folder of a run to go on with, or "latest", instead of a new one. It ends with the
            bits of a run in one go. A completed one gives its result again.
        emit: hears of notes and epochs.

    Raises:
        ConfigError: the config has problems.
        DataError: the data cannot be used.
        RefusedError: the run to go on with is in use, or its config, data or split have changed.
        TrainingError: the loss stayed non-finite.
        InterruptedRunError: the user stopped it; it says how to go on.
    """
    options = {"evaluate": evaluate, "refit": refit, "repeat": repeat if repeat > 1 else 0}
    if resume is not None:
        folder = resuming.find(resume, command="train", runs=runs, name=name, options=options)
        given = resuming.Given(config, overrides, trust)
        if folder.record().status == "completed":
            return resuming.finished(folder, given, emit)
        seeds = int(str(folder.record().options.get("repeat") or 0))
        with _crew(seeds, jobs) as crew, resuming.going_on(folder, given, emit) as again:
            _carry_out(again.document, again.experiment, again.dataset, again.run, crew, emit)
        return again.run.result()
    document = load(resuming.required(config), overrides, trusted=trust, command="train")
    backend.use_threads(document.experiment.training.threads)
    with _crew(repeat, jobs) as crew:
        experiment, dataset = prepare(document, "train", emit)
        with located(document):
            _require(dataset, evaluate=evaluate, refit=refit, repeat=repeat)
        backend.load()
        kept = {**options, "trust": trust, "overrides": list(overrides)}
        with recording(
            document, experiment, dataset, command="train", name=name, runs=runs, emit=emit, options=kept
        ) as run:
            _carry_out(document, experiment, dataset, run, crew, emit)
    return run.result()


def _crew(repeat: int, jobs: int) -> AbstractContextManager[Crew | None]:
    """The processes for the seeds after the first; none where there is one seed."""
    return Crew(min(jobs, repeat - 1)) if repeat > 1 else nullcontext()


def _require(dataset: Dataset, *, evaluate: bool, refit: bool, repeat: int) -> None:
    """Refuses options that cannot be met before anything is trained."""
    if evaluate:
        require_test_rows(dataset)
    if repeat > 1 and refit:
        message = "--repeat compares validation scores, which --refit makes void"
        raise ConfigError(Problem("contradiction", message, "leave one of them out"))
    if repeat > 1 and not len(dataset.subsets["validation"]):
        message = "--repeat needs validation rows: it compares their scores"
        raise ConfigError(Problem("no-validation-rows", message, "leave --repeat out", ("split",)))
    if refit and not len(dataset.subsets["validation"]):
        message = "--refit needs validation rows: they find the number of epochs"
        raise ConfigError(Problem("no-validation-rows", message, "leave --refit out", ("split",)))


def _carry_out(
    document: Document, experiment: Experiment, dataset: Dataset, run: Recording, crew: Crew | None, listener: Listener
) -> None:
    """Trains, or goes on, and scores. What was done since the newest checkpoint is done again, to the same bits."""
    run.update(threads=run.load_tensorflow(experiment.training.threads))
    refit = bool(run.entry.options.get("refit"))
    try:
        trained = _Trainings(document, experiment, dataset, run).last(refit=refit)
    except DivergedUnitError as error:
        if error.trained.outcome.epochs_run:
            seen = ("train",) if run.entry.refit_epochs is None else ("train", "validation")
            run.keep_model(error.trained, Decision(), trained_on=seen)
        raise
    decision = Decision.from_json(run.entry.decision or {})
    model = run.keep_model(trained, decision, trained_on=("train", "validation") if refit else ("train",))
    train = dataset.pool if refit else dataset.subsets["train"]
    scorer = Scorer(experiment, dataset, decision)
    baselines = FittedBaselines(experiment, dataset, trained.fitted, train)
    run.write_scores(_scores(scorer, baselines, trained, run, refit=refit))
    if crew is not None:
        count = int(str(run.entry.options["repeat"]))
        repeats.repeat(document, experiment, dataset, run, crew, count, listener)
    if run.entry.options.get("evaluate"):
        open_test(run, scorer, model, trained.fitted, baselines, "train --evaluate")


class _Trainings:
    """The one or two trainings of a run."""

    def __init__(self, document: Document, experiment: Experiment, dataset: Dataset, run: Recording) -> None:
        self.document, self.experiment, self.dataset, self.run = document, experiment, dataset, run
        self.bench = Bench()

    def last(self, *, refit: bool) -> Trained:
        """The training whose model is kept."""
        dataset, run, seeds = self.dataset, self.run, Seeds(self.experiment.seed)
        if run.entry.refit_epochs is None:
            # More epochs may let `auto` choose another engine, which a run that goes on must not do.
            entry = run.entry
            engine = None
            if entry.resumed and entry.engine:
                engine = Choice(cast("Kind", entry.engine), entry.engine_reason or "")
            rows, validation = dataset.subsets["train"], dataset.subsets["validation"]
            trained = self._train("train", Assignment(rows, validation, seeds, engine=engine))
            for note in trained.unit.notes:
                run.emit(note)
            run.emit(UnitEnded(reason=_ending(trained)))
            decision = trained.decide()
            for text in decision.notes:
                run.emit(Note(text, warning=True))
            run.update(decision=decision.as_json())
            if not refit:
                return trained
            outcome = trained.outcome
            run.update(refit_epochs=max(1, outcome.chosen_epoch), rate_factors=decided_rates(self.experiment, outcome))
        epochs, nobody = run.entry.refit_epochs, np.zeros(0, dtype=np.int64)
        label = f"refit on {len(dataset.pool):,} rows"
        rates = run.entry.rate_factors
        again = Assignment(dataset.pool, nobody, seeds, epochs=epochs, label=label, rate_factors=rates)
        trained = self._train("refit", again)
        run.emit(UnitEnded(label=label, reason=f"{epochs} epochs"))
        return trained

    def _train(self, training: str, assignment: Assignment) -> Trained:
        """One training, from its newest state where there is one."""
        run = self.run
        state = run.state(training)
        if run.entry.resumed:
            run.emit(Note(where_it_goes_on(run, state, assignment.label)))
        run.follow("history.csv" if training == "train" else f"history-{training}.csv", state)
        with located(self.document), interruption() as interrupted:
            trained = train_unit(
                self.experiment,
                self.dataset,
                assignment,
                run.emit,
                self.bench,
                ready=partial(run.ready, training=training),
                resume=state,
                keep=partial(run.keep_state, training),
                interrupted=interrupted,
            )
        run.write_history()
        return trained


def _ending(trained: Trained) -> str:
    outcome = trained.outcome
    ended = {
        "epochs": f"all {outcome.epochs_run} epochs run",
        "patience": f"stopped early after epoch {outcome.epochs_run}",
        "time_limit": f"time limit reached after epoch {outcome.epochs_run}",
    }.get(outcome.stopped_by, f"stopped after epoch {outcome.epochs_run}: {outcome.stopped_by.replace('_', ' ')}")
    if outcome.monitor != LAST:
        ended += f"; weights of epoch {outcome.chosen_epoch} kept (best {outcome.monitor})"
    return ended


def _scores(scorer: Scorer, baselines: FittedBaselines, trained: Trained, run: Recording, *, refit: bool) -> Json:
    """Scores of the rows that may be looked at freely. After a refit, validation rows are training rows."""
    dataset = scorer.dataset
    names: dict[str, NDArray[np.int64]] = {"train": dataset.pool}
    if not refit:
        names = {name: dataset.subsets[name] for name in SUBSETS[:2]}
    decision, found = scorer.decision, scorer.sheet()
    for name, rows in names.items():
        if not len(rows):
            continue
        prediction = decision.apply(scorer.goal, trained.predict(dataset, rows))
        validates = name == "validation"
        chose = (validates or refit) and validation_chooses(scorer.experiment)
        answers = baselines.answers(rows, reference_only=not validates)
        found = scorer.score(rows, prediction, answers, starred=chose, figures=validates).added_to(found, name)
        if validates:
            run.write_predictions(name, scorer.predictions(rows, prediction))
            scored = scorer.rows(rows, prediction)
            run.folder.write_json(FILE_NAME, worst_rows(dataset, name, scorer.in_order(rows), scored))
    return found
