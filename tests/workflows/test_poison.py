"""Rows that must not matter do not: garbage in them changes no bit of what is learned from the others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli import kfold, train
from tests.commands.configs import flowers, write_csv

CONFIG = """\
data:
  source: {csv: {path: train.csv, validation: validation.csv, test: test.csv}}
  target: kind
split: predefined
preprocessing: [impute, one_hot, standardize]
architecture: [dense: 8, batch_normalization, dropout: 0.2, dense: 4]
optimizer: {adam: 0.01}
training: {epochs: 3, batch_size: 16}
kfold: {folds: 3}
"""
GARBAGE = [["1e30", "-77", "purple", "rose"], ["", "5e-9", "", "daisy"], ["-3", "1e12", "black", "daisy"]]
"""Cells that fit their columns' kinds and nothing else about them."""


def write(folder: Path, *, poisoned: str = "", config: str = CONFIG) -> Path:
    folder.mkdir()
    for seed, name in enumerate(("train", "validation", "test")):
        rows = flowers(90 if name == "train" else 30, seed)
        if name == poisoned:
            rows = [rows[0], *(GARBAGE[number % len(GARBAGE)] for number in range(len(rows) - 1))]
        write_csv(folder / f"{name}.csv", rows)
    path = folder / "poison.yaml"
    path.write_text(config)
    return path


def learned(run: Path) -> dict[str, Any]:
    """Everything that training left: fitted preprocessing, history, weights."""
    import keras

    weights = keras.models.load_model(run / "model.keras").get_weights()
    return {
        "state": json.loads((run / "record.json").read_text())["preprocessing_state"],
        "history": [line.rsplit(",", 1)[0] for line in (run / "history.csv").read_text().splitlines()],
        "weights": [weight.tobytes() for weight in weights],
    }


def both(tmp_path: Path, workflow: Callable[..., Any], poisoned: str, config: str = CONFIG) -> list[Any]:
    """The clean run and the poisoned one."""
    runs = []
    for name in ("clean", poisoned):
        path = write(tmp_path / name, poisoned="" if name == "clean" else poisoned, config=config)
        runs.append(workflow(path, runs=tmp_path / name / "runs"))
    return runs


def test_test_rows_change_nothing_in_train(tmp_path: Path) -> None:
    clean, poisoned = both(tmp_path, train, "test")
    assert learned(clean.path) == learned(poisoned.path)
    assert clean.scores["validation"] == poisoned.scores["validation"]


def test_test_rows_change_nothing_in_kfold(tmp_path: Path) -> None:
    clean, poisoned = both(tmp_path, kfold, "test")
    assert clean.scores["folds"] == poisoned.scores["folds"]
    histories = [sorted(run.path.glob("folds/*/history.csv")) for run in (clean, poisoned)]
    for one, other in zip(*histories, strict=True):
        assert without_seconds(one) == without_seconds(other)


def test_validation_rows_change_no_weight_when_they_choose_nothing(tmp_path: Path) -> None:
    clean, poisoned = both(tmp_path, train, "validation", CONFIG + "select: last\n")
    first, second = learned(clean.path), learned(poisoned.path)
    assert first["weights"] == second["weights"]
    assert first["state"] == second["state"]


def test_garbage_in_training_rows_does_change_the_weights(tmp_path: Path) -> None:
    """The tests above could not fail if this one did not hold."""
    clean, poisoned = both(tmp_path, train, "train", CONFIG.replace("[impute, one_hot", "[drop: colour, impute"))
    assert learned(clean.path)["weights"] != learned(poisoned.path)["weights"]


SHAPED = """\
data:
  source: {csv: pixels.csv}
  target: kind
  shape: [2, 2, 1]
split: {predefined: {column: part, validation: 0.2}}
architecture: [flatten, dense: 4]
training: {epochs: 2}
"""
COUNTS = """\
data:
  source: {csv: pixels.csv}
  target: kind
split: {predefined: {column: part, validation: 0.2}}
architecture: [dense: 4]
training: {epochs: 2}
"""


@pytest.mark.parametrize(
    ("config", "column", "poison"),
    [
        (SHAPED, 0, "300.5"),
        (SHAPED, 0, "none"),
        (COUNTS, 0, "none"),
        (COUNTS, 4, "2"),
    ],
    ids=["no byte in an image", "text in an image", "text in a column", "another class"],
)
def test_test_cells_decide_no_type(tmp_path: Path, config: str, column: int, poison: str) -> None:
    runs = []
    for name in ("clean", "poisoned"):
        folder = tmp_path / name
        folder.mkdir()
        generator = np.random.default_rng(0)
        rows = [[str(cell) for cell in generator.integers(0, 256, 4)] for _ in range(80)]
        rows = [[*row, str(number % 3), "test" if number >= 60 else "train"] for number, row in enumerate(rows)]
        for row in rows[70:] if name == "poisoned" else ():
            row[column] = poison
        write_csv(folder / "pixels.csv", [["a", "b", "c", "d", "kind", "part"], *rows])
        (folder / "pixels.yaml").write_text(config)
        runs.append(train(folder / "pixels.yaml", runs=folder / "runs"))
    assert learned(runs[0].path) == learned(runs[1].path)
    assert runs[0].scores["validation"] == runs[1].scores["validation"]


def test_test_targets_do_not_decide_the_task(tmp_path: Path) -> None:
    rows = [[str(number), str(number % 3), "test" if number >= 60 else "train"] for number in range(80)]
    rows[79][1] = "7.5"
    write_csv(tmp_path / "pixels.csv", [["a", "kind", "part"], *rows])
    (tmp_path / "task.yaml").write_text(COUNTS)
    run = train(tmp_path / "task.yaml", runs=tmp_path / "runs")
    assert json.loads((run.path / "record.json").read_text())["goal"]["task"] == "multiclass"


def without_seconds(history: Path) -> list[str]:
    return [line.rsplit(",", 1)[0] for line in history.read_text().splitlines()]


@pytest.mark.parametrize("scale", ["standardize", "log1p", "min_max"])
def test_test_targets_change_no_target_scale(tmp_path: Path, scale: str) -> None:
    config = CONFIG.replace("target: kind", f"target: {{column: y, scale: {scale}}}").replace(", one_hot", "")
    runs = []
    for name in ("clean", "poisoned"):
        folder = tmp_path / name
        folder.mkdir()
        for seed, subset in enumerate(("train", "validation", "test")):
            generator = np.random.default_rng(seed)
            x = generator.normal(size=(60, 2))
            y = np.abs(x.sum(axis=1)) * (1e6 if (name, subset) == ("poisoned", "test") else 1)
            rows = [["a", "b", "y"], *([repr(float(v)) for v in (*row, t)] for row, t in zip(x, y, strict=True))]
            write_csv(folder / f"{subset}.csv", rows)
        (folder / "scale.yaml").write_text(config)
        runs.append(train(folder / "scale.yaml", runs=folder / "runs"))
    first, second = (json.loads((run.path / "record.json").read_text())["target_state"] for run in runs)
    assert first == second
    assert learned(runs[0].path) == learned(runs[1].path)
