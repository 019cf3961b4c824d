"""Activation functions, with Keras's names and defaults.

Fields exist where Keras can save them: as a layer that stands for the function.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from dlcli.part import Activation, Number

RELU_KIN = frozenset(
    {"relu", "relu6", "leaky_relu", "elu", "celu", "gelu", "silu", "hard_silu", "mish", "softplus", "squareplus"}
)
"""Activations that go with He initializers."""


class Auto(Activation):
    """What suits the place.

    relu; linear before a normalization or activation layer and in a kept last layer.
    """

    part_name = "auto"
    example = "auto"

    def build(self) -> Any:
        """Never called: `network.build.resolve` puts another Part here."""
        message = "`auto` must be settled before the network is built"
        raise TypeError(message)


class StockActivation(Activation):
    """An activation that Keras has as a function of the same name.

    Attributes:
        keras_layer: the Keras layer that holds its fields; None without fields.
    """

    keras_layer: ClassVar[str | None] = None

    def build(self) -> Any:
        """The name of the function, or the layer with its fields where they differ from the default."""
        fields = self.model_dump()
        defaults = {name: field.default for name, field in type(self).model_fields.items()}
        if self.keras_layer is None or fields == defaults:
            return self.part_name
        import keras

        return getattr(keras.layers, self.keras_layer)(**fields)


class Linear(StockActivation):
    """The input as it is."""

    part_name = "linear"
    example = "linear"


class Relu(StockActivation):
    """max(0, x): fast, the usual choice for hidden layers."""

    part_name = "relu"
    example = "relu"
    keras_layer = "ReLU"

    negative_slope: Annotated[Number, Field(ge=0, description="Slope below the threshold.")] = 0.0
    max_value: Annotated[Number | None, Field(ge=0, description="Largest output.")] = None
    threshold: Annotated[Number, Field(ge=0, description="Where the slope changes.")] = 0.0


class LeakyRelu(StockActivation):
    """max(slope x, x): units cannot die."""

    part_name = "leaky_relu"
    example = "leaky_relu: {negative_slope: 0.1}"
    main_field = "negative_slope"
    keras_layer = "LeakyReLU"

    negative_slope: Annotated[Number, Field(ge=0, description="Slope below 0.")] = 0.2


class Relu6(StockActivation):
    """min(max(0, x), 6)."""

    part_name = "relu6"
    example = "relu6"


class Elu(StockActivation):
    """x above 0, alpha (e^x - 1) below."""

    part_name = "elu"
    example = "elu: {alpha: 1.0}"
    main_field = "alpha"
    keras_layer = "ELU"

    alpha: Annotated[Number, Field(gt=0, description="Minus the limit for very negative inputs.")] = 1.0


class Celu(StockActivation):
    """max(0, x) + min(0, e^x - 1)."""

    part_name = "celu"
    example = "celu"


class Selu(StockActivation):
    """A scaled elu that keeps mean 0 and variance 1 in plain stacks of dense layers.

    Needs standardized inputs and lecun_normal. Klambauer et al., 2017, arxiv.org/abs/1706.02515.
    """

    part_name = "selu"
    example = "selu"


class Gelu(StockActivation):
    """x times the normal distribution function of x."""

    part_name = "gelu"
    example = "gelu"


class Silu(StockActivation):
    """x sigmoid(x), also called swish."""

    part_name = "silu"
    example = "silu"


class HardSilu(StockActivation):
    """x hard_sigmoid(x)."""

    part_name = "hard_silu"
    example = "hard_silu"


class Mish(StockActivation):
    """x tanh(softplus(x))."""

    part_name = "mish"
    example = "mish"


class Sigmoid(StockActivation):
    """1 / (1 + e^-x), between 0 and 1."""

    part_name = "sigmoid"
    example = "sigmoid"


class HardSigmoid(StockActivation):
    """relu6(x + 3) / 6, a cheap sigmoid."""

    part_name = "hard_sigmoid"
    example = "hard_sigmoid"


class LogSigmoid(StockActivation):
    """The logarithm of sigmoid."""

    part_name = "log_sigmoid"
    example = "log_sigmoid"


class Tanh(StockActivation):
    """Hyperbolic tangent, between -1 and 1."""

    part_name = "tanh"
    example = "tanh"


class HardTanh(StockActivation):
    """x, cut at -1 and 1."""

    part_name = "hard_tanh"
    example = "hard_tanh"


class TanhShrink(StockActivation):
    """x - tanh(x)."""

    part_name = "tanh_shrink"
    example = "tanh_shrink"


class SoftShrink(StockActivation):
    """x moved towards 0 by .5, 0 between."""

    part_name = "soft_shrink"
    example = "soft_shrink"


class HardShrink(StockActivation):
    """x, but 0 between -.5 and .5."""

    part_name = "hard_shrink"
    example = "hard_shrink"


class Softsign(StockActivation):
    """x / (1 + |x|)."""

    part_name = "softsign"
    example = "softsign"


class Softplus(StockActivation):
    """log(1 + e^x): always above 0."""

    part_name = "softplus"
    example = "softplus"


class Squareplus(StockActivation):
    """(x + sqrt(x^2 + 4)) / 2: always above 0."""

    part_name = "squareplus"
    example = "squareplus"


class Exponential(StockActivation):
    """e^x."""

    part_name = "exponential"
    example = "exponential"


class Softmax(StockActivation):
    """e^x_i / sum of e^x_j: probabilities that add up to 1."""

    part_name = "softmax"
    example = "softmax"
    keras_layer = "Softmax"

    axis: Annotated[int, Field(description="The axis that adds up to 1; -1 is the last.")] = -1


class LogSoftmax(StockActivation):
    """The logarithm of softmax."""

    part_name = "log_softmax"
    example = "log_softmax"


class Sparsemax(StockActivation):
    """Like softmax, but small probabilities become 0."""

    part_name = "sparsemax"
    example = "sparsemax"
