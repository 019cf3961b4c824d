"""Runs that have ended, found again; and whether data are still those of a run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.config.experiment import Experiment
from dlcli.events import Listener
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.problems import ConfigError, Problem, RefusedError
from dlcli.runs import directory
from dlcli.runs.directory import RunDirectory
from dlcli.runs.record import Record
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.recording import MODEL, RESOLVED, SCORES, Recording

if TYPE_CHECKING:
    from numpy.typing import NDArray


_PATIENCE_SECONDS = 60.0
"""How long one who adds to a run waits for another who does; an evaluation takes seconds."""


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


def require_no_newer(root: Path, found: Finished) -> None:
    """Refuses to take a run for the latest one where a newer one has not ended well.

    Raises:
        ConfigError: there is one.
    """
    newest = directory.list_runs(root)[-1]
    if newest.status != "completed":
        message = f"the latest run, {newest.directory.name}, is {newest.status}, and {found.folder.name} the one before"
        raise ConfigError(Problem("unfinished-run", message, f"name the run: dlcli evaluate {found.folder.name}"))


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
        hint = f"go on with: dlcli {found.record.command} --resume {folder.name}"
        raise ConfigError(Problem("unfinished-run", message, hint))
    if not found.model.exists():
        message = f"run {folder.name} has no model of its own"
        hint = "dlcli kfold --final trains one on all rows but the test rows" if found.record.command == "kfold" else ""
        raise ConfigError(Problem("no-model", message, hint))
    return found


@contextmanager
def reopened(found: Finished, emit: Listener) -> Iterator[Recording]:
    """A completed run to which something is added, one after the other; its record stays completed.

    Raises:
        RefusedError: another process keeps it in use.
    """
    with found.folder.lock(_PATIENCE_SECONDS):
        # Read again: another may have added to it since it was found.
        yield Recording(found.folder, found.folder.record(), emit, found.scores())


def trained_rows(found: Record, dataset: Dataset) -> NDArray[np.int64]:
    """The rows of its data that a run's model was trained on."""
    if set(found.trained_on) == {"train", "validation"}:
        return dataset.pool  # of windows also those that see rows of both
    return np.sort(np.concatenate([rows for name, rows in dataset.subsets.items() if name in found.trained_on]))


def require_same_data(found: Record, dataset: Dataset) -> None:
    """Refuses data or a split that are not those of the run.

    Raises:
        RefusedError: they differ.
    """
    if problems := changed_data(found, dataset):
        raise RefusedError(problems)


def changed_data(found: Record, dataset: Dataset) -> list[Problem]:
    """In what data or split are not those of a run."""
    if found.data_hash != dataset.data_hash:
        message = f"the data have changed since run {found.name}"
        hint = "restore the file, or train a new run on the new data"
        return [Problem("changed-data", message, hint, ("data", "source"))]
    if found.subset_hashes != dataset.subset_hashes():
        message = f"the split gives other rows than in run {found.name}"
        return [Problem("changed-split", message, "train a new run", ("split",))]
    return []
