"""`dlcli predict`: new rows through a run's model."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dlcli import backend
from dlcli.config.document import load
from dlcli.data.new_rows import read_new_rows
from dlcli.data.sources import files
from dlcli.evaluation.decision import Decision
from dlcli.events import Listener, Note, silent
from dlcli.runs import directory
from dlcli.workflows import exported
from dlcli.workflows.dataset import misfit_warnings
from dlcli.workflows.finished import finished
from dlcli.workflows.predictions import Predictions
from dlcli.workflows.series import ordering_columns, windows_of_new_rows


def predict(
    run: Path | str,
    file: Path | str,
    *,
    runs: Path | str | None = None,
    trust: bool = False,
    emit: Listener = silent,
) -> Predictions:
    """Predicts the rows of a file with the model of a run.

    The file is read with the run's schema: nothing is inferred again. The target column may be absent, except where
    its own past is an input: then each row with enough rows before it in its series is the end of a window, and what
    is predicted for it follows that row.

    Args:
        run: name or folder of the run, or "latest".
        file: a file or its address, read as the run's own was, or an `.npz` file; images also as a folder, a `.txt`
            file with one path a line, or a glob; texts also as a folder of `.txt` files.
        runs: the folder of the runs.
        trust: load a model that runs code of its own.
        emit: hears of categories never seen, and of cells that did not fit.

    Raises:
        ConfigError: there is no such run, or it has no model.
        DataError: the file cannot be read, or lacks a column.
    """
    found = finished(directory.runs_root(runs), run)
    goal = found.record.goal
    assert goal is not None
    experiment = load(found.config, trusted=trust, command="predict").experiment
    fitted = found.fitted(experiment)
    rows = read_new_rows(
        experiment.data.source,
        files.here(file),
        fitted.schema,
        inputs=experiment.data.inputs or (),
        shape=experiment.data.shape,
        channels=experiment.data.channels,
        arrays=(*fitted.schema.columns, *ordering_columns(experiment.data)),
    )
    for note in rows.found.notes:
        emit(Note(note))
    for warning in misfit_warnings(rows.misfits):
        emit(warning)
    for name, count in fitted.unseen(rows.samples).items():
        emit(Note(f"{count:,} rows hold a value of {name} that was never seen in training", warning=True))
    backend.load()
    model = exported.load_model(found.model, experiment, trust=trust)
    samples, numbers = rows.samples, np.arange(rows.samples.rows)
    if experiment.data.window:
        samples, numbers = windows_of_new_rows(experiment.data, rows)
    values = exported.predict(model, fitted, samples, numbers, goal)
    decision = Decision.from_json(found.record.decision or {})
    names = rows.found.row_names
    in_file = numbers if rows.found.numbers is None else rows.found.numbers[numbers]
    more = {"file": np.array(names, dtype=object)[numbers]} if names and "file" not in goal.names else {}
    return Predictions(goal, values, in_file, decision.threshold_for(goal), more)
