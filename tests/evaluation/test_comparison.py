"""Two models on the same rows or folds: differences, intervals and tests against formulas written out here."""

from __future__ import annotations

import json
import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dlcli.evaluation.comparison import Difference, holm, in_words, mcnemar, over_folds, paired
from dlcli.evaluation.metrics import (
    F1,
    R2,
    Accuracy,
    Custom,
    LogLoss,
    MeanAbsoluteError,
    MeanAveragePrecision,
    MeanSquaredError,
    Precision,
    Recall,
    RocAuc,
    RootMeanSquaredError,
)
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
NUMBER = Goal(Task.REGRESSION, ("y",))
LABELS = Goal(Task.MULTILABEL, ("a", "b"))
Z = stats.norm.ppf(0.975)


def answers(right_a: int, right_b: int, both: int, none: int) -> tuple[ScoredRows, ScoredRows]:
    """Rows that only a, only b, both and none of two models answer right, in this order; the truth alternates."""
    counts = (right_a, right_b, both, none)
    truth = np.arange(sum(counts)) % 2
    sides = []
    for right in ((1, 0, 1, 0), (0, 1, 1, 0)):
        rows = np.repeat(right, counts)
        sides.append(ScoredRows(BINARY, truth, np.where(rows == 1, truth, 1 - truth).astype(float), None, 0.5))
    return sides[0], sides[1]


def numbers(n: int = 40, seed: int = 0, **more: object) -> tuple[ScoredRows, ScoredRows]:
    draw = np.random.default_rng(seed)
    truth = draw.normal(size=(n, 1))
    a, b = (truth + scale * draw.normal(size=(n, 1)) for scale in (0.5, 0.8))
    return tuple(ScoredRows(NUMBER, truth, each, None, 0.5, **more) for each in (a, b))  # type: ignore[arg-type, return-value]


def scores(n: int = 50, seed: int = 1, ties: int = 12) -> tuple[ScoredRows, ScoredRows]:
    """Probabilities of two models that agree in part, with ties."""
    draw = np.random.default_rng(seed)
    truth = (draw.random(n) < 0.4).astype(int)
    common = draw.normal(size=n) + truth
    sides = [np.round(1 / (1 + np.exp(-(common + draw.normal(size=n)))) * ties) / ties for _ in range(2)]
    return ScoredRows(BINARY, truth, sides[0], None, 0.5), ScoredRows(BINARY, truth, sides[1], None, 0.5)


# Rows that are right or wrong


@pytest.mark.parametrize(
    ("more", "less", "p"),
    [(0, 0, 1), (3, 3, 1), (6, 0, 1 / 64), (0, 4, 1 / 16), (5, 1, 2 * (7 / 64 - 6 / 128)), (1, 0, 0.5)],
)
def test_mcnemar_mid_p_by_hand(more: int, less: int, p: float) -> None:
    assert mcnemar(more, less) == pytest.approx(p)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_mid_p_is_symmetric_and_below_the_exact_one(more: int, less: int) -> None:
    found = mcnemar(more, less)
    assert found == mcnemar(less, more)
    assert 0 < found <= 1
    if more + less:
        assert found <= stats.binomtest(more, more + less).pvalue + 1e-12


def test_accuracies_are_compared_by_bonett_and_price_and_mcnemar() -> None:
    found = paired(Accuracy(), *answers(9, 3, 20, 8))
    d = (9 - 3) / 42
    half = Z * math.sqrt((9 + 3 + 2) / 42 - d**2) / math.sqrt(42)
    assert found.value == pytest.approx(6 / 40)
    assert (found.low, found.high) == (pytest.approx(d - half), pytest.approx(d + half))
    assert (found.p, found.n, found.better) == (pytest.approx(mcnemar(9, 3)), 40, None)
    assert found.detectable == pytest.approx((Z + stats.norm.ppf(0.8)) * half / Z)


def test_the_gain_that_would_be_found_is_2_8_standard_errors() -> None:
    found = paired(Accuracy(), *answers(9, 3, 20, 8))
    assert found.high is not None
    assert found.low is not None
    assert found.detectable == pytest.approx(2.8 * (found.high - found.low) / 2 / 1.96, rel=1e-3)


def test_equal_answers_have_an_interval_around_nothing() -> None:
    found = paired(Accuracy(), *answers(0, 0, 18, 2))
    assert (found.value, found.p) == (0, 1)
    assert found.low == pytest.approx(-Z * math.sqrt(2 / 22) / math.sqrt(22))
    assert found.high == pytest.approx(-found.low)


def test_recall_is_compared_on_the_rows_of_the_class() -> None:
    a, b = answers(8, 2, 20, 10)
    positive = a.truth == 1
    found = paired(Recall(), a, b)
    alone = paired(Accuracy(), a.take(positive), b.take(positive))
    assert (found.low, found.high, found.p, found.n) == (alone.low, alone.high, alone.p, positive.sum())


def test_rows_of_several_labels_are_right_or_wrong_too() -> None:
    truth = np.array([[1, 0], [1, 1], [0, 0], [0, 1]] * 5)
    wrong = truth.copy()
    wrong[:6, 0] = 1 - wrong[:6, 0]
    sides = [ScoredRows(LABELS, truth, each.astype(float), None, 0.5) for each in (truth, wrong)]
    found = paired(Accuracy(), *sides)
    assert (found.p, found.method) == (mcnemar(6, 0), "Bonett-Price, McNemar mid-p")


def test_equal_weights_change_no_interval_and_weights_widen_it() -> None:
    a, b = answers(9, 3, 20, 8)
    plain = paired(Accuracy(), a, b)

    def weighted(weight: np.ndarray) -> Difference:
        sides = (ScoredRows(BINARY, each.truth, each.prediction, weight, 0.5) for each in (a, b))
        return paired(Accuracy(), *sides)

    same, uneven = weighted(np.full(40, 3.0)), weighted(np.tile([0.1, 0.1, 0.1, 3.0], 10))
    assert (same.low, same.high) == (pytest.approx(plain.low), pytest.approx(plain.high))
    assert uneven.high - uneven.low > plain.high - plain.low  # type: ignore[operator]
    assert uneven.n == pytest.approx(33**2 / (10 * (9 + 0.03)))


# Losses and other means


@pytest.mark.parametrize("metric", [MeanAbsoluteError(), MeanSquaredError()])
def test_mean_losses_are_compared_by_the_paired_t_test(metric: MeanAbsoluteError) -> None:
    a, b = numbers()
    rows = [metric.row_values(each) for each in (a, b)]
    found, reference = paired(metric, a, b), stats.ttest_rel(*rows)
    interval = reference.confidence_interval(0.95)
    assert found.value == pytest.approx(rows[0].mean() - rows[1].mean())
    assert found.p == pytest.approx(reference.pvalue)
    assert (found.low, found.high) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_which_is_better_follows_the_direction_of_the_metric() -> None:
    a, b = numbers(200)
    assert paired(MeanAbsoluteError(), a, b).better == paired(R2(), a, b).better == "a"
    assert paired(MeanAbsoluteError(), b, a).better == "b"


@pytest.mark.parametrize(
    "metric",
    [Accuracy(), F1(), Precision(), Recall(), RocAuc(), LogLoss(), MeanAbsoluteError(), RootMeanSquaredError()],
)
def test_swapping_the_models_swaps_the_interval(metric: Metric) -> None:
    a, b = numbers() if metric.tasks == MeanAbsoluteError.tasks else scores()
    one, other = paired(metric, a, b), paired(metric, b, a)
    assert one.value == pytest.approx(-other.value)  # type: ignore[operator]
    assert (one.low, one.high, one.p) == pytest.approx((-other.high, -other.low, other.p))  # type: ignore[operator]
    assert one.low <= one.value <= one.high  # type: ignore[operator]


def test_f1_has_no_more_degrees_of_freedom_than_rows_that_decide() -> None:
    a, b = scores(200)
    metric = F1()
    moved = metric.influence(a) - metric.influence(b)  # type: ignore[operator]
    error = math.sqrt(moved @ moved / (200 * 199))
    degrees = (moved @ moved) ** 2 / (moved**4).sum() - 1
    found = paired(metric, a, b)
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, degrees) * error)  # type: ignore[operator]
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.value) / error, degrees))  # type: ignore[arg-type]


# Areas


def test_areas_are_compared_by_delong() -> None:
    a, b = scores()
    positives, negatives = (np.flatnonzero(a.truth == value) for value in (1, 0))

    def above(score: np.ndarray) -> np.ndarray:
        pairs = [0.5 * (score[i] >= score[j]) + 0.5 * (score[i] > score[j]) for i, j in product(positives, negatives)]
        return np.reshape(pairs, (len(positives), len(negatives)))

    kernel = [above(each.prediction) for each in (a, b)]
    by_positive, by_negative = (np.cov([each.mean(axis=axis) for each in kernel]) for axis in (1, 0))
    contrast = np.array([1, -1])
    variance = contrast @ (by_positive / len(positives) + by_negative / len(negatives)) @ contrast
    degrees = min(len(positives), len(negatives)) - 1
    found = paired(RocAuc(), a, b)
    assert found.value == pytest.approx(kernel[0].mean() - kernel[1].mean())
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, degrees) * math.sqrt(variance))  # type: ignore[operator]
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.value) / math.sqrt(variance), degrees))  # type: ignore[arg-type]
    assert found.n == degrees + 1


# Without an interval there is a reason


def one_class(rows: ScoredRows) -> ScoredRows:
    return ScoredRows(BINARY, np.zeros(len(rows), dtype=int), rows.prediction, None, 0.5)


@pytest.mark.parametrize(
    ("metric", "sides", "why"),
    [
        (LogLoss(), (scores()[0], scores()[0]), "no row tells the two apart"),
        (RocAuc(), (scores()[0], scores()[0]), "no row tells the two apart"),
        (RocAuc(), tuple(one_class(each) for each in scores()), "does not exist for these rows"),
        (MeanAbsoluteError(), tuple(each.take(np.array([0])) for each in numbers()), "at least 2 rows"),
        (RocAuc(max_fpr=0.1), scores(), "no formula"),
        (MeanAbsoluteError(), numbers(40, ordered=True), "at least 50 rows in time order"),
        (MeanAbsoluteError(), numbers(40, groups=np.arange(40) % 4), "at least 5 groups"),
    ],
)
def test_what_cannot_be_compared_says_why(metric: Metric, sides: tuple[ScoredRows, ScoredRows], why: str) -> None:
    found = paired(metric, *sides)
    assert (found.low, found.high, found.p, found.better) == (None, None, None, None)
    assert why in found.reason
    json.dumps(found.as_json(), allow_nan=False)


def test_a_function_of_ones_own_has_a_difference_and_no_test(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("code") / "scores.py"
    file.write_text("def highest(y_true, y_score):\n    return float(y_score.max())\n")
    a, b = numbers()
    found = paired(Custom(object=f"{file}:highest"), a, b)
    assert found.value == pytest.approx(a.prediction.max() - b.prediction.max())
    assert "own" in found.reason


# Rows that depend on each other


def test_groups_are_left_out_one_by_one() -> None:
    groups = np.repeat(np.arange(8), [2, 4, 6, 8, 4, 6, 2, 8])
    a, b = numbers(40, groups=groups)
    metric = RootMeanSquaredError()
    value = a.score(metric) - b.score(metric)
    without = [a.take(groups != g).score(metric) - b.take(groups != g).score(metric) for g in range(8)]
    error = math.sqrt(7 / 8 * np.sum((np.array(without) - value) ** 2))
    effective = 40**2 / np.sum(np.bincount(groups) ** 2)
    found = paired(metric, a, b)
    assert found.high - value == pytest.approx(stats.t.ppf(0.975, effective - 1) * error)  # type: ignore[operator]
    assert (found.n, found.method) == (pytest.approx(effective), "paired jackknife over groups")


def test_repeated_rows_prove_nothing_once_they_are_in_order() -> None:
    a, b = numbers(60)
    index = np.repeat(np.arange(60), 20)
    independent = paired(MeanAbsoluteError(), a.take(index), b.take(index))
    ordered = paired(MeanAbsoluteError(), *numbers(60, ordered=True))
    repeated = paired(
        MeanAbsoluteError(),
        *(ScoredRows(NUMBER, each.truth[index], each.prediction[index], None, 0.5, None, True) for each in (a, b)),
    )
    width = [each.high - each.low for each in (independent, ordered, repeated)]  # type: ignore[operator]
    assert width[0] < 0.4 * width[1]
    assert width[2] > 0.7 * width[1]


# Folds


def test_folds_are_compared_by_the_corrected_t() -> None:
    a = [0.80, 0.82, 0.78, 0.84, 0.81, 0.79, 0.83, 0.80, 0.82, 0.81]
    b = [0.78, 0.80, 0.79, 0.80, 0.80, 0.77, 0.80, 0.79, 0.80, 0.79]
    d = np.array(a) - b
    error = d.std(ddof=1) * math.sqrt(1 / 10 + 1 / 4)
    found = over_folds(Accuracy(), a, b, folds=5)
    assert found.value == pytest.approx(d.mean())
    assert (found.low, found.high) == pytest.approx(
        tuple(d.mean() + side * stats.t.ppf(0.975, 9) * error for side in (-1, 1))
    )
    assert found.p == pytest.approx(2 * stats.t.sf(d.mean() / error, 9))
    assert (found.method, found.n) == ("corrected t", 10)


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ([0.9, 0.8], [0.8, 0.7], "differs by the same"),
        ([0.9, None], [0.8, 0.7], "not exist in every fold"),
        ([0.9], [0.8], "at least 2 folds"),
    ],
)
def test_folds_without_spread_have_no_interval(a: list[float | None], b: list[float | None], why: str) -> None:
    found = over_folds(Accuracy(), a, b, folds=2)
    assert found.low is None
    assert why in found.reason


def test_folds_that_grow_have_no_interval() -> None:
    assert over_folds(Accuracy(), [0.9, 0.8], [0.7, 0.8], 2, dependence="folds grow").reason == "folds grow"


# Several comparisons, and words


def test_holm_by_hand() -> None:
    assert holm([0.01, None, 0.04, 0.03]) == [pytest.approx(0.03), None, pytest.approx(0.06), pytest.approx(0.06)]
    assert holm([0.5, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


def test_a_difference_in_words() -> None:
    clear = Difference(0.031, 0.012, 0.05, 0.0042, "test", 100, "", 0.027)
    assert in_words("accuracy", clear, "new", "old", "100 rows") == (
        "new is better than old: accuracy +0.031 (0.012 to 0.050), p 0.0042"
    )
    lower = Difference(2.0, 1.0, 3.0, 0.00001, "test", 100, "", 1.4, greater_is_better=False)
    assert in_words("mae", lower, "new", "old", "100 rows") == (
        "old is better than new: mae -2.0 (-3.0 to -1.0), p < 0.0001"
    )
    open_ = Difference(0.01, -0.03, 0.05, 0.56, "test", 36, "", 0.08)
    assert in_words("accuracy", open_, "new", "old", "36 rows") == (
        "no difference between new and old that 36 rows could show: accuracy +0.010 (-0.030 to 0.050), p 0.56; "
        "0.080 would be found in 4 of 5 tries"
    )
    none = Difference(None, reason="the score does not exist for these rows")
    assert in_words("roc_auc", none, "new", "old", "36 rows") == (
        "new and old cannot be compared by roc_auc: the score does not exist for these rows"
    )


# False alarms


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "positives"),
    [
        (Accuracy(), 150),
        (Accuracy(), 15),
        (F1(), 15),
        (Precision(), 15),
        (RocAuc(), 150),
        (RocAuc(), 15),
        (LogLoss(), 150),
    ],
)
def test_equally_good_models_are_rarely_told_apart(metric: Metric, positives: int) -> None:
    draw, n, alarms = np.random.default_rng(0), 300, 0
    truth = (np.arange(n) < positives).astype(int)
    for _ in range(1000):
        common = draw.normal(size=n) + 1.5 * truth - 1
        a, b = (
            ScoredRows(BINARY, truth, 1 / (1 + np.exp(-(common + draw.normal(size=n)))), None, 0.5) for _ in range(2)
        )
        alarms += paired(metric, a, b).better is not None
    assert alarms <= 70  # 5 % and three standard errors of 1,000 draws


def test_means_over_labels_have_a_test_too() -> None:
    draw = np.random.default_rng(0)
    truth = (draw.random((80, 2)) < 0.4).astype(int)
    sides = [ScoredRows(LABELS, truth, draw.random((80, 2)), None, 0.5) for _ in range(2)]
    assert paired(MeanAveragePrecision(), *sides).p is not None
