"""`dlcli kfold` as a user meets it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from tests.commands.configs import SMALL, record, scores, write_small
from tests.conftest import Dlcli


def test_scores_every_row_outside_the_test_set_once_per_repeat(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    assert dlcli("kfold", "small.yaml", "--folds", "3", "--repeats", "2").exit_code == 0
    kept = pl.read_parquet(dlcli.folder / "runs/small-001/predictions/out-of-fold.parquet")
    entry = record(dlcli.folder, "small-001")
    rows = entry["rows"]["train"] + entry["rows"]["validation"]
    for repeat in (1, 2):
        assert kept.filter(pl.col("repeat") == repeat)["row"].n_unique() == rows
    assert kept.height == 2 * rows


def test_says_mean_spread_and_interval_beside_the_baseline(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("kfold", "small.yaml", "--folds", "3")
    accuracy = scores(dlcli.folder, "small-001")["folds"][0]
    assert len(accuracy["folds"]) == 3
    assert accuracy["low"] < accuracy["mean"] < accuracy["high"]
    assert accuracy["method"] == "corrected t"
    assert "majority class" in done.stdout


def test_leaves_the_test_set_closed_unless_final(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("kfold", "small.yaml", "--folds", "2")
    assert not (dlcli.folder / "runs/ledger.jsonl").exists()
    assert "dlcli kfold small.yaml --folds 2 --final" in done.stdout
    dlcli("kfold", "small.yaml", "--folds", "2", "--final")
    assert scores(dlcli.folder, "small-002")["test"]["rows"] == 24
    assert len((dlcli.folder / "runs/ledger.jsonl").read_text().splitlines()) == 1


def test_without_final_there_is_no_model_to_evaluate(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("kfold", "small.yaml", "--folds", "2")
    done = dlcli("evaluate")
    assert done.exit_code == 2
    assert "--final" in done.stderr


def test_the_same_command_gives_the_same_numbers(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    for _ in range(2):
        dlcli("kfold", "small.yaml", "--folds", "2")
    assert scores(dlcli.folder, "small-001") == scores(dlcli.folder, "small-002")


THREADS = SMALL.replace("batch_size: 16", "batch_size: 16, threads: 1")
WATCHED = THREADS.replace("epochs: 6", "epochs: 100, checkpoint_every: 0.05") + "schedule: {custom: 'rates.py:rate'}\n"
RATES = """\
import os

def rate(epoch):
    if epoch > 30 and os.path.exists("signal"):  # "<number> <process, 0 for this one>"
        number, process = map(int, open("signal").read().split())
        os.remove("signal")
        os.kill(process or os.getpid(), number)
    return 0.02
"""
KFOLD = ("kfold", "small.yaml", "--folds", "3", "--trust")


def write_watched(folder: Path) -> None:
    """A config whose training sends the signal that a file names."""
    write_small(folder, WATCHED)
    (folder / "rates.py").write_text(RATES)


def send(folder: Path, number: int, process: int = 0) -> None:
    (folder / "sent").write_text(f"{number} {process}")
    (folder / "sent").rename(folder / "signal")


@pytest.fixture(scope="module")
def in_one_go(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that nothing disturbs."""
    dlcli = Dlcli(tmp_path_factory.mktemp("in-one-go"))
    write_watched(dlcli.folder)
    assert dlcli(*KFOLD, "--final").exit_code == 0
    return dlcli.folder / "runs" / "small-001"


def assert_same(run: Path, other: Path) -> None:
    """The same bits in all folds, but for times; the test rows may be opened in one of the runs alone."""
    kept = [json.loads((path / "scores.json").read_text()) for path in (run, other)]
    for found in kept:
        found["verdicts"].pop("test", None)
        for base in found["baselines"]:
            base["subsets"].pop("test", None)
    for name in ("folds", "baselines", "out_of_fold", "verdicts"):
        assert kept[0][name] == kept[1][name]
    first, second = (pl.read_parquet(path / "predictions/out-of-fold.parquet") for path in (run, other))
    assert first.equals(second)
    for fold in ("1-1", "1-2", "1-3"):
        first, second = (pl.read_csv(path / "folds" / fold / "history.csv") for path in (run, other))
        assert first.drop("seconds").equals(second.drop("seconds"))


@pytest.mark.slow
def test_several_jobs_give_the_same_numbers_as_one(dlcli: Dlcli, in_one_go: Path) -> None:
    write_watched(dlcli.folder)
    assert dlcli(*KFOLD, "--final", "--jobs", "2").exit_code == 0
    run = dlcli.folder / "runs" / "small-001"
    assert (run / "scores.json").read_bytes() == (in_one_go / "scores.json").read_bytes()
    assert_same(run, in_one_go)
    assert [record(folder.parents[1], "small-001")["jobs"] for folder in (in_one_go, run)] == [1, 2]


@pytest.mark.slow
def test_a_fold_whose_process_is_killed_is_named_and_trained_when_the_run_goes_on(
    dlcli: Dlcli, in_one_go: Path
) -> None:
    write_watched(dlcli.folder)
    send(dlcli.folder, signal.SIGKILL)
    done = dlcli(*KFOLD, "--jobs", "2")
    assert done.exit_code == 1
    assert re.search(r"fold [12]/3: its process died", done.stderr)
    assert "dlcli kfold --resume small-001 --trust" in done.stderr
    assert record(dlcli.folder, "small-001")["status"] == "failed"
    assert len(list((dlcli.folder / "runs/small-001/folds").glob("*/result.json"))) == 2
    again = dlcli("kfold", "--resume", "small-001", "--trust")
    assert again.exit_code == 0
    assert "2 of 3 folds are trained already" in again.stdout
    assert_same(dlcli.folder / "runs/small-001", in_one_go)
    assert not (dlcli.folder / "runs/small-001/checkpoint").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("jobs", "number", "exit_code"),
    [(1, signal.SIGINT, 130), (2, signal.SIGINT, 130), (2, signal.SIGTERM, 130), (2, signal.SIGKILL, -9)],
)
def test_an_interrupted_run_goes_on_to_the_same_bits(
    dlcli: Dlcli, in_one_go: Path, jobs: int, number: int, exit_code: int
) -> None:
    write_watched(dlcli.folder)
    running = dlcli.start(*KFOLD, "--jobs", str(jobs))
    send(dlcli.folder, number, running.process.pid)
    done = running.wait()
    assert done.exit_code == exit_code
    assert ("dlcli kfold --resume small-001 --trust" in done.stderr) == (exit_code == 130)
    assert list((dlcli.folder / "runs/small-001/checkpoint").glob("folds-1-*.npz"))
    assert dlcli("kfold", "--resume", "latest", "--trust", "--jobs", str(3 - jobs)).exit_code == 0
    assert_same(dlcli.folder / "runs/small-001", in_one_go)


@pytest.mark.slow
def test_the_final_training_goes_on_too(dlcli: Dlcli, in_one_go: Path) -> None:
    write_watched(dlcli.folder)
    running = dlcli.start(*KFOLD, "--final")
    while not (dlcli.folder / "runs/small-001/folds/1-3/result.json").exists():
        time.sleep(0.01)
    send(dlcli.folder, signal.SIGINT, running.process.pid)
    assert running.wait().exit_code == 130
    assert dlcli("kfold", "--resume", "small-001", "--trust").exit_code == 0
    assert (dlcli.folder / "runs/small-001/scores.json").read_bytes() == (in_one_go / "scores.json").read_bytes()


def test_a_finished_run_shows_its_result_again_and_refuses_another_config(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    first = dlcli("kfold", "small.yaml", "--folds", "2")
    again = dlcli("kfold", "--resume", "small-001")
    assert again.exit_code == 0
    assert again.stdout.splitlines()[-3:] == first.stdout.splitlines()[-3:]
    other = dlcli("kfold", "small.yaml", "--resume", "small-001", "--folds", "3")
    assert other.exit_code == 4
    assert "kfold.folds has changed" in other.stderr
    assert sorted(path.name for path in (dlcli.folder / "runs").iterdir()) == ["small-001"]


def test_folds_that_diverge_are_named(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("adam: 0.02", "sgd: 1e38") + "divergence: none\n")
    done = dlcli("kfold", "small.yaml", "--folds", "2")
    assert done.exit_code == 1
    assert "fold 1/2 and fold 2/2: the loss is not finite" in done.stderr
    assert "optimizer" in done.stderr


@pytest.mark.slow
def test_the_process_that_only_hands_out_the_work_imports_no_tensorflow(tmp_path: Path) -> None:
    write_small(tmp_path)
    code = "import sys; from dlcli.__main__ import run; code = run(sys.argv[1:]); print('tensorflow' in sys.modules)"
    command = [sys.executable, "-c", code, "kfold", "small.yaml", "--folds", "2", "--jobs", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
    assert done.stderr == ""
    assert "oneDNN" in (tmp_path / "runs/small-001/tensorflow.log").read_text()
