"""TensorBoard event files: the curves as Keras's own callback lays them out, the config and the settings."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import accumulate
from pathlib import Path

from dlcli.report import event_files
from dlcli.report.run_files import Run
from dlcli.report.settings import settings
from dlcli.runs.histories import History, read_history

FOLDER = "tensorboard"
_COMPARED = (
    "seed",
    "preprocessing",
    "augmentation",
    "architecture",
    "optimizer",
    "schedule",
    "regularization",
    "training",
    "early_stopping",
)
_NOTHING = "none"
_INDENT = "    "


def write_tensorboard(run: Run, folder: Path) -> Path:
    """Writes `tensorboard/` of a run directory, in place of an older one.

    `train` holds `epoch_loss` and `epoch_learning_rate`, `validation` the same names of what was scored on
    validation rows; the step is the epoch, counted from 1 as in `history.csv`. Folds and further seeds have such a
    pair each.

    Args:
        run: what the directory holds.
        folder: the run directory.

    Returns:
        the folder of the event files.

    Raises:
        DlcliError: they cannot be written.
    """
    root, began = folder / FOLDER, datetime.fromisoformat(run.record.started).timestamp()
    histories = {f"fold-{fold.name}": fold.history for fold in run.folds} | {".": run.history}
    seeds = (folder / "repeats").glob("*/history.csv")
    histories |= {f"seed-{path.parent.name}": read_history(path) for path in seeds}
    for name, history in histories.items():
        for part, events in (("train", _train(history, began)), ("validation", _validation(history, began))):
            if found := list(events):
                event_files.write_events(root / name / part, began, found)
    if run.resolved:
        # Markdown shows indented lines as they are, whatever stands in them.
        config = "".join(_INDENT + line for line in run.resolved.splitlines(keepends=True))
        told = [
            event_files.text(began, "config", config),
            event_files.settings(began, run.record.name, _compared(run.resolved)),
        ]
        event_files.write_events(root, began, told)
    return root


def _train(history: History, began: float) -> Iterator[bytes]:
    names = [name for name in history if name not in ("epoch", "seconds") and not name.startswith("val_")]
    return _curves(history, {name: f"epoch_{name}" for name in names}, began)


def _validation(history: History, began: float) -> Iterator[bytes]:
    return _curves(history, {name: f"epoch_{name[4:]}" for name in history if name.startswith("val_")}, began)


def _curves(history: History, tags: dict[str, str], began: float) -> Iterator[bytes]:
    """An event per epoch; what is no finite number is left out."""
    times = accumulate((seconds or 0.0 for seconds in history.get("seconds", ())), initial=began)
    next(times)
    for place, (epoch, time) in enumerate(zip(history.get("epoch", ()), times, strict=True)):
        values = {tag: value for name, tag in tags.items() if (value := history[name][place]) is not None}
        if values and epoch is not None:
            yield event_files.scalars(time, int(epoch), values)


def _compared(resolved: str) -> dict[str, str | float]:
    """What runs are worth comparing by."""
    return {
        path: _value(text)
        for path, text in settings(resolved).items()
        if path.split(".")[0] in _COMPARED and text not in ("", _NOTHING)
    }


def _value(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text
