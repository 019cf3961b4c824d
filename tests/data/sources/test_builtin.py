"""The builtin source."""

from __future__ import annotations

import numpy as np
import pytest

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
