"""Steps for the columns of a table: gaps, scales and categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from dlcli.part import Number, Step, Written
from dlcli.preprocessing import frames
from dlcli.problems import ConfigError, DataError, Problem
from dlcli.samples import KINDS, Block, Frame

if TYPE_CHECKING:
    from numpy.typing import NDArray

MISSING_TEXT = ""
"""What a missing category or text is among tensors and at the door of `model.keras`."""

_TEXTS = ("categorical", "text")


class Keeping(Step):
    """A step that can leave the original beside its result."""

    keep: Annotated[
        bool, Field(description="Leave the original beside the result, which is then named like Age_standardize.")
    ] = False

    def result_names(self, block: Block, taken: tuple[str, ...]) -> tuple[str, ...]:
        """Names of results that have one column for each original one."""
        if not self.keep:
            return block.names
        return tuple(frames.free_name(f"{name}_{self.part_name}", taken) for name in block.names)


class Impute(Step):
    """Fills gaps (and infinite numbers, which count as gaps) with what is usual in the training rows.

    A column without any value in the training rows gets 0, a categorical one stays a gap.
    """

    part_name = "impute"
    example = "impute: {columns: Age, with: median, indicator: true}"
    default_kinds = ("numeric",)
    accepted_kinds = ("numeric", *_TEXTS)

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
            fills = self._texts(block) if block.kind in _TEXTS else self._numbers(block)
            gaps = self._gaps_per_name(block)
            learned |= {name: {"fill": fills[name], "indicator": self.indicator and gaps[name]} for name in block.names}
        return learned

    def _numbers(self, block: Block) -> Mapping[str, Any]:
        import numpy as np

        from dlcli.preprocessing import moments

        if self.with_ == "mean":
            fills = moments.mean_and_std(_values(block))[0]
        elif self.with_ == "median":
            fills = moments.median(_values(block))
        elif self.with_ == "mode":
            fills = moments.mode(_values(block))
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
            raise ConfigError(_problem("wrong-fill", message, "write mean, median, mode or a number", self, "with"))
        return number

    def _texts(self, block: Block) -> Mapping[str, Any]:
        if self.with_ in ("mean", "median"):
            message = f"impute cannot take the {self.with_} of {block.names[0]}, which is {block.kind}"
            suggestion = "write `with: mode` or a value; one_hot and ordinal also take gaps as they are"
            raise ConfigError(_problem("wrong-fill", message, suggestion, self, "with"))
        if self.with_ != "mode":
            return dict.fromkeys(block.names, self.with_)
        counts = _counts(block)
        counts.pop(MISSING_TEXT, None)
        return {block.names[0]: min(counts, key=lambda text: (-counts[text], text), default=MISSING_TEXT)}

    def _gaps_per_name(self, block: Block) -> dict[str, bool]:
        import numpy as np

        if block.kind in _TEXTS:
            return {block.names[0]: MISSING_TEXT in _counts(block)}
        cells = ~np.isfinite(_values(block)).reshape(-1, block.tensor.shape[-1])
        gaps = cells.any(axis=0)
        if len(block.names) == 1:
            return {block.names[0]: bool(gaps.any())}
        return dict(zip(block.names, gaps.tolist(), strict=True))

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """The columns without gaps; indicators behind theirs."""
        marked = [name for name in names if state[name]["indicator"]]
        taken = frame.names

        def indicate(block: Block) -> Block:
            from keras import ops

            results = tuple(frames.free_name(f"{name}_missing", taken) for name in block.names)
            return Block(results, "encoded", ops.cast(_gaps(block), "float32"))

        def fill(block: Block) -> Block:
            from keras import ops

            if block.kind in _TEXTS:
                filled = ops.where(_gaps(block), state[block.names[0]]["fill"], block.tensor)
            else:
                filled = ops.where(_gaps(block), frames.constants(block, state, "fill"), frames.as_float(block))
            return Block(block.names, block.kind, filled)

        # A result stands behind its original, so the original has its place when it is filled afterwards.
        return frames.replaced(frames.replaced(frame, marked, indicate, keep=True), names, fill)


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
            mean, std = (frames.per_column(block, each) for each in moments.mean_and_std(_values(block), self.ddof))
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
            low, high = (frames.per_column(block, each) for each in moments.extremes(_values(block)))
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


class OneHot(Keeping):
    """A column of 0 and 1 for every category of the training rows: Sex_female, Sex_male.

    A gap is a category of its own (Sex_missing) where training rows have gaps, else it counts as a
    category never seen.
    """

    part_name = "one_hot"
    example = "one_hot: {columns: [Sex, Embarked], min_count: 5}"
    default_kinds = ("categorical",)
    accepted_kinds = _TEXTS
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
            counts = _counts(block)
            missing = counts.pop(MISSING_TEXT, 0) > 0
            categories = _in_order(text for text, count in counts.items() if count >= self.min_count)
            if not categories and not missing:
                message = f"no category of {block.names[0]} stands in {self.min_count} training rows"
                raise DataError(_problem("no-category", message, "lower min_count, or drop the column", self))
            learned[block.names[0]] = {"categories": categories, "missing": missing}
        return learned

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Categories in order, then the gap, then the unknown."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            column = block.names[0]
            categories, missing = state[column]["categories"], state[column]["missing"]
            lookup = _lookup([*categories, *[MISSING_TEXT] * missing], "one_hot")
            endings = [*categories, *["missing"] * missing, *["unknown"] * (self.unknown == "column")]
            results: list[str] = []
            for ending in endings:
                results.append(frames.free_name(f"{column}_{ending}", (*taken, *results)))
            known = range(1, len(categories) + missing + 1)  # the lookup has the unknown in front
            order = [*known, 0] if self.unknown == "column" else [*known]
            encoded = ops.cast(ops.take(lookup(block.tensor), order, axis=-1), "float32")
            return Block(tuple(results), "encoded", encoded)

        return frames.replaced(frame, names, work, keep=self.keep)


class Ordinal(Keeping):
    """The rank of a category: 1 for the first, 2 for the second, ...; 0 for a gap or one never seen.

    The order is the written one; without one, categories are sorted (as numbers if all of them are).
    """

    part_name = "ordinal"
    example = "ordinal: {columns: school, order: [primary, secondary, university]}"
    default_kinds = ("categorical",)
    accepted_kinds = _TEXTS
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
            raise ConfigError(_problem("no-such-column", message, suggestion, self, "order", strangers[0]))
        learned: dict[str, Any] = {}
        for block in frames.picked(frame, names):
            name = block.names[0]
            found = _in_order(text for text in _counts(block) if text != MISSING_TEXT)
            order = orders.get(name)
            if not found and not order:
                message = f"{name} has no category in the training rows"
                raise DataError(_problem("no-category", message, "drop the column", self))
            left_out = [text for text in found if order is not None and text not in order]
            if left_out:
                message = f"the order of {name} lacks {', '.join(left_out[:5])}, found in the training rows"
                suggestion = "add what is missing to the order, in its place"
                raise DataError(_problem("category-not-in-order", message, suggestion, self, "order"))
            learned[name] = {"order": found if order is None else list(order)}
        return learned

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:
        """Ranks as float64."""
        taken = frame.names

        def work(block: Block) -> Block:
            from keras import ops

            order = state[block.names[0]]["order"]
            ranks = ops.cast(_lookup(order, "int")(block.tensor), "float64")
            return Block(self.result_names(block, taken), "numeric", ranks, cardinality=len(order) + 1)

        return frames.replaced(frame, names, work, keep=self.keep)


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


def _problem(code: str, message: str, suggestion: str, step: Step, *field: str) -> Problem:
    """A problem whose path begins at the step; the pipeline knows which step of the list that is."""
    return Problem(code, message, suggestion, (step.part_name, *field))


def _values(block: Block) -> NDArray[Any]:
    """The values of an eager block."""
    from keras import ops

    values: NDArray[Any] = ops.convert_to_numpy(block.tensor)
    return values


def _gaps(block: Block) -> Any:
    """True where a cell is missing: an empty text, or no finite number."""
    from keras import ops

    if block.kind in _TEXTS:
        return ops.equal(block.tensor, MISSING_TEXT)
    return ops.logical_not(ops.isfinite(frames.as_float(block)))


def _counts(block: Block) -> dict[str, int]:
    """How often each text stands in an eager block of one column."""
    from collections import Counter

    counted = Counter(_values(block).ravel().tolist())
    return {text.decode(): count for text, count in counted.items()}


def _in_order(texts: Iterable[str]) -> list[str]:
    """Sorted as numbers if all of them are, else as text."""
    # Keras keeps vocabularies in arrays that lose trailing NULs: such a text counts as never seen.
    distinct = sorted(text for text in texts if not text.endswith("\0"))
    try:
        return sorted(distinct, key=float)
    except ValueError:
        return distinct


def _lookup(vocabulary: list[str], output_mode: str) -> Any:
    """A layer from text to its place in the vocabulary, counted from 1; 0 for any other text."""
    import keras

    unknown = frames.free_name("[UNK]", vocabulary)  # Keras refuses a vocabulary that holds this token
    return keras.layers.StringLookup(vocabulary=vocabulary, mask_token=None, oov_token=unknown, output_mode=output_mode)


def _not_zero(scale: Any) -> Any:
    """The scale with 1 for 0, so that what never changes becomes 0."""
    import numpy as np

    return np.where(scale == 0, np.ones_like(scale), scale)
