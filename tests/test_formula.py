"""Formulas: what they mean, and what is refused."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.formula import FormulaError, parse, seconds

NAN, INF = float("nan"), float("inf")


class Rows:
    """Two rows of plain arrays."""

    COLUMNS: ClassVar[dict[str, list[Any]]] = {
        "a": [2, 3],
        "b": [10, NAN],
        "zero": [0, INF],
        "net worth/€": [7, 8],
        "Größe": [1, 2],
        "log": [5, 6],
        "sex": ["male", ""],
        "born": [86_400, NAN],
    }

    def number(self, name: str) -> Any:
        values = np.array(self.COLUMNS[name], dtype=np.float64)
        return np.where(np.isfinite(values), values, NAN)

    time = number

    def text(self, name: str) -> Any:
        return np.array(self.COLUMNS[name])

    def gap(self, name: str) -> Any:
        return self.text(name) == "" if name == "sex" else np.isnan(self.number(name))

    def is_time(self, name: str) -> bool:
        return name == "born"


def value(text: str) -> list[float]:
    with np.errstate(all="ignore"):
        return [float(cell) for cell in np.broadcast_to(parse(text).evaluate(Rows(), np), (2,))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + 1", [3, 4]),
        ("a + 2 * 3", [8, 9]),
        ("(a + 2) * 3", [12, 15]),
        ("10 - a - 1", [7, 6]),
        ("12 / a / 2", [3, 2]),
        ("-a ** 2", [-4, -9]),
        ("a ** -1 * 6", [3, 2]),
        ("2 ** a ** 2", [16, 512]),
        ("+a - -a", [4, 6]),
        ("a * 1e1 + .5", [20.5, 30.5]),
        ("log(exp(a))", [2, 3]),
        ("sqrt(a * a) + abs(-a)", [4, 6]),
        ("min(a, 2.5)", [2, 2.5]),
        ("max(1, a, 2.5)", [2.5, 3]),
        ("where(a > 2, 1, 0)", [0, 1]),
        ("where(a == 2, nan, a)", [NAN, 3]),
        ("`net worth/€` + Größe", [8, 10]),
        ("log + log(1)", [5, 6]),
        ("(a > 2) * 10 + 1", [1, 11]),
        ("1/3 + a - a", [1 / 3, 1 / 3]),
        ("a + b", [12, NAN]),
        ("min(a, b)", [2, NAN]),
        ("max(b, a)", [10, NAN]),
        ("1 / zero", [NAN, NAN]),
        ("log(zero)", [NAN, NAN]),
        ("sqrt(-a)", [NAN, NAN]),
    ],
)
def test_numbers(text, expected):
    assert value(text) == pytest.approx(expected, nan_ok=True, rel=1e-15)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a > 2", [0, 1]),
        ("a >= 2 and a <= 2", [1, 0]),
        ("a < 3 or b > 0", [1, 0]),
        ("not a < 3", [0, 1]),
        ("not a < 3 or a < 3", [1, 1]),
        ("2 < a < 4", [0, 1]),
        ("0 < a < 3 != b", [1, 0]),
        ("b > 3", [1, 0]),
        ("b <= 3", [0, 0]),
        ("b != 10", [0, 1]),
        ("b == nan", [0, 1]),
        ("nan != b", [1, 0]),
        ("zero == nan", [0, 1]),
        ("a + b == nan", [0, 1]),
        ("sex == 'male'", [1, 0]),
        ("'male' != sex", [0, 1]),
        ("sex == nan", [0, 1]),
        ("born >= '1970-01-02'", [1, 0]),
        ("'1970-01' < born", [1, 0]),
        ("born == '1970-01-02 00:00'", [1, 0]),
        ("sex == 'it''s'", [0, 0]),
    ],
)
def test_conditions(text, expected):
    assert parse(text).is_condition
    assert value(text) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "must not be empty"),
        ("a +", "a number or a column must follow at the end"),
        ("a b", "an operator must stand at character 3 of the formula, not b"),
        ("(a", "a closing bracket must follow"),
        ("a)", "an operator must stand at character 2"),
        ("a = 1", "has = at character 3: write == to compare"),
        ("a & b", "write and"),
        ('sex == "male"', "single quotes"),
        ("sex == 'male", "has no end"),
        ("a.real", "has . at character 2"),
        ("a[0]", "has [ at character 2"),
        ("__import__('os')", "there is no function __import__"),
        ("mean(a)", "there is no function mean; there are log, exp"),
        ("log(a, b)", "log takes 1 argument, got 2"),
        ("min(a)", "min takes at least 2 arguments, got 1"),
        ("log()", "a number or a column must stand at character 5"),
        ("where(a, 1, 0)", "where takes comparisons"),
        ("a and b", "and takes comparisons"),
        ("not a", "not takes comparisons"),
        ("'x'", "must give a number"),
        ("sex + 'x'", "+ takes numbers, got the text 'x'"),
        ("a + 1 == 'x'", "only a column can be compared with a text"),
        ("sex < 'm'", "only ISO dates have an order among texts"),
        ("a < nan", "nothing is < nan"),
        ("and", "a number or a column must stand at character 1"),
        ("(" * 60 + "a" + ")" * 60, "may nest 40"),
        ("-" * 60 + "a", "may nest 40"),
        ("a ** " * 60 + "a", "may nest 40"),
        ("not " * 60 + "a > 1", "may nest 40"),
        ("a + " * 300 + "a", "may have 500 words"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(text, sentence):
    with pytest.raises(FormulaError) as error:
        parse(text)
    assert sentence in str(error.value)


def test_a_formula_says_what_it_wants_of_which_column():
    read = parse("where(sex == 'x' and b == nan, a, b) + (born < '2020-01-01')")
    assert read.columns == ("sex", "b", "a", "born")
    assert read.uses == {"sex": {"text"}, "b": {"gap", "number"}, "a": {"number"}, "born": {"time"}}
    assert read.texts["born"] == ("2020-01-01",)


@pytest.mark.parametrize(("text", "expected"), [("1970-01-02", 86_400), ("1970-01-01T01:00+01:00", 0), ("soon", None)])
def test_dates_are_seconds(text, expected):
    assert seconds(text) == expected


@given(st.text(alphabet="ab01 .+-*/()<>=!'`,&|~^%$#@{}[]\\\"\n_", max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        read = parse(text)
    except FormulaError:
        return
    assert read.columns is not None


NUMBERS = st.recursive(
    st.sampled_from(["a", "b", "2", ".5", "nan"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*"]), inner).map(lambda parts: f"({' '.join(parts)})"),
        inner.map(lambda part: f"(-{part})"),
    ),
    max_leaves=8,
)


@given(NUMBERS)
def test_arithmetic_is_that_of_python(text):
    expected = eval(text, {"a": 2.0, "b": 10.0, "nan": NAN})
    assert value(text)[0] == pytest.approx(expected, nan_ok=True)
