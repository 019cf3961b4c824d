"""The step that fills gaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from dlcli.part import Step, Written
from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import MISSING_TEXT, TEXTS, counts, gaps, problem, values
from dlcli.problems import ConfigError
from dlcli.samples import Block, Frame


class Impute(Step):
    """Fills gaps (and infinite numbers, which count as gaps) with what is usual in the training rows.

    A column without any value in the training rows gets 0, a categorical one stays a gap.
    """

    part_name = "impute"
    example = "impute: {columns: Age, with: median, indicator: true}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", *TEXTS)

    with_: Annotated[
        Literal["mean", "median", "mode"] | Written,
        Field(alias="with", description="mean, median, mode (most frequent; of equals the first), or a value."),
    ] = "median"
    indicator: Annotated[
        bool, Field(description="Add a column Age_missing (1 where a gap was) for columns with gaps in training rows.")
    ] = False

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"fill": number or text, "indicator": whether one is added}}."""
        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            fills = self._texts(block) if block.kind in TEXTS else self._numbers(block)
            holed = self._gaps_per_name(block)
            learned |= {
                name: {"fill": fills[name], "indicator": self.indicator and holed[name]} for name in block.names
            }
        return learned

    def _numbers(self, block: Block) -> Mapping[str, Any]:
        import numpy as np

        from dlcli.preprocessing import moments

        if self.with_ == "mean":
            fills = moments.mean_and_std(values(block))[0]
        elif self.with_ == "median":
            fills = moments.median(values(block))
        elif self.with_ == "mode":
            fills = moments.mode(values(block))
        else:
            fills = np.full(block.tensor.shape[-1], self._number(block.names))
        return frames.per_column(block, fills)

    def _number(self, names: tuple[str, ...]) -> float:
        import math

        try:
            number = float(self.with_)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            message = f"impute cannot fill the numeric column {names[0]} with {self.with_}"
            raise ConfigError(problem("wrong-fill", message, "write mean, median, mode or a number", self, "with"))
        return number

    def _texts(self, block: Block) -> Mapping[str, Any]:
        if self.with_ in ("mean", "median"):
            message = f"impute cannot take the {self.with_} of {block.names[0]}, which is {block.kind}"
            suggestion = "write `with: mode` or a value; one_hot and ordinal also take gaps as they are"
            raise ConfigError(problem("wrong-fill", message, suggestion, self, "with"))
        if self.with_ != "mode":
            return dict.fromkeys(block.names, self.with_)
        found = counts(block)
        found.pop(MISSING_TEXT, None)
        return {block.names[0]: min(found, key=lambda text: (-found[text], text), default=MISSING_TEXT)}

    def _gaps_per_name(self, block: Block) -> dict[str, bool]:
        import numpy as np

        if block.kind in TEXTS:
            return {block.names[0]: MISSING_TEXT in counts(block)}
        cells = ~np.isfinite(values(block)).reshape(-1, block.tensor.shape[-1])
        holed = cells.any(axis=0)
        if len(block.names) == 1:
            return {block.names[0]: bool(holed.any())}
        return dict(zip(block.names, holed.tolist(), strict=True))

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """The columns without gaps; indicators behind theirs."""
        marked = [name for name in names if state[name]["indicator"]]
        taken = frame.names

        def indicate(block: Block) -> Block:
            from keras import ops

            results = tuple(frames.free_name(f"{name}_missing", taken) for name in block.names)
            return Block(results, "encoded", ops.cast(gaps(block), "float32"))

        def fill(block: Block) -> Block:
            from keras import ops

            if block.kind in TEXTS:
                filled = ops.where(gaps(block), state[block.names[0]]["fill"], block.tensor)
            else:
                filled = ops.where(gaps(block), frames.constants(block, state, "fill"), frames.as_float(block))
            return Block(block.names, block.kind, filled)

        # A result stands behind its original, so the original has its place when it is filled afterwards.
        return frames.replaced(frames.replaced(frame, marked, indicate, keep=True), names, fill)
