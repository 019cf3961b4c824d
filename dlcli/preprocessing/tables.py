"""What all steps for columns of a table share, and the step that leaves columns out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from dlcli.part import Step, Written
from dlcli.preprocessing import frames
from dlcli.problems import Problem
from dlcli.samples import KINDS, Block, Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING_TEXT = ""
"""What a missing category or text is among tensors and at the door of `model.keras`."""

TEXTS = ("categorical", "text")


class Keeping(Step):
    """A step that can leave the original beside its result."""

    keep: Annotated[
        bool, Field(description="Leave the original beside the result, which is then named like Age_standardize.")
    ] = False

    @property
    def keeps(self) -> bool:
        """As written."""
        return self.keep

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> Mapping[str, tuple[str, ...]] | None:
        """A result of the same name, or named like Age_standardize beside the original."""
        if not self.keep or self.result_kind == "encoded":
            return super().results(names, taken)
        return {name: (frames.free_name(f"{name}_{self.part_name}", taken),) for name in names}

    def result_names(self, block: Block, taken: tuple[str, ...]) -> tuple[str, ...]:
        """Names of results that have one column for each original one."""
        if not self.keep:
            return block.names
        return tuple(frames.free_name(f"{name}_{self.part_name}", taken) for name in block.names)


class Drop(Step):
    """Leaves columns out. `model.keras` and `predict` then do not ask for them."""

    part_name = "drop"
    example = "drop: [Name, Ticket]"
    accepted_kinds = (*KINDS, "encoded")

    columns: tuple[Written, ...] = Field(description="Columns by name, glob or kind.")

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG002 - there is nothing to learn
        """Nothing."""
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - as above
        """The frame without the columns."""
        return frames.dropped(frame, names)


def problem(code: str, message: str, suggestion: str, step: Step, *field: str) -> Problem:
    """A problem whose path begins at the step; the pipeline knows which step of the list that is."""
    return Problem(code, message, suggestion, (step.part_name, *field))


def values(block: Block) -> NDArray[Any]:
    """The values of an eager block."""
    from keras import ops

    values: NDArray[Any] = ops.convert_to_numpy(block.tensor)
    return values


def gaps(block: Block) -> Any:
    """True where a cell is missing: an empty text, or no finite number."""
    from keras import ops

    if block.kind in TEXTS:
        return ops.equal(block.tensor, MISSING_TEXT)
    return ops.logical_not(ops.isfinite(frames.as_float(block)))


def counts(block: Block) -> dict[str, int]:
    """How often each text stands in an eager block of one column."""
    from collections import Counter

    counted = Counter(values(block).ravel().tolist())
    return {text.decode(): count for text, count in counted.items()}
