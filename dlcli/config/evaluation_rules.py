"""Rules about how predictions are scored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dlcli.config.facts import Case
from dlcli.config.nearest import did_you_mean
from dlcli.config.nodes import KEY
from dlcli.config.unknown import UnknownValueError
from dlcli.problems import ConfigPath, Problem
from dlcli.task import CLASSIFICATION, LABELS, Task

ERROR = "error"
"""What `human_level` calls 1 - accuracy."""


def _something_is_scored(case: Case) -> Iterator[Problem]:
    """Baselines, verdicts and the diagnosis rest on a metric."""
    if case.experiment.metrics == ():
        yield Problem("missing-metrics", "metrics names none", "leave it out for those of the task", ("metrics",))


def _choices_need_rows(case: Case) -> Iterator[Problem]:
    """A threshold or temperature that rows choose needs rows that choose."""
    evaluation = case.experiment.evaluation
    if not evaluation.chooses or case.has_validation:
        return
    kfold = case.command == "kfold"
    hint = "write kfold: {inner: 0.2}" if kfold else "give the split a validation share"
    rows = "inner validation rows" if kfold else "validation rows"
    if evaluation.calibrate:
        yield Problem("needs-validation", f"calibrate cannot choose without {rows}", hint, ("evaluation", "calibrate"))
    if not isinstance(evaluation.threshold, float):
        path: ConfigPath = ("evaluation", "threshold")
        yield Problem("needs-validation", f"a threshold cannot be chosen without {rows}", hint, path)


def _one_rule(case: Case) -> Iterator[Problem]:
    """A rule for the threshold is one rule."""
    threshold = case.experiment.evaluation.threshold
    if isinstance(threshold, dict) and len(threshold) != 1:
        message = "a threshold is chosen by one rule, recall or precision"
        yield Problem("contradiction", message, "write one, for example {recall: 0.9}", ("evaluation", "threshold"))


def _fits_task(case: Case) -> Iterator[Problem]:
    """What only classes or labels have is not asked of other tasks."""
    evaluation, task = case.experiment.evaluation, case.task
    written = evaluation.model_fields_set
    if "threshold" in written and evaluation.threshold != 0.5 and task not in LABELS - {Task.MULTICLASS}:
        message = f"a {task} task has no threshold"
        if task is Task.MULTICLASS:
            message += ": the likeliest class is predicted"
        yield Problem("no-effect", message, "take threshold away", ("evaluation", "threshold"))
    if evaluation.calibrate and task not in LABELS:
        message = f"a {task} task has no probabilities to calibrate"
        yield Problem("no-effect", message, "take calibrate away", ("evaluation", "calibrate"))
    if evaluation.costs is not None and task not in CLASSIFICATION:
        message = f"costs need one class per row, which a {task} task does not have"
        yield Problem("no-effect", message, "take costs away", ("evaluation", "costs"))


def _costs_name_classes(case: Case) -> Iterator[Problem]:
    """Costs are of classes that exist."""
    costs = case.experiment.evaluation.costs
    if costs is None or case.task not in CLASSIFICATION:
        return
    classes = case.classes
    for actual, row in costs.items():
        for name, path in [(actual, (actual,)), *((name, (actual, name)) for name in row)]:
            if name not in classes:
                hint = did_you_mean(name, classes)
                yield Problem("unknown-name", f"there is no class {name}", hint, ("evaluation", "costs", *path, KEY))


def _human_level_is_scored(case: Case) -> Iterator[Problem]:
    """The human level is told in a metric that is scored, or as an error."""
    level = case.experiment.evaluation.human_level
    if level is None:
        return
    path: ConfigPath = ("evaluation", "human_level")
    if len(level) != 1:
        message = "human_level is one number: error, or a metric"
        yield Problem("contradiction", message, "write one, for example {error: 0.02}", path)
    for name in level:
        if name == ERROR and _without_error(case):
            message = f"a {case.task} task has no error rate"
            yield Problem("no-effect", message, f"name a metric: {', '.join(case.metrics)}", (*path, name, KEY))
        elif name != ERROR and name not in case.metrics:
            hint = did_you_mean(name, (ERROR, *case.metrics))
            yield Problem("unknown-name", f"there is no score {name}", hint, (*path, name, KEY))


def _without_error(case: Case) -> bool:
    try:
        return case.task not in LABELS
    except UnknownValueError:
        return False


def _ensemble_trains_all(case: Case) -> Iterator[Problem]:
    """Folds in order of time are no ensemble: the first of them saw only the oldest rows."""
    settings, split = case.experiment.kfold, case.experiment.split
    ordered = split.part_name == "chronological" or (
        split.part_name == "auto" and case.experiment.data.time is not None
    )
    if settings.ensemble and ordered:
        message = "folds in order of time train on ever more rows, so that their mean is no better model"
        yield Problem("does-not-fit", message, "take ensemble away", ("kfold", "ensemble"))


EVALUATION_RULES: tuple[Callable[[Case], Iterable[Problem]], ...] = (
    _something_is_scored,
    _choices_need_rows,
    _one_rule,
    _fits_task,
    _costs_name_classes,
    _human_level_is_scored,
    _ensemble_trains_all,
)
