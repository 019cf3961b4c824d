"""Small configs and files that command tests share."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

REPOSITORY = Path(__file__).parents[2]
CONFIGS = REPOSITORY / "configs"

SMALL = """\
data:
  source: {csv: flowers.csv}
  target: kind
split: {stratified: {validation: 0.2, test: 0.2}}
preprocessing:
  - one_hot
  - standardize
architecture: [dense: 8]
optimizer: {adam: 0.02}
training: {epochs: 6, batch_size: 16}
metrics: [accuracy, roc_auc]
"""


def flowers(rows: int = 120, seed: int = 0) -> list[list[str]]:
    """Rows of two numbers, a colour and a kind that follows from them; the header first."""
    generator = np.random.default_rng(seed)
    width, length = generator.normal(size=(2, rows))
    colour = generator.choice(["red", "blue", "white"], rows)
    kind = np.where(width + length + (colour == "red") > 0.3, "rose", "daisy")
    cells = zip(width, length, colour, kind, strict=True)
    return [["width", "length", "colour", "kind"], *([f"{w:.4f}", f"{x:.4f}", c, k] for w, x, c, k in cells)]


def write_csv(path: Path, rows: list[list[str]]) -> None:
    path.write_text("".join(",".join(row) + "\n" for row in rows))


def write_small(folder: Path, text: str = SMALL) -> Path:
    """A table and a config that trains on it in a moment."""
    write_csv(folder / "flowers.csv", flowers())
    config = folder / "small.yaml"
    config.write_text(text)
    return config


def record(folder: Path, run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "runs" / run / "record.json").read_text())
    return found


def scores(folder: Path, run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "runs" / run / "scores.json").read_text())
    return found
