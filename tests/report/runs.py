"""Run directories made by hand, with every file that a report reads."""

from __future__ import annotations

import base64
import csv
import json
import math
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dlcli.report.page import write_page
from dlcli.report.run_files import read_run
from dlcli.runs import record
from dlcli.runs.record import Record
from dlcli.samples import ColumnSchema, Schema
from dlcli.task import Goal, Task

HOSTILE = "</script><script>alert(1)</script>"
BREAKING = '"><img src=x onerror=alert(1)>'
PIXEL = (
    "data:image/png;base64,"
    + base64.b64encode(
        bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
            "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
        )
    ).decode()
)

Json = dict[str, Any]


def score(name: str, value: float | None, half: float = 0.04, **more: Any) -> Json:
    """A score as `scores.json` has it."""
    better = name not in ("mae", "rmse", "log_loss")
    ends = {"low": None, "high": None} if value is None else {"low": value - half, "high": value + 0.8 * half}
    found = {"name": name, "value": value, **ends, "method": "Wilson", "n": 120, "reason": None, "starred": False}
    return found | {"greater_is_better": better} | more


def subset(rows: int, scores: Sequence[Json], **more: Any) -> Json:
    """A subset as `scores.json` has it."""
    keys = ("classes", "slices", "confusion", "label_confusions", "roc", "precision_recall", "calibration", "residuals")
    return {"rows": rows, "scores": list(scores)} | dict.fromkeys(keys) | more


def verdict(metric: str, difference: float, *, power: bool | None = True) -> Json:
    """A verdict as `scores.json` has it."""
    has = {True: "has", False: "no", None: "no verdict on"}[power]
    return {
        "metric": metric,
        "difference": difference,
        "low": difference - 0.05,
        "high": difference + 0.05,
        "p": 0.0012,
        "method": "Bonett-Price, McNemar mid-p",
        "n": 90,
        "reason": None,
        "detectable": 0.0431,
        "greater_is_better": True,
        "power": power,
        "sentence": f"{has} statistical power: {metric} {difference:.3g} above the baseline",
    }


def sheet(**subsets: Any) -> Json:
    """What `scores.json` holds, with the keys that always stand in it."""
    empty = {"folds": None, "repeats": None, "baselines": [], "verdicts": {}, "looks": None, "looks_bound": None}
    decision = {"temperature": 1.0, "threshold": 0.5, "threshold_rule": "0.5", "chosen_on": None, "notes": []}
    meaning = {
        "rows": "The 95 % interval holds the true score of this fixed model on new rows like these.",
        "folds": "The 95 % interval holds the expected score of this recipe trained on 4/5 of this many rows.",
        "repeats": "The 95 % interval holds the mean score of ever more trainings.",
    }
    return empty | {"decision": decision, "confidence": 0.95, "meaning": meaning} | subsets


def baselines(names: Sequence[str], subsets: Mapping[str, Json], fall: float = 0.5) -> list[Json]:
    """Baselines on the same rows, each with a share of the model's scores."""
    found = []
    for place, name in enumerate(names):
        told = {
            key: {
                "rows": each["rows"],
                "scores": [
                    s | {k: None if s[k] is None else s[k] * (fall + 0.1 * place) for k in ("value", "low", "high")}
                    for s in each["scores"]
                ],
            }
            for key, each in subsets.items()
        }
        found.append({"name": name, "kind": f"kind-{place}", "reference": place == 0, "subsets": told, "folds": None})
    return found


def history(epochs: int, metrics: Sequence[str], *, validation: bool = True, seed: int = 0) -> list[Json]:
    """Epochs of a training that learns, and in the end overfits."""
    draw, rows = random.Random(seed), []
    for epoch in range(1, epochs + 1):
        loss = 1.2 * math.exp(-epoch / (0.25 * epochs)) + 0.02 + 0.02 * draw.random()
        row: Json = {"epoch": epoch, "loss": loss}
        if validation:
            held = loss + 0.1 + 0.25 * (epoch / epochs) ** 2 + 0.04 * draw.random()
            row |= {"val_loss": held} | {f"val_{name}": 1 / (1 + held) for name in metrics}
        rows.append(row | {"learning_rate": 0.01 * 0.98**epoch, "seconds": 0.01})
    return rows


def write(
    folder: Path,
    scores: Json | None,
    *,
    goal: Goal,
    name: str = "made-001",
    columns: Sequence[str] = ("age", "income", "city"),
    epochs: Sequence[Json] = (),
    config: str = "architecture: [dense: 16]\n",
    files: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Path:
    """Writes a run directory.

    Args:
        folder: where it is made.
        scores: `scores.json`, if any.
        goal: task and classes.
        name: of the run.
        columns: input columns.
        epochs: rows of `history.csv`.
        config: text of both configs.
        files: further JSON files by name.
        fields: of the record.
    """
    path = folder / name.replace("/", "-")[:40].replace("<", "-")
    path.mkdir(parents=True)
    known: Json = {
        "status": "completed",
        "command": "train",
        "arguments": ("train", "configs/made.yaml", "--evaluate"),
        "started": "2026-03-01T10:00:00.000000+00:00",
        "ended": "2026-03-01T10:01:40.500000+00:00",
        "versions": {"dlcli": "0.1.0", "keras": "3.15.1"},
        "machine": {"host": "desk", "cores": 8},
        "seeds": {"experiment": 0, "split": 0},
        "data_hash": "ab" * 32,
        "subset_hashes": {"train": "cd" * 32, "test": "ef" * 32},
        "rows": {"train": 400, "validation": 120, "test": 90},
        "data_schema": Schema(columns={each: ColumnSchema(kind="numeric") for each in columns}),
        "parameters": 1027,
        "model_bytes": 48_123,
        "seconds_per_row": 0.0031,
        "seconds_per_batch": 0.0042,
        "stopped_by": "patience",
        "trained_on": ("train",),
        "engine": "xla",
        "engine_reason": "small",
        "ledger_lines": ("12" * 32,),
    }
    record.write(Record(name=name, goal=goal, **(known | fields)), path)
    if scores is not None:
        (path / "scores.json").write_text(json.dumps(scores), encoding="utf-8")
    for file, held in (files or {}).items():
        (path / file).write_text(json.dumps(held), encoding="utf-8")
    for file in ("config.yaml", "resolved.yaml"):
        (path / file).write_text(config, encoding="utf-8")
    if epochs:
        write_history(path / "history.csv", epochs)
    return path


def write_history(path: Path, epochs: Sequence[Json]) -> None:
    """A `history.csv`."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(epochs[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(epochs)


def _class_details(names: Sequence[str], rows: int, draw: random.Random) -> Json:
    count = len(names)
    per_class = max(1, rows // count)
    counts = [[max(0, round(per_class * 0.04 * draw.random())) for _ in names] for _ in names]
    for place in range(count):
        counts[place][place] = per_class - round(per_class * 0.3 * draw.random())
    scores = [
        [score("precision", 0.8), score("recall", 0.75), score("f1", 0.77), score("roc_auc", 0.91)] for _ in names
    ]
    curves = [[[x / 40, round((x / 40) ** (0.1 + 0.05 * place), 4)] for x in range(41)] for place in range(count)]
    bins = [
        {
            "low": each / 15,
            "high": (each + 1) / 15,
            "rows": 3 + each * each,
            "confidence": (each + 0.5) / 15,
            "share": min(1.0, (each + 0.3) / 15),
        }
        for each in range(4, 15)
    ]
    curved = names[1:] if count == 2 else names[:20]
    return {
        "classes": [
            {"name": name, "rows": per_class, "scores": each} for name, each in zip(names, scores, strict=True)
        ],
        "classes_left_out": 0,
        "confusion": {"labels": list(names), "counts": counts},
        "roc": [{"label": name, "auc": 0.9123, "points": curves[place % count]} for place, name in enumerate(curved)],
        "precision_recall": [
            {
                "label": name,
                "average_precision": 0.8456,
                "prevalence": 1 / count,
                "points": [[x, 1 - 0.6 * x**3] for x, _ in curves[place % count]],
            }
            for place, name in enumerate(curved)
        ],
        "calibration": {"ece": 0.0612, "noise_floor": 0.0405, "p": 0.21, "brier": 0.152, "bins": bins, "reason": None},
    }


def classification(folder: Path, classes: Sequence[str] = ("low", "medium", "high"), **more: Any) -> Path:
    """A run of classes with an opened test set and everything that goes with it."""
    draw = random.Random(1)
    shapes = {"train": (400, 0.99), "validation": (120, 0.87), "test": (90, 0.84)}
    subsets = {
        name: subset(
            rows,
            [
                score("accuracy", value, n=rows, starred=name == "validation"),
                score("f1", value - 0.03, n=24, starred=name == "validation"),
                score("log_loss", 0.4, 0.1, method="log-t"),
            ],
            **_class_details(classes, rows, draw),
        )
        for name, (rows, value) in shapes.items()
    }
    subsets["test"]["slices"] = [
        {"column": "city", "value": city, "rows": 40, "scores": [score("accuracy", 0.8 + 0.02 * place)]}
        for place, city in enumerate(("Oslo", "Graz"))
    ]
    fitted = "these rows fitted the temperature"
    calibration = subsets["validation"]["calibration"] | {"ece": None, "p": None, "bins": [], "reason": fitted}
    subsets["validation"]["calibration"] = calibration
    scores = sheet(
        **subsets,
        baselines=baselines([f"majority class {classes[0]}", "logistic regression"], subsets),
        verdicts={"validation": verdict("accuracy", 0.41), "test": verdict("accuracy", 0.42)},
        looks=3,
        looks_bound=0.0234,
        repeats=[
            {
                "name": "accuracy",
                "values": [0.81, 0.84, 0.83, 0.86, 0.82],
                "mean": 0.832,
                "sd": 0.0192,
                "low": 0.808,
                "high": 0.856,
                "reason": None,
                "greater_is_better": True,
            }
        ],
    )
    task = Task.BINARY if len(classes) == 2 else Task.MULTICLASS
    rows = [
        {
            "row": 17 * place,
            "actual": classes[place % len(classes)],
            "predicted": classes[(place + 1) % len(classes)],
            "loss": 4.2 - 0.3 * place,
            "probability": 0.015 + 0.01 * place,
            "cells": {"age": 40.0 + place, "income": None, "city": "Graz", "note": "a text", "more": 1.5},
            "image": None,
        }
        for place in range(6)
    ]
    features = [
        {"name": each, "drop": 0.2 / (1 + i), "low": 0.1 / (1 + i), "high": 0.25, "reason": None}
        for i, each in enumerate("abc")
    ]
    files = {
        "worst.json": {"subset": "validation", "rows": rows},
        "importance.json": {
            "subset": "validation",
            "metric": "accuracy",
            "rows": 120,
            "repeats": 10,
            "features": features,
        },
        "diagnosis.json": diagnosis(),
    }
    given: Json = {
        "goal": Goal(task, ("risk",), tuple(classes)),
        "epochs": history(60, ["accuracy"]),
        "chosen_epoch": 33,
        "epochs_run": 60,
        "warnings": ("validation rows are few",),
        "files": files,
    }
    return write(folder, scores, **(given | more))


def diagnosis() -> Json:
    """A `diagnosis.json`."""
    rungs = [("reference", 0.05), ("training", 0.06), ("validation", 0.13), ("test", 0.16), ("baseline", 0.6)]
    return {
        "verdict": "overfit",
        "ladder": {
            "metric": "accuracy",
            "error": "1 - accuracy",
            "percent": True,
            "human": True,
            "rungs": [
                {
                    "name": name,
                    "error": error,
                    "low": None if name == "reference" else error - 0.03,
                    "high": None if name == "reference" else error + 0.03,
                    "score": 1 - error,
                    "rows": 100,
                    "starred": name == "validation",
                }
                for name, error in rungs
            ],
            "gaps": [
                {
                    "name": "variance",
                    "below": "training",
                    "above": "validation",
                    "value": 0.07,
                    "low": 0.02,
                    "high": 0.12,
                    "established": True,
                }
            ],
            "largest": "variance",
            "note": None,
        },
        "path": "/home/me/runs/made-001",
        "findings": [{"code": "overfit", "sentence": "validation loss turned at epoch 33", "epoch": 33}],
        "suggestions": [
            {
                "code": "regularisation",
                "why": "keeps the network from learning rows by heart",
                "command": "train",
                "snippet": {"regularization": {"l2": 0.001}},
                "yaml": "extends: resolved.yaml\nregularization:\n  l2: 0.001\n",
                "set": ["regularization.l2=0.001"],
                "problem": None,
            },
            {
                "code": "learning_rate",
                "why": "finds a rate",
                "command": "lr-find",
                "snippet": None,
                "yaml": None,
                "set": [],
                "problem": None,
            },
        ],
        "written": None,
    }


def _residuals(draw: random.Random, target: str) -> Json:
    points = [[x := 100 * draw.random(), draw.gauss(0, 5 + 0.1 * x)] for _ in range(400)]
    edges = [-40 + 4 * each for each in range(21)]
    counts = [sum(low <= missed < low + 4 for _, missed in points) for low in edges[:-1]]
    levels = ("min", "1", "5", "25", "50", "75", "95", "99", "max")
    found = sorted(missed for _, missed in points)
    quantiles = {level: found[round(place * 399 / 8)] for place, level in enumerate(levels)}
    return {
        "target": target,
        "quantiles": quantiles,
        "histogram": {"edges": edges, "counts": counts},
        "points": points,
    }


def regression(folder: Path, *, ordered: bool = False, **more: Any) -> Path:
    """A run of numbers whose test set is sealed; `ordered`: rows in time, too few for an interval."""
    draw = random.Random(2)
    none = {"low": None, "high": None, "method": None, "reason": "fewer than 50 rows in time order"} if ordered else {}
    subsets = {
        name: subset(
            rows,
            [
                score("mae", value, 2.0, **{"method": "EWC" if ordered else "log-t", "n": rows, **none}),
                score("rmse", 1.3 * value, 3.0, n=rows, **none),
                score("r2", 0.62, n=rows, **none),
            ],
            residuals=[_residuals(draw, "price")],
        )
        for name, rows, value in (("train", 400, 9.1), ("validation", 120, 11.4))
    }
    names = ["persistence", "seasonal persistence (7)"] if ordered else ["mean", "ridge regression"]
    scores = sheet(
        **subsets,
        baselines=baselines(names, subsets, 1.8),
        verdicts={"validation": verdict("mae", -8.6, power=False)},
    )
    given = {
        "goal": Goal(Task.REGRESSION, ("price",)),
        "epochs": history(80, ["mae", "rmse", "r2"]),
        "chosen_epoch": 70,
        "epochs_run": 80,
    }
    return write(folder, scores, **(given | more))


def kfold(
    folder: Path, *, folds: int = 5, repeats: int = 3, epochs: int = 40, final: bool = False, **more: Any
) -> Path:
    """A k-fold run with all of its folds."""
    draw = random.Random(3)
    metrics = {"mae": 47.0, "rmse": 58.0, "r2": 0.41}
    values = {
        name: [value * (0.85 + 0.3 * draw.random()) for _ in range(folds * repeats)] for name, value in metrics.items()
    }
    found = [_over_folds(name, each, folds) for name, each in values.items()]
    out = subset(
        398,
        [score(name, value, 0.1 * value) for name, value in metrics.items()],
        residuals=[_residuals(draw, "progression")],
    )
    subsets = {"out_of_fold": out} | (
        {"test": subset(44, [score(n, v, 0.2 * v, n=44) for n, v in metrics.items()])} if final else {}
    )
    base = baselines(["mean", "ridge regression"], subsets, 1.4)
    for each in base:
        each["folds"] = [_over_folds(name, [1.4 * value for value in held], folds) for name, held in values.items()]
    scores = sheet(
        **subsets,
        folds=found,
        baselines=base,
        verdicts={"folds": verdict("mae", -18.4)} | ({"test": verdict("mae", -17.0)} if final else {}),
        looks=1 if final else None,
    )
    given: Json = {
        "goal": Goal(Task.REGRESSION, ("progression",)),
        "name": "kfold-001",
        "command": "kfold",
        "rows": {"train": 318, "validation": 80, "test": 44},
        "chosen_epochs": tuple(20 + place % 7 for place in range(folds * repeats)),
        "epochs": history(24, [], validation=False) if final else (),
        "trained_on": ("train", "validation") if final else (),
    }
    path = write(folder, scores, **(given | more))
    for place in range(folds * repeats):
        repeat, fold = divmod(place, folds)
        below = path / "folds" / f"{repeat + 1}-{fold + 1}"
        below.mkdir(parents=True)
        write_history(below / "history.csv", history(epochs - place % 7, list(metrics), seed=place))
        result = {
            "repeat": repeat + 1,
            "fold": fold + 1,
            "rows": {"train": 254, "inner": 64, "scored": 80},
            "chosen_epoch": 20 + place % 7,
            "epochs_run": epochs - place % 7,
            "stopped_by": "patience",
            "scores": {name: each[place] for name, each in values.items()},
            "baseline": {name: 1.4 * each[place] for name, each in values.items()},
        }
        (below / "result.json").write_text(json.dumps(result))
    return path


def _over_folds(name: str, values: Sequence[float], folds: int) -> Json:
    mean = sum(values) / len(values)
    sd = math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))
    half = 2.1 * sd * math.sqrt(1 / len(values) + 1 / (folds - 1))
    ends = {"low": mean - half, "high": mean + half, "method": "corrected t", "n": len(values)}
    told = {"name": name, "folds": list(values), "mean": mean, "sd": sd, **ends, "degrees": len(values) - 1}
    return told | {"reason": None, "greater_is_better": name == "r2"}


def multilabel(folder: Path, labels: Sequence[str] = ("sport", "politics", "music"), **more: Any) -> Path:
    """A run of labels, each with its own threshold."""
    draw = random.Random(4)
    details = _class_details(labels, 120, draw) | {
        "confusion": None,
        "label_confusions": [{"label": name, "counts": [[80, 5], [7, 28]]} for name in labels],
    }
    subsets = {"validation": subset(120, [score("f1", 0.71, starred=True)], **details)}
    decision = {
        "temperature": 1.31,
        "threshold": [0.4, 0.55, 0.31],
        "threshold_rule": "f1",
        "chosen_on": "validation",
        "notes": [],
    }
    scores = sheet(**subsets, baselines=baselines(["majority"], subsets), decision=decision)
    given = {"goal": Goal(Task.MULTILABEL, tuple(labels)), "epochs": history(30, ["f1"])}
    return write(folder, scores, **(given | more))


def minimal(folder: Path, **more: Any) -> Path:
    """A run of which nothing is known but its record and bare scores."""
    scores = {"validation": {"rows": 36, "scores": [score("accuracy", 0.9444, n=36)]}, "confidence": 0.9}
    given: Json = {
        "goal": Goal(Task.BINARY, ("y",), ("no", "yes")),
        "data_schema": None,
        "parameters": None,
        "name": "old-001",
    }
    return write(folder, scores, **(given | more))


def page_of(folder: Path) -> Path:
    """The page of a run directory, written into it."""
    return write_page(read_run(folder), folder)
