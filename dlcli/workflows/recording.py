"""A run as it is written down: its directory, record, histories, scores, predictions and model."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcli import backend, custom_code
from dlcli.config.document import Document
from dlcli.config.experiment import Experiment
from dlcli.config.writer import to_yaml
from dlcli.events import EpochEnded, Event, Listener, Note, UnitStarted
from dlcli.part import Part
from dlcli.part import Record as Fields
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.problems import ConfigError, DlcliError, InterruptedRunError, Problem, RefusedError
from dlcli.runs import directory, ledger, record, whole_files
from dlcli.runs.directory import RunDirectory
from dlcli.runs.record import Record
from dlcli.workflows.dataset import Dataset, misfit_warnings
from dlcli.workflows.predictions import Predictions
from dlcli.workflows.unit import Trained

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

SCORES = "scores.json"
MODEL = "model.keras"
RESOLVED = "resolved.yaml"
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
                self.entry = self.entry.changed(warnings=(*self.entry.warnings, text))
            case UnitStarted():
                self._epochs = []
            case EpochEnded():
                row = {"learning_rate": event.learning_rate, "seconds": event.seconds}
                self._epochs.append({"epoch": event.epoch, **event.values, **row})
        self._listener(event)

    def write_history(self, name: str = "history.csv") -> None:
        """Keeps a row per epoch of the newest training."""
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(self._epochs[0]) if self._epochs else ["epoch"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(self._epochs)
        self.folder.write_text(name, stream.getvalue())

    def write_scores(self, scores: dict[str, Any]) -> None:
        """Keeps the scores."""
        self._scores = scores
        self.folder.write_json(SCORES, scores)

    def write_predictions(self, name: str, predictions: Predictions) -> None:
        """Keeps predictions of a subset."""
        self.folder.write_bytes(f"predictions/{name}.parquet", predictions.parquet())

    def keep_model(self, trained: Trained, *, trained_on: Sequence[str]) -> None:
        """Saves the model that takes raw rows, and what was fitted for it."""
        self.save_model(trained.export(), MODEL)
        outcome = trained.outcome
        self.update(
            data_schema=trained.fitted.schema,
            preprocessing_state=trained.fitted.state,
            target_state=trained.scale.as_json(),
            parameters=trained.model.count_params(),
            stopped_by=outcome.stopped_by,
            chosen_epoch=outcome.chosen_epoch,
            epochs_run=outcome.epochs_run,
            trained_on=tuple(trained_on),
        )

    def save_model(self, model: keras.Model, name: str) -> None:
        """Saves a model whole or not at all."""
        with whole_files.whole(self.folder.file(name)) as temporary:
            model.save(temporary)

    def look(self, command: str, data_hash: str, row_hashes: NDArray[np.uint64]) -> None:
        """Writes a look at test rows into the ledger, before their targets are handed out."""
        entry = ledger.append(self.folder.root, ledger.Look(self.folder.name, command, data_hash, row_hashes))
        self.looks = entry.looks
        for note in entry.notes:
            self.emit(Note(note, warning=True))
        if entry.looks == 1 and entry.seen_rows:
            seen = f"{entry.seen_rows:,} of these {len(row_hashes):,} test rows"
            self.emit(Note(f"{seen} were looked at before, in other test sets", warning=True))
        self.update(ledger_lines=(*self.entry.ledger_lines, entry.line_hash))

    def result(self) -> RunResult:
        """The run as the caller gets it."""
        return RunResult(self.folder.path, self._scores)


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
) -> Iterator[Recording]:
    """Makes a run directory, writes down what is known, and closes the record however the block ends.

    Raises:
        DlcliError: the directory cannot be written.
        InterruptedRunError: the user stopped the block.
    """
    folder = directory.create(directory.runs_root(runs), name or experiment.name or document.path.stem)
    try:
        with folder.lock():
            run = Recording(folder, _first_entry(folder.name, command, experiment, dataset), emit)
            _write_configs(folder, document, experiment)
            run.update()
            with _closing(run):
                yield run
                if log := backend.take_log():
                    folder.write_text(TENSORFLOW_LOG, log)
    finally:
        folder.discard()


@contextmanager
def _closing(run: Recording) -> Iterator[None]:
    """Closes the record as completed, interrupted or failed."""
    try:
        yield
        run.entry = run.entry.closed("completed")
        run.folder.write_record(run.entry)
    except KeyboardInterrupt as error:
        _close(run, "interrupted", "stopped by the user")
        message = f"stopped; config, record and history so far lie in {run.folder.path}"
        raise InterruptedRunError(Problem("interrupted", message)) from error
    except BaseException as error:
        _close(run, "failed", (str(error).splitlines() or [type(error).__name__])[0])
        raise


def _close(run: Recording, status: record.Status, failure: str) -> None:
    try:
        run.folder.write_record(run.entry.closed(status, failure))
        run.write_history()
    except DlcliError:
        # The disk is full or gone: the record stays "running" with a dead lock, which is shown as interrupted.
        return


def _first_entry(name: str, command: str, experiment: Experiment, dataset: Dataset) -> Record:
    import os

    return Record(
        name=name,
        command=command,
        arguments=tuple(sys.argv[1:]),
        versions=backend.versions(),
        machine=record.machine(),
        threads=experiment.training.threads,
        onednn=os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1") != "0",
        engine="fit",
        engine_reason="the only engine of this version",
        seeds={"experiment": experiment.seed, "split": getattr(experiment.split, "seed", 0)},
        data_hash=dataset.data_hash,
        subset_hashes=dataset.subset_hashes(),
        rows={name: len(rows) for name, rows in dataset.subsets.items()},
        files={str(path): None for path in dataset.found.files} | dict(_custom_code(experiment)),
        data_schema=dataset.schema,
        goal=dataset.answer.goal,
        warnings=tuple(warning.text for warning in misfit_warnings(dataset.misfits)),
    )


def _custom_code(value: object) -> Iterator[tuple[str, str]]:
    """Each file of the user's code that Parts run, with the hash of what it holds."""
    if isinstance(value, tuple):
        for item in value:
            yield from _custom_code(item)
    elif isinstance(value, Fields):
        if isinstance(value, Part) and value.runs_code:
            file = custom_code.file_of(value.object)  # type: ignore[attr-defined]
            yield str(file), hashlib.sha256(file.read_bytes()).hexdigest()
        for _, field in value:
            yield from _custom_code(field)


def _write_configs(folder: RunDirectory, document: Document, experiment: Experiment) -> None:
    """The config as written, with what it extends, and with everything spelled out."""
    (_, text), *parents = document.texts
    folder.write_text("config.yaml", text)
    for path, parent in parents:
        digest = hashlib.sha256(str(path).encode()).hexdigest()[:6]
        folder.write_text(f"config/{path.stem}-{digest}.yaml", parent)
    folder.write_text(RESOLVED, to_yaml(experiment))


@dataclass(frozen=True, slots=True)
class Finished:
    """A completed run, found again."""

    folder: RunDirectory
    record: Record

    @property
    def config(self) -> Path:
        """Its config with everything spelled out."""
        return self.folder.path / RESOLVED

    @property
    def model(self) -> Path:
        """Its saved model."""
        return self.folder.path / MODEL

    def scores(self) -> dict[str, Any]:
        """What `scores.json` holds."""
        found: dict[str, Any] = json.loads((self.folder.path / SCORES).read_text())
        return found

    def fitted(self, experiment: Experiment) -> Pipeline:
        """Its fitted preprocessing."""
        schema, state = self.record.data_schema, self.record.preprocessing_state
        assert schema is not None
        assert isinstance(state, dict)
        return Pipeline.restore(experiment.preprocessing, schema, state)


def _latest_with_model(root: Path) -> RunDirectory | None:
    """The newest run that ended well and has a model."""
    for listed in reversed(directory.list_runs(root)):
        if listed.status == "completed" and (listed.directory.path / MODEL).exists():
            return listed.directory
    return None


def finished(root: Path, which: Path | str) -> Finished:
    """A run that has ended well and has a model.

    Raises:
        ConfigError: there is no such run, or it has no model.
    """
    folder = _latest_with_model(root) if which == directory.LATEST else None
    folder = folder or directory.find(root, str(which))
    found = Finished(folder, folder.record())
    if found.record.status != "completed":
        message = f"run {folder.name} is {found.record.status}, not completed"
        raise ConfigError(
            Problem("unfinished-run", message, "train again, or name another run (dlcli runs lists them)")
        )
    if not found.model.exists():
        message = f"run {folder.name} has no model of its own"
        hint = "dlcli kfold --final trains one on all rows but the test rows" if found.record.command == "kfold" else ""
        raise ConfigError(Problem("no-model", message, hint))
    return found


@contextmanager
def reopened(found: Finished, emit: Listener) -> Iterator[Recording]:
    """A completed run to which something is added; its record stays completed."""
    with found.folder.lock():
        yield Recording(found.folder, found.record, emit, found.scores())


def require_same_data(found: Record, dataset: Dataset) -> None:
    """Refuses data or a split that are not those of the run.

    Raises:
        RefusedError: they differ.
    """
    if found.data_hash != dataset.data_hash:
        message = f"the data have changed since run {found.name}"
        hint = "restore the file, or train a new run on the new data"
        raise RefusedError(Problem("changed-data", message, hint, ("data", "source")))
    if found.subset_hashes != dataset.subset_hashes():
        message = f"the split gives other rows than in run {found.name}"
        raise RefusedError(Problem("changed-split", message, "train a new run", ("split",)))
