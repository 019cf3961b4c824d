"""The learning-rate range test: the ramp, when it ends, and what its curve says."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from dlcli.training.rate_range import Curve, Reading, ramp, read, sweep

RATES = ramp(1e-6, 10, 141)  # 20 batches for each power of ten


def valley(rates: NDArray[np.float64], bottom: float = 1e-2) -> NDArray[np.float64]:
    """Flat at 2, down to 0.5 around `bottom`, and up again without end."""
    far = np.log10(rates / bottom)
    return np.where(far < 0, 0.5 + 0.75 * (1 - np.cos(np.pi * np.clip(-far / 2, 0, 1))), 0.5 + far**4)


def noise(size: float, seed: int = 0) -> NDArray[np.float64]:
    return size * np.random.default_rng(seed).standard_normal(len(RATES))


def swept(losses: NDArray[np.float64]) -> Curve:
    return sweep(lambda number, rate: float(losses[number]), RATES)  # noqa: ARG005 - the losses are known


def said(reading: Reading) -> dict[str, float]:
    return {suggestion.name: suggestion.rate for suggestion in reading.suggestions}


def test_each_rate_is_the_same_factor_above_the_one_before() -> None:
    assert ramp(1e-4, 1, 5) == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1])


def test_every_batch_gets_its_number_and_its_rate() -> None:
    seen: list[tuple[int, float]] = []

    def step(number: int, rate: float) -> float:
        seen.append((number, rate))
        return 1.0

    curve = sweep(step, ramp(0.1, 10, 3))
    assert [number for number, _ in seen] == [0, 1, 2]
    assert [rate for _, rate in seen] == pytest.approx([0.1, 1, 10])
    assert not curve.blew_up


def test_the_test_ends_when_the_running_loss_is_four_times_the_smallest() -> None:
    # Nine batches of 1, then of 8: the running mean goes 2.6, 3.8, 4.7.
    curve = swept(np.array([1.0] * 9 + [8.0] * 132))
    assert curve.limit == pytest.approx(4)
    assert curve.blew_up
    assert len(curve.losses) == 12


def test_one_bad_batch_does_not_end_it() -> None:
    losses = np.ones(141)
    losses[50] = 10
    assert len(swept(losses).losses) == 141


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_it(bad: float) -> None:
    losses = valley(RATES)
    losses[100] = bad
    curve = swept(losses)
    assert curve.blew_up
    assert len(curve.losses) == 101


def test_a_loss_that_came_close_to_zero_may_tremble() -> None:
    losses = np.geomspace(1, 1e-6, 141)
    losses[100:] = 1e-2
    assert not swept(losses).blew_up


def test_a_negative_loss_can_fall() -> None:
    assert not swept(np.linspace(-0.1, -0.9, 141)).blew_up


def test_two_rates_are_suggested_a_tenth_of_the_minimum_and_the_steepest() -> None:
    reading = read(swept(valley(RATES)))
    assert [suggestion.name for suggestion in reading.suggestions] == ["minimum", "steepest"]
    # The valley's bottom is at .01 and its middle slope at .001; its flatter side draws the smoothed minimum right.
    assert said(reading)["minimum"] == pytest.approx(1e-3, rel=0.6)
    assert said(reading)["steepest"] == pytest.approx(1e-3, rel=0.2)
    assert reading.warnings == ()


def test_the_reason_names_the_rate_of_the_minimum() -> None:
    minimum, steepest = read(swept(valley(RATES))).suggestions
    assert minimum.reason == f"a tenth of the rate where the loss was smallest ({10 * minimum.rate:.2g})"
    assert steepest.reason == "where the loss fell fastest"


@pytest.mark.parametrize("seed", range(10))
def test_noise_of_single_batches_moves_them_little(seed: int) -> None:
    found, clean = (said(read(swept(valley(RATES) + extra))) for extra in (noise(0.2, seed), 0.0))
    for name, rate in clean.items():
        assert abs(math.log10(found[name] / rate)) < 0.4


def test_the_height_of_a_blow_up_moves_them_not_at_all() -> None:
    lower, higher = valley(RATES), valley(RATES)
    lower[110:], higher[110:] = 1e3, 1e30
    assert said(read(swept(lower))) == said(read(swept(higher)))


def test_a_spike_at_the_start_is_not_taken_for_the_steepest_descent() -> None:
    losses = valley(RATES)
    losses[10] = 4
    assert said(read(swept(losses))) == pytest.approx(said(read(swept(valley(RATES)))), rel=0.1)


def test_a_loss_that_never_rose_gives_the_steepest_alone() -> None:
    reading = read(swept(valley(RATES, bottom=100) + noise(0.05)))
    assert list(said(reading)) == ["steepest"]
    assert "hardly rose again up to 10: raise --max" in reading.warnings[0]


@pytest.mark.parametrize("seed", range(10))
def test_noise_alone_gives_none(seed: int) -> None:
    reading = read(swept(1 + noise(0.1, seed)))
    assert reading.suggestions == ()
    assert "no more than its noise up to 10" in reading.warnings[0]


def test_a_loss_that_blew_up_at_once_gives_none() -> None:
    losses = 1 + noise(0.05)
    losses[30:] = np.geomspace(1, 1e9, 111)
    reading = read(swept(losses))
    assert reading.suggestions == ()
    assert "blew up at 0.0001 and fell no more than its noise" in reading.warnings[0]


def test_a_loss_that_is_never_a_number_gives_none() -> None:
    curve = swept(np.full(141, math.nan))
    assert len(curve.losses) == 1
    reading = read(curve)
    assert reading.suggestions == ()
    assert "not a number from the first batch on" in reading.warnings[0]


def test_smoothing_keeps_a_straight_line_straight_inside() -> None:
    line = np.linspace(2, 1, 141)
    smoothed = read(Curve(RATES, line, limit=8, blew_up=False)).smoothed
    assert smoothed[20:-20] == pytest.approx(line[20:-20])
