"""How much each row moves a score: the derivative by its weight."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dlcli.evaluation import ranking
from dlcli.evaluation.metrics import Accuracy, MeanAbsoluteError, RocAuc
from dlcli.evaluation.metrics.areas import AveragePrecision
from dlcli.evaluation.rows import ScoredRows
from dlcli.task import NUMBERS, Task
from tests.evaluation.metric_table import IDS, PAIRS, Case, made

UNKNOWN = {"median_absolute_error", "max_error"}
"""A median has no derivative, a maximum hangs on one row."""


def known(case: Case) -> bool:
    metric = case.metric
    of_part = isinstance(metric, RocAuc) and (metric.multi_class == "ovo" or metric.max_fpr is not None)
    return metric.part_name not in UNKNOWN and not of_part


def slope(case: Case, rows: ScoredRows, row: int) -> float:
    """The derivative of the score by the weight of a row, times all weight."""
    weights, step = rows.weights(), 1e-5
    ends = []
    for side in (-1, 1):
        moved = weights.copy()
        moved[row] += side * step
        ends.append(replace(rows, weight=moved).score(case.metric))
    return (ends[1] - ends[0]) / (2 * step) * weights.sum()


@pytest.mark.parametrize(("case", "task"), PAIRS, ids=IDS)
def test_influence_is_the_effect_of_a_little_more_weight(case: Case, task: Task) -> None:
    generator = np.random.default_rng(7)
    # Of an odd number of rows with odd weights no quantile falls between two rows, where it has no derivative.
    rows = replace(made(case, task, 17, generator, 5), weight=generator.uniform(0.5, 1.5, 17))
    influence = case.metric.influence(rows)
    if not known(case):
        assert influence is None
        return
    assert influence is not None
    assert influence.shape == (17,)
    assert float(rows.weights() @ influence) == pytest.approx(0, abs=1e-9 * max(1.0, float(abs(influence).max())))
    for row in range(17):
        assert influence[row] == pytest.approx(slope(case, rows, row), rel=1e-4, abs=1e-5)


@pytest.mark.parametrize(("case", "task"), PAIRS, ids=IDS)
def test_rows_without_weights_have_the_influence_of_equal_weights(case: Case, task: Task) -> None:
    rows = made(case, task, 12, np.random.default_rng(3), 5)
    plain, weighted = (case.metric.influence(each) for each in (rows, replace(rows, weight=np.full(12, 3.0))))
    if plain is None or weighted is None:
        assert plain is weighted
    else:
        assert plain == pytest.approx(weighted, abs=1e-9)


@pytest.mark.parametrize(("case", "task"), PAIRS, ids=IDS)
def test_a_score_that_does_not_exist_has_no_influence(case: Case, task: Task) -> None:
    shape = (1, 2) if task in NUMBERS else (1, 3) if task is Task.MULTILABEL else (1,)
    prediction = np.zeros((1, 4) if task is Task.MULTICLASS else shape)
    rows = replace(made(case, task, 5, np.random.default_rng(0)), truth=np.zeros(shape, int), prediction=prediction)
    if math.isnan(rows.score(case.metric)):
        assert case.metric.influence(rows) is None


def test_the_influence_on_a_mean_is_what_a_row_has_beyond_it() -> None:
    case = next(case for case, _ in PAIRS if case.metric == MeanAbsoluteError())
    rows = made(case, Task.REGRESSION, 6, np.random.default_rng(1))
    losses = abs(rows.truth - rows.prediction).mean(axis=1)
    assert MeanAbsoluteError().influence(rows) == pytest.approx(losses - losses.mean())


def test_the_error_of_accuracy_is_that_of_a_proportion() -> None:
    rows = made(next(case for case, _ in PAIRS if case.metric == Accuracy()), Task.BINARY, 40, np.random.default_rng(2))
    influence, share = Accuracy().influence(rows), rows.score(Accuracy())
    assert influence is not None
    assert np.sum(influence**2) / 40**2 == pytest.approx(share * (1 - share) / 40)


def two_classes(seed: int) -> tuple[Any, ScoredRows]:
    generator = np.random.default_rng(seed)
    rows = made(next(case for case, _ in PAIRS if case.metric == RocAuc()), Task.BINARY, 60, generator, 9)
    return generator, rows


def test_the_error_of_an_area_is_delongs() -> None:
    _, rows = two_classes(4)
    influence = RocAuc().influence(rows)
    assert influence is not None
    m, n = int(rows.truth.sum()), int((1 - rows.truth).sum())
    parts = [np.sum(influence[rows.truth == side] ** 2) for side in (1, 0)]
    corrected = (parts[0] * m / (m - 1) + parts[1] * n / (n - 1)) / 60**2
    assert math.sqrt(corrected) == pytest.approx(ranking.delong_error(rows.truth, rows.prediction))


def test_average_precision_has_the_infinitesimal_jackknifes_error() -> None:
    _, rows = two_classes(5)
    influence = AveragePrecision().influence(rows)
    _, slopes = ranking.average_precision_influence(rows.truth, rows.prediction)
    assert influence == pytest.approx(slopes * 60)
