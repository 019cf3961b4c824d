"""From the layers of a config to an explicit list, and to a Keras model."""

import random

import keras
import numpy as np
import pytest

from dlcli.network import shapes
from dlcli.network.activations import Auto, LeakyRelu, Linear, Relu, Selu, Softmax, Tanh
from dlcli.network.build import build, resolve
from dlcli.network.heads import default_loss, default_metrics, head, prior_bias
from dlcli.network.layers.convolution import Conv2D
from dlcli.network.layers.dense import Dense, Embedding
from dlcli.network.layers.normalization import BatchNormalization
from dlcli.network.layers.pooling import MaxPooling2D
from dlcli.network.layers.regularization import Dropout
from dlcli.network.layers.shaping import ActivationLayer, Flatten
from dlcli.network.penalties import L1, L1L2, L2, MaxNorm
from dlcli.network.sections import Output, Regularization
from dlcli.problems import ConfigError
from dlcli.seeds import Seeds
from dlcli.task import Goal, Task

TEN = Goal(Task.MULTICLASS, ("digit",), tuple("0123456789"))
YES_NO = Goal(Task.BINARY, ("y",), ("no", "yes"))
PRICE = Goal(Task.REGRESSION, ("price",))


def names(network) -> list[str]:
    return [layer.part_name for layer in network.layers]


def problem(*arguments, **named):
    with pytest.raises(ConfigError) as caught:
        resolve(*arguments, **named)
    return caught.value.problems[0]


@pytest.mark.parametrize(
    ("goal", "units", "activation", "loss", "metrics"),
    [
        (YES_NO, 1, "sigmoid", "binary_crossentropy", ("accuracy", "roc_auc")),
        (TEN, 10, "softmax", "sparse_categorical_crossentropy", ("accuracy",)),
        (
            Goal(Task.MULTILABEL, ("a", "b", "c")),
            3,
            "sigmoid",
            "binary_crossentropy",
            ({"f1": {"average": "macro"}}, "mean_average_precision"),
        ),
        (Goal(Task.REGRESSION, ("a", "b")), 2, "linear", "mse", ("mae", "rmse", "r2")),
        (Goal(Task.BOUNDED_REGRESSION, ("a",)), 1, "sigmoid", "mse", ("mae",)),
    ],
)
def test_task_decides_last_layer_loss_and_metrics(goal, units, activation, loss, metrics):
    layer = head(goal, Output())
    assert (layer.units, layer.activation.part_name) == (units, activation)
    assert default_loss(goal.task).part_name == loss
    assert default_metrics(goal.task) == metrics


def test_fractions_of_classes_need_one_hot_targets():
    assert default_loss(Task.MULTICLASS, fractions=True).encoding == "one_hot"
    assert default_loss(Task.BINARY, fractions=True) == default_loss(Task.BINARY)


def test_output_section_overrules_the_task():
    assert head(PRICE, Output(activation=Tanh())).activation == Tanh()


def test_mnist_network_has_the_parameters_of_the_textbook():
    network = resolve([Dense(units=50), Dense(units=50)], None, TEN, (784,))
    assert shapes.parameters(network.layers, (784,)) == [39_250, 2_550, 510]


@pytest.mark.parametrize(("pool", "flat", "dense"), [(False, 30_976, 15_860_224), (True, 576, 295_424)])
def test_convnet_is_flattened_before_its_dense_layer_and_says_so(pool, flat, dense):
    between = [MaxPooling2D()] if pool else []
    layers = [Conv2D(filters=32), *between, Conv2D(filters=64), *between, Conv2D(filters=64), Dense(units=512)]
    network = resolve(layers, None, TEN, (28, 28, 1))
    place = names(network).index("flatten")
    assert network.shapes[place] == (flat,)
    assert shapes.parameters(network.layers, (28, 28, 1))[place + 1] == dense
    assert "flatten added before dense" in network.notes[0]


def test_auto_activation_is_relu_and_linear_before_normalization_or_activation():
    layers = [
        Dense(units=4),
        Dense(units=4),
        BatchNormalization(),
        Dense(units=4),
        ActivationLayer(activation=Selu()),
        ActivationLayer(activation=Auto()),
    ]
    network = resolve(layers, None, TEN, (5,))
    acts = [layer.activation.part_name for layer in network.layers if hasattr(layer, "activation")]
    assert acts == ["relu", "linear", "linear", "selu", "relu", "softmax"]


def test_kept_last_layer_is_linear():
    network = resolve([Dense(units=4), Dense(units=1)], "none", PRICE, (5,))
    assert [layer.activation for layer in network.layers] == [Relu(), Linear()]


@pytest.mark.parametrize(
    ("layers", "initializer"),
    [
        ([Dense(units=4)], "he_normal"),
        ([Dense(units=4, activation=LeakyRelu())], "he_normal"),
        ([Dense(units=4, activation=Selu())], "lecun_normal"),
        ([Dense(units=4, activation=Tanh())], "glorot_uniform"),
        ([Dense(units=4, activation=None)], "glorot_uniform"),
        ([Dense(units=4), BatchNormalization(), Dropout(rate=0.1), ActivationLayer(activation=Relu())], "he_normal"),
        ([Dense(units=4, activation=Linear()), Dense(units=4)], "glorot_uniform"),
    ],
)
def test_auto_initializer_goes_with_the_activation(layers, initializer):
    network = resolve(layers, None, TEN, (5,))
    assert network.layers[0].kernel_initializer.part_name == initializer
    assert network.layers[-1].kernel_initializer.part_name == "glorot_uniform"


def test_regularization_is_the_default_of_every_kernel_and_own_settings_win():
    own = Dense(units=4, kernel_regularizer=L1(l1=0.5), kernel_constraint=MaxNorm(max_value=9))
    rules = Regularization(l1=0.1, l2=0.2, max_norm=3)
    layers = resolve([Conv2D(filters=2), Flatten(), own], None, TEN, (5, 5, 1), rules).layers
    assert layers[0].kernel_regularizer == L1L2(l1=0.1, l2=0.2)
    assert layers[0].kernel_constraint == MaxNorm(max_value=3, axis=(0, 1, 2))
    assert (layers[2].kernel_regularizer, layers[2].kernel_constraint.max_value) == (L1(l1=0.5), 9)
    assert layers[3].kernel_constraint == MaxNorm(max_value=3, axis=(0,))
    assert resolve([], None, TEN, (5,), Regularization(l2=0.2)).layers[0].kernel_regularizer == L2(l2=0.2)


def test_regularization_drops_out_after_every_hidden_activation_but_where_a_dropout_follows():
    layers = [Dense(units=4), Dense(units=4), Dropout(rate=0.1), Dense(units=4), BatchNormalization()]
    network = resolve([*layers, ActivationLayer(activation=Relu())], None, TEN, (5,), Regularization(dropout=0.5))
    rates = [getattr(layer, "rate", layer.part_name) for layer in network.layers]
    assert rates == ["dense", 0.5, "dense", 0.1, "dense", "batch_normalization", "activation", 0.5, "dense"]


def test_resolving_again_changes_nothing():
    rules = Regularization(l2=0.1, dropout=0.5, max_norm=1)
    once = resolve([Conv2D(filters=2), Dense(units=4)], None, TEN, (5, 5, 1), rules)
    again = resolve(once.layers, "none", TEN, (5, 5, 1), rules)
    assert again.layers == once.layers
    assert again.notes == ()


def test_embedding_takes_the_number_of_codes_from_the_data():
    network = resolve([Embedding(output_dim=4)], None, YES_NO, (7,), cardinality=30)
    assert network.layers[0].input_dim == 30
    assert names(network) == ["embedding", "flatten", "dense"]
    found = problem([Embedding(output_dim=4)], None, YES_NO, (7,))
    assert (found.code, found.path) == ("missing-field", ("architecture", 0, "embedding"))


def test_layer_that_cannot_take_its_input_is_a_problem_at_its_place():
    found = problem([Dense(units=4), Conv2D(filters=2)], None, TEN, (5,), Regularization(dropout=0.5))
    assert (found.code, found.path) == ("shape-mismatch", ("architecture", 1, "conv2d"))


def test_kept_last_layer_must_fit_the_task():
    found = problem([Dense(units=4)], "none", TEN, (5,))
    assert (found.code, found.path) == ("output-does-not-fit", ("architecture", 0, "dense"))
    assert "(4,), but multiclass needs (10,)" in found.message
    assert problem([], Output(units=3), TEN, (5,)).path == ("output",)


def test_same_seed_same_weights_and_no_draw_from_global_generators():
    layers = resolve([Dense(units=4), Dropout(rate=0.5), BatchNormalization()], None, TEN, (5,)).layers
    before = random.getstate()
    numbers = [[variable.numpy() for variable in build(layers, (5,), Seeds(seed)).variables] for seed in (1, 1, 2)]
    assert random.getstate() == before
    assert all(np.array_equal(one, other) for one, other in zip(numbers[0], numbers[1], strict=True))
    assert not np.array_equal(numbers[0][0], numbers[2][0])


def test_names_do_not_depend_on_what_was_built_before():
    layers = resolve([Dense(units=4)], None, TEN, (5,)).layers
    assert [[layer.name for layer in build(layers, (5,), Seeds(0)).layers] for _ in range(2)] == [
        ["inputs", "dense_1", "dense_2"]
    ] * 2


def test_mixed_precision_keeps_weights_and_the_last_layer_in_float32():
    layers = resolve([Dense(units=4), Dropout(rate=0.5)], None, TEN, (5,)).layers
    model = build(layers, (5,), Seeds(0), "mixed_bfloat16")
    assert [layer.compute_dtype for layer in model.layers[1:]] == ["bfloat16", "bfloat16", "float32"]
    assert {str(weight.dtype) for weight in model.weights} == {"float32"}


def test_saved_network_loads_in_safe_mode_and_predicts_the_same(tmp_path):
    acts = [LeakyRelu(negative_slope=0.3), Relu(max_value=2.0), Softmax(axis=-1)]
    layers = resolve(
        [Dense(units=4, activation=act, kernel_constraint=MaxNorm()) for act in acts], None, TEN, (5,),
        Regularization(l2=0.1),
    ).layers  # fmt: skip
    model = build(layers, (5,), Seeds(0))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    rows = np.random.default_rng(0).normal(size=(9, 5)).astype(np.float32)
    assert np.array_equal(model(rows), loaded(rows))


def test_prior_bias_predicts_shares_and_means():
    sigmoid = prior_bias(YES_NO, np.array([0, 0, 0, 1]), None, head(YES_NO, Output()).activation)
    assert 1 / (1 + np.exp(-sigmoid)) == pytest.approx([0.25])
    three = Goal(Task.MULTICLASS, ("y",), tuple("abc"))
    softmax = prior_bias(three, np.array([0, 0, 1, 2]), np.array([1.0, 1, 2, 4]), Softmax())
    assert np.exp(softmax) == pytest.approx([0.25, 0.25, 0.5])
    linear = prior_bias(PRICE, np.array([[1.0], [3.0]]), None, Linear())
    assert linear == pytest.approx([2])
    model = build(resolve([], None, PRICE, (5,)).layers, (5,), Seeds(0), bias=linear)
    assert model.layers[-1].bias.numpy() == pytest.approx([2])
