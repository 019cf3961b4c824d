"""Real files, as archives hold them, train from configs: scores of test rows, looked at once, beside baselines."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.commands.configs import CONFIGS
from tests.conftest import Dlcli

PENGUINS = """\
data:
  source: {csv: "${DLCLI_DATA}/tabular/penguins.csv"}
  target: species
split: {stratified: {validation: 0.2, test: 0.3}}
architecture: [dense: 16]
optimizer: {adam: 0.01}
training: {epochs: 30}
"""
DIAMONDS = """\
data:
  source: {csv: "${DLCLI_DATA}/tabular/diamonds.csv.gz"}
  target: {column: price, scale: standardize}
preprocessing:
  - clip: [x, y, z, table, depth, carat]
  - ordinal: {columns: cut, order: [Fair, Good, Very Good, Premium, Ideal]}
  - auto
architecture: [dense: 64, dense: 32]
optimizer: {adam: 0.003}
schedule: one_cycle
training: {epochs: 8, batch_size: 128}
metrics: [r2, mae]
"""
WINES = """\
data:
  source: {csv: "${DLCLI_DATA}/tabular/winequality-*.csv"}
  target: {column: quality, scale: standardize}
task: regression
split: {random: {validation: 0.2, test: 0.2}}
architecture: [dense: 64, dropout: 0.2]
optimizer: {adam: 0.003}
early_stopping: {patience: 5}
training: {epochs: 40, batch_size: 64}
metrics: [r2, mae]
"""
CARS = """\
data:
  source:
    csv:
      path: "${DLCLI_DATA}/awkward/auto-mpg.data"
      names: [mpg, cylinders, displacement, horsepower, weight, acceleration, model year, origin, car name]
      missing: {horsepower: ["?"]}
  target: {column: mpg, scale: standardize}
  ignore: [car name]
  categorical: [origin]
split: {random: {validation: 0.2, test: 0.25}}
architecture: [dense: 32, dense: 16]
regularization: {l2: 1e-3}
optimizer: {adam: 0.01}
training: {epochs: 80}
metrics: [r2, mae]
"""
BANK = """\
data:
  source: {csv: {path: "${DLCLI_DATA}/tabular/bank-additional.csv.gz", missing: [unknown]}}
  target: {column: "y", positive: "yes"}
split: {stratified: {validation: 0.2, test: 0.3}}
architecture: [dense: 16, dropout: 0.3]
early_stopping: {patience: 5}
training: {epochs: 30, batch_size: 64}
metrics: [roc_auc, accuracy]
"""


@dataclass(frozen=True)
class Expected:
    """What a config reaches on test rows.

    Attributes:
        metric: one of which more is better.
        least: below what it reaches by a margin for another machine.
        rows: how many test rows there are.
        beats_linear: whether it is also better than a linear model there, not only than one that sees no input.
    """

    metric: str
    least: float
    rows: int
    beats_linear: bool = True


SHIPPED = {
    "adult": Expected("accuracy", 0.85, 16_281),
    "titanic": Expected("accuracy", 0.74, 178, beats_linear=False),
    "energy": Expected("r2", 0.98, 154),
    "scene": Expected("f1", 0.68, 1_196),
}
FORECASTS = {"etth1": (1.40, 2_857), "temperatures": (1.85, 700)}
"""The mean absolute error in degrees that is not exceeded, and how many test rows there are."""
REVIEWS = {"imdb-multi-hot": Expected("accuracy", 0.88, 25_000), "imdb-bigrams": Expected("accuracy", 0.89, 25_000)}
FOLDED = {"sign-digits": (0.86, 0.1), "sms-spam": (0.976, 0.0), "sentences": (0.80, 0.0)}
"""The mean accuracy of five folds, and how much better than a linear model it is at least."""
WRITTEN_HERE = {
    "penguins": (PENGUINS, Expected("accuracy", 0.95, 103, beats_linear=False)),
    "diamonds": (DIAMONDS, Expected("r2", 0.96, 5_394)),
    "wines": (WINES, Expected("r2", 0.28, 1_299)),
    "cars": (CARS, Expected("r2", 0.80, 100, beats_linear=False)),
    "bank": (BANK, Expected("roc_auc", 0.90, 1_236, beats_linear=False)),
}


@pytest.fixture(scope="session")
def prepared_reviews(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """IMDb as TensorFlow Datasets keeps it."""
    folder = tmp_path_factory.mktemp("tfds")
    subprocess.run([sys.executable, shared_data / "prepare.py", "tfds", folder, "imdb_reviews"], check=True)
    return folder


def trained(dlcli: Dlcli, config: Path, **environment: Path) -> dict[str, Any]:
    """The scores of a run whose test set was opened."""
    done = dlcli("train", config, "--evaluate", "--json", **environment)
    assert done.exit_code == 0, done.output
    scores: dict[str, Any] = json.loads(done.stdout)["scores"]
    return scores


def on_test_rows(scores: dict[str, Any], metric: str) -> tuple[float, dict[str, float]]:
    """What was reached, and what each baseline reaches."""

    def value(subset: dict[str, Any]) -> float:
        return float(next(each["value"] for each in subset["scores"] if each["name"] == metric))

    return value(scores["test"]), {each["kind"]: value(each["subsets"]["test"]) for each in scores["baselines"]}


def require(scores: dict[str, Any], expected: Expected) -> None:
    reached, simple = on_test_rows(scores, expected.metric)
    if not expected.beats_linear:
        del simple["linear"]
    assert scores["test"]["rows"] == expected.rows
    assert reached >= expected.least
    assert reached > max(simple.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_config_reaches_its_score(name: str, dlcli: Dlcli, shared_data: Path) -> None:
    require(trained(dlcli, CONFIGS / f"{name}.yaml", DLCLI_DATA=shared_data), SHIPPED[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN_HERE)
def test_a_real_table_is_learned_from_a_few_lines(name: str, dlcli: Dlcli, shared_data: Path) -> None:
    text, expected = WRITTEN_HERE[name]
    (dlcli.folder / f"{name}.yaml").write_text(text)
    require(trained(dlcli, dlcli.folder / f"{name}.yaml", DLCLI_DATA=shared_data), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", REVIEWS)
def test_reviews_are_told_apart_by_their_words(name: str, dlcli: Dlcli, prepared_reviews: Path) -> None:
    require(trained(dlcli, CONFIGS / f"{name}.yaml", TFDS_DATA_DIR=prepared_reviews), REVIEWS[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", FORECASTS)
def test_a_forecast_is_better_than_the_last_value(name: str, dlcli: Dlcli, shared_data: Path) -> None:
    scores = trained(dlcli, CONFIGS / f"{name}.yaml", DLCLI_DATA=shared_data)
    reached, simple = on_test_rows(scores, "mae")
    most, rows = FORECASTS[name]
    assert scores["test"]["rows"] == rows
    assert reached <= most
    assert reached < simple["persistence"]
    assert scores["verdicts"]["test"]["power"]


@pytest.mark.slow
def test_one_step_ahead_the_last_value_is_hard_to_beat_and_what_comes_out_is_printed(
    dlcli: Dlcli, shared_data: Path
) -> None:
    done = dlcli("train", CONFIGS / "etth1.yaml", "--set", "data.window.horizon=1", DLCLI_DATA=shared_data)
    assert done.exit_code == 0, done.output
    scores = json.loads((dlcli.folder / "runs/etth1-001/scores.json").read_text())
    verdict = scores["verdicts"]["validation"]["sentence"]
    assert "persistence" in verdict
    assert verdict in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("name", FOLDED)
def test_five_folds_reach_a_score(name: str, dlcli: Dlcli, shared_data: Path) -> None:
    done = dlcli("kfold", CONFIGS / f"{name}.yaml", "--folds", "5", "--json", DLCLI_DATA=shared_data)
    assert done.exit_code == 0, done.output
    scores = json.loads(done.stdout)["scores"]
    simple = {each["kind"]: each["folds"][0]["mean"] for each in scores["baselines"]}
    accuracy = scores["folds"][0]
    least, margin = FOLDED[name]
    assert accuracy["name"] == "accuracy"
    assert len(accuracy["folds"]) == 5
    assert accuracy["mean"] >= least
    assert accuracy["mean"] >= simple["linear"] + margin
    assert accuracy["mean"] > simple["majority"]
