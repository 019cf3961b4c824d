"""Optimizers: the first steps of each, as the textbook computes them."""

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from dlcli.training.optimizers import SGD, Adam, RMSprop


def steps(part, gradient, count, start=1.0):
    weight = keras.Variable(np.full(np.shape(gradient), start, np.float32))
    optimizer = part.build()
    found = []
    for _ in range(count):
        optimizer.apply([keras.ops.convert_to_tensor(np.asarray(gradient, np.float32))], [weight])
        found.append(keras.ops.convert_to_numpy(weight).copy())
    return found


@pytest.mark.parametrize(
    ("part", "weights"),
    [
        (SGD(), [0.98, 0.96]),
        (SGD(momentum=0.9), [0.98, 0.942, 0.8878]),
        (SGD(momentum=0.9, nesterov=True), [0.962, 0.9078, 0.83902]),
        (RMSprop(), [0.996838, 0.994544]),
        (Adam(), [0.999, 0.998, 0.997]),
    ],
    ids=["gradient descent", "momentum", "nesterov", "rmsprop", "adam"],
)
def test_first_steps_from_weight_1_with_gradient_2(part, weights):
    assert steps(part, 2.0, len(weights)) == pytest.approx(weights, abs=2e-6)


@pytest.mark.parametrize(
    ("clip", "clipped"),
    [
        ({"clipvalue": 1.0}, [0.9, 1, 1, -1, 0.3]),
        ({"clipnorm": 1.0}, [0.006, 0.021, 1.0, -0.014, 0.002]),
        ({"global_clipnorm": 1.0}, [0.006, 0.021, 1.0, -0.014, 0.002]),
    ],
)
def test_gradients_are_clipped(clip, clipped):
    part = SGD(learning_rate=1, **clip)
    moved = steps(part, [0.9, 3.2, 150, -2.1, 0.3], 1, start=0.0)[0]
    assert (-moved).tolist() == pytest.approx(clipped, abs=5e-4)


def test_only_one_kind_of_clipping_is_taken():
    with pytest.raises(ValidationError, match="clipnorm and clipvalue"):
        Adam(clipnorm=1, clipvalue=1)
