"""What steps do to columns, known without the data."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dlcli.preprocessing.automatic import Auto
from dlcli.preprocessing.bins import Discretize
from dlcli.preprocessing.categories import OneHot, Ordinal
from dlcli.preprocessing.dates import DateParts
from dlcli.preprocessing.expressions import Expression
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.planning import check, expand, plan
from dlcli.preprocessing.scales import Log, MinMax, Standardize
from dlcli.preprocessing.tables import Drop
from dlcli.samples import ColumnSchema, Schema
from tests.preprocessing.columns import table

PEOPLE = Schema(
    columns={
        "Name": ColumnSchema(kind="text", dtype="string"),
        "Sex": ColumnSchema(kind="categorical", dtype="string"),
        "Age": ColumnSchema(kind="numeric"),
        "Fare": ColumnSchema(kind="numeric"),
        "Born": ColumnSchema(kind="datetime", dtype="int64"),
    }
)
REST = Drop(columns=("Name", "Born"))
BORN = ("Born_year", "Born_month", "Born_day", "Born_weekday", "Born_hour")


def written(*steps, schema=PEOPLE):
    return [(step.part_name, step.columns) for step in expand(steps, schema)]


def test_auto_is_written_out_with_the_columns_of_each_step():
    assert written(Auto()) == [
        ("date_parts", ("Born",)),
        ("impute", ("Age", "Fare", *BORN)),
        ("standardize", ("Age", "Fare", *BORN)),
        ("one_hot", ("Sex",)),
        ("tokens", ("Name",)),
    ]


def test_auto_cares_for_what_is_left():
    assert written(OneHot(), MinMax(columns=("Age",)), REST, Auto()) == [
        ("one_hot", None),
        ("min_max", ("Age",)),
        ("drop", ("Name", "Born")),
        ("impute", ("Fare",)),
        ("standardize", ("Fare",)),
    ]


def test_auto_still_standardizes_what_was_only_imputed():
    assert ("standardize", ("Age", "Fare")) in written(REST, Impute(columns=("Age",)), Auto())
    assert ("impute", ("Fare",)) in written(REST, Impute(columns=("Age",)), Auto())


def test_auto_ends_what_other_steps_began():
    began = (REST, Log(columns=("Fare",)), Discretize(columns=("Age",)), Expression(name="rich", formula="Fare > 3"))
    assert written(*began, Auto())[4:] == [
        ("impute", ("Fare", "rich")),
        ("standardize", ("Fare", "rich")),
        ("one_hot", ("Sex", "Age")),
    ]


def test_auto_takes_the_parts_of_dates_that_are_there():
    steps = written(REST.model_copy(update={"columns": ("Name",)}), DateParts(parts=("month",)), Auto())
    assert ("standardize", ("Age", "Fare", "Born_month")) in steps


def test_parts_of_dates_get_names_that_are_free():
    schema = Schema(columns={**PEOPLE.columns, "Born_year": ColumnSchema(kind="categorical", dtype="string")})
    assert any(step == "standardize" and "Born_year_" in columns for step, columns in written(Auto(), schema=schema))


def test_auto_can_be_kept_to_some_columns():
    assert written(Auto(columns=("Age", "Sex")), REST, Standardize(columns=("Fare",)))[:3] == [
        ("impute", ("Age",)),
        ("standardize", ("Age",)),
        ("one_hot", ("Sex",)),
    ]


def test_steps_without_auto_stay_as_they_are():
    steps = (OneHot(), Standardize(), REST)
    assert expand(steps, PEOPLE) == steps
    assert expand(expand((Auto(),), PEOPLE), PEOPLE) == expand((Auto(),), PEOPLE)


def test_all_problems_come_at_once_each_at_its_step():
    problems = check((Standardize(columns=("Agee",)), MinMax(columns=("Sex",)), OneHot(columns=("age*",))), PEOPLE)
    assert [(problem.code, problem.path) for problem in problems] == [
        ("no-such-column", ("preprocessing", 0, "standardize", "columns", 0)),
        ("wrong-column-kind", ("preprocessing", 1, "min_max", "columns", 0)),
        ("no-such-column", ("preprocessing", 2, "one_hot", "columns", 0)),
        ("column-not-numeric", ("preprocessing",)),
        ("column-not-numeric", ("preprocessing",)),
        ("column-not-numeric", ("preprocessing",)),
    ]
    assert problems[0].suggestion == "did you mean Age?"


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("Sex", "add `one_hot: Sex`"), ("Name", "add `tokens: Name`"), ("Born", "add `date_parts: Born`")],
)
def test_what_is_no_number_at_the_end_is_a_problem_that_names_the_step(name, suggestion):
    schema = Schema(columns={name: PEOPLE.columns[name], "Age": PEOPLE.columns["Age"]})
    (problem,) = check((Standardize(),), schema)
    assert problem.suggestion.startswith(suggestion)


def test_a_step_that_finds_nothing_to_do_is_a_problem():
    _, schema = table({"x": [1.0]})
    (problem,) = check((OneHot(),), schema)
    assert problem.message == "one_hot finds no categorical column to work on"
    assert problem.path == ("preprocessing", 0, "one_hot")


def test_columns_that_one_hot_will_make_may_be_named():
    assert check((OneHot(), Standardize(columns=("Sex_male", "Age")), REST), PEOPLE) == ()


def test_dropping_everything_is_a_problem():
    (problem,) = check((Drop(columns=("all",)),), PEOPLE)
    assert problem.code == "no-columns-left"


def test_an_exact_name_comes_before_a_glob_and_a_kind():
    _, schema = table({"a[cm]": [1.0], "ac": [1.0], "text": ["u"]})
    assert expand((Ordinal(columns=("text",)), Auto()), schema)[1].columns == ("a[cm]", "ac")
    assert check((MinMax(columns=("a[cm]",)), Ordinal()), schema) == ()


def test_planning_needs_neither_numpy_nor_keras():
    code = (
        "import sys; from dlcli.preprocessing import planning, automatic; from dlcli.samples import *;"
        "planning.check((automatic.Auto(),), Schema(columns={'a': ColumnSchema(kind='numeric')}));"
        "print([name for name in ('numpy', 'keras', 'tensorflow') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_the_shape_of_rows_is_known_but_for_the_length_of_flat_ones():
    image = Schema(columns={"image": ColumnSchema(kind="image", shape=(8, 8, 1), dtype="uint8")})
    assert plan((Auto(),), image).shape == (8, 8, 1)
    assert plan((Auto(),), PEOPLE).shape == (None,)


def test_gaps_of_numbers_are_left_unless_they_are_imputed():
    assert plan((Auto(),), PEOPLE).left_gaps == ()
    assert plan((REST, OneHot(), Impute(columns=("Fare",)), Standardize()), PEOPLE).left_gaps == ("Age",)
    assert plan((REST, Ordinal(), Drop(columns=("Age",)), Standardize()), PEOPLE).left_gaps == ("Fare",)
