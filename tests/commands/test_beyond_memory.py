"""`data.in_memory: false`: the same numbers from rows that lie on disk, through every command."""

from __future__ import annotations

import csv
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.commands.configs import SMALL, flowers, record, scores, write_small
from tests.commands.test_windows import WAVES, waves
from tests.conftest import Dlcli

RICH = (
    SMALL.replace("architecture: [dense: 8]", "architecture: [dense: 16, batch_normalization, dropout: 0.3]")
    .replace("epochs: 6, batch_size: 16", "epochs: 12, batch_size: 4, checkpoint_every: 0")
    .replace("{csv: flowers.csv}", "{parquet: flowers.parquet}")
)
PHOTOS = """\
data: {source: {images: photos}}
split: {stratified: {validation: 0.3, test: 0.2}}
augmentation: [random_flip, random_translation: 0.1]
architecture: [{conv2d: {filters: 2, kernel_size: 3}}, global_average_pooling2d]
training: {epochs: 3, batch_size: 5}
"""
LETTERS = """\
data: {source: {parquet: letters.parquet}, target: tone}
split: {stratified: {validation: 0.3, test: 0.2}}
preprocessing: [tokens: {max_tokens: 30, output: multi_hot}]
architecture: [dense: 4]
training: {epochs: 3, batch_size: 5}
"""
STEPS = """\
data: {source: {npz: {path: steps.npz, target: kind}}}
split: {stratified: {validation: 0.3, test: 0.2}}
preprocessing: [pad: {columns: step, length: 5}]
architecture: [{embedding: {input_dim: 9, output_dim: 4}}, flatten, dense: 4]
training: {epochs: 3, batch_size: 5}
"""


def write_table(folder: Path) -> None:
    header, *rows = flowers()
    numbers = {name: [float(row[place]) for row in rows] for place, name in enumerate(header[:2])}
    words = {name: [row[place + 2] for row in rows] for place, name in enumerate(header[2:])}
    pl.DataFrame(numbers | words).write_parquet(folder / "flowers.parquet")


def write_photos(folder: Path) -> None:
    generator = np.random.default_rng(0)
    for kind, light in {"day": 150, "night": 50}.items():
        (folder / "photos" / kind).mkdir(parents=True)
        for number in range(20):
            pixels = (light + generator.integers(0, 60, (8, 8, 3))).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / kind / f"{number}.png")


def write_letters(folder: Path) -> None:
    generator = np.random.default_rng(0)
    words = {"glad": ["fine", "good", "sun", "day"], "sad": ["poor", "bad", "rain", "day"]}
    rows = [(" ".join(generator.choice(some, 5)), tone) for tone, some in words.items() for _ in range(30)]
    pl.DataFrame(rows, schema=["text", "tone"], orient="row").write_parquet(folder / "letters.parquet")


def write_steps(folder: Path) -> None:
    generator = np.random.default_rng(0)
    kind = np.repeat([0, 1], 40)
    rows = [generator.integers(0, 8 if late else 5, row % 7) for row, late in enumerate(kind)]
    offsets = np.cumsum([0, *map(len, rows)])
    np.savez(folder / "steps.npz", step=np.concatenate(rows), step_offsets=offsets, kind=kind)


def write_waves(folder: Path) -> None:
    (folder / "waves.csv").write_text("\n".join(waves()) + "\n")


KINDS: dict[str, tuple[str, Callable[[Path], None]]] = {
    "table": (RICH, write_table),
    "photos": (PHOTOS, write_photos),
    "letters": (LETTERS, write_letters),
    "steps": (STEPS, write_steps),
    "waves": (WAVES, write_waves),
}


def write(folder: Path, text: str, name: str, in_memory: str) -> str:
    place = "data: {" if "data: {" in text else "data:\n"
    more = f"in_memory: {in_memory}, " if place.endswith("{") else f"  in_memory: {in_memory}\n"
    (folder / f"{name}.yaml").write_text(text.replace(place, place + more, 1))
    return f"{name}.yaml"


def history(folder: Path, run: str) -> list[dict[str, str]]:
    with (folder / "runs" / run / "history.csv").open() as file:
        return [{name: cell for name, cell in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def reached(folder: Path, run: str) -> Any:
    """All scores, without the name of the run in them."""
    return json.loads(json.dumps(scores(folder, run)).replace(run, "run"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_ends_with_the_numbers_of_one_in_memory(kind: str, dlcli: Dlcli, tmp_path: Path) -> None:
    text, make = KINDS[kind]
    make(tmp_path)
    for name, in_memory in {"held": "true", "kept": "false"}.items():
        done = dlcli("train", write(tmp_path, text, name, in_memory))
        assert done.exit_code == 0, done.output
    assert history(tmp_path, "kept-001") == history(tmp_path, "held-001")
    assert reached(tmp_path, "kept-001") == reached(tmp_path, "held-001")
    predictions = [pl.read_parquet(tmp_path / "runs" / run / "predictions" / "validation.parquet")
                   for run in ("held-001", "kept-001")]  # fmt: skip
    assert predictions[0].equals(predictions[1])
    assert any((tmp_path / "cache").iterdir())
    assert "disk" in record(tmp_path, "kept-001")["rows_kept_as"]


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        (
            "{csv: s.csv}, target: a, time: t, inputs: [a, b], window: {length: 4, context: earlier}",
            "data.window.sampling_rate=2",
        ),
        ("{csv: s.csv}, target: a, time: t, inputs: [a, b], window: {length: 4, context: earlier}", "data.time=back"),
        ("{npz: {path: cubes.npz, target: kind}}", "data.channels=first"),
        ("{csv: s.csv}, target: kind, inputs: [a, b], shape: [1, 2]", "data.inputs=[b, a]"),
    ],
    ids=["every other row", "order of time", "channels", "order of columns"],
)
def test_rows_that_are_laid_out_otherwise_are_not_taken_for_those_of_the_run_before(
    source: str, changes: str, dlcli: Dlcli, tmp_path: Path
) -> None:
    generator = np.random.default_rng(0)
    columns = {name: generator.normal(size=90) for name in "ab"} | {"t": np.arange(90), "back": np.arange(90)[::-1]}
    pl.DataFrame(columns | {"kind": ["x", "y", "z"] * 30}).write_csv(tmp_path / "s.csv")
    np.savez(tmp_path / "cubes.npz", x=generator.normal(size=(60, 3, 3, 3)), kind=np.arange(60) % 2)
    text = (
        f"data: {{source: {source}}}\npreprocessing: none\narchitecture: [flatten, dense: 4]\ntraining: {{epochs: 1}}\n"
    )
    first = write(tmp_path, text, "first", "false")
    assert dlcli("train", first).exit_code == 0
    for name, in_memory in {"held": "true", "kept": "false"}.items():
        done = dlcli("train", write(tmp_path, text, name, in_memory), "--set", changes)
        assert done.exit_code == 0, done.output
    assert history(tmp_path, "kept-001") == history(tmp_path, "held-001")
    assert reached(tmp_path, "kept-001") == reached(tmp_path, "held-001")


def test_folds_in_workers_end_with_the_numbers_of_those_in_memory(dlcli: Dlcli, tmp_path: Path) -> None:
    write_table(tmp_path)
    text = RICH.replace("batch_size: 4", "batch_size: 4, threads: 1").replace("epochs: 12", "epochs: 3")
    for name, in_memory in {"held": "true", "kept": "false"}.items():
        done = dlcli("kfold", write(tmp_path, text, name, in_memory), "--folds", "3", "--jobs", "2")
        assert done.exit_code == 0, done.output
    assert reached(tmp_path, "kept-001") == reached(tmp_path, "held-001")


def test_an_interrupted_training_goes_on_with_the_same_bits_also_without_the_cache(
    dlcli: Dlcli, tmp_path: Path
) -> None:
    write_table(tmp_path)
    whole, cut = (write(tmp_path, RICH.replace("epochs: 12", "epochs: 40"), name, "false") for name in ("whole", "cut"))
    assert dlcli("train", whole).exit_code == 0
    running = dlcli.start("train", cut)
    state = tmp_path / "runs" / "cut-001" / "checkpoint"
    end = time.monotonic() + 120
    while not (state.exists() and any(state.iterdir())):
        assert time.monotonic() < end
        time.sleep(0.01)
    os.kill(running.process.pid, signal.SIGKILL)
    running.wait(60)
    cleared = dlcli("doctor", "--clear-cache")
    assert "cleared" in cleared.stdout
    assert not list((tmp_path / "cache").iterdir())
    assert dlcli("train", "--resume", "cut-001").exit_code == 0
    assert history(tmp_path, "cut-001") == history(tmp_path, "whole-001")
    assert reached(tmp_path, "cut-001") == reached(tmp_path, "whole-001")


def test_the_test_set_and_new_rows_are_scored_as_in_memory(dlcli: Dlcli, tmp_path: Path) -> None:
    write_table(tmp_path)
    answers = []
    for name, in_memory in {"held": "true", "kept": "false"}.items():
        assert dlcli("train", write(tmp_path, RICH, name, in_memory)).exit_code == 0
        opened = dlcli("evaluate", f"{name}-001", "--json")
        assert opened.exit_code == 0, opened.output
        answers.append(scores(tmp_path, f"{name}-001")["test"])
        answers.append(dlcli("predict", f"{name}-001", "flowers.parquet").stdout)
    assert answers[:2] == answers[2:]


def test_a_read_only_cache_is_said_with_what_to_do(dlcli: Dlcli, tmp_path: Path) -> None:
    write_small(tmp_path)
    (tmp_path / "occupied").write_text("a file")
    config = write(tmp_path, SMALL, "small", "false")
    done = dlcli("train", config, DLCLI_CACHE=tmp_path / "occupied" / "cache")
    assert done.exit_code == 3
    assert "DLCLI_CACHE" in done.stderr
    assert "Traceback" not in done.output
    assert not (tmp_path / "runs" / "small-001").exists()
