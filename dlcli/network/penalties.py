"""Regularizers and constraints of weights, with Keras's names, fields and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from dlcli.part import Constraint, Number, Regularizer

if TYPE_CHECKING:
    import keras


class L1(Regularizer):
    """Adds l1 times the sum of absolute weights to the loss: drives weights to 0."""

    part_name = "l1"
    example = "l1: 0.001"
    main_field = "l1"

    l1: Annotated[Number, Field(ge=0, description="Factor of the sum of absolute weights.")] = 0.01

    def build(self) -> keras.Regularizer:
        """The Keras regularizer."""
        import keras

        return keras.regularizers.L1(self.l1)


class L2(Regularizer):
    """Adds l2 times the sum of squared weights to the loss: keeps weights small."""

    part_name = "l2"
    example = "l2: 0.001"
    main_field = "l2"

    l2: Annotated[Number, Field(ge=0, description="Factor of the sum of squared weights.")] = 0.01

    def build(self) -> keras.Regularizer:
        """The Keras regularizer."""
        import keras

        return keras.regularizers.L2(self.l2)


class L1L2(Regularizer):
    """Both penalties."""

    part_name = "l1_l2"
    example = "l1_l2: {l1: 0.001, l2: 0.001}"

    l1: Annotated[Number, Field(ge=0, description="Factor of the sum of absolute weights.")] = 0.0
    l2: Annotated[Number, Field(ge=0, description="Factor of the sum of squared weights.")] = 0.0

    def build(self) -> keras.Regularizer:
        """The Keras regularizer."""
        import keras

        return keras.regularizers.L1L2(self.l1, self.l2)


_AXIS = "Axes of the norm of one unit's weights: 0 in a dense layer, [0, 1, 2] in a 2D convolution."
Axis = Annotated[tuple[int, ...], Field(min_length=1, description=_AXIS)]


class MaxNorm(Constraint):
    """Scales weights down whose norm is above a bound."""

    part_name = "max_norm"
    example = "max_norm: 3"
    main_field = "max_value"

    max_value: Annotated[Number, Field(gt=0, description="Largest norm.")] = 2
    axis: Axis = (0,)

    def build(self) -> keras.constraints.Constraint:
        """The Keras constraint."""
        import keras

        return keras.constraints.MaxNorm(self.max_value, self.axis)


class NonNeg(Constraint):
    """Sets negative weights to 0."""

    part_name = "non_neg"
    example = "non_neg"

    def build(self) -> keras.constraints.Constraint:
        """The Keras constraint."""
        import keras

        return keras.constraints.NonNeg()


class UnitNorm(Constraint):
    """Scales weights to norm 1."""

    part_name = "unit_norm"
    example = "unit_norm"

    axis: Axis = (0,)

    def build(self) -> keras.constraints.Constraint:
        """The Keras constraint."""
        import keras

        return keras.constraints.UnitNorm(self.axis)


class MinMaxNorm(Constraint):
    """Scales weights so that their norm lies between two bounds."""

    part_name = "min_max_norm"
    example = "min_max_norm: {min_value: 0.5, max_value: 2}"

    min_value: Annotated[Number, Field(ge=0, description="Smallest norm.")] = 0.0
    max_value: Annotated[Number, Field(gt=0, description="Largest norm.")] = 1.0
    rate: Annotated[Number, Field(gt=0, le=1, description="Share of the way to the bounds at each step.")] = 1.0
    axis: Axis = (0,)

    def build(self) -> keras.constraints.Constraint:
        """The Keras constraint."""
        import keras

        return keras.constraints.MinMaxNorm(self.min_value, self.max_value, self.rate, self.axis)
