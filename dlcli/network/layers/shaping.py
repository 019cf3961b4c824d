"""Layers that change the shape only, and the activation as a layer."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from dlcli.network.layers.stock import StockLayer, describe
from dlcli.part import Activation, Shape, ShapeError


class Flatten(StockLayer):
    """All values of a row in one line. Shapes: any to [values]."""

    part_name = "flatten"
    keras_name = "Flatten"
    example = "flatten"

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        return (math.prod(shape),)


class Reshape(StockLayer):
    """The same values in another shape."""

    part_name = "reshape"
    keras_name = "Reshape"
    main_field = "target_shape"
    example = "reshape: [28, 28, 1]"

    target_shape: Annotated[
        tuple[Annotated[int, Field(ge=-1)], ...],
        Field(min_length=1, description="Shape of a row; one -1 stands for what is left."),
    ]

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        values = math.prod(shape)
        known = math.prod(length for length in self.target_shape if length != -1)
        free = self.target_shape.count(-1)
        fits = known > 0 and (values % known == 0 if free == 1 else free == 0 and values == known)
        if not fits:
            message = f"reshape: {describe(shape)} holds {values} values, which do not fill {self._written}"
            raise ShapeError(message)
        return tuple(values // known if length == -1 else length for length in self.target_shape)

    @property
    def _written(self) -> str:
        return describe(self.target_shape)


class ActivationLayer(StockLayer):
    """An activation function as a layer of its own, e.g. after batch_normalization."""

    part_name = "activation"
    keras_name = "Activation"
    main_field = "activation"
    example = "activation: relu"

    activation: Annotated[Activation, Field(description="Activation function.")]

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        return shape
