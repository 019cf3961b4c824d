"""Splits: which rows train, validate and test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import AfterValidator, Field

from dlcli.data.gaps import Duration, Gap
from dlcli.data.row_facts import SUBSETS, RowFacts, Way
from dlcli.part import Number, Split, Written
from dlcli.problems import ConfigError, DataError, Problem
from dlcli.samples import Coded, Samples, Subset
from dlcli.seeds import Seeds

if TYPE_CHECKING:
    from numpy.typing import NDArray

_USUAL_VALUES: dict[Subset, tuple[str, ...]] = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev"),
    "test": ("test", "testing"),
}


def _share_or_count(value: float) -> float:
    if value >= 1 and value != int(value):
        message = "must be a share below 1 or a whole number of rows"
        raise ValueError(message)
    return int(value) if value >= 1 else value


Share = Annotated[Number, Field(ge=0), AfterValidator(_share_or_count)]


class RowSplit(Split):
    """A split by shares or counts of rows. Rows that are in no subset stay unused."""

    train: Annotated[
        Share | None, Field(description="Training rows: a share of all rows or a count; by default the rest.")
    ] = None
    validation: Annotated[Share, Field(description="Validation rows: a share of all rows or a count; 0 for none.")] = (
        0.2
    )
    test: Annotated[Share, Field(description="Test rows: a share of all rows or a count; 0 for none.")] = 0.1
    seed: Annotated[int, Field(ge=0, description="Seed of the split; the experiment's seed does not change it.")] = 0

    @property
    def reads(self) -> tuple[str, ...]:
        """Columns that the split reads, which are no inputs."""
        return ()

    def settle(self, facts: RowFacts) -> RowSplit:
        """The split that does the work: another one only for `auto`."""
        del facts
        return self

    def way(self, facts: RowFacts) -> Way:
        """How rows, folds and inner sets are divided."""
        raise NotImplementedError

    @property
    def names_subsets(self) -> tuple[str, ...]:
        """Columns that say where a row belongs and nothing of what it is."""
        return ()

    def divided(self, facts: RowFacts) -> Way:
        """How the rows of the subsets differ: as they were divided."""
        return self.way(self.know(facts))

    def know(self, facts: RowFacts) -> RowFacts:
        """The facts with what the split itself reads added."""
        return facts

    def test_rows(self, facts: RowFacts) -> NDArray[Any] | None:
        """The test rows, where they are known without a look at targets; else None."""
        return (facts.subsets or {}).get("test")

    def left_out(self) -> Gap:
        """What is left out at each border in time."""
        return Gap()

    def cut(self, facts: RowFacts) -> dict[Subset, NDArray[Any]]:
        """Row numbers of the three subsets: ascending, or in order of time where time decides.

        Raises:
            DataError: a subset would be empty, or too small to hold each class.
            ConfigError: the split needs a role that `data` does not name.
        """
        from dlcli.data.allocation import Order, divide

        facts = self.know(facts)
        way = self.way(facts)
        order = Order(way, Seeds(self.seed).generator("split"), self.left_out(), ("split", self.part_name))
        sizes: dict[Subset, float] = {"validation": self.validation, "test": self.test}
        return divide(facts, facts.usable, self.train, sizes, order)


class Auto(RowSplit):
    """The split that the data ask for.

    `predefined` where the source has subsets of its own, else `chronological` with `data.time`,
    `grouped` with `data.group`, `stratified` for classes, `random` for numbers.
    """

    part_name = "auto"
    example = "auto: {validation: 0.1}"

    def settle(self, facts: RowFacts) -> RowSplit:
        """The split that the facts ask for.

        Raises:
            ConfigError: both time and group are named.
        """
        fields: dict[str, Any] = {
            "train": self.train, "validation": self.validation, "test": self.test, "seed": self.seed
        }  # fmt: skip
        if facts.subsets:
            return Predefined(**fields)
        splits: dict[Way, type[RowSplit]] = {
            "chronological": Chronological, "grouped": Grouped, "stratified": Stratified, "random": Random
        }  # fmt: skip
        return splits[_way_of(facts)](**fields)

    def way(self, facts: RowFacts) -> Way:
        """That of the settled split."""
        return self.settle(facts).way(facts)

    def cut(self, facts: RowFacts) -> dict[Subset, NDArray[Any]]:
        """As the settled split."""
        return self.settle(facts).cut(facts)


class Random(RowSplit):
    """Rows at random."""

    part_name = "random"
    example = "random: {validation: 0.15, test: 0.15}"

    def way(self, facts: RowFacts) -> Way:
        """At random."""
        del facts
        return "random"


class Stratified(RowSplit):
    """Rows at random, each class (or label) in every subset in its share of all rows."""

    part_name = "stratified"
    example = "stratified: {validation: 0.1, test: 0.2}"

    def way(self, facts: RowFacts) -> Way:
        """By class.

        Raises:
            ConfigError: the target is a number.
        """
        if facts.labels is None:
            message = "stratified needs classes, but the target is a number"
            raise ConfigError(Problem("split-needs-classes", message, "write `split: random`", ("split",)))
        return "stratified"


class Chronological(RowSplit):
    """The first rows train, then come validation and test; never shuffled.

    The order is that of `data.time`, else that of the file.
    """

    part_name = "chronological"
    example = "chronological: {test: 0.2, gap: 24}"

    gap: Annotated[
        Annotated[int, Field(ge=0)] | Duration,
        Field(description="Left out at each border between subsets: rows, or a time such as 24 hours or 7 days."),
    ] = 0

    def way(self, facts: RowFacts) -> Way:
        """In order of time."""
        del facts
        return "chronological"

    def left_out(self) -> Gap:
        """The gap."""
        return Gap.of(self.gap)


class Grouped(RowSplit):
    """Groups at random, never one group in two subsets; classes balanced as far as groups allow."""

    part_name = "grouped"
    main_field = "column"
    example = "grouped: {column: patient, test: 0.2}"

    column: Annotated[Written | None, Field(description="Column that holds the group; by default `data.group`.")] = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The group column."""
        return (self.column,) if self.column else ()

    def way(self, facts: RowFacts) -> Way:
        """By group.

        Raises:
            ConfigError: no group is named.
        """
        if facts.groups is None:
            message = "grouped needs to know the groups"
            suggestion = "name their column: `split: {grouped: {column: ...}}`, or `group: ...` under data"
            raise ConfigError(Problem("split-needs-group", message, suggestion, ("split",)))
        return "grouped"

    def know(self, facts: RowFacts) -> RowFacts:
        """The facts with the groups of `column`."""
        if self.column is None:
            return facts
        from dlcli.data.roles import groups

        return replace(facts, groups=groups(_column(facts, self.column, self.part_name), self.column))


class Hash(RowSplit):
    """Each row by a hash of its own, so that it stays in its subset when data grow, shrink or change their order.

    Rows with the same cell in `column` go to one subset; without a column it is the hash of the whole row, so that
    identical rows do. Shares are met on average, not exactly.
    """

    part_name = "hash"
    main_field = "column"
    example = "hash: {column: customer, test: 0.2}"

    column: Annotated[
        Written | None, Field(description="Column whose cell decides; by default all columns of the source.")
    ] = None
    train: Annotated[Number | None, Field(ge=0, lt=1, description="Share of training rows; by default the rest.")] = (
        None
    )
    validation: Annotated[Number, Field(ge=0, lt=1, description="Share of validation rows; 0 for none.")] = 0.2
    test: Annotated[Number, Field(ge=0, lt=1, description="Share of test rows; 0 for none.")] = 0.1

    @property
    def reads(self) -> tuple[str, ...]:
        """The column that decides."""
        return (self.column,) if self.column else ()

    def way(self, facts: RowFacts) -> Way:
        """By hash."""
        del facts
        return "hash"

    def know(self, facts: RowFacts) -> RowFacts:
        """The facts with the hashes of `column`."""
        if self.column is None:
            return facts
        from dlcli.data.hashes import row_hashes

        return replace(facts, keys=row_hashes(Samples({"": _column(facts, self.column, self.part_name)}, facts.rows)))


class Predefined(RowSplit):
    """The subsets that the source has, or that a column names.

    A missing subset is cut from the training rows, its share being one of those; rows whose cell in
    the column is empty stay unused.
    """

    part_name = "predefined"
    main_field = "column"
    example = "predefined: {column: fold, values: {validation: [dev]}}"

    column: Annotated[Written | None, Field(description="Column that names each row's subset.")] = None
    values: dict[Subset, tuple[Written, ...]] = Field(
        default_factory=dict,
        description="What the column holds for each subset; by default train, validation (valid, val, dev), test.",
    )

    @property
    def reads(self) -> tuple[str, ...]:
        """The column of subsets."""
        return (self.column,) if self.column else ()

    @property
    def names_subsets(self) -> tuple[str, ...]:
        """The column of subsets."""
        return self.reads

    def divided(self, facts: RowFacts) -> Way:
        """Somebody else divided them: by what is known of them."""
        if facts.times is not None:
            return "chronological"
        return "random" if facts.groups is None else "grouped"

    def way(self, facts: RowFacts) -> Way:
        """How a missing subset is cut, and folds are made."""
        return _way_of(facts)

    def cut(self, facts: RowFacts) -> dict[Subset, NDArray[Any]]:
        """The subsets as they are, a missing one cut from training."""
        import numpy as np

        from dlcli.data.allocation import Order, divide

        named = self._named_rows(facts) if self.column else facts.subsets
        if not named:
            message = "the source has no subsets of its own"
            suggestion = "name the column that holds them: `split: {predefined: {column: ...}}`, or write `split: auto`"
            raise ConfigError(Problem("split-needs-subsets", message, suggestion, ("split",)))
        usable = facts.usable
        rows = {name: np.intersect1d(named[name], usable) if name in named else usable[:0] for name in SUBSETS}
        if not len(rows["train"]):
            message = "the predefined subsets leave no training rows"
            raise DataError(Problem("empty-subset", message, "name what training rows hold: `values`", ("split",)))
        shares: dict[Subset, float] = {"validation": self.validation, "test": self.test}
        missing = {name: share for name, share in shares.items() if share and not len(rows[name])}
        if missing:
            order = Order(self.way(facts), Seeds(self.seed).generator("split"), Gap(), ("split", self.part_name))
            cut = divide(facts, rows["train"], None, missing, order)
            rows |= {name: part for name, part in cut.items() if name == "train" or name in missing}
        return rows

    def test_rows(self, facts: RowFacts) -> NDArray[Any] | None:
        """The test rows that the column or the source names."""
        return self._named_rows(facts)["test"] if self.column else super().test_rows(facts)

    def _named_rows(self, facts: RowFacts) -> dict[Subset, NDArray[Any]]:
        """Rows by subset, from the column.

        Raises:
            DataError: a value names no subset.
        """
        import numpy as np

        from dlcli.data.literals import as_texts

        assert self.column is not None
        column = _column(facts, self.column, self.part_name)
        texts = column.texts() if isinstance(column, Coded) else np.array(as_texts(column), dtype=object)
        meant: dict[str, Subset] = {}
        for subset in SUBSETS:
            words = self.values.get(subset)
            meant |= dict.fromkeys(words if words is not None else _USUAL_VALUES[subset], subset)
        found = {word: _meaning(word, meant) for word in set(texts) if word}
        unknown = sorted(word for word, subset in found.items() if subset is None)
        if unknown:
            message = f"column {self.column} holds {', '.join(unknown[:5])}, which names no subset"
            unmet = sorted(word for words in self.values.values() for word in words if word not in found)
            if unmet:
                message += f", and no cell is {', '.join(unmet[:5])}, as `values` has it"
            suggestion = (
                "say what it means, for example `values: {validation: [dev]}`; an empty cell leaves a row unused"
            )
            raise DataError(Problem("unknown-subset", message, suggestion, ("split", self.part_name)))
        return {subset: np.flatnonzero([found.get(word) == subset for word in texts]) for subset in SUBSETS}


def _meaning(word: str, meant: Mapping[str, Subset]) -> Subset | None:
    """The subset that a cell names; case does not matter where the exact word is unknown."""
    return meant.get(word) or meant.get(word.lower())


def _way_of(facts: RowFacts) -> Way:
    """How rows are divided where the config leaves it open.

    Raises:
        ConfigError: both time and group are named, which ask for different ways.
    """
    if facts.times is not None and facts.groups is not None:
        message = "data names both time and group: no split follows both"
        raise ConfigError(
            Problem("split-kind", message, "write `split: chronological` or `split: grouped`", ("split",))
        )
    if facts.times is not None:
        return "chronological"
    if facts.groups is not None:
        return "grouped"
    return "random" if facts.labels is None else "stratified"


def _column(facts: RowFacts, name: str, split: str) -> Any:
    """A column of the source.

    Raises:
        DataError: it is not there.
    """
    column = facts.column(name) if facts.column is not None else None
    if column is None:
        message = f"there is no column {name}"
        raise DataError(Problem("missing-column", message, "name a column of the source", ("split", split)))
    return column
