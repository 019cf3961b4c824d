"""Steps for images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from dlcli.part import Number, Shape, ShapeError
from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import Keeping
from dlcli.samples import Block, Frame

_RED_GREEN_BLUE = (0.299, 0.587, 0.114)
"""How bright the colours are, ITU-R BT.601: as in image files that are read as grey."""
_CHANNELS_OF_GREY, _CHANNELS_OF_COLOUR = 1, 3
_AXES = 3
_Pixels = Annotated[int, Field(ge=1)]


class Rescale(Keeping):
    """Multiplies by a fixed number: pixels of 0 to 255 become 0 to 1. Learns nothing."""

    part_name = "rescale"
    example = "rescale: {scale: 1/255}"
    default_kinds = ("image",)
    accepted_kinds = ("image", "numeric", "encoded")

    scale: Annotated[Number, Field(gt=0, description="The number to multiply by; 1/16 may be written.")] = 1 / 255

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG002 - there is nothing to learn
        """Nothing."""
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - as above
        """The values times the scale."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            return Block(self.result_names(block, taken), block.kind, ops.multiply(frames.as_float(block), self.scale))

        return frames.replaced(frame, names, work, keep=self.keep)


class Resize(Keeping):
    """Brings images to another height and width, inside the model: `model.keras` takes them at their own.

    Smaller images are means of the larger ones, weighted by distance. Of videos every frame is resized. Learns
    nothing. Files that differ in size among each other need `size` of the source, which decodes them to it.
    """

    part_name = "resize"
    example = "resize: {size: [64, 64]}"
    default_kinds = ("image",)
    accepted_kinds = ("image",)
    compiles = False

    size: tuple[_Pixels, _Pixels] = Field(description="Height and width.")
    interpolation: Annotated[
        Literal["bilinear", "nearest", "bicubic"], Field(description="How pixels between others are found.")
    ] = "bilinear"

    def result_shape(self, shape: Shape) -> Shape:
        """The size instead of height and width."""
        if len(shape) < _AXES:
            message = f"resize takes images (height, width, channels), not rows of shape {list(shape)}"
            raise ShapeError(message)
        return (*shape[:-_AXES], *self.size, shape[-1])

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG002 - there is nothing to learn
        """Nothing."""
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - as above
        """float32 images of the size."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            images = frames.as_float(block)
            shape = tuple(images.shape[1:])
            resized = ops.image.resize(
                ops.reshape(images, (-1, *shape[-_AXES:])),  # frames of videos beside each other
                self.size,
                interpolation=self.interpolation,
                antialias=self.interpolation != "nearest",
                data_format="channels_last",
            )
            result = ops.reshape(resized, (-1, *self.result_shape(shape)))
            return Block(self.result_names(block, taken), "image", result)

        return frames.replaced(frame, names, work, keep=self.keep)


class Grayscale(Keeping):
    """One channel instead of red, green and blue: 0.299 red + 0.587 green + 0.114 blue. Learns nothing.

    Images that have one channel stay as they are.
    """

    part_name = "grayscale"
    example = "grayscale"
    default_kinds = ("image",)
    accepted_kinds = ("image",)

    def result_shape(self, shape: Shape) -> Shape:
        """The last axis of length 1."""
        if not shape or shape[-1] not in (_CHANNELS_OF_GREY, _CHANNELS_OF_COLOUR):
            message = f"grayscale takes images of 1 or 3 channels, not rows of shape {list(shape)}"
            raise ShapeError(message)
        return (*shape[:-1], _CHANNELS_OF_GREY)

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG002 - there is nothing to learn
        """Nothing."""
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - as above
        """float32 images of one channel."""
        taken = frame.names

        def work(block: Block) -> Block:
            import numpy as np
            from keras import ops

            images = frames.as_float(block)
            if images.shape[-1] == _CHANNELS_OF_COLOUR:
                weights = np.array(_RED_GREEN_BLUE, dtype=np.float32)
                images = ops.sum(ops.multiply(images, weights), axis=-1, keepdims=True)
            return Block(self.result_names(block, taken), "image", images)

        return frames.replaced(frame, names, work, keep=self.keep)
