"""Steps that turn categories into numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from dlcli.part import Written
from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import MISSING_TEXT, TEXTS, Keeping, counts, problem
from dlcli.preprocessing.vocabularies import in_order, lookup
from dlcli.problems import ConfigError, DataError
from dlcli.samples import Block, Frame


class OneHot(Keeping):
    """A column of 0 and 1 for every category of the training rows: Sex_female, Sex_male.

    A gap is a category of its own (Sex_missing) where training rows have gaps, else it counts as a
    category never seen.
    """

    part_name = "one_hot"
    example = "one_hot: {columns: [Sex, Embarked], min_count: 5}"
    default_kinds = ("categorical",)
    accepted_kinds = TEXTS
    result_kind = "encoded"

    unknown: Annotated[
        Literal["column", "zeros"],
        Field(description="A category never seen in training: 1 in a column Sex_unknown, or 0 everywhere."),
    ] = "column"
    min_count: Annotated[
        int, Field(ge=1, description="Categories in fewer training rows than this count as never seen.")
    ] = 1

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"categories": texts, "missing": whether gaps are a category}}."""
        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            found = counts(block)
            missing = found.pop(MISSING_TEXT, 0) > 0
            categories = in_order(text for text, count in found.items() if count >= self.min_count)
            if not categories and not missing:
                message = f"no category of {block.names[0]} stands in {self.min_count} training rows"
                raise DataError(problem("no-category", message, "lower min_count, or drop the column", self))
            learned[block.names[0]] = {"categories": categories, "missing": missing}
        return learned

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Categories in order, then the gap, then the unknown."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            column = block.names[0]
            categories, missing = state[column]["categories"], state[column]["missing"]
            places = lookup([*categories, *[MISSING_TEXT] * missing], "one_hot")
            endings = [*categories, *["missing"] * missing, *["unknown"] * (self.unknown == "column")]
            results: list[str] = []
            for ending in endings:
                results.append(frames.free_name(f"{column}_{ending}", (*taken, *results)))
            known = range(1, len(categories) + missing + 1)  # the lookup has the unknown in front
            order = [*known, 0] if self.unknown == "column" else [*known]
            encoded = ops.cast(ops.take(places(block.tensor), order, axis=-1), "float32")
            return Block(tuple(results), "encoded", encoded)

        return frames.replaced(frame, names, work, keep=self.keep)


class Ordinal(Keeping):
    """The rank of a category: 1 for the first, 2 for the second, ...; 0 for a gap or one never seen.

    The order is the written one; without one, categories are sorted (as numbers if all of them are).
    """

    part_name = "ordinal"
    example = "ordinal: {columns: school, order: [primary, secondary, university]}"
    default_kinds = ("categorical",)
    accepted_kinds = TEXTS
    result_kind = "numeric"

    order: Annotated[
        tuple[Written, ...] | dict[str, tuple[Written, ...]] | None,
        Field(description="Categories from first to last: a list for all columns, or {column: list}."),
    ] = None

    @field_validator("order")
    @classmethod
    def _distinct(cls, value: tuple[str, ...] | dict[str, tuple[str, ...]] | None) -> Any:
        for order in value.values() if isinstance(value, dict) else [value or ()]:
            twice = [text for text in order if order.count(text) > 1]
            if twice:
                message = f"the order names {twice[0]} twice"
                raise ValueError(message)
        return value

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:
        """{column: {"order": texts}}."""
        orders = self.order if isinstance(self.order, dict) else dict.fromkeys(names, self.order)
        strangers = [name for name in orders if name not in names]
        if strangers:
            message = f"ordinal has an order for {strangers[0]}, which is not among its columns"
            suggestion = f"its columns are {', '.join(names)}"
            raise ConfigError(problem("no-such-column", message, suggestion, self, "order", strangers[0]))
        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            name = block.names[0]
            found = in_order(text for text in counts(block) if text != MISSING_TEXT)
            order = orders.get(name)
            if not found and not order:
                message = f"{name} has no category in the training rows"
                raise DataError(problem("no-category", message, "drop the column", self))
            left_out = [text for text in found if order is not None and text not in order]
            if left_out:
                message = f"the order of {name} lacks {', '.join(left_out[:5])}, found in the training rows"
                suggestion = "add what is missing to the order, in its place"
                raise DataError(problem("category-not-in-order", message, suggestion, self, "order"))
            learned[name] = {"order": found if order is None else list(order)}
        return learned

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Ranks as float64."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            order = state[block.names[0]]["order"]
            ranks = ops.cast(lookup(order, "int")(block.tensor), "float64")
            return Block(self.result_names(block, taken), "numeric", ranks, cardinality=len(order) + 1)

        return frames.replaced(frame, names, work, keep=self.keep)
