"""A run that was stopped goes on: found again, with the options of its command, once it is sure to be the same run.

A run may go on only where it would end as it would have in one go under the config that is given now. So what
is written must be what it began with, but for fields that no number depends on, and for more epochs where
they leave the past of the schedule as it was.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlcli import backend
from dlcli.config.document import Document, load
from dlcli.config.experiment import Experiment
from dlcli.config.writer import inline, long_form
from dlcli.events import Listener, Note
from dlcli.problems import ConfigError, ConfigPath, Problem, RefusedError
from dlcli.runs import directory, record, whole_files
from dlcli.runs.directory import RunDirectory
from dlcli.runs.record import Record
from dlcli.training.loop import rows_per_batch
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.finished import changed_data
from dlcli.workflows.preparation import located, prepare
from dlcli.workflows.recording import (
    RESOLVED,
    SCORES,
    Recording,
    RunResult,
    closing,
    config_hash,
    custom_code_of,
    first_entry,
    read_state,
    write_configs,
)

EPOCHS: ConfigPath = ("training", "epochs")
ENGINE: ConfigPath = ("training", "engine")
_FREE: frozenset[ConfigPath] = frozenset({("name",), ("description",), ("training", "checkpoint_every")})
"""No number of a run depends on these, nor on the sections of other commands."""
_SECTIONS = frozenset({"kfold", "tune"})
_PLACES = frozenset({"path", "data_dir"})
"""Fields of sources that say where rows lie; the rows themselves are compared."""
_COMPARED_VERSIONS = ("dlcli", "python", "tensorflow", "keras", "numpy")
_LONGEST_VALUE = 60
_MOST_MOMENTS = 100_000


@dataclass(frozen=True, slots=True)
class Given:
    """What a command line with `--resume` gives beside the run.

    Attributes:
        config: the config once more; by default the run's own.
        overrides: `path=value` texts as of `--set`, on top of those that the run began with.
        trust: let the config run code of its own files.
    """

    config: Path | str | None = None
    overrides: Sequence[str] = ()
    trust: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Again:
    """A run under way again."""

    document: Document
    experiment: Experiment
    dataset: Dataset
    run: Recording


def required(config: Path | str | None) -> Path | str:
    """The config of a new run.

    Raises:
        ConfigError: none is given.
    """
    if config is None:
        raise ConfigError(Problem("no-config", "a config is needed, or --resume with a run", "dlcli init makes one"))
    return config


def find(
    which: Path | str,
    *,
    command: str,
    runs: Path | str | None,
    name: str | None,
    options: Mapping[str, bool | int],
) -> RunDirectory:
    """The run to go on with.

    Args:
        which: its name or folder, or "latest": the newest of this command.
        command: the verb.
        runs: the folder of the runs.
        name: a new name, which no run can be given.
        options: of the command, as given now: none may be new.

    Raises:
        ConfigError: there is no such run, it is another command's, or it began otherwise.
    """
    root = directory.runs_root(runs)
    folder = _latest(root, command) if which == directory.LATEST else directory.find(root, str(which))
    entry = folder.record()
    if entry.command != command:
        message = f"run {folder.name} is one of dlcli {entry.command}"
        raise ConfigError(Problem("other-command", message, f"dlcli {entry.command} --resume {folder.name}"))
    if name is not None:
        message = f"run {folder.name} keeps its name when it goes on"
        raise ConfigError(Problem("new-option", message, "leave --name out"))
    for option in (option for option, wanted in options.items() if wanted and not entry.options.get(option)):
        message = f"run {folder.name} began without --{option}, and goes on as it began"
        hint = "when it is completed: dlcli evaluate" if option == "evaluate" else "train a new run"
        raise ConfigError(Problem("new-option", message, f"leave --{option} out; {hint}"))
    return folder


def _latest(root: Path, command: str) -> RunDirectory:
    for listed in reversed(directory.list_runs(root)):
        if listed.record and listed.record.command == command:
            return listed.directory
    raise ConfigError(Problem("no-such-run", f"there is no run of dlcli {command} in {root}", "choose with --runs"))


def finished(folder: RunDirectory, given: Given, emit: Listener) -> RunResult:
    """The result of a completed run, once more.

    Raises:
        RefusedError: config or data that are given again are not those of the run.
    """
    if given.config is not None or given.overrides:
        _same(folder, folder.record(), given, emit)
    emit(Note(f"run {folder.name} is complete: nothing was trained"))
    return RunResult(folder.path, json.loads((folder.path / SCORES).read_text()))


@contextmanager
def going_on(folder: RunDirectory, given: Given, emit: Listener) -> Iterator[Again]:
    """Opens a run again under its lock, and closes its record however the block ends.

    Raises:
        RefusedError: another process has it, or config, code, data or split have changed.
        ConfigError, DataError: as for a new run.
        InterruptedRunError: the user stopped the block.
    """
    with folder.lock():
        whole_files.remove_leftovers(folder.path)
        entry = record.read(folder.path)
        if entry.status == "completed":
            message = f"run {folder.name} has just been completed by another process"
            raise RefusedError(Problem("completed-run", message, f"dlcli {entry.command} --resume {folder.name}"))
        document, experiment, dataset = _same(folder, entry, given, emit)
        options = {**entry.options, "overrides": [*_overrides(entry), *given.overrides]}
        fresh = first_entry(folder.name, entry.command, experiment, dataset)
        again = {"status": "running", "ended": None, "failure": None, "resumed": (*entry.resumed, record.now())}
        hashes = dict.fromkeys((*entry.config_hashes, config_hash(experiment)))
        changed = entry.changed(options=options, files=fresh.files, config_hashes=tuple(hashes), **again)
        run = Recording(folder, changed, emit)
        if warning := _other_conditions(entry, fresh):
            run.emit(Note(warning, warning=True))
        run.update()
        write_configs(folder, document if given.config else None, experiment)
        with closing(run):
            yield Again(document, experiment, dataset, run)


def _overrides(entry: Record) -> list[str]:
    overrides = entry.options.get("overrides")
    return [str(each) for each in overrides] if isinstance(overrides, list) else []


def _same(folder: RunDirectory, entry: Record, given: Given, emit: Listener) -> tuple[Document, Experiment, Dataset]:
    """Reads config and data, and refuses those of another run."""
    own = folder.path / RESOLVED
    # What the run was told when it began is written in its own config.
    overrides = (*(_overrides(entry) if given.config else ()), *given.overrides)
    document = load(given.config or own, overrides, trusted=given.trust, command=entry.command)
    began = load(own, trusted=given.trust, command=entry.command).experiment
    backend.use_threads(document.experiment.training.threads)
    experiment, dataset = prepare(document, entry.command, emit)
    with located(document):
        if problems := [
            *_edited(entry, own, began),
            *_changed_config(folder, entry, began, experiment, dataset),
            *_changed_code(entry, experiment),
            *_changed_rows(entry, dataset),
        ]:
            raise RefusedError(problems)
    return document, experiment, dataset


def _edited(entry: Record, own: Path, began: Experiment) -> Iterator[Problem]:
    """The run's own config, which it began with, must be as the run wrote it."""
    if entry.config_hashes and config_hash(began) not in entry.config_hashes:
        hint = f"undo that, or train a new run: dlcli {entry.command} {own}"
        yield Problem("changed-config", f"{own} has been edited since run {entry.name} began", hint)


def _changed_code(entry: Record, experiment: Experiment) -> Iterator[Problem]:
    for file, digest in dict(custom_code_of(experiment)).items():
        if entry.files.get(file, digest) != digest:
            yield Problem("changed-code", f"{file} has changed since run {entry.name} began", "undo that")


def _changed_rows(entry: Record, dataset: Dataset) -> list[Problem]:
    if entry.data_hash == dataset.data_hash and entry.order_hash not in (None, dataset.order_hash):
        message = f"the rows of run {entry.name} are there in another order"
        return [Problem("changed-data", message, "restore the file, or train a new run", ("data", "source"))]
    return changed_data(entry, dataset)


def _changed_config(
    folder: RunDirectory, entry: Record, began: Experiment, now: Experiment, dataset: Dataset
) -> Iterator[Problem]:
    """A problem for each field that was changed and may not be."""
    for path, old, new in _changes(long_form(began), long_form(now)):
        if _is_free(path, entry.command) or (path == ENGINE and new == "auto"):
            continue
        why = ""
        if path == EPOCHS:
            why = _why_not_longer(folder, entry, began, now, dataset)
            if not why:
                continue
        where = ".".join(str(step) for step in path)
        message = f"{where} has changed since run {entry.name} began: {_shown(old)} -> {_shown(new)}{why}"
        yield Problem("changed-config", message, "undo that, or train a new run", path)


def _is_free(path: ConfigPath, command: str) -> bool:
    if path[:2] == ("data", "source"):
        return not _PLACES.isdisjoint(path[2:])
    return path in _FREE or path[0] in _SECTIONS - {command}


def _changes(old: Any, new: Any, path: ConfigPath = ()) -> Iterator[tuple[ConfigPath, Any, Any]]:
    """The smallest parts of two nested mappings that differ; a list of another length differs as a whole."""
    if isinstance(old, dict) and isinstance(new, dict) and (old.keys() & new.keys() or not path):
        for key in dict.fromkeys((*old, *new)):
            yield from _changes(old.get(key), new.get(key), (*path, key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, pair in enumerate(zip(old, new, strict=True)):
            yield from _changes(*pair, (*path, place))
    elif old != new:
        yield path, old, new


def _shown(value: Any) -> str:
    """A value on part of a line; of a Part its name."""
    text = inline(next(iter(value)) if isinstance(value, dict) and len(value) == 1 else value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def _why_not_longer(folder: RunDirectory, entry: Record, began: Experiment, now: Experiment, dataset: Dataset) -> str:
    """Why the run cannot go on to another number of epochs; empty where it can."""
    if now.training.epochs < began.training.epochs:
        return "; they can only become more"
    if entry.status == "completed":
        return "; it is completed, and its checkpoint gone"
    if entry.command != "train":
        return "; some of its trainings may have ended"
    if entry.refit_epochs is not None:
        return "; its first training has ended"
    state = read_state(folder, "train")
    begun = len(state["history"]) + 1 if state else 0
    rows = len(dataset.subsets["train"])
    batches = math.ceil(rows / rows_per_batch(now.training.batch_size, rows))
    count = min(begun * batches, _MOST_MOMENTS)
    for epoch in (begun * moment / count for moment in range(count)):
        was, would_be = _rate(began, epoch), _rate(now, epoch)
        if was != would_be:
            return f"; the learning rate after {epoch:.2f} epochs was {was:.4g}, and would have been {would_be:.4g}"
    return ""


def _rate(experiment: Experiment, epoch: float) -> float:
    initial = experiment.optimizer.learning_rate
    if experiment.schedule is None:
        return initial
    return experiment.schedule.rate(epoch, epochs=experiment.training.epochs, initial=initial)


def _other_conditions(before: Record, now: Record) -> str:
    """What a run's last digits depend on and is not as it was when it began; empty where all is."""
    old, new = ({**entry.versions, **entry.machine, "oneDNN": entry.onednn} for entry in (before, now))
    names = (*_COMPARED_VERSIONS, *now.machine, "oneDNN")
    changed = [f"{name} {old.get(name)} -> {new.get(name)}" for name in names if old.get(name) != new.get(name)]
    return f"the last digits may differ from those of a run in one go: {', '.join(changed)}" if changed else ""
