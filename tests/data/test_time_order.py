"""Which columns of times order the rows of a table."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.data.literals import times
from dlcli.data.time_order import TimeOrder, time_order
from dlcli.samples import NO_TIME

DAY = 86_400
DAYS = np.arange(60) * DAY
SHUFFLED = np.random.default_rng(0).permutation(60)
PLACES = np.tile([0, 1], 60).astype(np.int32)
MONTHS = times([f"{1949 + month // 12}-{1 + month % 12:02}" for month in range(144)])[0]


@pytest.mark.parametrize(
    ("moments", "expected"),
    [
        (DAYS, TimeOrder(None, DAY, 60)),
        (DAYS[::-1], TimeOrder(None, DAY, 60)),
        (DAYS[SHUFFLED], TimeOrder(None, DAY, 60)),
        (np.delete(DAYS, [7, 8, 30]), TimeOrder(None, DAY, 57)),
        (MONTHS, TimeOrder(None, 31 * DAY, 144)),
        (DAYS**2, TimeOrder(None, None, 60)),  # in order, but uneven
        ((DAYS**2)[SHUFFLED], None),
        (np.repeat(DAYS, 3)[np.random.default_rng(0).permutation(180)], None),
        (np.where(np.arange(60) == 5, NO_TIME, DAYS), None),
        (np.full(60, DAY), None),
        (DAYS[:1], None),
    ],
)
def test_times_order_rows_that_are_evenly_apart_or_stand_in_their_order(
    moments: np.ndarray, expected: TimeOrder | None
) -> None:
    assert time_order(moments, {}) == expected


def test_a_category_may_tell_series_apart() -> None:
    moments = np.repeat(DAYS, 2)
    kinds = np.random.default_rng(0).integers(0, 3, 120).astype(np.int32)
    assert time_order(moments, {"kind": kinds, "place": PLACES}) == TimeOrder("place", DAY, 60)
    assert time_order(moments, {"kind": kinds}) is None
