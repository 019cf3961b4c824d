"""How weights start, with Keras's names, fields and defaults. Each draws from its own seed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from dlcli.part import Initializer, Number

if TYPE_CHECKING:
    import keras


class Auto(Initializer):
    """What suits the activation: he_normal for relu and its kin, lecun_normal for selu, else glorot_uniform."""

    part_name = "auto"
    example = "auto"

    def build(self, seed: int) -> keras.Initializer:
        """Never called: `network.build.resolve` puts another Part here."""
        message = f"`auto` must be settled before the network is built (seed {seed})"
        raise TypeError(message)


class StockInitializer(Initializer):
    """An initializer that Keras has.

    Attributes:
        keras_name: its class in `keras.initializers`.
        random: whether it draws numbers.
    """

    keras_name: ClassVar[str]
    random: ClassVar[bool] = True

    def build(self, seed: int) -> keras.Initializer:
        """The Keras initializer with its seed."""
        import keras

        drawn = {"seed": seed} if self.random else {}
        return getattr(keras.initializers, self.keras_name)(**self.model_dump(), **drawn)


class GlorotUniform(StockInitializer):
    """Uniform within +-sqrt(6 / (inputs + outputs)): for linear, sigmoid, tanh, softmax."""

    part_name = "glorot_uniform"
    example = "glorot_uniform"
    keras_name = "GlorotUniform"


class GlorotNormal(StockInitializer):
    """Normal with deviation sqrt(2 / (inputs + outputs)), cut at two deviations."""

    part_name = "glorot_normal"
    example = "glorot_normal"
    keras_name = "GlorotNormal"


class HeUniform(StockInitializer):
    """Uniform within +-sqrt(6 / inputs): for relu and its kin."""

    part_name = "he_uniform"
    example = "he_uniform"
    keras_name = "HeUniform"


class HeNormal(StockInitializer):
    """Normal with variance 2 / inputs, cut at two deviations: for relu and its kin."""

    part_name = "he_normal"
    example = "he_normal"
    keras_name = "HeNormal"


class LecunUniform(StockInitializer):
    """Uniform within +-sqrt(3 / inputs)."""

    part_name = "lecun_uniform"
    example = "lecun_uniform"
    keras_name = "LecunUniform"


class LecunNormal(StockInitializer):
    """Normal with variance 1 / inputs, cut at two deviations: for selu."""

    part_name = "lecun_normal"
    example = "lecun_normal"
    keras_name = "LecunNormal"


class Zeros(StockInitializer):
    """All 0: for biases."""

    part_name = "zeros"
    example = "zeros"
    keras_name = "Zeros"
    random = False


class Ones(StockInitializer):
    """All 1."""

    part_name = "ones"
    example = "ones"
    keras_name = "Ones"
    random = False


class Constant(StockInitializer):
    """All the same value."""

    part_name = "constant"
    example = "constant: 0.1"
    main_field = "value"
    keras_name = "Constant"
    random = False

    value: Annotated[Number, Field(description="The value.")] = 0.0


class RandomNormal(StockInitializer):
    """Normal."""

    part_name = "random_normal"
    example = "random_normal: {stddev: 0.01}"
    keras_name = "RandomNormal"

    mean: Annotated[Number, Field(description="Mean.")] = 0.0
    stddev: Annotated[Number, Field(ge=0, description="Standard deviation.")] = 0.05


class TruncatedNormal(StockInitializer):
    """Normal; values beyond two deviations are drawn again."""

    part_name = "truncated_normal"
    example = "truncated_normal: {stddev: 0.01}"
    keras_name = "TruncatedNormal"

    mean: Annotated[Number, Field(description="Mean.")] = 0.0
    stddev: Annotated[Number, Field(ge=0, description="Standard deviation before the cut.")] = 0.05


class RandomUniform(StockInitializer):
    """Uniform."""

    part_name = "random_uniform"
    example = "random_uniform: {minval: -0.1, maxval: 0.1}"
    keras_name = "RandomUniform"

    minval: Annotated[Number, Field(description="Lower bound.")] = -0.05
    maxval: Annotated[Number, Field(description="Upper bound.")] = 0.05


class Orthogonal(StockInitializer):
    """An orthogonal matrix."""

    part_name = "orthogonal"
    example = "orthogonal"
    main_field = "gain"
    keras_name = "Orthogonal"

    gain: Annotated[Number, Field(description="Factor of the matrix.")] = 1.0
