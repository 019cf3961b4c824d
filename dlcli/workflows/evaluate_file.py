"""`dlcli evaluate --data`: a finished run's model on the rows of another file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli import backend
from dlcli.config.document import Document
from dlcli.data.hashes import among
from dlcli.data.sources import files, remote
from dlcli.evaluation.decision import Decision
from dlcli.events import Listener, Note, silent
from dlcli.problems import DataError
from dlcli.runs.directory import RunDirectory
from dlcli.runs.record import now
from dlcli.workflows import exported
from dlcli.workflows.baseline_answers import FittedBaselines
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.finished import Finished, changed_data, reopened, trained_rows
from dlcli.workflows.other_rows import other_rows
from dlcli.workflows.preparation import prepare
from dlcli.workflows.recording import RunResult
from dlcli.workflows.scoring import Scorer, look

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUBSET = "data"
"""What the rows of the file are called where a run has "test"."""
FOLDER = "evaluations"
COMMAND = "evaluate --data"
_PATH = ("data", "source", "path")


def evaluate_file(found: Finished, document: Document, data: Path | str, *, trust: bool, emit: Listener) -> RunResult:
    """Scores a run's model on another file, which is a look at its rows as at test rows.

    The file is read as the run's source was, with the run's schema and classes. The look is written to the ledger
    before the score is computed. The score is kept in the run, apart from those of its own test set.

    Args:
        found: the run.
        document: its config with everything spelled out.
        data: a file or its address; with the same columns, target included.
        trust: load a model that runs code of its own.
        emit: hears of cells that do not fit, and of rows that the model was trained on.

    Returns:
        the file of the run that keeps the evaluation, and what it holds.

    Raises:
        ConfigError: the run's model cannot be loaded.
        DataError: the file cannot be read, lacks a column or the target, or holds a class that the run does not know.
        RefusedError: the ledger was tampered with, or the run is in use.
    """
    file = files.here(data)
    if not file.is_dir():
        files.expand((str(file.absolute()),), _PATH)
    experiment, fitted, goal = document.experiment, found.fitted(document.experiment), found.record.goal
    assert goal is not None
    known = _RunRows.read(document, found, emit)
    dataset = other_rows(file, experiment, fitted, goal, known.dataset.columns if known else {}, emit)
    dataset.require_weight(dataset.sealed.rows, f"row of {file.name}")
    shared = known.shared(dataset, file.name, emit) if known else None
    backend.load()
    with reopened(found, emit) as run:
        model = exported.load_model(found.model, experiment, trust=trust)
        scorer = Scorer(experiment, dataset, Decision.from_json(found.record.decision or {}))
        prediction = exported.predict(model, fitted, dataset.samples, dataset.sealed.rows, scorer.goal)
        baselines = None
        if known:
            baselines = FittedBaselines(experiment, known.dataset, fitted, known.trained).for_rows_of(dataset)
        flatters = bool(shared and any(shared.values()))
        scores = look(run, scorer, prediction, baselines, COMMAND, (scorer.sheet(), SUBSET), starred=flatters)
        name = str(data) if remote.is_remote(str(data)) else str(file.absolute())
        told = {"file": name, "time": now(), "ledger_line": run.entry.ledger_lines[-1]}
        kept: dict[str, Any] = {**told, "shared_rows": shared, **scores}
        path = found.folder.write_json(f"{FOLDER}/{_next_number(found.folder)}.json", kept)
    return RunResult(path, kept)


@dataclass(frozen=True, slots=True, eq=False)
class _RunRows:
    """The rows of the run itself, read again.

    Attributes:
        dataset: the run's data.
        trained: the rows that its model was trained on.
    """

    dataset: Dataset
    trained: NDArray[np.int64]

    @classmethod
    def read(cls, document: Document, found: Finished, emit: Listener) -> _RunRows | None:
        """Reads them; None, and a warning, where they are gone or have changed."""
        try:
            _, dataset = prepare(document, "evaluate", silent)
        except DataError as error:
            why = f"cannot be read again ({error.problems[0].message})"
        else:
            if not changed_data(found.record, dataset):
                return cls(dataset, trained_rows(found.record, dataset))
            why = "have changed since"
        without = "not checked for rows that the model was trained on, and no baselines"
        emit(Note(f"the data of run {found.folder.name} {why}: {without}", warning=True))
        return None

    def shared(self, dataset: Dataset, name: str, emit: Listener) -> dict[str, int]:
        """How many rows of a file are training or validation rows of the run; warns where there are any."""
        hashes, subsets, seen = self.dataset.hashes, self.dataset.subsets, dataset.sealed.hashes
        words = {"train": "training", "validation": "validation"}
        shared: dict[str, int] = {
            subset: int(among(seen, hashes[rows]).sum()) for subset, rows in subsets.items() if subset in words
        }
        if any(shared.values()):
            counts = " and ".join(f"{count:,} {words[subset]}" for subset, count in shared.items() if count)
            text = f"{counts} rows of the run are among the {len(seen):,} rows of {name}: this score flatters"
            emit(Note(text, warning=True))
        return shared


def _next_number(folder: RunDirectory) -> int:
    taken = [re.fullmatch(r"(\d+)\.json", path.name) for path in (folder.path / FOLDER).glob("*.json")]
    return 1 + max((int(match[1]) for match in taken if match), default=0)
