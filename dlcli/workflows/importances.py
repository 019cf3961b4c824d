"""Permutation importance of a finished run's columns, from its model and its validation rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from dlcli import backend
from dlcli.config.document import load
from dlcli.evaluation.decision import Decision
from dlcli.evaluation.importance import permutation_importance
from dlcli.evaluation.metrics import labels
from dlcli.events import silent
from dlcli.problems import ConfigError, Problem
from dlcli.runs.record import Record
from dlcli.samples import Samples
from dlcli.seeds import Seeds
from dlcli.workflows import exported
from dlcli.workflows.finished import Finished, require_same_data
from dlcli.workflows.preparation import prepare
from dlcli.workflows.scoring import Scorer

FILE_NAME = "importance.json"


def why_none(found: Finished) -> str:
    """Why a run can have no importances, as far as its directory tells; empty if it can."""
    record = found.record
    if record.status != "completed" or not found.model.exists():
        return "the run has no finished model"
    if not record.rows.get("validation") or "validation" in record.trained_on:
        return "there are no validation rows that the model was not trained on"
    columns = record.data_schema.columns if record.data_schema else {}
    return "the model takes a single column" if len(columns) < 2 else ""


def importances(found: Finished, *, trust: bool) -> dict[str, Any]:
    """What `importance.json` holds: for each column how much worse the first metric gets when it is shuffled.

    The data are read again; the test rows stay sealed.

    Args:
        found: a completed run with a model.
        trust: load a model that runs code of its own.

    Raises:
        ConfigError: config or model cannot be loaded, or there are no metrics.
        DataError: the data are gone, or the columns too many.
        RefusedError: data or split have changed.
    """
    document = load(found.config, trusted=trust, command="evaluate")
    backend.use_threads(document.experiment.training.threads)
    experiment, dataset = prepare(document, "evaluate", silent)
    require_same_data(found.record, dataset)
    backend.load()
    model, fitted = exported.load_model(found.model, experiment, trust=trust), found.fitted(experiment)
    scorer = Scorer(experiment, dataset, _decision(found.record))
    if not scorer.metrics:
        raise ConfigError(Problem("no-metrics", "the config names no metrics", "write `metrics`"))

    def predict(samples: Samples) -> np.ndarray[Any, np.dtype[np.float64]]:
        return exported.predict(model, fitted, samples, np.arange(samples.rows), scorer.goal)

    numbers = dataset.subsets["validation"]
    samples = dataset.samples.take(scorer.in_order(numbers))
    rows = scorer.rows(numbers, exported.predict(model, fitted, dataset.samples, numbers, scorer.goal))
    generator = Seeds(experiment.seed).generator("importance")
    importance = permutation_importance(scorer.metrics[0], rows, samples, predict, generator, scorer.confidence)
    return {"subset": "validation", "metric": labels(scorer.metrics)[0]} | importance.as_json()


def _decision(record: Record) -> Decision:
    return Decision.from_json(record.decision) if record.decision else Decision()
