"""Augmentations one after the other, and what they take from preprocessing and training rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from dlcli.preprocessing import pipeline
from dlcli.preprocessing.augmentation.composed import compose
from dlcli.preprocessing.categories import OneHot, Ordinal
from dlcli.preprocessing.gaps import Impute
from dlcli.preprocessing.images import Rescale
from dlcli.preprocessing.scales import Standardize
from dlcli.problems import ConfigError
from tests.preprocessing.augmentation.batches import changed, made, noise, seed
from tests.preprocessing.columns import rows, table

PIXELS = (noise(12, 6, 5, 2) * 200).astype(np.uint8)
PIXELS[0, 0, 0], PIXELS[1, 0, 0] = (0, 9), (250, 9)


def composed(columns, steps, *texts, train=8, codes=False):
    """The augmentations of a table whose first rows are training rows."""
    samples, schema = table(columns)
    fitted = pipeline.fit(steps, samples, schema, rows(train))
    return compose([made(text) for text in texts], fitted, samples, rows(train), codes=codes), fitted.transform(samples)


def test_colours_have_one_range_that_of_training_rows():
    pixels = PIXELS.copy()
    pixels[8:] = 255
    function, _ = composed({"image": pixels}, (Rescale(),), "random_brightness: 0.1")
    assert function.given.low == pytest.approx([0, 0])
    assert function.given.high == pytest.approx([250 / 255] * 2)


def test_brightness_is_the_same_before_and_after_standardizing():
    function, x = composed({"image": PIXELS}, (Rescale(), Standardize()), "random_brightness: 0.1", train=12)
    scaled = PIXELS / 250
    mean, std = scaled.mean(axis=(0, 1, 2)), scaled.std(axis=(0, 1, 2))
    assert function.given.low == pytest.approx(-mean / std, abs=1e-5)
    assert function.given.high == pytest.approx((1 - mean) / std, abs=1e-5)
    brighter = np.asarray(function(x, np.zeros((12, 1)), None, seed())[0]) * std + mean
    assert brighter == pytest.approx(changed("random_brightness: 0.1", scaled), abs=1e-5)


def test_fractions_have_a_range_per_channel_that_of_training_rows():
    images = noise(12, 6, 5, 2) * [1, 10]
    images[8:] *= 100
    function, x = composed({"image": images}, (Standardize(),), "random_contrast: 0.1")
    assert function.given.low == pytest.approx(x[:8].min(axis=(0, 1, 2)), abs=1e-5)
    assert function.given.high == pytest.approx(x[:8].max(axis=(0, 1, 2)), abs=1e-5)


PEOPLE = {
    "age": [20, None, 30, 40, 50, 60, 30, 30],
    "sex": ["f", "m", "f", "m", "f", "m", "f", "m"],
    "town": ["a", None, "b", "a", "b", "c", "a", "a"],
}
STEPS = (Impute(indicator=True), Standardize(), OneHot())


def test_a_dropped_column_looks_like_a_gap():
    function, _ = composed(PEOPLE, STEPS, "drop_values: 0.1")
    # age, age_missing; sex f, m, unknown (training rows have no gap); town a, b, c, missing, unknown.
    assert function.given.missing == pytest.approx([-0.513, 1, 0, 0, 1, 0, 0, 0, 1, 0], abs=1e-3)
    assert function.given.groups == (0, 0, 1, 1, 1, 2, 2, 2, 2, 2)


def test_numbers_of_a_vector_go_one_by_one():
    columns = {"x": noise(8, 3).astype(np.float64), "age": [1, 2, 3, 4, 5, 6, 7, 8]}
    function, _ = composed(columns, (Impute(**{"with": "0"}),), "drop_values: 0.1")
    assert function.given.groups == (0, 1, 2, 3)
    assert function.given.missing == pytest.approx([0, 0, 0, 0])
    alone, _ = composed({"x": noise(8, 4, 3).astype(np.float64)}, (Impute(**{"with": "0"}),), "drop_values: 0.1")
    assert alone.given.groups == tuple(range(12))
    assert alone.given.missing.shape == (4, 3)


def test_columns_whose_gaps_would_stay_are_a_problem():
    columns = {"age": [1, 2, 3, 4, 5, 6, 7, 8], "rank": ["a", "b"] * 4}
    with pytest.raises(ConfigError) as error:
        composed(columns, (Standardize(columns=("age",)), Ordinal()), "gaussian_noise: 0.1", "drop_values: 0.1")
    (problem,) = error.value.problems
    assert problem.message == "drop_values makes age missing, and preprocessing leaves the gap"
    assert problem.suggestion == "add `impute: age`"
    assert problem.path == ("augmentation", 1, "drop_values")


def test_rows_that_cannot_be_changed_so_are_problems_at_their_place():
    with pytest.raises(ConfigError) as error:
        composed(PEOPLE, STEPS, "gaussian_noise: 0.1", "random_flip", "word_dropout: 0.1")
    assert [problem.path[1:] for problem in error.value.problems] == [(1, "random_flip"), (2, "word_dropout")]


def test_codes_take_word_dropout_only():
    words = {"words": np.arange(24).reshape(8, 3)}
    function, _ = composed(words, (), "word_dropout: 0.1", codes=True)
    assert function.given.shape == (3,)
    with pytest.raises(ConfigError, match="an embedding takes codes"):
        composed(words, (), "mix_up", codes=True)


def test_nothing_is_composed_of_nothing():
    assert composed(PEOPLE, STEPS)[0] is None


def test_equal_augmentations_draw_other_numbers_at_each_place():
    x = noise(4, 6)
    once = changed("gaussian_noise: 1", x) - x
    twice = changed("gaussian_noise: 1, gaussian_noise: 1", x) - x
    second = twice - once
    assert np.abs(second - once).min() > 1e-4


def test_what_acts_first_does_not_change_what_the_second_draws():
    x = np.zeros((4, 6))
    alone = changed("gaussian_noise: 0.000001, gaussian_noise: 1", x)
    assert changed("word_dropout: 0.5, gaussian_noise: 1", x) == pytest.approx(alone, abs=1e-5)


def test_parts_and_shapes_tell_functions_apart_not_what_was_learned():
    one, _ = composed(PEOPLE, STEPS, "drop_values: 0.1")
    other, _ = composed(PEOPLE, STEPS, "drop_values: 0.2")
    fewer, _ = composed(PEOPLE, STEPS, "drop_values: 0.1", train=6)
    assert one.key == fewer.key != other.key


def test_a_held_function_goes_on_with_what_another_has_learned():
    one, x = composed(PEOPLE, STEPS, "drop_values: 0.5")
    fewer = replace(one, given=replace(one.given, missing=one.given.missing - 7))
    held = one.held()
    traced = tf.function(lambda: held(tf.constant(x), None, None, seed())[0])

    def eager(function):
        return np.asarray(function(tf.constant(x), None, None, seed())[0])

    assert np.array_equal(traced(), eager(one))
    held.take(fewer)
    assert np.array_equal(traced(), eager(fewer))
    assert not np.array_equal(eager(fewer), eager(one))
