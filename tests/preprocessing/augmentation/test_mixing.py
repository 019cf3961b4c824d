"""Rows, targets and weights that are mixed."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.preprocessing.augmentation.composed import Composed
from dlcli.samples import Batch
from tests.preprocessing.augmentation.batches import made, noise, range_of, seed, tensors

ROWS = 600
OWN = np.eye(ROWS, dtype=np.float32)
"""Rows and targets that show which rows were mixed, and in what proportion."""


def mixed(text, x, y, weight=None):
    composed = Composed((made(text),), range_of(x.shape[1:]))
    return [None if each is None else np.asarray(each) for each in composed(*tensors(Batch(x, y, weight)), seed())]


@pytest.mark.parametrize(("alpha", "deviation"), [(0.2, 0.4226), (1.0, 0.2887), (5.0, 0.1508)])
def test_mix_up_blends_two_rows_by_a_share_of_beta(alpha, deviation):
    x, y, weight = mixed(f"mix_up: {alpha}", OWN, OWN)
    assert weight is None
    assert y == pytest.approx(x, abs=1e-6)
    assert x.sum(axis=1) == pytest.approx(np.ones(ROWS), abs=1e-6)
    assert ((x > 0).sum(axis=1) <= 2).all()
    share = x.diagonal()
    assert share.mean() == pytest.approx(0.5, abs=0.06)
    assert share.std() == pytest.approx(deviation, abs=0.02)


def test_every_row_is_the_partner_of_one_row():
    x, _, _ = mixed("mix_up: 5", OWN, OWN)
    assert ((x > 0).sum(axis=0) <= 2).all()
    assert (x.diagonal() < 1).mean() > 0.95


def test_a_tiny_alpha_gives_no_gap():
    x, _, _ = mixed("mix_up: 0.0001", OWN, OWN)
    assert np.isfinite(x).all()


def test_mixed_classes_sum_to_one_and_binary_targets_stay_between():
    classes = np.eye(10, dtype=np.float32)[np.arange(ROWS) % 10]
    _, y, _ = mixed("mix_up: 1.0", noise(ROWS, 4), classes)
    assert y.sum(axis=1) == pytest.approx(np.ones(ROWS), abs=1e-6)
    _, y, _ = mixed("mix_up: 1.0", noise(ROWS, 4), classes[:, :1])
    assert y.dtype == np.float32
    assert 0 < ((y > 0) & (y < 1)).mean() < 0.3


@pytest.mark.parametrize("empty", [False, True])
def test_a_mixed_row_counts_as_its_two_rows_would(empty):
    weights = noise(ROWS) + 0.1
    if empty:
        weights[::2] = 0
    x, y, weight = mixed("mix_up: 1.0", OWN, OWN, weights)
    # Row i has the share x[i, k] of row k, so the loss for target k counts x[i, k] times the weight of row k.
    assert weight == pytest.approx(x @ weights, abs=1e-5)
    assert weight[:, None] * y == pytest.approx(x * weights, abs=1e-5)
    assert y.sum(axis=1) == pytest.approx(np.ones(ROWS), abs=1e-5)


def test_cut_mix_puts_a_rectangle_of_another_image_in_and_mixes_targets_by_its_area():
    rows = 200
    numbers = np.arange(rows, dtype=np.float32)
    images = np.broadcast_to(numbers[:, None, None, None], (rows, 6, 5, 2))
    x, y, _ = mixed("cut_mix", images, np.eye(rows))
    for number, image, target in zip(numbers, x, y, strict=True):
        foreign = image != number
        assert foreign.any(axis=(1, 2)).sum() * foreign.any(axis=(0, 2)).sum() * 2 == foreign.sum()
        assert len(np.unique(image[foreign])) <= 1
        shares = np.bincount(image.astype(int).ravel(), minlength=rows) / 60
        assert target == pytest.approx(shares, abs=1e-6)
    assert y.diagonal().mean() == pytest.approx(0.5, abs=0.1)


def test_embeddings_take_no_blends():
    assert made("mix_up").misfit((20,), codes=True) is not None
    assert made("mix_up").misfit((20,), codes=False) is None
    assert made("cut_mix").misfit((20,), codes=False) is not None
