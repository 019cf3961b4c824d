"""What stands behind the scores of a subset: each class, confusions, curves, calibration, residuals, worst rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.evaluation import drawn_curves, ranking
from dlcli.evaluation.calibration import calibration
from dlcli.evaluation.counts import Counts, predicted_classes
from dlcli.evaluation.errors import log_losses
from dlcli.evaluation.metrics import F1, Precision, Recall, RocAuc
from dlcli.evaluation.residuals import residuals
from dlcli.evaluation.rows import ScoredRows
from dlcli.evaluation.scores import score_table
from dlcli.task import CLASSIFICATION, LABELS, Goal, Task

Floats = NDArray[np.float64]

MOST_CLASSES = 50
"""Of more, the classes with the lowest F1 are shown."""
MOST_CURVES = 20
OTHERS = "(others)"
"""The row and column of a confusion matrix that hold the classes that are not shown."""


def details(
    rows: ScoredRows, *, confidence: float, fitted_temperature: bool = False, starred: bool = False
) -> dict[str, Any]:
    """Plain JSON data under the keys below; None where a key does not apply, all None without rows to score.

    - `classes`: by class or label its `name`, `rows` and `scores`: precision, recall, F1 and the area under the
      ROC curve of it against the rest. Of more than 50 classes those with the lowest F1, in their usual order;
      `classes_left_out` counts the rest.
    - `confusion`: `labels` and `counts`, by actual (rows) and predicted class (columns); sums of weights where
      rows are weighted. Classes that are not shown share a last row and column, "(others)".
    - `label_confusions`: by label [[true negatives, false positives], [false negatives, true positives]].
    - `roc`, `precision_recall`: the curves of the positive class, or of at most 20 of the shown classes or
      labels, those with the lowest F1; only of classes with rows on both sides. `curves_left_out` counts the rest.
    - `calibration`: see `dlcli.evaluation.calibration.calibration`.
    - `residuals`: see `dlcli.evaluation.residuals.residuals`.

    Args:
        rows: of one subset.
        confidence: of the intervals.
        fitted_temperature: whether a temperature was chosen on these rows.
        starred: whether these rows chose something.
    """
    found: dict[str, Any] = dict.fromkeys(
        ("classes", "classes_left_out", "confusion", "label_confusions", "roc", "precision_recall",
         "curves_left_out", "calibration", "residuals")
    )  # fmt: skip
    if not (len(rows) and rows.weights().sum() > 0 and np.isfinite(rows.prediction).all()):
        return found
    if rows.goal.task not in LABELS:
        return found | {"residuals": residuals(rows)}
    binary, one_each = rows.goal.task is Task.BINARY, rows.goal.task in CLASSIFICATION
    names = rows.goal.classes if one_each else rows.goal.names
    guess = predicted_classes(rows.goal, rows.prediction, rows.threshold)
    worst_first = _worst_classes(rows)
    shown = np.sort(worst_first[:MOST_CLASSES]).tolist()
    curved = [1] if binary else np.sort(worst_first[:MOST_CURVES]).tolist()
    views = {number: _against_the_rest(rows, number, names[number]) for number in shown}
    answers = {number: guess == number if one_each else guess[:, number] == 1 for number in shown}
    trust = calibration(rows, fitted_temperature=fitted_temperature)
    return found | {
        "classes": [_class(views[each], answers[each], confidence, starred=starred) for each in shown],
        "classes_left_out": len(names) - len(shown),
        "confusion": _confusion(rows, guess, shown) if one_each else None,
        "label_confusions": None if one_each else [_label_confusion(views[each], answers[each]) for each in shown],
        **_curves([views[each] for each in curved]),
        "curves_left_out": 0 if binary else len(names) - len(curved),
        "calibration": None if trust is None else trust.as_json(),
    }


def worst(rows: ScoredRows, count: int = 12) -> list[tuple[int, float, float | None]]:
    """The rows with the greatest losses, the worst first; of equal ones the earlier. Rows of weight 0 do not count.

    Args:
        rows: of any task.
        count: of rows.

    Returns:
        Place among the rows, loss, and probability given to the truth. The loss of classes is the log loss in nats,
        of labels its mean over them; the probability is exp(-loss), so over labels a geometric mean. The loss of
        numbers is the absolute error in standard deviations of the true values, the mean over targets; no probability.
    """
    if not np.isfinite(rows.prediction).all():
        return []
    places = np.flatnonzero(rows.weights() > 0)
    losses = _row_losses(rows)[places]
    order = np.argsort(-losses, kind="stable")[:count]
    likely = rows.goal.task in LABELS
    return [
        (int(places[each]), float(losses[each]), float(np.exp(-losses[each])) if likely else None) for each in order
    ]


def _row_losses(rows: ScoredRows) -> Floats:
    goal, truth, prediction = rows.goal, rows.truth, rows.prediction
    if goal.task in CLASSIFICATION:
        return log_losses(goal, truth, prediction)
    if goal.task is Task.MULTILABEL:
        labels = (
            log_losses(_yes_no(name), *pair) for name, *pair in zip(goal.names, truth.T, prediction.T, strict=True)
        )
        return np.asarray(np.mean(list(labels), axis=0))
    spread = truth.std(axis=0) if len(truth) else np.ones(goal.outputs)
    return np.asarray((abs(truth - prediction) / np.where(spread > 0, spread, 1.0)).mean(axis=1))


def _yes_no(name: str) -> Goal:
    return Goal(Task.BINARY, (name,), ("rest", name))


def _worst_classes(rows: ScoredRows) -> NDArray[np.int64]:
    """Numbers of all classes or labels, the lowest F1 first; those that are neither there nor predicted come last."""
    counts = Counts.of(rows.goal, rows.truth, rows.prediction, rows.weight, rows.threshold)
    mass = counts.predicted + counts.actual
    scores = np.divide(2 * counts.hits, mass, out=np.full(len(mass), np.inf), where=mass > 0)
    return np.argsort(scores, kind="stable")


def _against_the_rest(rows: ScoredRows, number: int, name: str) -> ScoredRows:
    """A class or label as a binary task of its own; what its probability is compared with is not the threshold."""
    task, truth, scores = rows.goal.task, rows.truth, rows.prediction
    if task is Task.BINARY:
        scores = np.stack([-scores, scores], axis=1)  # ranks as 1 - score does, and keeps its digits
    positive = truth[:, number] == 1 if task is Task.MULTILABEL else truth == number
    return replace(
        rows, goal=_yes_no(name), truth=positive.astype(np.int64), prediction=scores[:, number], threshold=0.5
    )


def _class(view: ScoredRows, answer: NDArray[np.bool_], confidence: float, *, starred: bool) -> dict[str, Any]:
    """Name, rows and scores of a class: of the answers, and of how its probability ranks the rows."""
    answered = replace(view, prediction=answer.astype(np.float64))
    scores = (
        *score_table((Precision(), Recall(), F1()), answered, confidence=confidence, starred=starred),
        *score_table((RocAuc(),), view, confidence=confidence, starred=starred),
    )
    return {
        "name": view.goal.names[0],
        "rows": int(view.truth.sum()),
        "scores": [score.as_json() for score in scores],
    }


def _confusion(rows: ScoredRows, guess: NDArray[np.int64], shown: list[int]) -> dict[str, Any]:
    classes = rows.goal.classes
    labels = [classes[number] for number in shown] + [OTHERS] * (len(shown) < len(classes))
    place = np.full(len(classes), len(shown))
    place[shown] = np.arange(len(shown))
    return {"labels": labels, "counts": _table(place[rows.truth], place[guess], rows.weight, len(labels))}


def _label_confusion(view: ScoredRows, answer: NDArray[np.bool_]) -> dict[str, Any]:
    return {"label": view.goal.names[0], "counts": _table(view.truth, answer, view.weight, 2)}


def _table(actual: NDArray[Any], predicted: NDArray[Any], weight: Floats | None, size: int) -> list[Any]:
    """Rows, or their weights, by actual and predicted number."""
    return np.bincount(actual * size + predicted, weight, size**2).reshape(size, size).tolist()


def _curves(views: list[ScoredRows]) -> dict[str, list[dict[str, Any]]]:
    """Both curves of each class that has rows on both sides."""
    found: dict[str, list[dict[str, Any]]] = {"roc": [], "precision_recall": []}
    for view in views:
        weights = view.weights()
        prevalence = float(np.average(view.truth, weights=weights))
        if not 0 < prevalence < 1:
            continue
        given = (view.truth, view.prediction, weights)
        name = view.goal.names[0]
        roc, precision_recall = (drawn_curves.thin(points) for points in drawn_curves.curves(*given))
        found["roc"].append({"label": name, "auc": ranking.roc_auc(*given), "points": roc})
        precision = ranking.average_precision(*given)
        found["precision_recall"].append(
            {"label": name, "average_precision": precision, "prevalence": prevalence, "points": precision_recall}
        )
    return found
