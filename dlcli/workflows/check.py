"""Every problem of a config before anything runs; on request also those that only the data show."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlcli.config.document import Document, load
from dlcli.config.experiment import Experiment
from dlcli.events import Event, Note
from dlcli.task import Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from dlcli.workflows.dataset import Dataset


def check(
    config: Path | str, *, overrides: Sequence[str] = (), data: bool = False, trust: bool = False
) -> dict[str, Any]:
    """Checks a config.

    Args:
        config: the YAML file.
        overrides: `path=value` texts as of `--set`.
        data: also read the data: what they hold, subsets, leaks, and the network with its sizes.
        trust: let the config run code of its own files.

    Returns:
        plain data: `config`, `problems` (none: they are raised), `notes`, and with `data` the data card: `task`,
        `classes`, `rows` by subset, `window` (of which rows each of them is made), `split`, `duplicates`, `columns`,
        `target`, `findings` of the leak guard, and `layers`.

    Raises:
        ConfigError: with every problem of the config.
        DataError: the data cannot be used.
    """
    document = load(config, overrides, trusted=trust, command="check")
    result: dict[str, Any] = {"config": str(config), "problems": [], "notes": []}
    return result | _with_data(document, result["notes"]) if data else result


def _with_data(document: Document, notes: list[str]) -> dict[str, Any]:
    from dlcli.data import card
    from dlcli.preprocessing.raw_windows import rows_alone
    from dlcli.workflows.preparation import prepare

    def listen(event: Event) -> None:
        if isinstance(event, Note):
            notes.append(event.text)

    experiment, dataset = prepare(document, "check", listen)
    told = {finding.text for finding in dataset.findings}
    notes[:] = [note for note in notes if note not in told]
    layers = _layers(document, experiment, dataset, notes)
    goal, pool, samples = dataset.answer.goal, dataset.pool, rows_alone(dataset.samples)
    return {
        "task": str(goal.task),
        "classes": list(goal.classes),
        "rows": {name: len(rows) for name, rows in dataset.subsets.items()},
        "window": dataset.series.window.model_dump() if dataset.series else None,
        "split": experiment.split.part_name,
        "duplicates": {"rows": len(dataset.contents), "repeated": _repeated(dataset.contents)},
        "columns": card.columns(samples, dataset.schema, pool),
        "target": card.target(*_target(dataset, pool), goal.classes),
        "findings": [finding.as_json() for finding in dataset.findings],
        "layers": layers,
    }


def _target(dataset: Dataset, rows: NDArray[np.int64]) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The targets of rows, and what they are called; the steps of a forecast, which hold almost the same, as one."""
    goal, values = dataset.answer.goal, dataset.answer.values[rows]
    if dataset.series is None or goal.task is not Task.FORECAST or len(dataset.series.window.offsets) == 1:
        return values, goal.names
    names, last = dataset.series.names, dataset.series.window.offsets[-1]
    return values.reshape(-1, len(names)), tuple(f"{name} to +{last}" for name in goal.names[: len(names)])


def _repeated(hashes: NDArray[np.uint64]) -> int:
    """Rows that repeat an earlier one."""
    from dlcli.data.hashes import distinct

    return len(hashes) - distinct(hashes)


def _layers(document: Document, experiment: Experiment, dataset: Dataset, notes: list[str]) -> list[dict[str, Any]]:
    """The network that would be built: name, output shape and parameters of each layer."""
    from dlcli.network import shapes
    from dlcli.workflows.preparation import located
    from dlcli.workflows.unit import plan

    with located(document):
        fitted, network = plan(experiment, dataset, dataset.subsets["train"])
    notes += network.notes
    counts = shapes.parameters(network.layers, fitted.output.shape)
    return [
        {"name": layer.part_name, "shape": list(shape), "parameters": count}
        for layer, shape, count in zip(network.layers, network.shapes, counts, strict=True)
    ]
