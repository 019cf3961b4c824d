"""`dlcli check --data` and `dlcli doctor`: what is known before anything is trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console

from tests.commands.configs import SMALL, flowers, record, write_csv, write_small
from tests.conftest import Dlcli


def leaking(folder: Path) -> Path:
    """A table in which a column numbers the rows."""
    config = write_small(folder)
    header, *rows = flowers()
    write_csv(folder / "flowers.csv", [["row", *header], *([str(place), *row] for place, row in enumerate(rows, 500))])
    return config


def test_the_card_describes_columns_target_and_subsets(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    card = json.loads(dlcli("check", "small.yaml", "--data", "--json").stdout)
    width, colour = card["columns"]["width"], card["columns"]["colour"]
    assert (width["kind"], width["missing"], len(width["histogram"])) == ("numeric", 0, 10)
    assert width["low"] < width["mean"] < width["high"]
    assert sum(colour["values"].values()) == 96  # test rows are counted, not described
    assert sum(card["target"]["kind"]["values"].values()) == 96
    assert (card["split"], card["duplicates"], card["findings"]) == ("stratified", {"rows": 120, "repeated": 0}, [])


def test_values_of_test_rows_are_not_in_the_card(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("{stratified: {validation: 0.2, test: 0.2}}", "{predefined: part}"))
    header, *rows = flowers()
    parts = ["train"] * 80 + ["validation"] * 20 + ["test"] * 20
    rows[-1][0] = "1e6"
    write_csv(
        dlcli.folder / "flowers.csv",
        [[*header, "part"], *([*row, part] for row, part in zip(rows, parts, strict=True))],
    )
    card = json.loads(dlcli("check", "small.yaml", "--data", "--json").stdout)
    assert card["columns"]["width"]["high"] < 10


def test_a_finding_has_a_code_and_says_what_to_write(dlcli: Dlcli) -> None:
    leaking(dlcli.folder)
    done = dlcli("check", "small.yaml", "--data")
    assert "id-like-column  row is different in every row" in done.stdout
    assert "ignore: [row]" in done.stdout


def test_findings_stand_in_the_record_of_a_run_and_are_said(dlcli: Dlcli) -> None:
    leaking(dlcli.folder)
    done = dlcli("train", "small.yaml")
    assert "warning: id-like-column: row" in done.output
    assert any(text.startswith("id-like-column: row") for text in record(dlcli.folder, "small-001")["warnings"])


def test_refused_duplicates_are_listed(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("target: kind", "target: kind\n  duplicates: refuse"))
    rows = flowers()
    write_csv(dlcli.folder / "flowers.csv", [*rows, rows[1], rows[2]])
    done = dlcli("train", "small.yaml")
    assert done.exit_code == 4
    assert "2 of 122 rows repeat an earlier row; the first are rows 121, 122" in done.stderr
    assert not (dlcli.folder / "runs").exists()


@pytest.mark.parametrize("columns", [60, 100])
def test_the_card_fits_a_terminal(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlcli.terminal import data_card

    monkeypatch.setattr(data_card, "make_console", lambda: Console(width=columns, markup=False, highlight=False))
    number = {"kind": "numeric", "shape": [], "missing": 3, "distinct": 9, "low": 0.0, "high": 2e5, "mean": 7.0}
    words = {f"value {place}": 100 - place for place in range(9)}
    data_card.print_data(
        {
            "config": "a.yaml",
            "notes": [],
            "rows": {"train": 70, "validation": 20, "test": 10},
            "split": "random",
            "task": "regression",
            "duplicates": {"rows": 100, "repeated": 4},
            "columns": {
                "a long name that goes on and on": number | {"histogram": list(range(10))},
                "b": {"kind": "categorical", "shape": [], "missing": 0, "distinct": 40, "values": words},
            },
            "target": {"y": number | {"histogram": [1] * 10}},
            "findings": [{"code": "shared-rows", "message": "word " * 40, "suggestion": "do", "rows": [1, 2]}],
            "layers": [{"name": "dense", "shape": [4], "parameters": 12}],
        }
    )
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= columns
    assert "repeated rows: 4" in lines


def test_doctor_tells_versions_and_folders(dlcli: Dlcli) -> None:
    found = json.loads(dlcli("doctor", "--json", TFDS_DATA_DIR="/nowhere/at/all").stdout)
    assert found["versions"].keys() >= {"dlcli", "tensorflow", "keras"}
    runs, kept, prepared = found["folders"]
    assert (kept["path"], kept["from"]) == (str(dlcli.folder / "cache"), "DLCLI_CACHE")
    assert found["cache"] == {"bytes": 0, "most_bytes": 50 * 10**9, "cleared_bytes": 0}
    assert runs["path"] == str(dlcli.folder / "runs")
    assert (prepared["from"], prepared["exists"]) == ("TFDS_DATA_DIR", False)
    assert "cores may be used" in dlcli("doctor").stdout
