"""The loop: epochs, selection, stopping, recovery."""

import numpy as np
import pytest

from dlcli.events import EpochEnded, Note, silent
from dlcli.seeds import Seeds
from dlcli.training.divergence import Divergence
from dlcli.training.loop import DivergedError, LoopSettings, Rows, run
from dlcli.training.optimizers import SGD
from dlcli.training.schedules import OneCycle
from dlcli.training.stopping import EarlyStopping
from tests.training.networks import accuracy, engine, rows
from tests.training.test_engine import digest, linear_engine

TRAIN, VALIDATION = rows(), rows(20, seed=1)


def settings(epochs=4, rates=lambda epoch: 0.01, **named) -> LoopSettings:  # noqa: ARG005 - a constant schedule
    return LoopSettings(epochs, named.pop("batch_size", 10), rates, **named)


def train(one=None, *, validation=VALIDATION, seed=0, emit=silent, **named):
    one = one or engine()
    extra = {key: named.pop(key) for key in ("score_train", "clock") if key in named}
    outcome = run(one, TRAIN, validation, settings(**named), Seeds(seed), accuracy(VALIDATION), emit, **extra)
    return outcome, one


def test_history_holds_losses_scores_and_rate_of_every_epoch():
    events = []
    outcome, _ = train(emit=events.append, rates=lambda epoch: OneCycle().rate(epoch, epochs=4, initial=0.1))
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
    outcome, one = train(epochs=12, rates=lambda epoch: 0.3)  # noqa: ARG005 - so high that the loss jumps about
    losses = [row["val_loss"] for row in outcome.history]
    assert outcome.chosen_epoch == int(np.argmin(losses)) + 1 < 12
    assert one.loss(VALIDATION.y, one.predict(VALIDATION.x), None) == pytest.approx(min(losses))


def test_select_last_keeps_the_last_epoch():
    outcome, one = train(epochs=3, select="last")
    assert (outcome.chosen_epoch, outcome.monitor) == (3, "last")
    assert one.loss(VALIDATION.y, one.predict(VALIDATION.x), None) == outcome.history[-1]["val_loss"]


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
    plan = settings(epochs=30, rates=lambda _: rate, divergence=Divergence(retries=retries, factor=factor))
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
    plan = settings(rates=lambda _: 1e30, divergence=None)
    with pytest.raises(DivergedError) as caught:
        run(one, LINE, LINE, plan, Seeds(0), lambda _: {}, silent)
    assert caught.value.outcome.chosen_epoch == 0
    assert np.concatenate([array.ravel() for array in one.variables()]).tolist() == [1, 0]
