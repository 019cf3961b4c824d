"""Columns of text whose every word lies on disk give the numbers, and the findings, of columns in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dlcli import kfold, train
from dlcli.data.sources import parquet, pieces, text_columns
from tests.commands.configs import write_csv

HEADER = ["note", "colour", "writer", "size", "when", "part", "kind"]
COMMON = """\
data:
  source: {SOURCE}
  target: kind
  where: "colour != 'grey'"
  ignore: [IGNORED]
  text: [note]
preprocessing: [tokens: {columns: note, ngrams: 2, max_tokens: 40}, date_parts: when, auto]
architecture: [dense: 6]
training: {epochs: 3, batch_size: 16, threads: 1}
evaluation: {slices: [colour, writer]}
kfold: {folds: 2}
"""
CONFIGS = {
    "at random": (COMMON.replace("IGNORED", "part, writer") + "split: {stratified: {validation: 0.2, test: 0.2}}\n"),
    "by group": (
        COMMON.replace("IGNORED", "part").replace("  text:", "  group: writer\n  text:")
        + "split: {grouped: {validation: 0.2, test: 0.2}}\n"
    ),
    "by column": COMMON.replace("IGNORED", "writer") + "split: {predefined: part}\n",
    "by hash": COMMON.replace("IGNORED", "part, writer").replace("colour, writer]", "colour]")
    + "split: {hash: {column: writer, validation: 0.2, test: 0.2}}\n",
}


def write_tables(folder: Path) -> None:
    """Reviews of which some are almost others, some equal in all but case, in a csv and a Parquet file."""
    draw = np.random.default_rng(0)
    pool = ["film", "plot", "long", "short", "actor", "scene", "sound", "end", "start", "light", "très", "naïve"]
    rows: list[list[Any]] = []
    for number in range(240):
        kind = "good" if number % 2 else "poor"
        note = " ".join([kind if draw.random() < 0.7 else "so", *draw.choice(pool, 12)])
        if number % 17 == 3:
            note = rows[number // 2][0].upper()
        if number % 19 == 5:
            note = rows[number // 2][0] + " indeed"
        colour = draw.choice(["red", "blue", "", "grey"])
        when = str(np.datetime64("2020-01-01") + 3 * number)
        part = ["train", "train", "validation", "test"][number % 4]
        rows.append([note, colour, f"writer {number % 30}", str(draw.integers(0, 9)), when, part, kind])
    write_csv(folder / "t.csv", [HEADER, *rows])
    columns = {name: [row[place] for row in rows] for place, name in enumerate(HEADER)}
    pl.DataFrame(columns).write_parquet(folder / "t.parquet", row_group_size=50)


def told(run: Path) -> dict[str, Any]:
    """All that a run says, but for its name and its time."""
    record = json.loads((run / "record.json").read_text())
    scores = (run / "scores.json").read_text().replace(run.name, "run")
    kept = {name: record[name] for name in ("rows", "warnings", "preprocessing_state") if name in record}
    return kept | {"scores": json.loads(scores)}


@pytest.mark.parametrize("workflow", [train, kfold])
@pytest.mark.parametrize("source", ["csv: t.csv", "parquet: t.parquet"])
@pytest.mark.parametrize("name", CONFIGS)
def test_the_same_numbers(
    name: str, source: str, workflow: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_columns, "HELD_BYTES", 0)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 1000)
    monkeypatch.setattr(parquet, "_SLICE_BYTES", 1000)
    monkeypatch.setenv("DLCLI_CACHE", str(tmp_path / "cache"))
    write_tables(tmp_path)
    found = {}
    for in_memory in ("true", "false"):
        text = CONFIGS[name].replace("SOURCE", source).replace("  target", f"  in_memory: {in_memory}\n  target")
        (tmp_path / f"{in_memory}.yaml").write_text(text)
        run = workflow(tmp_path / f"{in_memory}.yaml", runs=tmp_path / "runs")
        found[in_memory] = told(run.path)
    assert found["true"]["warnings"]
    assert found["false"] == found["true"]
