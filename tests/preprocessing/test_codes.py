"""Categories as bits, buckets and indices."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.preprocessing import pipeline
from dlcli.preprocessing.codes import BinaryCode, Embed, Hash
from dlcli.preprocessing.scales import Standardize
from dlcli.problems import DataError
from tests.preprocessing.columns import results, rows, table

CITIES = ["a", "b", "c", "d", None, "new"]


def test_binary_code_writes_numbers_in_bits():
    found = results({"city": CITIES}, BinaryCode(), train=5)
    assert list(found) == ["city_bit_1", "city_bit_2", "city_bit_3"]
    assert np.transpose(list(found.values())).tolist() == [
        [0, 0, 1],
        [0, 1, 0],
        [0, 1, 1],
        [1, 0, 0],
        [1, 0, 1],
        [0, 0, 0],
    ]


def test_a_gap_is_unknown_to_binary_code_where_training_rows_have_none():
    found = results({"city": CITIES}, BinaryCode(), train=4)
    assert [column[4] for column in found.values()] == [0, 0, 0]


def test_embed_counts_categories_from_1():
    assert results({"city": CITIES}, Embed(), train=5)["city"] == [1, 2, 3, 4, 5, 0]
    assert results({"city": CITIES}, Embed(), train=4)["city"] == [1, 2, 3, 4, 0, 0]


def test_embed_says_how_many_indices_there_are():
    samples, schema = table({"city": CITIES})
    assert pipeline.fit((Embed(),), samples, schema, rows(5)).output.cardinality == 6


def test_what_embed_makes_is_no_measured_number():
    assert results({"city": ["a", "b"], "x": [1, 3]}, Embed(), Standardize())["city"] == [1, 2]


def test_hash_sorts_any_text_into_a_bucket():
    found = results({"t": ["a", "b", "a", None, "new"]}, Hash(buckets=1000), train=1)
    matrix = np.array(list(found.values()))
    assert list(found)[:2] == ["t_hash_1", "t_hash_2"]
    assert matrix.sum(axis=0).tolist() == [1] * 5
    assert np.array_equal(matrix[:, 0], matrix[:, 2])
    assert not np.array_equal(matrix[:, 0], matrix[:, 1])


@pytest.mark.parametrize("step", [BinaryCode(), Embed()])
def test_a_column_without_categories_is_a_problem(step):
    with pytest.raises(DataError, match="c has no category in the training rows"):
        results({"c": [None, "a"]}, step, train=1)
