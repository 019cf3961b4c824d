"""Steps for images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from dlcli.part import Number
from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import Keeping
from dlcli.samples import Block, Frame


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
