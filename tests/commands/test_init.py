"""`dlcli init`: time, series, ids and free text are seen as a careful person would see them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from tests.commands.test_windows import waves
from tests.conftest import Dlcli


def drafted(dlcli: Dlcli, lines: list[str], target: str) -> dict[str, Any]:
    """What is written for a file; it has no problems with its data, and trains."""
    (dlcli.folder / "rows.csv").write_text("\n".join(lines) + "\n")
    done = dlcli("init", "rows.csv", "--target", target, "--output", "rows.yaml")
    assert done.exit_code == 0, done.output
    card = dlcli("check", "rows.yaml", "--data", "--json")
    assert card.exit_code == 0, card.output
    done = dlcli("train", "rows.yaml", "--set", "training.epochs=1", "--quiet")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = yaml.safe_load((dlcli.folder / "rows.yaml").read_text())
    return found


def test_a_number_of_several_even_series_is_forecast(dlcli: Dlcli) -> None:
    written = drafted(dlcli, waves(), "level")
    assert written["data"]["time"] == "day"
    assert written["data"]["window"] == {"length": 9, "horizon": 1, "per": "place", "context": "earlier"}
    assert (written["task"], *written["split"]) == ("forecast", "chronological")


def test_a_class_of_rows_in_time_is_predicted_row_by_row(dlcli: Dlcli) -> None:
    written = drafted(dlcli, waves(), "state")
    assert written["data"]["time"] == "day"
    assert "window" not in written["data"]
    assert (written["task"], *written["split"]) == ("binary", "chronological")


def test_a_date_that_is_a_fact_about_a_row_orders_nothing(dlcli: Dlcli) -> None:
    draw = np.random.default_rng(0)
    lines = ["born,x,y"]
    for day, x in zip(draw.integers(0, 20_000, 80), draw.normal(size=80), strict=True):
        lines.append(f"{np.datetime64('1950-01-01') + int(day)},{x:.3f},{x + 1:.3f}")
    written = drafted(dlcli, lines, "y")
    assert "time" not in written["data"]
    assert written["data"]["ignore"] == ["born"]


def test_ids_are_left_out_as_the_leak_guard_finds_them(dlcli: Dlcli) -> None:
    draw = np.random.default_rng(0)
    lines = ["row,customer,code,x,kind"]
    for row, customer in enumerate(draw.permutation(np.arange(5_000, 5_400))[:200]):
        lines.append(f"{row * 3},{customer},k-{customer}-{row},{draw.normal():.9f},{'ab'[row % 2]}")
    assert drafted(dlcli, lines, "kind")["data"]["ignore"] == ["row", "customer", "code"]
    assert json.loads(dlcli("check", "rows.yaml", "--data", "--json").stdout)["findings"] == []


def test_a_single_input_is_kept_though_it_counts_up(dlcli: Dlcli) -> None:
    written = drafted(dlcli, ["x,y", *(f"{x},{x * x}" for x in range(1, 80))], "y")
    assert "ignore" not in written["data"]


def test_free_text_is_read(dlcli: Dlcli) -> None:
    draw = np.random.default_rng(0)
    words = ["the", "film", "was", "long", "and", "good", "bad", "very", "a", "day"]
    lines = ["title,review,kind"]
    for row in range(120):
        title, review = (" ".join(draw.choice(words, count)) for count in (3, 14))
        lines.append(f"{title} {row},{review} {row},{'ab'[row % 2]}")
    written = drafted(dlcli, lines, "kind")
    assert written["data"]["ignore"] == ["title"]
    assert written["preprocessing"] == [{"tokens": {"output": "tf_idf", "max_tokens": 10_000}}]


@pytest.mark.parametrize(
    ("file", "target", "time", "length"),
    [
        ("daily-min-temperatures.csv", "Temp", "Date", 14),
        ("airline-passengers.csv", "Passengers", "Month", 12),
        ("ETTh1.csv.gz", "OT", "date", 24),
    ],
)
def test_real_series_are_forecast(
    dlcli: Dlcli, shared_data: Path, file: str, target: str, time: str, length: int
) -> None:
    done = dlcli("init", shared_data / "series" / file, "--target", target, "--output", "real.yaml")
    assert done.exit_code == 0
    data = yaml.safe_load((dlcli.folder / "real.yaml").read_text())["data"]
    assert (data["time"], data["window"]["length"]) == (time, length)
    assert dlcli("train", "real.yaml", "--set", "training.epochs=1", "--quiet").exit_code == 0


def test_a_file_that_says_itself_what_it_holds_needs_no_look(dlcli: Dlcli) -> None:
    (dlcli.folder / "rows.parquet").write_bytes(b"PAR1")
    done = dlcli("init", "rows.parquet", "--target", "y")
    assert done.exit_code == 3
    assert "`source: {parquet: rows.parquet}`" in done.stderr
