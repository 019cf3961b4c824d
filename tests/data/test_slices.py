"""Slices: the rows of one value of a column."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.data.slices import MOST_VALUES, Slices, cut
from dlcli.problems import DataError
from dlcli.samples import Coded, Ragged, Samples


def sliced(column: object, known: int | None = None) -> Slices:
    samples = Samples.of({"x": column})
    (found,) = cut(samples, ["x"], np.arange(samples.rows if known is None else known))
    return found


def rows_of(found: Slices, count: int) -> dict[str, list[int]]:
    return {name: places.tolist() for name, places in found.of(np.arange(count))}


def test_words_are_sliced_by_value_and_gaps_are_one_too() -> None:
    found = sliced(Coded.of(["b", "a", None, "b"]))
    assert rows_of(found, 4) == {"a": [1], "b": [0, 3], "missing": [2]}


def test_numbers_in_few_values_are_sliced_by_value() -> None:
    assert rows_of(sliced(np.array([2.0, 1.0, 2.0, np.nan])), 4) == {"1": [1], "2": [0, 2], "missing": [3]}


def test_numbers_in_text_are_numbers() -> None:
    assert rows_of(sliced(Coded.of(["10", "9", None])), 3) == {"9": [1], "10": [0], "missing": [2]}


def test_many_numbers_are_cut_at_their_quartiles() -> None:
    found = sliced(np.arange(100.0))
    assert [len(places) for _, places in found.of(np.arange(100))] == [25, 25, 25, 25]
    assert found.names[0] == "0 to 24.75"


def test_large_numbers_are_told_apart() -> None:
    assert sliced(np.array([1234567.0, 1234568.0, 1e-5, 0.3])).names == ("1e-05", "0.3", "1234567", "1234568")
    assert sliced(np.arange(40_000.0, 40_005.0, 0.1)).names[0] == "40000 to 40001"
    assert sliced(np.array([1.00000001, 1.00000002])).names == ("1.00000001", "1.00000002")


def test_dates_are_cut_at_their_quartiles() -> None:
    days = (np.datetime64("2020-01-01") + np.arange(101)).astype(str).tolist()
    found = sliced(Coded.of([*days, None]))
    assert found.names[0] == "2020-01-01 to 2020-01-26"
    assert [len(places) for places in rows_of(found, 102).values()] == [25, 25, 25, 26, 1]
    assert found.names[-1] == "missing"
    hours = [f"2020-01-01 {number // 60:02}:{number % 60:02}" for number in range(101)]
    assert sliced(Coded.of(hours)).names[0] == "2020-01-01T00:00:00 to 2020-01-01T00:25:00"


def test_quartiles_come_from_known_rows_alone() -> None:
    column = np.concatenate([np.arange(100.0), np.full(100, 1e6)])
    assert sliced(column, known=100).names == sliced(np.arange(100.0)).names


def test_unknown_rows_do_not_decide_whether_there_are_few_values() -> None:
    column = np.concatenate([np.tile([1.0, 2.0], 50), np.arange(100.0)])
    assert sliced(column, known=100).names == ("1", "2")


def test_of_many_words_the_most_frequent_are_slices() -> None:
    words = [f"w{number:02}" for number in range(30)] + ["w29"] * 3
    found = sliced(Coded.of(words))
    assert len(found.names) == MOST_VALUES
    assert "w29" in found.names
    assert rows_of(found, len(words))["w29"] == [29, 30, 31, 32]


def test_slices_of_some_rows_give_places_among_them() -> None:
    found = sliced(Coded.of(["a", "b", "a"]))
    assert {name: places.tolist() for name, places in found.of(np.array([2, 1]))} == {"a": [0], "b": [1]}


def test_a_column_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(DataError, match="no column Gendr") as caught:
        cut(Samples.of({"Gender": np.zeros(2)}), ["Gendr"], np.arange(2))
    assert caught.value.problems[0].suggestion == "did you mean Gender?"


@pytest.mark.parametrize("column", [np.zeros((2, 3, 3)), Ragged.of([np.zeros(1), np.zeros(2)])])
def test_images_and_sequences_have_no_values(column: object) -> None:
    with pytest.raises(DataError, match="no single values"):
        cut(Samples.of({"x": column}), ["x"], np.arange(2))
