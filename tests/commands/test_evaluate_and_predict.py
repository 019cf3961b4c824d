"""`dlcli evaluate` and `dlcli predict` as a user meets them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.commands.configs import flowers, record, scores, write_csv, write_small
from tests.conftest import Dlcli


def test_evaluate_gives_what_train_evaluate_gives_and_counts_the_look(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--evaluate")
    first = scores(dlcli.folder, "small-001")
    assert dlcli("evaluate", "small-001").exit_code == 0
    second = scores(dlcli.folder, "small-001")
    assert second["test"] == first["test"]
    assert (first["looks"], second["looks"]) == (1, 2)
    assert len(record(dlcli.folder, "small-001")["ledger_lines"]) == 2


@pytest.mark.parametrize(
    ("target", "metric", "cost"),
    [
        ("kind", "roc_auc", "by 0."),
        ("length", "mae", "by 0."),
        ("length", "max_error", "by how much is not known"),
    ],
)
def test_a_second_look_says_what_looks_cost_in_any_metric(dlcli: Dlcli, target: str, metric: str, cost: str) -> None:
    write_small(dlcli.folder)
    settings = (f"data.target={target}", f"metrics=[{metric}]", "split={random: {}}")
    dlcli("train", "small.yaml", "--evaluate", *(word for each in settings for word in ("--set", each)))
    told = dlcli("evaluate").stdout
    assert "test set opened 2 times: on average the best of 2 equally good models looks too good, " + cost in told


def test_two_evaluations_of_a_run_at_once_are_two_looks_that_its_record_keeps(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    under_way = [dlcli.start("evaluate", "small-001") for _ in range(2)]
    assert [each.wait().exit_code for each in under_way] == [0, 0]
    lines = (dlcli.folder / "runs/ledger.jsonl").read_text().splitlines()
    written = [json.loads(line)["hash"] for line in lines]
    assert len(written) == 2
    assert record(dlcli.folder, "small-001")["ledger_lines"] == written
    assert scores(dlcli.folder, "small-001")["looks"] == 2


def test_evaluate_refuses_data_of_which_one_row_was_edited(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    rows = flowers()
    rows[7][0] = "0.5"
    write_csv(dlcli.folder / "flowers.csv", rows)
    done = dlcli("evaluate")
    assert (done.exit_code, "the data have changed since run small-001" in done.stderr) == (4, True)
    assert not (dlcli.folder / "runs/ledger.jsonl").exists()


def test_evaluate_refuses_an_edited_ledger(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--evaluate")
    ledger = dlcli.folder / "runs/ledger.jsonl"
    ledger.write_text(ledger.read_text().replace("train --evaluate", "evaluate"))
    assert dlcli("evaluate").exit_code == 4


def test_predict_needs_no_target_and_gives_the_numbers_of_the_run(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    write_csv(dlcli.folder / "new.csv", [row[:3] for row in flowers()])
    new = pl.read_csv(io.StringIO(dlcli("predict", "latest", "new.csv").stdout))
    kept = pl.read_parquet(dlcli.folder / "runs/small-001/predictions/validation.parquet")
    both = kept.join(new, on="row", suffix="_new")
    assert both.height == kept.height
    assert (both["probability_rose"] - both["probability_rose_new"]).abs().max() < 1e-6
    assert (both["kind"] == both["kind_new"]).all()


def test_predict_counts_categories_never_seen(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    rows = [row[:3] for row in flowers()]
    rows[1][2] = rows[2][2] = "green"
    write_csv(dlcli.folder / "new.csv", rows)
    done = dlcli("predict", "latest", "new.csv", "--output", "out.csv")
    assert done.exit_code == 0
    assert "2 rows hold a value of colour that was never seen" in done.stderr
    assert pl.read_csv(dlcli.folder / "out.csv").height == 120


def test_predict_names_a_missing_column(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    write_csv(dlcli.folder / "new.csv", [[row[0], row[2]] for row in flowers()])
    done = dlcli("predict", "latest", "new.csv")
    assert done.exit_code == 3
    assert "length" in done.stderr


PLAIN_KERAS = """
import json, sys
import keras, tensorflow as tf
assert "dlcli" not in sys.modules
model = keras.models.load_model(sys.argv[1], safe_mode=True)
rows = json.load(sys.stdin)
tensors = {name: tf.constant(rows[name], tf.string if name == "colour" else tf.float64) for name in rows}
print(json.dumps([float(p) for p in model(tensors, training=False)[:, 0]]))
"""


@pytest.mark.slow
def test_plain_keras_loads_the_model_without_dlcli_and_agrees(dlcli: Dlcli, tmp_path: Path) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    rows = flowers()[1:]
    columns = {
        "width": [[float(row[0])] for row in rows],
        "length": [[float(row[1])] for row in rows],
        "colour": [[row[2]] for row in rows],
    }
    process = subprocess.run(
        [sys.executable, "-I", "-c", PLAIN_KERAS, str(dlcli.folder / "runs/small-001/model.keras")],
        input=json.dumps(columns),
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    plain = json.loads(process.stdout.splitlines()[-1])
    kept = pl.read_parquet(dlcli.folder / "runs/small-001/predictions/validation.parquet")
    assert max(abs(plain[row] - p) for row, p in zip(kept["row"], kept["probability_rose"], strict=True)) < 1e-6


def test_predict_reads_the_input_arrays_of_an_npz_file_that_holds_more(dlcli: Dlcli) -> None:
    generator = np.random.default_rng(0)
    x = generator.normal(size=(60, 3))
    np.savez(dlcli.folder / "data.npz", x=x, y=(x.sum(axis=1) > 0).astype(int), more=np.zeros(5))
    source = "{npz: {path: data.npz, inputs: x, target: y}}"
    config = f"data: {{source: {source}}}\narchitecture: [dense: 4]\ntraining: {{epochs: 2}}\n"
    (dlcli.folder / "arrays.yaml").write_text(config)
    assert dlcli("train", "arrays.yaml").exit_code == 0
    assert len(dlcli("predict", "latest", "data.npz").stdout.splitlines()) == 61


def test_evaluate_takes_no_older_run_for_the_latest_one(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    dlcli("train", "small.yaml", "--set", "optimizer.adam.learning_rate=1e30")
    refused = dlcli("evaluate")
    assert (refused.exit_code, "small-002, is failed" in refused.stderr) == (2, True)
    assert "dlcli evaluate small-001" in refused.stderr
    assert not (dlcli.folder / "runs" / "ledger.jsonl").exists()
    assert dlcli("evaluate", "small-001").exit_code == 0
