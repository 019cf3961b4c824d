"""Column types: what decides them, and what does not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.data import literals
from dlcli.data.kinds import convert, infer, overrides
from dlcli.problems import DataError
from dlcli.samples import NO_TIME, Coded, ColumnSchema, Kind, Samples, Schema


def table(**columns: Any) -> Samples:
    return Samples.of(
        {name: cells if isinstance(cells, np.ndarray) else Coded.of(cells) for name, cells in columns.items()}
    )


def kind_of(cells: Any, override: Kind | None = None) -> ColumnSchema:
    samples = table(x=cells)
    return infer(samples, ("x",), np.arange(samples.rows), {"x": override} if override else {}).columns["x"]


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2.5", ".5", "1e3", None, "NaN"], "numeric"),
        (["2024-01-31", "1949-12-01"], "datetime"),
        (["1949-01", "1949-02"], "datetime"),
        (["2016-07-01 00:00:00", "2016-07-01T01:00:00+02:00", None], "datetime"),
        (["yes", "no"] * 5, "categorical"),
        (["a", "b", "c"], "text"),
        (["1_000", "2_000", "3_000"] * 3, "categorical"),
        ([f"word {n}" for n in range(1001)] * 3, "text"),
        (["A/5 21171", "113803", "373450", "PC 17599"], "text"),
    ],
)
def test_a_kind_follows_from_the_cells(cells: list[str | None], kind: str) -> None:
    assert kind_of(cells).kind == kind


def test_numbers_but_for_one_token_are_a_problem_that_names_it_and_both_remedies() -> None:
    with pytest.raises(DataError) as raised:
        kind_of(["130", "165", "?", "150", "?"])
    (problem,) = raised.value.problems
    assert problem.code == "not-a-number"
    assert problem.message == 'column x is numeric but for "?" (2 cells)'
    assert "missing: ['?']" in problem.suggestion
    assert "categorical: [x]" in problem.suggestion


def test_a_few_faults_among_many_numbers_are_a_problem_too() -> None:
    cells = [str(n) for n in range(100)] + ["n.a.", "n.a.", "unknown"]
    with pytest.raises(DataError, match=r'numeric but for "n\.a\." \(2 cells\), "unknown" \(1 cell\)'):
        kind_of(cells)


def test_every_faulty_column_is_named_at_once() -> None:
    samples = table(a=["1", "2", "x"], b=[None, None, None], c=["1", "2", "3"])
    with pytest.raises(DataError) as raised:
        infer(samples, ("a", "b", "c"), np.arange(3), {})
    assert [problem.code for problem in raised.value.problems] == ["not-a-number", "empty-column"]


def test_a_list_in_the_config_overrules_what_cells_look_like() -> None:
    assert kind_of(["1", "2", "1", "2"], "categorical") == ColumnSchema(kind="categorical", dtype="string")
    assert kind_of(["1", "?", "1", "2"], "text").kind == "text"
    with pytest.raises(DataError, match="numeric but for"):
        kind_of(["a", "b", "1"], "numeric")
    with pytest.raises(DataError, match="is to hold times"):
        kind_of(["a", "b"], "datetime")


def test_test_rows_do_not_decide_and_their_misfits_count_as_missing() -> None:
    samples = table(x=["1", "2", "3", "oops", "4"])
    schema = infer(samples, ("x",), np.array([0, 1, 2]), {})
    typed, misfits = convert(samples, schema)
    np.testing.assert_array_equal(typed["x"], [1, 2, 3, np.nan, 4])
    assert misfits == {"x": 1}


def test_times_become_seconds_and_gaps_the_smallest_number() -> None:
    samples = table(x=["1970-01-02", None, "1970-01-01T01:00+01:00", "1969-12-31 23:59:59"])
    typed, _ = convert(samples, Schema(columns={"x": ColumnSchema(kind="datetime", dtype="int64")}))
    assert list(typed["x"]) == [86400, NO_TIME, 0, -1]


def test_arrays_keep_their_shape_and_images_their_bytes() -> None:
    assert kind_of(np.zeros((2, 28, 28), np.uint8)) == ColumnSchema(kind="image", shape=(28, 28, 1), dtype="uint8")
    assert kind_of(np.zeros((2, 8, 8, 3), np.float32)) == ColumnSchema(kind="image", shape=(8, 8, 3), dtype="float32")
    assert kind_of(np.zeros((2, 9), np.float32)) == ColumnSchema(kind="numeric", shape=(9,), dtype="float32")
    assert kind_of(np.zeros(2, np.int64)) == ColumnSchema(kind="numeric")
    assert kind_of(np.zeros((2, 28, 28), np.uint8), "numeric").kind == "numeric"


def test_numbers_named_as_categories_become_texts() -> None:
    samples = table(x=np.array([1.0, 2.5, np.nan]))
    typed, _ = convert(samples, Schema(columns={"x": ColumnSchema(kind="categorical", dtype="string")}))
    assert list(typed["x"].texts("-")) == ["1", "2.5", "-"]


def test_columns_that_are_absent_are_named_and_others_are_left_out() -> None:
    schema = Schema(columns={"a": ColumnSchema(kind="numeric"), "b": ColumnSchema(kind="numeric")})
    typed, _ = convert(table(c=["1"], b=["2"], a=["3"]), schema)
    assert list(typed) == ["a", "b"]
    with pytest.raises(DataError, match="column missing: b") as raised:
        convert(table(a=["1"]), schema)
    assert raised.value.problems[0].code == "missing-column"


def test_rows_of_another_shape_or_range_are_a_problem() -> None:
    schema = Schema(columns={"x": ColumnSchema(kind="image", shape=(2, 2, 1), dtype="uint8")})
    typed, _ = convert(table(x=np.full((1, 2, 2), 7.0)), schema)
    assert typed["x"].dtype == np.uint8
    with pytest.raises(DataError, match="have shape"):
        convert(table(x=np.zeros((1, 3, 2))), schema)
    with pytest.raises(DataError, match="no uint8 numbers"):
        convert(table(x=np.full((1, 2, 2), 0.5)), schema)


def test_kind_lists_name_columns_that_are_there_and_only_once() -> None:
    assert overrides({"numeric": ("a",), "text": None}, ("a", "b")) == {"a": "numeric"}
    with pytest.raises(DataError) as raised:
        overrides({"numeric": ("a", "z"), "text": ("a",)}, ("a", "b"))
    assert [problem.path for problem in raised.value.problems] == [("data", "numeric", 1), ("data", "text", 0)]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)))
def test_every_number_is_read_back_from_its_text(values: list[float]) -> None:
    read, fits = literals.numbers([repr(value) for value in values])
    assert fits.all()
    np.testing.assert_array_equal(read, np.array(values, dtype=np.float64))


@pytest.mark.parametrize("text", ["inf", "-Infinity", "1e999", "1_000", "0x10", "١", "1,5", "", "1 2", "--1"])  # noqa: RUF001 - another digit
def test_what_is_no_finite_decimal_number_does_not_fit(text: str) -> None:
    values, fits = literals.numbers([text, "1"])
    assert (np.isnan(values[0]), list(fits)) == (True, [False, True])
