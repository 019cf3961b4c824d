"""Convolutions."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dlcli.network.activations import Auto as AutoActivation
from dlcli.network.initializers import Auto as AutoInitializer
from dlcli.network.initializers import Zeros
from dlcli.network.layers.stock import Pair, StockLayer, describe, require_rank
from dlcli.part import Activation, Constraint, Initializer, Regularizer, Shape, ShapeError

Padding = Literal["valid", "same"]


def window_count(length: int, window: int, stride: int, padding: Padding) -> int:
    """How many places a window has along an axis, with `same`: as if the border were filled up."""
    return -(-length // stride) if padding == "same" else (length - window) // stride + 1


class Conv2D(StockLayer):
    """Looks for the same local patterns everywhere in an image.

    Shapes: [height, width, channels] to [height, width, filters].
    """

    part_name = "conv2d"
    keras_name = "Conv2D"
    main_field = "filters"
    example = "conv2d: {filters: 32, kernel_size: 3}"

    filters: Annotated[int, Field(gt=0, description="Number of patterns, the channels of the output.")]
    kernel_size: Annotated[Pair, Field(description="Height and width of the window, in pixels.")] = (3, 3)
    strides: Annotated[Pair, Field(description="Step of the window, in pixels.")] = (1, 1)
    padding: Annotated[Padding, Field(description="same keeps height and width, valid stays inside.")] = "valid"
    dilation_rate: Annotated[Pair, Field(description="Distance between the pixels that a window sees.")] = (1, 1)
    groups: Annotated[int, Field(gt=0, description="Groups of channels that are worked on apart.")] = 1
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
        require_rank(shape, 3, "conv2d", "(height, width, channels)")
        channels = shape[-1]
        if channels % self.groups or self.filters % self.groups:
            message = f"conv2d: {self.groups} groups do not divide {channels} channels and {self.filters} filters"
            raise ShapeError(message)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            message = "conv2d can have strides above 1 or a dilation_rate above 1, not both"
            raise ShapeError(message)
        windows = [(size - 1) * rate + 1 for size, rate in zip(self.kernel_size, self.dilation_rate, strict=True)]
        return (*slide(shape, windows, self.strides, self.padding, "conv2d"), self.filters)

    def parameters(self, shape: Shape) -> int:
        """One weight per pixel of the window, channel of the group and filter; one bias per filter."""
        height, width = self.kernel_size
        return (height * width * shape[-1] // self.groups + self.use_bias) * self.filters


def slide(
    shape: Shape, window: tuple[int, ...] | list[int], strides: tuple[int, ...], padding: Padding, layer: str
) -> Shape:
    """Height and width that are left when a window slides over an image.

    Raises:
        ShapeError: the window is larger than the image.
    """
    places = tuple(
        window_count(length, size, step, padding) for length, size, step in zip(shape[:2], window, strides, strict=True)
    )
    if min(places) < 1:
        message = f"{layer}: a window of {window[0]}x{window[1]} pixels does not fit into {describe(shape)}"
        raise ShapeError(message)
    return places
