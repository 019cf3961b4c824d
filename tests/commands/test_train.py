"""`dlcli train` as a user meets it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands.configs import CONFIGS, SMALL, record, scores, write_small
from tests.conftest import Dlcli

FILES = {"config.yaml", "resolved.yaml", "record.json", "history.csv", "scores.json", "model.keras", "predictions"}


def test_leaves_a_complete_run_and_says_where(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("train", "small.yaml")
    assert done.exit_code == 0
    assert "runs/small-001" in done.stdout
    assert {path.name for path in (dlcli.folder / "runs/small-001").iterdir()} >= FILES
    assert record(dlcli.folder, "small-001")["status"] == "completed"


def test_shows_each_subset_beside_the_baseline_and_keeps_the_test_set_closed(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("train", "small.yaml")
    assert "baselines, from the training rows alone: majority class" in done.stdout
    assert "dlcli evaluate small-001" in done.stdout
    assert "test" not in scores(dlcli.folder, "small-001")
    assert not (dlcli.folder / "runs/ledger.jsonl").exists()


def test_evaluate_option_gives_a_test_score_with_its_interval_and_one_ledger_line(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--evaluate")
    accuracy = scores(dlcli.folder, "small-001")["test"]["scores"][0]
    assert accuracy["method"] == "Wilson"
    assert accuracy["low"] < accuracy["value"] <= accuracy["high"]
    assert len((dlcli.folder / "runs/ledger.jsonl").read_text().splitlines()) == 1


def test_json_alone_goes_to_stdout(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    result = json.loads(dlcli("train", "small.yaml", "--json").stdout)
    assert result["run"] == "small-001"
    assert result["scores"]["validation"]["scores"][0]["name"] == "accuracy"


def test_quiet_shows_no_epochs(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    assert "epoch 1/" not in dlcli("train", "small.yaml", "--quiet").output


def test_set_and_name_and_runs_are_obeyed(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--set", "training.epochs=2", "--name", "short", "--runs", "elsewhere")
    entry = json.loads((dlcli.folder / "elsewhere/short-001/record.json").read_text())
    assert entry["epochs_run"] == 2


def test_the_resolved_config_trains_again_elsewhere_to_the_same_numbers(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("dense: 8", "dense: 8, dropout: 0.3"))
    dlcli("train", "small.yaml", "--evaluate")
    other = dlcli.folder / "other"
    other.mkdir()
    shutil.copy(dlcli.folder / "runs/small-001/resolved.yaml", other / "again.yaml")
    assert dlcli("train", other / "again.yaml", "--evaluate").exit_code == 0
    first, second = scores(dlcli.folder, "small-001"), scores(dlcli.folder, "small-002")
    looks = dict.fromkeys(("looks", "looks_bound"))
    assert first | looks == second | looks
    assert second["looks"] == 2


def test_another_seed_changes_the_result_but_not_the_split(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    dlcli("train", "small.yaml", "--set", "seed=1")
    first, second = record(dlcli.folder, "small-001"), record(dlcli.folder, "small-002")
    assert first["subset_hashes"] == second["subset_hashes"]
    assert scores(dlcli.folder, "small-001")["train"] != scores(dlcli.folder, "small-002")["train"]


def test_refit_trains_on_both_subsets_and_prints_no_validation_score(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    assert dlcli("train", "small.yaml", "--refit").exit_code == 0
    kept = scores(dlcli.folder, "small-001")
    entry = record(dlcli.folder, "small-001")
    assert "validation" not in kept
    assert kept["train"]["rows"] == entry["rows"]["train"] + entry["rows"]["validation"]


def test_ctrl_c_ends_with_130_and_an_interrupted_run(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("epochs: 6", "epochs: 100000"))
    running = dlcli.start("train", "small.yaml")
    _until(lambda: running.has_printed("epoch 2/"))
    os.kill(running.process.pid, signal.SIGINT)
    done = running.wait(60)
    assert done.exit_code == 130
    assert "Traceback" not in done.output
    assert record(dlcli.folder, "small-001")["status"] == "interrupted"
    assert len((dlcli.folder / "runs/small-001/history.csv").read_text().splitlines()) > 1


def test_a_killed_run_is_shown_as_interrupted(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("epochs: 6", "epochs: 100000"))
    running = dlcli.start("train", "small.yaml")
    _until((dlcli.folder / "runs/small-001/record.json").exists)
    os.kill(running.process.pid, signal.SIGKILL)
    running.process.join()
    assert "interrupted" in dlcli("runs").stdout


def test_a_diverging_training_fails_with_1_and_says_what_to_do(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("adam: 0.02", "sgd: 1e30"))
    done = dlcli("train", "small.yaml", "--set", "architecture=[dense: {units: 8, activation: linear}]")
    assert done.exit_code == 1
    assert "learning_rate" in done.stderr
    assert record(dlcli.folder, "small-001")["status"] == "failed"


@pytest.mark.parametrize(
    "config", sorted(path.name for path in CONFIGS.glob("*.yaml") if "builtin" in path.read_text())
)
def test_shipped_configs_of_embedded_data_train_a_moment(dlcli: Dlcli, config: str) -> None:
    assert dlcli("train", CONFIGS / config, "--set", "training.epochs=1").exit_code == 0


@pytest.mark.parametrize("config", ["churn.yaml", "california.yaml"])
def test_shipped_configs_of_tables_train_a_moment(dlcli: Dlcli, shared_data: Path, config: str) -> None:
    done = dlcli("train", CONFIGS / config, "--set", "training.epochs=1", DLCLI_DATA=shared_data)
    assert done.exit_code == 0


@pytest.fixture(scope="module")
def prepared_images(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MNIST and Fashion-MNIST as tensorflow-datasets keeps them, made without a network."""
    folder = tmp_path_factory.mktemp("tfds")
    words = [sys.executable, str(shared_data / "prepare.py"), "tfds", str(folder), "mnist", "fashion_mnist"]
    subprocess.run(words, check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("config", ["mnist-mlp.yaml", "mnist-convnet.yaml", "fashion-mlp.yaml"])
def test_shipped_configs_of_prepared_images_train_a_moment(dlcli: Dlcli, prepared_images: Path, config: str) -> None:
    rows = ["--set", "split.predefined.validation=0.05", "--set", "training.epochs=1"]
    done = dlcli("train", CONFIGS / config, *rows, "--json", TFDS_DATA_DIR=prepared_images)
    assert done.exit_code == 0
    assert json.loads(done.stdout)["scores"]["validation"]["scores"][0]["value"] > 0.8


@pytest.mark.parametrize("config", sorted(path.name for path in CONFIGS.glob("*.yaml")))
def test_shipped_configs_have_no_problems(dlcli: Dlcli, config: str) -> None:
    assert dlcli("check", CONFIGS / config).exit_code == 0


def _until(happened: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


GATE = """\
import keras


class Gate(keras.layers.Layer):
    def build(self, shape):
        self.gate = self.add_weight(shape=(shape[-1],), initializer="random_normal", name="gate")

    def call(self, inputs):
        return inputs * keras.ops.sigmoid(self.gate)
"""


def test_a_layer_of_ones_own_needs_trust_trains_alike_twice_and_evaluates(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("[dense: 8]", '[dense: 8, custom: "gate.py:Gate"]'))
    (dlcli.folder / "gate.py").write_text(GATE)
    assert dlcli("train", "small.yaml").exit_code == 2
    for _ in range(2):
        assert dlcli("train", "small.yaml", "--trust").exit_code == 0
    assert scores(dlcli.folder, "small-001") == scores(dlcli.folder, "small-002")
    assert dlcli("evaluate", "small-002", "--trust").exit_code == 0
    assert str(dlcli.folder / "gate.py") in record(dlcli.folder, "small-001")["files"]
