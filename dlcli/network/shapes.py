"""Shapes and parameter counts of a list of layers, without TensorFlow."""

from __future__ import annotations

from collections.abc import Sequence

from dlcli.part import Layer, Shape


def walk(layers: Sequence[Layer], input_shape: Shape) -> list[Shape]:
    """The output shape of every layer, without the batch axis.

    Raises:
        ShapeError: a layer cannot take its input.
    """
    shapes = []
    shape = input_shape
    for layer in layers:
        shape = layer.shape(shape)
        shapes.append(shape)
    return shapes


def parameters(layers: Sequence[Layer], input_shape: Shape) -> list[int]:
    """How many numbers every layer holds, trained or not.

    Raises:
        ShapeError: a layer cannot take its input.
    """
    inputs = [input_shape, *walk(layers, input_shape)]
    return [layer.parameters(shape) for layer, shape in zip(layers, inputs, strict=False)]
