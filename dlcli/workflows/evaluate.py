"""`dlcli evaluate`: a finished run's model on its sealed test rows, or on the rows of another file."""

from __future__ import annotations

from pathlib import Path

from dlcli import backend
from dlcli.config.document import load
from dlcli.evaluation.decision import Decision
from dlcli.events import Listener, silent
from dlcli.runs import directory
from dlcli.workflows import exported
from dlcli.workflows.baseline_answers import FittedBaselines
from dlcli.workflows.evaluate_file import evaluate_file
from dlcli.workflows.finished import finished, reopened, require_no_newer, require_same_data, trained_rows
from dlcli.workflows.preparation import located, prepare
from dlcli.workflows.recording import RunResult
from dlcli.workflows.scoring import Scorer, open_test, require_test_rows


def evaluate(
    run: Path | str = "latest",
    *,
    data: Path | str | None = None,
    runs: Path | str | None = None,
    trust: bool = False,
    emit: Listener = silent,
) -> RunResult:
    """Opens the sealed test set of a run and scores its model on it, or on the rows of another file.

    The data of the run are read again and must be the same, row for row. Each look is written to the ledger
    before the score is computed.

    Args:
        run: name or folder of the run, or "latest".
        data: another file or its address, with the same columns, target included; its score is kept in the run's
            `evaluations`.
        runs: the folder of the runs.
        trust: load a model that runs code of its own.
        emit: hears of warnings about the ledger and the rows of another file.

    Returns:
        the run, or where the evaluation of another file is kept; and its scores.

    Raises:
        ConfigError: there is no such run, or it has no model or no test rows.
        DataError: the weight of every test row is 0, or the other file cannot be scored.
        RefusedError: data or split have changed, or the ledger was tampered with.
    """
    root = directory.runs_root(runs)
    found = finished(root, run)
    if run == directory.LATEST:
        require_no_newer(root, found)
    document = load(found.config, trusted=trust, command="evaluate")
    backend.use_threads(document.experiment.training.threads)
    if data is not None:
        return evaluate_file(found, document, data, trust=trust, emit=emit)
    experiment, dataset = prepare(document, "evaluate", silent)
    require_same_data(found.record, dataset)
    with located(document):
        require_test_rows(dataset)
    backend.load()
    with reopened(found, emit) as recording:
        model = exported.load_model(found.model, experiment, trust=trust)
        fitted, decision = found.fitted(experiment), Decision.from_json(found.record.decision or {})
        baselines = FittedBaselines(experiment, dataset, fitted, trained_rows(found.record, dataset))
        open_test(recording, Scorer(experiment, dataset, decision), model, fitted, baselines, "evaluate")
    return recording.result()
