"""`dlcli runs`: what was run, as plain data."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dlcli.runs import directory


def list_runs(runs: Path | str | None = None) -> list[dict[str, Any]]:
    """Every run in the folder of the runs, the newest last: name, status, command, started, and its first score."""
    return [_row(listed) for listed in directory.list_runs(directory.runs_root(runs))]


def _row(listed: directory.Listed) -> dict[str, Any]:
    entry = listed.record
    row: dict[str, Any] = {
        "run": listed.directory.name,
        "status": listed.status,
        "command": entry.command if entry else None,
        "started": entry.started if entry else None,
    }
    return row | _first_score(listed.directory.path / "scores.json")


def _first_score(path: Path) -> dict[str, Any]:
    """The first metric on the rows that say most: test, else over folds, else validation."""
    try:
        scores = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {"metric": None, "score": None, "on": None}
    if scores.get("folds") and "test" not in scores:
        return {"metric": scores["folds"][0]["name"], "score": scores["folds"][0]["mean"], "on": "folds"}
    for subset in ("test", "validation", "train"):
        if subset in scores:
            first = scores[subset]["scores"][0]
            return {"metric": first["name"], "score": first["value"], "on": subset}
    return {"metric": None, "score": None, "on": None}
