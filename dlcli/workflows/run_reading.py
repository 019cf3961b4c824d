"""From a run's directory to the facts that a diagnosis looks at."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from dlcli.config.experiment import Experiment
from dlcli.config.rate_rules import named_rate
from dlcli.config.short_form import short_form
from dlcli.data.splits import Chronological, Grouped, Predefined, Random, Stratified
from dlcli.evaluation.diagnosis.changes import Setup
from dlcli.evaluation.diagnosis.courses import LOSS_SPREAD, Course
from dlcli.evaluation.diagnosis.ladder import Measured
from dlcli.evaluation.diagnosis.run_facts import Breakdown, Facts, Repeats
from dlcli.network.layers.normalization import BatchNormalization
from dlcli.network.layers.regularization import Dropout
from dlcli.network.losses import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    MeanSquaredError,
    SparseCategoricalCrossentropy,
)
from dlcli.part import Schedule
from dlcli.problems import DataError, Problem
from dlcli.runs.directory import RunDirectory
from dlcli.runs.record import Record
from dlcli.task import LABELS, NUMBERS, Task
from dlcli.training.divergence import NOT_FINITE
from dlcli.training.schedules import CustomSchedule, OneCycle
from dlcli.workflows.recording import HISTORY, SCORES

if TYPE_CHECKING:
    from numpy.typing import NDArray

Json = Mapping[str, Any]
_BROKEN = re.compile(rf"{NOT_FINITE} in epoch (\d+) \(learning rate up to ([^)]+)\)")
_SUBSETS = ("train", "validation", "test")
_SCALING = frozenset({"standardize", "min_max", "robust", "rescale", "auto"})
_LARGE_SPREAD = 10.0
"""Spread of an unscaled target from which on its loss is too large for usual learning rates."""
_CLASS_SPREAD = 0.75
"""Standard deviation of the losses of rows over their mean, in the first epoch of a network that tells classes."""
_CROSSENTROPY = (BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy)


def facts(folder: RunDirectory, entry: Record, experiment: Experiment) -> Facts:
    """What is known of a run that has ended.

    Raises:
        DataError: its files are damaged.
    """
    assert entry.goal is not None
    task = entry.goal.task
    scores = _json(folder.path / SCORES) if (folder.path / SCORES).exists() else {}
    found = {name: _by_name(scores[name]["scores"]) for name in _SUBSETS if name in scores}
    reference: Json = next((each for each in scores.get("baselines", ()) if each["reference"]), {"subsets": {}})
    baseline = {name: _by_name(each["scores"]) for name, each in reference["subsets"].items()}
    rows = dict(entry.rows) | {name: scores[name]["rows"] for name in _SUBSETS if name in scores}
    human = getattr(experiment.evaluation, "human_level", None)
    return Facts(
        task=task,
        setup=setup(entry, experiment, baseline.get("train", {})),
        courses=tuple(_courses(folder.path, entry)),
        scores=found,
        baseline=baseline.get("train", {}),
        rows=rows,
        class_rows=_class_rows(reference, baseline, rows),
        human_level=human,
        naive_loss=_naive_loss(experiment, task, scores, baseline.get("train", {})),
        breakdown=breakdown(entry),
        linear=_linear(scores),
        over_folds=_over_folds(scores),
        repeats=_repeats(scores),
        powerless=_powerless(scores),
        confidence=scores.get("confidence", experiment.evaluation.confidence),
    )


def breakdown(entry: Record) -> Breakdown | None:
    """Where the loss was not finite, from what the run has warned of and why it failed."""
    met = [match for text in (*entry.warnings, entry.failure or "") for match in _BROKEN.finditer(text)]
    if not met:
        return None
    failed = entry.failure is not None and NOT_FINITE in entry.failure
    epochs, rates = [int(match[1]) for match in met], [float(match[2]) for match in met]
    return Breakdown(min(epochs), len(met) - failed, min(rates), failed)


def _courses(folder: Path, entry: Record) -> Iterator[Course]:
    """The training of a run, or that of each fold."""
    assert entry.goal is not None
    spread = _CLASS_SPREAD if entry.goal.task in LABELS else LOSS_SPREAD
    if entry.command == "kfold":
        for path in sorted((folder / "folds").glob("*/result.json")):
            result = _json(path)
            inner, ended = result["rows"]["inner"], result["stopped_by"]
            yield _course(path.with_name(HISTORY), result["chosen_epoch"], ended, inner, spread)
    elif (folder / HISTORY).exists():
        chosen = entry.refit_epochs or entry.chosen_epoch
        rows = entry.rows.get("validation", 0)
        yield _course(folder / HISTORY, chosen, entry.stopped_by or "epochs", rows, spread)


def _course(path: Path, chosen: int | None, stopped_by: str, validation_rows: int, spread: float) -> Course:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        columns = {name: np.array([float(line[name]) for line in lines]) for name in lines[0]}
        loss, rate = columns["loss"], columns["learning_rate"]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise _damaged(path) from error
    held: NDArray[np.float64] | None = columns.get("val_loss")
    rows = validation_rows if held is not None else 0
    return Course(loss, held, rate, chosen or len(loss), stopped_by, rows, columns.get("val_accuracy"), spread)


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(path) from error
    return found


def _damaged(path: Path) -> DataError:
    return DataError(Problem("unreadable-run", f"{path} is damaged", "restore it or choose another run"))


def _by_name(scores: Sequence[Json]) -> dict[str, Measured]:
    """The scores that exist, by metric."""
    return {each["name"]: _measured(each) for each in scores if each["value"] is not None}


def _measured(score: Json, key: str = "value") -> Measured:
    starred = bool(score.get("starred", False))
    return Measured(score[key], score["low"], score["high"], score["greater_is_better"], starred)


def _class_rows(
    reference: Json, baseline: Mapping[str, Mapping[str, Measured]], rows: Mapping[str, int]
) -> dict[str, tuple[float, ...]]:
    """Rows of the training rows' largest class and of the others, by subset: what its baseline gets right."""
    if reference.get("kind") != "majority":
        return {}
    right = {name: scores["accuracy"].value for name, scores in baseline.items() if "accuracy" in scores}
    return {name: (share * rows[name], (1 - share) * rows[name]) for name, share in right.items() if name in rows}


def _naive_loss(experiment: Experiment, task: Task, scores: Json, baseline: Mapping[str, Measured]) -> float | None:
    """The loss of an answer that knows only class shares, or the mean; None where that is not known."""
    loss = experiment.loss
    if task in LABELS and (loss is None or isinstance(loss, _CROSSENTROPY)):
        classes = next((scores[name]["classes"] for name in ("validation", "out_of_fold") if name in scores), None)
        subset = next((scores[name] for name in ("validation", "out_of_fold") if name in scores), {"rows": 0})
        shares = [each["rows"] / subset["rows"] for each in classes or ()]
        if task is Task.MULTILABEL:
            return float(np.mean([_entropy((share, 1 - share)) for share in shares])) if shares else None
        return _entropy(shares) if shares else None
    if task in NUMBERS and (loss is None or isinstance(loss, MeanSquaredError)):
        target = experiment.data.target
        if target is not None and target.scale == "standardize":
            return 1.0
        if (target is None or target.scale is None) and "rmse" in baseline:
            return baseline["rmse"].value ** 2
    return None


def _entropy(shares: Sequence[float]) -> float:
    return -sum(share * math.log(share) for share in shares if share > 0)


def _linear(scores: Json) -> dict[str, Measured]:
    """The scores of the linear baseline on the validation rows."""
    for each in scores.get("baselines", ()):
        if each["kind"] == "linear" and "validation" in each["subsets"]:
            return _by_name(each["subsets"]["validation"]["scores"])
    return {}


def _diagnosed(scores: Sequence[Json]) -> str:
    """Accuracy where it is there, else the first metric."""
    names: list[str] = [each["name"] for each in scores]
    return "accuracy" if "accuracy" in names else names[0]


def _over_folds(scores: Json) -> tuple[str, Measured] | None:
    folds = [each for each in scores.get("folds") or () if each["mean"] is not None]
    if not folds:
        return None
    name = _diagnosed(folds)
    return name, _measured(next(each for each in folds if each["name"] == name), "mean")


def _repeats(scores: Json) -> Repeats | None:
    spreads = [each for each in scores.get("repeats") or () if each["sd"] is not None]
    if not spreads:
        return None
    name = _diagnosed(spreads)
    found = next(each for each in spreads if each["name"] == name)
    return Repeats(name, tuple(found["values"]), found["sd"])


def _powerless(scores: Json) -> str | None:
    """What is said where a score is not above the reference baseline's."""
    verdicts = scores.get("verdicts", {})
    for name in ("folds", "validation"):
        if name in verdicts:
            return verdicts[name]["sentence"] if verdicts[name]["power"] is False else None
    return None


def setup(entry: Record, experiment: Experiment, baseline: Mapping[str, Measured]) -> Setup:
    """What a run's config has, as far as remedies depend on it; `baseline`: its scores on the training rows."""
    optimizer, split, regular = experiment.optimizer, experiment.split, experiment.regularization
    penalties = [getattr(layer, "kernel_regularizer", None) for layer in experiment.architecture]
    dropouts = [layer.rate for layer in experiment.architecture if isinstance(layer, Dropout)]
    kinds = {column.kind for column in entry.data_schema.columns.values()} if entry.data_schema else set()
    usual = type(optimizer).model_fields["learning_rate"].default
    early = experiment.early_stopping
    return Setup(
        architecture=tuple(short_form(experiment.architecture)),
        keeps_last=experiment.output == "none",
        optimizer=optimizer.part_name,
        rate=optimizer.learning_rate,
        usual_rate=usual if isinstance(usual, float) else 0.001,
        schedule=experiment.schedule.part_name if experiment.schedule else None,
        own_rate=_own_rate(experiment.schedule),
        epochs=experiment.training.epochs,
        patience=early.patience if early else None,
        l1=max([regular.l1, *(getattr(each, "l1", 0.0) for each in penalties)]),
        l2=max([regular.l2, *(getattr(each, "l2", 0.0) for each in penalties)]),
        dropout=max([regular.dropout, *dropouts]),
        max_norm=regular.max_norm is not None,
        batch_normalization=any(isinstance(layer, BatchNormalization) for layer in experiment.architecture),
        augmented=bool(experiment.augmentation),
        images="image" in kinds,
        unscaled=_unscaled(experiment) if "numeric" in kinds else None,
        large_target=_large_target(entry, experiment, baseline),
        split=split.part_name,
        split_seed=getattr(split, "seed", 0),
        sizes={name: getattr(split, name, None) for name in _SUBSETS},
        subset_column=split.column if isinstance(split, Predefined) else None,
        ordered=isinstance(split, Chronological) or experiment.data.time is not None,
        drawn=_drawn(experiment),
        grouped=isinstance(split, Grouped) or experiment.data.group is not None,
        folds=experiment.kfold.folds if entry.command == "kfold" else None,
        parameters=entry.parameters,
    )


def _drawn(experiment: Experiment) -> bool:
    """Whether lots decided which rows validate: also where the source has subsets, but none for validation."""
    split = experiment.split
    if isinstance(split, Predefined):
        return split.column is None and getattr(experiment.data.source, "validation", None) is None
    return isinstance(split, Random | Stratified)


def _own_rate(schedule: Schedule | None) -> Literal["peak", "all"] | None:
    if named_rate(schedule) is None and not isinstance(schedule, CustomSchedule):
        return None
    return "peak" if isinstance(schedule, OneCycle) else "all"


def _unscaled(experiment: Experiment) -> tuple[Any, ...] | None:
    """The preprocessing steps, where none of them scales numbers."""
    steps = experiment.preprocessing
    scaled = any(step.part_name in _SCALING for step in steps)
    return None if scaled else tuple(short_form(steps))


def _large_target(entry: Record, experiment: Experiment, baseline: Mapping[str, Measured]) -> bool:
    assert entry.goal is not None
    target = experiment.data.target
    if entry.goal.task is not Task.REGRESSION or (target is not None and target.scale is not None):
        return False
    return any(name in baseline and baseline[name].value > _LARGE_SPREAD for name in ("rmse", "mae"))
