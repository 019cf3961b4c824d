"""Which rows `data.where` lets pass."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.data.row_filter import filtered
from dlcli.data.sources.delimited import Csv
from dlcli.problems import DataError
from dlcli.samples import Coded, Found, Samples

PEOPLE: dict[str, Any] = {
    "age": Coded.of(["22", "38", None, "35", "?"]),
    "sex": Coded.of(["male", "female", "female", None, "male"]),
    "born": Coded.of(["2001-04-01", "1985-12-31", "1999", "1988-01-01", None]),
    "fare": np.array([7.25, np.inf, 8, 53, np.nan]),
    "pixels": np.zeros((5, 2, 2)),
}


def passing(where: str, columns: dict[str, Any] = PEOPLE) -> list[int]:
    numbered = {**columns, "number": np.arange(5)}
    return filtered(Found(Samples.of(numbered)), where).samples["number"].tolist()


@pytest.mark.parametrize(
    ("where", "rows"),
    [
        ("age > 30", [1, 3]),
        ("age != 22", [1, 2, 3, 4]),
        ("age == nan", [2]),
        ("sex == 'female'", [1, 2]),
        ("sex == nan", [3]),
        ("not sex == nan and age != nan", [0, 1, 4]),
        ("born >= '1986-01-01'", [0, 3]),
        ("born == '1999'", [2]),
        ("fare < 10", [0, 2]),
        ("fare == nan", [1, 4]),
        ("log(fare - 10) > 0", [3]),
        ("1 == 1 and age == age", [0, 1, 3]),
    ],
)
def test_cells_are_read_as_the_formula_takes_them(where, rows):
    assert passing(where) == rows


@pytest.mark.parametrize(
    ("where", "code", "sentence"),
    [
        ("agee > 3", "missing-column", "there is no column agee"),
        ("sex > 3", "wrong-column-kind", "sex holds no numbers"),
        ("sex > '2001-01-01'", "wrong-column-kind", "sex holds no dates"),
        ("fare == '8'", "wrong-column-kind", "fare holds numbers, and the formula compares it with a text"),
        ("pixels > 3", "wrong-column-kind", "a row of pixels is no single number"),
        ("age > 99", "no-rows", "no row passes `age > 99`"),
    ],
)
def test_what_cannot_be_filtered_is_said(where, code, sentence):
    with pytest.raises(DataError) as error:
        passing(where)
    (problem,) = error.value.problems
    assert (problem.code, problem.path) == (code, ("data", "where"))
    assert sentence in problem.message


def test_subsets_of_the_source_lose_the_same_rows():
    found = Found(Samples.of(PEOPLE), {"train": np.array([4, 0, 1]), "test": np.array([2, 3])})
    kept = filtered(found, "sex == 'female'")
    assert {name: rows.tolist() for name, rows in (kept.subsets or {}).items()} == {"train": [0], "test": [1]}
    assert kept.notes == ("where: 2 of 5 rows",)


def test_no_filter_changes_nothing():
    found = Found(Samples.of(PEOPLE))
    assert filtered(found, None) is found


def test_titanic_men_of_the_third_class(shared_data: Path) -> None:
    found = Csv(path=(str(shared_data / "tabular" / "titanic.csv"),)).read()
    assert filtered(found, "Sex == 'male' and Pclass == 3").samples.rows == 347
    assert filtered(found, "Age == nan").samples.rows == 177
    assert filtered(found, "Embarked == nan").samples.rows == 2
