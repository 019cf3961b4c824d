"""What is left out at a border in time: a number of rows, or a span of time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from dlcli.problems import ConfigError, Problem

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.data.row_facts import RowFacts

_DURATION = re.compile(r"([0-9]+) ?(seconds?|s|minutes?|min|hours?|h|days?|d|weeks?|w)")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def _checked(text: str) -> str:
    if not _DURATION.fullmatch(text):
        message = "must be a number of rows, or a time such as 24 hours, 7 days, 30 minutes"
        raise ValueError(message)
    return text


Duration = Annotated[str, AfterValidator(_checked)]
"""`7 days`, `24 h`, `30min`: whole seconds, minutes, hours, days or weeks."""


def seconds(duration: str) -> int:
    """How long a duration is."""
    found = _DURATION.fullmatch(duration)
    assert found is not None
    return int(found[1]) * _SECONDS[found[2][0]]


def duration(seconds: int) -> str:
    """How long so many seconds are, in the largest unit of which they are a whole number."""
    units = {"day": 86_400, "hour": 3_600, "minute": 60, "second": 1}
    unit, size = next((name, size) for name, size in units.items() if seconds % size == 0)
    count = seconds // size
    return f"{count:,} {unit}" + ("s" if count != 1 else "")


@dataclass(frozen=True, slots=True)
class Gap:
    """What is left out before each border: so many rows, or the rows of so many seconds."""

    rows: int = 0
    seconds: int = 0

    @classmethod
    def of(cls, written: int | str) -> Gap:
        """Reads rows or a duration."""
        return cls(rows=written) if isinstance(written, int) else cls(seconds=seconds(written))

    def before(self, facts: RowFacts, ordered: NDArray[np.int64], start: int) -> int:
        """Where the rows that come before a border end.

        Args:
            facts: with the time of every row.
            ordered: row numbers in order of time.
            start: the place in `ordered` of the first row behind the border.

        Returns:
            a place in `ordered`; 0 where no row is early enough.

        Raises:
            ConfigError: a time is to be left out where none is known in seconds.
        """
        if not self.seconds:
            return max(start - self.rows, 0)
        import numpy as np

        if facts.times is None or facts.times.dtype.kind != "i":
            message = "a gap in time needs dates, but the order of these rows is not told by any"
            suggestion = "name the column of dates (`time` under data), or write the gap as a number of rows"
            raise ConfigError(Problem("gap-needs-dates", message, suggestion, ("split", "chronological", "gap")))
        if start >= len(ordered):
            return len(ordered)
        times = facts.times[ordered]
        return min(int(np.searchsorted(times, times[start] - self.seconds)), start)
