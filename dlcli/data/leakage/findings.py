"""What the leak guard works on, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dlcli.data.row_facts import Way
from dlcli.samples import Coded, Samples, Schema, Subset
from dlcli.task import Goal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CODES = {
    "shared-rows": "identical rows stand in two subsets",
    "shared-inputs": "rows of two subsets have the same inputs (decoded pixels, normalised text, cells), not by chance",
    "contradicting-rows": "rows have the same inputs but different targets, not by chance",
    "near-duplicates": "images or texts of two subsets are almost the same",
    "shared-groups": "a group has rows in two subsets",
    "training-after-test": "training rows are later than rows that are scored",
    "id-like-column": "an input numbers or names the rows",
    "answer-in-column": "one input alone gives the target away",
    "missing-class": "a subset lacks a class",
    "distribution-shift": "an input has other values outside training than in it, beyond chance and usual drift",
    "missing-only-later": "an input has gaps outside the training rows only",
    "sorted-by-class": "rows are sorted by class where their order matters",
}
"""Every kind of finding and what it means."""
COPIES = "if copies of one thing stand on both sides, keep one, or name what they share as `group` under data"
"""What to do about rows that are alike."""
SHOWN = 5
"""So many names or row numbers are told in a sentence."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that may make a score too good, or a training worse than it need be.

    Attributes:
        code: a key of `CODES`.
        message: what was found, in numbers.
        suggestion: what to do about it.
        columns: the columns that it is about.
        rows: the first of the rows that it is about; they count from 1.
    """

    code: str
    message: str
    suggestion: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The finding as one line."""
        numbers = ", ".join(f"{row:,}" for row in self.rows)
        rows = f" (row{'s' if len(self.rows) > 1 else ''} {numbers}{', ...' if len(self.rows) == SHOWN else ''})"
        hint = f"; {self.suggestion}" if self.suggestion else ""
        return f"{self.code}: {self.message}{rows if self.rows else ''}{hint}"

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "code": self.code,
            "message": self.message,
            "suggestion": self.suggestion or None,
            "columns": list(self.columns),
            "rows": list(self.rows),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Border:
    """Rows that are scored, and those that such a score must not know of.

    Attributes:
        here: the subset that is scored; empty for folds.
        there: where the others stand, for a sentence.
        pairs: the numbers of the scored rows and of the others; for folds a pair each.
    """

    here: str
    there: str
    pairs: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]

    @property
    def scored(self) -> int:
        """How many rows are scored."""
        return sum(len(here) for here, _ in self.pairs)

    def counted(self, count: int, noun: str) -> str:
        """So many of them: `2 test rows`, for folds `2 rows`."""
        return f"{count:,} " + (f"{self.here} " if self.here else "") + (noun if count == 1 else noun + "s")

    def of_all(self, count: int) -> str:
        """So many of all: `2 of 50 test rows`, for folds `2 of 50 rows`."""
        return f"{count:,} of {self.scored:,} " + (f"{self.here} rows" if self.here else "rows")

    def found(self, where: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]) -> NDArray[np.int64]:
        """What is found at any of the pairs, each row once, ascending."""
        import numpy as np

        return np.unique(np.concatenate([where(here, there) for here, there in self.pairs]))


@dataclass(frozen=True, slots=True, eq=False)
class Divided:
    """Rows that were divided. Targets of test rows are not among it, but for which classes occur.

    Attributes:
        samples: the typed input columns of every row.
        schema: what they hold.
        subsets: row numbers by subset.
        hashes: uint64 (rows,), over all columns of the source but those that name subsets or folds.
        goal: what is predicted.
        values: class numbers (rows,), or numbers (rows, targets); -1 or NaN in test rows.
        present: by subset, the classes (or labels) of which it has rows.
        way: how the rows were divided.
        groups: the number of each row's group.
        times: what orders rows in time.
        shuffled: whether training draws a new order of its rows.
        windowed: whether the network sees windows over the rows.
        folds: the rows that train for each fold and those that it scores, where folds divide the training rows;
            of several repeats, the first.
    """

    samples: Samples
    schema: Schema
    subsets: Mapping[Subset, NDArray[np.int64]]
    hashes: NDArray[np.uint64]
    goal: Goal
    values: NDArray[Any]
    present: Mapping[Subset, NDArray[np.bool_]]
    way: Way
    groups: NDArray[np.int64] | None = None
    times: NDArray[Any] | None = None
    shuffled: bool = True
    windowed: bool = False
    folds: tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...] = ()

    @property
    def known(self) -> NDArray[np.int64]:
        """Training and validation rows, ascending: the rows whose targets may be looked at."""
        import numpy as np

        rows = [rows for name, rows in self.subsets.items() if name != "test"]
        return np.sort(np.concatenate(rows)) if rows else np.zeros(0, dtype=np.int64)

    def single_values(self) -> dict[str, NDArray[Any]]:
        """Inputs with one number, time or category (its code) a row."""
        import numpy as np

        found: dict[str, NDArray[Any]] = {}
        for name, column in self.samples.items():
            if isinstance(column, Coded):
                if self.schema.columns[name].kind == "categorical":
                    found[name] = column.codes
            elif isinstance(column, np.ndarray) and column.ndim == 1:
                found[name] = column
        return found

    def borders(self, *, each: bool = False) -> Iterator[Border]:
        """Each subset that has rows, with those before it, together or each alone; then the folds."""
        import numpy as np

        names = [name for name in self.subsets if len(self.subsets[name])]
        for number, later in enumerate(names):
            before = names[:number]
            if each:
                yield from (Border(later, name, ((self.subsets[later], self.subsets[name]),)) for name in before)
            elif before:
                rows = np.concatenate([self.subsets[name] for name in before])
                yield Border(later, "an earlier subset", ((self.subsets[later], rows),))
        if self.folds:
            yield Border("", "another fold", tuple((scored, train) for train, scored in self.folds))


def listed(names: tuple[str, ...] | list[str]) -> str:
    """Names for a sentence, the first few."""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def first_rows(rows: NDArray[np.int64]) -> tuple[int, ...]:
    """The first row numbers as a person counts, from 1."""
    import numpy as np

    return tuple(int(row) + 1 for row in np.sort(rows)[:SHOWN])
