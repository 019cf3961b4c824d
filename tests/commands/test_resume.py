"""`dlcli train --resume` as a user meets it: the same bits as in one go, or a refusal that says why."""

from __future__ import annotations

import csv
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.training import checkpoint
from tests.commands.configs import SMALL, flowers, record, scores, write_csv, write_small
from tests.conftest import Dlcli, Finished, Running

RANDOM = """\
data:
  source: {csv: flowers.csv}
  target: kind
split: {stratified: {validation: 0.2, test: 0.2}}
augmentation: [gaussian_noise: 0.1]
architecture: [dense: 16, batch_normalization, dropout: 0.3, dense: 8]
optimizer: {adam: {learning_rate: 0.01, use_ema: true, ema_momentum: 0.9}}
schedule: {performance: {patience: 2, factor: 0.7}}
early_stopping: {patience: 15}
training: {epochs: 20, batch_size: 2, checkpoint_every: 0}
metrics: [accuracy, roc_auc]
"""
"""Everything that has a state: its epochs are long enough to be cut."""
LONG = SMALL.replace("epochs: 6, batch_size: 16", "epochs: 60, batch_size: 16, checkpoint_every: 0").replace(
    "dense: 8", "dense: 8, dropout: 0.3"
)
RUN = Path("runs/small-001")


def until(happened: Callable[[], bool], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def kill(running: Running, number: int = signal.SIGKILL) -> Finished:
    os.kill(running.process.pid, number)
    return running.wait(60)


def killed(dlcli: Dlcli, *arguments: str, when: Callable[[], bool]) -> None:
    """Kills a command as soon as something has happened."""
    running = dlcli.start(*arguments)
    until(when)
    kill(running)


def weights(folder: Path, run: str = "small-001") -> list[Any]:
    import keras

    model = keras.models.load_model(folder / "runs" / run / "model.keras", compile=False)
    return [variable.numpy() for variable in model.variables]


def history(folder: Path, run: str = "small-001", name: str = "history.csv") -> list[dict[str, str]]:
    with (folder / "runs" / run / name).open() as file:
        return [{key: value for key, value in row.items() if key != "seconds"} for row in csv.DictReader(file)]


def assert_same_result(one: Path, other: Path) -> None:
    """Weights, history without the seconds, and scores of two runs, to the last bit."""
    assert history(one) == history(other)
    for ours, theirs in zip(weights(one), weights(other), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    assert scores(one, "small-001") == scores(other, "small-001")
    for entry in ("chosen_epoch", "epochs_run", "stopped_by", "engine", "fitted_hashes"):
        assert record(one, "small-001")[entry] == record(other, "small-001")[entry]


def progress(folder: Path) -> float:
    """How many epochs the newest checkpoint has seen."""
    path = folder / RUN / "checkpoint/train.npz"
    if not path.exists():
        return 0.0
    state = checkpoint.read(path)
    return len(state["history"]) + (0.5 if state["batch"] else 0.0)


def change_record(folder: Path, **fields: Any) -> None:
    path = folder / RUN / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the run of LONG that was never stopped."""
    folder = tmp_path_factory.mktemp("whole")
    write_small(folder, LONG)
    assert Dlcli(folder)("train", "small.yaml").exit_code == 0
    return folder


@pytest.fixture(scope="module")
def killed_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of LONG that was killed after some epochs."""
    folder = tmp_path_factory.mktemp("killed")
    write_small(folder, LONG)
    killed(Dlcli(folder), "train", "small.yaml", when=lambda: progress(folder) >= 3)
    return folder


@pytest.fixture
def stopped(dlcli: Dlcli, killed_once: Path) -> Dlcli:
    """Commands in a folder of their own with a copy of that run."""
    shutil.copytree(killed_once, dlcli.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".output-*"))
    return dlcli


@pytest.mark.slow
@pytest.mark.parametrize(("engine", "kills"), [("graph", 10), ("xla", 3)])
def test_a_training_killed_at_any_moments_ends_with_the_bits_of_one_in_one_go(
    dlcli: Dlcli, tmp_path_factory: pytest.TempPathFactory, engine: str, kills: int
) -> None:
    text = RANDOM.replace("epochs: 20", f"epochs: 20, engine: {engine}")
    if engine == "xla":
        text = text.replace("augmentation", "#")
    whole = Dlcli(tmp_path_factory.mktemp("whole"))
    for each in (dlcli, whole):
        write_small(each.folder, text)
        write_csv(each.folder / "flowers.csv", flowers(1200))
    assert whole("train", "small.yaml").exit_code == 0
    generator = np.random.default_rng(7)
    arguments: tuple[str, ...] = ("train", "small.yaml")
    inside = 0
    for moment in np.sort(generator.uniform(0, 0.8 * record(whole.folder, "small-001")["epochs_run"], kills)):
        before = progress(dlcli.folder)
        running = dlcli.start(*arguments)
        at = max(moment, before + 0.1)
        until(lambda: progress(dlcli.folder) >= at or not running.process.is_alive())  # noqa: B023 - called here
        time.sleep(generator.uniform(0, 0.1))
        assert kill(running).exit_code == -signal.SIGKILL
        inside += progress(dlcli.folder) % 1 > 0
        arguments = ("train", "--resume", "latest")
    assert dlcli(*arguments).exit_code == 0
    assert_same_result(dlcli.folder, whole.folder)
    assert not (dlcli.folder / RUN / "checkpoint").exists()
    assert len(record(dlcli.folder, "small-001")["resumed"]) == kills
    assert inside > 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_names_the_command_that_goes_on_to_the_same_bits(
    dlcli: Dlcli, in_one_go: Path, number: int
) -> None:
    write_small(dlcli.folder, LONG.replace("checkpoint_every: 0", "checkpoint_every: 1000"))
    running = dlcli.start("train", "small.yaml", "--runs", "runs")
    until(lambda: running.has_printed("epoch 5/"))
    done = kill(running, number)
    assert done.exit_code == 130
    assert record(dlcli.folder, "small-001")["status"] == "interrupted"
    assert "interrupted" in dlcli("runs").stdout
    assert len(history(dlcli.folder)) >= 5
    command = done.stderr.partition("go on with: ")[2].strip()
    assert command == "dlcli train --resume small-001"
    again = dlcli(*shlex.split(command)[1:])
    assert again.exit_code == 0
    assert "goes on after" in again.stdout
    assert_same_result(dlcli.folder, in_one_go)


def test_the_command_names_another_folder_of_runs_and_trust(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, LONG.replace("epochs: 60", "epochs: 100000"))
    running = dlcli.start("train", "small.yaml", "--runs", "else where", "--trust")
    until(lambda: running.has_printed("epoch 2/"))
    command = kill(running, signal.SIGINT).stderr.partition("go on with: ")[2].strip()
    assert command == f"dlcli train --resume small-001 --runs '{dlcli.folder}/else where' --trust"


def test_a_run_that_died_before_its_first_checkpoint_says_that_it_begins_anew(dlcli: Dlcli, in_one_go: Path) -> None:
    write_small(dlcli.folder, LONG.replace("checkpoint_every: 0", "checkpoint_every: 1000"))
    killed(dlcli, "train", "small.yaml", when=(dlcli.folder / RUN / "record.json").exists)
    half_written = dlcli.folder / RUN / f".{'0' * 32}-model.keras"
    half_written.touch()
    done = dlcli("train", "--resume", "small-001")
    assert done.exit_code == 0
    assert "run small-001 has no checkpoint yet: it begins with epoch 1" in done.stdout
    assert_same_result(dlcli.folder, in_one_go)
    assert [path.name for path in (dlcli.folder / "runs").iterdir()] == ["small-001"]
    assert not half_written.exists()


def test_a_finished_run_prints_its_result_again_and_does_nothing(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    first = dlcli("train", "small.yaml", "--evaluate")
    (dlcli.folder / "small.yaml").write_text(SMALL + "description: given once more\n")
    files = {path: path.stat().st_mtime_ns for path in (dlcli.folder / "runs").rglob("*")}
    for arguments in (["--resume", "small-001"], ["small.yaml", "--resume", "latest"]):
        again = dlcli("train", *arguments)
        assert again.exit_code == 0
        assert again.stdout.endswith(first.stdout[first.stdout.index("\nsubset") :])
    longer = dlcli("train", "--resume", "small-001", "--set", "training.epochs=9")
    assert longer.exit_code == 4
    assert "6 -> 9; it is completed, and its checkpoint gone" in longer.stderr
    assert files == {path: path.stat().st_mtime_ns for path in (dlcli.folder / "runs").rglob("*")}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("training.batch_size=8", "training.batch_size has changed since run small-001 began: 16 -> 8"),
        ("seed=1", "seed has changed since run small-001 began: 0 -> 1"),
        ("architecture=[dense: 9]", "architecture has changed"),
        ("optimizer=sgd", "optimizer has changed since run small-001 began: adam -> sgd"),
        ("training.threads=1", "training.threads has changed since run small-001 began: none -> 1"),
        ("evaluation.threshold=0.4", "0.5 -> 0.4"),
        ("split.stratified.seed=1", "split gives other rows"),
        ("training.epochs=50", "60 -> 50; they can only become more"),
    ],
)
def test_a_changed_config_is_refused_with_what_changed(stopped: Dlcli, change: str, said: str) -> None:
    before = record(stopped.folder, "small-001")
    done = stopped("train", "--resume", "small-001", "--set", change)
    assert done.exit_code == 4
    assert said in done.stderr
    assert record(stopped.folder, "small-001") == before


def test_a_config_given_again_is_compared_at_its_lines(stopped: Dlcli) -> None:
    (stopped.folder / "small.yaml").write_text(LONG.replace("adam: 0.02", "adam: 0.01"))
    done = stopped("train", "small.yaml", "--resume", "small-001")
    assert done.exit_code == 4
    assert "small.yaml:9:19" in done.stderr
    assert "optimizer.adam.learning_rate has changed since run small-001 began: 0.02 -> 0.01" in done.stderr


def test_what_no_number_depends_on_may_change(stopped: Dlcli, in_one_go: Path) -> None:
    changes = {"name": "other", "description": "longer", "training.checkpoint_every": 5, "kfold.folds": 3}
    words = [word for path, value in changes.items() for word in ("--set", f"{path}={value}")]
    assert stopped("train", "small.yaml", "--resume", "small-001", *words).exit_code == 0
    assert_same_result(stopped.folder, in_one_go)


@pytest.mark.parametrize("change", ["a cell", "the order of rows"])
def test_changed_data_are_refused(stopped: Dlcli, change: str) -> None:
    rows = flowers()
    if change == "a cell":
        rows[5][0] = "9.9"
    else:
        rows[5], rows[6] = rows[6], rows[5]
    write_csv(stopped.folder / "flowers.csv", rows)
    done = stopped("train", "small.yaml", "--resume", "small-001")
    assert done.exit_code == 4
    assert "changed-data" in done.stderr


def test_preprocessing_that_learns_something_else_is_refused(stopped: Dlcli) -> None:
    change_record(stopped.folder, fitted_hashes={"train": "0"})
    done = stopped("train", "--resume", "small-001")
    assert done.exit_code == 4
    assert "changed-preprocessing" in done.stderr
    assert progress(stopped.folder) >= 3


@pytest.mark.slow
def test_more_epochs_go_on_where_the_schedule_has_the_same_past(dlcli: Dlcli, tmp_path_factory: Any) -> None:
    whole = Dlcli(tmp_path_factory.mktemp("whole"))
    text = LONG + "schedule: {exponential: {decay: 0.97, warm_up: 1}}\n"
    write_small(whole.folder, text.replace("epochs: 60", "epochs: 80"))
    write_small(dlcli.folder, text)
    killed(dlcli, "train", "small.yaml", when=lambda: progress(dlcli.folder) >= 2)
    assert dlcli("train", "--resume", "small-001", "--set", "training.epochs=80").exit_code == 0
    assert whole("train", "small.yaml").exit_code == 0
    assert_same_result(dlcli.folder, whole.folder)
    assert "epochs: 80" in (dlcli.folder / RUN / "resolved.yaml").read_text()


def test_more_epochs_are_refused_where_they_would_have_changed_the_rates_so_far(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, LONG + "schedule: one_cycle\n")
    killed(dlcli, "train", "small.yaml", when=lambda: progress(dlcli.folder) >= 2)
    done = dlcli("train", "--resume", "small-001", "--set", "training.epochs=80")
    assert done.exit_code == 4
    assert "training.epochs has changed since run small-001 began: 60 -> 80; the learning rate after" in done.stderr


@pytest.mark.slow
def test_a_refit_goes_on_and_does_not_repeat_the_first_training(dlcli: Dlcli, tmp_path_factory: Any) -> None:
    whole = Dlcli(tmp_path_factory.mktemp("whole"))
    for each in (dlcli, whole):
        write_small(each.folder, LONG + "select: last\n")
    assert whole("train", "small.yaml", "--refit").exit_code == 0
    killed(dlcli, "train", "small.yaml", "--refit", when=(dlcli.folder / RUN / "checkpoint/refit.npz").exists)
    done = dlcli("train", "--resume", "small-001")
    assert done.exit_code == 0
    assert done.stdout.count("epoch 1/60") == 0
    assert_same_result(dlcli.folder, whole.folder)
    refits = [history(each.folder, name="history-refit.csv") for each in (dlcli, whole)]
    assert refits[0] == refits[1]


@pytest.mark.parametrize("known", [True, False])
def test_a_look_that_was_written_down_before_the_run_died_is_not_counted_again(dlcli: Dlcli, known: bool) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--evaluate")
    expected = scores(dlcli.folder, "small-001")
    entry = record(dlcli.folder, "small-001")
    change_record(dlcli.folder, status="running", ended=None, ledger_lines=entry["ledger_lines"] if known else [])
    (dlcli.folder / RUN / "scores.json").unlink()
    assert dlcli("train", "--resume", "small-001").exit_code == 0
    assert scores(dlcli.folder, "small-001") == expected
    assert len((dlcli.folder / "runs/ledger.jsonl").read_text().splitlines()) == 1
    assert record(dlcli.folder, "small-001")["ledger_lines"] == entry["ledger_lines"]
    dlcli("evaluate", "small-001")
    assert scores(dlcli.folder, "small-001")["looks"] == 2


def test_options_of_the_command_are_used_again_and_none_is_added(stopped: Dlcli) -> None:
    for option in ("--evaluate", "--refit", "--name=other"):
        done = stopped("train", "--resume", "small-001", option)
        assert done.exit_code == 2
        assert f"leave {option.partition('=')[0]} out" in done.stderr
    change_record(stopped.folder, options=record(stopped.folder, "small-001")["options"] | {"evaluate": True})
    assert stopped("train", "--resume", "small-001").exit_code == 0
    assert "test" in scores(stopped.folder, "small-001")


def test_two_processes_cannot_go_on_with_one_run(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, LONG.replace("epochs: 60", "epochs: 100000"))
    running = dlcli.start("train", "small.yaml")
    until(lambda: running.has_printed("epoch 2/"))
    done = dlcli("train", "--resume", "small-001")
    assert done.exit_code == 4
    assert "in use by another process" in done.stderr
    kill(running)


def test_a_damaged_checkpoint_is_an_error_that_says_what_to_do(stopped: Dlcli) -> None:
    path = stopped.folder / RUN / "checkpoint/train.npz"
    path.write_bytes(path.read_bytes()[:-100])
    done = stopped("train", "--resume", "small-001")
    assert done.exit_code == 3
    assert "train.npz is damaged" in done.stderr
    assert "remove that file" in done.stderr


def test_a_checkpoint_of_another_training_is_an_error_that_says_what_to_do(stopped: Dlcli) -> None:
    path = stopped.folder / RUN / "checkpoint/train.npz"
    state = checkpoint.read(path)
    del state["selection"]
    checkpoint.write(state, path)
    done = stopped("train", "--resume", "small-001")
    assert done.exit_code == 3
    assert "another version of dlcli" in done.stderr


def test_other_versions_are_warned_of_and_recorded(stopped: Dlcli) -> None:
    versions = record(stopped.folder, "small-001")["versions"] | {"keras": "3.0.0"}
    change_record(stopped.folder, versions=versions)
    done = stopped("train", "--resume", "small-001")
    assert done.exit_code == 0
    assert "warning: the last digits may differ from those of a run in one go: keras 3.0.0 -> " in done.stdout
    assert any("keras 3.0.0" in warning for warning in record(stopped.folder, "small-001")["warnings"])


def test_code_of_ones_own_needs_trust_again_and_must_be_the_same(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, LONG + 'schedule: {custom: "rates.py:fall"}\n')
    (dlcli.folder / "rates.py").write_text("def fall(epoch):\n    return 0.02 / (1 + epoch)\n")
    killed(dlcli, "train", "small.yaml", "--trust", when=lambda: progress(dlcli.folder) >= 2)
    assert dlcli("train", "--resume", "small-001").exit_code == 2
    (dlcli.folder / "rates.py").write_text("def fall(epoch):\n    return 0.01 / (1 + epoch)\n")
    done = dlcli("train", "--resume", "small-001", "--trust")
    assert done.exit_code == 4
    assert "rates.py has changed" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["--resume", "none"], ["--resume", "latest", "--runs", "empty"]])
def test_without_a_config_or_a_run_there_is_nothing_to_do(stopped: Dlcli, arguments: list[str]) -> None:
    done = stopped("train", *arguments)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_a_run_of_another_command_is_not_gone_on_with(stopped: Dlcli) -> None:
    change_record(stopped.folder, command="kfold")
    done = stopped("train", "--resume", "small-001")
    assert done.exit_code == 2
    assert "dlcli kfold --resume small-001" in done.stderr


def test_a_runs_own_config_must_be_as_the_run_wrote_it(stopped: Dlcli) -> None:
    own = next(stopped.folder.glob("runs/*/resolved.yaml"))
    own.write_text(own.read_text().replace("batch_size: ", "batch_size: 1"))
    result = stopped("train", "--resume", "latest")
    assert (result.exit_code, "has been edited since run" in result.stderr) == (4, True)


def test_a_training_outlives_the_reader_of_its_output(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    code = f"{sys.executable} -m dlcli train small.yaml | head -1; exit ${{PIPESTATUS[0]}}"
    ended = subprocess.run(["bash", "-c", code], cwd=dlcli.folder, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert record(dlcli.folder, "small-001")["status"] == "completed"
