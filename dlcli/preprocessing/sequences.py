"""Sequences of whole numbers, such as the codes of words: `pad` and `multi_hot`.

Rows of different lengths stand in one tensor with -1 behind their end: (rows, longest). That is also how
`model.keras` takes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import Keeping
from dlcli.problems import DataError, Problem
from dlcli.samples import Block, Frame

End = Literal["post", "pre"]


class Pad(Keeping):
    """Brings sequences of codes to one length: shorter ones are filled with 0, longer ones are cut.

    (rows, length), for an `embedding`. 0 is the filler, so codes had better start at 1. A code beyond the largest
    one of the training rows becomes 0, as a network has learned nothing of it. A row without any code is all 0.
    """

    part_name = "pad"
    example = "pad: {columns: words, length: 200}"
    default_kinds = ("sequence",)
    accepted_kinds = ("sequence",)
    result_kind = "encoded"

    length: Annotated[
        int | None, Field(ge=1, description="Codes of a row; by default those of the longest training row.")
    ] = None
    padding: Annotated[End, Field(description="Where 0 goes: post: behind the codes, pre: before them.")] = "post"
    truncating: Annotated[End, Field(description="Where longer rows are cut: post: the end, pre: the start.")] = "post"

    def compact(self, cardinality: int | None) -> str | None:
        """Few codes fit into 16 bits."""
        return "int16" if cardinality is not None and cardinality <= 2**15 else None

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"length": of a row, "codes": one more than the largest code}}."""
        return {
            block.names[0]: {"length": self.length or max(1, int(block.tensor.shape[1])), "codes": _codes(self, block)}
            for block in frames.picked(frame, names)
        }

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Codes as float32."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            length, codes = (state[block.names[0]][key] for key in ("length", "codes"))
            # Room for `length` codes, so that there is a place to take each from, also in rows without any.
            tensor = ops.pad(ops.cast(block.tensor, "int32"), ((0, 0), (0, length)), constant_values=-1)
            count = ops.sum(ops.cast(tensor >= 0, "int32"), axis=1, keepdims=True)
            surplus = ops.maximum(count - length, 0) if self.truncating == "pre" else 0
            shift = ops.maximum(length - count, 0) if self.padding == "pre" else 0
            places = ops.arange(length, dtype="int32")[None, :] + surplus - shift
            picked = ops.take_along_axis(tensor, ops.maximum(places, 0), axis=1)
            known = ops.logical_and(ops.logical_and(places >= 0, picked >= 0), picked < codes)
            result = ops.cast(ops.where(known, picked, 0), "float32")
            return Block(self.result_names(block, taken), "encoded", ops.reshape(result, (-1, length)), codes)

        return frames.replaced(frame, names, work, keep=self.keep)


class MultiHot(Keeping):
    """A column of 0 and 1 for each code: whether it occurs in a sequence. words_0, words_1, ...

    Codes beyond `num_tokens`, by default those that no training row holds, are left out. A row without any code
    is all 0.
    """

    part_name = "multi_hot"
    example = "multi_hot: {columns: words, num_tokens: 10000}"
    default_kinds = ("sequence",)
    accepted_kinds = ("sequence",)
    result_kind = "encoded"

    num_tokens: Annotated[
        int | None, Field(ge=1, description="Codes from 0 that get a column; by default all up to the largest.")
    ] = None

    def compact(self, cardinality: int | None) -> str | None:  # noqa: ARG002 - only 0 and 1
        """Occurrences are 0 and 1."""
        return "uint8"

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"codes": how many get a column}}."""
        return {
            block.names[0]: {"codes": self.num_tokens or _codes(self, block)} for block in frames.picked(frame, names)
        }

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """A column for each code."""
        taken = set(frame.names)

        def work(block: Block) -> Block:
            from keras import layers, ops

            column = block.names[0]
            codes = state[column]["codes"]
            # The filler is the last word, so that what is no code has a column that can be left out.
            lookup = layers.IntegerLookup(vocabulary=[*range(codes), -1], oov_token=-2, output_mode="multi_hot")
            # A row without any code has the filler at least: Keras takes no row of no length.
            tensor = ops.pad(ops.cast(block.tensor, "int64"), ((0, 0), (0, 1)), constant_values=-1)
            occurs = ops.cast(lookup(tensor)[:, 1 : codes + 1], "float32")
            results = tuple(frames.free_name(f"{column}_{code}", taken) for code in range(codes))
            return Block(results, "encoded", occurs)

        return frames.replaced(frame, names, work, keep=self.keep)


def _codes(step: Keeping, block: Block) -> int:
    """One more than the largest code.

    Raises:
        DataError: there is none.
    """
    from keras import ops

    largest = int(ops.max(block.tensor)) if block.tensor.shape[1] else -1
    if largest < 0:
        message = f"{block.names[0]} has no code in any training row"
        raise DataError(Problem("no-token", message, f"add `drop: {block.names[0]}`", (step.part_name,)))
    return largest + 1
