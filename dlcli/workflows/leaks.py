"""The leak guard over the data of an experiment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dlcli.data.hashes import row_hashes
from dlcli.data.leakage.findings import Divided, Finding
from dlcli.data.leakage.guard import findings
from dlcli.data.row_facts import Way
from dlcli.data.splits import Predefined, RowSplit
from dlcli.preprocessing.raw_windows import rows_alone
from dlcli.samples import Samples, Subset
from dlcli.task import CLASSIFICATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from dlcli.config.experiment import Experiment
    from dlcli.workflows.dataset import Dataset


def guarded(experiment: Experiment, dataset: Dataset, *, folds: bool = False) -> tuple[Finding, ...]:
    """What the leak guard finds.

    Args:
        experiment: settled.
        dataset: its data, the test targets sealed.
        folds: training and validation rows are one, since folds divide them anew.
    """
    subsets: dict[Subset, NDArray[np.int64]] = dict(dataset.single if dataset.series else dataset.subsets)
    if folds:
        pool = dataset.pool_rows
        subsets = {"train": pool, "validation": pool[:0], "test": subsets["test"]}
    split = experiment.split
    assert isinstance(split, RowSplit)
    found = findings(
        Divided(
            rows_alone(dataset.samples),
            dataset.schema,
            subsets,
            _without(dataset, split.reads),
            dataset.answer.goal,
            dataset.answer.values,
            _present(dataset, subsets),
            _way(split, dataset),
            dataset.groups,
            dataset.times,
            experiment.training.shuffle,
            windowed=dataset.series is not None,
        )
    )
    return tuple(replace(each, rows=_in_source(dataset, each.rows)) for each in found)


def _in_source(dataset: Dataset, rows: tuple[int, ...]) -> tuple[int, ...]:
    """Rows that count from 1, as they stand in the source."""
    return tuple((dataset.numbers_in_source(np.array(rows, dtype=np.int64) - 1) + 1).tolist())


def _without(dataset: Dataset, names: tuple[str, ...]) -> NDArray[np.uint64]:
    """The rows' hashes less what columns add that only say where a row belongs."""
    columns = {name: dataset.facts.column(name) for name in names} if dataset.facts.column else {}
    with np.errstate(over="ignore"):
        return dataset.hashes - row_hashes(Samples(columns, len(dataset.hashes)))


def _way(split: RowSplit, dataset: Dataset) -> Way:
    """How rows were divided; those that came divided follow what is known of them."""
    if not isinstance(split, Predefined):
        return split.way(split.know(dataset.facts))
    if dataset.times is not None:
        return "chronological"
    return "random" if dataset.groups is None else "grouped"


def _present(dataset: Dataset, subsets: dict[Subset, NDArray[np.int64]]) -> dict[Subset, NDArray[np.bool_]]:
    """By subset, which classes (or labels) occur; of test rows nothing else is asked."""
    goal, labels = dataset.answer.goal, dataset.facts.labels
    if labels is None:
        return {}
    if goal.task in CLASSIFICATION:
        numbers = np.arange(len(goal.classes))
        return {name: np.isin(numbers, labels[rows]) for name, rows in subsets.items()}
    return {name: (labels[rows] == 1).any(axis=0) for name, rows in subsets.items()}
