"""Persistence never looks ahead, stays in its series, and finds a season only where there is one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.evaluation import baselines
from dlcli.evaluation.baselines import Rows
from dlcli.evaluation.persistence import Past, season
from dlcli.task import Goal, Task

GOAL = Goal(Task.REGRESSION, ("sales",))


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)[:, None]


def persistence(past: Past, train: np.ndarray, kind: str = "persistence") -> np.ndarray:
    """What it says of every row, fitted on some of them."""
    found = baselines.fit(GOAL, Rows(train, past=past), past.truth[train], None, first_metric="rmse")
    (base,) = (each for each in found if each.kind == kind)
    return base.predict(Rows(np.arange(len(past.times)), past=past))[:, 0]


def test_the_row_before_in_time_answers_and_the_mean_where_there_is_none() -> None:
    past = Past(column(30, 10, 20), np.array([3, 1, 2]))
    np.testing.assert_array_equal(persistence(past, np.array([1, 2])), [20, 15, 10])


def test_each_group_has_its_own_past() -> None:
    past = Past(column(1, 100, 2, 200), np.arange(4), np.array([7, 3, 7, 3]))
    np.testing.assert_array_equal(persistence(past, np.array([0, 1]))[2:], [1, 100])


def test_rows_of_one_time_know_nothing_of_each_other() -> None:
    past = Past(column(5, 1, 2, 9), np.array([0, 1, 1, 2]))
    np.testing.assert_array_equal(persistence(past, np.array([0]))[1:], [5, 5, 2])


def test_an_unknown_row_is_stepped_over() -> None:
    past = Past(column(1, 2, np.nan, np.nan, 5), np.arange(5))
    np.testing.assert_array_equal(persistence(past, np.array([0, 1]))[2:], [2, 2, 2])
    assert past.row_before(2).tolist() == [-1, -1, 0, 1, 0]  # a season back, and another one where that is unknown


def test_an_answer_of_several_numbers_comes_from_one_row() -> None:
    past = Past(np.array([[1.0, 10], [2, np.nan], [3, 30]]), np.arange(3))
    assert past.row_before(1).tolist() == [-1, 0, 0]


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_no_answer_depends_on_the_row_itself_or_a_later_one(seed: int, lag: int) -> None:
    draw = np.random.default_rng(seed)
    times, groups = draw.integers(0, 12, 20), draw.integers(0, 3, 20)
    truth = np.where(draw.random((20, 1)) < 0.2, np.nan, draw.normal(size=(20, 1)))
    before = Past(truth, times, groups).row_before(lag)
    for row in range(20):
        hidden = np.where((times >= times[row])[:, None], np.nan, truth)
        assert Past(hidden, times, groups).row_before(lag)[row] == before[row]
        if before[row] >= 0:
            assert groups[before[row]] == groups[row]


MONTHS = np.arange(144)
SEASONAL = 100 + 2 * MONTHS + 20 * np.sin(2 * np.pi * MONTHS / 12)


def noise(rows: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=rows)


def of(values: np.ndarray) -> Past:
    return Past(values[:, None], np.arange(len(values)))


def test_the_season_of_a_series_with_a_trend() -> None:
    assert season(of(SEASONAL + 5 * noise(144))) == 12


def test_the_season_of_groups_is_that_of_each() -> None:
    values = np.concatenate([SEASONAL[:48] + noise(48), SEASONAL[3:51] + noise(48, 1)])
    assert season(Past(values[:, None], np.tile(np.arange(48), 2), np.repeat([0, 1], 48))) == 12


def test_the_season_is_one_of_known_rows() -> None:
    known = noise(144) > -1  # the rest are test rows
    assert season(of(np.where(known, SEASONAL + noise(144, 1), np.nan))) == 12


@pytest.mark.parametrize(
    "values",
    [
        noise(300),
        noise(1000).cumsum(),
        np.arange(100) * 0.1,
        np.full(100, 0.1),
        SEASONAL[:20],
        np.zeros(0),
        np.ones(3),
    ],
    ids=["noise", "walk", "line", "constant", "too-short", "empty", "three-rows"],
)
def test_no_season_where_there_is_none(values: np.ndarray) -> None:
    assert season(of(values)) is None


def test_few_series_of_noise_or_of_a_short_memory_seem_to_have_a_season() -> None:
    found = []
    for seed in range(60):
        shocks = noise(300, seed)
        memory = np.zeros(300)
        for step in range(1, 300):
            memory[step] = 0.8 * memory[step - 1] + shocks[step]
        found += [season(of(shocks)), season(of(memory))]
    assert sum(lag is not None for lag in found) <= 6


def test_seasonal_persistence_answers_with_the_row_a_season_before() -> None:
    past = of(SEASONAL + 5 * noise(144))
    answer = persistence(past, np.arange(100), "seasonal")
    np.testing.assert_array_equal(answer[12:], past.truth[:-12, 0])
    np.testing.assert_array_equal(answer[1:12], past.truth[:11, 0])


def test_the_season_is_found_in_training_rows_alone() -> None:
    """The season of the later rows does not show."""
    past = of(np.concatenate([noise(100), 50 * np.sin(np.arange(500))]))
    found = baselines.fit(GOAL, Rows(np.arange(100), past=past), past.truth[:100], None, first_metric="rmse")
    assert [each.kind for each in found] == ["persistence", "mean", "median"]
