"""`record.json`: what a run was, with what, on what, and how it ended. Typed, and written whole."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from dlcli.problems import DataError, Problem
from dlcli.runs import whole_files
from dlcli.samples import Schema
from dlcli.task import Goal

FILE_NAME = "record.json"
Status = Literal["running", "completed", "interrupted", "failed"]


class LayerFacts(BaseModel):
    """A layer of a network: the shape of what it gives for a row, and the numbers it holds."""

    model_config = ConfigDict(strict=True, frozen=True, defer_build=True)

    name: str
    shape: tuple[int, ...]
    parameters: int


class Record(BaseModel):
    """What is kept of a run. Fields are filled as they become known; later versions may know more of them.

    Attributes:
        command: the verb, e.g. "train"; arguments: the command line behind it.
        options: what a resume does again: `overrides`, `trust`, and the command's own ("evaluate", "refit").
        started, ended, resumed: UTC, ISO 8601.
        threads: of TensorFlow, in each process; jobs: how many trainings went side by side.
        engine, engine_reason: what ran the epochs, and why that.
        config_hashes: of the resolved config: that it began with, and that of each resume.
        rows_kept_as: how the engine held them.
        data_hash: over the row hashes of all rows; subset_hashes: over those of each subset.
        order_hash: over the row hashes of all rows as they follow each other.
        rows: how many rows each subset has.
        files: what was read, with a hash of each custom code file where there is one.
        data_schema: the input columns, as they were decided.
        preprocessing_state, target_state: what was fitted, as plain data.
        fitted_hashes: over both, by training ("train", "refit"), known before its first epoch.
        layers: of the network, with the shape of what each gives for a row and the numbers it holds.
        parameters: numbers in the network; model_bytes: of `model.keras`.
        seconds_per_row, seconds_per_batch: what the saved model takes for one raw row, and for 32 of them, here.
        decision: the threshold and the temperature that predictions are made with, and what chose them.
        trained_on: the subsets that the saved model was trained on.
        refit_epochs: how many epochs the first training found for the one on more rows.
        rate_factors: what scores made of the rates of each of them, where the schedule leaves that to scores.
        stopped_by, chosen_epoch, epochs_run: how training ended; of a k-fold: chosen_epochs by fold.
        failure: why it failed.
        ledger_lines: hashes of the ledger's lines about this run.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="allow", defer_build=True, protected_namespaces=())

    format: int = 1
    status: Status = "running"
    name: str
    command: str
    arguments: tuple[str, ...] = ()
    options: dict[str, JsonValue] = Field(default_factory=dict)
    started: str = Field(default_factory=lambda: now())
    ended: str | None = None
    resumed: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    machine: dict[str, str | int] = Field(default_factory=dict)
    threads: int | None = None
    jobs: int | None = None
    onednn: bool | None = None
    engine: str | None = None
    engine_reason: str | None = None
    rows_kept_as: str | None = None
    config_hashes: tuple[str, ...] = ()
    seeds: dict[str, int] = Field(default_factory=dict)
    data_hash: str | None = None
    order_hash: str | None = None
    subset_hashes: dict[str, str] = Field(default_factory=dict)
    rows: dict[str, int] = Field(default_factory=dict)
    files: dict[str, str | None] = Field(default_factory=dict)
    data_schema: Schema | None = None
    goal: Goal | None = None
    preprocessing_state: JsonValue = None
    target_state: JsonValue = None
    fitted_hashes: dict[str, str] = Field(default_factory=dict)
    layers: tuple[LayerFacts, ...] = ()
    parameters: int | None = None
    model_bytes: int | None = None
    seconds_per_row: float | None = None
    seconds_per_batch: float | None = None
    decision: dict[str, JsonValue] | None = None
    trained_on: tuple[str, ...] = ()
    refit_epochs: int | None = None
    rate_factors: tuple[float, ...] = ()
    stopped_by: str | None = None
    chosen_epoch: int | None = None
    chosen_epochs: tuple[int, ...] = ()
    epochs_run: int | None = None
    warnings: tuple[str, ...] = ()
    failure: str | None = None
    ledger_lines: tuple[str, ...] = ()

    def changed(self, **fields: Any) -> Record:
        """The same record with some fields replaced, checked."""
        return Record.model_validate({**dict(self), **fields})

    def closed(self, status: Status, failure: str | None = None) -> Record:
        """The record of a run that has ended now."""
        return self.changed(status=status, ended=now(), failure=failure)


def write(record: Record, folder: Path) -> None:
    """Writes `record.json` of a run directory.

    Raises:
        DlcliError: it cannot be written.
    """
    whole_files.write_json(folder / FILE_NAME, record.model_dump(mode="json"))


def read(folder: Path) -> Record:
    """Reads `record.json` of a run directory.

    Raises:
        DataError: it is missing or damaged.
    """
    path = folder / FILE_NAME
    try:
        return Record.model_validate_json(path.read_bytes())
    except OSError as error:
        problem = Problem("unreadable-record", f"cannot read {path}: {error.strerror}", "choose another run")
        raise DataError(problem) from error
    except ValidationError as error:
        problem = Problem("unreadable-record", f"{path} is damaged", "restore it or choose another run")
        raise DataError(problem) from error


def now() -> str:
    """The time, UTC, to the microsecond, so that runs have an order."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def machine() -> dict[str, str | int]:
    """What a run's speed, and its last digits, depend on."""
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "processor": platform.machine(),
        "cores": os.cpu_count() or 1,
    }
