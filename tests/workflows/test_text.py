"""Free text from the file to the prediction."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import polars as pl
import pytest
import tensorflow as tf

from dlcli import kfold, predict, train
from tests.commands.configs import CONFIGS
from tests.workflows.test_poison import learned, without_seconds

AWKWARD = """\
data:
  source: {csv: {path: sentences.txt, delimiter: tab, quote: none, names: [text, label]}}
  target: label
split: {stratified: {validation: 0.3, test: 0}}
preprocessing: [tokens: {output: OUTPUT, ngrams: 2}]
architecture: [dense: 4]
training: {epochs: 3}
"""
POISONED = """\
data:
  source: {csv: {path: train.csv, test: test.csv}}
  target: label
split: {predefined: {validation: 0.25}}
preprocessing: [tokens: {output: OUTPUT, max_tokens: 12, ngrams: 2}]
architecture: [dense: 4]
training: {epochs: 2}
kfold: {folds: 2}
"""
WORDS = (("bad", "dull", "poor", "ill"), ("good", "great", "fine", "well"))


def sentence(number: int) -> str:
    words = WORDS[number % 2]
    return f"{words[number // 2 % 4]} and {words[number * 7 // 2 % 4]} no {number}"


def kept_predictions(run: Path) -> pl.DataFrame:
    return pl.read_parquet(run / "predictions" / "validation.parquet").sort("row")


@pytest.mark.parametrize("output", ["tf_idf", "multi_hot", "ids"])
def test_raw_text_is_predicted_as_in_validation(tmp_path: Path, output: str) -> None:
    """Quotes that quote nothing, U+0085 in a line, two blanks before the TAB, a text that is not there."""
    oddities = ['"', ' "so" ', "\x85", "!?", "  "]
    lines = [f"{oddities[number % 5]}{sentence(number)}{oddities[number // 5 % 5]}" for number in range(58)]
    cells = [*lines, "", "..."]
    (tmp_path / "sentences.txt").write_text("".join(f"{cell}  \t{n % 2}\n" for n, cell in enumerate(cells)))
    (tmp_path / "odd.yaml").write_text(AWKWARD.replace("OUTPUT", output))
    run = train(tmp_path / "odd.yaml", runs=tmp_path / "runs")
    kept = kept_predictions(run.path)
    again = predict(run.path, tmp_path / "sentences.txt").values
    assert np.abs(again[kept["row"].to_numpy()] - kept["probability_1"].to_numpy()).max() <= 1e-6
    model = keras.saving.load_model(run.path / "model.keras", safe_mode=True)
    raw = tf.constant([[cell.strip(" \t\r")] for cell in cells])
    assert np.abs(model({"text": raw}).numpy()[:, 0] - again).max() <= 1e-6


@pytest.mark.parametrize("output", ["tf_idf", "ids"])
@pytest.mark.parametrize("workflow", [train, kfold])
def test_test_rows_change_no_vocabulary(tmp_path: Path, workflow: Any, output: str) -> None:
    runs = []
    for name, strange in (("clean", "fine"), ("poisoned", "poison poison good " * 50)):
        folder = tmp_path / name
        folder.mkdir()
        for subset, rows in (("train", range(60)), ("test", range(60, 80))):
            texts = [sentence(number) if subset == "train" else f"{strange} {number}" for number in rows]
            cells = "".join(f"{text},{n % 2}\n" for n, text in zip(rows, texts, strict=True))
            (folder / f"{subset}.csv").write_text("text,label\n" + cells)
        (folder / "poison.yaml").write_text(POISONED.replace("OUTPUT", output))
        runs.append(workflow(folder / "poison.yaml", runs=folder / "runs").path)
    if workflow is train:
        assert learned(runs[0]) == learned(runs[1])
        return
    for one, other in zip(*(sorted(run.glob("folds/*/history.csv")) for run in runs), strict=True):
        assert without_seconds(one) == without_seconds(other)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "least"), [("sms-spam", 0.976), ("sentences", 0.79)])
def test_short_texts_are_told_apart(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch, name: str, least: float
) -> None:
    monkeypatch.setenv("DLCLI_DATA", str(shared_data))
    run = kfold(CONFIGS / f"{name}.yaml", runs=tmp_path)
    assert run.scores["folds"][0]["mean"] >= least
