"""`dlcli report` as a user meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.runs.directory import RunDirectory
from tests.commands.configs import SMALL, flowers, record, write_csv, write_small
from tests.conftest import Dlcli
from tests.report import runs

PAPERS = {"report.html", "model_card.md"}


def trained(dlcli: Dlcli, *more: str) -> Path:
    write_small(dlcli.folder)
    assert dlcli("train", "small.yaml", *more).exit_code == 0
    return dlcli.folder / "runs/small-001"


def made(dlcli: Dlcli, **fields: Any) -> Path:
    """A run that was never trained, with all that a report reads but importances."""
    folder = runs.classification(dlcli.folder / "runs", **fields)
    (folder / "importance.json").unlink()
    return folder


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_training_gets_its_page_card_plots_and_event_files(dlcli: Dlcli) -> None:
    folder = trained(dlcli)
    before = {name: (folder / name).read_bytes() for name in ("scores.json", "record.json", "model.keras")}
    done = dlcli("report")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [f"report  {folder / 'report.html'}"]
    assert names(folder) >= PAPERS | {"importance.json", "diagnosis.json", "plots", "tensorboard"}
    assert {"curves.png", "importance.png", "confusion-validation.png"} <= names(folder / "plots")
    assert names(folder / "tensorboard") == {"train", "validation", "events.out.tfevents.dlcli"}
    assert {name: (folder / name).read_bytes() for name in before} == before
    assert not (dlcli.folder / "runs/ledger.jsonl").exists()


def test_the_page_lists_the_layers_and_commands_that_name_the_run(dlcli: Dlcli) -> None:
    folder = trained(dlcli)
    dlcli("report")
    page = (folder / "report.html").read_text()
    layers = read(folder / "record.json")["layers"]
    assert sum(layer["parameters"] for layer in layers) == read(folder / "record.json")["parameters"]
    assert layers[-1]["shape"] == [1]
    for layer in layers:
        assert f'<th scope="row">{layer["name"]}</th>' in page
    commands = re.findall(r"<code>dlcli (?:train|evaluate|lr-find) ([^ <]+)", page)
    assert set(commands) <= {str(folder), f"{folder}/resolved.yaml", "small.yaml"}


def test_a_k_fold_has_folds_in_the_place_of_training_and_validation_rows(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    assert dlcli("kfold", "small.yaml", "--folds", "2", "--final").exit_code == 0
    assert dlcli("report").exit_code == 0
    folder = dlcli.folder / "runs/small-001"
    rows = read(folder / "record.json")["rows"]
    fold = rows["train"] + rows["validation"]
    page, card = (folder / "report.html").read_text(), (folder / "model_card.md").read_text()
    assert f"{fold} fold, {rows['test']} test" in page
    assert "Layers of the network" in page
    assert f"- {fold} fold rows, {rows['test']} test rows\n- The model was trained on the fold rows\n" in card
    assert "validation" not in card.split("## Training data")[1].split("## Training procedure")[0].split("Divided")[0]


def test_a_run_that_diverged_at_once_is_reported_with_what_to_try(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("adam: 0.02", "sgd: 1e12"))
    assert dlcli("train", "small.yaml").exit_code == 1
    done = dlcli("report")
    assert done.exit_code == 0, done.stderr
    assert "What to try next" in (dlcli.folder / "runs/small-001/report.html").read_text()


def test_importances_are_those_of_the_validation_rows(dlcli: Dlcli) -> None:
    folder = trained(dlcli)
    dlcli("report")
    found = read(folder / "importance.json")
    assert (found["subset"], found["metric"], found["rows"]) == ("validation", "accuracy", 24)
    assert {feature["name"] for feature in found["features"]} == {"width", "length", "colour"}
    drops = [feature["drop"] for feature in found["features"]]
    assert drops == sorted(drops, reverse=True)
    assert drops[0] > 0.1


def test_importances_are_computed_once_and_need_no_data_later(dlcli: Dlcli) -> None:
    folder = trained(dlcli)
    dlcli("report")
    before = (folder / "importance.json").read_bytes()
    (dlcli.folder / "flowers.csv").unlink()
    done = dlcli("report", "small-001")
    assert (done.exit_code, done.stdout.count("\n")) == (0, 1)
    assert (folder / "importance.json").read_bytes() == before


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda path: path.unlink(), "file not found"),
        (lambda path: write_csv(path, flowers(seed=1)), "the data have changed since run small-001"),
    ],
    ids=["gone", "changed"],
)
def test_without_its_data_a_run_is_reported_without_importances(dlcli: Dlcli, spoil: Any, reason: str) -> None:
    folder = trained(dlcli)
    spoil(dlcli.folder / "flowers.csv")
    done = dlcli("report")
    assert done.exit_code == 0
    assert "no permutation importance: " in done.stdout
    assert reason in done.stdout
    assert names(folder) >= PAPERS
    assert "importance.json" not in names(folder)


def test_a_model_of_images_alone_has_no_importances(dlcli: Dlcli) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(60, 3))
    np.savez(dlcli.folder / "data.npz", x=x, y=(x.sum(axis=1) > 0).astype(int))
    source = "{npz: {path: data.npz, inputs: x, target: y}}"
    config = f"data: {{source: {source}}}\narchitecture: [dense: 4]\ntraining: {{epochs: 2}}\n"
    (dlcli.folder / "arrays.yaml").write_text(config)
    dlcli("train", "arrays.yaml")
    done = dlcli("report")
    assert done.exit_code == 0
    assert "no permutation importance: the model takes a single column" in done.stdout


def test_a_k_fold_is_reported_from_its_folds(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("kfold", "small.yaml", "--folds", "3")
    done = dlcli("report")
    folder = dlcli.folder / "runs/small-001"
    assert done.exit_code == 0
    assert "no permutation importance: the run has no finished model" in done.stdout
    assert {"curves.png", "folds.png"} <= names(folder / "plots")
    assert {"fold-1-1", "fold-1-2", "fold-1-3"} <= names(folder / "tensorboard")
    assert "score over folds" in (folder / "model_card.md").read_text()


def test_an_opened_test_set_is_reported_and_not_opened_again(dlcli: Dlcli) -> None:
    folder = trained(dlcli, "--evaluate")
    ledger = (dlcli.folder / "runs/ledger.jsonl").read_bytes()
    assert dlcli("report").exit_code == 0
    assert (dlcli.folder / "runs/ledger.jsonl").read_bytes() == ledger
    assert "confusion-test.png" in names(folder / "plots")
    assert "The test set was opened once" in (folder / "model_card.md").read_text()


def test_a_run_that_died_is_reported_as_far_as_it_came(dlcli: Dlcli) -> None:
    folder = made(dlcli, status="running", ended=None)
    (folder / "scores.json").unlink()
    done = dlcli("report")
    assert done.exit_code == 0
    assert "no diagnosis: the run is interrupted" in done.stdout
    assert "interrupted" in (folder / "report.html").read_text()
    assert "interrupted" in (folder / "model_card.md").read_text()
    assert "curves.png" in names(folder / "plots")
    assert record(dlcli.folder, "made-001")["status"] == "running"


def test_a_run_without_epochs_has_nothing_to_report(dlcli: Dlcli) -> None:
    folder = made(dlcli, status="interrupted")
    for name in ("scores.json", "history.csv", "diagnosis.json"):
        (folder / name).unlink()
    done = dlcli("report")
    assert done.exit_code == 2
    assert "has neither epochs nor scores: there is nothing to report" in done.stderr
    assert "dlcli train --resume made-001" in done.stderr
    assert names(folder).isdisjoint(PAPERS | {"plots", "tensorboard"})


def test_a_run_under_way_is_refused(dlcli: Dlcli) -> None:
    folder = made(dlcli, status="running", ended=None)
    with RunDirectory(folder).lock():
        done = dlcli("report")
    assert done.exit_code == 4
    assert names(folder).isdisjoint(PAPERS)


def test_a_run_that_is_not_there_is_named(dlcli: Dlcli) -> None:
    made(dlcli)
    done = dlcli("report", "mad-001")
    assert (done.exit_code, "there is made-001" in done.stderr) == (2, True)


def test_a_damaged_file_is_named(dlcli: Dlcli) -> None:
    folder = made(dlcli)
    (folder / "scores.json").write_text("{")
    done = dlcli("report")
    assert (done.exit_code, "scores.json" in done.stderr) == (3, True)


@pytest.mark.skipif(find_spec("mlflow") is not None, reason="mlflow is installed")
def test_without_mlflow_nothing_is_written_and_it_says_what_to_install(dlcli: Dlcli) -> None:
    folder = made(dlcli)
    done = dlcli("report", "latest", "--mlflow")
    assert done.exit_code == 2
    assert "pip install 'dlcli[mlflow]'" in done.stderr
    assert names(folder).isdisjoint(PAPERS)


def test_json_tells_what_was_written(dlcli: Dlcli) -> None:
    folder = made(dlcli)
    told = json.loads(dlcli("report", "--json").stdout)
    assert (told["run"], told["report"]) == ("made-001", str(folder / "report.html"))
    assert told["notes"][0] == "no permutation importance: the run has no finished model"
    assert all((folder / name).exists() for name in told["files"])
    assert told["mlflow"] is None


def test_open_shows_the_page_in_the_browser(dlcli: Dlcli) -> None:
    folder = made(dlcli)
    browser = dlcli.folder / "browser.sh"
    browser.write_text(f'#!/bin/sh\necho "$1" > {dlcli.folder}/opened\n')
    browser.chmod(0o755)
    done = dlcli("report", "--open", BROWSER=f"{browser} %s")
    assert done.exit_code == 0
    assert (dlcli.folder / "opened").read_text().strip() == (folder / "report.html").as_uri()


def test_it_is_a_function_too(dlcli: Dlcli) -> None:
    made(dlcli)
    code = (
        "from dlcli import write_report\n"
        "result = write_report(runs='runs')\n"
        "assert result.page.exists() and result.page.name == 'report.html', result\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=dlcli.folder, check=True)


@pytest.mark.slow
def test_the_code_of_the_card_runs_in_plain_keras(dlcli: Dlcli) -> None:
    folder = trained(dlcli)
    dlcli("report")
    (code,) = re.findall(r"```python\n(.*?)\n```", (folder / "model_card.md").read_text(), flags=re.DOTALL)
    process = subprocess.run([sys.executable, "-I", "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    assert "tf.Tensor" in process.stdout


def test_slices_and_regression_are_told(dlcli: Dlcli) -> None:
    config = SMALL.replace("target: kind", "target: width").replace("stratified", "random")
    config = config.replace("metrics: [accuracy, roc_auc]", "evaluation: {slices: [colour]}")
    write_small(dlcli.folder, config)
    assert dlcli("train", "small.yaml").exit_code == 0
    assert dlcli("report").exit_code == 0
    folder = dlcli.folder / "runs/small-001"
    assert {"residuals-validation.png", "curves.png"} <= names(folder / "plots")
    assert "colour = red" in (folder / "model_card.md").read_text()
