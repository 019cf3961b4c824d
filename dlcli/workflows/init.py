"""A first config for a data file: what a careful person would write after a look at the columns."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlcli.config.writer import inline, scalar
from dlcli.data import kinds, target
from dlcli.data.leakage.columns import is_id_number, is_id_text
from dlcli.data.sources import files, remote
from dlcli.data.sources.delimited import Csv
from dlcli.data.target_section import Target
from dlcli.data.time_order import TimeOrder, time_order
from dlcli.problems import ConfigError, DataError, Problem
from dlcli.samples import MISSING, Coded, ColumnSchema, Found, Samples, Schema
from dlcli.task import LABELS, Goal, Task

MISSING_MARKS = ("?", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "-")
"""How files without empty cells say that a value is missing."""
SMALL_TABLE_ROWS = 2_000
IMBALANCE = 3
"""From this ratio of the largest to the smallest class on, accuracy alone misleads."""
FREE_TEXT_WORDS = 8
"""Text of so many words in half of its cells or more is worth reading; shorter ones are names and titles."""
WINDOW_LENGTHS = {3_600: 24, 86_400: 14, 604_800: 8}
"""Rows of a window by the seconds from row to row: a day of hours, two weeks of days, two months of weeks."""
USUAL_LENGTH = 12
WINDOWS_PER_SERIES = 10
"""A window is at most this share of the shortest series."""
NAMES_ROWS = "numbers or names the rows"


@dataclass(frozen=True)
class Findings:
    """What a look at a file found."""

    file: Path
    found: Found
    missing: tuple[str, ...]
    address: str | None = None

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self.found.samples.rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns in file order."""
        return tuple(self.found.samples)


def look(given: Path | str) -> Findings:
    """Reads a file, or what lies at an address, as text and notes which marks in it mean a missing value.

    Raises:
        DataError: the file cannot be read.
    """
    file = files.here(given)
    if not isinstance(source := files.source_for(str(file)), Csv):
        message = f"{file} is no csv file, and only those are looked at here"
        hint = f"write a config with `source: {{{source.part_name}: {file.name}}}` under data; README.md has an example"
        raise DataError(Problem("not-a-csv-file", message, hint))
    found = Csv(path=(str(file.absolute()),)).read()
    marks = tuple(mark for mark in MISSING_MARKS if any(_is_gap(mark, found.samples[name]) for name in found.samples))
    if marks:
        found = Csv(path=(str(file.absolute()),), missing=marks).read()
    return Findings(file, found, marks, str(given) if remote.is_remote(str(given)) else None)


def _is_gap(mark: str, column: Any) -> bool:
    """Whether a mark stands among values as one that is none: in a column of numbers, or a `?`."""
    if not isinstance(column, Coded) or mark not in column.vocabulary:
        return False
    others = [word for word in column.vocabulary if word not in MISSING_MARKS]
    return mark == "?" or (bool(others) and all(_is_number(word) for word in others))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True)
class _Plan:
    """What the config will say."""

    goal: Goal
    schema: Schema
    time: str | None = None
    order: TimeOrder | None = None
    length: int | None = None
    ignored: Mapping[str, str] = field(default_factory=dict)
    gaps: bool = False
    imbalance: float = 1.0
    without_target: int = 0


def draft(findings: Findings, target_column: str | None, *, beside: Path) -> str:
    """The text of a config that trains on the file.

    Args:
        findings: what `look` found.
        target_column: the column to predict.
        beside: the folder in which the config will lie; the path of the data is written relative to it.

    Raises:
        ConfigError: the target is not named, or is no column.
        DataError: the columns cannot be used.
    """
    return _text(findings, _plan(findings, _target(findings, target_column)), beside)


def _target(findings: Findings, name: str | None) -> str:
    columns = ", ".join(findings.columns)
    if name is None:
        raise ConfigError(Problem("no-target", "name the column to predict: --target COLUMN", f"columns: {columns}"))
    if name not in findings.columns:
        near = get_close_matches(name, findings.columns, n=1)
        hint = f"did you mean {near[0]}?" if near else f"columns: {columns}"
        raise ConfigError(Problem("no-target", f"there is no column {name} in {findings.file}", hint))
    return name


def _plan(findings: Findings, name: str) -> _Plan:
    found = findings.found
    time, order = _time(found.samples.select(tuple(column for column in findings.columns if column != name)))
    length = _window_length(order)
    answer = target.resolve(Target(column=(name,)), found, None, "drop", follows_window=length is not None)
    if answer.goal.task is not Task.FORECAST:
        length = None
    rows = answer.keep
    taken = (name, time, order.per if order and length else None)
    inputs = found.samples.select(tuple(column for column in findings.columns if column not in taken))
    ignored: dict[str, str] = {}
    spared: dict[str, ColumnSchema] = {}
    kept: dict[str, ColumnSchema] = {}
    for column in inputs:
        try:
            schema = kinds.infer(inputs, (column,), rows, {})
        except DataError as error:
            ignored[column] = "empty" if error.problems[0].code == "empty-column" else "numbers mixed with text"
            continue
        reason = _why_ignored(column, inputs, schema)
        if reason:
            ignored[column] = reason
            spared |= schema.columns if reason == NAMES_ROWS or schema.of_kind("text") else {}
        else:
            kept |= schema.columns
    if not kept and length is None:  # then even a poor input is better than none
        kept, ignored = spared, {column: reason for column, reason in ignored.items() if column not in spared}
    if not kept and length is None:
        raise DataError(Problem("no-inputs", f"{findings.file} has no column left to learn from", ""))
    gaps = any(len(_known(inputs[column])) < inputs.rows for column in kept if kept[column].kind == "numeric")
    missing = findings.rows - len(rows)
    if length is not None:  # the target's own past
        kept |= kinds.infer(found.samples, (name,), rows, {}).columns
    return _Plan(answer.goal, Schema(columns=kept), time, order, length, ignored, gaps, _imbalance(answer), missing)


def _time(samples: Samples) -> tuple[str | None, TimeOrder | None]:
    """The first column of times that orders the rows."""
    every = np.arange(samples.rows)
    schemas: dict[str, ColumnSchema] = {}
    for name in samples:
        with suppress(DataError):
            schemas |= kinds.infer(samples, (name,), every, {}).columns
    categories = {name: samples[name].codes for name, schema in schemas.items() if schema.kind == "categorical"}
    for name in Schema(columns=schemas).of_kind("datetime"):
        typed, _ = kinds.convert(samples.select((name,)), Schema(columns={name: schemas[name]}))
        if order := time_order(typed[name], categories):
            return name, order
    return None, None


def _window_length(order: TimeOrder | None) -> int | None:
    """How much of an even series a network should see at once; None where windows do not suit the rows."""
    if order is None or order.step is None:
        return None
    length = min(WINDOW_LENGTHS.get(order.step, USUAL_LENGTH), order.shortest // WINDOWS_PER_SERIES)
    return length if length > 1 else None


def _why_ignored(name: str, samples: Samples, schema: Schema) -> str:
    """Why a column is no input; empty if it is one."""
    column, kind = samples[name], schema.columns[name].kind
    used = _known(column)
    distinct = len(np.unique(used))
    if distinct == 1 and len(used) == samples.rows:
        return "the same in every row"
    if kind == "datetime":
        return "a time; `time:` would order the rows by it, `date_parts` would make inputs of it"
    typed, _ = kinds.convert(samples.select((name,)), schema)
    if is_id_number(typed[name]) if kind == "numeric" else is_id_text(typed[name]):
        return NAMES_ROWS
    if kind == "text" and np.median([len(text.split()) for text in column.vocabulary]) < FREE_TEXT_WORDS:
        return f"text with {distinct:,} distinct values; `tokens` would read it"
    return ""


def _known(column: Any) -> NDArray[Any]:
    """The cells that are no gaps, as codes or as numbers."""
    values, gaps = (column.codes, column.codes == MISSING) if isinstance(column, Coded) else (column, np.isnan(column))
    return np.asarray(values[~gaps])


def _imbalance(answer: target.Answer) -> float:
    if answer.goal.task not in LABELS:
        return 1.0
    counts = np.bincount(answer.values[answer.keep].astype(np.int64))
    return float(counts.max() / max(1, counts[counts > 0].min()))


def _text(findings: Findings, plan: _Plan, beside: Path) -> str:
    file = findings.file
    path = str(file) if file.is_absolute() else os.path.relpath(file.absolute(), beside.absolute())
    path = findings.address or path
    goal = plan.goal
    lines = [
        f"# {findings.file.name}: {findings.rows:,} rows, {len(findings.columns)} columns, as `dlcli init` saw them.",
        "# Check what is predicted and what is ignored; then: dlcli train THIS_FILE",
        "data:",
        f"  source: {{csv: {_source(findings, path)}}}",
        f"  target: {_target_text(goal)}",
        *_in_time(plan),
        *_left_out(plan),
        f"task: {goal.task}" + (f"  # classes: {', '.join(goal.classes)}" if 0 < len(goal.classes) < 12 else ""),
        "",
        *_split(plan),
        "",
        *_preprocessing(plan),
        "",
        *_learning(findings.rows, plan),
    ]
    return "\n".join(lines) + "\n"


def _source(findings: Findings, path: str) -> str:
    usual = {"delimiter": "comma", "header": True}
    found = {name: value for name, value in findings.found.settings.items() if usual.get(name) != value}
    fields = {"path": path} | found
    if findings.missing:
        fields["missing"] = list(findings.missing)
    if set(fields) == {"path"}:
        return str(scalar(path))
    return inline(fields)


def _target_text(goal: Goal) -> str:
    name = scalar(goal.names[0])
    scaled = goal.task in (Task.REGRESSION, Task.FORECAST)
    return f"{{column: {name}, scale: standardize}}" if scaled else str(name)


def _in_time(plan: _Plan) -> list[str]:
    """The order of the rows, and the window over them."""
    if plan.time is None or plan.order is None:
        return []
    lines = [f"  time: {scalar(plan.time)}"]
    if plan.length is not None:
        fields: dict[str, Any] = {"length": plan.length, "horizon": 1}
        if plan.order.per is not None:
            fields["per"] = plan.order.per
        window = inline(fields | {"context": "earlier"})
        lines.append(f"  window: {window}  # {plan.goal.names[0]} of the next row from the last {plan.length}")
    return lines


def _split(plan: _Plan) -> list[str]:
    if plan.time is None:
        return [
            "# A fifth of the rows chooses the epoch, a tenth stays sealed until `dlcli evaluate`.",
            "split: {auto: {validation: 0.2, test: 0.1}}",
        ]
    return [
        "# The last tenth of the rows stays sealed until `dlcli evaluate`; the fifth before it chooses the epoch.",
        "split: {chronological: {validation: 0.2, test: 0.1}}",
    ]


def _left_out(plan: _Plan) -> list[str]:
    """Rows and columns that are not used, and why."""
    lines = []
    if plan.without_target:
        lines.append(f"  missing_target: drop  # {plan.without_target:,} rows have no {plan.goal.names[0]}")
    if plan.ignored:
        lines.append("  ignore:")
        lines += [f"    - {scalar(name)}  # {reason}" for name, reason in plan.ignored.items()]
    return lines


def _preprocessing(plan: _Plan) -> list[str]:
    lines = ["# Fitted on training rows only, and saved inside the model.", "preprocessing:"]
    numeric = plan.schema.of_kind("numeric")
    if numeric:
        indicator = ", indicator: true" if plan.gaps else ""
        lines.append(f"  - impute: {{columns: numeric, with: median{indicator}}}")
    if plan.schema.of_kind("categorical"):
        lines.append("  - one_hot")
    if plan.schema.of_kind("text"):
        lines.append("  - tokens: {output: tf_idf, max_tokens: 10000}")
    if numeric:
        lines.append("  - standardize")
    return lines


def _learning(rows: int, plan: _Plan) -> list[str]:
    small = rows < SMALL_TABLE_ROWS
    layers = "dense: 32, dropout: 0.3, dense: 16" if small else "dense: 64, dropout: 0.2, dense: 64"
    layers = f"[flatten, {layers}]" if plan.length is not None else f"[{layers}]"
    lines = [
        f"architecture: {layers}",
        f"optimizer: {{adam: {0.003 if small else 0.001}}}",
        f"training: {{epochs: {100 if small else 50}, batch_size: {32 if small else 64}}}",
        f"early_stopping: {{patience: {15 if small else 8}}}  # stop when validation no longer improves",
    ]
    return lines + _metrics(plan)


def _metrics(plan: _Plan) -> list[str]:
    """The metrics line; where classes are uneven, one that accuracy cannot hide."""
    uneven = plan.imbalance >= IMBALANCE
    names = {Task.BINARY: ["accuracy", "roc_auc"], Task.MULTICLASS: ["accuracy"]}.get(plan.goal.task)
    if names is None:
        return []
    if not uneven:
        return [f"metrics: [{', '.join(names)}]"]
    return [f"metrics: [{', '.join([*names, 'f1'])}]  # the classes are uneven: accuracy alone misleads"]
