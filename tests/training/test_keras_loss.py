"""Class weights, for rows of one class and for rows of several."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from dlcli.training.keras_loss import ClassWeighted

FACTORS = np.array([0.5, 3.0, 7.0], np.float32)
PROBABILITIES = np.random.default_rng(0).dirichlet(np.ones(3), 20).astype(np.float32)
CLASSES = np.random.default_rng(1).integers(0, 3, 20)


def weighted(loss: keras.losses.Loss, factors: np.ndarray, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    one = ClassWeighted(loss, len(factors) if p.shape[-1] > 1 else 1)
    one.factors.assign(factors)
    return per_row(one, y, p)


def per_row(loss: keras.losses.Loss, y: np.ndarray, p: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(loss.call(*(keras.ops.convert_to_tensor(each, "float32") for each in (y, p))))


def test_each_share_of_a_row_has_the_factor_of_its_class() -> None:
    y, p = np.array([[0.5, 0.5, 0.0]]), np.array([[0.01, 0.49, 0.5]])
    found = weighted(keras.losses.CategoricalCrossentropy(), np.array([0.0, 1.0, 1.0]), y, p)
    assert found == pytest.approx([-0.5 * np.log(0.49)], rel=1e-5)


def test_a_share_of_the_positive_class_leaves_the_rest_to_the_other() -> None:
    y, p = np.array([[0.25]]), np.array([[0.1]])
    found = weighted(keras.losses.BinaryCrossentropy(), np.array([2.0, 4.0]), y, p)
    assert found == pytest.approx([-(0.75 * 2 * np.log(0.9) + 0.25 * 4 * np.log(0.1))], rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        keras.losses.CategoricalCrossentropy(),
        keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        keras.losses.CategoricalFocalCrossentropy(),
        keras.losses.MeanSquaredError(),
        keras.losses.SparseCategoricalCrossentropy(),
    ],
    ids=lambda loss: loss.name,
)
def test_a_row_of_one_class_has_the_bits_of_its_loss_times_the_factor(loss: keras.losses.Loss) -> None:
    y = CLASSES if isinstance(loss, keras.losses.SparseCategoricalCrossentropy) else np.eye(3)[CLASSES]
    expected = per_row(loss, y, PROBABILITIES) * FACTORS[CLASSES]
    assert weighted(loss, FACTORS, y, PROBABILITIES).tolist() == expected.tolist()


@pytest.mark.parametrize("loss", [keras.losses.BinaryCrossentropy(label_smoothing=0.1), keras.losses.Hinge()])
def test_so_has_a_row_of_one_of_two_classes(loss: keras.losses.Loss) -> None:
    y, p = (CLASSES[:, None] > 0).astype(np.float32), PROBABILITIES[:, :1]
    expected = per_row(loss, y, p) * FACTORS[:2][y[:, 0].astype(int)]
    assert weighted(loss, FACTORS[:2], y, p).tolist() == expected.tolist()


def test_a_class_without_weight_adds_nothing() -> None:
    found = weighted(keras.losses.CategoricalCrossentropy(), np.array([0.0, 0.0, 1.0]), np.eye(3), PROBABILITIES[:3])
    assert found[:2].tolist() == [0, 0]
    assert np.isfinite(found).all()


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_mixed_row_is_what_rows_of_one_class_are_that_weigh_share_times_factor(smoothing: float) -> None:
    shares = np.random.default_rng(2).dirichlet(np.ones(3), 20)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
    apart = [per_row(loss, np.eye(3)[[number] * 20], PROBABILITIES) for number in range(3)]
    expected = sum(shares[:, number] * FACTORS[number] * apart[number] for number in range(3))
    assert weighted(loss, FACTORS, shares, PROBABILITIES) == pytest.approx(expected, rel=1e-5)
