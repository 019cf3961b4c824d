"""Dense layers and embeddings."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import Field

from dlcli.network.activations import Auto as AutoActivation
from dlcli.network.initializers import Auto as AutoInitializer
from dlcli.network.initializers import RandomUniform, Zeros
from dlcli.network.layers.stock import StockLayer
from dlcli.part import Activation, Constraint, Initializer, Regularizer, Shape, ShapeError


class Dense(StockLayer):
    """Every unit sees every input: f(x W + b).

    Shapes: [..., features] to [..., units].
    """

    part_name = "dense"
    keras_name = "Dense"
    main_field = "units"
    example = "dense: {units: 16, activation: relu}"

    units: Annotated[int, Field(gt=0, description="Number of outputs.")]
    activation: Activation | None = Field(
        default_factory=AutoActivation, description="Activation function; none is linear."
    )
    use_bias: Annotated[bool, Field(description="Whether a bias is added.")] = True
    kernel_initializer: Initializer = Field(default_factory=AutoInitializer, description="How the weights start.")
    bias_initializer: Initializer = Field(default_factory=Zeros, description="How the bias starts.")
    kernel_regularizer: Annotated[Regularizer | None, Field(description="Penalty on the weights.")] = None
    bias_regularizer: Annotated[Regularizer | None, Field(description="Penalty on the bias.")] = None
    activity_regularizer: Annotated[Regularizer | None, Field(description="Penalty on the output.")] = None
    kernel_constraint: Annotated[Constraint | None, Field(description="Bound on the weights.")] = None
    bias_constraint: Annotated[Constraint | None, Field(description="Bound on the bias.")] = None

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        if not shape:
            message = "dense needs at least one feature in a row"
            raise ShapeError(message)
        return (*shape[:-1], self.units)

    def parameters(self, shape: Shape) -> int:
        """One weight per input and unit, one bias per unit."""
        return (shape[-1] + self.use_bias) * self.units


class Embedding(StockLayer):
    """A trained vector for every integer code.

    Shapes: [steps] whole numbers to [steps, output_dim].
    """

    part_name = "embedding"
    keras_name = "Embedding"
    main_field = "output_dim"
    example = "embedding: {output_dim: 8, input_dim: 1000}"

    input_dim: Annotated[
        int | None, Field(gt=0, description="How many codes there are; by default what preprocessing found.")
    ] = None
    output_dim: Annotated[int, Field(gt=0, description="Length of each vector.")]
    embeddings_initializer: Initializer = Field(default_factory=RandomUniform, description="How the vectors start.")
    embeddings_regularizer: Annotated[Regularizer | None, Field(description="Penalty on the vectors.")] = None
    embeddings_constraint: Annotated[Constraint | None, Field(description="Bound on the vectors.")] = None
    mask_zero: Annotated[bool, Field(description="Code 0 is padding, which later layers skip.")] = False

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        return (*shape, self.output_dim)

    def parameters(self, shape: Shape) -> int:  # noqa: ARG002 - one vector per code, whatever the shape
        """One vector per code."""
        return math.prod((self.input_dim or 0, self.output_dim))
