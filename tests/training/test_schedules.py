"""Schedules: figures of the textbook, counted in epochs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlcli.problems import ConfigError
from dlcli.training.schedules import (
    Constant,
    Cosine,
    CosineRestarts,
    CustomSchedule,
    Exponential,
    OneCycle,
    Performance,
    Piecewise,
    Polynomial,
    Power,
    Staircase,
)

STEPS = Piecewise(boundaries=(5.0, 85.0), values=(0.1, 0.01, 0.001))


def rate(schedule, epoch, *, epochs=100, initial=0.1, span=0.0) -> float:
    return schedule.rate(epoch, epochs=epochs, initial=initial, span=span)


@pytest.mark.parametrize(("number", "expected"), [(1, 0.1), (5, 0.1), (6, 0.01), (85, 0.01), (86, 0.001)])
def test_piecewise_keeps_a_rate_for_whole_epochs(number, expected):
    assert rate(STEPS, number - 1) == rate(STEPS, number - 0.01) == expected


@pytest.mark.parametrize(
    ("schedule", "epoch", "expected"),
    [
        (Constant(), 7.5, 0.1),
        (Exponential(constant=20.0), 20, 0.03679),
        (Exponential(constant=20.0), 100, 0.000674),
        (Exponential(every=20.0, factor=0.1), 20, 0.01),
        (Exponential(constant=20 / math.log(10)), 20, 0.01),
        (Exponential(decay=0.95), 2, 0.09025),
        (Power(s=20), 20, 0.05),
        (Power(s=20), 40, 0.033333),
        (Power(s=20), 60, 0.025),
        (Power(s=50, c=2), 100, 0.011111),
        (Cosine(), 0, 0.1),
        (Cosine(), 25, 0.085355),
        (Cosine(), 50, 0.05),
        (Cosine(), 75, 0.014645),
        (Cosine(alpha=0.2), 50, 0.06),
        (Cosine(alpha=0.2), 100, 0.02),
        (Polynomial(), 25, 0.075),
        (Polynomial(power=2), 50, 0.025),
        (Polynomial(power=2, end_learning_rate=0.02), 50, 0.04),
        (Polynomial(end_learning_rate=0.02), 100, 0.02),
        (Performance(), 99, 0.1),
    ],
)
def test_rate_follows_its_formula(schedule, epoch, expected):
    assert rate(schedule, epoch) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("epoch", "expected"), [(0, 0.1), (9.99, 0.1), (10, 0.05), (19, 0.05), (20, 0.025), (30, 0.0125)]
)
def test_step_falls_every_so_many_epochs_and_stays_in_between(epoch, expected):
    assert rate(Staircase(every=10, factor=0.5), epoch) == expected


def test_cosine_restarts_in_periods_that_can_grow_and_sink():
    equal = CosineRestarts(first_period=10)
    assert [rate(equal, epoch) for epoch in (0, 5, 10, 15, 30)] == pytest.approx([0.1, 0.05, 0.1, 0.05, 0.1])
    growing = CosineRestarts(first_period=10, t_mul=2, m_mul=0.5, alpha=0.1)
    # Periods of 10, 20 and 40 epochs, from 0.1, 0.05 and 0.025.
    points = [rate(growing, epoch) for epoch in (0, 5, 10, 20, 30, 50, 70)]
    assert points == pytest.approx([0.1, 0.055, 0.05, 0.0275, 0.025, 0.01375, 0.0125])
    assert rate(growing, 10 - 1e-6) == pytest.approx(0.01)


@pytest.mark.parametrize("shape", ["linear", "cosine"])
def test_one_cycle_goes_up_and_back_down(shape):
    schedule = OneCycle(peak=0.1, shape=shape)
    assert [rate(schedule, epoch, initial=9.0) for epoch in (0, 50, 100)] == pytest.approx([0.01, 0.1, 0.01])
    assert rate(schedule, 25) == pytest.approx(0.055)
    assert rate(schedule, 10) == pytest.approx(rate(schedule, 90))


def test_one_cycle_takes_its_peak_from_the_optimizer_and_can_end_in_a_tail():
    schedule = OneCycle(tail=0.2, divisor=5)
    points = [rate(schedule, epoch) for epoch in (0, 40, 80, 90, 100)]
    assert points == pytest.approx([0.02, 0.1, 0.02, 0.01005, 0.0001])


def test_warm_up_rises_from_zero_and_then_changes_nothing():
    warmed = Exponential(decay=0.9, warm_up=4)
    assert [rate(warmed, epoch) for epoch in (0, 2, 4, 9)] == pytest.approx(
        [0, 0.5 * 0.1 * 0.9**2, 0.1 * 0.9**4, 0.1 * 0.9**9]
    )


@pytest.mark.parametrize(
    ("warm_up", "batches", "factors"),
    [
        (2, 1, [0.25, 0.75, 1, 1]),
        (1, 4, [0.125, 0.375, 0.625, 0.875, 1, 1]),
        (1, 1, [0.5, 1]),
        (0.5, 1, [0.75, 1]),
        (1.5, 1, [1 / 3, 11 / 12, 1]),
        (0.1, 2, [0.9, 1]),
    ],
)
def test_an_update_takes_the_mean_of_the_warm_up_over_its_stretch_so_that_the_first_one_learns(
    warm_up, batches, factors
):
    schedule = Constant(warm_up=warm_up)
    found = [rate(schedule, batch / batches, initial=1.0, span=1 / batches) for batch in range(len(factors))]
    assert found == pytest.approx(factors)


@given(st.floats(0.01, 5), st.integers(1, 50), st.integers(1, 50))
def test_warm_up_adds_up_to_the_same_for_every_batch_size(warm_up, one, other):
    def learnt(batches: int) -> float:
        starts = [batch / batches for batch in range(6 * batches)]
        span = 1 / batches
        return sum(rate(Constant(warm_up=warm_up), start, initial=1.0, span=span) * span for start in starts)

    assert learnt(one) == pytest.approx(learnt(other)) == pytest.approx(6 - warm_up / 2)


@pytest.mark.parametrize(
    ("schedule", "fields", "words"),
    [
        (Exponential, {}, "takes decay, or every and factor, or constant"),
        (Exponential, {"decay": 0.9, "constant": 3}, "takes decay"),
        (Exponential, {"every": 3}, "takes decay"),
        (Piecewise, {"boundaries": (5, 5), "values": (1, 2, 3)}, "must rise"),
        (Piecewise, {"boundaries": (5, 6), "values": (1, 2)}, "need 3 values, got 2"),
    ],
)
def test_fields_that_do_not_go_together_are_refused(schedule, fields, words):
    with pytest.raises(ValidationError, match=words):
        schedule(**fields)


def test_custom_schedule_calls_the_function(tmp_path):
    (tmp_path / "rates.py").write_text("def half(epoch):\n    return 0.5 ** int(epoch)\n")
    assert rate(CustomSchedule(object=f"{tmp_path}/rates.py:half"), 2.7) == 0.25


@pytest.mark.parametrize("returned", ["-0.1", "None", "float('nan')", "'fast'"])
def test_what_a_custom_schedule_gives_must_be_a_rate(tmp_path, returned):
    (tmp_path / "rates.py").write_text(f"def f(epoch):\n    return {returned}\n")
    with pytest.raises(ConfigError, match=r"must give a learning rate of 0 or more, got .* at epoch 2\.5"):
        rate(CustomSchedule(object=f"{tmp_path}/rates.py:f"), 2.5)


SCHEDULES = st.sampled_from(
    [
        Constant(),
        STEPS,
        Exponential(decay=0.5),
        Power(s=0.01, c=50),
        Staircase(every=0.3),
        OneCycle(),
        OneCycle(tail=0.3, shape="cosine"),
        OneCycle(divisor=1),
        Cosine(),
        CosineRestarts(first_period=0.7),
        CosineRestarts(first_period=0.7, t_mul=1.3, m_mul=0.5, alpha=0.1),
        Polynomial(power=3),
        Performance(),
    ]
)


@given(SCHEDULES, st.integers(1, 300), st.floats(0, 1), st.floats(0, 20), st.floats(1e-6, 10))
def test_rates_are_finite_and_never_negative(schedule, epochs, progress, warm_up, initial):
    warmed = schedule.model_copy(update={"warm_up": warm_up})
    value = rate(warmed, progress * epochs, epochs=epochs, initial=initial)
    assert math.isfinite(value)
    assert value >= 0


@given(SCHEDULES, st.integers(1, 300), st.floats(0, 1), st.floats(1e-6, 10))
def test_no_rate_is_higher_than_the_highest_that_is_written(schedule, epochs, progress, initial):
    highest = max(getattr(schedule, "values", ()), default=initial)
    assert rate(schedule, progress * epochs, epochs=epochs, initial=initial) <= highest * (1 + 1e-12)


@given(SCHEDULES, st.integers(1, 40), st.floats(0, 20))
def test_no_update_is_wasted(schedule, batches, warm_up):
    warmed = schedule.model_copy(update={"warm_up": warm_up})
    rates = [rate(warmed, batch / batches, epochs=1, span=1 / batches) for batch in range(batches)]
    assert all(each > 0 for each in rates)
