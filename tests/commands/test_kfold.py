"""`dlcli kfold` as a user meets it."""

from __future__ import annotations

import polars as pl

from tests.commands.configs import record, scores, write_small
from tests.conftest import Dlcli


def test_scores_every_row_outside_the_test_set_once_per_repeat(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    assert dlcli("kfold", "small.yaml", "--folds", "3", "--repeats", "2").exit_code == 0
    kept = pl.read_parquet(dlcli.folder / "runs/small-001/predictions/out-of-fold.parquet")
    entry = record(dlcli.folder, "small-001")
    rows = entry["rows"]["train"] + entry["rows"]["validation"]
    for repeat in (1, 2):
        assert kept.filter(pl.col("repeat") == repeat)["row"].n_unique() == rows
    assert kept.height == 2 * rows


def test_says_mean_spread_and_interval_beside_the_baseline(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("kfold", "small.yaml", "--folds", "3")
    accuracy = scores(dlcli.folder, "small-001")["folds"][0]
    assert len(accuracy["folds"]) == 3
    assert accuracy["low"] < accuracy["mean"] < accuracy["high"]
    assert accuracy["method"] == "corrected t"
    assert "baseline" in done.stdout


def test_leaves_the_test_set_closed_unless_final(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("kfold", "small.yaml", "--folds", "2")
    assert not (dlcli.folder / "runs/ledger.jsonl").exists()
    dlcli("kfold", "small.yaml", "--folds", "2", "--final")
    assert scores(dlcli.folder, "small-002")["test"]["rows"] == 24
    assert len((dlcli.folder / "runs/ledger.jsonl").read_text().splitlines()) == 1


def test_without_final_there_is_no_model_to_evaluate(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("kfold", "small.yaml", "--folds", "2")
    done = dlcli("evaluate")
    assert done.exit_code == 2
    assert "--final" in done.stderr


def test_the_same_command_gives_the_same_numbers(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    for _ in range(2):
        dlcli("kfold", "small.yaml", "--folds", "2")
    assert scores(dlcli.folder, "small-001") == scores(dlcli.folder, "small-002")
