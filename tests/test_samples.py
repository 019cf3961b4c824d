"""Columns of every kind take rows alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.samples import MISSING, Coded, ColumnSchema, Ragged, Samples, Schema

TEXTS = st.lists(st.none() | st.text(max_size=3), max_size=20)


@given(TEXTS)
def test_coded_text_gives_back_its_cells(texts: list[str | None]) -> None:
    column = Coded.of(texts)
    assert column.texts(missing="(none)").tolist() == ["(none)" if text is None else text for text in texts]
    assert [code == MISSING for code in column.codes] == [text is None for text in texts]


@given(st.data())
def test_ragged_rows_keep_their_shapes_when_rows_are_taken(data: st.DataObject) -> None:
    shapes = data.draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=8))
    rows = [np.arange(height * width).reshape(height, width) + 10 * n for n, (height, width) in enumerate(shapes)]
    picked = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=8)), dtype=np.int64)
    taken = Ragged.of(rows).take(picked)
    assert len(taken) == len(picked)
    for place, number in enumerate(picked):
        assert np.array_equal(taken.row(place), rows[number])


def test_all_columns_take_the_same_rows() -> None:
    samples = Samples.of(
        {
            "number": np.array([1.0, 2.0, 3.0]),
            "text": Coded.of(["a", None, "b"]),
            "image": np.zeros((3, 2, 2, 1), np.uint8),
            "sequence": Ragged.of([np.arange(2), np.arange(3), np.arange(1)]),
        }
    )
    taken = samples.take(np.array([2, 0]))
    assert taken.rows == 2
    assert taken["number"].tolist() == [3.0, 1.0]
    assert taken["text"].texts().tolist() == ["b", "a"]
    assert taken["image"].shape == (2, 2, 2, 1)
    assert taken["sequence"].row(1).tolist() == [0, 1]


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="different lengths"):
        Samples.of({"a": np.zeros(2), "b": np.zeros(3)})


def test_a_schema_survives_being_written() -> None:
    schema = Schema(columns={"a": ColumnSchema(kind="numeric"), "b": ColumnSchema(kind="image", shape=(8, 8, 1))})
    assert Schema.model_validate_json(schema.model_dump_json()) == schema
    assert schema.of_kind("image") == ("b",)
