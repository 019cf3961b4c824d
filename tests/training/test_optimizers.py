"""Optimizers: the first steps of each, as its paper computes them."""

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from dlcli.config import catalog
from dlcli.problems import ConfigError
from dlcli.training.optimizers import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Muon,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
)

NAMES = catalog.names("optimizer")
NOT_OFFERED = {
    "Optimizer": "the class that all derive from",
    "LossScaleOptimizer": "training.precision wraps the optimizer in it",
    "MultiOptimizer": "takes optimizers by variable, which a config does not name",
    "OptimizerMap": "as MultiOptimizer",
}


def value(variable):
    return keras.ops.convert_to_numpy(variable).copy()


def steps(part, gradient, count, start=1.0):
    weight = keras.Variable(np.full(np.shape(gradient), start, np.float32))
    optimizer = part.build()
    found = []
    for _ in range(count):
        optimizer.apply([keras.ops.convert_to_tensor(np.asarray(gradient, np.float32))], [weight])
        found.append(value(weight))
    return found


def test_every_optimizer_of_keras_is_offered():
    installed = {name for name, each in vars(keras.optimizers).items() if isinstance(each, type)}
    offered = {catalog.find("optimizer", name).keras_name for name in NAMES}
    assert installed - set(NOT_OFFERED) == offered


@pytest.mark.parametrize(
    ("part", "weights"),
    [
        (SGD(), [0.98, 0.96]),
        (SGD(momentum=0.9), [0.98, 0.942, 0.8878]),
        (SGD(momentum=0.9, nesterov=True), [0.962, 0.9078, 0.83902]),
        (RMSprop(), [0.996838, 0.994544]),
        (Adagrad(), [0.999012, 0.998310]),
        (Adadelta(learning_rate=1), [0.998586, 0.997154]),
        (Adam(), [0.999, 0.998, 0.997]),
        (AdamW(), [0.998996, 0.997992]),
        (Adamax(), [0.999, 0.998]),
        (Nadam(), [0.998937]),
        (Lamb(), [0.999, 0.998001]),
        (Lion(), [0.999, 0.998]),
        (Adafactor(), [0.999, 0.998001]),
        (Ftrl(), [0.842838]),
        (Muon(), [0.998996, 0.997992]),
        # The means of the points 0.9975, 0.995, 0.9925; in the paper 0.9 of the mean and 0.1 of the point.
        (ScheduleFreeAdamW(), [0.9975, 0.99625, 0.995]),
        (ScheduleFreeAdamW(beta_1=0.5), [0.9975, 0.99625, 0.995]),
        (ScheduleFreeAdamW(warmup_steps=2), [0.99875, 0.9975, 0.996250]),
    ],
    ids=lambda value: getattr(value, "part_name", ""),
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


def test_muon_makes_the_steps_of_matrices_orthogonal():
    # Five times a x + b x^3 + c x^5 of the singular values (1 / sqrt 2 each), by 0.2 sqrt(longest side).
    size = 2**-0.5
    for _ in range(5):
        size = 3.4445 * size - 4.775 * size**3 + 2.0315 * size**5
    moved = -steps(Muon(learning_rate=1), [[0, 3], [3, 0]], 1, start=0.0)[0]
    assert moved == pytest.approx(np.array([[0, 1], [1, 0]]) * size * 0.2 * 2**0.5, rel=1e-4)


def test_muon_leaves_biases_embeddings_and_excluded_layers_to_adam():
    tensor = inputs = keras.Input((4,))
    tensor = keras.layers.Embedding(2, 2, name="embedding_1")(tensor)
    for name in ("dense_2", "dense_3"):
        tensor = keras.layers.Dense(2, kernel_initializer="zeros", name=name)(tensor)
    model = keras.Model(inputs, tensor)
    before = [value(variable) for variable in model.trainable_variables]
    optimizer = Muon(learning_rate=1, exclude_layers=("dense_3",), adam_weight_decay=0).build()
    gradients = [keras.ops.ones_like(variable.value) for variable in model.trainable_variables]
    optimizer.apply(gradients, model.trainable_variables)
    # Adam moves every number by the rate; muon's orthogonal factor of a matrix of ones is 1 / 2 everywhere.
    by_adam = {
        variable.path: np.allclose(value(variable), old - 1, atol=1e-4)
        for variable, old in zip(model.trainable_variables, before, strict=True)
    }
    assert {path for path, moved in by_adam.items() if not moved} == {"dense_2/kernel"}


def test_muon_reads_names_of_layers_as_regular_expressions():
    assert Muon(exclude_layers=("dense_[34]",)).exclude_layers == ("dense_[34]",)
    with pytest.raises(ValidationError, match="must be a regular expression"):
        Muon(exclude_layers=("dense_[",))


@pytest.mark.parametrize("name", NAMES)
def test_training_goes_on_from_the_variables_of_an_optimizer(name):
    part = catalog.find("optimizer", name)(use_ema=True, gradient_accumulation_steps=2)
    gradients = np.random.default_rng(0).normal(size=(6, 3, 2)).astype(np.float32)
    begun, resumed = part.build(), part.build()
    weight = keras.Variable(np.ones((3, 2), np.float32))
    for gradient in gradients[:3]:
        begun.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    copy = keras.Variable(value(weight))
    resumed.build([copy])
    for variable, kept in zip(resumed.variables, begun.variables, strict=True):
        variable.assign(value(kept))
    for gradient in gradients[3:]:
        begun.apply([keras.ops.convert_to_tensor(gradient)], [weight])
        resumed.apply([keras.ops.convert_to_tensor(gradient)], [copy])
    assert value(copy).tolist() == value(weight).tolist()
    assert (value(weight) != 1).all()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ftrl"])  # for which schedules are refused
def test_the_rate_can_be_set_for_every_update(name):
    part = catalog.find("optimizer", name)(weight_decay=0)
    optimizer = part.build()
    weight = keras.Variable(np.ones((3, 2), np.float32))
    optimizer.build([weight])
    moved = []
    for rate in (1e-4, 1e-5):
        before = value(weight)
        optimizer.learning_rate = rate
        optimizer.apply([keras.ops.ones((3, 2))], [weight])
        moved.append(np.abs(value(weight) - before).max())
    assert moved[1] < moved[0]


def test_an_optimizer_that_the_installed_keras_lacks_is_a_problem(monkeypatch):
    monkeypatch.delattr(keras.optimizers, "Muon")
    with pytest.raises(ConfigError, match="muon needs a newer Keras than"):
        Muon().build()
