"""The Python API: the commands as functions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dlcli import backend, evaluate, kfold, predict, train
from dlcli.events import EpochEnded, Event
from dlcli.problems import ConfigError
from tests.commands.configs import CONFIGS, write_small


def test_train_then_evaluate_then_predict(tmp_path: Path) -> None:
    config = write_small(tmp_path)
    run = train(config, runs=tmp_path / "runs")
    assert run.path == tmp_path / "runs/small-001"
    assert evaluate(run.path, runs=tmp_path / "runs").scores["test"]["rows"] == 24
    predicted = predict(run.path, tmp_path / "flowers.csv", runs=tmp_path / "runs")
    assert set(predicted.columns()) == {"row", "kind", "probability_daisy", "probability_rose"}
    assert np.allclose(predicted.columns()["probability_daisy"] + predicted.columns()["probability_rose"], 1)


def test_problems_are_raised_as_data(tmp_path: Path) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text("data: {source: {builtin: wine}}\narchitecture: [dens: 8]\nsead: 3\n")
    with pytest.raises(ConfigError) as raised:
        train(config, runs=tmp_path / "runs")
    assert [problem.code for problem in raised.value.problems] == ["unknown-name", "unknown-key"]


def test_listeners_hear_every_epoch(tmp_path: Path) -> None:
    heard: list[Event] = []
    train(write_small(tmp_path), runs=tmp_path / "runs", emit=heard.append)
    assert [event.epoch for event in heard if isinstance(event, EpochEnded)] == [1, 2, 3, 4, 5, 6]


@pytest.mark.slow
def test_wine_folds_reach_what_the_config_says(tmp_path: Path) -> None:
    run = kfold(CONFIGS / "wine.yaml", repeats=4, runs=tmp_path / "runs")
    assert run.scores["folds"][0]["mean"] >= 0.95


def test_threads_that_tensorflow_keeps_are_recorded_with_a_warning(tmp_path: Path) -> None:
    config, runs = write_small(tmp_path), tmp_path / "runs"
    train(config, runs=runs)
    kept = backend.threads()
    for command in (train, kfold):
        run = command(config, overrides=["training.threads=7", "kfold.folds=2"], runs=runs)
        entry = json.loads((run.path / "record.json").read_text())
        assert entry["threads"] == kept
        message = "TensorFlow keeps the number of threads with which this process first used it: "
        assert entry["warnings"] == [f"{message}{kept or 'its own choice'}, not 7"]
