"""Windows over series: inside their subset, in order of time, never across two series."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dlcli.data.folds import folds
from dlcli.data.row_facts import RowFacts
from dlcli.data.splits import Chronological, Grouped
from dlcli.data.window_section import Window
from dlcli.data.windows import Series
from dlcli.problems import DataError
from dlcli.workflows.series import naive_errors, windowed_subsets

WINDOWS = st.builds(
    Window,
    length=st.integers(1, 6),
    horizon=st.integers(0, 4),
    gap=st.integers(0, 3),
    sequence_stride=st.integers(1, 3),
    sampling_rate=st.integers(1, 3),
    context=st.sampled_from(["own", "earlier"]),
)


@st.composite
def series(draw: st.DrawFn) -> tuple[Series, np.ndarray, np.ndarray]:
    """Rows of some series in no order, with their times and series."""
    count, seed, several = draw(st.integers(40, 160)), draw(st.integers(0, 99)), draw(st.integers(1, 3))
    window = draw(WINDOWS)
    generator = np.random.default_rng(seed)
    which, times = generator.integers(0, several, count), generator.permutation(count) * 60
    if not window.horizon:
        window = window.model_copy(update={"gap": 0})
    return Series.of(window, np.arange(count), count, times, which), times, which


def seen(each: Series, windows: np.ndarray) -> np.ndarray:
    return each.ending_at_each_row().take(windows).rows()


@given(series(), st.integers(0, 5))
def test_windows_lie_within_their_subset_and_see_only_the_past(
    drawn: tuple[Series, np.ndarray, np.ndarray], gap: int
) -> None:
    each, times, which = drawn
    subsets = Chronological(validation=0.25, test=0.25, gap=gap).cut(RowFacts(len(times), times=times))
    try:
        windows = windowed_subsets(each, subsets, np.ones(len(times), dtype=bool))
    except DataError:
        assume(False)
    targets = {name: set(each.target_rows(numbers).ravel().tolist()) for name, numbers in windows.items()}
    assert not (targets["train"] & targets["validation"])
    assert not (targets["validation"] & targets["test"])
    for name, numbers in windows.items():
        assert targets[name] <= set(subsets[name].tolist())
        inputs, aims = seen(each, numbers), each.target_rows(numbers)
        if each.window.context == "own" or name == "train":
            assert set(inputs.ravel().tolist()) <= set(subsets[name].tolist())
        assert (inputs[:, -1] == numbers).all()
        assert (np.diff(times[inputs], axis=1) > 0).all()
        assert (np.diff(times[aims], axis=1) > 0).all()
        assert (times[aims[:, 0]] > times[numbers]).all() == bool(each.window.horizon) or not len(numbers)
        assert (which[inputs] == which[numbers][:, None]).all()
        assert (which[aims] == which[numbers][:, None]).all()
    if each.window.context == "own":
        everything = [set(seen(each, numbers).ravel().tolist()) for numbers in windows.values()]
        assert not everything[0] & everything[1]
        assert not everything[1] & everything[2]


@given(series())
def test_a_window_and_its_target_are_so_many_rows_of_the_series_apart(
    drawn: tuple[Series, np.ndarray, np.ndarray],
) -> None:
    each, times, which = drawn
    window, every = each.window, each.within(np.arange(len(times)))
    for number in every:
        own = np.flatnonzero(which == which[number])
        own = own[np.argsort(times[own])]
        end = int(np.flatnonzero(own == number)[0])
        rate = window.sampling_rate
        assert (
            seen(each, np.array([number]))[0].tolist()
            == own[end - (window.length - 1) * rate : end + 1 : rate].tolist()
        )
        start = end + window.gap + 1 if window.horizon else end
        assert each.target_rows(np.array([number]))[0].tolist() == own[start : start + max(window.horizon, 1)].tolist()
    if window.sequence_stride == 1:
        lengths = np.bincount(which)
        assert len(every) == np.maximum(lengths - window.span + 1, 0).sum()


@given(series(), st.integers(2, 4))
def test_folds_follow_time_and_their_windows_too(drawn: tuple[Series, np.ndarray, np.ndarray], count: int) -> None:
    each, times, _ = drawn
    for train, part in folds(Chronological(), RowFacts(len(times), times=times), count, 0, np.arange(len(times))):
        before, after = each.within(train), each.within(part, train)
        if len(before) and len(after):
            assert times[each.target_rows(before)].max() < times[each.target_rows(after)].min()
            assert times[seen(each, before)].max() < times[each.target_rows(after)].min()


def test_whole_series_go_to_one_subset() -> None:
    which, times = np.repeat(np.arange(10), 20), np.tile(np.arange(20), 10)
    each = Series.of(Window(length=5), np.arange(200), 200, times, which)
    subsets = Grouped(validation=0.2, test=0.2).cut(RowFacts(200, groups=which))
    windows = windowed_subsets(each, subsets, np.ones(200, dtype=bool))
    assert sum(len(numbers) for numbers in windows.values()) == 10 * 15
    assert [len(set(which[numbers].tolist())) for numbers in windows.values()] == [6, 2, 2]


def test_a_row_without_target_is_seen_but_not_predicted() -> None:
    each, known = Series.of(Window(length=3), np.arange(20), 20, None, None), np.arange(20) != 10
    none = np.arange(0)
    windows = windowed_subsets(each, {"train": np.arange(20), "validation": none, "test": none}, known)["train"]
    assert 9 not in windows.tolist()
    assert 10 in windows.tolist()


def test_a_stride_counts_from_the_first_window_of_each_series() -> None:
    each = Series.of(Window(length=3, sequence_stride=4), np.arange(20), 20, None, np.repeat([0, 1], 10))
    assert each.within(np.arange(20)).tolist() == [2, 6, 12, 16]


def test_two_rows_of_one_moment_need_a_column_that_tells_them_apart() -> None:
    times = np.repeat(np.arange(10), 2)
    with pytest.raises(DataError, match="10 rows have the time of another row of their series, first rows 1 and 2"):
        Series.of(Window(length=2), np.arange(20), 20, times, None)
    assert len(Series.of(Window(length=2), np.arange(20), 20, times, np.tile([0, 1], 10)).whole()) == 18


def test_a_subset_that_is_too_short_for_a_window_says_so() -> None:
    each = Series.of(Window(length=8), np.arange(30), 30, None, None)
    subsets = Chronological(validation=5, test=5).cut(RowFacts(30))
    with pytest.raises(DataError, match="no window fits into the 5 validation rows: one needs 9 in a row"):
        windowed_subsets(each, subsets, np.ones(30, dtype=bool))
    earlier = Series.of(Window(length=8, context="earlier"), np.arange(30), 30, None, None)
    assert {name: len(rows) for name, rows in windowed_subsets(earlier, subsets, np.ones(30, dtype=bool)).items()} == {
        "train": 12, "validation": 5, "test": 5
    }  # fmt: skip


def test_the_naive_error_is_the_mean_change_within_series_and_training_rows() -> None:
    each = Series.of(Window(length=1), np.arange(6), 6, None, np.array([0, 0, 0, 1, 1, 1]))
    values = np.array([[1.0], [2.0], [4.0], [100.0], [103.0], [999.0]])
    assert naive_errors(each, values, np.arange(5)).tolist() == [2.0]
