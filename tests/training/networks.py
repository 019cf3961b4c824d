"""Small networks and data for the tests of engine and loop."""

from __future__ import annotations

import numpy as np

from dlcli.network.build import build, resolve
from dlcli.network.layers.dense import Dense
from dlcli.network.layers.normalization import BatchNormalization
from dlcli.network.layers.regularization import Dropout
from dlcli.network.losses import SparseCategoricalCrossentropy, encode
from dlcli.network.sections import Regularization
from dlcli.seeds import Seeds
from dlcli.task import Goal, Task
from dlcli.training.compilation import compile_model, weigh_classes
from dlcli.training.engine import Engine, Rows
from dlcli.training.optimizers import Adam

GOAL = Goal(Task.MULTICLASS, ("kind",), ("a", "b", "c"))
LOSS = SparseCategoricalCrossentropy()
FEATURES = 4


def rows(count: int = 45, seed: int = 0, weight: np.ndarray | None = None) -> Rows:
    """Rows whose class follows from two of their features."""
    x = np.random.default_rng(seed).normal(size=(count, FEATURES)).astype(np.float32)
    truth = (x[:, 0] > 0).astype(np.int64) + (x[:, 1] > 0)
    return Rows(x, encode(LOSS, GOAL, truth), weight)


LAYERS = (Dense(units=8), Dropout(rate=0.3), Dense(units=6), BatchNormalization())


def model(layers=LAYERS, shape=(FEATURES,), precision: str = "float32", seed: int = 3):
    """A network that draws (dropout), keeps statistics (batch normalization) and has a penalty."""
    network = resolve(list(layers), None, GOAL, shape, Regularization(l2=0.01))
    return build(network.layers, shape, Seeds(seed), precision)


def engine(optimizer=None, *, class_weight=None, layers=LAYERS, precision="float32", seed=3, **named) -> Engine:
    """An engine for `model`."""
    one = model(layers, precision=precision, seed=seed)
    loss = LOSS.build()
    compile_model(one, (optimizer or Adam(learning_rate=0.01)).build(), loss, class_weighted=class_weight is not None)
    if class_weight is not None:
        weigh_classes(one, class_weight)
    return Engine(one, row_loss=loss.call, **named)


def accuracy(truth: Rows):
    """What the loop calls to score predictions of these rows."""
    return lambda predictions: {"accuracy": float((predictions.argmax(axis=1) == truth.y).mean())}
