"""Normalization layers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dlcli.network.initializers import Ones, Zeros
from dlcli.network.layers.stock import StockLayer, describe
from dlcli.part import Constraint, Initializer, Number, Regularizer, Shape, ShapeError


class BatchNormalization(StockLayer):
    """Mean 0 and variance 1 over each batch, then a trained scale and offset.

    Predicts with moving statistics. Ioffe and Szegedy, 2015, arxiv.org/abs/1502.03167.
    """

    part_name = "batch_normalization"
    keras_name = "BatchNormalization"
    example = "batch_normalization"

    axis: Annotated[int, Field(description="Axis of the features; 0 is the batch, -1 the last.")] = -1
    momentum: Annotated[Number, Field(ge=0, le=1, description="Share of the old moving statistics.")] = 0.99
    epsilon: Annotated[Number, Field(gt=0, description="Added to the variance, against division by 0.")] = 1e-3
    center: Annotated[bool, Field(description="Whether an offset (beta) is trained.")] = True
    scale: Annotated[bool, Field(description="Whether a scale (gamma) is trained.")] = True
    beta_initializer: Initializer = Field(default_factory=Zeros, description="How the offset starts.")
    gamma_initializer: Initializer = Field(default_factory=Ones, description="How the scale starts.")
    moving_mean_initializer: Initializer = Field(default_factory=Zeros, description="How the moving mean starts.")
    moving_variance_initializer: Initializer = Field(
        default_factory=Ones, description="How the moving variance starts."
    )
    beta_regularizer: Annotated[Regularizer | None, Field(description="Penalty on the offset.")] = None
    gamma_regularizer: Annotated[Regularizer | None, Field(description="Penalty on the scale.")] = None
    beta_constraint: Annotated[Constraint | None, Field(description="Bound on the offset.")] = None
    gamma_constraint: Annotated[Constraint | None, Field(description="Bound on the scale.")] = None
    synchronized: Annotated[bool, Field(description="Statistics over the batches of all devices.")] = False

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        self._features(shape)
        return shape

    def parameters(self, shape: Shape) -> int:
        """Moving mean and variance, and what is trained, per feature."""
        return (2 + self.center + self.scale) * self._features(shape)

    def _features(self, shape: Shape) -> int:
        """Length of the axis, which counts the batch axis as 0.

        Raises:
            ShapeError: a row has no such axis.
        """
        if not (1 <= self.axis <= len(shape) or -len(shape) <= self.axis <= -1):
            message = f"batch_normalization: rows of shape {describe(shape)} have no axis {self.axis}"
            raise ShapeError(message)
        return shape[self.axis - 1 if self.axis > 0 else self.axis]
