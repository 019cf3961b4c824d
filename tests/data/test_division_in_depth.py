"""Gaps in time, hashes, rolling windows and named folds: properties that hold for any rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dlcli.data.folds import folds, inner
from dlcli.data.hashes import row_hashes
from dlcli.data.row_facts import RowFacts
from dlcli.data.sources.delimited import Csv
from dlcli.data.splits import Chronological, Grouped, Hash, Random, Stratified
from dlcli.problems import ConfigError, DataError
from dlcli.samples import Coded, Samples

DAY = 86_400
TIMES = st.builds(
    lambda steps, seed: np.random.default_rng(seed).permutation(np.cumsum(steps)),
    st.lists(st.integers(60, 3 * DAY), min_size=40, max_size=120),
    st.integers(0, 99),
)


@given(TIMES, st.integers(0, 72))
def test_a_gap_in_hours_keeps_subsets_further_apart_than_that(times: np.ndarray, hours: int) -> None:
    facts = RowFacts(len(times), times=times)
    try:
        subsets = Chronological(validation=0.2, test=0.2, gap=f"{hours} hours").cut(facts)
    except DataError:
        return
    for earlier, later in (("train", "validation"), ("validation", "test")):
        assert times[subsets[earlier]].max() + hours * 3600 < times[subsets[later]].min()
    left_out = np.setdiff1d(np.arange(len(times)), np.concatenate(list(subsets.values())))
    starts = [times[subsets[name]].min() for name in ("validation", "test")]
    assert all(any(start - hours * 3600 <= time < start for start in starts) for time in times[left_out])


@pytest.mark.parametrize(("written", "rows"), [("2 days", 2), ("48h", 2), ("1 week", 7), ("90 minutes", 0), ("0 s", 0)])
def test_a_gap_is_written_as_people_write_times(written: str, rows: int) -> None:
    facts = RowFacts(100, times=np.arange(100) * DAY)
    subsets = Chronological(validation=0, test=10, gap=written).cut(facts)
    assert len(subsets["train"]) == 90 - rows


def test_a_gap_in_time_needs_dates_and_a_unit() -> None:
    for times in (None, np.arange(100.0)):
        with pytest.raises(ConfigError, match="a gap in time needs dates"):
            Chronological(gap="7 days").cut(RowFacts(100, times=times))
    with pytest.raises(ValidationError):
        Chronological(gap="soon")


def test_a_gap_that_swallows_the_training_rows_is_a_problem() -> None:
    with pytest.raises(DataError, match="the gaps leave no validation rows"):
        Chronological(gap="900 days").cut(RowFacts(100, times=np.arange(100) * DAY))


def table(rows: int) -> RowFacts:
    samples = Samples.of({"id": np.arange(rows), "value": np.arange(rows) ** 2 % 97})
    return RowFacts(rows, keys=row_hashes(samples), column=samples.columns.get)


@given(st.integers(200, 600), st.integers(1, 300), st.integers(0, 20))
def test_a_row_stays_in_its_subset_when_data_grow(rows: int, more: int, seed: int) -> None:
    split = Hash(column="id", validation=0.2, test=0.2, seed=seed)
    before, after = split.cut(table(rows)), split.cut(table(rows + more))
    for name, kept in before.items():
        assert kept.tolist() == after[name][after[name] < rows].tolist()


def test_hashed_subsets_are_disjoint_complete_and_about_as_large_as_asked_for() -> None:
    subsets = Hash(validation=0.2, test=0.1).cut(table(20_000))
    assert np.sort(np.concatenate(list(subsets.values()))).tolist() == list(range(20_000))
    assert [len(subsets[name]) / 20_000 for name in ("train", "validation", "test")] == pytest.approx(
        [0.7, 0.2, 0.1], abs=0.01
    )


def test_rows_with_one_key_stay_together_in_subsets_and_folds() -> None:
    customers = np.random.default_rng(0).integers(0, 300, 2_000)
    facts = RowFacts(2_000, column={"customer": customers}.get)
    split = Hash(column="customer")
    subsets = split.cut(facts)
    parts = [set(customers[rows].tolist()) for rows in subsets.values()]
    assert sum(map(len, parts)) == len(set().union(*parts))
    pool = np.concatenate([subsets["train"], subsets["validation"]])
    made = folds(split, facts, 5, 0, pool)
    assert sorted(np.concatenate([part for _, part in made]).tolist()) == sorted(pool.tolist())
    for train, part in made:
        assert not set(customers[train]) & set(customers[part])
        stay, inside = inner(split, facts, train, 0.2, repeat=0, fold=0)
        assert not set(customers[stay]) & set(customers[inside])
        assert 0.1 < len(inside) / len(train) < 0.3


def test_a_hash_without_rows_for_a_subset_says_so() -> None:
    with pytest.raises(DataError, match="no hash of 3 rows falls into"):
        Hash(validation=0.001, test=0.001).cut(table(3))
    with pytest.raises(ValidationError):
        Hash(test=100)


@given(st.integers(2, 6), st.integers(0, 4), st.integers(1, 40), TIMES)
def test_rolling_folds_train_on_the_newest_rows_of_the_past(count: int, gap: int, most: int, times: np.ndarray) -> None:
    facts, pool = RowFacts(len(times), times=times), np.arange(len(times))
    expanding = folds(Chronological(gap=gap), facts, count, 0, pool)
    rolling = folds(Chronological(gap=gap), facts, count, 0, pool, max_train_size=most)
    for (all_train, part), (train, same) in zip(expanding, rolling, strict=True):
        assert part.tolist() == same.tolist()
        assert train.tolist() == all_train[-most:].tolist()
        assert (times[train].max() < times[part]).all()
        between = (times > times[train].max()) & (times < times[part].min())
        assert between.sum() == gap


def test_a_rolling_window_needs_folds_in_time() -> None:
    with pytest.raises(ConfigError, match="max_train_size is for folds in order of time"):
        folds(Random(), RowFacts(50), 5, 0, np.arange(50), max_train_size=10)


@given(st.lists(st.integers(-1, 3), min_size=20, max_size=60))
def test_a_column_names_the_folds_and_rows_of_none_always_train(numbers: list[int]) -> None:
    column = np.array([*numbers, 0, 1])
    pool = np.arange(len(column))
    count = len(set(column[column >= 0].tolist()))
    made = folds(Random(), RowFacts(len(column), folds=column), count, 0, pool)
    assert sorted(np.concatenate([part for _, part in made]).tolist()) == np.flatnonzero(column >= 0).tolist()
    for train, part in made:
        assert len(set(column[part].tolist())) == 1
        assert sorted([*train.tolist(), *part.tolist()]) == pool.tolist()
        assert set(np.flatnonzero(column < 0)) <= set(train.tolist())


def test_folds_of_a_column_are_the_same_in_every_repeat_and_are_at_least_two() -> None:
    facts = RowFacts(10, folds=np.arange(10) % 2)
    with pytest.raises(ConfigError, match="folds of a column are the same in every repeat"):
        folds(Random(), facts, 2, 1, np.arange(10))
    with pytest.raises(DataError, match="the column names 1 folds"):
        folds(Random(), RowFacts(10, folds=np.zeros(10, dtype=np.int64)), 1, 0, np.arange(10))


def test_labels_of_scene_are_as_frequent_in_each_subset_and_fold_as_in_all(shared_data: Path) -> None:
    cells = Csv(path=(str(shared_data / "tabular" / "scene.csv.gz"),)).read().samples
    names = ("Beach", "Sunset", "FallFoliage", "Field", "Mountain", "Urban")
    labels = np.stack([np.array([int(text) for text in cells[name].texts()]) for name in names], axis=1)
    facts = RowFacts(len(labels), labels=labels, class_names=names)
    subsets = Stratified(validation=0.2, test=0.1).cut(facts)
    made = folds(Stratified(), facts, 5, 0, np.arange(len(labels)))
    for rows in (*subsets.values(), *(part for _, part in made)):
        assert np.abs(labels[rows].sum(axis=0) - labels.mean(axis=0) * len(rows)).max() <= 2


def test_group_numbers_decide_where_groups_and_folds_are_both_there() -> None:
    groups = np.repeat(np.arange(10), 4)
    made = folds(Grouped(), RowFacts(40, groups=groups, folds=groups % 2), 2, 0, np.arange(40))
    assert [set((groups[part] % 2).tolist()) for _, part in made] == [{0}, {1}]


def test_a_named_column_may_hold_text() -> None:
    column = Coded.of(["a", "b", None, "a"] * 10)
    assert sorted(Hash(column="c", validation=0.3, test=0).cut(RowFacts(40, column={"c": column}.get))) == [
        "test", "train", "validation"
    ]  # fmt: skip
