"""`dlcli report`: everything about a run that a person keeps, in the run's own directory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from dlcli.events import Listener, Note, silent
from dlcli.problems import ConfigError, DlcliError, Problem
from dlcli.report import mlflow_store
from dlcli.report.mlflow_store import Logged
from dlcli.report.model_card import write_model_card
from dlcli.report.page import write_page
from dlcli.report.plots import write_plots
from dlcli.report.run_files import Run, read_run
from dlcli.report.tensorboard_log import write_tensorboard
from dlcli.runs import directory
from dlcli.runs.directory import RunDirectory
from dlcli.workflows.diagnose import diagnose
from dlcli.workflows.finished import Finished
from dlcli.workflows.importances import FILE_NAME, importances, why_none

DIAGNOSIS = "diagnosis.json"


@dataclass(frozen=True, slots=True)
class Report:
    """What was written.

    Attributes:
        path: the run's directory.
        page: the report to open.
        files: everything that was written, the page among it; folders stand for what is in them.
        notes: what could not be written, and why.
        mlflow: where the run lies in an MLflow store, if it was sent there.
    """

    path: Path
    page: Path
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    mlflow: Logged | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "run": self.path.name,
            "path": str(self.path),
            "report": str(self.page),
            "files": [str(path.relative_to(self.path)) for path in self.files],
            "notes": list(self.notes),
            "mlflow": asdict(self.mlflow) if self.mlflow else None,
        }


def write_report(
    run: Path | str = directory.LATEST,
    *,
    runs: Path | str | None = None,
    mlflow: bool | str = False,
    trust: bool = False,
    emit: Listener = silent,
) -> Report:
    """Writes `report.html`, `model_card.md`, `plots/` and `tensorboard/` of a run, in place of older ones.

    A run that was interrupted or failed is reported as far as it came. `importance.json` is written once, where
    there is a model, a table of inputs and the data are still those of the run. Scores stay as they are and
    the test set stays sealed.

    Args:
        run: name or folder of the run, or "latest".
        runs: the folder of the runs.
        mlflow: also write the run into an MLflow store: True for the default one, or its address.
        trust: load a model that runs code of its own, for the importances.
        emit: hears of what is left out, and why.

    Raises:
        ConfigError: there is no such run, or nothing to tell of it; or MLflow is missing or refuses.
        DataError: a file of the run is damaged.
        RefusedError: another process works on the run.
        DlcliError: a file cannot be written.
    """
    if mlflow:
        mlflow_store.require_mlflow()
    folder = directory.find(directory.runs_root(runs), str(run))
    with folder.lock():
        undiagnosed = _add_diagnosis(folder)
        _require_something(folder, _read(folder))
        notes = tuple(note for note in (_add_importances(folder, trust=trust), undiagnosed) if note)
        for note in notes:
            emit(Note(note))
        told = _read(folder)
        page = write_page(told, folder.path)
        card, plots = write_model_card(told, folder.path), write_plots(told, folder.path)
        files = (page, card, *plots, write_tensorboard(told, folder.path), *_added(folder))
        store = mlflow if isinstance(mlflow, str) else None
        logged = mlflow_store.log_to_mlflow(told, folder.path, store) if mlflow else None
    return Report(folder.path, page, files, notes, logged)


def _read(folder: RunDirectory) -> Run:
    """The run; while this process holds its lock, one that is said to be running has died."""
    found = read_run(folder.path)
    if found.record.status != "running":
        return found
    return replace(found, record=found.record.changed(status="interrupted"))


def _require_something(folder: RunDirectory, told: Run) -> None:
    """Refuses a run of which nothing can be told.

    Raises:
        ConfigError: it has neither epochs nor scores, nor a diagnosis.
    """
    if told.scores or told.folds or told.history.get("epoch") or told.diagnosis:
        return
    message = f"run {folder.name} is {told.record.status} and has neither epochs nor scores: there is nothing to report"
    hint = f"go on with: dlcli {told.record.command} --resume {folder.name}"
    raise ConfigError(Problem("nothing-to-report", message, hint))


def _add_importances(folder: RunDirectory, *, trust: bool) -> str:
    """Writes `importance.json` where it is missing; the reason where it cannot be written."""
    if (folder.path / FILE_NAME).exists():
        return ""
    found = Finished(folder, folder.record())
    if reason := why_none(found):
        return f"no permutation importance: {reason}"
    try:
        folder.write_json(FILE_NAME, importances(found, trust=trust))
    except DlcliError as error:
        reason = "; ".join(problem.message for problem in error.problems)
        return reason if reason.startswith("no permutation importance") else f"no permutation importance: {reason}"
    return ""


def _add_diagnosis(folder: RunDirectory) -> str:
    """Writes `diagnosis.json`; the reason where there is none."""
    if (status := folder.record().status) not in ("completed", "failed"):
        return f"no diagnosis: the run is {'interrupted' if status == 'running' else status}"
    try:
        folder.write_json(DIAGNOSIS, diagnose(folder.path).as_json())
    except DlcliError as error:
        return f"no diagnosis: {'; '.join(problem.message for problem in error.problems)}"
    return ""


def _added(folder: RunDirectory) -> Iterator[Path]:
    return (path for name in (FILE_NAME, DIAGNOSIS) if (path := folder.path / name).exists())
