"""Noise, gaps and dropped words."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.samples import NetworkInput
from tests.preprocessing.augmentation.batches import changed, made, noise

TABLE = noise(2000, 6) + 1


def test_noise_has_the_deviation_that_is_written_and_no_mean():
    added = changed("gaussian_noise: 0.3", TABLE) - TABLE
    assert added.mean() == pytest.approx(0, abs=0.012)
    assert added.std() == pytest.approx(0.3, abs=0.01)
    assert np.corrcoef(added.T)[0, 1:] == pytest.approx(np.zeros(5), abs=0.1)


def test_dropped_values_look_like_gaps_and_features_of_one_column_go_together():
    missing = np.float32([-1, -2, -3, -4, -5, -6])
    given = NetworkInput((6,), missing=missing, groups=(0, 1, 1, 1, 2, 2))
    result = changed("drop_values: 0.2", TABLE, given)
    gone = result == missing
    assert ((result == TABLE) | gone).all()
    assert gone.mean(axis=0) == pytest.approx(np.full(6, 0.2), abs=0.04)
    assert (gone[:, 1:3] == gone[:, 3:4]).all()
    assert (gone[:, 4] == gone[:, 5]).all()
    assert np.corrcoef(gone[:, [0, 1, 4]].T)[0, 1:] == pytest.approx([0, 0], abs=0.1)


def test_values_of_a_sequence_go_one_by_one():
    steps = noise(500, 4, 3) + 1
    missing = np.arange(12, dtype=np.float32).reshape(4, 3) - 20
    result = changed("drop_values: 0.5", steps, NetworkInput((4, 3), missing=missing, groups=tuple(range(12))))
    gone = result == missing
    assert ((result == steps) | gone).all()
    assert gone.mean(axis=0) == pytest.approx(np.full((4, 3), 0.5), abs=0.1)


def test_dropped_words_are_0():
    words = np.random.default_rng(0).integers(1, 50, (1000, 8)).astype(np.float32)
    result = changed("word_dropout: 0.1", words)
    assert ((result == words) | (result == 0)).all()
    assert (result == 0).mean() == pytest.approx(0.1, abs=0.02)


@pytest.mark.parametrize(
    ("text", "shape", "codes", "fits"),
    [
        ("gaussian_noise: 0.1", (5,), None, True),
        ("gaussian_noise: 0.1", (5,), True, False),
        ("drop_values: 0.1", (5,), False, True),
        ("drop_values: 0.1", (5,), True, False),
        ("drop_values: 0.1", (8, 8, 1), None, False),
        ("drop_values: 0.1", None, None, True),
        ("word_dropout: 0.1", (5,), None, True),
        ("word_dropout: 0.1", (5,), True, True),
        ("word_dropout: 0.1", (5,), False, False),
    ],
)
def test_says_what_rows_it_cannot_change(text, shape, codes, fits):
    assert (made(text).misfit(shape, codes=codes) is None) == fits
