"""The builtin source."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from dlcli.data import target
from dlcli.data.sources.builtin import Builtin
from dlcli.samples import Coded
from dlcli.task import Task


@pytest.mark.parametrize(
    ("name", "rows", "inputs", "target_columns", "task"),
    [
        ("wine", 178, 13, ("label",), Task.MULTICLASS),
        ("iris", 150, 4, ("label",), Task.MULTICLASS),
        ("digits", 1797, 1, ("label",), Task.MULTICLASS),
        ("breast_cancer", 569, 30, ("label",), Task.BINARY),
        ("diabetes", 442, 10, ("target",), Task.REGRESSION),
        ("linnerud", 20, 3, ("Weight", "Waist", "Pulse"), Task.REGRESSION),
    ],
)
def test_a_builtin_set_brings_its_inputs_and_its_target(
    name: str, rows: int, inputs: int, target_columns: tuple[str, ...], task: Task
) -> None:
    found = Builtin(name=name).read()
    assert (found.samples.rows, len(found.inputs), found.target) == (rows, inputs, target_columns)
    assert target.resolve(None, found, None, "refuse").goal.task is task


@pytest.mark.parametrize("name", ["wine", "iris", "digits", "breast_cancer", "diabetes", "linnerud"])
def test_a_builtin_set_is_what_scikit_learn_loads(name: str) -> None:
    options = {"scaled": False} if name == "diabetes" else {}
    theirs: Any = getattr(datasets, f"load_{name}")(**options)
    found = Builtin(name=name).read()
    target = [found.samples[column] for column in found.target]
    if isinstance(target[0], Coded):
        assert target[0].vocabulary == tuple(map(str, theirs.target_names))
        assert np.array_equal(target[0].codes, theirs.target)
    else:
        assert np.array_equal(np.column_stack(target), theirs.target.reshape(len(theirs.target), -1))
    if name == "digits":
        assert np.array_equal(found.samples["image"][..., 0], theirs.images)
    else:
        assert found.inputs == tuple(theirs.feature_names)
        assert np.array_equal(np.column_stack([found.samples[column] for column in found.inputs]), theirs.data)


def test_classes_have_their_names() -> None:
    label = Builtin(name="iris").read().samples["label"]
    assert isinstance(label, Coded)
    assert label.vocabulary == ("setosa", "versicolor", "virginica")


def test_digits_are_small_images_of_bytes() -> None:
    image = Builtin(name="digits").read().samples["image"]
    assert (image.shape[1:], image.dtype, int(image.max())) == ((8, 8, 1), np.uint8, 16)


def test_diabetes_comes_in_its_own_units() -> None:
    age = Builtin(name="diabetes").read().samples["age"]
    assert (age.min(), age.max()) == (19, 79)
