"""The parquet source."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dlcli.data import kinds
from dlcli.data.sources.delimited import Csv
from dlcli.data.sources.parquet import Parquet
from dlcli.problems import DataError, Problem
from tests.commands.configs import SMALL, flowers, write_csv
from tests.conftest import Dlcli

NOON = dt.datetime(2024, 1, 2, 12)


def save(path: Path, **columns: Any) -> str:
    pl.DataFrame(columns).write_parquet(path)
    return str(path)


def problem_of(source: Parquet) -> Problem:
    with pytest.raises(DataError) as raised:
        source.read()
    (problem,) = raised.value.problems
    assert problem.suggestion
    return problem


def test_numbers_text_and_times_are_what_the_file_says(tmp_path: Path) -> None:
    path = save(
        tmp_path / "a.parquet",
        whole=[1, 2, 3],
        gap=[1, None, 3],
        truth=[True, False, True],
        text=["b", "", None],
        kind=pl.Series(["q", "r", "q"], dtype=pl.Categorical),
        day=[dt.date(2024, 1, 2)] * 3,
        moment=pl.Series([NOON] * 3).dt.replace_time_zone("Europe/Berlin"),
        vector=[[1, 2], [3, 4], [5, 6]],
        empty=[None] * 3,
    )
    samples = Parquet(path=(path,)).read().samples
    assert samples["whole"].tolist() == [1, 2, 3]
    assert samples["gap"].tolist() == pytest.approx([1, np.nan, 3], nan_ok=True)
    assert samples["truth"].tolist() == [1, 0, 1]
    assert samples["text"].texts("-").tolist() == ["b", "-", "-"]
    assert samples["kind"].texts().tolist() == ["q", "r", "q"]
    assert samples["vector"].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert samples["empty"].codes.tolist() == [-1] * 3
    schema = kinds.infer(samples, ("day", "moment"), np.arange(3), {})
    typed, _ = kinds.convert(samples, schema)
    seconds = int(NOON.replace(tzinfo=dt.UTC).timestamp())
    assert typed["day"].tolist() == [seconds - 43_200] * 3
    assert typed["moment"].tolist() == [seconds - 3_600] * 3


def test_what_no_column_can_hold_is_left_out_and_said(tmp_path: Path) -> None:
    path = save(tmp_path / "a.parquet", x=[1.0], pair=[{"a": 1}], lists=[[1]], raw=[b"x"])
    found = Parquet(path=(path,)).read()
    assert list(found.samples) == ["x", "lists"]
    assert [note.split(":")[0] for note in found.notes] == ["column pair is left out", "column raw is left out"]


def test_several_files_a_glob_and_subsets_of_their_own(tmp_path: Path) -> None:
    for number in range(4):
        save(
            tmp_path / f"{number}.parquet", **({"x": [number], "y": [0.5]} if number % 2 else {"y": [1], "x": [number]})
        )
    source = Parquet(path=(str(tmp_path / "[01].parquet"),), test=(str(tmp_path / "3.parquet"),))
    found = source.read()
    assert found.samples["x"].tolist() == [0, 1, 3]
    assert found.samples["y"].tolist() == [1, 0.5, 0.5]
    assert found.subsets is not None
    assert {name: rows.tolist() for name, rows in found.subsets.items()} == {"train": [0, 1], "test": [2]}


def test_damaged_empty_and_different_files_are_problems(tmp_path: Path) -> None:
    good = save(tmp_path / "good.parquet", x=[1])
    other = save(tmp_path / "other.parquet", z=[1])
    text = save(tmp_path / "text.parquet", x=["1"])
    none = save(tmp_path / "none.parquet", x=pl.Series([], dtype=pl.Int64))
    (tmp_path / "bad.parquet").write_text("x,y\n1,2\n")
    assert problem_of(Parquet(path=(str(tmp_path / "bad.parquet"),))).code == "damaged-file"
    assert problem_of(Parquet(path=(none,))).code == "no-rows"
    assert "x, z stand in one of them alone" in problem_of(Parquet(path=(good, other))).message
    assert problem_of(Parquet(path=(good, text))).message == f"column x holds numbers in {good}, text in {text}"
    assert problem_of(Parquet(path=(str(tmp_path / "god.parquet"),))).suggestion.endswith("good.parquet?")


def test_a_table_trains_alike_from_csv_and_parquet(dlcli: Dlcli) -> None:
    write_csv(dlcli.folder / "flowers.csv", flowers())
    pl.read_csv(dlcli.folder / "flowers.csv").write_parquet(dlcli.folder / "flowers.parquet")
    (dlcli.folder / "text.yaml").write_text(SMALL)
    (dlcli.folder / "table.yaml").write_text(SMALL.replace("csv: flowers.csv", "parquet: flowers.parquet"))
    for name in ("text", "table"):
        done = dlcli("train", f"{name}.yaml")
        assert done.exit_code == 0, done.output
    first, second = (
        pl.read_parquet(dlcli.folder / f"runs/{name}-001/predictions/validation.parquet") for name in ("text", "table")
    )
    assert first.equals(second)
    new = [
        dlcli("predict", run, f"flowers.{ending}").stdout
        for run, ending in (("text-001", "parquet"), ("table-001", "csv"))
    ]
    assert new[0] == new[1]
    assert new[0].count("\n") == 121


def test_files_may_differ_in_how_they_write_the_same_thing(tmp_path: Path) -> None:
    one = save(tmp_path / "1.parquet", x=pl.Series([1], dtype=pl.Int8), y=["a"], z=[None])
    two = save(tmp_path / "2.parquet", x=[0.5], y=pl.Series(["b"], dtype=pl.Categorical), z=[1])
    samples = Parquet(path=(one, two)).read().samples
    assert samples["x"].tolist() == [1, 0.5]
    assert list(samples["y"].texts()) == ["a", "b"]
    assert samples["z"].tolist() == pytest.approx([np.nan, 1], nan_ok=True)


def test_a_csv_source_reads_a_parquet_file_as_one(tmp_path: Path) -> None:
    path = save(tmp_path / "a.parquet", x=[1])
    assert Csv(path=("a.csv",)).other_file(path).read().samples["x"].tolist() == [1]


def test_names_that_look_like_patterns_are_names(tmp_path: Path) -> None:
    for file, number in {"a": 1, "b": 1.5}.items():
        frame = pl.DataFrame([[number], [2], ["x"], [None]], schema=["^c$", "*", "^t.*$", "c"])
        frame.write_parquet(tmp_path / f"{file}.parquet")
    samples = Parquet(path=(str(tmp_path / "*.parquet"),)).read().samples
    assert list(samples) == ["^c$", "*", "^t.*$", "c"]
    assert samples["^c$"].tolist() == [1, 1.5]
    assert samples["*"].tolist() == [2, 2]
    assert samples["^t.*$"].texts().tolist() == ["x", "x"]
    assert (samples["c"].codes == -1).all()
