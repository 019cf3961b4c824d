"""Steps that bring numbers to a scale that networks learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator

from dlcli.part import Number
from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import Keeping, values
from dlcli.samples import Block, Frame


class Standardize(Keeping):
    """Subtracts the mean and divides by the standard deviation of the training rows.

    Gaps and infinite numbers count in neither and stay as they are. A column that is the same in all
    training rows becomes 0. Images and sequences: per channel or feature (the last axis).
    """

    part_name = "standardize"
    example = "standardize: [Age, Fare]"
    default_kinds = ("numeric", "image")
    accepted_kinds = ("numeric", "image", "encoded")

    ddof: Annotated[
        int, Field(ge=0, le=1, description="0: deviation of these rows (divide by n); 1: of the population (n - 1).")
    ] = 0

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"mean": number, "std": number}}; lists for columns with a shape of their own."""
        from dlcli.preprocessing import moments

        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            mean, std = (frames.per_column(block, each) for each in moments.mean_and_std(values(block), self.ddof))
            learned |= {name: {"mean": mean[name], "std": std[name]} for name in block.names}
        return learned

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """(x - mean) / std."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            centred = ops.subtract(frames.as_float(block), frames.constants(block, state, "mean"))
            result = ops.divide(centred, _not_zero(frames.constants(block, state, "std")))
            return Block(self.result_names(block, taken), block.kind, result)

        return frames.replaced(frame, names, work, keep=self.keep)


class MinMax(Keeping):
    """Maps the smallest and largest value of the training rows to the ends of a range.

    Other rows may lie outside. A column that is the same in all training rows becomes the lower end.
    """

    part_name = "min_max"
    example = "min_max: {columns: Age, range: [-1, 1]}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", "image", "encoded")

    range: Annotated[tuple[Number, Number], Field(description="Lower and upper end.")] = (0.0, 1.0)

    @field_validator("range")
    @classmethod
    def _rises(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            message = f"the range must rise, got [{value[0]:g}, {value[1]:g}]"
            raise ValueError(message)
        return value

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"min": number, "max": number}}; lists for columns with a shape of their own."""
        from dlcli.preprocessing import moments

        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            low, high = (frames.per_column(block, each) for each in moments.extremes(values(block)))
            learned |= {name: {"min": low[name], "max": high[name]} for name in block.names}
        return learned

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Lower end + (x - min) / (max - min) * width of the range."""
        taken = frame.names
        start, end = self.range

        def work(block: Block) -> Block:
            from keras import ops

            low, high = (frames.constants(block, state, key) for key in ("min", "max"))
            share = ops.divide(ops.subtract(frames.as_float(block), low), _not_zero(high - low))
            result = ops.add(ops.multiply(share, end - start), start)
            return Block(self.result_names(block, taken), block.kind, result)

        return frames.replaced(frame, names, work, keep=self.keep)


def _not_zero(scale: Any) -> Any:
    """The scale with 1 for 0, so that what never changes becomes 0."""
    import numpy as np

    return np.where(scale == 0, np.ones_like(scale), scale)
