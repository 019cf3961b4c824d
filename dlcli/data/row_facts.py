"""What dividing rows may know of them; targets only as labels to balance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from dlcli.samples import Subset

if TYPE_CHECKING:
    from numpy.typing import NDArray

Way = Literal["random", "stratified", "grouped", "hash", "chronological"]
"""How rows are divided once it is settled which; folds and inner sets are divided in the same way."""

SUBSETS: tuple[Subset, ...] = ("train", "validation", "test")


@dataclass(frozen=True, slots=True, eq=False)
class RowFacts:
    """What a split may know of the rows.

    Attributes:
        rows: how many rows the source has.
        pool: the rows that may be used; None for all.
        labels: class numbers (rows,), or 0/1 labels (rows, labels); None where the target is a number.
        class_names: names of classes or labels, for messages.
        groups: a group number per row.
        times: a number per row that orders rows.
        subsets: the source's own subsets.
        clusters: the number of each row's cluster of identical rows.
        keys: uint64 (rows,), the hash by which a row is dealt out; until the split says otherwise that of all its
            columns.
        folds: the number of the fold that each row validates, where a column names it; -1 for none.
        column: gives a column of the source by name, None if there is none.
    """

    rows: int
    pool: NDArray[Any] | None = None
    labels: NDArray[Any] | None = None
    class_names: tuple[str, ...] = ()
    groups: NDArray[Any] | None = None
    times: NDArray[Any] | None = None
    subsets: Mapping[Subset, NDArray[Any]] | None = None
    clusters: NDArray[Any] | None = None
    keys: NDArray[Any] | None = None
    folds: NDArray[Any] | None = None
    column: Callable[[str], Any] | None = None

    def clusters_of(self, rows: NDArray[Any]) -> NDArray[Any] | None:
        """The clusters of rows that are to be divided, if identical ones among them are to stay together."""
        from dlcli.data.leakage.repeats import clusters_to_keep

        return None if self.clusters is None else clusters_to_keep(self.clusters[rows])

    @property
    def usable(self) -> NDArray[Any]:
        """The rows that may be used, ascending."""
        import numpy as np

        return np.arange(self.rows) if self.pool is None else np.sort(self.pool)
