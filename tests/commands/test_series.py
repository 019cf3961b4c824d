"""Forecasts from the command line: real series, the exported model, new rows, and rows that must not matter."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars
import pytest

from dlcli import evaluate, kfold, predict, train
from tests.commands.configs import CONFIGS

STATIONS = """\
data:
  source: {csv: stations.csv}
  target: [heat, rain]
  time: hour
  ignore: [alarm]
  window: {length: 4, horizon: 2, per: station, context: earlier}
split: {chronological: {validation: 0.2, test: 0.2}}
architecture: [flatten, dense: 4]
training: {epochs: 2}
"""


def write(folder: Path, config: str, *, poisoned: float | None = None) -> Path:
    """Two stations of 100 hours, mixed; of the last ones, which are test rows, everything may be poisoned."""
    folder.mkdir(exist_ok=True)
    generator = np.random.default_rng(0)
    lines = ["station,hour,kind,heat,rain,alarm"]
    for hour in range(100):
        for station in ("north", "south"):
            heat, rain = np.sin(hour / 4) + generator.normal() / 9, generator.random()
            if poisoned is not None and hour >= 80:
                heat, rain = poisoned, -poisoned
            kind, moment = "wet" if rain > 0.5 else "dry", f"2024-01-{1 + hour // 24:02} {hour % 24:02}:00"
            lines.append(f"{station},{moment},{kind},{heat:.4f},{rain:.4f},{'yes' if heat > 0 else 'no'}")
    (folder / "stations.csv").write_text("\n".join(lines) + "\n")
    (folder / "series.yaml").write_text(config)
    return folder / "series.yaml"


def validation_predictions(run: Path) -> polars.DataFrame:
    return polars.read_parquet(next((run / "predictions").glob("validation*")))


def learned(run: Path) -> dict[str, Any]:
    import keras

    return {
        "state": json.loads((run / "record.json").read_text())["preprocessing_state"],
        "history": [line.rsplit(",", 1)[0] for line in (run / "history.csv").read_text().splitlines()],
        "weights": [each.tobytes() for each in keras.models.load_model(run / "model.keras").get_weights()],
    }


def test_several_targets_several_steps_ahead_of_several_series(tmp_path: Path) -> None:
    run = train(write(tmp_path, STATIONS), runs=tmp_path / "runs", evaluate=True)
    rows = validation_predictions(run.path)
    assert [name for name in rows.columns if name.startswith("actual_")] == [
        "actual_heat+1", "actual_rain+1", "actual_heat+2", "actual_rain+2"
    ]  # fmt: skip
    assert len(rows) == 2 * 19
    assert [each["name"] for each in run.scores["test"]["scores"]] == ["mae", "mase"]
    cells = polars.read_csv(tmp_path / "stations.csv")
    first = rows.sort("row").row(0, named=True)
    assert first["actual_heat+1"] == cells["heat"][first["row"] + 2]  # the other station stands between
    assert first["actual_rain+2"] == cells["rain"][first["row"] + 4]


def test_new_rows_of_a_series_get_the_numbers_of_the_validation_rows(tmp_path: Path) -> None:
    run = train(write(tmp_path, STATIONS), runs=tmp_path / "runs")
    made, kept = predict(run.path, tmp_path / "stations.csv"), validation_predictions(run.path)
    assert made.rows == 2 * 97  # also of the last row, whose future nobody knows
    place = {int(row): number for number, row in enumerate(made.row_numbers)}
    for number, name in enumerate(("heat+1", "rain+1", "heat+2", "rain+2")):
        expected = [made.values[place[row], number] for row in kept["row"].to_list()]
        assert kept[name].to_numpy() == pytest.approx(expected, abs=1e-6)


def test_plain_keras_takes_raw_windows(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    run = train(write(tmp_path, STATIONS), runs=tmp_path / "runs")
    cells, kept = polars.read_csv(tmp_path / "stations.csv"), validation_predictions(run.path)
    row = kept["row"][0]
    window = cells[row - 6 : row + 1 : 2]
    model = keras.models.load_model(run.path / "model.keras")
    given = {
        "kind": tf.constant([window["kind"].to_list()]),
        "heat": tf.constant([window["heat"].to_list()], tf.float64),
        "rain": tf.constant([window["rain"].to_list()], tf.float64),
    }
    assert np.ravel(model(given)) == pytest.approx(
        [kept[name][0] for name in ("heat+1", "rain+1", "heat+2", "rain+2")], abs=1e-6
    )


def test_the_last_row_of_a_window_may_be_what_is_classified(tmp_path: Path) -> None:
    config = (
        STATIONS.replace("[heat, rain]", "alarm").replace("horizon: 2", "horizon: 0").replace("  ignore: [alarm]\n", "")
    )
    run = train(write(tmp_path, config), runs=tmp_path / "runs")
    record = json.loads((run.path / "record.json").read_text())
    assert record["goal"]["task"] == "binary"
    assert set(record["data_schema"]["columns"]) == {"kind", "heat", "rain"}
    rows, cells = validation_predictions(run.path), polars.read_csv(tmp_path / "stations.csv")
    assert rows["actual_alarm"].to_list() == cells["alarm"][rows["row"].to_list()].to_list()


def test_a_target_whose_past_is_no_input_is_predicted_from_the_rest(tmp_path: Path) -> None:
    config = STATIONS.replace("target: [heat, rain]", "target: heat\n  inputs: [rain, kind]")
    run = train(write(tmp_path, config), runs=tmp_path / "runs")
    assert set(json.loads((run.path / "record.json").read_text())["data_schema"]["columns"]) == {"rain", "kind"}


@pytest.mark.parametrize("workflow", [train, kfold])
@pytest.mark.parametrize("context", ["own", "earlier"])
def test_test_rows_of_a_series_change_nothing(tmp_path: Path, workflow: Any, context: str) -> None:
    config = STATIONS.replace("earlier", context) + "kfold: {folds: 2}\n"
    runs = [
        workflow(write(tmp_path / name, config, poisoned=poison), runs=tmp_path / name / "runs")
        for name, poison in (("clean", None), ("poisoned", 1e9))
    ]
    if workflow is train:
        assert learned(runs[0].path) == learned(runs[1].path)
        assert runs[0].scores["validation"] == runs[1].scores["validation"]
        assert runs[0].scores["baselines"] == runs[1].scores["baselines"]
    else:
        assert runs[0].scores["folds"] == runs[1].scores["folds"]


def test_a_model_is_scored_on_the_series_of_another_file(tmp_path: Path) -> None:
    config = write(tmp_path, STATIONS)
    run = train(config, runs=tmp_path / "runs")
    found = evaluate(run.path, data=tmp_path / "stations.csv", runs=tmp_path / "runs")
    assert found.scores["data"]["rows"] == 2 * 95


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("split: {chronological: {validation: 0.2, test: 0.2}}\n", "", "nothing says in which order"),
        ("chronological", "random", "a random split tears windows apart"),
        ("horizon: 2", "horizon: 0, gap: 1", "there is no gap before it"),
        ("training:", "task: regression\ntraining:", "numbers that follow a window are a forecast"),
        ("  window: {length: 4, horizon: 2, per: station, context: earlier}\n", "", "a forecast needs"),
        ("length: 4", "length: 90", "no window fits into the"),
        (", per: station", "", "a window could not tell which comes first"),
    ],
)
def test_what_a_window_cannot_do_is_said(tmp_path: Path, old: str, new: str, said: str) -> None:
    from dlcli.problems import DlcliError

    config = STATIONS.replace(old, new)
    if said.startswith("nothing"):
        config = config.replace("  time: hour\n", "")
    if said.startswith("a forecast needs"):
        config += "task: forecast\n"
    with pytest.raises(DlcliError) as caught:
        train(write(tmp_path, config), runs=tmp_path / "runs")
    assert said in " ".join(problem.message for problem in caught.value.problems)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["temperatures", "airline", "etth1"])
def test_real_series_are_forecast_better_than_by_their_last_value(
    name: str, tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLCLI_DATA", str(shared_data))
    run = train(CONFIGS / f"{name}.yaml", runs=tmp_path, evaluate=True)
    simple = next(each for each in run.scores["baselines"] if each["kind"] == "persistence")
    ours = run.scores["test"]["scores"][0]["value"]
    assert ours < simple["subsets"]["test"]["scores"][0]["value"]
