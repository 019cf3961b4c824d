"""Every metric beside its reference: scikit-learn's function, or the textbook's formula where it has none."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import sklearn.metrics as sk
from hypothesis import strategies as st

from dlcli.evaluation.metrics.agreement import (
    CohenKappa,
    MatthewsCorrcoef,
    NegativeLikelihoodRatio,
    PositiveLikelihoodRatio,
)
from dlcli.evaluation.metrics.areas import AveragePrecision, MeanAveragePrecision, RocAuc
from dlcli.evaluation.metrics.class_shares import F1, BalancedAccuracy, FBeta, Jaccard, Precision, Recall, Specificity
from dlcli.evaluation.metrics.deviances import D2Tweedie, MeanGammaDeviance, MeanPoissonDeviance, MeanTweedieDeviance
from dlcli.evaluation.metrics.estimated import EstimatedMetric, misfit
from dlcli.evaluation.metrics.explained import R2, D2AbsoluteError, D2Brier, D2LogLoss, D2Pinball, ExplainedVariance
from dlcli.evaluation.metrics.label_orders import (
    CoverageError,
    Dcg,
    LabelRankingAveragePrecision,
    LabelRankingLoss,
    Ndcg,
)
from dlcli.evaluation.metrics.probabilities import Brier, HingeLoss, LogLoss
from dlcli.evaluation.metrics.right_rows import Accuracy, HammingLoss, TopKAccuracy, ZeroOneLoss
from dlcli.evaluation.metrics.value_errors import (
    MaxError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanAbsoluteScaledError,
    MeanPinballLoss,
    MeanSquaredError,
    MeanSquaredLogError,
    MedianAbsoluteError,
    RootMeanSquaredError,
    RootMeanSquaredLogError,
)
from dlcli.evaluation.rows import ScoredRows
from dlcli.task import NUMBERS, Goal, Task

GOALS = {
    Task.BINARY: Goal(Task.BINARY, ("y",), ("no", "yes")),
    Task.MULTICLASS: Goal(Task.MULTICLASS, ("y",), ("a", "b", "c", "d")),
    Task.MULTILABEL: Goal(Task.MULTILABEL, ("a", "b", "c")),
    Task.REGRESSION: Goal(Task.REGRESSION, ("a", "b")),
    Task.FORECAST: Goal(Task.FORECAST, ("a+1", "b+1"), naive_errors=(0.5, 2.0)),
}
Reference = Callable[["Given"], float]


@dataclass(frozen=True)
class Given:
    """Rows as a reference takes them."""

    rows: ScoredRows

    @property
    def y(self) -> Any:
        return self.rows.truth

    @property
    def p(self) -> Any:
        return self.rows.prediction

    @property
    def w(self) -> dict[str, Any]:
        return {"sample_weight": self.rows.weight}

    @property
    def guess(self) -> Any:
        if self.rows.goal.task is Task.MULTICLASS:
            return self.p.argmax(axis=1)
        return (self.p >= self.rows.threshold).astype(int)

    @property
    def labels(self) -> dict[str, Any]:
        return {"labels": range(len(self.rows.goal.classes) or self.rows.goal.outputs)}


@dataclass(frozen=True)
class Case:
    """A metric, its reference, and the rows for which the reference exists.

    Attributes:
        only: tasks that the reference knows; by default the metric's.
        every_class: each class has a row.
        amounts: targets and predictions are above 0.
        weighted: whether the reference knows weights.
        fewest_rows: with which the reference exists.
    """

    metric: EstimatedMetric
    reference: Reference
    only: frozenset[Task] | None = None
    every_class: bool = False
    amounts: bool = False
    weighted: bool = True
    fewest_rows: int = 1

    def __str__(self) -> str:
        fields = (
            f"{name}={value}" for name, value in self.metric if value != type(self.metric).model_fields[name].default
        )
        return "-".join([self.metric.part_name, *fields])

    @property
    def tasks(self) -> list[Task]:
        tasks = (self.only or self.metric.tasks) & GOALS.keys()
        tasks -= {Task.FORECAST} if Task.REGRESSION in tasks else set()  # scored alike
        return sorted(task for task in tasks if misfit(self.metric, task) is None)

    def expected(self, rows: ScoredRows) -> float:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return float(self.reference(Given(rows)))


def of_classes(function: Callable[..., float], average: str, **fields: Any) -> Reference:
    def reference(given: Given) -> float:
        plain = {"auto": "binary" if given.rows.goal.task is Task.BINARY else "macro"}.get(average, average)
        known = {} if plain in ("binary", "samples") else given.labels
        return function(given.y, given.guess, average=plain, zero_division=0, **known, **given.w, **fields)

    return reference


def specificity(average: str) -> Reference:
    def reference(given: Given) -> float:
        kind = {"auto": "binary" if given.rows.goal.task is Task.BINARY else "macro"}.get(average, average)
        by_row = {"samplewise": True} if kind == "samples" else given.labels
        weight = {} if kind == "samples" else given.w
        table = sk.multilabel_confusion_matrix(given.y, given.guess, **by_row, **weight)
        right, negative = table[:, 0, 0], table[:, 0].sum(axis=1)
        if kind == "micro":
            right, negative = right.sum(keepdims=True), negative.sum(keepdims=True)
        shares = np.where(negative > 0, right / negative, 0.0)
        if kind == "binary":
            return shares[1]
        by = {"weighted": table[:, 1].sum(axis=1), "samples": given.rows.weight}.get(kind)
        return np.average(shares, weights=by) if by is None or by.sum() > 0 else 0.0

    return reference


def decisions(given: Given) -> Any:
    """What a network gives before its sigmoid or softmax, but for a number that a row's logits share."""
    sure = np.clip(given.p, 2.220446049250313e-16, 1 - 2.220446049250313e-16)
    return np.log(sure / (1 - sure)) if given.rows.goal.task is Task.BINARY else np.log(sure)


def per_target(function: Callable[..., float], **fields: Any) -> Reference:
    return lambda given: np.mean(
        [function(y, p, **given.w, **fields) for y, p in zip(given.y.T, given.p.T, strict=True)]
    )


def scaled(given: Given) -> float:
    """Hyndman and Koehler 2006: the mean absolute error over that of the naive forecast in the training rows."""
    errors = sk.mean_absolute_error(given.y, given.p, multioutput="raw_values", **given.w)
    return np.mean(errors / np.array(given.rows.goal.naive_errors))


def largest(given: Given) -> float:
    return np.mean([sk.max_error(y, p) for y, p in zip(given.y.T, given.p.T, strict=True)])


def numbers(function: Callable[..., float], **fields: Any) -> Reference:
    return lambda given: function(given.y, given.p, **given.w, **fields)


def classes(function: Callable[..., float], **fields: Any) -> Reference:
    return lambda given: function(given.y, given.guess, **given.w, **fields)


def probabilities(function: Callable[..., float]) -> Reference:
    return lambda given: function(given.y, given.p, **given.w, **given.labels)


def ratios(number: int) -> Reference:
    return lambda given: sk.class_likelihood_ratios(given.y, given.guess, **given.labels, **given.w)[number]


def kappa(weights: str | None) -> Reference:
    return lambda given: sk.cohen_kappa_score(given.y, given.guess, weights=weights, **given.labels, **given.w)


def top(k: int) -> Reference:
    return lambda given: sk.top_k_accuracy_score(given.y, given.p, k=k, **given.labels, **given.w)


AVERAGES = ("auto", "binary", "macro", "micro", "weighted", "samples")
LABELED = frozenset({Task.MULTILABEL})
CASES = [
    Case(Accuracy(), classes(sk.accuracy_score)),
    Case(ZeroOneLoss(), classes(sk.zero_one_loss)),
    Case(HammingLoss(), classes(sk.hamming_loss)),
    *(Case(TopKAccuracy(k=k), top(k)) for k in (1, 2, 3, 4, 9)),
    *(Case(Precision(average=each), of_classes(sk.precision_score, each)) for each in AVERAGES),
    *(Case(Recall(average=each), of_classes(sk.recall_score, each)) for each in AVERAGES),
    *(Case(Specificity(average=each), specificity(each)) for each in AVERAGES),
    *(Case(F1(average=each), of_classes(sk.f1_score, each)) for each in AVERAGES),
    *(Case(FBeta(beta=2, average=each), of_classes(sk.fbeta_score, each, beta=2)) for each in AVERAGES),
    *(Case(Jaccard(average=each), of_classes(sk.jaccard_score, each)) for each in AVERAGES),
    Case(BalancedAccuracy(), classes(sk.balanced_accuracy_score)),
    Case(BalancedAccuracy(adjusted=True), classes(sk.balanced_accuracy_score, adjusted=True)),
    Case(MatthewsCorrcoef(), classes(sk.matthews_corrcoef)),
    *(Case(CohenKappa(weights=each), kappa(each)) for each in (None, "linear", "quadratic")),
    Case(PositiveLikelihoodRatio(), ratios(0)),
    Case(NegativeLikelihoodRatio(), ratios(1)),
    *(
        Case(RocAuc(average=each), numbers(sk.roc_auc_score, average=each, multi_class="ovr"), every_class=True)
        for each in ("macro", "weighted", "micro")
    ),
    *(
        Case(
            RocAuc(average=each, multi_class="ovo"),
            lambda g, each=each: sk.roc_auc_score(g.y, g.p, average=each, multi_class="ovo"),
            every_class=True,
            weighted=False,
        )
        for each in ("macro", "weighted")
    ),
    *(
        Case(RocAuc(max_fpr=each), numbers(sk.roc_auc_score, max_fpr=each), every_class=True)
        for each in (0.1, 0.5, 1.0)
    ),
    Case(AveragePrecision(), numbers(sk.average_precision_score), every_class=True),
    *(
        Case(MeanAveragePrecision(average=each), numbers(sk.average_precision_score, average=each), every_class=True)
        for each in ("macro", "weighted", "micro")
    ),
    Case(CoverageError(), numbers(sk.coverage_error)),
    Case(LabelRankingLoss(), numbers(sk.label_ranking_loss)),
    Case(LabelRankingAveragePrecision(), numbers(sk.label_ranking_average_precision_score)),
    *(Case(Dcg(k=k), numbers(sk.dcg_score, k=k)) for k in (None, 2, 7)),
    Case(Dcg(log_base=10), numbers(sk.dcg_score, log_base=10)),
    *(Case(Ndcg(k=k), numbers(sk.ndcg_score, k=k)) for k in (None, 1, 2, 7)),
    Case(LogLoss(), probabilities(sk.log_loss), every_class=True),
    Case(Brier(), probabilities(sk.brier_score_loss), every_class=True),
    Case(HingeLoss(), lambda g: sk.hinge_loss(g.y, decisions(g), **g.labels, **g.w), every_class=True),
    Case(D2LogLoss(), probabilities(sk.d2_log_loss_score), every_class=True),
    Case(D2Brier(), probabilities(sk.d2_brier_score), every_class=True),
    Case(MeanAbsoluteError(), numbers(sk.mean_absolute_error)),
    Case(MeanAbsoluteScaledError(), scaled),
    Case(MeanSquaredError(), numbers(sk.mean_squared_error)),
    Case(RootMeanSquaredError(), numbers(sk.root_mean_squared_error)),
    Case(MeanSquaredLogError(), numbers(sk.mean_squared_log_error), amounts=True),
    Case(RootMeanSquaredLogError(), numbers(sk.root_mean_squared_log_error), amounts=True),
    Case(MeanAbsolutePercentageError(), numbers(sk.mean_absolute_percentage_error)),
    Case(MedianAbsoluteError(), numbers(sk.median_absolute_error)),
    Case(MaxError(), largest),
    *(Case(MeanPinballLoss(alpha=each), numbers(sk.mean_pinball_loss, alpha=each)) for each in (0.1, 0.5, 0.9)),
    Case(MeanPoissonDeviance(), per_target(sk.mean_poisson_deviance), amounts=True),
    Case(MeanGammaDeviance(), per_target(sk.mean_gamma_deviance), amounts=True),
    *(
        Case(MeanTweedieDeviance(power=each), per_target(sk.mean_tweedie_deviance, power=each), amounts=True)
        for each in (-1, 0, 1, 1.5, 2, 3)
    ),
    Case(R2(), numbers(sk.r2_score)),
    Case(ExplainedVariance(), numbers(sk.explained_variance_score), fewest_rows=2),
    Case(D2AbsoluteError(), numbers(sk.d2_absolute_error_score)),
    *(Case(D2Pinball(alpha=each), numbers(sk.d2_pinball_score, alpha=each)) for each in (0.1, 0.5, 0.9)),
    *(
        Case(D2Tweedie(power=each), per_target(sk.d2_tweedie_score, power=each), amounts=True)
        for each in (-1, 0, 1, 1.5, 2, 3)
    ),
]  # fmt: skip
PAIRS = [(case, task) for case in CASES for task in case.tasks]
IDS = [f"{case}-{task}" for case, task in PAIRS]


@st.composite
def drawn(draw: st.DrawFn, case: Case, task: Task, *, smallest: int = 1) -> ScoredRows:
    """Rows that a case can be scored on: predictions with ties, often missing classes, weights of some."""
    smallest = max(smallest, case.fewest_rows, 5 if case.every_class else 1)
    seed = draw(st.integers(0, 2**32))
    coarse, weighted = draw(st.sampled_from([2, 5, 1000])), case.weighted and draw(st.booleans())
    rows = draw(st.integers(smallest, 40))
    return made(case, task, rows, np.random.default_rng(seed), coarse, weighted=weighted)


def made(
    case: Case, task: Task, rows: int, generator: np.random.Generator, coarse: int = 1000, *, weighted: bool = False
) -> ScoredRows:
    weight = generator.integers(1, 5, rows) / 2 if weighted else None
    if task in NUMBERS:
        truth, prediction = np.round(generator.normal(size=(rows, 2)), 2), generator.normal(size=(rows, 2))
        if case.amounts:
            truth, prediction = np.exp(truth), np.exp(prediction)
        return ScoredRows(GOALS[task], truth, prediction, weight, 0.5)
    if task is Task.MULTICLASS:
        truth = generator.integers(0, 4, rows)
        if case.every_class:
            truth[:4] = range(4)
        chances = generator.integers(1, coarse + 1, (rows, 4)).astype(float)
        return ScoredRows(GOALS[task], truth, chances / chances.sum(axis=1, keepdims=True), weight, 0.5)
    shape = (rows,) if task is Task.BINARY else (rows, 3)
    truth = generator.integers(0, 2, shape)
    if case.every_class:
        truth[0], truth[1] = 0, 1
    threshold = np.array([0.3, 0.5, 0.8]) if task is Task.MULTILABEL else 0.5
    return ScoredRows(GOALS[task], truth, generator.integers(0, coarse + 1, shape) / coarse, weight, threshold)
