"""The contract of every step: what is learned, saved, restored and exported."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from dlcli.preprocessing import pipeline
from dlcli.preprocessing.automatic import Auto
from dlcli.preprocessing.bins import Discretize, PiecewiseLinear
from dlcli.preprocessing.categories import OneHot, Ordinal
from dlcli.preprocessing.codes import BinaryCode, Embed, Hash
from dlcli.preprocessing.combinations import Cross, Pca, Polynomial
from dlcli.preprocessing.dates import DateParts
from dlcli.preprocessing.expressions import Expression
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.images import Rescale
from dlcli.preprocessing.periodic import Periodic
from dlcli.preprocessing.scales import Clip, Log, MinMax, Robust, Standardize
from dlcli.preprocessing.tables import Drop
from dlcli.problems import ConfigError, DataError, RefusedError
from dlcli.samples import Coded, ColumnSchema, Samples, Schema
from tests.preprocessing.columns import rows, table

INF = float("inf")
FILL = Impute(columns=("numeric",))
PIPELINES = {
    "impute": (Impute(**{"with": "mean", "indicator": True}), OneHot()),
    "impute text": (FILL, Impute(**{"columns": ("city",), "with": "mode", "indicator": True}), OneHot()),
    "standardize": (FILL, Standardize(keep=True), OneHot()),
    "min_max": (FILL, MinMax(columns=("age", "pay"), range=(-1.0, 1.0)), OneHot()),
    "one_hot": (FILL, OneHot(min_count=2, unknown="zeros")),
    "ordinal": (FILL, Ordinal(columns=("city",), keep=True), Ordinal(columns=("city",)), OneHot(columns=("sex",))),
    "rescale": (FILL, Rescale(columns=("pay",), scale=0.1), OneHot()),
    "drop": (Drop(columns=("sex", "tests", "born")), FILL, OneHot(), Drop(columns=("city_missing",))),
    "auto": (Auto(),),
    "robust": (FILL, Robust(columns=("age", "pay")), Robust(columns=("tests",), keep=True), OneHot()),
    "log": (Log(columns=("age",)), Log(columns=("pay/day:€",), keep=True), FILL, OneHot()),
    "clip": (Clip(columns=("age",), quantiles=(0.1, 0.9)), Clip(columns=("pay",), range=(0.0, 1e9)), FILL, OneHot()),
    "binary_code": (FILL, BinaryCode()),
    "embed": (FILL, Embed(columns=("city",), keep=True), Embed(columns=("city",)), OneHot()),
    "hash": (FILL, Hash(columns=("city",), buckets=4), OneHot()),
    "discretize": (
        Discretize(columns=("age",), bins=3),
        Discretize(columns=("pay",), strategy="uniform", keep=True),
        FILL,
        Ordinal(columns=("age",)),
        OneHot(),
    ),
    "cross": (FILL, Discretize(columns=("age",), bins=2), Cross(columns=("city", "sex", "age"), keep=True), OneHot()),
    "cross alone": (FILL, Cross(columns=("city", "sex")), Embed()),
    "date_parts": (
        FILL,
        DateParts(columns=("born",), keep=True),
        DateParts(parts=("days", "day_of_year", "minute")),
        Impute(columns=("born_*",)),
        OneHot(),
    ),
    "expression": (
        Expression(name="ratio", formula="where(`pay/day:€` == 0, nan, log(age) / `pay/day:€`)"),
        Expression(name="age", formula="min(age, 40) + (sex == 'm') + (city == nan) * 1/3 + (born < '1990-06-15')"),
        Expression(name="days", formula="born / 86400"),
        FILL,
        OneHot(),
        Drop(columns=("born",)),
    ),
    "pca": (FILL, Standardize(), Pca(components=2), OneHot()),
    "pca share": (FILL, OneHot(), Pca(columns=("age", "tests", "city_*"), components=0.9, keep=True)),
    "polynomial": (FILL, Polynomial(columns=("age", "pay/day:€"), degree=3), OneHot()),
    "piecewise_linear": (FILL, PiecewiseLinear(columns=("age", "pay"), bins=3), OneHot()),
    "periodic": (FILL, Periodic(columns=("age",), period=12.0), Periodic(columns=("pay",), keep=True), OneHot()),
}
for _name, _steps in PIPELINES.items():
    if _name not in ("auto", "date_parts", "expression", "drop"):
        PIPELINES[_name] = (Drop(columns=("born",)), *_steps)

TRAIN = 8
BORN = np.array(
    [
        "1970-01-01",
        "1970-01-01T23:59:59",
        "NaT",
        "2000-02-29",
        "1969-12-31T23:59:59",
        "2001-09-09T01:46",
        "2020-09-13",
        "2023-11-14T22:13",
        "NaT",
        "1653-02-10",
    ],
    dtype="datetime64[s]",
)


def people() -> dict[str, Any]:
    """Ten people; the last two are no training rows and hold what training rows do not."""
    return {
        "age": [22, 38, None, 35, 27, 54, INF, 14, None, 1e6],
        "city": ["Lille", "Nice", None, "Nice", "Lille\n", "Nice", "Lille", "Ångström", "Oslo", None],
        "pay/day:€": [7.25, 71.2833, 7.925, 53.1, 8.4583, 51.8625, 21.075, 11.1333, 0, -1],
        "pay": [1.6e9 + 1, 1.6e9 + 3, 1.6e9, 1.6e9, 1.6e9, 1.6e9, 1.6e9, 1.6e9, 0, 1],
        "sex": ["m", "f", "f", "m", "m", "f", "m", "f", "?", ""],
        "tests": np.arange(30, dtype=np.int32).reshape(10, 3),
        "born": BORN.copy(),
    }


def fitted(name: str, columns: dict[str, Any] | None = None) -> tuple[pipeline.Pipeline, Samples, Schema]:
    samples, schema = table(columns or people())
    return pipeline.fit(PIPELINES[name], samples, schema, rows(TRAIN)), samples, schema


@pytest.mark.parametrize("name", PIPELINES)
def test_other_rows_never_change_what_is_learned(name):
    poisoned = people()
    for column, garbage in {"age": -1e9, "city": "Zürich", "pay/day:€": INF, "pay": None, "sex": None}.items():
        poisoned[column][TRAIN:] = [garbage] * 2
    poisoned["tests"][TRAIN:] = 10**9
    poisoned["born"][TRAIN:] = np.datetime64(10**10, "s")
    assert json.dumps(fitted(name, poisoned)[0].state) == json.dumps(fitted(name)[0].state)


@pytest.mark.parametrize("name", PIPELINES)
def test_a_restored_pipeline_gives_the_same_bits(name):
    original, samples, schema = fitted(name)
    state = json.loads(json.dumps(original.state, allow_nan=False))
    restored = pipeline.Pipeline.restore(original.steps, original.schema, state)
    assert restored.state == original.state
    assert restored.output == original.output
    assert np.array_equal(restored.transform(samples), original.transform(samples))
    assert pipeline.Pipeline.restore(PIPELINES[name], schema, state).state == original.state


@pytest.mark.parametrize("name", PIPELINES)
def test_the_exported_model_gives_what_transform_gives(name):
    original, samples, _ = fitted(name)
    result = original.transform(samples)
    assert result.dtype == np.float32
    assert result.shape == (10, *original.output.shape)
    assert np.isfinite(result).all()
    assert np.array_equal(original.as_model()(original.tensors(samples)).numpy(), result)


@pytest.mark.parametrize("name", PIPELINES)
def test_small_batches_give_the_same_numbers(name, monkeypatch):
    original, samples, _ = fitted(name)
    whole = original.transform(samples)
    monkeypatch.setattr(pipeline, "BYTES_AT_ONCE", 8 * 3 * original.output.shape[0])
    assert np.array_equal(original.transform(samples), whole)
    picked = np.array([7, 0, 3, 9])
    assert np.array_equal(original.transform(samples, picked), whole[picked])


def test_features_are_named_in_file_order():
    assert fitted("auto")[0].output.names == (
        *("age", "city_Lille", "city_Lille\n", "city_Nice", "city_Ångström", "city_missing", "city_unknown"),
        *("pay/day:€", "pay", "sex_f", "sex_m", "sex_unknown", "tests_1", "tests_2", "tests_3"),
        *("born_year", "born_month", "born_day", "born_weekday", "born_hour"),
    )


def test_large_numbers_keep_their_differences():
    original, samples, _ = fitted("auto")
    pay = original.transform(samples)[:3, original.output.names.index("pay")]
    assert pay[1] - pay[2] == pytest.approx(3 * (pay[0] - pay[2]), rel=1e-6)


def test_columns_that_are_only_dropped_are_no_inputs():
    original, samples, _ = fitted("drop")
    assert original.inputs == ("age", "city", "pay/day:€", "pay")
    without = samples.select(original.inputs)
    assert np.array_equal(original.transform(without), original.transform(samples))


def test_a_column_that_was_used_before_it_is_dropped_is_an_input():
    samples, schema = table({"c": ["a", "b"], "x": [1.0, 2.0]})
    steps = (OneHot(keep=True), Drop(columns=("c",)))
    assert pipeline.fit(steps, samples, schema, rows(2)).inputs == ("c", "x")


def test_unseen_categories_are_counted_by_column():
    original, samples, _ = fitted("auto")
    assert original.unseen(samples) == {"city": 1, "sex": 2}


def test_a_gap_that_is_left_is_a_problem_that_names_the_step():
    samples, schema = table({"x": [1.0, None, 3.0, None], "y": [1.0, 2.0, 3.0, 1e300]})
    steady = pipeline.fit((Standardize(columns=("x",)),), samples, schema, rows(1))
    with pytest.raises(DataError) as error:
        steady.transform(samples)
    assert [problem.message for problem in error.value.problems] == [
        "x has 2 gaps after preprocessing, and a network cannot take a gap",
        "y has 1 value infinite or too large for float32",
    ]
    assert error.value.problems[0].suggestion == "add `impute: x`"


def test_a_training_column_without_values_is_said():
    samples, schema = table({"x": [None, None, 1.0], "y": [1.0, INF, 3.0]})
    remarks = pipeline.fit((Auto(),), samples, schema, rows(2)).notes
    assert [note.text for note in remarks] == [
        "x has no value in any training row, so nothing can be learned from it",
        "y has 1 infinite cell in training rows; infinity counts as a gap",
    ]


def test_problems_of_a_list_of_steps_are_raised_together():
    samples, schema = table({"x": [1.0, 2.0], "c": ["a", "b"]})
    with pytest.raises(ConfigError) as error:
        pipeline.fit((Standardize(columns=("z",)),), samples, schema, rows(2))
    assert [problem.code for problem in error.value.problems] == ["no-such-column", "column-not-numeric"]


def test_a_made_column_that_is_not_there_is_a_problem_once_the_data_are_known():
    samples, schema = table({"c": ["a", "b"]})
    with pytest.raises(ConfigError, match="standardize names c_z, but no column is called that here"):
        pipeline.fit((OneHot(), Standardize(columns=("c_z",))), samples, schema, rows(2))


def test_a_state_of_other_steps_is_refused():
    original, _, schema = fitted("auto")
    with pytest.raises(RefusedError):
        pipeline.Pipeline.restore((FILL, OneHot()), schema, original.state)


def test_raw_whole_numbers_know_how_many_codes_they_have():
    samples, schema = table({"words": np.array([[0, 5], [7, 1], [99, 0]])})
    original = pipeline.fit((), samples, schema, rows(2))
    assert original.output == pipeline.OutputSpec((2,), ("words_1", "words_2"), 8)
    assert original.transform(samples, rows(2)).tolist() == [[0, 5], [7, 1]]


def test_ranks_know_how_many_codes_they_have():
    samples, schema = table({"c": ["a", "b", "c"], "d": ["x", "y", "x"]})
    assert pipeline.fit((Ordinal(),), samples, schema, rows(3)).output.cardinality == 4
    assert pipeline.fit((Ordinal(), Standardize()), samples, schema, rows(3)).output.cardinality is None


def test_an_empty_text_is_a_gap():
    samples = Samples.of({"c": Coded(np.array([0, 1, -1], np.int32), ("", "a"))})
    schema = Schema(columns={"c": ColumnSchema(kind="categorical", dtype="string")})
    original = pipeline.fit((OneHot(),), samples, schema, rows(3))
    assert original.output.names == ("c_a", "c_missing", "c_unknown")
    assert original.transform(samples)[:, 1].tolist() == [1, 0, 1]


def test_texts_that_differ_in_a_trailing_nul_do_not_stop_training():
    samples, schema = table({"c": ["a", "a\0", "b"]})
    assert pipeline.fit((OneHot(),), samples, schema, rows(3)).output.names == ("c_a", "c_b", "c_unknown")
