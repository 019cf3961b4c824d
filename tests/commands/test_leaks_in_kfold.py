"""The leak guard before a k-fold: what stands in two folds, or in a fold and in test, is said once."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.commands.configs import SMALL, flowers, record, write_csv
from tests.conftest import Dlcli

KEPT = SMALL.replace("target: kind", "target: kind\n  duplicates: keep")
SENTENCE = "the waiter was slow and the soup was cold but we liked the cake that came at table number {}"


def write(folder: Path, rows: list[list[str]], text: str = KEPT) -> None:
    write_csv(folder / "flowers.csv", rows)
    (folder / "small.yaml").write_text(text)


def said(dlcli: Dlcli, command: str = "kfold") -> list[str]:
    """The findings, as they were printed and kept."""
    folds = ("--folds", "3", "--repeats", "2") if command == "kfold" else ()
    done = dlcli(command, "small.yaml", *folds, "--set", "training.epochs=1")
    assert done.exit_code == 0, done.output
    kept = [text for text in record(dlcli.folder, "small-001")["warnings"] if "-" in text.split(":", 1)[0]]
    flat = " ".join(done.output.split())
    for text in kept:
        assert flat.count(text.split(" (", 1)[0]) == 1
    return kept


def only(texts: list[str], code: str) -> list[str]:
    return [text for text in texts if text.startswith(f"{code}: ")]


@pytest.mark.parametrize("command", ["train", "kfold"])
def test_refused_rows_are_listed_and_nothing_is_begun(dlcli: Dlcli, command: str) -> None:
    rows = flowers()
    write(dlcli.folder, [*rows, *rows[1:13]], KEPT.replace("keep", "refuse"))
    done = dlcli(command, "small.yaml")
    assert done.exit_code == 4
    message = (
        "12 of 132 rows repeat an earlier row; the first are rows 121, 122, 123, 124, 125, 126, 127, 128, 129, 130,"
    )
    assert message in " ".join(done.stderr.split())
    assert "duplicates: drop" in done.stderr
    assert not (dlcli.folder / "runs").exists()


def test_refused_rows_are_numbered_as_in_the_file(dlcli: Dlcli) -> None:
    rows = flowers()
    rows[1][-1] = rows[2][-1] = ""
    text = KEPT.replace("keep", "refuse\n  missing_target: drop")
    write(dlcli.folder, [*rows, rows[5]], text)
    assert "it is row 121" in dlcli("kfold", "small.yaml").stderr


def test_rows_that_stand_in_two_folds_are_told_once(dlcli: Dlcli) -> None:
    rows = flowers()
    write(dlcli.folder, [*rows, *rows[1:25]])
    told = only(said(dlcli), "shared-rows")
    assert len(told) == 2
    assert "test rows also stand in train" in told[0]
    assert "rows also stand in another fold" in told[1]


def test_equal_rows_that_are_kept_together_stand_in_no_two_folds(dlcli: Dlcli) -> None:
    rows = flowers()
    write(dlcli.folder, [*rows, *rows[1:13]], SMALL)
    assert said(dlcli) == []


def test_a_group_in_two_folds_is_told_once(dlcli: Dlcli) -> None:
    header, *rows = flowers()
    owned = [[*row, f"owner {place // 2}"] for place, row in enumerate(rows)]
    write(dlcli.folder, [[*header, "owner"], *owned], KEPT.replace("target: kind", "target: kind\n  group: owner"))
    told = only(said(dlcli), "shared-groups")
    assert len(told) == 2
    assert "groups have rows in several folds" in told[1]
    assert all("split: grouped" in text for text in told)


def test_grouped_folds_share_no_group(dlcli: Dlcli) -> None:
    header, *rows = flowers()
    owned = [[*row, f"owner {place // 4}"] for place, row in enumerate(rows)]
    text = SMALL.replace("stratified: {validation", "grouped: {column: owner, validation")
    write(dlcli.folder, [[*header, "owner"], *owned], text)
    assert said(dlcli) == []


def test_contradicting_rows_are_told_once(dlcli: Dlcli) -> None:
    rows = flowers()
    other = [[*row[:-1], "daisy" if row[-1] == "rose" else "rose"] for row in rows[1:25]]
    write(dlcli.folder, [*rows, *other])
    told = said(dlcli)
    assert len(only(told, "contradicting-rows")) == 1
    assert "in another fold" in only(told, "shared-inputs")[-1]


def test_texts_that_are_almost_the_same_in_test_and_in_folds_are_told(dlcli: Dlcli) -> None:
    generator = np.random.default_rng(0)
    words = np.array(
        [
            "red",
            "green",
            "blue",
            "warm",
            "cold",
            "small",
            "large",
            "old",
            "new",
            "soft",
            "hard",
            "dry",
            "wet",
            "thin",
            "round",
            "flat",
        ]
    )
    rows = [[" ".join(generator.choice(words, 12)), "yes" if place % 2 else "no"] for place in range(90)]
    rows += [[SENTENCE.format(place), "yes" if place % 2 else "no"] for place in range(30)]
    text = SMALL.replace("  - one_hot\n  - standardize\n", "  - tokens\n").replace(
        "target: kind", "target: kind\n  text: [colour]"
    )
    write(dlcli.folder, [["colour", "kind"], *rows], text)
    told = only(said(dlcli), "near-duplicates")
    assert len(told) == 2
    assert "test texts have almost the same text in an earlier subset" in told[0]
    assert "30 texts" not in told[1]
    assert "texts have almost the same text in another fold" in told[1]


def test_findings_are_the_same_in_check_and_in_train(dlcli: Dlcli) -> None:
    rows = flowers()
    write(dlcli.folder, [*rows, *rows[1:25]])
    card = json.loads(dlcli("check", "small.yaml", "--data", "--json").stdout)
    told = said(dlcli, "train")
    assert [f"{each['code']}: {each['message']}" for each in card["findings"]] == [
        text.split(" (row", 1)[0] for text in told
    ]
    assert card["findings"][0]["rows"]
