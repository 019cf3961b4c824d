"""Trainings of one experiment on different rows or with different seeds, side by side: folds, or repeats."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from dlcli.config.document import Document
from dlcli.config.experiment import Experiment
from dlcli.events import Event, Listener, Note, Progress, UnitEnded, UnitStarted
from dlcli.problems import Problem, TrainingError
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.fold import Fold, FoldTask, FoldUnit, Outcome, Reached, read, write
from dlcli.workflows.fold_summary import bare_scores
from dlcli.workflows.preparation import located
from dlcli.workflows.recording import Recording, resume_command
from dlcli.workflows.worker_process import Failed
from dlcli.workflows.workers import Crew


class FoldTrainings:
    """The folds of a run under way.

    Attributes:
        document, experiment, dataset: what is trained, and on what.
        plan: all folds, finished or not.
        run: what they are kept in.
        listener: hears of them.
    """

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

    def train(self, crew: Crew) -> list[Reached]:
        """Trains what is not finished yet, and keeps each as soon as it is.

        Raises:
            TrainingError: some folds failed.
        """
        reached = {fold.index: found for fold in self.plan if (found := read(self.run.folder, fold))}
        missing = [fold for fold in self.plan if fold.index not in reached]
        tasks = [FoldTask(fold, self.run.state(_state_name(fold))) for fold in missing]
        if self.run.entry.resumed:
            begun = sum(task.resume is not None for task in tasks)
            noun = self.plan[0].kind
            text = f"{len(reached)} of {len(self.plan)} {noun} are trained already, {begun} go on from a checkpoint"
            self.listener(Note(f"{text}, {len(tasks) - begun} begin with epoch 1"))
        failed: dict[int, Failed] = {}
        results = crew.run(
            FoldUnit(self.experiment, self.dataset.for_training()),
            tasks,
            threads=self.run.entry.threads,
            emit=lambda number, event: self._tell(missing[number], event),
            keep=lambda number, state: self.run.keep_state(_state_name(missing[number]), state),
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
            case Progress() | UnitStarted():
                self.listener(event)
            case _:
                self.listener(replace(event, index=fold.index))

    def _keep(self, fold: Fold, outcome: Outcome) -> None:
        """Scores a fold and writes it down."""
        experiment, dataset = self.experiment, self.dataset
        values, baselines = bare_scores(experiment, dataset, fold, outcome.reached)
        write(self.run.folder, fold, outcome, values, baselines)
        self.run.drop_state(_state_name(fold))
        if fold.index == 0 and fold.kind == "folds":
            engine = outcome.engine
            self.run.update(engine=engine.kind, engine_reason=engine.reason, layers=outcome.layers)
            for note in outcome.notes:
                self.run.emit(note)
        self.listener(UnitEnded(fold.label, f"epoch {outcome.reached.chosen_epoch}", values, index=fold.index))

    def _failures(self, failed: Mapping[int, Failed]) -> Iterable[Problem]:
        """The problems of folds, each once, with the names of those that have it."""
        folds: dict[Problem, list[str]] = {}
        for fold in self.plan:
            failure = failed.get(fold.index, Failed(()))
            for problem in failure.problems:
                hint = (
                    f"{resume_command(self.run)} trains the missing {fold.kind}" if failure.lost else problem.suggestion
                )
                folds.setdefault(replace(problem, suggestion=hint), []).append(fold.label)
        for problem, names in folds.items():
            yield replace(problem, message=f"{_listed(names)}: {problem.message}")


def _listed(words: Sequence[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last


def _state_name(fold: Fold) -> str:
    """Under which name a fold's state is kept."""
    return f"{fold.kind}-{fold.name}"
