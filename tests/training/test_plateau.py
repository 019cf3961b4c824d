"""When the learning rate falls because a score has stopped improving."""

import math

import pytest

from dlcli.problems import ConfigError
from dlcli.training.plateau import Plateau, plateau
from dlcli.training.schedules import Constant, Performance


def falls(settings, scores, *, initial=0.1, greater_is_better=False):
    """The epochs after which the rate falls, and the factor at the end."""
    watched = Plateau(settings, initial, greater_is_better=greater_is_better)
    fallen = [epoch for epoch, score in enumerate(scores, 1) if watched.observe(epoch, {settings.monitor: score})]
    return fallen, watched.rate_factor


def test_the_rate_falls_after_patience_epochs_without_improvement_and_again():
    fallen, factor = falls(Performance(patience=2, factor=0.5), [9, 8, 8, 8, 8, 8, 7, 7])
    assert fallen == [4, 6]
    assert factor == 0.25


def test_it_stays_while_the_score_improves():
    assert falls(Performance(patience=1), [5, 4, 3, 2, 1]) == ([], 1.0)


def test_scores_that_should_rise_are_watched_the_other_way():
    settings = Performance(monitor="val_accuracy", patience=1)
    assert falls(settings, [0.7, 0.8, 0.9], greater_is_better=True) == ([], 1.0)
    assert falls(settings, [0.7, 0.8, 0.75], greater_is_better=True)[0] == [3]


def test_a_change_smaller_than_min_delta_is_no_improvement():
    assert falls(Performance(patience=1, min_delta=0.1), [1, 0.95, 0.8])[0] == [2]
    assert falls(Performance(patience=1), [1, 0.95, 0.8])[0] == []


def test_a_score_that_is_not_a_number_is_no_improvement():
    assert falls(Performance(patience=2), [1, math.nan, math.nan])[0] == [3]


@pytest.mark.parametrize(("cooldown", "fallen"), [(0, [2, 3, 4, 5, 6, 7]), (1, [2, 4, 6]), (2, [2, 5])])
def test_epochs_of_the_cooldown_do_not_count(cooldown, fallen):
    assert falls(Performance(patience=1, cooldown=cooldown), [1] * 7)[0] == fallen


def test_epochs_of_the_warm_up_do_not_count():
    assert falls(Performance(patience=1, warm_up=3), [1, 1, 1, 1])[0] == [4]
    assert falls(Performance(patience=1, warm_up=2.5), [1, 1, 1, 1])[0] == [3, 4]


def test_the_rate_falls_no_further_than_min_learning_rate():
    settings = Performance(patience=1, factor=0.1, min_learning_rate=0.005)
    fallen, factor = falls(settings, [1] * 5, initial=0.1)
    assert fallen == [2, 3]
    assert 0.1 * factor == pytest.approx(0.005)


def test_a_plateau_goes_on_from_its_state():
    settings = Performance(patience=2, factor=0.5, cooldown=1)
    scores = [3, 2, 2, 2, 2, 2, 2, 1.5, 1.5, 1.5]
    fallen, factor = falls(settings, scores)
    for stop in range(len(scores)):
        first, second = (Plateau(settings, 0.1, greater_is_better=False) for _ in range(2))
        seen = [n for n, score in enumerate(scores[:stop], 1) if first.observe(n, {"val_loss": score})]
        second.restore(first.state())
        seen += [n for n, score in enumerate(scores[stop:], stop + 1) if second.observe(n, {"val_loss": score})]
        assert (seen, second.rate_factor) == (fallen, factor)


def test_a_monitor_that_is_not_there_is_a_problem():
    with pytest.raises(ConfigError, match="val_loss"):
        Plateau(Performance(), 0.1, greater_is_better=False).observe(1, {"loss": 1.0})


def test_only_the_schedule_performance_watches_scores():
    assert plateau(None, 0.1, {}) is None
    assert plateau(Constant(), 0.1, {}) is None
    watched = plateau(Performance(monitor="val_f1", patience=1), 0.1, {"f1": True})
    assert watched is not None
    assert [watched.observe(epoch, {"val_f1": score}) for epoch, score in ((1, 0.5), (2, 0.6), (3, 0.5))] == [
        False,
        False,
        True,
    ]
