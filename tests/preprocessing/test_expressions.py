"""Columns that are computed of others. What a formula means is told in tests/test_formula.py."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from dlcli.preprocessing.categories import OneHot
from dlcli.preprocessing.expressions import Expression
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.planning import check
from dlcli.preprocessing.tables import Drop
from dlcli.problems import ConfigError
from tests.preprocessing.columns import results, table

TITANIC = {
    "Age": [22.0, None, 38.0],
    "SibSp": [1.0, 0.0, 1.0],
    "Sex": ["male", None, "female"],
    "Born": np.array(["2001-04-01", "NaT", "1985-12-31"], dtype="datetime64[s]"),
    "Fare": [7.25, 8.0, 0.0],
}
KEPT = Drop(columns=("Sex", "Born", "Age"))


def computed(formula: str, *, fill: str = "-9") -> list[float]:
    steps = (Expression(name="made", formula=formula), KEPT, Impute(**{"with": fill}))
    return results(TITANIC, *steps)["made"]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("SibSp + 1", [2, 1, 2]),
        ("Age * 2", [44, -9, 76]),
        ("Age == nan", [0, 1, 0]),
        ("Sex == 'male'", [1, 0, 0]),
        ("Sex == nan", [0, 1, 0]),
        ("Sex != 'male' and Fare > 1", [0, 1, 0]),
        ("Born < '2000-01-01'", [0, 0, 1]),
        ("Born == '2001-04-01'", [1, 0, 0]),
        ("(Born != nan) * 3", [3, 0, 3]),
        ("Born / 86400", [11413, -9, 5843]),
        ("log(Fare)", [1.9810014688665833, 2.0794415416798357, -9]),
        ("1 / Fare", [1 / 7.25, 0.125, -9]),
        ("where(Fare == 0, nan, Fare)", [7.25, 8, -9]),
        ("min(Age, 30, Fare)", [7.25, -9, 0]),
        ("1/3 * SibSp", [1 / 3, 0, 1 / 3]),
    ],
)
def test_formulas_count_tensors(formula, expected):
    assert computed(formula) == pytest.approx(expected, rel=1e-6)


def test_the_result_stands_behind_its_columns():
    found = results({"a": [1], "b": [2], "c": [3]}, Expression(name="sum", formula="a + b"))
    assert found == {"a": [1], "b": [2], "sum": [3], "c": [3]}


def test_the_result_replaces_a_column_of_its_name():
    found = results({"a": [1], "b": [2], "c": [3]}, Expression(name="a", formula="b + c"))
    assert found == {"a": [5], "b": [2], "c": [3]}


def test_a_number_that_stands_for_a_gap_becomes_one():
    mend = Expression(name="bmi", formula="where(bmi == 0, nan, bmi)")
    found = results({"bmi": [30, 0, 20]}, mend, Impute(**{"with": "mean", "indicator": True}))
    assert found == {"bmi": [30, 25, 20], "bmi_missing": [0, 1, 0]}


def test_a_formula_can_take_what_other_steps_made():
    steps = (OneHot(unknown="zeros"), Expression(name="both", formula="`c_a` + 2 * c_b"))
    assert results({"c": ["a", "b"]}, *steps)["both"] == [1, 2]


@pytest.mark.parametrize(
    ("formula", "sentence", "path"),
    [
        ("Sexx == 'male'", "expression names Sexx, but no column is called that here", ("expression",)),
        ("Sex + 1", "Sex is categorical, and the formula takes it as a number", ("expression", "formula")),
        ("Sex < '2000-01-01'", "Sex is categorical and has no order", ("expression", "formula")),
        ("Age == '22'", "Age is numeric, and the formula compares it with a text", ("expression", "formula")),
        ("Born == 'soon'", "Born holds dates, and 'soon' is none", ("expression", "formula")),
    ],
)
def test_what_a_column_cannot_give_is_known_before_training(formula, sentence, path):
    _, schema = table(TITANIC)
    (problem,) = check((Expression(name="made", formula=formula), KEPT), schema)
    assert problem.message == sentence
    assert problem.path == ("preprocessing", 0, *path)


def test_a_column_that_steps_will_make_is_looked_for_once_the_data_are_known():
    with pytest.raises(ConfigError, match="expression names c_z"):
        results({"c": ["a", "b"]}, OneHot(), Expression(name="made", formula="c_z + 1"))


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"formula": "Age +"}, "must follow at the end of the formula"),
        ({"formula": "1 + 1"}, "names no column"),
        ({"formula": "__import__('os')"}, "there is no function __import__"),
        ({"formula": "Age", "columns": ("Age",)}, "has no columns but those of its formula"),
    ],
)
def test_what_is_no_formula_is_refused_when_it_is_read(fields, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Expression(name="made", **fields)
