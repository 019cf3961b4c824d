"""The record of a run: typed, whole, and the same after reading."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from dlcli.problems import DataError
from dlcli.runs import record
from dlcli.runs.record import Record
from dlcli.samples import ColumnSchema, Schema
from dlcli.task import Goal, Task

FULL = Record(
    name="wine-001",
    command="train",
    arguments=("train", "wine.yaml"),
    versions={"keras": "3.15"},
    machine=record.machine(),
    seeds={"experiment": 0},
    rows={"train": 10},
    data_schema=Schema(
        columns={"ash": ColumnSchema(kind="numeric"), "image": ColumnSchema(kind="image", shape=(2, 2))}
    ),
    goal=Goal(Task.BINARY, ("y",), ("no", "yes")),
    preprocessing_state=[{"mean": [1.5, None], "words": ["a\nb"]}],
    warnings=("careful",),
    ledger_lines=("00ff",),
)


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    record.write(FULL, tmp_path)
    assert record.read(tmp_path) == FULL


def test_a_record_closes_with_a_time() -> None:
    closed = FULL.closed("failed", "diverged")
    assert (closed.status, closed.failure, FULL.status) == ("failed", "diverged", "running")
    assert closed.ended is not None
    assert closed.ended >= closed.started


def test_changes_are_checked() -> None:
    with pytest.raises(ValidationError):
        FULL.changed(status="done")


def test_a_record_of_a_later_version_keeps_what_it_knows_more(tmp_path: Path) -> None:
    data = json.loads(FULL.model_dump_json()) | {"colour": "blue"}
    (tmp_path / "record.json").write_text(json.dumps(data))
    record.write(record.read(tmp_path).changed(status="completed"), tmp_path)
    assert json.loads((tmp_path / "record.json").read_text())["colour"] == "blue"


def test_a_missing_record_is_a_data_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot read"):
        record.read(tmp_path)
