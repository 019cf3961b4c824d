"""Real files, as archives hold them, train from configs: scores of test rows, looked at once, beside baselines."""

from __future__ import annotations

import json
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
WRITTEN_HERE = {
    "penguins": (PENGUINS, Expected("accuracy", 0.95, 103, beats_linear=False)),
    "diamonds": (DIAMONDS, Expected("r2", 0.96, 5_394)),
    "wines": (WINES, Expected("r2", 0.28, 1_299)),
    "cars": (CARS, Expected("r2", 0.80, 100, beats_linear=False)),
    "bank": (BANK, Expected("roc_auc", 0.90, 1_236, beats_linear=False)),
}


def trained(dlcli: Dlcli, config: Path, data: Path) -> dict[str, Any]:
    """The scores of a run whose test set was opened."""
    done = dlcli("train", config, "--evaluate", "--json", DLCLI_DATA=data)
    assert done.exit_code == 0, done.output
    scores: dict[str, Any] = json.loads(done.stdout)["scores"]
    return scores


def require(scores: dict[str, Any], expected: Expected) -> None:
    def value(subset: dict[str, Any]) -> float:
        return float(next(each["value"] for each in subset["scores"] if each["name"] == expected.metric))

    simple = {each["kind"]: value(each["subsets"]["test"]) for each in scores["baselines"]}
    if not expected.beats_linear:
        del simple["linear"]
    reached = value(scores["test"])
    assert scores["test"]["rows"] == expected.rows
    assert reached >= expected.least
    assert reached > max(simple.values())


@pytest.mark.slow
@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_config_reaches_its_score(name: str, dlcli: Dlcli, shared_data: Path) -> None:
    require(trained(dlcli, CONFIGS / f"{name}.yaml", shared_data), SHIPPED[name])


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITTEN_HERE)
def test_a_real_table_is_learned_from_a_few_lines(name: str, dlcli: Dlcli, shared_data: Path) -> None:
    text, expected = WRITTEN_HERE[name]
    (dlcli.folder / f"{name}.yaml").write_text(text)
    require(trained(dlcli, dlcli.folder / f"{name}.yaml", shared_data), expected)
