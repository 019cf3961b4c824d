"""`history.csv`: what training reached, epoch by epoch."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from dlcli.problems import DataError, Problem

History = Mapping[str, Sequence[float | None]]
"""Columns by name, a value per epoch; None where there is no finite number."""


def read_history(path: Path) -> History:
    """The columns of a history; none where there is no such file.

    Raises:
        DataError: it is damaged.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            heads, *rows = csv.reader(file)
        columns = zip(*(map(_finite, row) for row in rows), strict=True) if rows else [()] * len(heads)
        return dict(zip(heads, columns, strict=True))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        problem = Problem("unreadable-run", f"cannot read {path}", "restore it or choose another run")
        raise DataError(problem) from error


def _finite(cell: str) -> float | None:
    value = float(cell) if cell else math.nan
    return value if math.isfinite(value) else None
