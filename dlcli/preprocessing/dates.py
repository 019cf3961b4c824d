"""The step that turns dates into numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from dlcli.preprocessing import frames
from dlcli.preprocessing.tables import Keeping
from dlcli.samples import Block, Frame

Unit = Literal["year", "month", "day", "weekday", "hour", "minute", "second", "day_of_year", "days"]

_DAY_SECONDS = 86_400
_EARLIEST_SECONDS = -1e17
"""Long before any date that ISO 8601 can write; the mark of a missing one lies below."""


class DateParts(Keeping):
    """The parts of a date, in UTC, as numbers: Born_year, Born_month, Born_day, Born_weekday, Born_hour.

    Months and days are counted from 1, weekdays from 0 (Monday). `days` is the number of days since 1970,
    with fractions, in which a trend shows. The parts of a missing date are gaps: put `impute` behind.
    """

    part_name = "date_parts"
    example = "date_parts: {columns: Born, parts: [year, month, days]}"
    default_kinds = ("datetime",)
    accepted_kinds = ("datetime",)
    result_kind = "numeric"
    finishes = False

    parts: Annotated[
        tuple[Unit, ...],
        Field(
            min_length=1,
            description="year, month (1-12), day (1-31), weekday (0-6), hour, minute, second, day_of_year (1-366), "
            "days (since 1970).",
        ),
    ] = ("year", "month", "day", "weekday", "hour")

    @field_validator("parts")
    @classmethod
    def _distinct(cls, value: tuple[Unit, ...]) -> tuple[Unit, ...]:
        if twice := [part for part in value if value.count(part) > 1]:
            message = f"the parts name {twice[0]} twice"
            raise ValueError(message)
        return value

    def results(self, names: tuple[str, ...], taken: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        """Born: Born_year, Born_month, ..."""
        made: dict[str, tuple[str, ...]] = {}
        for name in names:
            others = (*taken, *(result for results in made.values() for result in results))
            made[name] = tuple(frames.free_name(f"{name}_{part}", others) for part in self.parts)
        return made

    def fit(self, frame: Frame, names: tuple[str, ...]) -> dict[str, Any]:  # noqa: ARG002 - there is nothing to learn
        """Nothing."""
        return {}

    def apply(self, frame: Frame, names: tuple[str, ...], state: Mapping[str, Any]) -> Frame:  # noqa: ARG002 - as above
        """A column for each part."""
        made = self.results(names, frame.names)

        def work(block: Block) -> Block:
            from keras import ops

            found = _parts(seconds(block), frozenset(self.parts))
            columns = ops.concatenate([found[part] for part in self.parts], axis=-1)
            return Block(made[block.names[0]], "numeric", columns)

        return frames.replaced(frame, names, work, keep=self.keep)


def seconds(block: Block) -> Any:
    """Seconds since 1970 in float64, NaN where a date is missing."""
    import numpy as np
    from keras import ops

    found = ops.cast(block.tensor, "float64")
    return ops.where(ops.less(found, _EARLIEST_SECONDS), np.array([np.nan]), found)


def _parts(moments: Any, wanted: frozenset[str]) -> dict[str, Any]:
    """Every wanted part. A NaN passes through all of them.

    The calendar is that of Howard Hinnant's `civil_from_days`: years begin in March, so that a leap day
    is the last day of a year; 400 years, an era, have 146,097 days.
    """
    from keras import ops

    days = ops.floor(moments / _DAY_SECONDS)
    of_day = moments - days * _DAY_SECONDS
    found = {
        "days": moments / _DAY_SECONDS,
        "hour": ops.floor(of_day / 3600),
        "minute": _remainder(ops.floor(of_day / 60), 60),
        "second": _remainder(ops.floor(of_day), 60),
        "weekday": _remainder(days + 3, 7),
    }
    if wanted <= found.keys():
        return found
    shifted = days + 719_468  # from 0000-03-01
    era = ops.floor(shifted / 146_097)
    of_era = shifted - era * 146_097
    years = ops.floor(
        (of_era - ops.floor(of_era / 1_460) + ops.floor(of_era / 36_524) - ops.floor(of_era / 146_096)) / 365
    )
    of_year = of_era - (365 * years + ops.floor(years / 4) - ops.floor(years / 100))
    month = ops.floor((5 * of_year + 2) / 153)  # 0 is March
    year = years + era * 400 + ops.floor(month / 10)
    leap = _divides(year, 4) - _divides(year, 100) + _divides(year, 400)
    return found | {
        "year": year,
        "month": month + 3 - 12 * ops.floor(month / 10),
        "day": of_year - ops.floor((153 * month + 2) / 5) + 1,
        # March to December follow 59 or 60 days of their year; January and February are its first ones.
        "day_of_year": of_year + 1 + 59 + leap - ops.floor(month / 10) * (365 + leap),
    }


def _remainder(number: Any, divisor: int) -> Any:
    from keras import ops

    return number - ops.floor(number / divisor) * divisor


def _divides(number: Any, divisor: int) -> Any:
    """1 where the number is a multiple, else 0; NaN stays."""
    from keras import ops

    return 1 - ops.sign(_remainder(number, divisor))
