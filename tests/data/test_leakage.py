"""The leak guard: what is planted is found under its own code, and clean data raise nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from dlcli.config.document import load
from dlcli.data.hashes import row_hashes
from dlcli.data.leakage.findings import CODES, Divided
from dlcli.data.leakage.guard import findings
from dlcli.data.leakage.repeats import contradicting, duplicates
from dlcli.data.sources.delimited import Csv
from dlcli.events import silent
from dlcli.samples import Coded, ColumnSchema, Samples, Schema, Subset
from dlcli.task import Goal, Task
from dlcli.workflows.preparation import prepare
from tests.data import planted
from tests.data.planted import CANNOT, LEAKS, Original, found_in

KINDS: tuple[Callable[[Path], Original], ...] = (
    planted.table,
    planted.images,
    planted.signs,
    planted.text,
    planted.series,
    planted.windows,
)


@pytest.mark.parametrize("make", KINDS)
def test_clean_data_raise_nothing(make: Callable[[Path], Original], shared_data: Path, tmp_path: Path) -> None:
    assert found_in(make(shared_data), tmp_path) == ()


@pytest.mark.parametrize("code", LEAKS)
@pytest.mark.parametrize("make", KINDS)
def test_a_planted_leak_is_found(
    code: str, make: Callable[[Path], Original], shared_data: Path, tmp_path: Path
) -> None:
    clean = make(shared_data)
    leaking = LEAKS[code](clean)
    assert (leaking is None) == (code in CANNOT[clean.kind])
    if leaking is not None:
        assert code in {finding.code for finding in found_in(leaking, tmp_path)}


def test_readings_that_recur_under_windows_are_no_repeated_rows(tmp_path: Path) -> None:
    readings = np.round(np.sin(np.arange(600) / 9) * 5)
    (tmp_path / "readings.csv").write_text("heat\n" + "\n".join(map(str, readings)) + "\n")
    (tmp_path / "config.yaml").write_text(
        "data: {source: {csv: readings.csv}, target: heat, window: {length: 8}}\n"
        "split: chronological\narchitecture: [flatten]\n"
    )
    assert (
        prepare(load(tmp_path / "config.yaml", (), trusted=False, command="check"), "check", silent)[1].findings == ()
    )


def test_every_code_is_planted() -> None:
    assert LEAKS.keys() == CODES.keys()


COUNTED = [
    ("tabular/diamonds.csv.gz", ("price",), 146, (198, 398)),
    ("tabular/diamonds.csv.gz", ("cut",), 146, (6, 12)),
    ("tabular/winequality-red.csv", ("quality",), 240, (0, 0)),
    ("tabular/winequality-white.csv", ("quality",), 937, (0, 0)),
    ("tabular/heart.csv", ("target",), 1, (0, 0)),
    ("tabular/scene.csv.gz", ("Beach", "Sunset", "FallFoliage", "Field", "Mountain", "Urban"), 2, (2, 4)),
    ("tabular/titanic.csv", ("Survived",), 0, (0, 0)),
    ("tabular/bank-additional.csv.gz", ("y",), 0, (0, 0)),
]


@pytest.mark.parametrize(("file", "targets", "repeated", "contested"), COUNTED)
def test_repeated_and_contradicting_rows_are_counted_as_by_hand(
    file: str, targets: tuple[str, ...], repeated: int, contested: tuple[int, int], shared_data: Path
) -> None:
    samples = Csv(path=(str(shared_data / file),)).read().samples
    assert duplicates(row_hashes(samples), "keep").repeated == repeated
    inputs = samples.select(tuple(name for name in samples if name not in {*targets, "split"}))
    answers = [samples[name].codes if isinstance(samples[name], Coded) else samples[name] for name in targets]
    sets, rows = contradicting(row_hashes(inputs), np.stack(answers, axis=1))
    assert (sets, len(rows)) == contested


def test_test_targets_change_nothing_that_is_found(shared_data: Path, tmp_path: Path) -> None:
    clean = planted.answer_in_column(planted.table(shared_data))
    assert clean is not None
    turned = clean.columns["Exited"].copy()
    test = clean.rows(2)
    turned[test] = np.where(turned[test] == "0", "1", "0")
    before = found_in(clean, tmp_path)
    assert found_in(clean.with_columns(Exited=turned), tmp_path) == before != ()


def test_columns_of_pure_chance_raise_no_alarm_of_shift() -> None:
    generator = np.random.default_rng(0)
    alarms = 0
    for _ in range(200):
        columns = {f"x{number}": generator.normal(size=300) for number in range(20)}
        rows = np.arange(300)
        schema = Schema(columns={name: ColumnSchema(kind="numeric") for name in columns})
        subsets: dict[Subset, NDArray[np.int64]] = {
            "train": rows[:200],
            "validation": rows[200:240],
            "test": rows[240:],
        }
        goal, values = Goal(Task.REGRESSION, ("y",)), generator.normal(size=(300, 1))
        divided = Divided(Samples(columns, 300), schema, subsets, rows.astype(np.uint64), goal, values, {}, "random")
        alarms += len(findings(divided))
    assert alarms <= 2


@pytest.mark.parametrize(("jump", "found"), [(0.0, []), (40.0, ["distribution-shift"])])
def test_seasons_that_training_has_seen_are_no_shift_but_a_jump_is(jump: float, found: list[str]) -> None:
    days = np.arange(2000)
    heat = 10 * np.sin(days / 365 * 2 * np.pi) + np.random.default_rng(0).normal(0, 8, 2000)
    heat[1700:] += jump
    schema = Schema(columns={"heat": ColumnSchema(kind="numeric")})
    subsets: dict[Subset, NDArray[np.int64]] = {"train": days[:1700], "validation": days[:0], "test": days[1700:1850]}
    goal, values = Goal(Task.REGRESSION, ("y",)), np.random.default_rng(1).normal(size=(2000, 1))
    hashes = days.astype(np.uint64)
    samples = Samples({"heat": heat}, 2000)
    divided = Divided(samples, schema, subsets, hashes, goal, values, {}, "chronological", times=days)
    assert [finding.code for finding in findings(divided)] == found
    dealt = Divided(samples, schema, subsets, hashes, goal, values, {}, "random")
    assert [finding.code for finding in findings(dealt)] == ["distribution-shift"]


@pytest.mark.parametrize(("word", "found"), [("warm", False), ("sleet", True)])
@pytest.mark.parametrize("words", [("cold", "sleet", "warm"), ("warm", "cold", "sleet")])
def test_a_category_that_training_has_not_seen_is_a_shift_whatever_its_place_in_the_vocabulary(
    words: tuple[str, ...], word: str, *, found: bool
) -> None:
    days = np.arange(2000)
    seasons = np.where(days // 150 % 2 == 0, words.index("cold"), words.index("warm"))
    seasons[1700:] = words.index(word)
    samples = Samples({"weather": Coded(seasons.astype(np.int32), words)}, 2000)
    schema = Schema(columns={"weather": ColumnSchema(kind="categorical", dtype="string")})
    subsets: dict[Subset, NDArray[np.int64]] = {"train": days[:1700], "validation": days[:0], "test": days[1700:1850]}
    goal, values = Goal(Task.REGRESSION, ("y",)), np.random.default_rng(1).normal(size=(2000, 1))
    divided = Divided(samples, schema, subsets, days.astype(np.uint64), goal, values, {}, "chronological", times=days)
    assert ("distribution-shift" in {finding.code for finding in findings(divided)}) == found
