"""What goes wrong is said once, clearly, with the right exit code, and leaves no half-made run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.commands.configs import SMALL, flowers, record, write_csv, write_small
from tests.conftest import Dlcli, Finished


def train_on(dlcli: Dlcli, data: str, config: str = SMALL) -> Finished:
    write_small(dlcli.folder, config)
    (dlcli.folder / "flowers.csv").write_text(data)
    return dlcli("train", "small.yaml")


def assert_refused(done: Finished, exit_code: int, *words: str) -> None:
    assert done.exit_code == exit_code
    assert "Traceback" not in done.output
    for word in words:
        assert word in done.stderr


TABLE = "".join(",".join(row) + "\n" for row in flowers())


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("", ("empty",)),
        ("width,length,colour,kind\n", ("no rows",)),
        (TABLE.replace("kind", "sort"), ("kind",)),
        (TABLE.replace("daisy", "rose"), ("rose", "same value")),
        (TABLE + "abc,1.0,red,rose\n" * 9, ("width", "abc")),
        (TABLE + "1.0,1.0,red,\n", ("kind",)),
    ],
    ids=["empty file", "header only", "target absent", "one class", "text in a numeric column", "gap in the target"],
)
def test_data_that_cannot_be_used(dlcli: Dlcli, data: str, words: tuple[str, ...]) -> None:
    done = train_on(dlcli, data)
    assert_refused(done, 3, *words)
    assert not (dlcli.folder / "runs").exists()


def test_a_missing_data_file(dlcli: Dlcli) -> None:
    config = write_small(dlcli.folder)
    config.write_text(config.read_text().replace("flowers.csv", "flower.csv"))
    assert_refused(dlcli("train", "small.yaml"), 3, "flower.csv", "flowers.csv")


def test_more_classes_than_rows_allow(dlcli: Dlcli) -> None:
    rows = flowers(12)
    for number, row in enumerate(rows[1:]):
        row[3] = f"kind{number}"
    write_small(dlcli.folder, SMALL)
    write_csv(dlcli.folder / "flowers.csv", rows)
    assert_refused(dlcli("train", "small.yaml"), 3, "kind")


def test_an_npz_file_with_a_pickle(dlcli: Dlcli) -> None:
    np.savez(dlcli.folder / "data.npz", x=np.array([{"a": 1}] * 20, dtype=object), y=np.arange(20) % 2)
    config = "data: {source: {npz: {path: data.npz, inputs: x, target: y}}}\narchitecture: [dense: 4]\n"
    (dlcli.folder / "npz.yaml").write_text(config)
    assert_refused(dlcli("train", "npz.yaml"), 3, "pickle")


def test_a_model_that_holds_code(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    model = dlcli.folder / "runs/small-001/model.keras"
    write_model_with_code(model)
    assert_refused(dlcli("evaluate"), 2, "--trust")


def write_model_with_code(path: Path) -> None:
    import keras

    inputs = keras.Input((1,))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x)(inputs)).save(path)


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_run_that_does_not_exist(dlcli: Dlcli, command: str) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    arguments = ["small-01"] + (["flowers.csv"] if command == "predict" else [])
    assert_refused(dlcli(command, *arguments), 2, "small-001")


def test_runs_that_cannot_be_written(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    (dlcli.folder / "runs").write_text("a file, not a folder")
    assert_refused(dlcli("train", "small.yaml"), 1, "cannot write")


def test_a_full_disk_leaves_no_completed_run(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("train", "small.yaml", DLCLI_TEST_FILE_SIZE_LIMIT="20000")
    assert_refused(done, 1, "cannot write")
    assert "completed" not in dlcli("runs").stdout


def test_an_unknown_command_is_answered_with_the_nearest(dlcli: Dlcli) -> None:
    assert_refused(dlcli("trian", "small.yaml"), 2, "train")


def test_a_gap_that_no_step_fills_is_refused_before_the_test_set_is_opened(dlcli: Dlcli) -> None:
    rows = flowers()
    for row in rows[100:]:
        row[0] = ""
    rows = [
        [*row, "part" if number == 0 else ("test" if number >= 100 else "train")] for number, row in enumerate(rows)
    ]
    config = SMALL.replace("split: {stratified: {validation: 0.2, test: 0.2}}", "split: {predefined: part}")
    write_small(dlcli.folder, config)
    write_csv(dlcli.folder / "flowers.csv", rows)
    assert_refused(dlcli("train", "small.yaml", "--evaluate"), 3, "width has 21 gaps", "impute: width")
    assert not (dlcli.folder / "runs/ledger.jsonl").exists()
    assert record(dlcli.folder, "small-001")["status"] == "failed"


SEVEN = """\
data: {source: {builtin: wine}}
task: multiclass
sead: 3
split: {stratifed: {test: 0.2}}
architecture: [dense: sixteen, dropout: 1.5]
optimizer: adm
early_stopping: {monitor: val_acuracy}
loss: mse
"""


def test_seven_mistakes_are_seven_problems_with_places_and_suggestions(dlcli: Dlcli) -> None:
    (dlcli.folder / "seven.yaml").write_text(SEVEN)
    done = dlcli("check", "seven.yaml", "--json")
    assert done.exit_code == 2
    problems = json.loads(done.stdout)["problems"]
    assert [(each["code"], each["line"], each["column"]) for each in problems] == [
        ("unknown-key", 3, 1),
        ("unknown-name", 4, 9),
        ("wrong-type", 5, 23),
        ("value-out-of-range", 5, 41),
        ("unknown-name", 6, 12),
        ("unknown-monitor", 7, 27),
        ("does-not-fit", 8, 7),
    ]
    hints = [each["suggestion"] or "" for each in problems]
    for place, word in ((0, "seed"), (1, "stratified"), (4, "adam"), (5, "val_accuracy"), (6, "crossentropy")):
        assert word in hints[place]
