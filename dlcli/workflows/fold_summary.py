"""All folds together: scores over folds, and the out-of-fold predictions as one subset."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from dlcli.config.experiment import Experiment
from dlcli.data.splits import Chronological
from dlcli.evaluation.baselines import LINEAR, standing
from dlcli.evaluation.decision import Decision, decide
from dlcli.evaluation.fold_scores import meaning_over_folds, summarize
from dlcli.evaluation.power import Verdict, verdict_over_folds
from dlcli.workflows.baseline_answers import Answers
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.fold import Fold, Reached
from dlcli.workflows.recording import Recording
from dlcli.workflows.scoring import Json, Scored, Scorer
from dlcli.workflows.worst_rows import FILE_NAME, worst_rows


def bare_scores(
    experiment: Experiment, dataset: Dataset, fold: Fold, reached: Reached
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The scores of a fold, and those of its baselines by kind."""
    scorer = Scorer(experiment, dataset, reached.decision)
    return scorer.bare(fold.scored, reached.tempered(scorer.goal), reached.answers)


def summary(
    experiment: Experiment, dataset: Dataset, plan: Sequence[Fold], reached: Sequence[Reached], run: Recording
) -> Json:
    """Mean, standard deviation and interval over folds; the out-of-fold predictions are kept and scored."""
    settings, confidence = experiment.kfold, experiment.evaluation.confidence
    ordered = isinstance(experiment.split, Chronological)
    dependence = "each fold trains on more rows than the one before" if ordered else ""
    bare = [bare_scores(experiment, dataset, fold, each) for fold, each in zip(plan, reached, strict=True)]
    scorer = Scorer(experiment, dataset, out_of_fold_decision(experiment, dataset, plan, reached))
    metrics = scorer.metrics
    summarized = partial(summarize, metrics, folds=settings.folds, confidence=confidence, dependence=dependence)
    ours, theirs = [values for values, _ in bare], [baselines for _, baselines in bare]
    found = scorer.sheet() | {"folds": [each.as_json() for each in summarized(ours)]}
    found["meaning"]["folds"] = meaning_over_folds(settings.folds, confidence)
    # The pooled rows of folds that share training rows would find differences too easily: folds alone judge.
    scored = replace(_out_of_fold(scorer, plan, reached, run), verdict=None)
    found = scored.added_to(found, "out_of_fold")
    verdicts: dict[bool, Verdict] = {}
    for base in found["baselines"]:
        values = [baselines[base["kind"]] for baselines in theirs if base["kind"] in baselines]
        if len(values) < len(theirs):  # a later repeat may have a fold in which it cannot be fitted
            continue
        base["folds"] = [each.as_json() for each in summarized(values)]
        if base["reference"] or base["kind"] == LINEAR:
            compared = verdict_over_folds(
                metrics,
                dataset.answer.goal.task,
                ours,
                values,
                settings.folds,
                confidence,
                dependence=dependence,
                chosen_threshold=scorer.chosen_threshold,
            )
            verdicts[base["kind"] == LINEAR] = replace(compared, against=standing(base["name"], base["kind"]))
    if False in verdicts:
        found["verdicts"] = {"folds": replace(verdicts[False], linear=verdicts.get(True)).as_json()}
    run.update(chosen_epochs=tuple(each.chosen_epoch for each in reached), decision=scorer.decision.as_json())
    return found


def _out_of_fold(scorer: Scorer, plan: Sequence[Fold], reached: Sequence[Reached], run: Recording) -> Scored:
    """Keeps the predictions of all folds; scores those of the first repeat, in which each row stands once."""
    goal, lengths = scorer.goal, [len(fold.scored) for fold in plan]
    numbers = {"repeat": [fold.repeat + 1 for fold in plan], "fold": [fold.number + 1 for fold in plan]}
    rows = np.concatenate([fold.scored for fold in plan])
    predictions = [each.tempered(goal) for each in reached]
    thresholds = [
        np.broadcast_to(each.decision.threshold_for(goal), prediction.shape)
        for each, prediction in zip(reached, predictions, strict=True)
    ]
    prediction, threshold = np.concatenate(predictions), np.concatenate(thresholds)
    more = {name: np.repeat(each, lengths) for name, each in numbers.items()}
    run.write_predictions("out-of-fold", replace(scorer.predictions(rows, prediction, more=more), threshold=threshold))
    first = [each for fold, each in zip(plan, reached, strict=True) if not fold.repeat]
    once = slice(sum(lengths[: len(first)]))
    rows, prediction, threshold = rows[once], prediction[once], threshold[once]
    model = scorer.rows(rows, prediction, threshold=threshold)
    worst = worst_rows(scorer.dataset, "out_of_fold", scorer.in_order(rows), model)
    run.folder.write_json(FILE_NAME, worst)
    return scorer.score(rows, prediction, _joined(first), threshold=threshold)


def _joined(reached: Sequence[Reached]) -> list[Answers]:
    """The answers of the baselines that every fold has, one after the other."""
    kinds = [{answer.kind: answer for answer in each.answers} for each in reached]
    joined = []
    for kind, answer in kinds[0].items():
        if all(kind in each for each in kinds):
            each_fold = [each[kind] for each in kinds]
            threshold = [np.broadcast_to(each.threshold, each.prediction.shape) for each in each_fold]
            prediction = np.concatenate([each.prediction for each in each_fold])
            same = len({each.name for each in each_fold}) == 1
            name = answer.name if same else f"{answer.name} in the first fold"
            joined.append(Answers(name, kind, prediction, np.concatenate(threshold)))
    return joined


def out_of_fold_decision(
    experiment: Experiment,
    dataset: Dataset,
    plan: Sequence[Fold],
    reached: Sequence[Reached],
    *,
    calibrate: bool = True,
) -> Decision:
    """The threshold and the temperature of a model on all rows: what the out-of-fold predictions choose.

    Args:
        experiment: what is to be chosen.
        dataset: whose rows they are.
        plan: the folds.
        reached: their predictions.
        calibrate: False where the model has its temperature already.
    """
    evaluation, answer = experiment.evaluation, dataset.answer
    # Each row once: further repeats would make it seem that there are more of them.
    first = [(fold.scored, each.prediction) for fold, each in zip(plan, reached, strict=True) if not fold.repeat]
    rows, prediction = (np.concatenate(each) for each in zip(*first, strict=True))
    return decide(
        answer.goal,
        answer.values[rows],
        prediction,
        None if dataset.weight is None else dataset.weight[rows],
        threshold=evaluation.threshold,
        calibrate=calibrate and evaluation.calibrate is not None,
        chosen_on="out_of_fold",
    )
