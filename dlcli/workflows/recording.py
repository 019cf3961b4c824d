"""A run as it is written down: its directory, record, histories, scores, predictions and model."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shlex
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcli import backend, custom_code
from dlcli.config.document import Document
from dlcli.config.experiment import Experiment
from dlcli.config.writer import to_yaml
from dlcli.evaluation.decision import Decision
from dlcli.events import EpochEnded, Event, Listener, Note, UnitStarted
from dlcli.part import Part
from dlcli.part import Record as Fields
from dlcli.problems import DlcliError, InterruptedRunError, Problem, RefusedError
from dlcli.runs import directory, ledger, record, whole_files
from dlcli.runs.directory import RunDirectory
from dlcli.runs.record import Record
from dlcli.training import checkpoint
from dlcli.training.checkpoint import State
from dlcli.workflows import exported
from dlcli.workflows.dataset import Dataset, misfit_warnings
from dlcli.workflows.predictions import Predictions
from dlcli.workflows.unit import Ready, Trained

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

SCORES = "scores.json"
MODEL = "model.keras"
RESOLVED = "resolved.yaml"
HISTORY = "history.csv"
CHECKPOINTS = "checkpoint"
TENSORFLOW_LOG = "tensorflow.log"


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run.

    Attributes:
        path: its directory.
        scores: what `scores.json` holds: by subset the scores with their intervals, `baseline`, `looks`.
    """

    path: Path
    scores: dict[str, Any]


class Recording:
    """A run under way. Everything is written whole; the record is closed last."""

    def __init__(
        self, folder: RunDirectory, entry: Record, listener: Listener, scores: dict[str, Any] | None = None
    ) -> None:
        self.folder = folder
        self._listener = listener
        self.entry = entry
        self._history = HISTORY
        self._earlier: tuple[dict[str, float], ...] = ()
        self._epochs: list[dict[str, float]] = []
        self.looks: int | None = None
        """How often the test rows were looked at, once this run has looked."""
        self._scores = scores or {}

    def update(self, **fields: Any) -> None:
        """Fills in fields of the record."""
        self.entry = self.entry.changed(**fields)
        self.folder.write_record(self.entry)

    def emit(self, event: Event) -> None:
        """Keeps warnings and the epochs of the training under way, and passes every event on."""
        match event:
            case Note(text, warning=True):
                # A resumed run may meet again what it has warned of.
                self.entry = self.entry.changed(warnings=tuple(dict.fromkeys((*self.entry.warnings, text))))
            case UnitStarted():
                self._epochs = list(self._earlier)
            case EpochEnded():
                row = {"learning_rate": event.learning_rate, "seconds": event.seconds}
                self._epochs.append({"epoch": event.epoch, **event.values, **row})
        self._listener(event)

    def load_tensorflow(self, threads: int | None) -> int | None:
        """Loads TensorFlow for the trainings of this process, with so many threads; None leaves it the choice.

        Returns:
            the threads that it uses: where this process has used it before those of then, with a warning.
        """
        backend.use_threads(threads)
        backend.load()
        kept = backend.threads()
        if threads not in (None, kept):
            text = "TensorFlow keeps the number of threads with which this process first used it"
            self.emit(Note(f"{text}: {kept or 'its own choice'}, not {threads}", warning=True))
        return kept

    def follow(self, name: str = HISTORY, earlier: State | None = None) -> None:
        """Says where the epochs of the next training go, and from which state it goes on."""
        self._history = name
        self._earlier = tuple(earlier["history"]) if earlier else ()
        self._epochs = list(self._earlier)

    def reached(self) -> str:
        """How far the newest training is, in words; empty before the end of its first epoch."""
        return f" after epoch {len(self._epochs)}" if self._epochs else ""

    def write_history(self) -> None:
        """Keeps a row per epoch of the newest training."""
        self.folder.write_text(self._history, as_csv(self._epochs))

    def write_history_so_far(self) -> None:
        """Keeps the epochs of a training that was stopped, if there are any."""
        if self._epochs:
            self.write_history()

    def ready(self, unit: Ready, training: str = "train") -> None:
        """Writes down what a training was fitted to and is run by, before its first epoch.

        Raises:
            RefusedError: it goes on, and preprocessing has learned something else than when it began.
        """
        digest = fitted_hash(unit, self.entry.fitted_hashes.get(training))
        self.update(fitted_hashes={**self.entry.fitted_hashes, training: digest}, **_known_before_training(unit))
        if training == "train":  # so that it trains again by the same engine, also after more epochs
            settled = unit.experiment.training.model_copy(update={"engine": unit.choice.kind})
            self.folder.write_text(RESOLVED, to_yaml(unit.experiment.model_copy(update={"training": settled})))

    def keep_state(self, training: str, state: State) -> None:
        """Keeps the state that a training can go on from."""
        with whole_files.whole(self.folder.file(f"{CHECKPOINTS}/{training}.npz")) as temporary:
            checkpoint.write(state, temporary)

    def state(self, training: str) -> State | None:
        """The newest state of a training; None where none was kept."""
        return read_state(self.folder, training)

    def drop_state(self, training: str) -> None:
        """Removes the state of a training that has ended, and whose result is kept."""
        (self.folder.path / CHECKPOINTS / f"{training}.npz").unlink(missing_ok=True)

    def drop_states(self) -> None:
        """Removes all states: the run is complete."""
        shutil.rmtree(self.folder.path / CHECKPOINTS, ignore_errors=True)

    def write_scores(self, scores: dict[str, Any]) -> None:
        """Keeps the scores."""
        self._scores = scores
        self.folder.write_json(SCORES, scores)

    def write_predictions(self, name: str, predictions: Predictions) -> None:
        """Keeps predictions of a subset."""
        self.folder.write_bytes(f"predictions/{name}.parquet", predictions.parquet())

    def keep_model(self, trained: Trained, decision: Decision, *, trained_on: Sequence[str]) -> keras.Model:
        """Saves the model that takes raw rows, and what was fitted for it; returns the model."""
        model, unit = trained.export(decision), trained.unit
        self.save_model(model, MODEL)
        outcome = trained.outcome
        for_one, for_batch = exported.seconds(model, unit.fitted, unit.dataset.samples)
        self.update(
            **_known_before_training(unit),
            decision=decision.as_json(),
            model_bytes=(self.folder.path / MODEL).stat().st_size,
            seconds_per_row=for_one,
            seconds_per_batch=for_batch,
            stopped_by=outcome.stopped_by,
            chosen_epoch=outcome.chosen_epoch,
            epochs_run=outcome.epochs_run,
            trained_on=tuple(trained_on),
        )
        return model

    def save_model(self, model: keras.Model, name: str) -> None:
        """Saves a model whole or not at all."""
        with whole_files.whole(self.folder.file(name)) as temporary:
            model.save(temporary)

    def look(self, command: str, data_hash: str, row_hashes: NDArray[np.uint64]) -> None:
        """Writes a look at test rows into the ledger, before their targets are handed out.

        A run that died after it had written its look, and goes on, has looked once.
        """
        look, root = ledger.Look(self.folder.name, command, data_hash, row_hashes), self.folder.root
        entry = None
        if self.entry.resumed and self.entry.status == "running":
            entry = ledger.written(root, look, known=self.entry.ledger_lines, since=self.entry.started)
        entry = entry or ledger.append(root, look)
        self.looks = entry.looks
        for note in entry.notes:
            self.emit(Note(note, warning=True))
        if 0 < entry.seen_rows < len(row_hashes):
            seen = f"{entry.seen_rows:,} of these {len(row_hashes):,} rows"
            self.emit(Note(f"{seen} were looked at before, among others", warning=True))
        self.update(ledger_lines=tuple(dict.fromkeys((*self.entry.ledger_lines, entry.line_hash))))

    def result(self) -> RunResult:
        """The run as the caller gets it."""
        return RunResult(self.folder.path, self._scores)


def _known_before_training(unit: Ready) -> dict[str, Any]:
    return {
        "data_schema": unit.fitted.schema,
        "preprocessing_state": unit.fitted.state,
        "target_state": unit.scale.as_json(),
        "layers": unit.layers,
        "parameters": unit.engine.model.count_params(),
        "engine": unit.choice.kind,
        "engine_reason": unit.choice.reason,
        "rows_kept_as": unit.feed.kept_as,
    }


@contextmanager
def recording(
    document: Document,
    experiment: Experiment,
    dataset: Dataset,
    *,
    command: str,
    name: str | None,
    runs: Path | str | None,
    emit: Listener,
    options: Mapping[str, Any] | None = None,
) -> Iterator[Recording]:
    """Makes a run directory, writes down what is known, and closes the record however the block ends.

    `options` are those of the command that a resume uses again.

    Raises:
        DlcliError: the directory cannot be written.
        InterruptedRunError: the user stopped the block.
    """
    folder = directory.create(directory.runs_root(runs), name or experiment.name or document.path.stem)
    try:
        with folder.lock():
            entry = first_entry(folder.name, command, experiment, dataset)
            kept = {"options": dict(options or {}), "config_hashes": (config_hash(experiment),)}
            run = Recording(folder, entry.changed(**kept), emit)
            write_configs(folder, document, experiment)
            run.update()
            with closing(run):
                yield run
    finally:
        folder.discard()


@contextmanager
def closing(run: Recording) -> Iterator[None]:
    """Closes the record as completed, interrupted or failed.

    Raises:
        InterruptedRunError: the user stopped the block; it says how to go on.
    """
    try:
        yield
        if log := backend.take_log():
            run.folder.write_text(TENSORFLOW_LOG, log)
        run.entry = run.entry.closed("completed")
        run.folder.write_record(run.entry)
    except KeyboardInterrupt as error:
        _close(run, "interrupted", "stopped by the user")
        message = f"stopped{run.reached()}; everything so far lies in {run.folder.path}"
        raise InterruptedRunError(Problem("interrupted", message, f"go on with: {resume_command(run)}")) from error
    except BaseException as error:
        _close(run, "failed", (str(error).splitlines() or [type(error).__name__])[0])
        if isinstance(error, DlcliError):
            hint = f"make room, then go on with: {resume_command(run)}"
            error.problems = tuple(
                replace(problem, suggestion=hint) if problem.code == "cannot-write" else problem
                for problem in error.problems
            )
        raise
    run.drop_states()


def as_csv(epochs: Sequence[Mapping[str, float]]) -> str:
    """A history as a table, a row per epoch."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(epochs[0]) if epochs else ["epoch"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(epochs)
    return stream.getvalue()


def resume_command(run: Recording) -> str:
    """What goes on with a run, as it is typed."""
    words = ["dlcli", run.entry.command, "--resume", run.folder.name]
    if run.folder.root != directory.runs_root():
        words += ["--runs", str(run.folder.root)]
    if run.entry.options.get("trust"):
        words.append("--trust")
    return shlex.join(words)


def where_it_goes_on(run: Recording, state: State | None, label: str = "") -> str:
    """Where a training of a run goes on, in words."""
    what = f"{run.entry.name}: {label}" if label else f"run {run.entry.name}"
    if state is None:
        return f"{what} has no checkpoint yet: it begins with epoch 1"
    return f"{what} goes on after {len(state['history'])} epochs" + (", inside the next one" if state["batch"] else "")


def fitted_hash(unit: Ready, earlier: str | None) -> str:
    """The hash of what a training was fitted to.

    Args:
        unit: the training, before its first epoch.
        earlier: what the hash was, if it goes on.

    Raises:
        RefusedError: it is another one.
    """
    digest = hashlib.sha256(json.dumps([unit.fitted.state, unit.scale.as_json()], sort_keys=True).encode()).hexdigest()
    if earlier not in (None, digest):
        message = "preprocessing learns other numbers from the same rows than when the run began"
        hint = "resume with the versions and on the machine of its record.json, or train a new run"
        raise RefusedError(Problem("changed-preprocessing", message, hint, ("preprocessing",)))
    return digest


def _close(run: Recording, status: record.Status, failure: str) -> None:
    try:
        run.folder.write_record(run.entry.closed(status, failure))
        run.write_history_so_far()
    except DlcliError:
        # The disk is full or gone: the record stays "running" with a dead lock, which is shown as interrupted.
        return


def first_entry(name: str, command: str, experiment: Experiment, dataset: Dataset) -> Record:
    """What is known of a run before it trains."""
    import os

    return Record(
        name=name,
        command=command,
        arguments=backend.command_line(),
        versions=backend.versions(),
        machine=record.machine(),
        threads=experiment.training.threads,
        onednn=os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0",
        seeds={"experiment": experiment.seed, "split": getattr(experiment.split, "seed", 0)},
        data_hash=dataset.data_hash,
        order_hash=dataset.order_hash,
        subset_hashes=dataset.subset_hashes(),
        rows={name: len(rows) for name, rows in dataset.subsets.items()},
        files={str(path): None for path in dataset.found.files} | dict(custom_code_of(experiment)),
        data_schema=dataset.schema,
        goal=dataset.answer.goal,
        warnings=(
            *(warning.text for warning in misfit_warnings(dataset.misfits)),
            *(finding.text for finding in dataset.findings),
        ),
    )


def custom_code_of(value: object) -> Iterator[tuple[str, str]]:
    """Each file of the user's code that Parts run, with the hash of what it holds."""
    if isinstance(value, tuple):
        for item in value:
            yield from custom_code_of(item)
    elif isinstance(value, Fields):
        if isinstance(value, Part) and value.runs_code:
            file = custom_code.file_of(value.object)  # type: ignore[attr-defined]
            yield str(file), hashlib.sha256(file.read_bytes()).hexdigest()
        for _, field in value:
            yield from custom_code_of(field)


def config_hash(experiment: Experiment) -> str:
    """The hash of a config with everything spelled out but the engine, which may be settled later."""
    training = experiment.training.model_copy(update={"engine": "auto"})
    return hashlib.sha256(to_yaml(experiment.model_copy(update={"training": training})).encode()).hexdigest()


def write_configs(folder: RunDirectory, document: Document | None, experiment: Experiment) -> None:
    """The config as written, where it is given, with what it extends; and with everything spelled out."""
    if document is not None:
        (_, text), *parents = document.texts
        folder.write_text("config.yaml", text)
        for path, parent in parents:
            digest = hashlib.sha256(str(path).encode()).hexdigest()[:6]
            folder.write_text(f"config/{path.stem}-{digest}.yaml", parent)
    folder.write_text(RESOLVED, to_yaml(experiment))


def read_state(folder: RunDirectory, training: str) -> State | None:
    """The newest state of a training of a run; None where none was kept.

    Raises:
        DataError: it is damaged.
    """
    path = folder.path / CHECKPOINTS / f"{training}.npz"
    return checkpoint.read(path) if path.exists() else None
