"""The data of an experiment, ready to train on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.data import hashes, sealed, slices, target
from dlcli.data.cache import DataShelf
from dlcli.data.leakage.findings import Finding
from dlcli.data.row_facts import RowFacts
from dlcli.data.windows import Series, require_some
from dlcli.events import Note
from dlcli.problems import DataError, Problem
from dlcli.samples import MISSING, Found, Samples, Schema, Subset

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Dataset:
    """What an experiment trains on. Row numbers are those of the source, counted after `data.where`.

    Attributes:
        samples: the input columns of every row, typed.
        schema: what they hold, as decided from all rows but the test rows.
        inputs: the source's input columns, before `data.shape` joined them.
        answer: goal and targets; those of test rows are gone.
        weight: (rows,) or None.
        weight_name: the column that it comes from.
        hashes: uint64 (rows,), over all columns of the source.
        contents: uint64 (rows,), less those columns that only say to which subset or fold a row belongs: rows with
            equal ones repeat each other.
        subsets: row numbers by subset.
        sealed: the targets of the test rows.
        facts: what splits and folds need to know of the rows.
        slices: of the columns whose values are scored one by one.
        groups: int64 (rows,), the number of each row's group, or None.
        times: (rows,), what orders rows in time, or None where their order in the source does or none is known.
        misfits: cells per column that did not fit its kind and count as missing.
        found: what the source said of itself.
        columns: every column of the source, and whether it holds text.
        series: the rows as series, where a row of the data set is a window over the rows of one: with the number of
            the row that it ends with.
        past: the targets of single rows of series (rows, targets), those of test rows missing; None for classes.
        single: row numbers by subset, where `subsets` are windows.
        findings: of the leak guard.
        shelf: where arrays that are made of the rows may lie; None where all must be in memory.
    """

    samples: Samples
    schema: Schema
    inputs: tuple[str, ...]
    answer: target.Answer
    weight: NDArray[np.float64] | None
    weight_name: str | None
    hashes: NDArray[np.uint64]
    contents: NDArray[np.uint64]
    subsets: Mapping[Subset, NDArray[np.int64]]
    sealed: sealed.SealedTargets
    facts: RowFacts
    slices: tuple[slices.Slices, ...]
    groups: NDArray[np.int64] | None
    times: NDArray[Any] | None
    misfits: Mapping[str, int]
    found: Found
    columns: Mapping[str, bool]
    series: Series | None = None
    past: NDArray[np.float64] | None = None
    single: Mapping[Subset, NDArray[np.int64]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    shelf: DataShelf | None = None

    @property
    def pool(self) -> NDArray[np.int64]:
        """Training and validation rows together; of windows those within them."""
        return self.within(self.pool_rows) if self.series else self.pool_rows

    @property
    def pool_rows(self) -> NDArray[np.int64]:
        """Training and validation rows together, as a split or folds divide them."""
        parts = self.single if self.series else self.subsets
        return np.sort(np.concatenate([parts["train"], parts["validation"]]))

    def within(
        self, rows: NDArray[np.int64], beside: NDArray[np.int64] | None = None, which: str = "rows"
    ) -> NDArray[np.int64]:
        """What is trained or scored on where rows are given: the rows themselves, or the windows that predict them.

        Args:
            rows: row numbers, none of a test row.
            beside: further rows that windows may see, with `context: earlier`.
            which: what the rows are called.

        Raises:
            DataError: there are rows, but no window fits into them.
        """
        if self.series is None:
            return rows
        seen = beside if self.series.window.context == "earlier" else None
        windows: NDArray[np.int64] = self.series.within(rows, seen)
        values = self.answer.values
        known = np.isfinite(values).all(axis=1) if values.ndim > 1 else values != MISSING
        windows = windows[known[windows]]
        hint = "take fewer folds, or write a smaller `length` or `horizon`"
        require_some(self.series, windows, rows, which, hint)
        return windows

    @property
    def data_hash(self) -> str:
        """One hash of all rows, in any order."""
        return hashes.subset_hash(self.hashes)

    @property
    def order_hash(self) -> str:
        """One hash of all rows as they follow each other."""
        return hashes.order_hash(self.hashes)

    def for_training(self) -> Dataset:
        """What a training needs of it, so that it can travel to another process: no targets of test rows."""
        none = np.zeros(0, dtype=np.int64)
        empty = sealed.SealedTargets(self.answer.values[:0], none, self.hashes[:0])
        return replace(
            self, hashes=self.hashes[:0], contents=self.contents[:0], sealed=empty, facts=RowFacts(self.facts.rows)
        )

    def numbers_in_source(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers that rows have in the source, of which some may have been left out."""
        return rows if self.found.numbers is None else self.found.numbers[rows]

    def require_weight(self, rows: NDArray[np.int64], which: str) -> None:
        """Refuses rows that are to be trained on or scored, but count for nothing: they have no mean loss or score.

        Args:
            rows: their numbers; there may be none.
            which: what one of them is called.

        Raises:
            DataError: the weight of each is 0.
        """
        if self.weight is not None and len(rows) and not self.weight[rows].any():
            message = f"weight {self.weight_name} is 0 in every {which}"
            hint = "name another column, or divide the rows otherwise"
            raise DataError(Problem("wrong-weight", message, hint, ("data", "weight")))

    def subset_hashes(self) -> dict[str, str]:
        """One hash per subset."""
        return {name: hashes.subset_hash(self.hashes[rows]) for name, rows in self.subsets.items()}


def misfit_warnings(misfits: Mapping[str, int]) -> tuple[Note, ...]:
    """A warning for each column with cells that do not fit its kind."""
    return tuple(
        Note(f"{count:,} cells of {name} do not fit its kind and count as missing", warning=True)
        for name, count in misfits.items()
    )
