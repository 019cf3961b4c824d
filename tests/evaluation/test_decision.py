"""Decisions: temperature, then threshold; kept as JSON; the same numbers in a model as on arrays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.evaluation.decision import Decision, decide, temper_ops
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
CLASSES = Goal(Task.MULTICLASS, ("y",), ("a", "b", "c"))
LABELS = Goal(Task.MULTILABEL, ("sun", "rain"))
NUMBERS = Goal(Task.REGRESSION, ("y",))


def overconfident(rows: int = 200) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    logits = generator.normal(size=rows) * 2
    truth = (generator.random(rows) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    return truth, 1 / (1 + np.exp(-3 * logits))


def test_the_threshold_is_chosen_on_tempered_probabilities() -> None:
    truth, prediction = overconfident()
    found = decide(BINARY, truth, prediction, None, threshold="f1", calibrate=True, chosen_on="validation")
    tempered = found.apply(BINARY, prediction)
    again = decide(BINARY, truth, tempered, None, threshold="f1", calibrate=False, chosen_on="validation")
    assert found.temperature > 1.5
    assert found.threshold == again.threshold
    assert (found.threshold_rule, found.chosen_on) == ("f1", "validation")


@pytest.mark.parametrize(
    ("goal", "threshold", "calibrate", "chosen_on"),
    [
        (BINARY, 0.3, False, None),
        (BINARY, 0.3, True, "validation"),
        (BINARY, "youden", False, "validation"),
        (CLASSES, 0.5, False, None),
        (CLASSES, 0.5, True, "validation"),
        (NUMBERS, "f1", True, None),
    ],
)
def test_the_rows_are_named_where_they_were_asked(goal: Goal, threshold: Any, calibrate: bool, chosen_on: Any) -> None:
    truth, prediction = overconfident()
    if goal is CLASSES:
        prediction = np.stack([1 - prediction, prediction * 0.9, prediction * 0.1], axis=1)
    found = decide(goal, truth, prediction, None, threshold=threshold, calibrate=calibrate, chosen_on="validation")
    assert found.chosen_on == chosen_on


def test_numbers_stay_as_they_are() -> None:
    found = decide(NUMBERS, np.ones((2, 1)), np.ones((2, 1)), None, threshold=0.5, calibrate=True, chosen_on="x")
    assert found == Decision()
    assert Decision(temperature=2.0).apply(NUMBERS, np.array([[3.0]])).tolist() == [[3.0]]


def test_no_rows_choose_nothing_and_say_so() -> None:
    found = decide(LABELS, np.zeros((0, 2)), np.zeros((0, 2)), None, threshold="f1", calibrate=True, chosen_on="x")
    assert (found.temperature, found.threshold) == (1, (0.5, 0.5))
    assert len(found.notes) == 3


@pytest.mark.parametrize(
    "decision", [Decision(), Decision(1.5, (0.2, 0.7), "recall 0.9", "validation", ("sun: no rows",))]
)
def test_reads_back_what_it_wrote(decision: Decision) -> None:
    assert Decision.from_json(json.loads(json.dumps(decision.as_json()))) == decision


def test_what_is_not_written_is_as_by_default() -> None:
    assert Decision.from_json({}) == Decision()


def test_thresholds_come_as_metrics_take_them() -> None:
    assert Decision(threshold=0.3).threshold_for(BINARY) == 0.3
    assert np.array_equal(Decision(threshold=(0.2, 0.7)).threshold_for(LABELS), [0.2, 0.7])
    with pytest.raises(ValueError, match="2 thresholds"):
        Decision(threshold=(0.2, 0.7)).threshold_for(BINARY)


def probabilities(goal: Goal) -> Any:
    """float32, as a network gives them: 0 and 1 and what float32 rounds to them among them."""
    edges = np.array([0, 1e-45, 1e-38, 1e-30, 1e-7, 0.3, 0.5, 1 - 2.0**-24, 1], dtype=np.float32)
    if goal.task is Task.BINARY:
        return edges[:, None]
    if goal.task is Task.MULTILABEL:
        return np.stack([edges, 1 - edges], axis=1)
    return np.stack([edges, (1 - edges) * np.float32(0.75), (1 - edges) * np.float32(0.25)], axis=1)


@pytest.mark.parametrize("temperature", [0.05, 0.7, 1.0, 2.5, 20.0])
@pytest.mark.parametrize("goal", [BINARY, CLASSES, LABELS], ids=lambda goal: str(goal.task))
def test_a_model_tempers_as_arrays_are_tempered(goal: Goal, temperature: float) -> None:
    import keras

    given = probabilities(goal)
    inputs = keras.Input(given.shape[1:])
    model = keras.Model(inputs, temper_ops(goal, inputs, temperature))
    found = model(given).numpy()
    flat = given[:, 0] if goal is BINARY else given
    expected = Decision(temperature=temperature).apply(goal, flat.astype(np.float64))
    assert np.isfinite(found).all()
    assert np.abs(found.reshape(expected.shape) - expected).max() <= 1e-6


PLAIN_KERAS = """
import sys
sys.modules["dlcli"] = None
import keras, numpy as np, pathlib
for path in pathlib.Path(sys.argv[1]).glob("*.keras"):
    model = keras.saving.load_model(path, safe_mode=True)
    np.save(path.with_suffix(".out.npy"), model(np.load(path.with_suffix(".npy"))).numpy())
"""


@pytest.mark.slow
def test_plain_keras_loads_a_tempered_model(tmp_path: Path) -> None:
    import keras

    expected = {}
    for goal in (BINARY, CLASSES, LABELS):
        given = probabilities(goal)
        inputs = keras.Input(given.shape[1:])
        model = keras.Model(inputs, temper_ops(goal, inputs, 1.7))
        model.save(tmp_path / f"{goal.task}.keras")
        np.save(tmp_path / f"{goal.task}.npy", given)
        expected[tmp_path / f"{goal.task}.out.npy"] = model(given).numpy()
    subprocess.run(
        [sys.executable, "-I", "-c", PLAIN_KERAS, str(tmp_path)], check=True, capture_output=True, timeout=120
    )
    for path, values in expected.items():
        assert np.abs(np.load(path) - values).max() <= 1e-6
