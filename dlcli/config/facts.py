"""What is known when the rules between fields run: what is written, and what was found in the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dlcli.config import catalog
from dlcli.config.experiment import Experiment
from dlcli.config.unknown import known
from dlcli.part import Metric, RowShape
from dlcli.samples import Kind, Subset
from dlcli.task import Task


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the data; None: not yet.

    Attributes:
        task: the task.
        kinds: input columns and their kinds.
        shape: shape of one row after preprocessing; None for a size that is not known.
        left_gaps: columns of numbers whose gaps preprocessing would leave.
        classes: class names in order.
        targets: target columns.
        rows: rows of each subset.
        source_subsets: the subsets that the source itself has.
    """

    task: Task | None = None
    kinds: Mapping[str, Kind] | None = None
    shape: RowShape | None = None
    left_gaps: tuple[str, ...] | None = None
    classes: tuple[str, ...] | None = None
    targets: tuple[str, ...] | None = None
    rows: Mapping[Subset, int] | None = None
    source_subsets: frozenset[Subset] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """What a rule looks at."""

    experiment: Experiment
    facts: Facts
    command: str

    @property
    def task(self) -> Task:
        """The task, as found or as written."""
        return known(self.facts.task or self.experiment.task)

    @property
    def targets(self) -> tuple[str, ...]:
        """The target columns, as found or as written."""
        target = self.experiment.data.target
        return known(self.facts.targets or (target.column if target is not None else None))

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, as found or as written."""
        target = self.experiment.data.target
        return known(self.facts.classes or (target.classes if target is not None else None))

    @property
    def has_validation(self) -> bool:
        """Whether there will be validation rows to stop, select and choose on."""
        if self.command == "kfold":
            return self.experiment.kfold.inner > 0
        if self.facts.rows is not None:
            return self.facts.rows.get("validation", 0) > 0
        split = self.experiment.split
        size: float = known(getattr(split, "validation", None))
        if size > 0:
            return True
        if split.part_name in ("auto", "predefined"):
            return "validation" in known(self.facts.source_subsets)
        return False

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics by the names under which they are reported."""
        metrics = self.experiment.metrics
        if metrics is None:
            metrics = default_metrics(self.task)
        from dlcli.evaluation.metrics import labels

        return labels(metrics)

    @property
    def monitors(self) -> tuple[str, ...]:
        """Everything that can be watched, where there are validation rows."""
        names = ("loss", *self.metrics)
        return (*names, *(f"val_{name}" for name in names))


def default_metrics(task: Task) -> tuple[Metric, ...]:
    """The metrics of a task where the config names none."""
    from dlcli.network import heads

    made = []
    for item in heads.default_metrics(task):
        name, written = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        metric = catalog.find("metric", name)
        assert metric is not None
        made.append(metric.model_validate(written))
    return tuple(each for each in made if isinstance(each, Metric))
