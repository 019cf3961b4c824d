"""Pooling: smaller maps of what convolutions found."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from dlcli.network.layers.convolution import Padding, slide
from dlcli.network.layers.stock import Pair, StockLayer, require_rank
from dlcli.part import Shape

_IMAGE = "(height, width, channels)"


class Pooling2D(StockLayer):
    """Fields and shapes of both pooling layers."""

    main_field = "pool_size"

    pool_size: Annotated[Pair, Field(description="Height and width of the window, in pixels.")]
    strides: Annotated[Pair | None, Field(description="Step of the window; by default its size.")] = None
    padding: Annotated[Padding, Field(description="same fills the border up, valid leaves a rest out.")] = "valid"

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        require_rank(shape, 3, self.part_name, _IMAGE)
        places = slide(shape, self.pool_size, self.strides or self.pool_size, self.padding, self.part_name)
        return (*places, shape[-1])


class MaxPooling2D(Pooling2D):
    """The largest value in each window.

    Shapes: [height, width, channels] to [height / 2, width / 2, channels].
    """

    part_name = "max_pooling2d"
    keras_name = "MaxPooling2D"
    example = "max_pooling2d: 2"

    pool_size: Annotated[Pair, Field(description="Height and width of the window, in pixels.")] = (2, 2)


class AveragePooling2D(Pooling2D):
    """The mean of each window.

    Shapes: [height, width, channels] to [height / size, width / size, channels].
    """

    part_name = "average_pooling2d"
    keras_name = "AveragePooling2D"
    example = "average_pooling2d: 2"


class GlobalPooling2D(StockLayer):
    """Fields and shapes of both global pooling layers."""

    keepdims: Annotated[bool, Field(description="Keep height and width, as 1.")] = False

    def shape(self, shape: Shape) -> Shape:
        """Output shape for an input shape."""
        require_rank(shape, 3, self.part_name, _IMAGE)
        return (1, 1, shape[-1]) if self.keepdims else (shape[-1],)


class GlobalMaxPooling2D(GlobalPooling2D):
    """The largest value of each channel.

    Shapes: [height, width, channels] to [channels].
    """

    part_name = "global_max_pooling2d"
    keras_name = "GlobalMaxPooling2D"
    example = "global_max_pooling2d"


class GlobalAveragePooling2D(GlobalPooling2D):
    """The mean of each channel.

    Shapes: [height, width, channels] to [channels].
    """

    part_name = "global_average_pooling2d"
    keras_name = "GlobalAveragePooling2D"
    example = "global_average_pooling2d"
