"""Event files, read back by TensorFlow, which checks the sums of every record."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dlcli.report.event_files import FILE_NAME
from dlcli.report.run_files import read_run
from dlcli.report.tensorboard_log import write_tensorboard
from dlcli.task import Goal, Task
from tests.report import runs

CONFIG = """\
seed: 7
architecture:
  - dense: {units: 8, activation: relu}
optimizer:
  adam: {learning_rate: 0.01, weight_decay: none}
data:
  inputs: [age, income]
"""


def log(folder: Path) -> Path:
    return write_tensorboard(read_run(folder), folder)


def events(folder: Path) -> list[Any]:
    import tensorflow as tf
    from tensorflow.core.util import event_pb2

    records = tf.data.TFRecordDataset(str(folder / FILE_NAME))
    return [event_pb2.Event.FromString(record.numpy()) for record in records]


def curves(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Steps and values by tag."""
    found: dict[str, list[tuple[int, float]]] = {}
    for event in events(folder):
        for value in event.summary.value:
            found.setdefault(value.tag, []).append((event.step, value.simple_value))
    return found


def test_curves_have_the_names_and_places_of_kerass_callback(tmp_path: Path) -> None:
    folder = runs.classification(tmp_path)
    history = read_run(folder).history
    root = log(folder)
    train, validation = curves(root / "train"), curves(root / "validation")
    assert set(train) == {"epoch_loss", "epoch_learning_rate"}
    assert set(validation) == {"epoch_loss", "epoch_accuracy"}
    expected = list(zip(history["epoch"], history["val_accuracy"], strict=True))
    for (step, value), (epoch, score) in zip(validation["epoch_accuracy"], expected, strict=True):
        assert (step, value) == (epoch, pytest.approx(score, rel=1e-6))


def test_a_file_begins_with_its_version_and_times_follow_the_training(tmp_path: Path) -> None:
    root = log(runs.classification(tmp_path))
    first, *others = events(root / "train")
    assert first.file_version == "brain.Event:2"
    times = [event.wall_time for event in others]
    assert times == sorted(times)
    assert times[0] - first.wall_time == pytest.approx(0.01)


def test_the_config_is_a_text_and_its_settings_are_hyperparameters(tmp_path: Path) -> None:
    root = log(runs.classification(tmp_path, config=CONFIG))
    values = {value.tag: value for event in events(root) for value in event.summary.value}
    text = values["config"]
    assert text.metadata.plugin_data.plugin_name == "text"
    lines = text.tensor.string_val[0].decode().splitlines()
    assert lines == ["    " + line for line in CONFIG.splitlines()]  # indented, so shown as it is
    settings = values["_hparams_/session_start_info"].metadata.plugin_data
    assert settings.plugin_name == "hparams"
    assert b"optimizer.adam.learning_rate" in settings.content
    assert b"data.inputs" not in settings.content
    assert b"weight_decay" not in settings.content


def test_a_k_fold_has_a_pair_of_curves_for_each_fold(tmp_path: Path) -> None:
    root = log(runs.kfold(tmp_path, folds=2, repeats=2))
    folders = {str(path.parent.relative_to(root)) for path in root.rglob(FILE_NAME)}
    folds = {f"fold-{repeat}-{fold}/{part}" for repeat in (1, 2) for fold in (1, 2) for part in ("train", "validation")}
    assert folders == folds | {"."}
    assert "epoch_mae" in curves(root / "fold-2-1" / "validation")


def test_further_seeds_have_their_curves_too(tmp_path: Path) -> None:
    folder = runs.classification(tmp_path)
    (folder / "repeats" / "2").mkdir(parents=True)
    runs.write_history(folder / "repeats" / "2" / "history.csv", runs.history(4, ["accuracy"]))
    assert len(curves(log(folder) / "seed-2" / "validation")["epoch_loss"]) == 4


def test_epochs_without_a_finite_loss_are_left_out(tmp_path: Path) -> None:
    epochs = [{"epoch": 1, "loss": 0.5, "seconds": 1}, {"epoch": 2, "loss": "nan", "seconds": 1}]
    folder = runs.write(tmp_path, None, goal=Goal(Task.BINARY, ("y",), ("a", "b")), epochs=epochs)
    assert curves(log(folder) / "train") == {"epoch_loss": [(1, 0.5)]}


def test_long_texts_and_any_letters_are_whole(tmp_path: Path) -> None:
    config = f"name: {'ä€😀' * 500}\n"
    root = log(runs.classification(tmp_path, config=config))
    (text,) = [v for event in events(root) for v in event.summary.value if v.tag == "config"]
    assert text.tensor.string_val[0].decode() == "    " + config


def test_written_again_the_files_are_the_same(tmp_path: Path) -> None:
    folder = runs.classification(tmp_path)
    before = {path: path.read_bytes() for path in log(folder).rglob("*") if path.is_file()}
    after = {path: path.read_bytes() for path in log(folder).rglob("*") if path.is_file()}
    assert before == after


def test_writing_needs_no_tensorflow(tmp_path: Path) -> None:
    folder = runs.classification(tmp_path)
    code = (
        "import sys, pathlib; from dlcli.report.run_files import read_run\n"
        "from dlcli.report.tensorboard_log import write_tensorboard as write\n"
        "folder = pathlib.Path(sys.argv[1]); write(read_run(folder), folder)\n"
        "assert not {'tensorflow', 'tensorboard', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True)
