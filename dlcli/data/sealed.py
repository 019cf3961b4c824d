"""The test targets, handed out only after the look has been written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.data.target import Answer


class SealedTargets:
    """Targets of the test rows. Only `open` gives them, and it logs first.

    Attributes:
        rows: row numbers of the test rows.
        hashes: hashes of those rows.
    """

    __slots__ = ("__values", "hashes", "rows")

    def __init__(self, values: NDArray[Any], rows: NDArray[np.int64], hashes: NDArray[np.uint64]) -> None:
        self.__values = values
        self.rows = rows
        self.hashes = hashes

    def open(self, log: Callable[[NDArray[np.uint64]], None]) -> NDArray[Any]:
        """The targets, in the order of `rows`, once `log` has written down which rows are looked at.

        An error in `log` passes through, and nothing is handed out.
        """
        log(self.hashes)
        return self.__values.copy()


def seal(answer: Answer, test_rows: NDArray[np.int64], hashes: NDArray[np.uint64]) -> tuple[Answer, SealedTargets]:
    """Takes the test targets out of an answer.

    Args:
        answer: the targets of all rows.
        test_rows: the rows to seal.
        hashes: the hash of every row of the source.

    Returns:
        the answer, in which test targets are missing (-1 or NaN), and the sealed ones.
    """
    values = answer.values.copy()
    sealed = SealedTargets(values[test_rows], test_rows, hashes[test_rows])
    values[test_rows] = -1 if values.dtype.kind == "i" else np.nan
    return replace(answer, values=values), sealed
