"""A run in an MLflow store."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from dlcli.problems import ConfigError
from dlcli.report.mlflow_store import CONTENT_TAG, RUN_TAG, log_to_mlflow
from dlcli.report.run_files import read_run
from tests.report import runs

MISSING = find_spec("mlflow") is None
needs_mlflow = pytest.mark.skipif(MISSING, reason="mlflow is not installed: pip install '.[mlflow]'")
CONFIG = "optimizer:\n  adam: {learning_rate: 0.01}\ntraining:\n  class_weight: {'a=b|<c>': 2.0}\n"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty store in a database."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return f"sqlite:///{tmp_path / 'store.db'}"


def kept(store: str, run_id: str) -> Any:
    from mlflow.tracking import MlflowClient

    return MlflowClient(tracking_uri=store).get_run(run_id)


@needs_mlflow
@pytest.mark.filterwarnings("ignore")  # MLflow's own
def test_a_run_is_there_with_its_settings_curves_scores_and_files(store: str, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    folder = runs.classification(tmp_path, config=CONFIG)
    (folder / "plots").mkdir()
    (folder / "plots" / "curves.png").write_bytes(b"png")
    run = read_run(folder)
    logged = log_to_mlflow(run, folder, store)
    found, client = kept(store, logged.run_id), MlflowClient(tracking_uri=store)
    assert (logged.outcome, logged.experiment) == ("added", "made")
    assert found.data.params == {"optimizer.adam.learning_rate": "0.01", "training.class_weight.a_b__c_": "2.0"}
    curve = client.get_metric_history(logged.run_id, "val_loss")
    assert [point.value for point in sorted(curve, key=lambda each: each.step)] == list(run.history["val_loss"])
    accuracy = run.scores["test"]["scores"][0]
    for ending, key in (("", "value"), ("_low", "low"), ("_high", "high")):
        assert found.data.metrics[f"test_accuracy{ending}"] == accuracy[key]
    assert (found.data.tags[RUN_TAG], found.info.run_name, found.info.status) == ("made-001", "made-001", "FINISHED")
    paths = {file.path for file in client.list_artifacts(logged.run_id)}
    assert {"config.yaml", "scores.json", "plots"} <= paths


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_a_second_time_it_is_there_already(store: str, tmp_path: Path) -> None:
    folder = runs.classification(tmp_path)
    first, again = (log_to_mlflow(read_run(folder), folder, store) for _ in range(2))
    assert (again.outcome, again.run_id) == ("unchanged", first.run_id)


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_what_was_added_to_a_run_updates_it(store: str, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    folder = runs.classification(tmp_path)
    first = log_to_mlflow(read_run(folder), folder, store)
    text = (folder / "scores.json").read_text()
    (folder / "scores.json").write_text(text.replace('"looks": 3', '"looks": 4'))
    (folder / "model_card.md").write_text("# Card\n")
    again = log_to_mlflow(read_run(folder), folder, store)
    assert (again.outcome, again.run_id) == ("updated", first.run_id)
    assert kept(store, again.run_id).data.tags["dlcli.looks"] == "4"
    client = MlflowClient(tracking_uri=store)
    assert len(client.get_metric_history(again.run_id, "loss")) == 60
    assert "model_card.md" in {file.path for file in client.list_artifacts(again.run_id)}


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_a_run_that_was_cut_off_is_written_again(store: str, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    folder = runs.classification(tmp_path)
    first = log_to_mlflow(read_run(folder), folder, store)
    MlflowClient(tracking_uri=store).delete_tag(first.run_id, CONTENT_TAG)
    assert log_to_mlflow(read_run(folder), folder, store).outcome == "updated"


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_a_k_fold_has_a_score_per_fold_and_the_mean_with_its_interval(store: str, tmp_path: Path) -> None:
    from mlflow.tracking import MlflowClient

    folder = runs.kfold(tmp_path)
    run = read_run(folder)
    logged = log_to_mlflow(run, folder, store)
    mae = run.scores["folds"][0]
    history = MlflowClient(tracking_uri=store).get_metric_history(logged.run_id, "fold_mae")
    assert {point.step: point.value for point in history} == dict(enumerate(mae["folds"], start=1))
    metrics = kept(store, logged.run_id).data.metrics
    assert [metrics[f"folds_mae{ending}"] for ending in ("", "_low", "_high")] == [mae["mean"], mae["low"], mae["high"]]


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_a_failed_run_is_said_to_have_failed(store: str, tmp_path: Path) -> None:
    folder = runs.classification(tmp_path, status="failed", failure="the loss is no number")
    assert kept(store, log_to_mlflow(read_run(folder), folder, store).run_id).info.status == "FAILED"


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_without_an_address_it_goes_where_mlflow_looks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"sqlite:///{tmp_path / 'mine.db'}"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    folder = runs.minimal(tmp_path)
    assert log_to_mlflow(read_run(folder), folder).store == address


@needs_mlflow
@pytest.mark.filterwarnings("ignore")
def test_a_store_that_is_none_is_one_problem(tmp_path: Path) -> None:
    folder = runs.minimal(tmp_path)
    with pytest.raises(ConfigError, match="MLflow did not take the run"):
        log_to_mlflow(read_run(folder), folder, "nonsense://nowhere")


@pytest.mark.skipif(not MISSING, reason="mlflow is installed")
def test_without_the_package_it_says_what_to_install(tmp_path: Path) -> None:
    folder = runs.minimal(tmp_path)
    with pytest.raises(ConfigError) as error:
        log_to_mlflow(read_run(folder), folder)
    assert error.value.problems[0].suggestion == "pip install 'dlcli[mlflow]'"
