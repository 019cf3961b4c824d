"""`dlcli check`, `init`, `runs`, `parts`, `schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands.configs import scores, write_small
from tests.conftest import Dlcli


def test_check_with_data_shows_subsets_kinds_and_the_network(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    result = json.loads(dlcli("check", "small.yaml", "--data", "--json").stdout)
    assert result["task"] == "binary"
    assert result["classes"] == ["daisy", "rose"]
    assert result["rows"] == {"train": 72, "validation": 24, "test": 24}
    assert result["columns"]["colour"]["kind"] == "categorical"
    assert [layer["parameters"] for layer in result["layers"]] == [56, 9]


def test_check_trains_nothing(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("check", "small.yaml", "--data")
    assert not (dlcli.folder / "runs").exists()


def test_init_writes_a_config_that_trains_and_beats_the_baseline(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    text = dlcli("init", "flowers.csv", "--target", "kind").stdout
    (dlcli.folder / "first.yaml").write_text(text)
    assert dlcli("train", "first.yaml").exit_code == 0
    kept = scores(dlcli.folder, "first-001")
    baseline = kept["baselines"][0]["subsets"]["validation"]
    reached, baseline = (each["scores"][0]["value"] for each in (kept["validation"], baseline))
    assert reached > baseline + 0.1


@pytest.mark.parametrize(
    ("file", "target"),
    [
        ("tabular/titanic.csv", "Survived"),
        ("tabular/penguins.csv", "species"),
        ("tabular/winequality-red.csv", "quality"),
        ("tabular/heart.csv", "target"),
        ("tabular/housing.csv.gz", "median_house_value"),
        ("tabular/bank-additional.csv.gz", "y"),
    ],
)
def test_init_of_real_tables_trains(dlcli: Dlcli, shared_data: Path, file: str, target: str) -> None:
    done = dlcli("init", shared_data / file, "--target", target, "--output", "real.yaml")
    assert done.exit_code == 0
    assert dlcli("train", "real.yaml", "--set", "training.epochs=2", "--quiet").exit_code == 0


def test_init_without_a_target_says_which_columns_there_are(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("init", "flowers.csv")
    assert done.exit_code == 2
    assert "width, length, colour, kind" in done.stderr


def test_init_overwrites_nothing(dlcli: Dlcli) -> None:
    config = write_small(dlcli.folder)
    before = config.read_text()
    assert dlcli("init", "flowers.csv", "--target", "kind", "--output", "small.yaml").exit_code == 2
    assert config.read_text() == before


def test_runs_lists_what_was_run(dlcli: Dlcli) -> None:
    assert "no runs yet" in dlcli("runs").stdout
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    (row,) = json.loads(dlcli("runs", "--json").stdout)
    assert (row["run"], row["status"], row["on"]) == ("small-001", "completed", "validation")


def test_parts_describes_a_part_with_its_fields(dlcli: Dlcli) -> None:
    card = json.loads(dlcli("parts", "layer", "dropout", "--json").stdout)
    assert card["fields"]["rate"]["main"]
    assert card["fields"]["rate"]["range"] == "a number of at least 0 and below 1"


def test_parts_answers_a_wrong_name_with_the_nearest(dlcli: Dlcli) -> None:
    done = dlcli("parts", "layer", "dens")
    assert done.exit_code == 2
    assert "dense" in done.stderr


def test_schema_is_json_schema(dlcli: Dlcli) -> None:
    schema = json.loads(dlcli("schema").stdout)
    assert "architecture" in schema["properties"]
