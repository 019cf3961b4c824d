"""Keras layers of the user's own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dlcli import custom_code
from dlcli.network.layers.stock import describe
from dlcli.part import CodePath, Layer, Shape, ShapeError

if TYPE_CHECKING:
    import keras

    from dlcli.seeds import SeedStream


class CustomLayer(Layer):
    """A Keras layer from a Python file.

    Its shape and parameters are found by building it, so these two import Keras. Unless it has a seed of
    its own, what it draws follows from Keras's global seed, which is set just before it is made.
    """

    part_name = "custom"
    main_field = "object"
    example = 'custom: {object: "gates.py:Gate", arguments: {units: 8}}'
    runs_code = True

    object: Annotated[CodePath, Field(description="file.py:Name of a keras.Layer class or a function that makes one.")]
    arguments: dict[str, Any] = Field(default_factory=dict, description="What it is called with.")

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        output = self._tried(shape)[1]
        return tuple(output[1:])

    def parameters(self, shape: Shape) -> int:
        """How many numbers the layer holds."""
        layer = self._tried(shape)[0]
        return sum(math.prod(weight.shape) for weight in layer.weights)

    def build(self, seeds: SeedStream) -> keras.Layer:
        """The Keras layer."""
        import keras

        keras.utils.set_random_seed(seeds.draw("weights"))
        return custom_code.call(self.object, dict(self.arguments))

    def _tried(self, shape: Shape) -> tuple[Any, tuple[Any, ...]]:
        """A layer, built for the shape, and its output shape with the batch axis."""
        import keras

        from dlcli.seeds import Seeds

        layer = self.build(Seeds(0).stream())
        try:
            return layer, tuple(layer(keras.Input(shape)).shape)
        except Exception as error:
            message = f"{self.object} cannot take rows of shape {describe(shape)}: {error}"
            raise ShapeError(message) from error
