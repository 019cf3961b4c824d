"""A run directory as reports read it: whatever of it there is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlcli.problems import DataError, Problem
from dlcli.runs.directory import RunDirectory
from dlcli.runs.histories import History, read_history
from dlcli.runs.record import Record

SUBSETS = {"test": "test", "out_of_fold": "out-of-fold", "validation": "validation", "train": "training"}
"""Rows that scores speak of, the most telling first, and what a person calls them."""


@dataclass(frozen=True, slots=True)
class FoldRun:
    """One finished fold: what its `result.json` holds, and its epochs."""

    result: Mapping[str, Any]
    history: History

    @property
    def name(self) -> str:
        """Repeat and fold, as its folder is called."""
        return f"{self.result['repeat']}-{self.result['fold']}"


@dataclass(frozen=True, slots=True)
class Run:
    """What a report tells of a run.

    Attributes:
        record, scores: what `record.json` and `scores.json` hold; scores are empty where a run has none.
        history: of the last training; empty where there was none.
        folds: of a k-fold, in their order.
        worst, importance, diagnosis: what the files of these names hold; None where there is none.
        evaluations: of its model on other files, the oldest first.
        config, resolved: the config as it was written, and with everything spelled out.
    """

    record: Record
    scores: Mapping[str, Any]
    history: History
    folds: tuple[FoldRun, ...]
    worst: Mapping[str, Any] | None
    importance: Mapping[str, Any] | None
    diagnosis: Mapping[str, Any] | None
    evaluations: tuple[Mapping[str, Any], ...]
    config: str
    resolved: str

    @property
    def rows(self) -> Mapping[str, int]:
        """How many rows are in what; the folds of a k-fold take training and validation rows together."""
        rows = {name: count for name, count in self.record.rows.items() if count}
        if self.record.command != "kfold":
            return rows
        pool = rows.pop("train", 0) + rows.pop("validation", 0)
        return {"fold": pool, **rows} if pool else rows

    @property
    def trained_on(self) -> str:
        """Which rows the saved model was trained on, in words."""
        names = ["fold"] if self.record.command == "kfold" else self.record.trained_on
        return f"{' and '.join(names)} rows" if self.record.trained_on else ""

    @property
    def confidence(self) -> str:
        """Of the intervals, in words."""
        return f"{100 * self.scores.get('confidence', 0.95):g} %"

    @property
    def primary(self) -> str | None:
        """The subset that tells most."""
        return next(iter(self.subsets()), None)

    def meaning(self, key: str) -> str:
        """What the intervals of "rows", "folds" or "repeats" cover, in a sentence; empty where the run does not say."""
        found: str = self.scores.get("meaning", {}).get(key, "")
        return found

    def subsets(self) -> Iterator[str]:
        """The scored subsets, the most telling first."""
        return (name for name in SUBSETS if self.scores.get(name))

    def details(self, key: str) -> Iterator[tuple[str, Any]]:
        """What the subsets tell about one subject, e.g. "confusion", those left out that tell nothing."""
        return ((name, self.scores[name][key]) for name in self.subsets() if self.scores[name].get(key))

    def baselines(self) -> Sequence[Mapping[str, Any]]:
        """The baselines, the reference first."""
        found: Sequence[Mapping[str, Any]] = self.scores.get("baselines") or ()
        return sorted(found, key=lambda each: not each.get("reference"))

    def baseline(self, subset: str, metric: str) -> float | None:
        """What the reference baseline reaches; `subset` may be "folds"."""
        for each in self.baselines()[:1]:
            scores = each.get("folds") if subset == "folds" else (each["subsets"].get(subset) or {}).get("scores")
            for score in scores or ():
                if score["name"] == metric:
                    value: float | None = score["mean" if subset == "folds" else "value"]
                    return value
        return None


def read_run(folder: Path) -> Run:
    """Reads a run directory; files that it does not have are left out.

    Raises:
        DataError: its record is missing, or a file is damaged.
    """
    return Run(
        record=RunDirectory(folder).record(),
        scores=_json(folder / "scores.json") or {},
        history=read_history(folder / "history.csv"),
        folds=tuple(_folds(folder / "folds")),
        worst=_json(folder / "worst.json"),
        importance=_json(folder / "importance.json"),
        diagnosis=_json(folder / "diagnosis.json"),
        evaluations=tuple(_evaluations(folder / "evaluations")),
        config=_text(folder / "config.yaml"),
        resolved=_text(folder / "resolved.yaml"),
    )


def _folds(folder: Path) -> Iterator[FoldRun]:
    """Finished folds, by repeat and number."""
    results = [(result, path.parent) for path in folder.glob("*/result.json") if (result := _json(path))]
    for result, place in sorted(results, key=lambda each: (each[0]["repeat"], each[0]["fold"])):
        yield FoldRun(result, read_history(place / "history.csv"))


def _evaluations(folder: Path) -> Iterator[Mapping[str, Any]]:
    found = [each for path in folder.glob("*.json") if (each := _json(path))]
    yield from sorted(found, key=lambda each: str(each["time"]))


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _unreadable(path) from error


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise _unreadable(path) from error


def _unreadable(path: Path) -> DataError:
    return DataError(Problem("unreadable-run", f"cannot read {path}", "restore it or choose another run"))
