"""Columns made of several ones together."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.preprocessing import pipeline
from dlcli.preprocessing.categories import OneHot
from dlcli.preprocessing.codes import Embed
from dlcli.preprocessing.combinations import Cross, Pca, Polynomial
from dlcli.problems import ConfigError, DataError
from tests.preprocessing.columns import results, rows, table


def test_pca_turns_to_where_rows_vary_most():
    found = results({"a": [0, 1, 2], "b": [0, 2, 4], "c": [5, 6, 7]}, Pca(columns=("a", "b"), components=1))
    assert list(found) == ["pca_1", "c"]
    assert np.abs(found["pca_1"]) == pytest.approx([5**0.5, 0, 5**0.5], abs=1e-6)


def test_pca_keeps_as_many_components_as_hold_a_share_of_the_variance():
    generator = np.random.default_rng(0)
    table = {name: generator.normal(size=60) * size for name, size in {"a": 10, "b": 5, "c": 0.1}.items()}
    assert list(results(table, Pca(components=0.95))) == ["pca_1", "pca_2"]
    assert list(results(table, Pca(components=2, keep=True))) == ["a", "b", "c", "pca_1", "pca_2"]


def test_pca_takes_the_numbers_of_a_vector():
    vectors = np.random.default_rng(0).normal(size=(20, 6))
    found = results({"v": vectors, "x": list(range(20))}, Pca(columns=("v",), components=3))
    assert list(found) == ["pca_1", "pca_2", "pca_3", "x"]
    assert np.var(found["pca_1"]) > np.var(found["pca_2"]) > np.var(found["pca_3"])


@pytest.mark.parametrize(
    ("step", "values", "kind", "sentence"),
    [
        (Pca(components=3), [1, 2, 3], ConfigError, "pca of 2 features in 3 rows cannot have 3 components"),
        (Pca(components=0), [1, 2, 3], ConfigError, "pca needs at least 1 component"),
        (Pca(components=1), [1, None, 3], DataError, "pca cannot take gaps"),
    ],
)
def test_pca_refuses_what_it_cannot_do(step, values, kind, sentence):
    with pytest.raises(kind, match=sentence):
        results({"a": values, "b": [3, 1, 2]}, step)


def test_polynomial_sets_products_beside_their_factors():
    found = results({"a": [2, 3], "b": [5, 7], "c": [1, 1]}, Polynomial(columns=("a", "b")))
    assert found == {"a": [2, 3], "b": [5, 7], "a^2": [4, 9], "a*b": [10, 21], "b^2": [25, 49], "c": [1, 1]}


def test_polynomial_makes_only_products_of_different_columns_when_asked():
    found = results({"a": [2], "b": [5], "c": [7]}, Polynomial(degree=3, interaction_only=True))
    assert list(found) == ["a", "b", "c", "a*b", "a*c", "b*c", "a*b*c"]
    assert found["a*b*c"] == [70]


@pytest.mark.parametrize(
    ("columns", "step", "sentence"),
    [
        (60, Polynomial(degree=4), "polynomial would make 635,315 products of 60 columns"),
        (1, Polynomial(interaction_only=True), "polynomial would make 0 products"),
    ],
)
def test_polynomial_refuses_too_many_products_and_none(columns, step, sentence):
    with pytest.raises(ConfigError, match=sentence) as error:
        results({f"x{number}": [1, 2] for number in range(columns)}, step)
    assert error.value.problems[0].path == ("preprocessing", 0, "polynomial")


def test_polynomial_takes_no_vectors():
    with pytest.raises(ConfigError, match="a row of v holds several"):
        results({"v": np.ones((3, 2)), "x": [1, 2, 3]}, Polynomial())


def test_cross_makes_one_category_of_several():
    people = {"sex": ["m", "f", "m", "f", None, "m"], "port": ["S", "S", "C", "S", "S", "Q"]}
    found = results(people, Cross(columns=("sex", "port")), OneHot(), train=5)
    assert found == {
        "sex_x_port_f & S": [0, 1, 0, 1, 0, 0],
        "sex_x_port_m & C": [0, 0, 1, 0, 0, 0],
        "sex_x_port_m & S": [1, 0, 0, 0, 0, 0],
        "sex_x_port_missing": [0, 0, 0, 0, 1, 0],
        "sex_x_port_unknown": [0, 0, 0, 0, 0, 1],
    }


def test_combinations_that_are_written_alike_stay_apart():
    found = results({"a": ["x & y", "x"], "b": ["z", "y & z"]}, Cross(columns=("a", "b")), OneHot(unknown="zeros"))
    assert list(found.values()) == [[0, 1], [1, 0]]


def test_a_crossed_category_can_be_embedded_beside_its_parts():
    samples, schema = table({"a": ["x", "y"], "b": ["u", "v"]})
    fitted = pipeline.fit((Cross(columns=("categorical",), keep=True), Embed()), samples, schema, rows(2))
    assert fitted.output.names == ("a", "b", "a_x_b")


def test_cross_needs_two_columns_and_a_row_that_has_both():
    with pytest.raises(ConfigError, match="cross takes at least two columns, got a"):
        results({"a": ["x", "y"]}, Cross(columns=("a",)), OneHot())
    with pytest.raises(DataError, match="no training row has a value in each of a, b"):
        results({"a": ["x", None], "b": [None, "y"]}, Cross(columns=("a", "b")), OneHot())
