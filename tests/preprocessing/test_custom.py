"""Steps of the user's own: a Keras layer from a file, through every command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.preprocessing import pipeline
from dlcli.preprocessing.custom import CustomStep
from dlcli.problems import ConfigError
from dlcli.samples import ColumnSchema, Samples, Schema
from tests.commands.configs import SMALL, record, scores, write_small
from tests.conftest import Dlcli

UNITS = """\
import keras

class Doubled(keras.layers.Layer):
    def call(self, x):
        return 2 * x

class Sum(keras.layers.Layer):
    def call(self, x):
        return keras.ops.sum(x, axis=-1, keepdims=True)

class Flat(keras.layers.Layer):
    def call(self, x):
        return keras.ops.sum(x, axis=-1)

def dense():
    return keras.layers.Dense(2)
"""
SCHEMA = Schema(columns={"a": ColumnSchema(kind="numeric"), "b": ColumnSchema(kind="numeric")})
SAMPLES = Samples({"a": np.array([1.0, 2.0]), "b": np.array([10.0, 20.0])}, 2)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    (tmp_path / "units.py").write_text(UNITS)
    return tmp_path / "units.py"


def fitted(units: Path, name: str, **fields: Any) -> pipeline.Pipeline:
    step = CustomStep(object=f"{units}:{name}", **fields)
    return pipeline.fit((step,), SAMPLES, SCHEMA, np.arange(2))


def test_one_column_for_each_keeps_the_names(units: Path) -> None:
    made = fitted(units, "Doubled")
    assert made.output.names == ("a", "b")
    assert made.transform(SAMPLES).tolist() == [[2, 20], [4, 40]]


def test_others_are_called_like_the_object_and_stand_beside_what_is_kept(units: Path) -> None:
    made = fitted(units, "Sum", keep=True)
    assert made.output.names == ("a", "b", "Sum_1")
    assert made.transform(SAMPLES)[:, 2].tolist() == [11, 22]


@pytest.mark.parametrize(("name", "words"), [("Flat", "gives rows of"), ("dense", "has weights"), ("None", "has no")])
def test_what_is_no_step_is_a_problem(units: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        fitted(units, name)


def test_another_content_of_the_file_is_another_state(units: Path) -> None:
    first = fitted(units, "Doubled").state
    units.write_text(UNITS.replace("2 * x", "3 * x"))
    assert fitted(units, "Doubled").state != first


@pytest.mark.usefixtures("units")
def test_a_run_with_one_is_trained_evaluated_and_predicts(dlcli: Dlcli) -> None:
    text = SMALL.replace(
        "  - standardize", "  - standardize\n  - custom: {object: 'units.py:Sum', columns: numeric, keep: true}"
    )
    write_small(dlcli.folder, text)
    untrusted = dlcli("train", "small.yaml")
    assert untrusted.exit_code == 2
    assert "--trust" in untrusted.stderr
    done = dlcli("train", "small.yaml", "--trust")
    assert done.exit_code == 0, done.output
    assert '"step": "custom"' in json.dumps(record(dlcli.folder, "small-001"))
    assert dlcli("evaluate", "small-001", "--trust").exit_code == 0
    assert scores(dlcli.folder, "small-001")["test"]
    predicted = dlcli("predict", "small-001", "flowers.csv", "--trust")
    assert predicted.exit_code == 0, predicted.output
    assert len(predicted.stdout.splitlines()) == 121
    assert dlcli("kfold", "small.yaml", "--folds", "2", "--trust").exit_code == 0
