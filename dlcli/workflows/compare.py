"""`dlcli compare`: runs that were scored on the same rows, side by side, with tests made for the same rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dlcli.config.document import load
from dlcli.config.experiment import Experiment
from dlcli.data.splits import Chronological
from dlcli.evaluation.comparison import Difference, holm, in_words, over_folds, paired
from dlcli.evaluation.metrics import EstimatedMetric, labels
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric
from dlcli.problems import ConfigError, Problem, RefusedError
from dlcli.runs import directory
from dlcli.runs.directory import RunDirectory
from dlcli.runs.histories import read_history
from dlcli.runs.record import Record
from dlcli.workflows.differing_settings import Setting, differing_settings
from dlcli.workflows.finished import Finished
from dlcli.workflows.kept_predictions import Kept, KeptPredictions, path_of, read_predictions
from dlcli.workflows.recording import HISTORY, RESOLVED

KFOLD = "kfold"
_OWN_FUNCTION = "no formula for a function of one's own"


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRun:
    """A run that is compared.

    Attributes:
        name: as the comparison calls it.
        folder: its directory.
        record: what it was.
        experiment: its config.
        scores: what `scores.json` holds.
        predictions: of the rows that it is compared on.
    """

    name: str
    folder: RunDirectory
    record: Record
    experiment: Experiment
    scores: Mapping[str, Any]
    predictions: KeptPredictions

    @property
    def is_kfold(self) -> bool:
        """Whether it was a training per fold."""
        return self.record.command == KFOLD

    def shown(self) -> list[dict[str, Any]]:
        """Each of its scores: name, value, low, high, starred."""
        found = self.scores["folds"] if self.is_kfold else self.scores["validation"]["scores"]
        return [
            {
                "name": each["name"],
                "value": each["mean" if self.is_kfold else "value"],
                "low": each["low"],
                "high": each["high"],
                "starred": each.get("starred", False),
            }
            for each in found
        ]

    def metrics(self) -> dict[str, Metric]:
        """What was scored, by name; costs and other numbers that are no metric of the config are left out."""
        metrics = self.experiment.metrics or ()
        return dict(zip(labels(metrics), metrics, strict=True))


@dataclass(frozen=True, slots=True)
class Pair:
    """A run against the first one by one metric. `p_holm`: p corrected for so many runs."""

    run: str
    metric: str
    difference: Difference
    p_holm: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {"run": self.run, "metric": self.metric, **self.difference.as_json(), "p_holm": self.p_holm}


@dataclass(frozen=True, slots=True)
class Curve:
    """What a run reached epoch by epoch; of a k-fold the mean over folds, as far as all of them went."""

    run: str
    epochs: tuple[int, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs side by side.

    Attributes:
        runs: the first is the one that the others are held against.
        rows: how many rows they were scored on, and `where` in words.
        settings: what differs between their configs.
        pairs: the difference of each further run from the first, metric by metric.
        verdicts: a sentence for each further run.
        monitor: what the curves show.
        curves: of each run that has them.
        notes: what one must know to read all this.
    """

    runs: tuple[ComparedRun, ...]
    rows: int
    where: str
    settings: tuple[Setting, ...]
    pairs: tuple[Pair, ...]
    verdicts: tuple[str, ...]
    monitor: str
    curves: tuple[Curve, ...]
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "runs": [
                {"run": run.name, "path": str(run.folder.path), "command": run.record.command, "scores": run.shown()}
                for run in self.runs
            ],
            "rows": self.rows,
            "where": self.where,
            "confidence": self.runs[0].scores["confidence"],
            "settings": [asdict(setting) for setting in self.settings],
            "differences": [pair.as_json() for pair in self.pairs],
            "verdicts": list(self.verdicts),
            "monitor": self.monitor or None,
            "curves": [asdict(curve) for curve in self.curves],
            "notes": list(self.notes),
        }


def compare(*which: Path | str, runs: Path | str | None = None) -> Comparison:
    """Compares runs that were scored on the same rows: validation rows, or the folds of a k-fold.

    Args:
        which: names or folders of two runs or more; the others are held against the first.
        runs: the folder of the runs.

    Raises:
        ConfigError: fewer than two runs, one that is not there, not finished, or has no predictions.
        DataError: a file of a run is damaged.
        RefusedError: they were scored on other rows, or had other targets.
    """
    if len(which) < 2:
        raise ConfigError(Problem("too-few-runs", "a comparison takes two runs or more", "dlcli runs lists them"))
    root = directory.runs_root(runs)
    folders = [directory.find(root, str(each)) for each in which]
    _require_comparable([(folder, folder.record()) for folder in folders])
    found = [_read(folder, name) for folder, name in zip(folders, _names(folders), strict=True)]
    for other in found[1:]:
        _require_same_rows(found[0], other)
    metrics = _shared_metrics(found)
    pairs = _pairs(found, metrics)
    first, kept = found[0], found[0].predictions
    monitor, curves = _curves(found, list(metrics))
    rows = len(kept.numbers) if kept.folds is None else len(np.unique(kept.numbers))
    where = f"{rows:,} validation rows" if kept.folds is None else f"{len(np.unique(kept.folds, axis=0)):,} folds"
    return Comparison(
        runs=tuple(found),
        rows=rows,
        where=where,
        settings=differing_settings(
            [run.experiment for run in found], unused=frozenset({"tune"} if first.is_kfold else {"tune", "kfold"})
        ),
        pairs=pairs,
        verdicts=tuple(_verdicts(found, pairs, where)),
        monitor=monitor,
        curves=curves,
        notes=tuple(_notes(found)),
    )


def _require_comparable(found: Sequence[tuple[RunDirectory, Record]]) -> None:
    """Refuses runs that were not made to be held against each other.

    Raises:
        ConfigError: one is named twice, is not finished, or has no predictions.
        RefusedError: trainings beside k-folds.
    """
    problems = []
    for place, (folder, entry) in enumerate(found):
        if any(folder.path == earlier.path for earlier, _ in found[:place]):
            problems.append(Problem("same-run", f"run {folder.name} is named twice", "name another one"))
        elif entry.status != "completed":
            hint = f"go on with: dlcli {entry.command} --resume {folder.name}"
            if entry.status == "failed":
                hint = f"dlcli diagnose {folder.name} says why"
            problems.append(Problem("unfinished-run", f"run {folder.name} is {entry.status}, not completed", hint))
        elif not path_of(folder.path, _kept(entry)).exists():
            hint = "train it with validation rows and without --refit"
            problems.append(Problem("no-predictions", f"run {folder.name} kept no validation predictions", hint))
    if problems:
        raise ConfigError(problems)
    (first, entry), *others = found
    for folder, other in others:
        if (entry.command == KFOLD) != (other.command == KFOLD):
            fold, plain = (first, folder) if entry.command == KFOLD else (folder, first)
            message = (
                f"{fold.name} is a k-fold and {plain.name} a single training: they were not scored on the same rows"
            )
            hint = f"make a k-fold of the other too: dlcli kfold {plain.path / RESOLVED}"
            raise RefusedError(Problem("other-rows", message, hint))


def _kept(entry: Record) -> Kept:
    return "out-of-fold" if entry.command == KFOLD else "validation"


def _names(folders: Sequence[RunDirectory]) -> list[str]:
    """What each run is called; runs of one name by their folders."""
    often = Counter(folder.name for folder in folders)
    return [folder.name if often[folder.name] == 1 else str(folder.path) for folder in folders]


def _read(folder: RunDirectory, name: str) -> ComparedRun:
    entry = folder.record()
    # Code of the user's own is named in the config, but nothing here runs it.
    experiment = load(folder.path / RESOLVED, trusted=True, command=entry.command).experiment
    ordered = isinstance(experiment.split, Chronological) or experiment.data.time is not None
    assert entry.goal is not None
    predictions = read_predictions(folder.path, _kept(entry), entry.goal, ordered=ordered)
    return ComparedRun(name, folder, entry, experiment, Finished(folder, entry).scores(), predictions)


def _require_same_rows(a: ComparedRun, b: ComparedRun) -> None:
    """Refuses runs that were scored on other rows, or had other targets.

    Raises:
        RefusedError: they did.
    """
    names = f"{a.name} and {b.name}"
    hint = "give both configs the same data and the same split, then train again"
    hashes = [
        (
            run.record.data_hash if a.is_kfold else None,
            run.record.subset_hashes.get("test" if a.is_kfold else "validation"),
        )
        for run in (a, b)
    ]
    if hashes[0] != hashes[1] or not _same(_place(a), _place(b)):
        what = "other folds" if a.is_kfold else "other validation rows"
        raise RefusedError(Problem("other-rows", f"{names} were scored on {what}", hint, ("split",)))
    one, other = (_sorted(run.predictions) for run in (a, b))
    if a.record.goal != b.record.goal or not _same(one.truth, other.truth):
        message = f"{names} had other targets"
        raise RefusedError(Problem("other-targets", message, hint, ("data", "target")))
    if (one.weight is None) != (other.weight is None) or not _same(one.weights(), other.weights()):
        message = f"{names} weigh rows differently"
        raise RefusedError(Problem("other-weights", message, "name the same weight column in both", ("data", "weight")))


def _place(run: ComparedRun) -> np.ndarray[Any, Any]:
    """Row numbers, and which fold of which repeat scored them, sorted."""
    kept = run.predictions
    columns = [kept.numbers] if kept.folds is None else [*kept.folds.T, kept.numbers]
    return np.asarray(np.stack(columns, axis=1)[_order(kept)])


def _order(kept: KeptPredictions) -> np.ndarray[Any, Any]:
    return np.lexsort((kept.numbers,) if kept.folds is None else (kept.numbers, *kept.folds.T[::-1]))


def _sorted(kept: KeptPredictions) -> ScoredRows:
    return kept.scored.take(_order(kept))


def _same(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> bool:
    return a.shape == b.shape and bool((a == b).all())


def _shared_metrics(found: Sequence[ComparedRun]) -> dict[str, Metric]:
    """The metrics that every run has, as the first orders them.

    Raises:
        ConfigError: there is none.
    """
    shared = {
        name: metric
        for name, metric in found[0].metrics().items()
        if all(run.metrics().get(name) == metric for run in found)
    }
    if not shared:
        message = f"{', '.join(run.name for run in found)} have no metric in common"
        raise ConfigError(Problem("no-shared-metric", message, "name the same metrics in both configs", ("metrics",)))
    return shared


def _pairs(found: Sequence[ComparedRun], metrics: Mapping[str, Metric]) -> tuple[Pair, ...]:
    pairs = []
    for name, metric in metrics.items():
        of_metric = [Pair(run.name, name, _difference(run, found[0], name, metric)) for run in found[1:]]
        if len(of_metric) > 1:
            corrected = holm([pair.difference.p for pair in of_metric])
            of_metric = [replace(pair, p_holm=p) for pair, p in zip(of_metric, corrected, strict=True)]
        pairs += of_metric
    return tuple(pairs)


def _difference(run: ComparedRun, first: ComparedRun, name: str, metric: Metric) -> Difference:
    """A score of a run minus that of the first."""
    confidence = first.scores["confidence"]
    if run.is_kfold:
        ours, theirs = (_of(each.scores["folds"], name)["folds"] for each in (run, first))
        ordered = isinstance(run.experiment.split, Chronological)
        dependence = "each fold trains on more rows than the one before" if ordered else ""
        return over_folds(metric, ours, theirs, run.experiment.kfold.folds, confidence, dependence=dependence)
    if not isinstance(metric, EstimatedMetric):
        a, b = (_of(each.scores["validation"]["scores"], name)["value"] for each in (run, first))
        value = None if a is None or b is None else a - b
        return Difference(value, reason=_OWN_FUNCTION, greater_is_better=metric.greater_is_better)
    return paired(metric, *_aligned(run, first), confidence)


def _aligned(run: ComparedRun, first: ComparedRun) -> tuple[ScoredRows, ScoredRows]:
    """The rows of both, as they stand in the first."""
    numbers, wanted = run.predictions.numbers, first.predictions.numbers
    order = np.argsort(numbers)
    return run.predictions.scored.take(order[np.searchsorted(numbers, wanted, sorter=order)]), first.predictions.scored


def _same_answers(run: ComparedRun, first: ComparedRun) -> bool:
    ours, theirs = _aligned(run, first)
    return np.array_equal(ours.prediction, theirs.prediction) and np.array_equal(ours.threshold, theirs.threshold)


def _of(scores: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any]:
    return next(each for each in scores if each["name"] == name)


def _verdicts(found: Sequence[ComparedRun], pairs: Sequence[Pair], where: str) -> Iterator[str]:
    """A sentence for each further run, by the first metric that has an interval."""
    for run in found[1:]:
        if not run.is_kfold and _same_answers(run, found[0]):
            yield f"{run.name} and {found[0].name} predict the same for every row"
            continue
        own = [pair for pair in pairs if pair.run == run.name]
        told = next((pair for pair in own if pair.difference.low is not None), own[0])
        yield in_words(told.metric, told.difference, run.name, found[0].name, where)


def _curves(found: Sequence[ComparedRun], metrics: Sequence[str]) -> tuple[str, tuple[Curve, ...]]:
    """The validation losses where all runs make the same loss small, else the first metric that all have watched."""
    same_loss = all(_loss(run) == _loss(found[0]) for run in found)
    for monitor in [*(["val_loss"] if same_loss else []), *(f"val_{name}" for name in metrics)]:
        curves = [_curve(run, monitor) for run in found]
        if all(curve.epochs for curve in curves):
            return monitor, tuple(curves)
    return "", ()


def _loss(run: ComparedRun) -> tuple[object, object]:
    """What the numbers of a loss depend on: the function, and the scale of the target."""
    target = run.experiment.data.target
    return run.experiment.loss, target and target.scale


def _curve(run: ComparedRun, monitor: str) -> Curve:
    folder = run.folder.path
    paths = sorted(folder.glob(f"folds/*/{HISTORY}")) if run.is_kfold else [folder / HISTORY]
    columns = [read_history(path).get(monitor, ()) for path in paths]
    epochs = range(min((len(column) for column in columns), default=0))
    values = {epoch + 1: [column[epoch] for column in columns] for epoch in epochs}
    finite = {epoch: [each for each in row if each is not None] for epoch, row in values.items()}
    means = {epoch: float(np.mean(row)) for epoch, row in finite.items() if len(row) == len(columns)}
    return Curve(run.name, tuple(means), tuple(means.values()))


def _notes(found: Sequence[ComparedRun]) -> Iterator[str]:
    if len(found) > 2:
        yield (
            f"each p stands for itself; p (Holm) allows for {len(found) - 1} comparisons by the same metric. "
            "Intervals and verdicts are not corrected"
        )
    confidences = {run.scores["confidence"] for run in found}
    if len(confidences) > 1:
        yield f"differences have {100 * found[0].scores['confidence']:g} % intervals, as in {found[0].name}"
    if not found[0].is_kfold:
        yield "one training each: intervals and tests know nothing of the luck of the seed (dlcli train --repeat 10)"
