"""Losses: values of the textbook, and the truth encoded to fit."""

import numpy as np
import pytest

from dlcli.network import losses
from dlcli.task import Goal, Task

THREE = Goal(Task.MULTICLASS, ("y",), tuple("abc"))
PREDICTED = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], dtype=np.float32)


def value(loss, truth, predicted) -> float:
    return float(loss.build()(np.array(truth, dtype=np.float32), np.array(predicted, dtype=np.float32)))


@pytest.mark.parametrize(
    ("truth", "predicted", "loss"),
    [(1, 0.92, 0.083), (1, 0.09, 2.41), (0, 0.03, 0.03), (0, 0.94, 2.81), (1, 0.0, 16.118)],
)
def test_binary_crossentropy_of_single_predictions(truth, predicted, loss):
    assert value(losses.BinaryCrossentropy(), [[truth]], [[predicted]]) == pytest.approx(loss, abs=5e-3)


def test_both_crossentropies_give_the_same_loss():
    truth = np.array([0, 2])
    both = (losses.SparseCategoricalCrossentropy(), losses.CategoricalCrossentropy())
    found = [float(loss.build()(losses.encode(loss, THREE, truth), PREDICTED)) for loss in both]
    assert found[0] == pytest.approx(found[1])
    assert found[0] == pytest.approx(-np.log([0.7, 0.6]).mean())


def test_truth_is_encoded_as_the_loss_takes_it():
    index = losses.encode(losses.SparseCategoricalCrossentropy(), THREE, np.array([0, 2]))
    assert (index.dtype, index.tolist()) == (np.int32, [0, 2])
    bits = losses.encode(losses.CategoricalCrossentropy(), THREE, np.array([0, 2]))
    assert (bits.dtype, bits.tolist()) == (np.float32, [[1, 0, 0], [0, 0, 1]])
    binary = losses.encode(losses.BinaryCrossentropy(), Goal(Task.BINARY, ("y",), ("n", "p")), np.array([0, 1]))
    assert (binary.dtype, binary.tolist()) == (np.float32, [[0], [1]])
    numbers = losses.encode(losses.MeanSquaredError(), Goal(Task.REGRESSION, ("a", "b")), np.ones((3, 2)))
    assert (numbers.dtype, numbers.shape) == (np.float32, (3, 2))


@pytest.mark.parametrize(
    "loss",
    [
        losses.CategoricalFocalCrossentropy(),
        losses.CategoricalGeneralizedCrossEntropy(),
        losses.CategoricalHinge(),
        losses.KLDivergence(),
    ],
    ids=lambda loss: loss.part_name,
)
def test_losses_of_classes_prefer_the_truth(loss):
    built, truth = loss.build(), losses.encode(loss, THREE, np.array([0, 2]))
    assert float(built(truth, PREDICTED)) < float(built(truth, PREDICTED[:, ::-1]))


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (losses.MeanSquaredError(), 2.5),
        (losses.MeanAbsoluteError(), 1.5),
        (losses.MeanAbsolutePercentageError(), 100.0),
        (losses.Huber(), 1.0),
        (losses.LogCosh(), (np.log(np.cosh(1)) + np.log(np.cosh(2))) / 2),
        (losses.MeanSquaredLogarithmicError(), (np.log(3 / 2) ** 2 + np.log(5 / 3) ** 2) / 2),
        (losses.Poisson(), (1 + 4 - 2 * np.log(4)) / 2),
        (losses.CosineSimilarity(), -1.0),
    ],
    ids=lambda value: getattr(value, "part_name", ""),
)
def test_losses_of_numbers_follow_their_formulas(loss, expected):
    assert value(loss, [[1.0], [2.0]], [[2.0], [4.0]] if loss.part_name != "poisson" else [[1.0], [4.0]]) == (
        pytest.approx(expected, rel=1e-4)
    )


def test_custom_loss_gives_one_value_per_row(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text("def f(y, p, q=1):\n    return q * abs(y - p)\ndef g(y, p):\n    return 7.0\n")
    truth, predicted = np.zeros((3, 2), np.float32), np.ones((3, 2), np.float32)
    loss = losses.CustomLoss(object=f"{file}:f", arguments={"q": 3}).build()
    assert np.array(loss.call(truth, predicted)).tolist() == [3, 3, 3]
    assert np.array(losses.CustomLoss(object=f"{file}:g").build().call(truth, predicted)).tolist() == [7, 7, 7]
