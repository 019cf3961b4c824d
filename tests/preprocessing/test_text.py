"""Free text as tokens."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dlcli.preprocessing import feeding, pipeline
from dlcli.preprocessing.automatic import Auto
from dlcli.preprocessing.planning import expand
from dlcli.preprocessing.text import Tokens
from dlcli.problems import ConfigError, DataError
from dlcli.samples import Coded, ColumnSchema, Samples, Schema
from tests.preprocessing.columns import rows

TEXTS = ["Good, good film!", "bad film", "a GOOD day", "", None]


def texts(cells: list[str | None], kind: str = "text") -> tuple[Samples, Schema]:
    schema = Schema(columns={"t": ColumnSchema(kind=kind, dtype="string")})  # type: ignore[arg-type]
    return Samples.of({"t": Coded.of(cells)}), schema


def fitted(step: Tokens, cells: list[str | None], train: int | None = None) -> tuple[pipeline.Pipeline, Any]:
    samples, schema = texts(cells)
    made = pipeline.fit((step,), samples, schema, rows(train or len(cells)))
    return made, made.transform(samples)


def test_counts_by_hand():
    made, matrix = fitted(Tokens(output="count"), TEXTS)
    assert made.output.names == ("t_unknown", "t_good", "t_film", "t_a", "t_bad", "t_day")
    assert matrix.tolist() == [
        [0, 2, 1, 0, 0, 0],
        [0, 0, 1, 0, 1, 0],
        [0, 1, 0, 1, 0, 1],
        [0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0],
    ]


def test_multi_hot_says_whether_a_token_occurs():
    _, matrix = fitted(Tokens(output="multi_hot"), TEXTS)
    assert matrix[0].tolist() == [0, 1, 1, 0, 0, 0]


def test_tf_idf_weighs_rare_tokens_more_and_leaves_the_unknown_out():
    made, matrix = fitted(Tokens(max_tokens=3), TEXTS)
    assert made.output.names == ("t_good", "t_film", "t_a")
    two, one = math.log(1 + 5 / 3), math.log(1 + 5 / 2)
    assert matrix == pytest.approx(np.array([[2 * two, two, 0], [0, two, 0], [two, 0, one], [0, 0, 0], [0, 0, 0]]))


def test_ids_are_cut_at_the_end_and_filled_with_zeros():
    made, matrix = fitted(Tokens(output="ids", length=2, max_tokens=4), TEXTS)
    assert matrix.tolist() == [[2, 2], [1, 3], [1, 2], [0, 0], [0, 0]]
    assert (made.output.shape, made.output.cardinality) == ((2,), 4)


def test_ids_are_as_long_as_the_longest_training_text():
    made, matrix = fitted(Tokens(output="ids"), ["a b", "c", "a b c d e"], train=2)
    assert (made.output.shape, matrix.tolist()) == ((2,), [[2, 3], [4, 0], [2, 3]])


def test_unseen_words_count_as_one():
    _, matrix = fitted(Tokens(output="count"), ["a b", "c d a"], train=1)
    assert matrix.tolist() == [[0, 1, 1], [2, 1, 0]]


def test_pairs_of_words_are_tokens_too():
    made, _ = fitted(Tokens(output="count", ngrams=2), ["not good", "good"])
    assert made.output.names == ("t_unknown", "t_good", "t_not", "t_not good")


def test_characters():
    made, matrix = fitted(Tokens(output="ids", level="character", standardize="none"), ["ab\n", "é a"])
    assert made.state["steps"][0]["learned"]["t"]["vocabulary"] == ["a", "\n", " ", "b", "é"]
    assert matrix.tolist() == [[2, 5, 3], [6, 4, 2]]


@pytest.mark.parametrize(
    ("standardize", "words"),
    [
        ("lower_and_strip_punctuation", ["dont", "É"]),
        ("lower", ["don't", "É!"]),
        ("strip_punctuation", ["Dont", "É"]),
        ("none", ["Don't", "É!"]),
    ],
)
def test_lower_case_and_punctuation_are_those_of_ascii(standardize, words):
    made, _ = fitted(Tokens(standardize=standardize), ["Don't É!"])
    assert made.state["steps"][0]["learned"]["t"]["vocabulary"] == words


@pytest.mark.parametrize("output", ["ids", "multi_hot", "count", "tf_idf"])
@pytest.mark.parametrize("level", ["word", "character"])
def test_a_saved_model_gives_the_same_numbers_for_text_of_any_kind(output, level, tmp_path):
    odd = ["[UNK] [unk] x\0", "line\nbreak\rand\x85next\u2028end", "\t \n", "\"quoted\" 'single'", "ß Ünï 日本 😀", ""]
    made, matrix = fitted(Tokens(output=output, level=level, ngrams=2, standardize="lower"), odd)
    made.as_model().save(tmp_path / "model.keras")
    model = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    samples, schema = texts(odd)
    assert model.output_shape == (None, *made.output.shape)
    assert np.array_equal(model(made.tensors(samples)).numpy(), matrix)
    restored = pipeline.Pipeline.restore((Tokens(output=output, level=level, ngrams=2),), schema, made.state)
    assert restored.output == made.output


@settings(max_examples=40)
@given(
    st.lists(st.text(max_size=30), min_size=1, max_size=5), st.integers(1, 3), st.sampled_from(["word", "character"])
)
def test_what_is_learned_is_what_keras_finds_in_a_text(cells, ngrams, level):
    """No token of a training text is unknown, but for those that no vocabulary can hold."""
    step = Tokens(output="count", ngrams=ngrams, level=level, standardize="lower_and_strip_punctuation")
    samples, schema = texts([*[cell.replace("\0", "") for cell in cells], "word"])
    made = pipeline.fit((step,), samples, schema, rows(samples.rows))
    matrix = made.transform(samples)
    assert matrix[:, 0].sum() == 0
    assert (matrix.sum(axis=0)[1:] > 0).all()


def test_training_rows_without_a_word_are_a_problem():
    with pytest.raises(DataError, match="t has no word in the training rows"):
        fitted(Tokens(), ["...", "", "word"], train=2)


def test_a_length_is_for_ids():
    with pytest.raises(ValidationError, match="length is for `output: ids` only"):
        Tokens(output="count", length=3)


def test_auto_means_tf_idf_of_ten_thousand():
    _, schema = texts(["a"])
    assert expand((Auto(),), schema) == (Tokens(columns=("t",), output="tf_idf", max_tokens=10_000),)


def test_text_that_is_left_is_answered_with_the_step():
    samples, schema = texts(["a"])
    with pytest.raises(ConfigError) as raised:
        pipeline.fit((), samples, schema, rows(1))
    assert raised.value.problems[0].suggestion == "add `tokens: t`"


def test_the_state_holds_no_text_of_the_training_rows():
    made, _ = fitted(Tokens(max_tokens=3, output="count"), ["private words here", "words here"])
    assert "private" not in str(made.state)


def test_categories_can_be_cut_into_words():
    samples, schema = texts(["big red", "big blue"], kind="categorical")
    made = pipeline.fit((Tokens(columns=("t",), output="count", keep=False),), samples, schema, rows(2))
    assert made.output.names == ("t_unknown", "t_big", "t_blue", "t_red")


@pytest.mark.parametrize(("output", "dtype"), [("multi_hot", "uint8"), ("ids", "int16"), ("count", "float32")])
def test_many_rows_of_whole_numbers_are_kept_in_few_bytes(output, dtype):
    samples, schema = texts(TEXTS)
    made = pipeline.fit((Tokens(output=output),), samples, schema, rows(5))
    kept = feeding.feed(made, feeding.LARGEST_FLOATS)
    held = kept.rows(samples, rows(5))
    assert (str(held.dtype), kept.kept_as) == (dtype, dtype)
    assert np.array_equal(np.asarray(kept.prepare(held)), made.transform(samples))
    assert kept.key == feeding.feed(made, feeding.LARGEST_FLOATS).key
