"""Which column is what."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlcli.data.roles import Wanted, assign, groups, times, weights
from dlcli.problems import ConfigError, DataError
from dlcli.samples import Coded, Found, Samples

NAMES = ("id", "when", "x_1", "x_2", "patient", "w", "y")
FOUND = Found(Samples.of({name: Coded.of(["1", "2"]) for name in NAMES}))


def inputs(**wanted: Any) -> tuple[str, ...]:
    return assign(FOUND, ("y",), Wanted(**wanted)).inputs


def test_inputs_are_all_columns_without_another_role() -> None:
    assert inputs(ignore=("id",), time="when", group="patient", weight="w") == ("x_1", "x_2")


def test_inputs_and_ignore_take_globs() -> None:
    assert inputs(inputs=("x_*",)) == ("x_1", "x_2")
    assert inputs(ignore=("x_*", "id")) == ("when", "patient", "w")


def test_time_is_an_input_only_if_named() -> None:
    assert inputs(inputs=("x_1", "when"), time="when") == ("x_1", "when")
    assert inputs(inputs=("*",), time="when", ignore=("id", "w")) == ("x_1", "x_2", "patient")


def test_a_column_that_the_split_reads_is_no_input() -> None:
    assert "patient" not in inputs(reserved=("patient",))


def test_the_sources_own_inputs_count_where_none_are_named() -> None:
    assert assign(Found(FOUND.samples, inputs=("x_1",)), ("y",), Wanted()).inputs == ("x_1",)


def test_every_column_that_is_not_there_is_a_problem() -> None:
    with pytest.raises(DataError) as raised:
        inputs(ignore=("id", "x1"), group="patiemt")
    assert [(problem.path, problem.suggestion) for problem in raised.value.problems] == [
        (("data", "ignore", 1), "did you mean x_1?"),
        (("data", "group"), "did you mean patient?"),
    ]


@pytest.mark.parametrize("wanted", [{"weight": "y"}, {"inputs": ("x_1", "y")}, {"inputs": ("w",), "weight": "w"}])
def test_a_column_has_one_role(wanted: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as raised:
        inputs(**wanted)
    assert raised.value.problems[0].code == "column-in-two-roles"


def test_no_input_left_is_a_problem() -> None:
    with pytest.raises(DataError, match="no input column is left"):
        inputs(ignore=("*",))


def test_weights_are_numbers_from_zero() -> None:
    samples = Samples.of({"w": Coded.of(["0", "2.5"]), "bad": Coded.of(["1", "-1"]), "zero": np.zeros(2)})
    assert weights(samples, "w").tolist() == [0, 2.5]
    with pytest.raises(DataError, match="1 rows, first row 2"):
        weights(samples, "bad")
    with pytest.raises(DataError, match="0 in every row"):
        weights(samples, "zero")


def test_groups_are_numbered_and_none_may_be_missing() -> None:
    assert len(set(groups(Coded.of(["a", "b", "a"]), "g").tolist())) == 2
    with pytest.raises(DataError, match="group g is missing in 1 rows, first in row 2"):
        groups(Coded.of(["a", None]), "g")
    with pytest.raises(DataError, match="missing"):
        groups(np.array([1.0, np.nan]), "g")


def test_times_order_rows_whether_dates_or_numbers() -> None:
    assert np.argsort(times(Coded.of(["2024-02-01", "2023-12-31", "2024-01-15"]), "t")).tolist() == [1, 2, 0]
    assert np.argsort(times(Coded.of(["10", "9", "-1"]), "t")).tolist() == [2, 1, 0]
    with pytest.raises(DataError, match='but has "soon"'):
        times(Coded.of(["2024-01-01", "soon", "2024-01-02"]), "t")
    with pytest.raises(DataError, match="missing"):
        times(Coded.of(["2024-01-01", None]), "t")
