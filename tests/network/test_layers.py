"""Layers: shapes and parameters said without TensorFlow are those that Keras builds."""

import keras
import numpy as np
import pytest
from pydantic import ValidationError

from dlcli.network import shapes
from dlcli.network.activations import LeakyRelu, Linear, Relu, Silu, Softmax
from dlcli.network.build import build
from dlcli.network.initializers import Constant, GlorotNormal, GlorotUniform, HeNormal, LecunNormal
from dlcli.network.layers.convolution import Conv2D
from dlcli.network.layers.custom import CustomLayer
from dlcli.network.layers.dense import Dense, Embedding
from dlcli.network.layers.normalization import BatchNormalization
from dlcli.network.layers.pooling import AveragePooling2D, GlobalAveragePooling2D, GlobalMaxPooling2D, MaxPooling2D
from dlcli.network.layers.regularization import Dropout
from dlcli.network.layers.shaping import ActivationLayer, Flatten, Reshape
from dlcli.network.penalties import L1L2, MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from dlcli.part import ShapeError
from dlcli.problems import ConfigError
from dlcli.seeds import Seeds

PLAIN = {"activation": Relu(), "kernel_initializer": GlorotUniform()}
IMAGE = (28, 28, 1)
ROWS = [
    (Dense(units=50, **PLAIN), (784,), (50,), 39_250),
    (Dense(units=50, use_bias=False, **PLAIN), (784,), (50,), 39_200),
    (Dense(units=3, **PLAIN), (5, 4), (5, 3), 15),
    (Embedding(input_dim=10, output_dim=4), (7,), (7, 4), 40),
    (Conv2D(filters=32, **PLAIN), IMAGE, (26, 26, 32), 320),
    (Conv2D(filters=32, padding="same", **PLAIN), IMAGE, (28, 28, 32), 320),
    (Conv2D(filters=8, strides=2, **PLAIN), IMAGE, (13, 13, 8), 80),
    (Conv2D(filters=8, strides=2, padding="same", **PLAIN), IMAGE, (14, 14, 8), 80),
    (Conv2D(filters=8, kernel_size=(3, 5), dilation_rate=2, **PLAIN), IMAGE, (24, 20, 8), 128),
    (Conv2D(filters=8, groups=2, use_bias=False, **PLAIN), (9, 9, 4), (7, 7, 8), 144),
    (MaxPooling2D(), (26, 26, 32), (13, 13, 32), 0),
    (MaxPooling2D(pool_size=3, strides=2, padding="same"), (13, 13, 4), (7, 7, 4), 0),
    (AveragePooling2D(pool_size=2), (11, 11, 4), (5, 5, 4), 0),
    (GlobalMaxPooling2D(), (3, 3, 64), (64,), 0),
    (GlobalAveragePooling2D(keepdims=True), (3, 3, 64), (1, 1, 64), 0),
    (Flatten(), IMAGE, (784,), 0),
    (Reshape(target_shape=(28, -1, 1)), (784,), IMAGE, 0),
    (Dropout(rate=0.5), (50,), (50,), 0),
    (BatchNormalization(), (50,), (50,), 200),
    (BatchNormalization(center=False, scale=False), (6, 6, 4), (6, 6, 4), 8),
    (BatchNormalization(axis=1), (6, 5, 4), (6, 5, 4), 24),
    (ActivationLayer(activation=Relu()), (50,), (50,), 0),
]


@pytest.mark.parametrize(("layer", "given", "shape", "count"), ROWS, ids=lambda value: getattr(value, "part_name", ""))
def test_shape_and_parameters_are_those_of_the_built_layer(layer, given, shape, count):
    assert shapes.walk([layer], given) == [shape]
    assert shapes.parameters([layer], given) == [count]
    built = build([layer], given, Seeds(0))
    assert built.output_shape[1:] == shape
    assert built.layers[-1].count_params() == count


@pytest.mark.parametrize(
    ("layer", "given", "words"),
    [
        (Conv2D(filters=8), (784,), "conv2d needs rows of shape (height, width, channels), got (784,)"),
        (Conv2D(filters=8), (2, 2, 1), "a window of 3x3 pixels does not fit into (2, 2, 1)"),
        (Conv2D(filters=8, groups=3), (9, 9, 4), "3 groups do not divide 4 channels"),
        (Conv2D(filters=8, strides=2, dilation_rate=2), (9, 9, 4), "not both"),
        (MaxPooling2D(), (1, 1, 4), "max_pooling2d: a window of 2x2 pixels does not fit"),
        (GlobalMaxPooling2D(), (4,), "global_max_pooling2d needs"),
        (Reshape(target_shape=(3, 3)), (10,), "(10,) holds 10 values, which do not fill (3, 3)"),
        (Reshape(target_shape=(-1, -1)), (10,), "do not fill (-1, -1)"),
        (BatchNormalization(axis=0), (10,), "have no axis 0"),
        (BatchNormalization(axis=3), (10,), "have no axis 3"),
        (Dense(units=3), (), "at least one feature"),
    ],
)
def test_layer_refuses_an_input_that_it_cannot_take(layer, given, words):
    with pytest.raises(ShapeError) as caught:
        layer.shape(given)
    assert words in str(caught.value)


def test_one_number_stands_for_height_and_width():
    assert Conv2D(filters=1, kernel_size=5).kernel_size == (5, 5)
    assert MaxPooling2D(pool_size=(3,)).pool_size == (3, 3)
    with pytest.raises(ValidationError):
        Conv2D(filters=1, kernel_size=0)


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [(GlorotUniform(), 0.0490), (GlorotNormal(), 0.0490), (HeNormal(), 0.0505), (LecunNormal(), 0.0357)],
)
def test_initializers_spread_weights_by_the_number_of_inputs(initializer, deviation):
    weights = np.array(initializer.build(7)((784, 50)))
    assert weights.std() == pytest.approx(deviation, rel=0.02)
    assert np.array_equal(weights, initializer.build(7)((784, 50)))
    assert not np.array_equal(weights, initializer.build(8)((784, 50)))


def test_constant_initializer_fills_with_its_value():
    assert np.array(Constant(value=0.5).build(1)((3,))).tolist() == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(
    ("activation", "value", "result"),
    [
        (LeakyRelu(negative_slope=0.1), -62.0, -6.2),
        (LeakyRelu(), -1.0, -0.2),
        (Relu(max_value=6.0), 9.0, 6.0),
        (Silu(), 1.0, 0.7311),
        (Linear(), -3.0, -3.0),
    ],
)
def test_activation_gives_the_value_of_its_formula(activation, value, result):
    function = keras.activations.get(activation.build())
    assert float(function(keras.ops.convert_to_tensor([[value]]))[0, 0]) == pytest.approx(result, abs=1e-4)


def test_softmax_adds_up_to_one():
    function = keras.activations.get(Softmax().build())
    shares = np.array(function(keras.ops.convert_to_tensor([[2.1, 3.2, 1.5]])))
    assert shares.round(2).tolist() == [pytest.approx([0.22, 0.66, 0.12])]


@pytest.mark.parametrize("constraint", [MaxNorm(max_value=1.0), UnitNorm(), MinMaxNorm(), NonNeg()])
def test_constraints_bound_weights(constraint):
    bounded = np.array(constraint.build()(keras.ops.convert_to_tensor([[3.0, -0.1], [4.0, 0.0]])))
    assert bounded.min() >= 0 if isinstance(constraint, NonNeg) else np.linalg.norm(bounded, axis=0).max() <= 1.001


def test_penalties_are_factors_of_sums():
    weight = keras.ops.convert_to_tensor([10.0])
    assert float(L1L2(l1=1.0).build()(weight)) == pytest.approx(10)
    assert float(L1L2(l2=1.0).build()(weight)) == pytest.approx(100)
    assert float(L1L2(l1=1.0, l2=1.0).build()(weight)) == pytest.approx(110)


def test_custom_layer_says_its_shape_by_building_it(tmp_path):
    file = tmp_path / "gates.py"
    file.write_text("import keras\ndef gate(units):\n    return keras.layers.Dense(units)\n")
    layer = CustomLayer(object=f"{file}:gate", arguments={"units": 3})
    assert layer.shape((4,)) == (3,)
    assert layer.parameters((4,)) == 15
    assert build([layer], (4,), Seeds(0)).output_shape == (None, 3)


def test_custom_layer_that_fails_is_a_problem_of_the_config(tmp_path):
    file = tmp_path / "gates.py"
    file.write_text("def gate(units):\n    return 1 / 0\n")
    with pytest.raises(ConfigError, match="ZeroDivisionError"):
        CustomLayer(object=f"{file}:gate", arguments={"units": 3}).build(Seeds(0).stream())
