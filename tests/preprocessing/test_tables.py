"""What each table step makes of its columns."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from dlcli.preprocessing.categories import OneHot, Ordinal
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.scales import MinMax, Standardize
from dlcli.preprocessing.tables import Drop
from dlcli.problems import ConfigError, DataError
from tests.preprocessing.columns import results

NAN, INF = float("nan"), float("inf")


def impute(with_: str, **fields: object) -> Impute:
    return Impute(**{"with": with_, **fields})


@pytest.mark.parametrize(
    ("values", "ddof", "expected"),
    [
        ([1.3, 1.34, 1.25], 0, [0.09, 1.18, -1.27]),
        ([1.3, 1.34, 1.25], 1, [0.07, 0.96, -1.03]),
        ([110_000, 98_700, 135_000], 0, [-0.30, -1.05, 1.35]),
        ([110_000, 98_700, 135_000], 1, [-0.25, -0.85, 1.10]),
        ([7.1, 7.1, 7.1], 0, [0, 0, 0]),
        ([1e200, -1e200], 0, [1, -1]),
        ([1e-200, -1e-200], 0, [1, -1]),
        ([1.6e9 + 1, 1.6e9 + 3], 0, [-1, 1]),
    ],
)
def test_standardize_gives_mean_0_and_deviation_1(values, ddof, expected):
    assert results({"x": values}, Standardize(ddof=ddof))["x"] == pytest.approx(expected, abs=0.006)


def test_standardize_ignores_gaps_and_infinity_when_it_learns():
    found = results({"x": [1, 3, None, INF]}, Standardize(), impute("-9", columns=("x",)))
    assert found["x"] == [-1, 1, -9, -9]


def test_standardize_keeps_the_original_beside_the_result_when_asked():
    found = results({"Age": [1, 3], "z": [5, 6]}, Standardize(columns=("Age",), keep=True))
    assert found == {"Age": [1, 3], "Age_standardize": [-1, 1], "z": [5, 6]}


@pytest.mark.parametrize(
    ("values", "ends", "expected"),
    [
        ([0, 5, 10], (0.0, 1.0), [0, 0.5, 1]),
        ([0, 5, 10], (-1.0, 1.0), [-1, 0, 1]),
        ([4, 4, 4], (0.0, 1.0), [0, 0, 0]),
        ([4, 4, 4], (2.0, 3.0), [2, 2, 2]),
    ],
)
def test_min_max_maps_to_the_ends_of_its_range(values, ends, expected):
    assert results({"x": values}, MinMax(range=ends))["x"] == expected


def test_min_max_lets_other_rows_lie_outside_the_range():
    assert results({"x": [0, 10, 20]}, MinMax(), train=2)["x"] == [0, 1, 2]


def test_min_max_refuses_a_range_that_does_not_rise():
    with pytest.raises(ValidationError, match="the range must rise"):
        MinMax(range=(1.0, 0.0))


@pytest.mark.parametrize(("with_", "fill"), [("mean", 3.25), ("median", 2.5), ("mode", 1), ("0", 0), ("-1.5", -1.5)])
def test_impute_fills_gaps_and_infinity(with_, fill):
    assert results({"x": [1, 1, 4, 7, None, INF, -INF]}, impute(with_))["x"] == [1, 1, 4, 7, fill, fill, fill]


def test_impute_takes_its_value_from_training_rows_only():
    assert results({"x": [1, 3, None, 100, 200]}, impute("median"), train=3)["x"][2] == 2


def test_impute_marks_gaps_in_columns_that_have_some_in_training():
    found = results({"a": [1, None, 3], "b": [1, 2, None]}, impute("mean", indicator=True), train=2)
    assert found == {"a": [1, 1, 3], "a_missing": [0, 1, 0], "b": [1, 2, 1.5]}


def test_impute_fills_a_column_without_any_value_with_0():
    assert results({"x": [None, None], "y": [1, 2]}, impute("median"))["x"] == [0, 0]


@pytest.mark.parametrize(("with_", "filled"), [("mode", "b"), ("a", "a")])
def test_impute_fills_categories_with_the_most_frequent_or_a_text(with_, filled):
    found = results(
        {"c": ["a", "b", "b", None]}, impute(with_, columns=("c",), indicator=True), OneHot(unknown="zeros")
    )
    assert found[f"c_{filled}"][3] == 1
    assert found["c_missing"] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("column", "with_", "sentence"),
    [
        ([1.0, 2.0], "medain", "cannot fill the numeric column x with medain"),
        ([1.0, 2.0], "nan", "cannot fill the numeric column x with nan"),
        (["a", "b"], "median", "cannot take the median of x, which is categorical"),
    ],
)
def test_impute_refuses_what_does_not_fit_the_column(column, with_, sentence):
    with pytest.raises(ConfigError, match=sentence) as error:
        results({"x": column}, impute(with_, columns=("x",)), OneHot() if column[0] == "a" else Standardize())
    assert error.value.problems[0].path == ("preprocessing", 0, "impute", "with")


def test_one_hot_of_three_categories():
    found = results({"c": ["y", "x", "z"]}, OneHot(unknown="zeros"))
    assert found == {"c_x": [0, 1, 0], "c_y": [1, 0, 0], "c_z": [0, 0, 1]}


def test_four_houses_with_their_city_make_seven_inputs():
    houses = {
        "area": [32, 25, 80, 55],
        "rooms": [3, 1, 4, 3],
        "distance": [5, 8, 10, 10],
        "city": ["Amiens", "Lille", "Versailles", "Nice"],
    }
    assert len(results(houses, OneHot(unknown="zeros"))) == 7


def test_one_hot_puts_gaps_and_unknown_categories_in_columns_of_their_own():
    found = results({"c": ["a", None, "b", "new", None]}, OneHot(), train=3)
    assert list(found) == ["c_a", "c_b", "c_missing", "c_unknown"]
    assert found["c_missing"] == [0, 1, 0, 0, 1]
    assert found["c_unknown"] == [0, 0, 0, 1, 0]


def test_a_gap_is_unknown_to_one_hot_where_training_rows_have_none():
    found = results({"c": ["a", "b", None]}, OneHot(), train=2)
    assert found["c_unknown"] == [0, 0, 1]


def test_rare_categories_count_as_unknown():
    found = results({"c": ["a", "a", "b"]}, OneHot(min_count=2))
    assert found == {"c_a": [1, 1, 0], "c_unknown": [0, 0, 1]}


def test_one_hot_refuses_a_column_whose_categories_are_all_rare():
    with pytest.raises(DataError, match="no category of c stands in 3 training rows"):
        results({"c": ["a", "b"]}, OneHot(min_count=3))


def test_names_that_one_hot_makes_never_collide():
    found = results({"c": ["unknown", "missing", None, "a"], "c_a": [1, 2, 3, 4]}, OneHot())
    assert list(found) == ["c_a_", "c_missing", "c_unknown", "c_missing_", "c_unknown_", "c_a"]


def test_one_hot_takes_any_text():
    texts = ["a\nb", "ü", "[UNK]", "x\ty", " ", "漢字", "'\"", "🙂", "1e5", "nan", "\\n"]
    found = results({"c": texts}, OneHot(unknown="zeros"))
    assert np.array_equal(np.sum(list(found.values()), axis=0), np.ones(len(texts)))
    assert all(found[f"c_{text}"][row] == 1 for row, text in enumerate(texts))


def test_ordinal_ranks_in_the_written_order():
    step = Ordinal(order=("primary", "secondary", "university"))
    found = results({"s": ["secondary", "university", "primary", "none", None]}, step, train=3)
    assert found["s"] == [2, 3, 1, 0, 0]


def test_ordinal_sorts_categories_as_numbers_where_all_are():
    assert results({"s": ["10", "9", "100"]}, Ordinal())["s"] == [2, 1, 3]


def test_ordinal_takes_an_order_for_each_column():
    step = Ordinal(order={"a": ("lo", "hi")})
    assert results({"a": ["hi", "lo"], "b": ["x", "y"]}, step) == {"a": [2, 1], "b": [1, 2]}


def test_ordinal_refuses_an_order_that_lacks_a_category():
    with pytest.raises(DataError, match="the order of s lacks b, found in the training rows"):
        results({"s": ["a", "b"]}, Ordinal(order=("a",)))


def test_ordinal_refuses_an_order_for_a_column_that_is_not_its_own():
    with pytest.raises(ConfigError, match="ordinal has an order for t, which is not among its columns"):
        results({"s": ["a", "b"]}, Ordinal(order={"t": ("a",)}))


def test_ordinal_refuses_a_category_twice():
    with pytest.raises(ValidationError, match="the order names a twice"):
        Ordinal(order=("a", "b", "a"))


def test_what_ordinal_makes_is_a_number_to_later_steps():
    assert results({"s": ["a", "b"]}, Ordinal(), Standardize())["s"] == [-1, 1]


def test_what_one_hot_makes_is_no_measured_number():
    assert results({"c": ["a", "b"], "x": [1, 3]}, OneHot(unknown="zeros"), Standardize())["c_a"] == [1, 0]


def test_encoded_columns_are_standardized_when_they_are_named():
    found = results({"c": ["a", "b"]}, OneHot(unknown="zeros"), Standardize(columns=("c_*",)))
    assert found == {"c_a": [1, -1], "c_b": [-1, 1]}


def test_drop_leaves_columns_out_and_the_pipeline_does_not_ask_for_them():
    found = results({"a": [1, 2], "b": [3, 4], "c": ["x", "y"]}, Drop(columns=("a", "categorical")))
    assert found == {"b": [3, 4]}


def test_features_stand_in_file_order():
    found = results(
        {"c": ["a", "b"], "x": [1, 3], "d": ["u", "v"], "y": [1, 3]}, Standardize(), OneHot(unknown="zeros")
    )
    assert list(found) == ["c_a", "c_b", "x", "d_u", "d_v", "y"]
