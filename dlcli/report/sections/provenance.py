"""Where everything came from: data, model, versions, seeds, hashes, and the config itself."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from dlcli.numbers import number
from dlcli.report.elements import (
    NONE,
    Column,
    Section,
    code,
    folded,
    heading,
    pairs,
    paragraph,
    percent,
    remark,
    shown,
    table,
)
from dlcli.report.markup import Child, Html, join, tag
from dlcli.report.run_files import Run
from dlcli.runs.record import Record

_COLUMNS = 300
"""Most columns and classes listed."""
_TEXT = 200_000
"""Most characters of a config."""
_BATCH = 32
"""Rows in the batch that `seconds_per_batch` is about."""


def data(run: Run) -> Section | None:
    """Rows by subset, columns with their kinds, classes."""
    record = run.record
    if not (record.rows or record.data_schema):
        return None
    total = sum(run.rows.values())
    subsets: list[list[Child]] = [[name, shown(rows), percent(rows / (total or 1))] for name, rows in run.rows.items()]
    rows = table(
        f"{total:,} rows{_seal(run)}.",
        [Column("subset"), Column("rows", numeric=True), Column("share", numeric=True)],
        subsets,
        sortable=False,
    )
    body = [rows, _classes(run), _columns(run)]
    if record.files:
        body.append(pairs([("Files", ", ".join(record.files))]))
    return Section("data", "Data", join(body))


def _seal(run: Run) -> str:
    if not run.rows.get("test"):
        return ", none of them test rows"
    return f"; the test rows are {'opened' if run.scores.get('looks') else 'sealed'}"


def _classes(run: Run) -> Html | None:
    goal = run.record.goal
    if goal is None or len(goal.classes or goal.names) < 2:
        return None
    names = goal.classes or goal.names
    what = "Classes" if goal.classes else "Labels or targets"
    left_out = f" and {len(names) - _COLUMNS} more" if len(names) > _COLUMNS else ""
    items = [tag("li", name) for name in names[:_COLUMNS]]
    return join(
        heading(f"{what} ({len(names)})"), tag("ul", items, class_="names"), paragraph(left_out) if left_out else None
    )


def _columns(run: Run) -> Html | None:
    schema = run.record.data_schema
    if schema is None:
        return None
    columns = list(schema.columns.items())
    rows: list[list[Child]] = [[name, found.kind, _shape(found)] for name, found in columns[:_COLUMNS]]
    left_out = f", the first {_COLUMNS} of {len(columns):,}" if len(columns) > _COLUMNS else ""
    heads = [Column("column"), Column("kind"), Column("shape or dtype")]
    listed = table(f"Input columns{left_out}, as they were decided from rows other than test rows.", heads, rows)
    return folded(f"{len(columns):,} input columns", listed) if len(columns) > 12 else listed


def _shape(column: Any) -> str:
    shape = " x ".join(map(str, getattr(column, "shape", None) or ()))
    dtype = getattr(column, "dtype", None)
    return " ".join(part for part in (shape, str(dtype) if dtype else "") if part) or NONE


def model(run: Run) -> Section | None:
    """Layers and size of the network, how fast the saved model is, and how its training ended."""
    record = run.record
    if record.parameters is None and not record.layers:
        return None
    said: list[tuple[Child, Child]] = []
    if record.parameters is not None:
        said.append(("Parameters", shown(record.parameters)))
    if record.model_bytes is not None:
        said.append(("Size of model.keras", f"{number(record.model_bytes / 1024)} KiB"))
    if record.seconds_per_row is not None:
        said.append(("Prediction of one row", f"{number(1000 * record.seconds_per_row)} ms"))
    if record.seconds_per_batch is not None:
        said.append((f"Prediction of {_BATCH} rows", f"{number(1000 * record.seconds_per_batch)} ms"))
    if run.trained_on:
        said.append(("Trained on", run.trained_on))
    if record.epochs_run is not None:
        kept = f"; the weights of epoch {record.chosen_epoch:,} were kept" if record.chosen_epoch is not None else ""
        said.append(("Epochs", f"{record.epochs_run:,}, ended by {record.stopped_by}{kept}"))
    if record.engine is not None:
        said.append(("Engine", f"{record.engine}: {record.engine_reason}"))
    return Section("model", "Model", join(pairs(said) if said else None, _layers(record)))


def _layers(record: Record) -> Html | None:
    """The network, layer by layer."""
    if not record.layers:
        return None
    columns = [
        Column("layer"),
        Column("output", hint="shape of what it gives for a row"),
        Column("parameters", numeric=True),
    ]
    rows: list[list[Child]] = [
        [layer.name, " x ".join(map(str, layer.shape)), shown(layer.parameters)] for layer in record.layers
    ]
    return table("Layers of the network, after preprocessing.", columns, rows, sortable=False)


def provenance(run: Run) -> Section:
    """What made this run, and what proves it."""
    record = run.record
    said: list[tuple[Child, Child]] = [
        ("Started", record.started),
        ("Ended", record.ended or NONE),
        *([("Resumed", ", ".join(record.resumed))] if record.resumed else []),
        ("Seeds", _entries(record.seeds)),
        ("Versions", _entries(record.versions)),
        ("Machine", _entries(record.machine)),
        ("Threads", "TensorFlow's choice" if record.threads is None else str(record.threads)),
        ("Looks at the test rows", str(run.scores.get("looks") or "none")),
    ]
    warnings = [remark("warning", warning) for warning in record.warnings]
    command = code(shlex.join(["dlcli", *record.arguments])) if record.arguments else None
    body = (command, pairs(said), _hashes(record), heading("Warnings") if warnings else None, warnings)
    return Section("provenance", "Provenance", join(body))


def _entries(found: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in found.items()) or NONE


def _hashes(record: Record) -> Html:
    """What proves which data, config and fitted numbers these are."""
    found = [
        ("all rows", record.data_hash),
        *((f"{name} rows", digest) for name, digest in record.subset_hashes.items()),
        *((f"config, {place}", digest) for place, digest in enumerate(record.config_hashes, start=1)),
        *((f"fitted numbers, {name}", digest) for name, digest in record.fitted_hashes.items()),
        *((f"line {place} in the ledger", digest) for place, digest in enumerate(record.ledger_lines, start=1)),
    ]
    rows = [[name, tag("code", digest)] for name, digest in found if digest]
    columns = [Column("of"), Column("SHA-256")]
    return folded("Hashes", table("Hashes that prove what this run saw.", columns, rows, sortable=False))


def config(run: Run) -> Section | None:
    """The config as it was written and as it was understood."""
    written, resolved = (_cut(each) for each in (run.config, run.resolved))
    if not (written or resolved):
        return None
    spelled_out = folded("With everything spelled out (resolved.yaml)", code(resolved), printed=False)
    body = (code(written) if written else None, spelled_out if resolved else None)
    return Section("config", "Config", join(body))


def _cut(written: str) -> str:
    return written if len(written) <= _TEXT else f"{written[:_TEXT]}\n# ... cut off here"
