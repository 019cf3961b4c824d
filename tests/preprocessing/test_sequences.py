"""Sequences of codes: pad and multi_hot."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from dlcli.part import Step
from dlcli.preprocessing import feeding, pipeline
from dlcli.preprocessing.automatic import Auto
from dlcli.preprocessing.planning import expand
from dlcli.preprocessing.sequences import MultiHot, Pad
from dlcli.problems import ConfigError, DataError
from dlcli.samples import ColumnSchema, Ragged, Samples, Schema
from tests.preprocessing.columns import rows

SCHEMA = Schema(columns={"s": ColumnSchema(kind="sequence", dtype="int64")})
CODES = [[3, 1, 2, 1], [], [5]]


def sequences(codes: list[list[int]]) -> Samples:
    return Samples.of({"s": Ragged.of([np.array(row, np.int64) for row in codes])})


def fitted(step: Step, codes: list[list[int]], train: int | None = None) -> tuple[pipeline.Pipeline, Any]:
    samples = sequences(codes)
    made = pipeline.fit((step,), samples, SCHEMA, rows(train or len(codes)))
    return made, made.transform(samples).tolist()


@pytest.mark.parametrize(
    ("step", "matrix"),
    [
        (Pad(), [[3, 1, 2, 1], [0, 0, 0, 0], [5, 0, 0, 0]]),
        (Pad(length=3), [[3, 1, 2], [0, 0, 0], [5, 0, 0]]),
        (Pad(length=3, truncating="pre"), [[1, 2, 1], [0, 0, 0], [5, 0, 0]]),
        (Pad(length=3, padding="pre"), [[3, 1, 2], [0, 0, 0], [0, 0, 5]]),
        (Pad(length=6, padding="pre", truncating="pre"), [[0, 0, 3, 1, 2, 1], [0] * 6, [0, 0, 0, 0, 0, 5]]),
    ],
)
def test_pad_brings_rows_to_one_length(step, matrix):
    made, found = fitted(step, CODES)
    assert found == matrix
    assert made.output.cardinality == 6


def test_pad_agrees_with_keras():
    padded = keras.utils.pad_sequences(CODES, maxlen=3, padding="pre", truncating="pre")
    assert fitted(Pad(length=3, padding="pre", truncating="pre"), CODES)[1] == padded.tolist()


def test_multi_hot_has_a_column_for_each_code():
    made, found = fitted(MultiHot(), CODES)
    assert made.output.names == ("s_0", "s_1", "s_2", "s_3", "s_4", "s_5")
    assert found == [[0, 1, 1, 1, 0, 0], [0] * 6, [0, 0, 0, 0, 0, 1]]


def test_codes_that_no_training_row_holds_are_left_out():
    assert fitted(MultiHot(), [[0, 2], [7, 2]], train=1)[1] == [[1, 0, 1], [0, 0, 1]]
    assert fitted(Pad(), [[1, 2], [7, 2, 1]], train=1)[1] == [[1, 2], [0, 2]]
    assert fitted(MultiHot(num_tokens=2), [[0, 2], [1]])[1] == [[1, 0], [0, 1]]


@pytest.mark.parametrize("step", [Pad(padding="pre"), MultiHot()])
def test_a_saved_model_takes_rows_with_minus_one_behind_their_end(step, tmp_path):
    made, found = fitted(step, CODES)
    made.as_model().save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert model.output_shape == (None, *made.output.shape)
    assert model(made.tensors(sequences(CODES))).numpy().tolist() == found
    assert model({"s": np.array([[5, -1]])}).numpy().tolist() == found[2:]
    assert made.transform(sequences([[], []])).tolist() == [found[1]] * 2


def test_training_rows_without_a_code_are_a_problem():
    with pytest.raises(DataError, match="s has no code in any training row"):
        fitted(MultiHot(), [[], [1]], train=1)


def test_auto_means_multi_hot_and_what_is_left_is_answered_with_the_steps():
    assert expand((Auto(),), SCHEMA) == (MultiHot(columns=("s",)),)
    with pytest.raises(ConfigError) as raised:
        pipeline.fit((), sequences(CODES), SCHEMA, rows(3))
    assert raised.value.problems[0].suggestion == "add `pad: s` or `multi_hot: s`"


@pytest.mark.parametrize(("step", "dtype"), [(Pad(), "int16"), (MultiHot(), "uint8")])
def test_many_rows_are_kept_in_few_bytes(step, dtype):
    made, found = fitted(step, CODES)
    held = feeding.feed(made, feeding.LARGEST_FLOATS).rows(sequences(CODES), rows(3))
    assert (str(held.dtype), held.tolist()) == (dtype, found)
