"""Runs in an MLflow store: settings, curves, scores and files of one dlcli run as one MLflow run."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcli.problems import ConfigError, DlcliError, Problem
from dlcli.report.run_files import Run
from dlcli.report.settings import settings

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

RUN_TAG, IDENTITY_TAG, CONTENT_TAG = "dlcli.run", "dlcli.identity", "dlcli.content"
_FILES = ("report.html", "model_card.md", "config.yaml", "resolved.yaml", "record.json", "scores.json", "history.csv")
_LARGE_FILES = ("model.keras", "plots")
_NUMBERED = re.compile(r"-\d{3,}$")
_NO_KEY = re.compile(r"[^\w\-. ]")
_LONGEST_KEY, _LONGEST_VALUE = 250, 6_000
_AT_ONCE = 100
"""What a store takes in one request."""
_STATUS = {"completed": "FINISHED", "failed": "FAILED"}
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # seconds; MLflow's own number takes minutes to give up
    "MLFLOW_LOGGING_LEVEL": "WARNING",
}
"""What holds unless the user says otherwise."""


@dataclass(frozen=True, slots=True)
class Logged:
    """Where a run lies in an MLflow store.

    Attributes:
        store: the address of the store.
        experiment: the name of the experiment.
        run_id: MLflow's.
        outcome: "added", "updated", or "unchanged" where it was there already.
    """

    store: str
    experiment: str
    run_id: str
    outcome: str


def require_mlflow() -> None:
    """Refuses where the package is missing.

    Raises:
        ConfigError: it is.
    """
    from importlib.util import find_spec

    if find_spec("mlflow") is None:
        message = "--mlflow needs the package mlflow, which is not installed"
        raise ConfigError(Problem("missing-package", message, "pip install 'dlcli[mlflow]'"))


def log_to_mlflow(run: Run, folder: Path, store: str | None = None) -> Logged:
    """Writes a run into an MLflow store, once: a second time brings what has changed since.

    The experiment has the name of the run without its number. Parameters are the settings of `resolved.yaml`,
    metrics the columns of `history.csv` by epoch (of a k-fold: the scores by fold) and the scores of each subset
    with their intervals (`test_accuracy`, `test_accuracy_low`, ...), artifacts the files a person wants.

    Args:
        run: what the directory holds.
        folder: the run directory.
        store: its address; by default MLFLOW_TRACKING_URI, else MLflow's own default.

    Raises:
        ConfigError: the package is missing, or the store refuses.
    """
    require_mlflow()
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=store)
        return _logged(client, run, folder)
    except DlcliError:
        raise
    except Exception as error:  # what clients of files, databases and servers raise has no type in common
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        message = f"MLflow did not take the run: {reason}"
        hint = "name another store: --mlflow sqlite:///mlflow.db, or the address of a server"
        raise ConfigError(Problem("mlflow-failed", message, hint)) from error


def _logged(client: MlflowClient, run: Run, folder: Path) -> Logged:
    name = _NUMBERED.sub("", run.record.name) or run.record.name
    experiment = client.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else client.create_experiment(name)
    identity, content = _identity(run), _content(folder)
    found = client.search_runs([number], f"tags.`{IDENTITY_TAG}` = '{identity}'", max_results=1)
    if found and found[0].data.tags.get(CONTENT_TAG) == content:
        return Logged(client.tracking_uri, name, found[0].info.run_id, "unchanged")
    began = _milliseconds(run.record.started)
    tags = {RUN_TAG: run.record.name, IDENTITY_TAG: identity}
    run_id = found[0].info.run_id if found else client.create_run(number, began, tags, run.record.name).info.run_id
    _write(client, run_id, run)
    for file in (*_FILES, *_LARGE_FILES):
        if (folder / file).is_dir():
            client.log_artifacts(run_id, str(folder / file), file)
        elif (folder / file).exists():
            client.log_artifact(run_id, str(folder / file))
    ended = _milliseconds(run.record.ended) if run.record.ended else None
    client.set_terminated(run_id, _STATUS.get(run.record.status, "KILLED"), ended)
    client.set_tag(run_id, CONTENT_TAG, content)  # last, so that a run that was cut off is written again
    return Logged(client.tracking_uri, name, run_id, "updated" if found else "added")


def _identity(run: Run) -> str:
    """What stays the same of a run, wherever its directory is moved."""
    record = run.record
    words = (record.name, record.command, record.started, str(record.data_hash))
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _content(folder: Path) -> str:
    """What changes when something is added to a run."""
    digest = hashlib.sha256()
    for name in _FILES:
        path = folder / name
        digest.update(f"{name}:{hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ''}\n".encode())
    return digest.hexdigest()


def _milliseconds(time: str) -> int:
    return round(1000 * datetime.fromisoformat(time).timestamp())


def _write(client: MlflowClient, run_id: str, run: Run) -> None:
    from mlflow.entities import Metric, Param, RunTag

    params = [Param(_key(path), value[:_LONGEST_VALUE]) for path, value in settings(run.resolved).items() if value]
    tags = [RunTag(f"dlcli.{name}", value) for name, value in _tags(run)]
    client.log_batch(run_id, tags=tags)
    for some in _portions(params):
        client.log_batch(run_id, params=some)
    time = _milliseconds(run.record.started)
    known = {name: {each.step for each in client.get_metric_history(run_id, name)} for name in _by_step(run)}
    points = [
        Metric(name, value, time, step)
        for name, values in _by_step(run).items()
        for step, value in values.items()
        if step not in known[name]
    ]
    points += [Metric(name, value, time, 0) for name, value in _scores(run)]
    for more in _portions(points):
        client.log_batch(run_id, metrics=more)


def _portions(found: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (found[start : start + _AT_ONCE] for start in range(0, len(found), _AT_ONCE))


def _key(name: str) -> str:
    return _NO_KEY.sub("_", name)[:_LONGEST_KEY]


def _tags(run: Run) -> Iterator[tuple[str, str]]:
    record = run.record
    yield "command", record.command
    yield "status", record.status
    yield from ((f"version.{name}", version) for name, version in record.versions.items())
    for name in ("data_hash", "engine", "stopped_by"):
        if value := getattr(record, name):
            yield name, str(value)
    if looks := run.scores.get("looks"):
        yield "looks", str(looks)


def _by_step(run: Run) -> Mapping[str, dict[int, float]]:
    """What has a value per epoch, or per fold."""
    epochs = run.history.get("epoch", ())
    found = {
        _key(name): {
            int(epoch): value
            for epoch, value in zip(epochs, values, strict=True)
            if epoch is not None and value is not None
        }
        for name, values in run.history.items()
        if name != "epoch"
    }
    for score in run.scores.get("folds") or ():
        numbered = enumerate(score["folds"], start=1)
        found[_key(f"fold_{score['name']}")] = {fold: value for fold, value in numbered if value is not None}
    return found


def _scores(run: Run) -> Iterator[tuple[str, float]]:
    """Final scores by name."""
    told = [
        (f"{subset}_{score['name']}", score, "value")
        for subset in run.subsets()
        for score in run.scores[subset]["scores"]
    ]
    told += [(f"folds_{score['name']}", score, "mean") for score in run.scores.get("folds") or ()]
    for name, score, key in told:
        for ending, value in (("", score[key]), ("_low", score["low"]), ("_high", score["high"])):
            if value is not None:
                yield _key(name + ending), value
