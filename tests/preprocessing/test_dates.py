"""The parts of dates."""

from __future__ import annotations

import datetime
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlcli.preprocessing.dates import DateParts, Unit
from dlcli.preprocessing.gaps import Impute
from tests.preprocessing.columns import results

ALL = get_args(Unit)
EPOCH = datetime.datetime(1970, 1, 1)


@given(st.lists(st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31)), min_size=1, max_size=20))
def test_parts_are_those_of_the_calendar(moments):
    moments = [moment.replace(microsecond=0) for moment in moments]
    found = results({"t": np.array(moments, dtype="datetime64[s]")}, DateParts(parts=ALL))
    for name in ("year", "month", "day", "hour", "minute", "second"):
        assert found[f"t_{name}"] == [getattr(moment, name) for moment in moments]
    assert found["t_weekday"] == [moment.weekday() for moment in moments]
    assert found["t_day_of_year"] == [moment.timetuple().tm_yday for moment in moments]
    assert found["t_days"] == pytest.approx([(moment - EPOCH).total_seconds() / 86_400 for moment in moments])


def test_a_missing_date_has_missing_parts():
    dates = np.array(["2024-05-31T23:59", "NaT"], dtype="datetime64[s]")
    found = results({"t": dates}, DateParts(parts=ALL), Impute(**{"with": "-1"}))
    assert [column[1] for column in found.values()] == [-1] * len(ALL)


def test_parts_have_the_date_s_name_and_place():
    dates = np.array(["2024-05-31"], dtype="datetime64[s]")
    found = results({"a": [1], "born": dates, "z": [2]}, DateParts(parts=("year", "days")))
    assert list(found) == ["a", "born_year", "born_days", "z"]


@pytest.mark.parametrize("parts", [("year", "year"), (), ("century",)])
def test_parts_are_known_ones_each_once(parts):
    with pytest.raises(ValidationError):
        DateParts(parts=parts)
