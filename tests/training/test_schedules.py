"""Schedules: figures of the textbook, counted in epochs."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlcli.training.schedules import Constant, CustomSchedule, Exponential, OneCycle, Piecewise

STEPS = Piecewise(boundaries=(5.0, 85.0), values=(0.1, 0.01, 0.001))


def rate(schedule, epoch, *, epochs=100, initial=0.1) -> float:
    return schedule.rate(epoch, epochs=epochs, initial=initial)


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
    ],
)
def test_rate_follows_its_formula(schedule, epoch, expected):
    assert rate(schedule, epoch) == pytest.approx(expected, rel=1e-3)


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


SCHEDULES = st.sampled_from(
    [Constant(), STEPS, Exponential(decay=0.5), OneCycle(), OneCycle(tail=0.3, shape="cosine"), OneCycle(divisor=1)]
)


@given(SCHEDULES, st.integers(1, 300), st.floats(0, 1), st.floats(0, 20), st.floats(1e-6, 10))
def test_rates_are_finite_and_never_negative(schedule, epochs, progress, warm_up, initial):
    warmed = schedule.model_copy(update={"warm_up": warm_up})
    value = rate(warmed, progress * epochs, epochs=epochs, initial=initial)
    assert math.isfinite(value)
    assert value >= 0
