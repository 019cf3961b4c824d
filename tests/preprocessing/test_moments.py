"""Statistics of columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dlcli.preprocessing import moments

TABLES = arrays(np.float64, st.tuples(st.integers(2, 30), st.integers(1, 4)), elements=st.floats(-1e6, 1e6))


@given(TABLES)
def test_mean_and_deviation_agree_with_numpy(values):
    mean, std = moments.mean_and_std(values)
    assert mean == pytest.approx(values.mean(axis=0), rel=1e-9, abs=1e-9)
    assert std == pytest.approx(values.std(axis=0), rel=1e-7, abs=1e-7)


@given(arrays(np.float64, (7, 2), elements=st.floats(allow_nan=True, allow_infinity=True)))
def test_no_value_makes_a_statistic_that_json_cannot_hold(values):
    found = (*moments.mean_and_std(values), *moments.extremes(values), moments.median(values), moments.mode(values))
    assert np.isfinite(found).all()


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 9))
def test_a_constant_column_has_exactly_its_mean_and_deviation_0(value, count):
    mean, std = moments.mean_and_std(np.full((count, 1), value))
    assert mean[0] == value
    assert std[0] == 0


def test_parts_do_not_change_the_result(monkeypatch):
    values = np.random.default_rng(0).normal(5, 2, (1000, 3))
    whole = moments.mean_and_std(values)
    monkeypatch.setattr(moments, "_CELLS_AT_ONCE", 50)
    for one, other in zip(whole, moments.mean_and_std(values), strict=True):
        assert one == pytest.approx(other, rel=1e-12)


def test_axes_before_the_last_are_taken_together():
    images = np.random.default_rng(0).integers(0, 256, (20, 4, 5, 3)).astype(np.uint8)
    mean, std = moments.mean_and_std(images)
    assert mean == pytest.approx(images.mean(axis=(0, 1, 2)))
    assert std == pytest.approx(images.std(axis=(0, 1, 2)))


def test_of_equally_frequent_values_the_smallest_is_the_mode():
    assert moments.mode(np.array([[3.0], [1], [3], [1], [2]])) == [1]
