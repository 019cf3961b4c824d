"""Steps that give categories codes: in bits, in buckets, or as the index that an embedding layer takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import MISSING_TEXT, TEXTS, Keeping, counts, problem
from dlcli.preprocessing.vocabularies import in_order, lookup
from dlcli.problems import DataError
from dlcli.samples import Block, Frame

_MOST_BUCKETS = 100_000


class _Numbered(Keeping):
    """A step that numbers the categories of the training rows from 1, a gap last where training rows have gaps.

    0 stands for what was never seen.
    """

    default_kinds = ("categorical",)
    accepted_kinds = TEXTS
    result_kind = "encoded"

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"categories": texts, "missing": whether gaps are a category}}."""
        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            found = counts(block)
            missing = found.pop(MISSING_TEXT, 0) > 0
            if not found:
                message = f"{block.names[0]} has no category in the training rows"
                raise DataError(problem("no-category", message, "drop the column", self))
            learned[block.names[0]] = {"categories": in_order(found), "missing": missing}
        return learned


class BinaryCode(_Numbered):
    """The number of a category in bits, the highest first: 5 categories become 3 columns, City_bit_1 to City_bit_3.

    Fewer columns than `one_hot`, which is easier to learn from. A gap has a number of its own where training
    rows have gaps; else it has, like a category never seen, zeros everywhere.
    """

    part_name = "binary_code"
    example = "binary_code: [City]"

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """0 and 1 in float32."""
        taken = frame.names

        def work(block: Block) -> Block:
            import numpy as np
            from keras import ops

            column = block.names[0]
            words = _words(state[column])
            width = len(words).bit_length()
            numbers = ops.cast(lookup(words, "int")(block.tensor), "float64")
            powers = 2.0 ** np.arange(width - 1, -1, -1)
            shifted = ops.floor(ops.divide(numbers, powers))
            bits = ops.subtract(shifted, ops.multiply(ops.floor(ops.divide(shifted, 2.0)), 2.0))
            results = tuple(frames.free_name(f"{column}_bit_{number}", taken) for number in range(1, width + 1))
            return Block(results, "encoded", ops.cast(bits, "float32"))

        return frames.replaced(frame, names, work, keep=self.keep)


class Embed(_Numbered):
    """The number of a category, for an `embedding` layer: 1 for the first, 2 for the second, ...

    Categories are sorted; 0 is one never seen. A gap is a category of its own (the last) where training
    rows have gaps, else it counts as never seen.
    """

    part_name = "embed"
    example = "embed: [City]"

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Numbers in float32, with their cardinality."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            words = _words(state[block.names[0]])
            numbers = ops.cast(lookup(words, "int")(block.tensor), "float32")
            return Block(self.result_names(block, taken), "encoded", numbers, cardinality=len(words) + 1)

        return frames.replaced(frame, names, work, keep=self.keep)


def _words(learned: Mapping[str, Any]) -> list[str]:
    return [*learned["categories"], *[MISSING_TEXT] * learned["missing"]]


class Hash(Keeping):
    """A column of 0 and 1 for each of a fixed number of buckets, into which a hash sorts the texts.

    Learns nothing, so it takes any number of categories, and a category never seen in training like the
    others; different ones may share a bucket. A gap is hashed like a text. The hash is that of
    Keras's `Hashing` layer.
    """

    part_name = "hash"
    example = "hash: {columns: Ticket, buckets: 64}"
    default_kinds = ("categorical",)
    accepted_kinds = TEXTS
    result_kind = "encoded"

    buckets: Annotated[int, Field(ge=2, le=_MOST_BUCKETS, description="How many columns are made.")] = 32

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG002 - there is nothing to learn
        """Nothing."""
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - as above
        """0 and 1 in float32: Ticket_hash_1, Ticket_hash_2, ..."""
        taken = frame.names

        def work(block: Block) -> Block:
            import keras
            from keras import ops

            column = block.names[0]
            sort = keras.layers.Hashing(num_bins=self.buckets, output_mode="one_hot")
            results = frames.free_names((f"{column}_hash_{number + 1}" for number in range(self.buckets)), taken)
            return Block(results, "encoded", ops.cast(sort(block.tensor), "float32"))

        return frames.replaced(frame, names, work, keep=self.keep)
