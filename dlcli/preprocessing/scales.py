"""Steps that bring numbers to a scale that networks learn from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

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


class Robust(Keeping):
    """Subtracts the median and divides by the distance of the quartiles of the training rows.

    A few extreme values change neither. Gaps and infinite numbers count in neither and stay as they are.
    Where the quartiles are equal (most rows hold one value), the standard deviation takes their place; a
    column that is the same in all training rows becomes 0.
    """

    part_name = "robust"
    example = "robust: [Fare]"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", "encoded")

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"median": number, "spread": number}}; lists for columns with a shape of their own."""
        import numpy as np

        from dlcli.preprocessing import moments

        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            cells = values(block)
            low, high = moments.quantiles(cells, (0.25, 0.75))
            spread = np.where(high > low, high - low, moments.mean_and_std(cells)[1])
            median, spreads = frames.per_column(block, moments.median(cells)), frames.per_column(block, spread)
            learned |= {name: {"median": median[name], "spread": spreads[name]} for name in block.names}
        return learned

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """(x - median) / spread."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            centred = ops.subtract(frames.as_float(block), frames.constants(block, state, "median"))
            result = ops.divide(centred, _not_zero(frames.constants(block, state, "spread")))
            return Block(self.result_names(block, taken), block.kind, result)

        return frames.replaced(frame, names, work, keep=self.keep)


class Log(Keeping):
    """Sign-preserving logarithm: sign(x) * log(1 + |x|). Learns nothing.

    For amounts that span several orders of magnitude. 0 stays 0, a gap stays a gap.
    """

    part_name = "log"
    example = "log: [Fare]"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", "encoded")
    finishes = False

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG002 - there is nothing to learn
        """Nothing."""
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - as above
        """sign(x) * log1p(|x|)."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            cells = frames.as_float(block)
            result = ops.multiply(ops.sign(cells), ops.log1p(ops.absolute(cells)))
            return Block(self.result_names(block, taken), block.kind, result)

        return frames.replaced(frame, names, work, keep=self.keep)


Share = Annotated[Number, Field(ge=0, le=1)]


class Clip(Keeping):
    """Moves what lies outside a range to its ends, also infinite numbers. A gap stays a gap.

    The range is that between two quantiles of the training rows (infinite numbers left out), or a written one.
    """

    part_name = "clip"
    example = "clip: {columns: Fare, quantiles: [0.01, 0.99]}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", "encoded")
    finishes = False

    quantiles: Annotated[
        tuple[Share, Share] | None,
        Field(description="Shares of the training rows below the lower and upper end; [0.01, 0.99] without a range."),
    ] = None
    range: Annotated[tuple[Number, Number] | None, Field(description="Lower and upper end, as numbers.")] = None

    @model_validator(mode="after")
    def _one_range(self) -> Clip:
        if self.quantiles is not None and self.range is not None:
            message = "clip takes quantiles or a range, not both"
            raise ValueError(message)
        for ends in (self.quantiles, self.range):
            if ends is not None and ends[0] >= ends[1]:
                message = f"the ends must rise, got [{ends[0]:g}, {ends[1]:g}]"
                raise ValueError(message)
        return self

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"low": number, "high": number}}; lists for columns with a shape of their own."""
        import numpy as np

        from dlcli.preprocessing import moments

        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            if self.range is not None:
                found = tuple(np.full(block.tensor.shape[-1], end) for end in self.range)
            else:
                found = moments.quantiles(values(block), self.quantiles or (0.01, 0.99))
            low, high = (frames.per_column(block, each) for each in found)
            learned |= {name: {"low": low[name], "high": high[name]} for name in block.names}
        return learned

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """The cells, the ends where they lie outside."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            cells = frames.as_float(block)
            low, high = (frames.constants(block, state, key) for key in ("low", "high"))
            result = ops.where(cells < low, low, ops.where(cells > high, high, cells))
            return Block(self.result_names(block, taken), block.kind, result)

        return frames.replaced(frame, names, work, keep=self.keep)


def _not_zero(scale: Any) -> Any:
    """The scale with 1 for 0, so that what never changes becomes 0."""
    import numpy as np

    return np.where(scale == 0, np.ones_like(scale), scale)
