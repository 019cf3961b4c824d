"""Many steps at once, for tables, texts, images and series: rows that must not matter change no bit of a training.

In `train` those are the test rows, and the validation rows for what they do not choose; in `kfold` the test rows, and
for each fold the rows that it is scored on. Poison is valid for its column's kind.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from dlcli import kfold, train
from tests.commands.configs import write_csv

ROWS = 96
PARTS = np.array(["train", "train", "train", "validation", "test", "train"])[np.arange(ROWS) % 6]
FOLDS = np.array(["a", "b", "c"])[np.arange(ROWS) // 2 % 3]
REST = """\
split: {predefined: part}
select: last
training: {epochs: 2, batch_size: 16, threads: 1}
kfold: {column: fold, keep_models: true}
"""
TABLE = """\
data: {source: {csv: rows.csv}, target: kind, ignore: [note, title], where: "x != nan or kind != nan", duplicates: keep}
preprocessing:
  - date_parts: {columns: when, parts: [month, days]}
  - expression: {name: ratio, formula: "where(colour == 'red', x / (1 + abs(y)), nan)"}
  - clip: ratio
  - robust: {columns: x, keep: true}
  - min_max: {columns: y, keep: true}
  - log: {columns: y, keep: true}
  - discretize: {columns: when_days, bins: 3}
  - impute: {columns: numeric, indicator: true}
  - piecewise_linear: {columns: x, bins: 3, keep: true}
  - periodic: {columns: y, keep: true}
  - pca: {columns: [x, y], components: 1, keep: true}
  - polynomial: {columns: [x, y]}
  - cross: {columns: [colour, when_days], keep: true}
  - ordinal: {columns: when_days}
  - hash: {columns: shade, buckets: 4}
  - binary_code: colour
  - auto
architecture: [dense: 4, batch_normalization]
"""
TEXT = """\
data: {source: {csv: rows.csv}, target: kind, inputs: [note, title], text: [note, title], duplicates: keep}
preprocessing:
  - tokens: {columns: note, output: tf_idf, ngrams: 2, max_tokens: 20}
  - tokens: {columns: title, output: count, level: character}
architecture: [dense: 4]
"""
IMAGES = """\
data: {source: {npz: rows.npz}, inputs: [image], target: kind, duplicates: keep}
preprocessing: [resize: {size: [5, 5]}, grayscale, standardize]
augmentation: [random_flip, gaussian_noise: 0.1, mix_up]
architecture: [flatten, dense: 4]
"""
SERIES = """\
data:
  source: {csv: rows.csv}
  target: {column: x, scale: standardize}
  inputs: [x, y, colour, when]
  time: when
  window: {length: 4, horizon: 2, context: earlier}
split: {chronological: {validation: 0.2, test: 0.2}}
preprocessing:
  - date_parts: {columns: when, parts: [month, days]}
  - impute: {columns: numeric, indicator: true}
  - clip: x
  - pca: {columns: [x, y], components: 1, keep: true}
  - one_hot
  - standardize
architecture: [flatten, dense: 4]
select: last
training: {epochs: 2, batch_size: 16, threads: 1}
kfold: {folds: 3, keep_models: true}
"""


@dataclass(frozen=True)
class Data:
    """A config, and how its file is written with some rows poisoned."""

    config: str
    write: Callable[[Path, NDArray[np.bool_]], None]


def _table(folder: Path, poisoned: NDArray[np.bool_]) -> None:
    draw = np.random.default_rng(0)
    rows = []
    for row in range(ROWS):
        x, y = draw.normal(size=2).tolist()
        colour, shade = draw.choice(["red", "blue", ""]), draw.choice(["dark", "light"])
        note, title = (" ".join(draw.choice(["good", "bad", "film", "day", "long"], n)) for n in (5, 2))
        when = str(np.datetime64("2020-01-01") + 3 * row)
        cells = [repr(x), repr(y), colour, shade, note, title]
        if poisoned[row]:
            cells = [["1e12", "", "purple", "pale", "zebra " * 9, "Ω"], ["-1e12", "-1e12", "", "", "", "#"]][row % 2]
            cells[4:] = [f"{cells[4]} {row}", f"{cells[5]}{row}"]
        rows.append([*cells, when, "ab"[row % 2], PARTS[row], FOLDS[row]])
    write_csv(
        folder / "rows.csv", [["x", "y", "colour", "shade", "note", "title", "when", "kind", "part", "fold"], *rows]
    )


def _images(folder: Path, poisoned: NDArray[np.bool_]) -> None:
    draw = np.random.default_rng(0)
    image = draw.integers(30, 90, (ROWS, 6, 7, 3)).astype(np.uint8)
    image[poisoned] = (255 * draw.integers(0, 2, image.shape)).astype(np.uint8)[poisoned]
    np.savez(folder / "rows.npz", image=image, kind=np.arange(ROWS) % 2, part=PARTS, fold=FOLDS)


DATA = {
    "table": Data(TABLE + REST, _table),
    "text": Data(TEXT + REST, _table),
    "images": Data(IMAGES + REST, _images),
    "series": Data(SERIES, _table),
}
TIMES = np.arange(ROWS)


def run(workflow: Callable[..., Any], data: Data, folder: Path, poisoned: NDArray[np.bool_]) -> Path:
    folder.mkdir()
    data.write(folder, poisoned)
    (folder / "rows.yaml").write_text(data.config)
    path: Path = workflow(folder / "rows.yaml", runs=folder / "runs").path
    return path


def weights(folder: Path) -> list[bytes]:
    import keras

    return [each.tobytes() for each in keras.models.load_model(folder / "model.keras").get_weights()]


def history(folder: Path, *, validation: bool = True) -> list[list[str]]:
    """The rows of a history, without seconds."""
    lines = [line.split(",") for line in (folder / "history.csv").read_text().splitlines()]
    kept = [
        place
        for place, name in enumerate(lines[0])
        if name != "seconds" and (validation or not name.startswith("val_"))
    ]
    return [[line[place] for place in kept] for line in lines]


def trained(folder: Path) -> dict[str, Any]:
    entry = json.loads((folder / "record.json").read_text())
    return {"state": entry["preprocessing_state"], "target": entry["target_state"], "weights": weights(folder)}


def fold(folder: Path) -> dict[str, Any]:
    result = json.loads((folder / "result.json").read_text())
    kept = {key: result[key] for key in ("fitted", "chosen_epoch", "decision", "epochs_run", "stopped_by")}
    return kept | {"weights": weights(folder), "history": history(folder)}


@pytest.mark.slow
@pytest.mark.parametrize("name", DATA)
def test_test_and_validation_rows_in_train(tmp_path: Path, name: str) -> None:
    data = DATA[name]
    subsets = {
        "clean": np.zeros(ROWS, dtype=bool),
        "test": TIMES >= ROWS - 19 if name == "series" else PARTS == "test",
        "validation": (TIMES >= ROWS - 38) if name == "series" else PARTS == "validation",
    }
    clean, test, validation = (run(train, data, tmp_path / each, rows) for each, rows in subsets.items())
    assert trained(clean) == trained(test) == trained(validation)
    assert history(clean) == history(test)
    assert history(clean, validation=False) == history(validation, validation=False)
    assert history(clean) != history(validation)


@pytest.mark.slow
@pytest.mark.parametrize("name", DATA)
def test_test_rows_and_the_rows_of_a_fold_in_kfold(tmp_path: Path, name: str) -> None:
    data = DATA[name]
    last = (ROWS - 19) * 3 // 4
    poisoned = (last + 1 < TIMES) if name == "series" else (PARTS == "test") | (FOLDS == "c")
    clean, other = (
        run(kfold, data, tmp_path / each, rows)
        for each, rows in (("clean", np.zeros(ROWS, dtype=bool)), ("poisoned", poisoned))
    )
    assert fold(clean / "folds/1-3") == fold(other / "folds/1-3")
    if name != "series":
        assert fold(clean / "folds/1-1") != fold(other / "folds/1-1")
