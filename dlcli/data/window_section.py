"""The `data.window` section: what of a series the network sees at once, and what of its future it predicts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from dlcli.part import Section, Written

Size = Annotated[int, Field(ge=1)]


class Window(Section):
    """Samples (length, features) of a series whose rows are ordered by `data.time`."""

    length: Annotated[Size, Field(description="Rows that the network sees at once.")]
    horizon: Annotated[
        int,
        Field(ge=0, description="Rows to predict, those that follow; 0: the target in the window's own last row."),
    ] = 1
    gap: Annotated[int, Field(ge=0, description="Rows left out between the window and the first row to predict.")] = 0
    sequence_stride: Annotated[Size, Field(description="Rows from the end of one window to the end of the next.")] = 1
    sampling_rate: Annotated[Size, Field(description="Rows from one row of a window to the next.")] = 1
    per: Annotated[
        Written | None, Field(description="Column that names the series of a row; by default `data.group`.")
    ] = None
    context: Annotated[
        Literal["own", "earlier"],
        Field(description="What a window may see: rows of its `own` subset, or of `earlier` ones too."),
    ] = "own"

    @property
    def offsets(self) -> range:
        """How many rows after the window's last one each predicted row is."""
        return range(self.gap + 1, self.gap + 1 + self.horizon) if self.horizon else range(1)

    @property
    def span(self) -> int:
        """From the first row of a window to the last one that it needs, both counted."""
        return (self.length - 1) * self.sampling_rate + 1 + self.offsets[-1]
