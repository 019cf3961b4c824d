"""`dlcli evaluate`: a finished run's model on its sealed test rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlcli import backend
from dlcli.config.document import load
from dlcli.events import Listener, silent
from dlcli.runs import directory
from dlcli.samples import Subset
from dlcli.workflows import exported
from dlcli.workflows.dataset import located, prepare
from dlcli.workflows.finished import finished, reopened, require_no_newer, require_same_data
from dlcli.workflows.recording import RunResult
from dlcli.workflows.scoring import Scorer, open_test, require_test_rows


def evaluate(
    run: Path | str = "latest", *, runs: Path | str | None = None, trust: bool = False, emit: Listener = silent
) -> RunResult:
    """Opens the sealed test set of a run and scores its model on it.

    The data are read again and must be those of the run, row for row. The look is written to the ledger
    before the score is computed.

    Args:
        run: name or folder of the run, or "latest".
        runs: the folder of the runs.
        trust: load a model that runs code of its own.
        emit: hears of warnings about the ledger.

    Raises:
        ConfigError: there is no such run, or it has no model or no test rows.
        DataError: the weight of every test row is 0.
        RefusedError: data or split have changed, or the ledger was tampered with.
    """
    root = directory.runs_root(runs)
    found = finished(root, run)
    if run == directory.LATEST:
        require_no_newer(root, found)
    document = load(found.config, trusted=trust, command="evaluate")
    backend.use_threads(document.experiment.training.threads)
    experiment, dataset = prepare(document, "evaluate", silent)
    require_same_data(found.record, dataset)
    with located(document):
        require_test_rows(dataset)
    backend.load()
    with reopened(found, emit) as recording:
        model = exported.load_model(found.model, experiment, trust=trust)
        names: list[Subset] = ["train", "validation"]
        trained_on = [dataset.subsets[name] for name in names if name in found.record.trained_on]
        scorer = Scorer(experiment, dataset, np.sort(np.concatenate(trained_on)))
        open_test(recording, scorer, model, found.fitted(experiment), "evaluate")
    return recording.result()
