"""From a config to data that are ready to train on: read, typed, divided, the test targets sealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.config import rules
from dlcli.config.document import Document
from dlcli.config.experiment import Experiment
from dlcli.config.sections import Data, KFold
from dlcli.data import folds as cutting
from dlcli.data import hashes, kinds, layout, reading, roles, sealed, slices, target
from dlcli.data.cache import DataShelf, key_of
from dlcli.data.leakage import repeats as leakage
from dlcli.data.leakage.borders import present
from dlcli.data.leakage.findings import Divided, Finding
from dlcli.data.leakage.guard import findings
from dlcli.data.row_facts import RowFacts
from dlcli.data.splits import RowSplit
from dlcli.data.target_columns import as_coded, names_of
from dlcli.data.target_section import Target
from dlcli.events import Listener, Note
from dlcli.part import Split, Step
from dlcli.preprocessing import pipeline, planning
from dlcli.preprocessing.raw_windows import rows_alone
from dlcli.problems import ConfigError, DataError, DlcliError, Problem
from dlcli.samples import MISSING, Coded, Found, Kind, Samples, Subset
from dlcli.storage import let_go
from dlcli.task import CLASSIFICATION
from dlcli.workflows import series as windowing
from dlcli.workflows.dataset import Dataset, misfit_warnings

if TYPE_CHECKING:
    from numpy.typing import NDArray


def prepare(document: Document, command: str, emit: Listener) -> tuple[Experiment, Dataset]:
    """Reads the data of a config and settles what it leaves to them.

    Args:
        document: the config.
        command: for which the rules between fields are checked.
        emit: hears what was found.

    Returns:
        the experiment with nothing left open (task, kinds, classes, steps, metrics, split), and its data.

    Raises:
        DataError: the data cannot be used.
        ConfigError: the config does not fit them.
        RefusedError: rows repeat and the config refuses that.
    """
    with located(document):
        dataset, split = _read(document.experiment, emit)
        written = document.experiment.preprocessing
        if problems := pipeline.check(written, dataset.schema):
            raise ConfigError(problems)
        experiment = _settled(document.experiment, dataset, split, pipeline.expand(written, dataset.schema))
        if conflicts := rules.check(experiment, _facts(dataset, written), command):
            raise ConfigError(conflicts)
        if command not in ("kfold", "evaluate"):  # the one divides the rows anew, the other trains on none
            dataset.require_weight(dataset.subsets["train"], "training row")
            dataset.require_weight(dataset.subsets["validation"], "validation row")
        if command != "evaluate":
            dataset = replace(dataset, findings=_findings(experiment, dataset, folds=command == "kfold"))
    for finding in dataset.findings:
        emit(Note(finding.text, warning=True))
    return experiment, dataset


@contextmanager
def located(document: Document) -> Iterator[None]:
    """Gives the problems that are raised inside their place in the config."""
    try:
        yield
    except DlcliError as error:
        error.problems = tuple(document.locate(problem) for problem in error.problems)
        raise


def _read(experiment: Experiment, emit: Listener) -> tuple[Dataset, RowSplit]:
    data, split = experiment.data, _row_split(experiment.split)
    read = reading.read(data.source, data.where, data.in_memory, emit)
    found = read.found
    known_test = split.test_rows(RowFacts(found.samples.rows, subsets=found.subsets, column=found.samples.columns.get))
    answer = target.resolve(
        data.target, found, experiment.task, data.missing_target, known_test, follows_window=data.past_is_input
    )
    windowing.require_task(data.window, answer.goal.task)
    names = names_of(data.target, found)
    assigned = roles.assign(found, names, _wanted(data, split, experiment.kfold))
    row_hashes = hashes.row_hashes(found.samples)
    rows_laid_out = key_of(hashes.order_hash(row_hashes), repr((assigned.inputs, data.shape, data.channels)))
    shelf = DataShelf(read.cache, rows_laid_out, read.on_disk) if read.cache else None
    known = np.isin(np.arange(found.samples.rows), answer.keep)
    if data.window:  # a row without a target still stands between others, and rows that look alike are moments apart
        answer = replace(answer, keep=np.arange(found.samples.rows))
    alike = "keep" if data.window and data.duplicates == "together" else data.duplicates
    contents = hashes.without(row_hashes, found.samples, {*split.names_subsets, experiment.kfold.column or ""})
    repeats = leakage.duplicates(contents[answer.keep], alike, answer.keep)
    facts = _row_facts(found, answer, assigned, repeats)
    facts = replace(facts, keys=row_hashes, folds=_fold_numbers(found, experiment.kfold.column))
    subsets = split.cut(facts)
    subsets = {name: subsets.get(name, np.zeros(0, dtype=np.int64)) for name in ("train", "validation", "test")}
    not_test = np.setdiff1d(facts.usable, subsets["test"], assume_unique=True)
    samples, inputs = layout.lay_out(found.samples, assigned.inputs, data.shape, data.channels, not_test)
    overrides = kinds.overrides(_kind_lists(data), inputs)
    schema = kinds.infer(samples, inputs, not_test, overrides)
    typed, misfits = kinds.convert(samples.select(inputs), schema, shelf if read.on_disk else None)
    weight = roles.weights(found.samples, assigned.weight) if assigned.weight else None
    single: dict[Subset, NDArray[np.int64]] = {}
    series, past, test_rows = None, None, subsets["test"]
    if data.window:
        series = windowing.ordered(
            data.window, found.samples, answer.keep[repeats.keep], time=data.time, group=data.group, names=names
        )
        single, past = subsets, windowing.known_past(answer, test_rows)
        subsets = windowing.windowed_subsets(series, single, known)
        typed, weight = series.of_rows(typed), windowing.mean_weight(series, weight)
        answer = windowing.answered(series, answer, past, single["train"])
    sliced = slices.cut(found.samples, experiment.evaluation.slices, not_test)
    closed, test_targets = sealed.seal(answer, subsets["test"], row_hashes)
    if series:
        closed = windowing.without_test_rows(series, closed, test_rows)
    told = leakage.as_divided(repeats, facts.clusters, single or subsets)
    skipped = windowing.skipped_time(series, facts.times, data.time) if series else ()
    for note in (*found.notes, *answer.notes, *told, *skipped):
        emit(Note(note))
    for warning in misfit_warnings(misfits):
        emit(warning)
    dataset = Dataset(
        typed,
        schema,
        assigned.inputs,
        closed,
        weight,
        assigned.weight,
        row_hashes,
        contents,
        subsets,
        test_targets,
        facts,
        sliced,
        split.know(facts).groups,
        facts.times,
        misfits,
        replace(found, samples=Samples({}, found.samples.rows)),
        {name: isinstance(column, Coded) for name, column in found.samples.items()},
        series,
        past,
        single,
        shelf=shelf,
    )
    return dataset, split.settle(facts)


def _findings(experiment: Experiment, dataset: Dataset, *, folds: bool) -> tuple[Finding, ...]:
    """What the leak guard finds, with rows as they are numbered in the source."""
    found = findings(_divided(experiment, dataset, folds=folds))
    for column in dataset.samples.values():
        let_go(column)
    numbers = (dataset.numbers_in_source(np.array(each.rows, dtype=np.int64) - 1) + 1 for each in found)
    return tuple(replace(each, rows=tuple(rows.tolist())) for each, rows in zip(found, numbers, strict=True))


def _divided(experiment: Experiment, dataset: Dataset, *, folds: bool) -> Divided:
    """The rows as the leak guard looks at them; for folds training and validation rows are one."""
    subsets: dict[Subset, NDArray[np.int64]] = dict(dataset.single if dataset.series else dataset.subsets)
    if folds:
        pool = dataset.pool_rows
        subsets = {"train": pool, "validation": pool[:0], "test": subsets["test"]}
    goal, split = dataset.answer.goal, _row_split(experiment.split)
    return Divided(
        rows_alone(dataset.samples),
        dataset.schema,
        subsets,
        dataset.contents,
        goal,
        dataset.answer.values,
        present(goal, dataset.facts.labels, subsets),
        split.divided(dataset.facts),
        dataset.groups,
        dataset.times,
        experiment.training.shuffle,
        windowed=dataset.series is not None,
        folds=_first_folds(experiment, dataset) if folds else (),
    )


def _first_folds(experiment: Experiment, dataset: Dataset) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], ...]:
    settings, split = experiment.kfold, _row_split(experiment.split)
    rows, most = dataset.pool_rows, settings.max_train_size
    return tuple(cutting.folds(split, dataset.facts, settings.folds, 0, rows, max_train_size=most))


def _row_split(split: Split) -> RowSplit:
    assert isinstance(split, RowSplit)
    return split


def _wanted(data: Data, split: RowSplit, kfold: KFold) -> roles.Wanted:
    per = data.window.per if data.window else None
    reserved = tuple(name for name in (*split.reads, kfold.column, per) if name)
    return roles.Wanted(data.inputs, data.ignore, data.weight, data.group, data.time, reserved, data.past_is_input)


def _kind_lists(data: Data) -> dict[Kind, tuple[str, ...]]:
    return {
        "numeric": data.numeric,
        "categorical": data.categorical,
        "text": data.text,
        "datetime": data.datetime,
    }


def _row_facts(found: Found, answer: target.Answer, assigned: roles.Roles, repeats: leakage.Duplicates) -> RowFacts:
    rows, pool = found.samples.rows, answer.keep[repeats.keep]
    clusters = None
    if repeats.clusters is not None:
        clusters = np.full(rows, -1, dtype=np.int64)
        clusters[answer.keep] = repeats.clusters
    columns = found.samples.columns
    labels = answer.labels
    return RowFacts(
        rows=rows,
        pool=None if len(pool) == rows else pool,
        labels=None if labels is not None and (labels[answer.keep] == MISSING).any() else labels,
        class_names=answer.goal.classes or answer.goal.names,
        groups=roles.groups(columns[assigned.group], assigned.group) if assigned.group else None,
        times=roles.times(columns[assigned.time], assigned.time) if assigned.time else None,
        subsets=found.subsets,
        clusters=clusters,
        column=columns.get,
    )


def _fold_numbers(found: Found, column: str | None) -> NDArray[np.int64] | None:
    """The fold that each row validates, as a column names it; -1 where its cell is empty."""
    if column is None:
        return None
    if column not in found.samples:
        message = f"there is no column {column}"
        raise DataError(Problem("missing-column", message, "name a column of the source", ("kfold", "column")))
    cells = as_coded(found.samples[column])
    return np.asarray(np.append(np.argsort(np.argsort(cells.vocabulary)), -1)[cells.codes])


def _settled(experiment: Experiment, dataset: Dataset, split: RowSplit, steps: Any) -> Experiment:
    """The experiment with what the data decided written out, so that it reads the same without them."""
    data, goal, schema = experiment.data, dataset.answer.goal, dataset.schema
    source = data.source.model_copy(update=dict(dataset.found.settings))
    wanted = (data.target or Target()).model_copy(
        update={
            "column": (data.target and data.target.column) or dataset.found.target,
            "classes": goal.classes if goal.task in CLASSIFICATION else None,
        }
    )
    # Columns that `data.shape` joined have no kind of their own.
    listed = _kind_lists(data) if data.shape is None else {}
    lists: dict[str, Any] = {str(kind): schema.of_kind(kind) for kind in listed}
    settled = data.model_copy(update={"source": source, "target": wanted, "inputs": dataset.inputs} | lists)
    return experiment.model_copy(
        update={
            "task": goal.task,
            "data": settled,
            "kfold": _settled_folds(experiment.kfold, dataset),
            "split": split,
            "preprocessing": steps,
            "metrics": rules.default_metrics(goal.task) if experiment.metrics is None else experiment.metrics,
        }
    )


def _settled_folds(kfold: KFold, dataset: Dataset) -> KFold:
    """With as many folds as the column names."""
    if dataset.facts.folds is None:
        return kfold
    return kfold.model_copy(update={"folds": max(len(cutting.of_column(dataset.facts.folds, dataset.pool_rows)), 1)})


def _facts(dataset: Dataset, steps: Sequence[Step]) -> rules.Facts:
    goal, planned = dataset.answer.goal, planning.plan(steps, dataset.schema)
    window = dataset.series.window if dataset.series else None
    return rules.Facts(
        task=goal.task,
        kinds={name: column.kind for name, column in dataset.schema.columns.items()},
        shape=planned.shape if window is None else (window.length, *planned.shape),
        left_gaps=planned.left_gaps,
        classes=goal.classes or None,
        targets=goal.names if dataset.series is None else dataset.series.names,
        rows={name: len(rows) for name, rows in dataset.subsets.items()},
        source_subsets=frozenset(dataset.found.subsets or ()),
    )
