"""Verdicts: a model against an answer that looks at no input."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from dlcli.evaluation.comparison import over_folds, paired
from dlcli.evaluation.estimate import estimate
from dlcli.evaluation.metrics import (
    F1,
    R2,
    Accuracy,
    AveragePrecision,
    BalancedAccuracy,
    Brier,
    MeanAbsoluteError,
    MeanAveragePrecision,
    MeanSquaredError,
    Precision,
    RocAuc,
)
from dlcli.evaluation.power import fair, verdict, verdict_over_folds
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
NUMBER = Goal(Task.REGRESSION, ("y",))
LABELS = Goal(Task.MULTILABEL, ("a", "b"))


def classes(n: int, signal: float, seed: int = 0, share: float = 0.4) -> tuple[ScoredRows, ScoredRows]:
    """A model whose scores follow the truth as much as `signal` says, and the majority class."""
    draw = np.random.default_rng(seed)
    truth = (draw.random(n) < share).astype(int)
    prediction = 1 / (1 + np.exp(-(draw.normal(size=n) + signal * (truth - 0.5))))
    return ScoredRows(BINARY, truth, prediction, None, 0.5), ScoredRows(BINARY, truth, np.full(n, share), None, 0.5)


def numbers(n: int, noise: float) -> tuple[ScoredRows, ScoredRows]:
    draw = np.random.default_rng(0)
    truth = draw.normal(size=(n, 1)) * 10
    model = truth + noise * draw.normal(size=(n, 1))
    return ScoredRows(NUMBER, truth, model, None, 0.5), ScoredRows(NUMBER, truth, np.zeros((n, 1)), None, 0.5)


def judged(right_no: int, right_yes: int) -> tuple[ScoredRows, ScoredRows]:
    """A model with so many of 20 `no` and of 16 `yes` right, and a baseline that says `no`."""
    truth = np.repeat([0, 1], [20, 16])
    model = np.concatenate([np.arange(20) >= right_no, np.arange(16) < right_yes]).astype(float)
    return ScoredRows(BINARY, truth, model, None, 0.5), ScoredRows(BINARY, truth, np.full(36, 0.4), None, 0.5)


def test_a_model_with_power() -> None:
    found = verdict([Accuracy()], *judged(20, 16))
    assert found.power is True
    assert found.sentence == "has statistical power: accuracy 0.44 above the baseline (0.25 to 0.59)"


def test_a_model_that_cannot_be_told_from_the_baseline() -> None:
    found = verdict([Accuracy()], *judged(18, 6))
    assert found.power is False
    assert found.sentence == (
        "no statistical power: accuracy 0.11 above the baseline (-0.05 to 0.26) is not distinguishable with 36 rows; "
        "a gain of 0.23 would be found in 4 of 5 tries"
    )


def test_a_gain_beyond_the_best_score_is_not_spoken_of() -> None:
    truth, guess = np.array([0, 1]), np.full(2, 0.4)
    model = ScoredRows(BINARY, truth, np.array([0.9, 0.9]), None, 0.5)
    found = verdict([Accuracy()], model, ScoredRows(BINARY, truth, guess, None, 0.5))
    assert found.sentence.endswith("is not distinguishable with 2 rows")
    assert (found.power, found.detectable) == (False, None)


def test_a_model_that_is_worse_than_the_baseline() -> None:
    found = verdict([Accuracy()], *judged(4, 0))
    assert found.power is False
    assert found.sentence == "no statistical power: accuracy 0.44 below the baseline (0.25 to 0.59)"


def test_losses_lie_below_the_baseline() -> None:
    found = verdict([MeanAbsoluteError()], *numbers(50, 2.0))
    assert found.sentence == "has statistical power: mae 5.7 below the baseline (4.1 to 7.3)"
    assert found.difference.value is not None
    assert found.difference.value < 0


def test_a_linear_model_that_does_as_well_is_not_kept_quiet() -> None:
    model, constant = judged(20, 16)
    _, linear = judged(18, 6)
    beaten, tied = verdict([Accuracy()], model, linear), verdict([Accuracy()], model, model)
    found = replace(verdict([Accuracy()], model, constant), against="the majority class no")
    better = replace(found, linear=replace(beaten, against="logistic regression"))
    assert better.sentence == (
        "has statistical power: accuracy 0.44 above the majority class no (0.25 to 0.59); "
        "better than a linear model: accuracy 0.44 above logistic regression (0.25 to 0.59)"
    )
    assert "; not better than a linear model: accuracy 0" in replace(found, linear=tied).sentence
    beating = verdict([Accuracy()], linear, model)
    assert "; worse than a linear model: accuracy 0.44 below" in replace(found, linear=beating).sentence


def test_a_verdict_is_plain_data() -> None:
    found = json.loads(json.dumps(verdict([Accuracy()], *classes(40, 2.0)).as_json(), allow_nan=False))
    assert {"metric", "difference", "low", "high", "method", "p", "power", "detectable", "sentence"} <= found.keys()


@pytest.mark.parametrize("metric", [Accuracy(), Brier()])
def test_means_over_rows_are_compared_in_pairs(metric: Metric) -> None:
    model, baseline = classes(60, 1.0)
    assert verdict([metric], model, baseline).difference == paired(metric, model, baseline)


@pytest.mark.parametrize(("metric", "chance"), [(RocAuc(), 0.5), (BalancedAccuracy(), 0.5), (AveragePrecision(), None)])
def test_a_constant_answer_leaves_only_the_models_own_uncertainty(metric: Metric, chance: float | None) -> None:
    model, baseline = classes(80, 1.0)
    chance = float(model.truth.mean()) if chance is None else chance
    own, found = estimate(metric, model, 0.95), verdict([metric], model, baseline)
    assert found.difference.low == pytest.approx(own.low - chance)  # type: ignore[operator]
    assert found.difference.high == pytest.approx(own.high - chance)  # type: ignore[operator]
    assert found.power is (own.low > chance)  # type: ignore[operator]


@pytest.mark.parametrize("metric", [F1(), Precision(), F1(average="macro")])
def test_metrics_in_which_any_guess_beats_the_majority_judge_nothing(metric: Metric) -> None:
    model, baseline = classes(100, 0.0)
    assert model.score(metric) > baseline.score(metric)
    assert verdict([metric], model, baseline).metric == "accuracy"
    assert verdict([metric, RocAuc()], model, baseline).metric == "roc_auc"


def test_what_judges_numbers_and_labels_when_no_metric_is_fair() -> None:
    assert list(fair([R2()], Task.REGRESSION)) == ["r2", "mse"]
    assert list(fair([F1(average="macro")], Task.MULTILABEL)) == ["hamming_loss"]
    assert list(fair([F1(average="macro"), MeanAveragePrecision()], Task.MULTILABEL)) == [
        "mean_average_precision",
        "hamming_loss",
    ]


def test_the_next_metric_judges_where_one_has_no_interval() -> None:
    model, baseline = (each.take(np.arange(21)) for each in judged(18, 6))
    assert verdict([RocAuc(), Accuracy()], model, baseline).metric == "accuracy"


def test_no_verdict_says_why() -> None:
    model, baseline = classes(30, 1.0)
    broken = ScoredRows(BINARY, model.truth, model.prediction * math.nan, None, 0.5)
    found = verdict([Accuracy()], broken, baseline)
    assert (found.power, found.sentence) == (None, "no verdict on statistical power: predictions are not finite")


# Folds


def per_fold(name: str, values: list[float | None]) -> list[dict[str, float | None]]:
    return [{name: value} for value in values]


def test_folds_judge_by_the_corrected_t() -> None:
    ours, theirs = [0.8, 0.85, 0.82, 0.79, 0.84], [0.6, 0.61, 0.6, 0.6, 0.59]
    sides = per_fold("accuracy", ours), per_fold("accuracy", theirs)
    found = verdict_over_folds([Accuracy()], Task.BINARY, *sides, folds=5)
    assert found.difference == over_folds(Accuracy(), ours, theirs, 5)
    assert found.sentence == "has statistical power: accuracy 0.220 above the baseline (0.173 to 0.267)"


def test_folds_pass_over_metrics_that_are_not_fair() -> None:
    ours = [{"f1": 0.5 + i / 100, "roc_auc": 0.5 + (-1) ** i / 10} for i in range(5)]
    theirs = [{"f1": 0.0, "roc_auc": 0.5}] * 5
    found = verdict_over_folds([F1(), RocAuc()], Task.BINARY, ours, theirs, folds=5)
    assert (found.metric, found.power) == ("roc_auc", False)
    assert "is not distinguishable over 5 folds" in found.sentence
    assert verdict_over_folds([F1()], Task.BINARY, ours, theirs, folds=5).power is None


def test_folds_do_not_judge_by_average_precision_which_is_above_chance_in_noise() -> None:
    ours = [{"average_precision": 0.57 + i / 1000, "accuracy": 0.5 + (-1) ** i / 10} for i in range(5)]
    theirs = [{"average_precision": 0.5, "accuracy": 0.5}] * 5
    metrics = [AveragePrecision(), Accuracy()]
    assert verdict_over_folds(metrics, Task.BINARY, ours, theirs, folds=5).metric == "accuracy"


# False alarms


@pytest.mark.slow
@pytest.mark.parametrize(
    "metrics", [[Accuracy()], [RocAuc()], [AveragePrecision()], [F1()], [BalancedAccuracy()]], ids=str
)
@pytest.mark.parametrize(("rows", "share"), [(36, 0.5), (200, 0.3)])
def test_noise_has_no_power(metrics: list[Metric], rows: int, share: float) -> None:
    alarms = sum(verdict(metrics, *classes(rows, 0.0, seed, share)).power is True for seed in range(400))
    assert alarms <= 20  # 2.5 % and three standard errors of 400 draws


@pytest.mark.slow
def test_numbers_that_are_noise_have_no_power() -> None:
    draw, alarms = np.random.default_rng(0), 0
    for _ in range(400):
        truth, guess = draw.normal(size=(2, 60, 1))
        sides = (ScoredRows(NUMBER, truth, each, None, 0.5) for each in (0.2 * guess, 0 * guess))
        alarms += verdict([MeanSquaredError()], *sides).power is True
    assert alarms <= 10


def test_a_threshold_chosen_for_recall_is_judged_by_ranks() -> None:
    model, baseline = classes(300, 2.0)
    model = replace(model, threshold=0.01)
    assert verdict([Accuracy()], model, baseline).power is False
    found = verdict([Accuracy()], model, baseline, chosen_threshold=True)
    assert (found.metric, found.power) == ("roc_auc", True)
