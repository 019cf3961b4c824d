"""Stopping and selection, on a real log of 30 epochs."""

import math

import pytest

from dlcli.problems import ConfigError
from dlcli.training.divergence import Divergence, Recovery
from dlcli.training.stopping import EarlyStopper, EarlyStopping, Selection, selection_monitor

TRAINING = "341 164 115 86 68 54 42 33 29 22 18 14 11 9 7 9 8 6 5 2 2 16 5 1 1 0 0 0 0 0"
VALIDATION = "192 143 106 93 87 84 74 77 90 72 74 75 81 85 85 91 99 100 92 84 92 85 94 85 88 87 89 91 92 92"
LOG = [
    {"loss": int(loss) / 1000, "val_loss": int(val_loss) / 1000, "val_accuracy": 1 - int(val_loss) / 1000}
    for loss, val_loss in zip(TRAINING.split(), VALIDATION.split(), strict=True)
]


def follow(settings: EarlyStopping, log=LOG, *, greater_is_better=False):
    """The epoch in which it stops, why, and the best epoch so far."""
    stopper = EarlyStopper(settings, greater_is_better=greater_is_better)
    selection = Selection(settings.monitor, greater_is_better=greater_is_better)
    for epoch, values in enumerate(log, start=1):
        selection.observe(epoch, values)
        if reason := stopper.observe(epoch, values):
            return epoch, reason, selection.best_epoch
    return None, None, selection.best_epoch


@pytest.mark.parametrize(("patience", "stops", "keeps"), [(1, 8, 7), (3, 13, 10), (30, None, 10)])
@pytest.mark.parametrize("monitor", ["val_loss", "val_accuracy"])
def test_patience_counts_epochs_without_improvement(patience, stops, keeps, monitor):
    found = follow(EarlyStopping(patience=patience, monitor=monitor), greater_is_better=monitor == "val_accuracy")
    assert (found[0], found[2]) == (stops, keeps)


def test_change_of_the_training_loss_is_absolute():
    assert follow(EarlyStopping(patience=30, loss_change_below=0.001))[:2] == (21, "loss_change_below")


def test_small_training_loss_stops():
    assert follow(EarlyStopping(patience=30, loss_below=0.01))[:2] == (14, "loss_below")


def test_change_below_min_delta_is_no_improvement():
    assert follow(EarlyStopping(patience=3, min_delta=0.01))[0] == 10


def test_epochs_before_the_start_do_not_count():
    assert follow(EarlyStopping(patience=1, start=9))[0] == 11


def test_value_that_is_no_number_is_no_improvement():
    log = [{"loss": 1.0, "val_loss": value} for value in (math.nan, 2.0, math.nan, 3.0)]
    assert follow(EarlyStopping(patience=2), log) == (4, "patience", 2)


def test_of_equal_epochs_the_earlier_is_kept():
    log = [{"loss": 1.0, "val_loss": value} for value in (2.0, 1.0, 1.0)]
    assert follow(EarlyStopping(), log)[2] == 2


def test_state_restored_goes_on_as_if_nothing_had_happened():
    settings = EarlyStopping(patience=3)
    first, second = (EarlyStopper(settings, greater_is_better=False) for _ in range(2))
    for epoch in range(1, 12):
        assert first.observe(epoch, LOG[epoch - 1]) is None
    second.restore(first.state())
    assert [second.observe(epoch, LOG[epoch - 1]) for epoch in (12, 13)] == [None, "patience"]
    chosen = Selection("val_loss", greater_is_better=False)
    chosen.restore({"best": 0.072, "best_epoch": 10})
    assert not chosen.observe(11, {"val_loss": 0.072})


def test_monitor_that_is_not_there_is_a_problem():
    with pytest.raises(ConfigError, match="val_f1"):
        EarlyStopper(EarlyStopping(monitor="val_f1"), greater_is_better=True).observe(1, LOG[0])


@pytest.mark.parametrize(
    ("select", "stopping", "has_validation", "monitor"),
    [
        ("last", EarlyStopping(), True, "last"),
        (None, EarlyStopping(monitor="val_f1"), True, "val_f1"),
        (None, None, True, "val_loss"),
        (None, None, False, "last"),
    ],
)
def test_what_chooses_by_default(select, stopping, has_validation, monitor):
    assert selection_monitor(select, stopping, has_validation=has_validation) == monitor


def test_recovery_lowers_the_rate_until_retries_are_used_up():
    recovery = Recovery(Divergence(retries=2, factor=0.5))
    assert [recovery.go_back() for _ in range(3)] == [True, True, False]
    assert recovery.rate_factor == 0.25
    again = Recovery(Divergence())
    again.restore(recovery.state())
    assert not again.go_back()
    assert not Recovery(None).go_back()
