"""Windows over series through every command: folds, refits, resumed runs, other files, raw rows, and what is said."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from dlcli import evaluate, kfold, predict, train
from dlcli.problems import ConfigError, DataError
from tests.commands.configs import record, scores
from tests.conftest import Dlcli

WAVES = """\
data:
  source: {csv: waves.csv}
  target: {column: level, scale: standardize}
  time: day
  window: {length: 5, horizon: 2, per: place, context: earlier}
split: {chronological: {validation: 0.2, test: 0.2}}
architecture: [flatten, dense: 4, dropout: 0.2]
training: {epochs: 3, batch_size: 16, threads: 1}
kfold: {folds: 3}
"""
WHOLE = """\
data:
  source: {csv: shapes.csv}
  target: shape
  time: step
  group: item
  window: {length: 4, horizon: 0, sequence_stride: 2}
split: {grouped: {validation: 0.2, test: 0.2}}
architecture: [flatten, dense: 4]
training: {epochs: 2}
kfold: {folds: 2}
"""


def waves(days: int = 90, places: tuple[str, ...] = ("east", "west"), left_out: tuple[int, ...] = ()) -> list[str]:
    """Two series, mixed, the header first; some days may be left out."""
    generator, lines = np.random.default_rng(0), ["place,day,wind,level,state"]
    for day in range(days):
        for place in places:
            level, wind = np.sin(day / 5) + generator.normal() / 9, generator.random()
            if day not in left_out:
                moment, state = np.datetime64("2024-01-01") + day, "high" if level > 0 else "low"
                lines.append(f"{place},{moment},{wind:.4f},{level:.4f},{state}")
    return lines


def write(folder: Path, config: str = WAVES, lines: list[str] | None = None) -> Path:
    (folder / "waves.csv").write_text("\n".join(lines or waves()) + "\n")
    (folder / "waves.yaml").write_text(config)
    return folder / "waves.yaml"


def write_whole(folder: Path, config: str = WHOLE) -> Path:
    generator, lines = np.random.default_rng(0), ["item,step,x,shape"]
    for item in range(20):
        up = item % 2 == 0
        lines += [f"n{item},{step},{(step if up else -step) + generator.normal():.4f},{'up' if up else 'down'}"
                  for step in range(10)]  # fmt: skip
    (folder / "shapes.csv").write_text("\n".join(lines) + "\n")
    (folder / "shapes.yaml").write_text(config)
    return folder / "shapes.yaml"


# Commands


def test_folds_expand_and_a_final_training_opens_the_test_set(tmp_path: Path) -> None:
    run = kfold(write(tmp_path), runs=tmp_path / "runs", final=True)
    kept = polars.read_parquet(run.path / "predictions/out-of-fold.parquet")
    entry = json.loads((run.path / "record.json").read_text())
    assert kept["row"].n_unique() == kept.height
    assert entry["rows"]["test"] == run.scores["test"]["rows"] == 2 * (18 - 1)  # the last day has one day after it
    again = evaluate(run.path, runs=tmp_path / "runs")
    assert again.scores["baselines"] == run.scores["baselines"]


def test_rolling_folds_train_on_the_newest_rows_only(tmp_path: Path) -> None:
    one, other = (
        kfold(write(tmp_path, WAVES.replace("folds: 3", f"folds: 3{more}")), runs=tmp_path / "runs")
        for more in ("", ", max_train_size: 40")
    )
    first, second = (run.scores["folds"][0]["folds"] for run in (one, other))
    assert first[0] == second[0]
    assert first[-1] != second[-1]


def test_whole_series_are_dealt_to_folds_and_an_ensemble_predicts_them(tmp_path: Path) -> None:
    config = write_whole(tmp_path, WHOLE.replace("folds: 2", "folds: 2, ensemble: true"))
    run = kfold(config, runs=tmp_path / "runs", final=True)
    made = predict(run.path, tmp_path / "shapes.csv")
    assert made.rows == 20 * 7
    assert np.allclose(made.values.sum(axis=1) if made.values.ndim > 1 else 1, 1)


def test_time_that_orders_rows_within_whole_series_is_no_leak(dlcli: Dlcli) -> None:
    write_whole(dlcli.folder)
    card = json.loads(dlcli("check", "shapes.yaml", "--data", "--json").stdout)
    assert card["findings"] == []
    assert card["window"]["length"] == 4


def test_a_refit_is_trained_on_the_windows_of_both_subsets(tmp_path: Path) -> None:
    run = train(write(tmp_path), runs=tmp_path / "runs", refit=True, evaluate=True)
    entry = json.loads((run.path / "record.json").read_text())
    assert entry["trained_on"] == ["train", "validation"]
    assert run.scores["train"]["rows"] > entry["rows"]["train"] + entry["rows"]["validation"] - 1


def test_importances_diagnosis_and_report_see_windows(dlcli: Dlcli) -> None:
    write(dlcli.folder, WAVES.replace("epochs: 3", "epochs: 20"))
    assert dlcli("train", "waves.yaml", "--evaluate").exit_code == 0
    for command in ("report", "diagnose"):
        done = dlcli(command, "waves-001")
        assert done.exit_code == 0, done.output
    found = json.loads((dlcli.folder / "runs/waves-001/importance.json").read_text())
    assert {each["name"] for each in found["features"]} == {"wind", "level", "state"}
    assert found["features"][0]["name"] in ("level", "state")


def test_jobs_side_by_side_give_the_same_numbers(dlcli: Dlcli) -> None:
    write(dlcli.folder)
    for jobs in ("1", "2"):
        assert dlcli("kfold", "waves.yaml", "--jobs", jobs).exit_code == 0
    assert scores(dlcli.folder, "waves-001") == scores(dlcli.folder, "waves-002")


STOPPING = "schedule: {custom: 'rates.py:rate'}\n"
RATES = """\
import os, signal

def rate(epoch):
    if epoch >= 3 and os.path.exists("stop"):
        os.remove("stop")
        os.kill(os.getpid(), signal.SIGINT)
    return 0.01
"""


@pytest.mark.parametrize("command", ["train", "kfold"])
def test_an_interrupted_run_goes_on_to_the_same_bits(dlcli: Dlcli, command: str) -> None:
    config = WAVES.replace("epochs: 3", "epochs: 8, checkpoint_every: 0") + STOPPING
    write(dlcli.folder, config)
    (dlcli.folder / "rates.py").write_text(RATES)
    (dlcli.folder / "stop").write_text("")
    assert dlcli(command, "waves.yaml", "--trust").exit_code == 128 + signal.SIGINT
    assert dlcli(command, "--resume", "waves-001", "--trust").exit_code == 0
    assert dlcli(command, "waves.yaml", "--trust").exit_code == 0
    assert scores(dlcli.folder, "waves-001") == scores(dlcli.folder, "waves-002")
    assert record(dlcli.folder, "waves-001")["fitted_hashes"] == record(dlcli.folder, "waves-002")["fitted_hashes"]


# What is predicted


def test_every_row_with_enough_of_the_past_is_predicted_whatever_the_stride(tmp_path: Path) -> None:
    config = WAVES.replace("horizon: 2", "horizon: 2, sequence_stride: 3, sampling_rate: 2")
    run = train(write(tmp_path, config), runs=tmp_path / "runs")
    made = predict(run.path, tmp_path / "waves.csv")
    assert made.rows == 2 * (90 - 8)
    kept = polars.read_parquet(next((run.path / "predictions").glob("validation*")))
    place = {int(row): number for number, row in enumerate(made.row_numbers)}
    for number, name in enumerate(("level+1", "level+2")):
        expected = [made.values[place[row], number] for row in kept["row"].to_list()]
        assert kept[name].to_numpy() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("more", ["", "\n  inputs: [wind]"])
def test_text_that_follows_a_window_is_a_class(tmp_path: Path, more: str) -> None:
    config = WAVES.replace("{column: level, scale: standardize}", f"state{more}").replace("horizon: 2", "horizon: 1")
    run = train(write(tmp_path, config), runs=tmp_path / "runs", evaluate=True)
    assert json.loads((run.path / "record.json").read_text())["goal"]["task"] == "binary"
    rows, cells = (
        polars.read_parquet(next((run.path / "predictions").glob("validation*"))),
        polars.read_csv(tmp_path / "waves.csv"),
    )
    assert rows["actual_state"].to_list() == [cells["state"][row + 2] for row in rows["row"].to_list()]


@pytest.mark.parametrize(
    ("command", "lines", "said"),
    [
        ("predict", waves(2), "no series has the 5 rows that a window takes (4 rows in all)"),
        ("evaluate", waves(3), "no window fits into the 6 rows of few.csv: one needs 7 in a row"),
        ("predict", [line.split(",", 1)[1] for line in waves()], "column missing: place"),
        ("evaluate", [line.split(",", 1)[1] for line in waves()], "column missing: place"),
        ("predict", [",".join(line.split(",")[::3]) for line in waves()], "missing"),
    ],
)
def test_rows_that_fill_no_window_are_one_clear_message(
    dlcli: Dlcli, command: str, lines: list[str], said: str
) -> None:
    train(write(dlcli.folder), runs=dlcli.folder / "runs")
    (dlcli.folder / "few.csv").write_text("\n".join(lines) + "\n")
    given = ("few.csv",) if command == "predict" else ("--data", "few.csv")
    done = dlcli(command, "waves-001", *given)
    assert (done.exit_code, said in done.stderr, done.stderr.count("Traceback")) == (3, True, 0), done.output


# What is said


def raised(config: Path, workflow: Any = train) -> str:
    with pytest.raises(DataError) as caught:
        workflow(config, runs=config.parent / "runs")
    (problem,) = caught.value.problems
    return f"{problem.message}; {problem.suggestion}"


def test_a_series_column_that_is_not_there(tmp_path: Path) -> None:
    assert "column missing: plaice" in raised(write(tmp_path, WAVES.replace("per: place", "per: plaice")))


def test_folds_too_short_for_a_window_are_named(tmp_path: Path) -> None:
    said = raised(write(tmp_path, WAVES.replace("length: 5", "length: 20")), kfold)
    assert "training rows of fold 1/3: one needs 22 in a row" in said
    assert "take fewer folds" in said


def test_time_that_is_left_out_is_said(dlcli: Dlcli) -> None:
    write(dlcli.folder, lines=waves(left_out=(40, 41)))
    notes = json.loads(dlcli("check", "waves.yaml", "--data", "--json").stdout)["notes"]
    expected = "2 of 174 steps in day are longer than the usual one (1 day), first after row 79, 80"
    assert any(note.startswith(expected) for note in notes)
    write(dlcli.folder)
    notes = json.loads(dlcli("check", "waves.yaml", "--data", "--json").stdout)["notes"]
    assert not any("longer" in note for note in notes)


def test_the_card_shows_the_steps_of_a_forecast_as_one(dlcli: Dlcli) -> None:
    write(dlcli.folder)
    assert "level+1 to +2" in (text := dlcli("check", "waves.yaml", "--data").stdout)
    assert "windows of 5 rows, task forecast" in text
    assert "level+2 " not in text


def test_arrays_of_an_npz_file_are_series_too(tmp_path: Path) -> None:
    draw, days = np.random.default_rng(0), np.arange(80)
    frames = draw.integers(0, 255, (80, 3, 4, 1)).astype(np.uint8)
    np.savez(tmp_path / "frames.npz", frame=frames, bright=frames.mean(axis=(1, 2, 3)), day=days)
    config = WAVES.replace("csv: waves.csv", "npz: frames.npz").replace("level", "bright").replace(", per: place", "")
    (tmp_path / "frames.yaml").write_text(config.replace("time: day", "time: day\n  inputs: [frame]"))
    run = train(tmp_path / "frames.yaml", runs=tmp_path / "runs")
    made = predict(run.path, tmp_path / "frames.npz")
    kept = polars.read_parquet(next((run.path / "predictions").glob("validation*")))
    assert made.row_numbers.tolist() == list(range(4, 80))
    assert kept["bright+1"].to_numpy() == pytest.approx(made.values[kept["row"].to_numpy() - 4, 0], abs=1e-6)
    assert evaluate(run.path, data=tmp_path / "frames.npz", runs=tmp_path / "runs").scores["data"]["rows"] == 80 - 6


def test_a_class_is_told_for_one_step(tmp_path: Path) -> None:
    config = write(tmp_path, WAVES.replace("{column: level, scale: standardize}", "state"))
    with pytest.raises(ConfigError, match="answers for one row, but the window's horizon is 2"):
        train(config, runs=tmp_path / "runs")
