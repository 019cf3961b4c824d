"""`dlcli evaluate --data`: another file is scored, and each look at its rows counts."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_wine

from tests.commands.configs import SMALL, flowers, scores, write_csv, write_small
from tests.conftest import Dlcli, Finished


def looks_in(folder: Path) -> list[dict[str, Any]]:
    ledger = folder / "runs/ledger.jsonl"
    return [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


def kept(folder: Path, number: int = 1, run: str = "small-001") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"runs/{run}/evaluations/{number}.json").read_text())
    return found


def scored_rows(folder: Path, subset: str) -> list[list[str]]:
    """The header and the rows of a subset, as the data file has them."""
    rows = flowers()
    numbers = pl.read_parquet(folder / f"runs/small-001/predictions/{subset}.parquet")["row"].to_list()
    return [rows[0], *(rows[1 + number] for number in numbers)]


@pytest.fixture
def evaluated(dlcli: Dlcli) -> Dlcli:
    """A folder with a run that has looked at its test rows once."""
    write_small(dlcli.folder)
    assert dlcli("train", "small.yaml", "--evaluate").exit_code == 0
    return dlcli


def test_a_copy_of_the_test_rows_is_a_look_at_them(evaluated: Dlcli) -> None:
    folder = evaluated.folder
    header, *rows = scored_rows(folder, "test")
    random.Random(0).shuffle(rows)
    pl.DataFrame(rows, header, orient="row").select(reversed(header)).write_csv(
        folder / "copy.csv", quote_style="always"
    )
    assert evaluated("evaluate", "small-001").exit_code == 0
    assert scores(folder, "small-001")["looks"] == 2
    printed = json.loads(evaluated("evaluate", "small-001", "--data", "copy.csv", "--json").stdout)
    found = kept(folder)
    assert printed["scores"] == found
    assert (found["looks"], found["data"]["rows"], found["shared_rows"]) == (3, 24, {"train": 0, "validation": 0})
    assert found["looks_bound"] > 0
    own = scores(folder, "small-001")
    assert found["data"]["scores"] == own["test"]["scores"]
    for mine, other in zip(own["baselines"], found["baselines"], strict=True):
        if mine["kind"] != "stratified":  # a guess falls on other rows
            assert other["subsets"]["data"] == mine["subsets"]["test"]
    assert own["looks"] == 2
    assert [look["command"] for look in looks_in(folder)] == ["train --evaluate", "evaluate", "evaluate --data"]
    assert found["ledger_line"] == looks_in(folder)[-1]["hash"]
    assert evaluated("evaluate", "small-001").exit_code == 0
    assert scores(folder, "small-001")["looks"] == 4


def test_a_look_at_some_of_the_rows_counts_and_says_how_many(evaluated: Dlcli) -> None:
    write_csv(evaluated.folder / "some.csv", [*scored_rows(evaluated.folder, "test")[:6], ["1", "1", "red", "rose"]])
    done = evaluated("evaluate", "small-001", "--data", "some.csv")
    assert "5 of these 6 rows were looked at before" in done.output
    assert "these rows, or some of them, looked at 2 times" in done.stdout
    assert evaluated("train", "small.yaml", "--evaluate", "--set", "split.stratified.seed=1").exit_code == 0
    assert scores(evaluated.folder, "small-002")["looks"] > 1


def test_rows_that_the_model_was_trained_on_or_chosen_by_are_counted(evaluated: Dlcli) -> None:
    train, validation = flowers()[:1], scored_rows(evaluated.folder, "validation")[:4]
    taken = {tuple(row) for subset in ("test", "validation") for row in scored_rows(evaluated.folder, subset)}
    train += [row for row in flowers()[1:] if tuple(row) not in taken][:5]
    write_csv(evaluated.folder / "train.csv", train)
    write_csv(evaluated.folder / "both.csv", train + validation[1:])
    done = evaluated("evaluate", "small-001", "--data", "train.csv")
    assert "5 training rows of the run are among the 5 rows of train.csv: this score flatters" in done.output
    done = evaluated("evaluate", "small-001", "--data", "both.csv")
    assert "5 training and 3 validation rows of the run are among the 8 rows of both.csv" in done.output
    starred = [[each["starred"] for each in kept(evaluated.folder, number)["data"]["scores"]] for number in (1, 2)]
    assert starred == [[True, True], [True, True]]
    assert "* some of these rows trained the model or chose for it, so this score flatters" in done.stdout


NEW = "width,length,colour,kind\n"


BAD = {
    NEW + "1,2,red,tulip\n1,2,red,rose\n": "kind holds tulip (1 rows), of which the run knows no class",
    "width,length,colour\n1,2,red\n": "target column not there: kind",
    "width,colour,kind\n1,red,rose\n": "column missing: length",
    NEW + "1,2,red,\n": "1 of 1 rows have no kind",
}


def test_a_file_that_cannot_be_scored_is_no_look(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--set", "training.epochs=1")
    missing = dlcli("evaluate", "small-001", "--data", "new.csv")
    assert (missing.exit_code, "file not found" in missing.stderr) == (3, True)
    for text, said in BAD.items():
        (dlcli.folder / "new.csv").write_text(text)
        done = dlcli("evaluate", "small-001", "--data", "new.csv")
        assert (done.exit_code, said in done.output) == (3, True)
    assert looks_in(dlcli.folder) == []
    assert not (dlcli.folder / "runs/small-001/evaluations").exists()


def test_without_the_data_of_the_run_the_file_is_scored_alone(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--set", "training.epochs=1")
    (dlcli.folder / "flowers.csv").rename(dlcli.folder / "moved.csv")
    done = dlcli("evaluate", "small-001", "--data", "moved.csv")
    assert done.exit_code == 0
    assert "not checked for rows that the model was trained on, and no baselines" in done.output
    found = kept(dlcli.folder)
    assert (found["data"]["rows"], found["shared_rows"], found["baselines"], found["verdicts"]) == (120, None, [], {})


WEIGHTED = SMALL.replace("target: kind\n", "target: kind\n  weight: copies\n  group: patch\n  ignore: day\n") + (
    "evaluation: {slices: [colour]}\n"
)


def test_weights_groups_and_slices_of_the_file_count_where_it_has_them(dlcli: Dlcli) -> None:
    def table(copies: list[str]) -> list[list[str]]:
        header, *rows = flowers()
        more = [[copies[number % len(copies)], f"p{number % 12}", str(number)] for number in range(len(rows))]
        return [[*header, "copies", "patch", "day"], *(row + last for row, last in zip(rows, more, strict=True))]

    write_small(dlcli.folder, WEIGHTED)
    write_csv(dlcli.folder / "flowers.csv", table(["1", "2"]))
    assert dlcli("train", "small.yaml", "--set", "split=grouped").exit_code == 0

    def first_score(rows: list[list[str]]) -> tuple[Finished, dict[str, Any]]:
        write_csv(dlcli.folder / "new.csv", rows)
        done = dlcli("evaluate", "small-001", "--data", "new.csv")
        assert done.exit_code == 0, done.output
        return done, kept(dlcli.folder, len(looks_in(dlcli.folder)))["data"]

    doubled, repeated = (first_score(table(copies))[1] for copies in (["2", "0"], ["1", "0"]))
    assert doubled["scores"][0]["value"] == pytest.approx(repeated["scores"][0]["value"])
    assert "jackknife" in doubled["scores"][0]["method"]
    assert {each["value"] for each in doubled["slices"]} == {"red", "blue", "white"}
    done, bare = first_score(flowers())
    for name, without in (("copies", "every row counts alike"), ("patch", "rows count as independent")):
        assert f"there is no column {name} in new.csv: {without}" in done.output
    assert "new.csv lacks copies, patch, day: whether its rows were trained on, or looked at before," in done.output
    assert bare["scores"][0]["method"] == "Wilson"


def test_a_table_of_the_rows_of_a_builtin_source_holds_those_rows(dlcli: Dlcli) -> None:
    config = "data: {source: {builtin: wine}}\narchitecture: [dense: 4]\ntraining: {epochs: 2}\n"
    (dlcli.folder / "wine.yaml").write_text(config)
    assert dlcli("train", "wine.yaml", "--evaluate").exit_code == 0
    wine = load_wine()
    labels = pl.Series("label", wine.target_names[wine.target].tolist())
    pl.DataFrame(wine.data, wine.feature_names).with_columns(labels).write_csv(dlcli.folder / "wine.csv")
    assert dlcli("evaluate", "wine-001", "--data", "wine.csv").exit_code == 0
    found, own = kept(dlcli.folder, run="wine-001"), scores(dlcli.folder, "wine-001")
    assert found["looks"] == 2
    assert found["shared_rows"] == {name: own[name]["rows"] for name in ("train", "validation")}


def test_a_target_of_vectors_is_found_again_in_the_run_and_in_a_file(dlcli: Dlcli) -> None:
    x = np.random.default_rng(0).normal(size=(80, 3))
    np.savez(dlcli.folder / "data.npz", x=x, y=x[:, :2], more=np.zeros(5))
    np.savez(dlcli.folder / "new.npz", x=x[:10], y=x[:10, :2], more=np.zeros(5))
    source = "{npz: {path: data.npz, inputs: x, target: y}}"
    config = f"data: {{source: {source}}}\narchitecture: [dense: 4]\ntraining: {{epochs: 1}}\n"
    (dlcli.folder / "arrays.yaml").write_text(config)
    assert dlcli("train", "arrays.yaml").exit_code == 0
    assert dlcli("evaluate", "arrays-001").exit_code == 0
    assert dlcli("evaluate", "arrays-001", "--data", "new.npz").exit_code == 0
    found = kept(dlcli.folder, run="arrays-001")
    assert found["data"]["rows"] == 10
    assert found["looks"] == 1 + (sum(found["shared_rows"].values()) < 10)
