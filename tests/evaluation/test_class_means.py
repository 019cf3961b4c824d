"""Intervals of balanced accuracy and macro-F1, from counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.evaluation import intervals
from dlcli.evaluation.class_means import balanced_accuracy, macro_f1


def array(*values: object) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_two_classes_are_newcombes_difference_of_two_shares() -> None:
    # Newcombe 1998, method 10: 56/70 - 48/80 lies in 0.0524 to 0.3339; here the mean of 56/70 and 1 - 48/80
    found = balanced_accuracy(array(56, 32), array(70, 80), 0.95)
    assert (found.low, found.high) == pytest.approx(((1 + 0.0524) / 2, (1 + 0.3339) / 2), abs=5e-5)
    assert (found.method, found.n) == ("MOVER", 70)


def test_of_one_class_it_is_wilsons_interval() -> None:
    found = balanced_accuracy(array(17, 0), array(20, 0), 0.9)
    expected = intervals.wilson(17 / 20, 20, 0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_many_classes_count_as_the_rows_that_have_their_variance() -> None:
    hits, rows = array(9, 7, 5, 20), array(10, 10, 10, 20)
    mean = (0.9 + 0.7 + 0.5 + 1.0) / 4
    shrunk = (hits + mean) / (rows + 1)
    variance = np.sum(shrunk * (1 - shrunk) / rows) / 16
    worth = shrunk.mean() * (1 - shrunk.mean()) / variance
    found, expected = balanced_accuracy(hits, rows, 0.95), intervals.wilson(mean, worth, 0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.n == pytest.approx(worth)


def test_without_an_error_many_classes_count_as_four_times_the_harmonic_mean_of_their_rows() -> None:
    rows = array(10, 20, 40, 40)
    found = balanced_accuracy(rows, rows, 0.95)
    assert (found.n, found.high) == (pytest.approx(16 / (1 / 10 + 1 / 20 + 2 / 40)), 1.0)


@pytest.mark.parametrize("rows", [(0, 0), (0.5, 3)])
def test_balanced_accuracy_needs_a_row_of_each_class_that_is_there(rows: tuple[float, float]) -> None:
    found = balanced_accuracy(array(0, 0), array(*rows), 0.95)
    assert found.low is None
    assert found.reason


def test_the_variance_of_macro_f1_is_that_of_its_slopes() -> None:
    counts = array([40, 5, 2], [6, 30, 4], [1, 3, 25])

    def mean_f1(cells: np.ndarray) -> float:
        return float(np.mean(2 * np.diag(cells) / (cells.sum(0) + cells.sum(1))))

    mean, n = mean_f1(counts), counts.sum()
    added = counts + mean * np.eye(3) + (1 - mean) * (1 - np.eye(3)) / 2
    variance = 0.0
    for cell in np.ndindex(3, 3):
        more = added.copy()
        more[cell] += 1e-5
        variance += added[cell] / added.sum() * ((mean_f1(more) - mean_f1(added)) / 1e-5 * added.sum()) ** 2 / n
    expected = intervals.wilson(mean, mean * (1 - mean) / variance, 0.95)
    found = macro_f1(counts, 0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-4)
    assert (found.method, found.n) == ("Wilson, effective rows", 29)


def test_small_classes_put_their_own_intervals_together() -> None:
    found = macro_f1(array([50, 2], [1, 4]), 0.95)
    parts = intervals.f1(100 / 103, 53, 0.95), intervals.f1(8 / 11, 7, 0.95)
    values = (100 / 103, 8 / 11)
    half = np.hypot(*(value - part.low for value, part in zip(values, parts, strict=True))) / 2
    assert found.low == pytest.approx(sum(values) / 2 - half)
    assert (found.method, found.n) == ("MOVER", 5)


@pytest.mark.parametrize("rows", [20, 200])
def test_without_an_error_equal_classes_count_all_their_rows(rows: int) -> None:
    found, expected = macro_f1(rows * np.eye(4), 0.95), intervals.wilson(1.0, 4 * rows, 0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_no_rows_have_no_macro_f1() -> None:
    assert macro_f1(np.zeros((3, 3)), 0.95).reason


@given(st.integers(2, 12), st.integers(0, 2**32), st.floats(0, 1))
def test_the_ends_hold_the_mean_and_spread_with_confidence(classes: int, seed: int, right: float) -> None:
    generator = np.random.default_rng(seed)
    chances = np.where(np.eye(classes) == 1, right, (1 - right) / (classes - 1)) / classes
    counts = generator.multinomial(generator.integers(2, 200), chances.ravel()).reshape(classes, classes).astype(float)
    actual, hits = counts.sum(1), np.diag(counts)
    carriers = actual + counts.sum(0)
    f1 = np.divide(2 * hits, carriers, out=np.zeros(classes), where=carriers > 0).mean()
    recall = (hits[actual > 0] / actual[actual > 0]).mean()
    for value, narrow, wide in (
        (f1, macro_f1(counts, 0.8), macro_f1(counts, 0.99)),
        (recall, balanced_accuracy(hits, actual, 0.8), balanced_accuracy(hits, actual, 0.99)),
    ):
        assert 0 <= wide.low <= narrow.low <= value + 1e-12
        assert value - 1e-12 <= narrow.high <= wide.high <= 1
        assert narrow.low < narrow.high
