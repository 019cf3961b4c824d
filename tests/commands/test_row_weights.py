"""Rows that weigh nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands.configs import SMALL, flowers, scores, write_csv
from tests.conftest import Dlcli

CONFIG = SMALL.replace("target: kind", "target: kind\n  weight: importance").replace("stratified", "chronological")
TRAIN, VALIDATION, TEST = (0, 72), (72, 96), (96, 120)


def write_weighted(folder: Path, first: int, last: int) -> None:
    """A config, and a table in which the rows [first, last) weigh 0."""
    header, *rows = flowers()
    weights = ["0" if first <= number < last else "1.5" for number in range(len(rows))]
    table = [[*row, weight] for row, weight in zip(rows, weights, strict=True)]
    write_csv(folder / "flowers.csv", [[*header, "importance"], *table])
    (folder / "small.yaml").write_text(CONFIG)


@pytest.mark.parametrize(
    ("words", "rows", "named"),
    [
        ("train", TRAIN, "training row"),
        ("train", VALIDATION, "validation row"),
        ("lr-find", TRAIN, "training row"),
        ("check --data", VALIDATION, "validation row"),
        ("train --evaluate", TEST, "test row"),
        ("kfold --folds 2", (32, 64), "scored row of fold 1/2"),
        ("kfold --folds 2", (24, 32), "inner validation row of fold 1/2"),
        ("kfold --folds 2 --final", TEST, "test row"),
    ],
)
def test_subsets_without_any_weight_are_refused_before_a_run_begins(
    dlcli: Dlcli, words: str, rows: tuple[int, int], named: str
) -> None:
    write_weighted(dlcli.folder, *rows)
    command, *options = words.split()
    done = dlcli(command, "small.yaml", *options)
    assert done.exit_code == 3
    assert f"weight importance is 0 in every {named}\n" in done.stderr
    assert "small.yaml:4:" in done.stderr
    assert not (dlcli.folder / "runs").exists()


def test_a_test_set_without_any_weight_is_not_looked_at(dlcli: Dlcli) -> None:
    write_weighted(dlcli.folder, *TEST)
    assert dlcli("train", "small.yaml").exit_code == 0
    done = dlcli("evaluate")
    assert done.exit_code == 3
    assert "weight importance is 0 in every test row" in done.stderr
    assert not (dlcli.folder / "runs/ledger.jsonl").exists()
    assert "test" not in scores(dlcli.folder, "small-001")


def test_a_slice_without_any_weight_has_no_score(dlcli: Dlcli) -> None:
    write_weighted(dlcli.folder, 80, 88)
    (dlcli.folder / "small.yaml").write_text(CONFIG + "evaluation: {slices: [importance]}\n")
    assert dlcli("train", "small.yaml").exit_code == 0
    slices = scores(dlcli.folder, "small-001")["validation"]["slices"]
    assert [(each["value"], each["rows"]) for each in slices] == [("1.5", 16)]


def test_validation_rows_without_any_weight_are_no_matter_where_folds_mix_them_with_others(dlcli: Dlcli) -> None:
    write_weighted(dlcli.folder, *VALIDATION)
    config = dlcli.folder / "small.yaml"
    config.write_text(config.read_text().replace("chronological", "random"))
    assert dlcli("kfold", "small.yaml", "--folds", "2").exit_code == 0
