"""From the layers that a config lists to the layers that are built, and to a Keras model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dlcli.network import activations, heads, initializers, penalties
from dlcli.network.layers.convolution import Conv2D
from dlcli.network.layers.dense import Dense, Embedding
from dlcli.network.layers.normalization import BatchNormalization
from dlcli.network.layers.regularization import Dropout
from dlcli.network.layers.shaping import ActivationLayer, Flatten
from dlcli.network.layers.stock import describe
from dlcli.network.sections import Output, Regularization
from dlcli.part import Activation, Layer, Shape, ShapeError
from dlcli.problems import ConfigError, ConfigPath, Problem
from dlcli.task import Goal

if TYPE_CHECKING:
    import keras
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.seeds import Seeds

Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]
_KERNEL_LAYERS = (Dense, Conv2D)
_IMAGE_AXES = 3


@dataclass(frozen=True, slots=True)
class Network:
    """What is built: every layer explicit, the output layer the last.

    Attributes:
        layers: the layers.
        shapes: the output shape of each, without the batch axis.
        notes: what was added, worth saying.
    """

    layers: tuple[Layer, ...]
    shapes: tuple[Shape, ...]
    notes: tuple[str, ...]


def resolve(
    architecture: Sequence[Layer],
    output: Output | Literal["none"] | None,
    goal: Goal,
    input_shape: Shape,
    regularization: Regularization | None = None,
    cardinality: int | None = None,
) -> Network:
    """Makes every layer explicit: settles `auto`, adds flatten, dropout, penalties and the output layer.

    Args:
        architecture: the layers of the config.
        output: its `output`; "none" keeps the list's last layer as the output layer.
        goal: what is predicted.
        input_shape: shape of one row.
        regularization: its `regularization`.
        cardinality: how many integer codes the input can hold, for `embedding`.

    Raises:
        ConfigError: a layer cannot take its input, or the last one does not fit the task.
    """
    kept = output == "none"
    paths: list[ConfigPath] = [("architecture", place, layer.part_name) for place, layer in enumerate(architecture)]
    layers = list(architecture)
    if not kept:
        section = output if isinstance(output, Output) else Output()
        layers.append(heads.head(goal, section))
        paths.append(("output",))
    layers = _settled(layers, cardinality, regularization or Regularization())
    hidden = _with_dropout(layers, paths, regularization or Regularization())
    return _walked(hidden, input_shape, goal, kept=kept)


def _settled(layers: list[Layer], cardinality: int | None, regularization: Regularization) -> list[Layer]:
    """The same layers with nothing left to `auto`."""
    acting = [_with_activation(layer, layers[place + 1 :]) for place, layer in enumerate(layers)]
    settled = []
    for place, layer in enumerate(acting):
        changes: dict[str, Any] = {}
        if isinstance(layer, _KERNEL_LAYERS):
            if isinstance(layer.kernel_initializer, initializers.Auto):
                changes["kernel_initializer"] = _initializer_for(_acting_activation(acting[place:]))
            changes |= _penalties(layer, regularization)
        elif isinstance(layer, Embedding) and layer.input_dim is None:
            changes["input_dim"] = cardinality
        settled.append(layer.model_copy(update=changes))
    return settled


def _with_activation(layer: Layer, after: Sequence[Layer]) -> Layer:
    """The layer with its `activation: auto` settled."""
    if not isinstance(getattr(layer, "activation", None), activations.Auto):
        return layer
    linear = isinstance(layer, _KERNEL_LAYERS) and (
        not after or isinstance(after[0], BatchNormalization | ActivationLayer)
    )
    return layer.model_copy(update={"activation": activations.Linear() if linear else activations.Relu()})


def _acting_activation(layers: Sequence[Layer]) -> Activation | None:
    """The activation that works on the first layer's output: its own, or that of the activation layer to come."""
    own = getattr(layers[0], "activation", None)
    if isinstance(own, Activation) and not isinstance(own, activations.Linear):
        return own
    after = (layer for layer in layers[1:] if not isinstance(layer, BatchNormalization | Dropout))
    following = next(after, None)
    return following.activation if isinstance(following, ActivationLayer) else None


def _initializer_for(activation: Activation | None) -> initializers.StockInitializer:
    """What goes with an activation: He for relu and its kin, LeCun for selu, Glorot for the rest."""
    if activation is not None and activation.part_name in activations.RELU_KIN:
        return initializers.HeNormal()
    return initializers.LecunNormal() if isinstance(activation, activations.Selu) else initializers.GlorotUniform()


def _penalties(layer: Dense | Conv2D, regularization: Regularization) -> dict[str, Any]:
    """What `regularization` sets where the layer itself sets nothing."""
    changes: dict[str, Any] = {}
    l1, l2 = regularization.l1, regularization.l2
    if layer.kernel_regularizer is None and (l1 or l2):
        both = penalties.L1L2(l1=l1, l2=l2)
        changes["kernel_regularizer"] = both if l1 and l2 else penalties.L1(l1=l1) if l1 else penalties.L2(l2=l2)
    if layer.kernel_constraint is None and regularization.max_norm is not None:
        # A unit's incoming weights: all axes but the last.
        axes = (0,) if isinstance(layer, Dense) else (0, 1, 2)
        changes["kernel_constraint"] = penalties.MaxNorm(max_value=regularization.max_norm, axis=axes)
    return changes


def _with_dropout(
    layers: list[Layer], paths: list[ConfigPath], regularization: Regularization
) -> list[tuple[Layer, ConfigPath]]:
    """The layers and their config paths, with dropout after every hidden activation that none follows yet."""
    placed = []
    for place, (layer, path) in enumerate(zip(layers, paths, strict=True)):
        placed.append((layer, path))
        activation = getattr(layer, "activation", None)
        acts = activation is not None and not isinstance(activation, activations.Linear)
        after = layers[place + 1 :]
        if regularization.dropout and acts and after and not isinstance(after[0], Dropout):
            placed.append((Dropout(rate=regularization.dropout), ("regularization", "dropout")))
    return placed


def _walked(placed: list[tuple[Layer, ConfigPath]], input_shape: Shape, goal: Goal, *, kept: bool) -> Network:
    """Follows the shapes, adds flatten where it is needed, and checks the end."""
    layers: list[Layer] = []
    shapes: list[Shape] = []
    notes: list[str] = []
    shape = input_shape
    for number, (layer, path) in enumerate(placed, start=1):
        is_output = number == len(placed)
        # An output layer gives one row of numbers, so it takes one; a hidden dense layer may work along a sequence.
        if isinstance(layer, Dense) and len(shape) >= (2 if is_output and not kept else _IMAGE_AXES):
            notes.append(f"flatten added before {_name(layer, path)}: {describe(shape)} is not flat")
            shape = Flatten().shape(shape)
            layers.append(Flatten())
            shapes.append(shape)
        if isinstance(layer, Embedding) and layer.input_dim is None:
            message = "embedding needs input_dim: its input does not say how many codes there are"
            raise ConfigError(Problem("missing-field", message, "write input_dim: 1000", path))
        try:
            shape = layer.shape(shape)
        except ShapeError as error:
            raise ConfigError(Problem("shape-mismatch", str(error), path=path)) from error
        layers.append(layer)
        shapes.append(shape)
    _check_output(shape, goal, placed[-1][1] if placed else ("architecture",))
    return Network(tuple(layers), tuple(shapes), tuple(notes))


def _name(layer: Layer, path: ConfigPath) -> str:
    return "the output layer" if path[0] == "output" else f"{layer.part_name} (architecture.{path[1]})"


def _check_output(shape: Shape, goal: Goal, path: ConfigPath) -> None:
    """Checks that the network gives what the task needs.

    Raises:
        ConfigError: it does not.
    """
    if shape == (goal.outputs,):
        return
    message = f"the network gives rows of shape {describe(shape)}, but {goal.task} needs ({goal.outputs},)"
    suggestion = "leave output.units out" if path == ("output",) else f"end with dense: {goal.outputs}"
    raise ConfigError(Problem("output-does-not-fit", message, suggestion, path))


def build(
    layers: Sequence[Layer],
    input_shape: Shape,
    seeds: Seeds,
    precision: Precision = "float32",
    *,
    bias: NDArray[np.float32] | None = None,
) -> keras.Model:
    """The uncompiled Keras model of resolved layers.

    Args:
        layers: as `resolve` gives them.
        input_shape: shape of one row; rows come as float32.
        seeds: where initializers and dropout draw from.
        precision: of the computations; the last layer's stay float32.
        bias: what the last layer's bias starts with, from `heads.prior_bias`.
    """
    import keras

    stream = seeds.stream()
    inputs = keras.Input(shape=input_shape, dtype="float32", name="inputs")
    tensor = inputs
    built = None
    for number, part in enumerate(layers, start=1):
        built = part.build(stream)
        # Keras numbers names through the whole process; ours depend on the network alone.
        built.name = f"{part.part_name}_{number}"
        built.dtype_policy = precision if number < len(layers) else "float32"
        tensor = built(tensor)
    if bias is not None and built is not None:
        built.bias.assign(bias)
    return keras.Model(inputs, tensor, name="network")
