"""What rows choose, what is beside a score, and how sure it is, as a user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from dlcli.evaluation.thresholds import choose
from dlcli.task import Goal, Task
from tests.commands.configs import SMALL, flowers, record, scores, write_csv, write_small
from tests.conftest import Dlcli

CHOOSING = SMALL + "evaluation: {threshold: f1, calibrate: temperature}\n"
SERIES = """\
data: {source: {csv: series.csv}, target: sales, time: day}
split: {chronological: {validation: 0.3, test: 0.2}}
architecture: [dense: 4]
training: {epochs: 2, batch_size: 32}
"""


def write_noisy(folder: Path, text: str) -> None:
    """The small table in which every fourth answer is wrong, so that nobody can be sure."""
    write_small(folder, text)
    other = {"rose": "daisy", "daisy": "rose", "kind": "kind"}
    rows = [[*cells, other[kind] if number % 4 == 0 else kind] for number, (*cells, kind) in enumerate(flowers())]
    write_csv(folder / "flowers.csv", rows)


def write_series(folder: Path, rows: int = 400) -> None:
    """A weekly rhythm with noise that lasts, by day."""
    generator = np.random.default_rng(0)
    noise = np.zeros(rows)
    for day in range(1, rows):
        noise[day] = 0.8 * noise[day - 1] + generator.normal()
    sales = 10 * np.sin(2 * np.pi * np.arange(rows) / 7) + noise
    days = np.datetime64("2024-01-01") + np.arange(rows)
    weather = generator.normal(size=rows)
    cells = [[str(day), f"{w:.3f}", f"{s:.4f}"] for day, w, s in zip(days, weather, sales, strict=True)]
    write_csv(folder / "series.csv", [["day", "weather", "sales"], *cells])
    (folder / "series.yaml").write_text(SERIES)


def test_validation_rows_choose_the_threshold_that_predictions_then_use(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL + "evaluation: {threshold: f1}\n")
    assert dlcli("train", "small.yaml", "--evaluate").exit_code == 0
    found = scores(dlcli.folder, "small-001")
    decision = found["decision"]
    assert (decision["threshold_rule"], decision["chosen_on"]) == ("f1", "validation")
    kept = pl.read_parquet(dlcli.folder / "runs/small-001/predictions/validation.parquet")
    truth, probability = (kept["actual_kind"] == "rose").to_numpy().astype(int), kept["probability_rose"].to_numpy()
    goal = Goal(Task.BINARY, ("kind",), ("daisy", "rose"))
    assert choose(goal, truth, probability, None, "f1").threshold == pytest.approx(decision["threshold"], abs=1e-6)
    assert all(each["starred"] for each in found["validation"]["scores"])
    assert not any(each["starred"] for each in found["test"]["scores"])
    predicted = dlcli("predict", "latest", "flowers.csv").stdout.splitlines()
    names, first = predicted[0].split(","), predicted[1].split(",")
    row = dict(zip(names, first, strict=True))
    assert (row["kind"] == "rose") == (float(row["probability_rose"]) >= decision["threshold"])


@pytest.mark.parametrize(
    ("more", "chose"),
    [
        ("", False),
        ("early_stopping: {patience: 2}", True),
        ("early_stopping: {monitor: loss}", False),
        ("schedule: {performance: {patience: 1}}", True),
        ("evaluation: {calibrate: temperature}", True),
    ],
)
def test_rows_that_chose_anything_are_marked(dlcli: Dlcli, more: str, chose: bool) -> None:
    write_small(dlcli.folder, f"{SMALL}select: last\n{more}\n")
    assert ("*" in dlcli("train", "small.yaml").stdout) is chose
    assert {each["starred"] for each in scores(dlcli.folder, "small-001")["validation"]["scores"]} == {chose}
    dlcli("train", "small.yaml", "--refit")
    assert {each["starred"] for each in scores(dlcli.folder, "small-002")["train"]["scores"]} == {chose}


def test_the_temperature_is_in_the_model_and_its_rows_show_no_calibration(dlcli: Dlcli) -> None:
    write_noisy(dlcli.folder, CHOOSING.replace("dense: 8", "dense: 64").replace("epochs: 6", "epochs: 40"))
    fixed = ("--set", "evaluation.threshold=0.5")
    done = dlcli("train", "small.yaml", "--evaluate", "--set", "select=last", *fixed)
    assert done.exit_code == 0
    found = scores(dlcli.folder, "small-001")
    assert found["decision"]["temperature"] != 1
    (chosen,) = (line for line in done.stdout.splitlines() if "chosen on validation rows" in line)
    assert chosen.startswith("temperature ")
    assert found["validation"]["calibration"]["ece"] is None
    assert "temperature" in found["validation"]["calibration"]["reason"]
    assert found["test"]["calibration"]["ece"] is not None
    new = pl.read_csv(dlcli("predict", "latest", "flowers.csv").stdout.encode())
    kept = pl.read_parquet(dlcli.folder / "runs/small-001/predictions/test.parquet")
    both = kept.join(new, on="row", suffix="_new")
    assert (both["probability_rose"] - both["probability_rose_new"]).abs().max() < 1e-6


def test_test_predictions_keep_no_truth(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--evaluate")
    folder = dlcli.folder / "runs/small-001/predictions"
    assert "actual_kind" in pl.read_parquet(folder / "validation.parquet").columns
    assert "actual_kind" not in pl.read_parquet(folder / "test.parquet").columns


def test_slices_need_not_be_inputs(dlcli: Dlcli) -> None:
    text = SMALL.replace("target: kind", "target: kind\n  ignore: [colour]").replace("  - one_hot\n", "")
    write_small(dlcli.folder, text + "evaluation: {slices: [colour, width]}\n")
    done = dlcli("train", "small.yaml")
    slices = scores(dlcli.folder, "small-001")["validation"]["slices"]
    assert {each["value"] for each in slices if each["column"] == "colour"} == {"red", "blue", "white"}
    assert sum(each["rows"] for each in slices if each["column"] == "width") == 24
    assert "colour red" in done.stdout


def test_a_slice_that_is_not_there_is_a_data_error_at_its_place(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL + "evaluation: {slices: color}\n")
    done = dlcli("train", "small.yaml")
    assert done.exit_code == 3
    assert "did you mean colour?" in done.stderr
    assert "small.yaml:12" in done.stderr


def test_costs_are_a_score_beside_the_others(dlcli: Dlcli) -> None:
    write_noisy(dlcli.folder, SMALL + "evaluation: {costs: {rose: {daisy: 5}, daisy: {rose: 1}}}\n")
    dlcli("train", "small.yaml")
    found = scores(dlcli.folder, "small-001")["validation"]
    cost = next(each for each in found["scores"] if each["name"] == "mean_cost")
    (_, missed), (lost, _) = found["confusion"]["counts"]
    assert found["confusion"]["labels"] == ["daisy", "rose"]
    assert cost["value"] == pytest.approx((missed + 5 * lost) / found["rows"])
    assert cost["low"] < cost["value"] < cost["high"]
    assert not cost["greater_is_better"]


def test_a_linear_model_and_a_guess_stand_beside_the_majority(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    found = scores(dlcli.folder, "small-001")
    kinds = {each["kind"]: each for each in found["baselines"]}
    assert set(kinds) == {"majority", "stratified", "linear"}
    assert [kind for kind, each in kinds.items() if each["reference"]] == ["majority"]
    linear = kinds["linear"]["subsets"]["validation"]["scores"][0]["value"]
    assert linear > kinds["majority"]["subsets"]["validation"]["scores"][0]["value"] + 0.2
    assert found["verdicts"]["validation"]["power"]


def test_a_series_is_judged_by_persistence_and_its_intervals_know_the_order(dlcli: Dlcli) -> None:
    write_series(dlcli.folder)
    done = dlcli("train", "series.yaml")
    assert done.exit_code == 0
    found = scores(dlcli.folder, "series-001")
    assert [each["kind"] for each in found["baselines"]][:2] == ["persistence", "seasonal"]
    assert found["baselines"][0]["reference"]
    assert found["baselines"][1]["name"] == "seasonal persistence (7 rows before)"
    mae = found["validation"]["scores"][0]
    assert mae["method"] == "cosine t over time"
    assert mae["low"] < mae["value"] < mae["high"]
    seasonal = found["baselines"][1]["subsets"]["validation"]["scores"][0]["value"]
    assert seasonal < found["baselines"][0]["subsets"]["validation"]["scores"][0]["value"]


def test_repeats_change_the_seed_and_not_the_rows(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("train", "small.yaml", "--repeat", "3", "--jobs", "2")
    assert done.exit_code == 0
    assert "no interval: takes at least 5 runs" in done.stdout
    found = scores(dlcli.folder, "small-001")
    values = found["repeats"][0]["values"]
    assert len(values) == 3
    assert values[0] == found["validation"]["scores"][0]["value"]
    assert found["repeats"][0]["low"] is None
    assert found["repeats"][0]["starred"]
    dlcli("train", "small.yaml", "--repeat", "3")
    again = scores(dlcli.folder, "small-002")
    assert again["repeats"] == found["repeats"]
    dlcli("train", "small.yaml")
    assert scores(dlcli.folder, "small-003")["validation"] == found["validation"]


@pytest.mark.parametrize("options", [("--refit",), ("--set", "split={random: {validation: 0}}")])
def test_repeats_need_validation_scores(dlcli: Dlcli, options: tuple[str, ...]) -> None:
    write_small(dlcli.folder)
    done = dlcli("train", "small.yaml", "--repeat", "2", *options)
    assert done.exit_code == 2
    assert "--repeat" in done.stderr
    assert not (dlcli.folder / "runs").exists()


def test_out_of_fold_rows_have_figures_and_the_fold_verdict_alone(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, CHOOSING)
    assert dlcli("kfold", "small.yaml", "--folds", "3", "--repeats", "2").exit_code == 0
    found = scores(dlcli.folder, "small-001")
    assert found["out_of_fold"]["rows"] == 96
    assert found["out_of_fold"]["calibration"]["ece"] is not None
    assert found["folds"][0]["degrees"] == 5
    assert list(found["verdicts"]) == ["folds"]
    assert found["decision"]["chosen_on"] == "out_of_fold"
    assert len(found["baselines"][0]["folds"][0]["folds"]) == 6


def test_the_final_model_takes_the_threshold_of_the_out_of_fold_rows(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, CHOOSING)
    dlcli("kfold", "small.yaml", "--folds", "3", "--final")
    found = scores(dlcli.folder, "small-001")
    kept = pl.read_parquet(dlcli.folder / "runs/small-001/predictions/test.parquet")
    above = kept.filter(pl.col("probability_rose") >= found["decision"]["threshold"])
    assert (above["kind"] == "rose").all()
    assert above.height == (kept["kind"] == "rose").sum()


def test_an_ensemble_is_the_mean_of_the_folds_models(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, CHOOSING + "kfold: {ensemble: true}\n")
    assert dlcli("kfold", "small.yaml", "--folds", "3").exit_code == 0
    assert not (dlcli.folder / "runs/ledger.jsonl").exists()
    run = dlcli.folder / "runs/small-001"
    code = (
        "import sys, keras, numpy as np, tensorflow as tf\n"
        "cells = {'width': tf.constant([[.3], [-1.]], tf.float64), 'length': tf.constant([[.1], [.2]], tf.float64),"
        " 'colour': tf.constant([['red'], ['blue']])}\n"
        "paths = [f'{sys.argv[1]}/folds/1-{n}/model.keras' for n in (1, 2, 3)] + [f'{sys.argv[1]}/model.keras']\n"
        "*folds, mean = [keras.models.load_model(path)(cells).numpy() for path in paths]\n"
        "assert np.abs(np.mean(folds, axis=0) - mean).max() < 1e-6\n"
    )
    subprocess.run([sys.executable, "-c", code, str(run)], check=True, capture_output=True, env=dict(os.environ))
    kept = record(dlcli.folder, "small-001")
    assert kept["trained_on"] == ["train", "validation"]
    assert kept["decision"] == scores(dlcli.folder, "small-001")["decision"]
    assert dlcli("evaluate", "small-001").exit_code == 0
    assert scores(dlcli.folder, "small-001")["test"]["rows"] == 24


def test_the_worst_rows_are_those_with_the_greatest_loss(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    worst = json.loads((dlcli.folder / "runs/small-001/worst.json").read_text())
    kept = pl.read_parquet(dlcli.folder / "runs/small-001/predictions/validation.parquet")
    right = pl.when(pl.col("actual_kind") == "rose").then("probability_rose").otherwise("probability_daisy")
    least = kept.with_columns(right.alias("given")).sort("given").row(0, named=True)
    first = worst["rows"][0]
    assert (first["row"], first["actual"]) == (least["row"], least["actual_kind"])
    assert first["probability"] == pytest.approx(least["given"])
    assert first["cells"]["colour"] == flowers()[1 + first["row"]][2]


def test_the_worst_images_are_shown(dlcli: Dlcli) -> None:
    config = "data: {source: {builtin: digits}}\narchitecture: [flatten]\ntraining: {epochs: 1, batch_size: 256}\n"
    (dlcli.folder / "digits.yaml").write_text(config)
    assert dlcli("train", "digits.yaml").exit_code == 0
    worst = json.loads((dlcli.folder / "runs/digits-001/worst.json").read_text())
    assert worst["rows"][0]["image"].startswith("data:image/png;base64,")
