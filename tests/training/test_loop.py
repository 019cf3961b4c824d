"""The loop: epochs, selection, stopping, recovery."""

from copy import deepcopy

import numpy as np
import pytest

from dlcli.events import EpochEnded, Note, SegmentEnded, silent
from dlcli.seeds import Seeds
from dlcli.training.divergence import Divergence
from dlcli.training.loop import DivergedError, LoopSettings, Rows, run
from dlcli.training.optimizers import SGD, Adam
from dlcli.training.schedules import Constant, OneCycle, Performance
from dlcli.training.stopping import EarlyStopping
from tests.training.networks import accuracy, engine, rows
from tests.training.test_engine import digest, linear_engine, weights

TRAIN, VALIDATION = rows(), rows(20, seed=1)


def settings(epochs=4, rate=0.01, **named) -> LoopSettings:
    return LoopSettings(epochs, named.pop("batch_size", 10), rate, **named)


def train(one=None, *, validation=VALIDATION, seed=0, emit=silent, **named):
    one = one or engine()
    extra = {key: named.pop(key) for key in ("score_train", "clock") if key in named}
    outcome = run(one, TRAIN, validation, settings(**named), Seeds(seed), accuracy(VALIDATION), emit, **extra)
    return outcome, one


def loss(one) -> float:
    predictions = one.predict(VALIDATION.x)
    return float(np.mean(-np.log(predictions[np.arange(len(VALIDATION)), VALIDATION.y])))


def test_history_holds_losses_scores_and_rate_of_every_epoch():
    events = []
    outcome, _ = train(emit=events.append, rate=0.1, schedule=OneCycle())
    assert [set(row) for row in outcome.history] == [
        {"epoch", "loss", "val_loss", "val_accuracy", "learning_rate", "seconds"}
    ] * 4
    assert [row["learning_rate"] for row in outcome.history] == pytest.approx([0.01, 0.055, 0.1, 0.055])
    assert (outcome.epochs_run, outcome.stopped_by, outcome.monitor) == (4, "epochs", "val_loss")
    assert all(isinstance(event, EpochEnded) for event in events)
    assert [event.values["val_loss"] for event in events] == [row["val_loss"] for row in outcome.history]
    best = [event.epoch for event in events if event.best][-1]
    assert outcome.chosen_epoch == best


def test_chosen_weights_are_those_of_the_best_epoch():
    outcome, one = train(epochs=12, rate=0.3)  # so high that the loss jumps about
    losses = [row["val_loss"] for row in outcome.history]
    assert outcome.chosen_epoch == int(np.argmin(losses)) + 1 < 12
    assert loss(one) == pytest.approx(min(losses))


def test_select_last_keeps_the_last_epoch():
    outcome, one = train(epochs=3, select="last")
    assert (outcome.chosen_epoch, outcome.monitor) == (3, "last")
    assert loss(one) == pytest.approx(outcome.history[-1]["val_loss"])


def test_validation_rows_change_no_weight_when_the_last_epoch_is_kept():
    other = rows(30, seed=9)
    outcome = run(first := engine(), TRAIN, other, settings(select="last"), Seeds(0), accuracy(other), silent)
    _, second = train(validation=None)
    assert digest(first) == digest(second)
    assert outcome.epochs_run == 4


def test_without_validation_the_last_epoch_is_kept():
    outcome, _ = train(validation=None)
    assert (outcome.chosen_epoch, outcome.monitor) == (4, "last")
    assert "val_loss" not in outcome.history[0]


def test_order_of_rows_follows_the_seed():
    digests = [digest(train(seed=seed, select="last", epochs=2)[1]) for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]
    plain = [digest(train(seed=seed, select="last", epochs=2, shuffle=False)[1]) for seed in (0, 1)]
    assert plain[0] == plain[1]


def test_full_batch_makes_one_update_per_epoch():
    _, one = train(epochs=3, batch_size="full")
    assert int(one.model.optimizer.iterations) == 3


def test_patience_stops_and_a_greater_metric_is_better():
    stopping = EarlyStopping(monitor="val_accuracy", patience=2)
    outcome, _ = train(epochs=60, early_stopping=stopping, directions={"accuracy": True})
    scores = [row["val_accuracy"] for row in outcome.history]
    assert outcome.stopped_by == "patience"
    assert outcome.chosen_epoch == int(np.argmax(scores)) + 1 == outcome.epochs_run - 2


def test_training_rows_can_be_monitored():
    outcome, _ = train(
        select="accuracy", directions={"accuracy": True}, train_monitors=True, score_train=accuracy(TRAIN)
    )
    scores = [row["accuracy"] for row in outcome.history]
    assert outcome.chosen_epoch == int(np.argmax(scores)) + 1


def test_time_limit_ends_after_an_epoch():
    ticks = iter(range(1000))
    outcome, _ = train(epochs=50, time_limit=7.0, clock=lambda: float(next(ticks)))
    assert outcome.stopped_by == "time_limit"
    assert 1 < outcome.epochs_run < 7


LINE = Rows(np.array([[1.0], [2.0], [3.0]], np.float32), np.array([[2.0], [4.0], [6.0]], np.float32))


def fall(factor: float, retries: int, events: list, rate: float = 1e20):
    one = linear_engine(SGD(), 1.0, 0.0)
    plan = settings(epochs=30, rate=rate, divergence=Divergence(retries=retries, factor=factor))
    return run(one, LINE, LINE, plan, Seeds(0), lambda _: {}, events.append), one


def test_loss_that_is_not_finite_goes_back_with_a_smaller_rate():
    events: list = []
    outcome, _ = fall(1e-22, 1, events)
    assert outcome.epochs_run == 30
    assert outcome.history[-1]["learning_rate"] == pytest.approx(0.01)
    assert outcome.history[-1]["val_loss"] < 1
    notes = [event for event in events if isinstance(event, Note)]
    assert notes[0].warning
    assert "the loss is not finite" in outcome.warnings[0]


def test_out_of_retries_the_last_good_weights_are_kept():
    events: list = []
    with pytest.raises(DivergedError) as caught:
        fall(0.9, 2, events)
    assert caught.value.exit_code == 1
    assert "also after going back 2 times" in str(caught.value)
    assert caught.value.outcome.stopped_by == "diverged"
    assert len(caught.value.outcome.warnings) == 2


def test_divergence_at_once_keeps_the_initial_weights():
    one = linear_engine(SGD(), 1.0, 0.0)
    plan = settings(rate=1e30, divergence=None)
    with pytest.raises(DivergedError) as caught:
        run(one, LINE, LINE, plan, Seeds(0), lambda _: {}, silent)
    assert caught.value.outcome.chosen_epoch == 0
    assert weights(one) == [1, 0]


def slow_clock(step: float):
    """A clock by which everything takes long, so that epochs are cut into segments."""
    ticks = iter(range(10**9))
    return lambda: next(ticks) * step


MANY = rows(600)
LONG = {"epochs": 6, "batch_size": 8, "checkpoint_every": 0.0, "rate": 0.02}


def demanding() -> dict:
    """Everything that keeps a state of its own."""
    return {
        **LONG,
        "schedule": Performance(patience=1, factor=0.5),
        "early_stopping": EarlyStopping(patience=4),
        "directions": {"accuracy": True},
    }


def long_training(one=None, **named):
    one = one or engine(Adam(use_ema=True, ema_momentum=0.9, gradient_accumulation_steps=3))
    extra = {key: named.pop(key) for key in ("clock", "resume", "keep", "interrupted") if key in named}
    outcome = run(
        one, MANY, VALIDATION, settings(**(demanding() | named)), Seeds(0), accuracy(VALIDATION), silent, **extra
    )
    return outcome, one


def told(outcome) -> list[dict[str, float]]:
    """The history but for the time it took."""
    return [{name: value for name, value in row.items() if name != "seconds"} for row in outcome.history]


def test_a_training_resumed_from_any_state_ends_with_the_same_bits():
    states: list = []
    whole, one = long_training(clock=slow_clock(0.6), keep=lambda state: states.append(deepcopy(state)))
    positions = {(len(state["history"]), state["batch"]) for state in states}
    assert any(batch for _, batch in positions)
    assert any(not batch for _, batch in positions)
    for state in states[:: max(1, len(states) // 6)]:
        outcome, other = long_training(resume=state)
        assert digest(other) == digest(one)
        assert told(outcome) == told(whole)
        assert outcome.chosen_epoch == whole.chosen_epoch


def test_segments_change_no_number():
    whole, one = long_training(clock=lambda: 0.0)
    cut, other = long_training(clock=slow_clock(0.6))
    assert digest(one) == digest(other)
    assert told(whole) == told(cut)


def test_an_interruption_keeps_the_state_and_stops_within_the_epoch():
    kept: list = []
    asked = iter([False, False, False, True])
    with pytest.raises(KeyboardInterrupt):
        long_training(clock=slow_clock(0.6), keep=kept.append, interrupted=lambda: next(asked), checkpoint_every=1e9)
    assert len(kept) == 1
    assert kept[0]["batch"] > 0
    resumed, one = long_training(resume=kept[0])
    whole, other = long_training()
    assert digest(one) == digest(other)
    assert told(resumed) == told(whole)


def test_states_are_kept_no_more_often_than_asked():
    kept: list = []
    long_training(clock=slow_clock(1.0), keep=kept.append, checkpoint_every=50.0)
    often: list = []
    long_training(clock=slow_clock(1.0), keep=often.append)
    assert 0 < len(kept) < len(often) / 3


def test_long_epochs_tell_how_far_they_are():
    events: list = []
    run(engine(), MANY, None, settings(epochs=2, batch_size=8), Seeds(0), accuracy(MANY), events.append,
        clock=slow_clock(0.6))  # fmt: skip
    shares = [event.share for event in events if isinstance(event, SegmentEnded) and event.epoch == 2]
    assert shares == sorted(shares)
    assert len(shares) > 2
    assert all(0 < share < 1 for share in shares)


def test_rate_falls_when_the_monitor_no_longer_improves():
    events: list = []
    schedule = Performance(monitor="val_accuracy", patience=1, factor=0.5)
    outcome, _ = train(epochs=8, schedule=schedule, rate=1e-9, directions={"accuracy": True}, emit=events.append)
    rates = [row["learning_rate"] for row in outcome.history]
    assert rates[:4] == pytest.approx([1e-9, 1e-9, 5e-10, 2.5e-10])
    assert any("val_accuracy no longer improves" in event.text for event in events if isinstance(event, Note))
    again, _ = train(epochs=8, schedule=schedule, rate=1e-9, rate_factors=outcome.rate_factors, validation=None)
    assert [row["learning_rate"] for row in again.history] == rates


def test_warm_up_rises_over_the_first_epochs():
    outcome, _ = train(epochs=4, schedule=Constant(warm_up=2), rate=0.1)
    assert [row["learning_rate"] for row in outcome.history] == pytest.approx([0.005, 0.055, 0.1, 0.1])


def test_averaged_weights_are_the_ones_that_are_kept():
    outcome, one = train(engine(Adam(use_ema=True, ema_momentum=0.9)), epochs=3, select="last")
    assert loss(one) == pytest.approx(outcome.history[-1]["val_loss"])


@pytest.mark.slow
def test_xla_scores_within_the_spread_of_five_seeds():
    losses: dict[bool, list[float]] = {False: [], True: []}
    for xla, found in losses.items():
        for seed in range(5):
            one = engine(seed=seed, xla=xla)
            plan = settings(epochs=20, batch_size=16, select="last")
            outcome = run(one, MANY, rows(200, seed=1), plan, Seeds(seed), lambda _: {}, silent)
            found.append(outcome.history[-1]["val_loss"])
    assert min(losses[False]) <= np.mean(losses[True]) <= max(losses[False])
