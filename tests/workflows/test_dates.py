"""Dates from the file to `model.keras`, and the rows that `data.where` leaves."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dlcli import predict, train
from dlcli.samples import NO_TIME
from tests.commands.configs import write_csv

CONFIG = """\
data: {source: {csv: days.csv}, target: y, where: x < 100}
split: {random: {validation: 0.2, test: 0.1}}
architecture: [dense: 4]
training: {epochs: 2}
"""
HEADER = ["when", "x", "y"]


def days(rows: int) -> list[list[str]]:
    generator = np.random.default_rng(0)
    dates = np.datetime64("2015-01-01T00:00") + generator.integers(0, 3 * 365 * 24 * 60, rows)
    table = [
        [str(date), repr(float(x)), repr(float(x) + 1)]
        for date, x in zip(dates, generator.normal(size=rows), strict=True)
    ]
    table[5][0] = ""
    table[7][1] = "1000"
    return table


def test_a_date_is_trained_on_predicted_and_asked_for_by_the_model(tmp_path: Path) -> None:
    import keras
    import tensorflow as tf

    table = days(80)
    write_csv(tmp_path / "days.csv", [HEADER, *table])
    (tmp_path / "days.yaml").write_text(CONFIG)
    run = train(tmp_path / "days.yaml", runs=tmp_path / "runs")
    record = json.loads((run.path / "record.json").read_text())
    assert [step["step"] for step in record["preprocessing_state"]["steps"]] == ["date_parts", "impute", "standardize"]
    write_csv(tmp_path / "new.csv", [HEADER[:2], *(row[:2] for row in table[:8])])
    predicted = predict("latest", tmp_path / "new.csv", runs=tmp_path / "runs").values[:, 0]
    assert len(predicted) == 8  # the row that `where` refuses is predicted, too
    model = keras.saving.load_model(run.path / "model.keras")
    seconds = [int(np.datetime64(row[0], "s").astype(np.int64)) if row[0] else NO_TIME for row in table[:8]]
    raw = {
        "when": tf.constant([[each] for each in seconds], dtype=tf.int64),
        "x": tf.constant([[float(row[1])] for row in table[:8]], dtype=tf.float64),
    }
    np.testing.assert_allclose(model(raw).numpy()[:, 0], predicted, atol=1e-6)


def test_rows_that_do_not_pass_take_part_in_nothing(tmp_path: Path) -> None:
    table = days(80)
    learned = []
    for name, rows in {"filtered": table, "cut": [row for row in table if row[1] != "1000"]}.items():
        (tmp_path / name).mkdir()
        write_csv(tmp_path / name / "days.csv", [HEADER, *rows])
        (tmp_path / name / "days.yaml").write_text(CONFIG)
        run = train(tmp_path / name / "days.yaml", runs=tmp_path / name / "runs")
        learned.append(
            (json.loads((run.path / "record.json").read_text())["preprocessing_state"], run.scores["validation"])
        )
    assert learned[0] == learned[1]
