"""Splits: which rows train, validate and test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import ValidationError

from dlcli.data import hashes
from dlcli.data.leakage.repeats import duplicates
from dlcli.data.row_facts import RowFacts
from dlcli.data.sources.delimited import Csv
from dlcli.data.splits import Auto, Chronological, Grouped, Predefined, Random, RowSplit, Stratified
from dlcli.problems import ConfigError, DataError
from dlcli.samples import Coded

Subsets = Mapping[Any, NDArray[np.int64]]


def sizes(subsets: Subsets) -> tuple[int, int, int]:
    return len(subsets["train"]), len(subsets["validation"]), len(subsets["test"])


def assert_disjoint_and_complete(subsets: Subsets, pool: NDArray[np.int64]) -> None:
    together = np.concatenate(list(subsets.values()))
    assert sorted(together.tolist()) == sorted(pool.tolist())


def wine_like(rows: int = 178) -> NDArray[np.int64]:
    return np.repeat([0, 1, 2], [rows // 3, rows // 2, rows - rows // 3 - rows // 2])


FACTS = st.builds(
    lambda counts, seed: (np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts)), seed),
    st.lists(st.integers(3, 60), min_size=2, max_size=6),
    st.integers(0, 1000),
)


@given(FACTS, st.sampled_from([0.0, 0.1, 0.2, 0.35]), st.sampled_from([0.0, 0.1, 0.25]))
@example((np.random.default_rng(0).permutation(np.repeat(np.arange(5), [3, 12, 28, 48, 4])), 0), 0.0, 0.1)
@settings(max_examples=80, deadline=None)
def test_a_stratified_split_is_complete_even_and_has_every_class_everywhere(
    facts: tuple[NDArray[np.int64], int], validation: float, test: float
) -> None:
    labels, seed = facts
    names = tuple(f"c{number}" for number in range(labels.max() + 1))
    split = Stratified(validation=validation, test=test, seed=seed)
    smallest = min((share * len(labels) for share in (validation, test) if share), default=len(labels))
    if round(smallest) < 2 * len(names):
        return  # too small to hold every class with room to spare: a problem, shown below
    subsets = split.cut(RowFacts(len(labels), labels=labels, class_names=names))
    assert_disjoint_and_complete(subsets, np.arange(len(labels)))
    for name, share in (("validation", validation), ("test", test)):
        rows = subsets[name]
        assert len(rows) == (max(round(share * len(labels)), 1) if share else 0)
        expected = np.bincount(labels) * len(rows) / len(labels)
        rare = np.sum(expected < 1)  # each gets a row all the same, which another class gives up
        for number in range(len(names)) if share else ():
            held = np.sum(labels[rows] == number)
            assert held >= 1
            assert abs(held - expected[number]) <= 2 + rare


@given(st.integers(5, 300), st.floats(0, 0.4), st.floats(0, 0.4), st.integers(0, 99))
@settings(max_examples=80, deadline=None)
def test_a_random_split_is_disjoint_complete_of_exact_size_and_repeatable(
    rows: int, validation: float, test: float, seed: int
) -> None:
    split = Random(validation=validation, test=test, seed=seed)
    subsets = split.cut(RowFacts(rows))
    assert_disjoint_and_complete(subsets, np.arange(rows))
    for name, share in (("validation", validation), ("test", test)):
        assert abs(len(subsets[name]) - share * rows) <= 1
    again = split.cut(RowFacts(rows))
    assert all((again[name] == subsets[name]).all() for name in subsets)


def test_another_seed_gives_other_rows() -> None:
    first, second = (Random(seed=seed).cut(RowFacts(100))["test"] for seed in (0, 1))
    assert first.tolist() != second.tolist()


def test_counts_are_taken_as_they_are_and_a_counted_training_set_leaves_rows_unused() -> None:
    assert sizes(Random(train=50, validation=20, test=10).cut(RowFacts(100))) == (50, 20, 10)
    assert sizes(Random(validation=0, test=0).cut(RowFacts(100))) == (100, 0, 0)


@pytest.mark.parametrize("value", [-0.1, 1.5, 2.25])
def test_a_share_is_below_1_and_a_count_is_whole(value: float) -> None:
    with pytest.raises(ValidationError):
        Random(test=value)


def test_only_rows_of_the_pool_are_used() -> None:
    pool = np.array([9, 4, 1, 7, 3, 0])
    assert_disjoint_and_complete(Random(validation=0.3, test=0.3).cut(RowFacts(10, pool=pool)), pool)


@given(st.lists(st.integers(1, 12), min_size=4, max_size=40), st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_a_grouped_split_keeps_a_patient_in_one_subset(members: list[int], seed: int) -> None:
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(members)), members))
    subsets = Grouped(seed=seed).cut(RowFacts(len(groups), groups=groups))
    assert_disjoint_and_complete(subsets, np.arange(len(groups)))
    patients = [set(groups[rows].tolist()) for rows in subsets.values()]
    assert all(patients)
    assert sum(len(some) for some in patients) == len(set().union(*patients))


def test_a_grouped_split_balances_classes_and_sizes_as_far_as_groups_allow() -> None:
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(200), 5)
    labels = (generator.random(1000) < np.repeat(generator.random(200), 5)).astype(int)
    subsets = Grouped().cut(RowFacts(1000, labels=labels, class_names=("a", "b"), groups=groups))
    assert sizes(subsets) == (700, 200, 100)
    for rows in subsets.values():
        assert abs(labels[rows].mean() - labels.mean()) < 0.03


def test_groups_can_be_named_by_the_split_itself() -> None:
    column = Coded.of(["a", "b", "c", "d", "e"] * 4)
    facts = RowFacts(20, column={"patient": column}.get)
    split = Grouped(column="patient", validation=0.2, test=0.2)
    assert split.reads == ("patient",)
    assert sizes(split.cut(facts)) == (12, 4, 4)
    with pytest.raises(DataError, match="no column person"):
        Grouped(column="person").cut(facts)
    with pytest.raises(ConfigError, match="needs to know the groups"):
        Grouped().cut(facts)


def test_too_few_groups_are_a_problem() -> None:
    with pytest.raises(DataError, match="2 groups cannot be divided into 3 parts"):
        Grouped().cut(RowFacts(20, groups=np.repeat([0, 1], 10)))


def test_a_chronological_split_never_shuffles_and_leaves_the_gap_out() -> None:
    times = np.random.default_rng(0).permutation(100)
    subsets = Chronological(validation=0.2, test=0.1, gap=3).cut(RowFacts(100, times=times))
    assert sizes(subsets) == (64, 20, 10)
    assert times[subsets["train"]].tolist() == list(range(64))
    assert times[subsets["validation"]].tolist() == list(range(67, 87))
    assert times[subsets["test"]].tolist() == list(range(90, 100))


def test_a_gap_that_leaves_no_training_rows_is_a_problem_that_counts_them() -> None:
    with pytest.raises(DataError, match=r"10 rows are too few .* validation 2, test 1, gaps 12\)") as raised:
        Chronological(validation=0.2, test=0.1, gap=6).cut(RowFacts(10))
    assert "train 1," in str(raised.value)


def test_without_a_time_the_order_of_the_file_counts() -> None:
    assert Chronological().cut(RowFacts(10))["test"].tolist() == [9]


def test_a_counted_training_set_in_time_is_the_latest_before_validation() -> None:
    assert Chronological(train=3, validation=2, test=2).cut(RowFacts(20))["train"].tolist() == [13, 14, 15]


def test_identical_rows_of_one_moment_stay_on_one_side_of_the_border() -> None:
    times = np.array([0, 1, 2, 2, 2, 3])
    facts = RowFacts(6, times=times, clusters=np.array([0, 1, 2, 3, 2, 4]))
    subsets = Chronological(validation=0, test=3).cut(facts)
    train = set(subsets["train"].tolist())
    assert (2 in train) == (4 in train)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (RowFacts(10, subsets={"train": np.arange(8), "test": np.arange(8, 10)}, times=np.arange(10)), Predefined),
        (RowFacts(10, times=np.arange(10), labels=np.arange(10) % 2), Chronological),
        (RowFacts(10, groups=np.arange(10), labels=np.arange(10) % 2), Grouped),
        (RowFacts(10, labels=np.arange(10) % 2), Stratified),
        (RowFacts(10), Random),
    ],
)
def test_auto_follows_the_data(facts: RowFacts, kind: type[RowSplit]) -> None:
    settled = Auto(validation=0.3, seed=7).settle(facts)
    assert type(settled) is kind
    assert (settled.validation, settled.test, settled.seed) == (0.3, 0.1, 7)


def test_time_and_group_together_want_a_named_split() -> None:
    with pytest.raises(ConfigError, match="both time and group"):
        Auto().cut(RowFacts(10, times=np.arange(10), groups=np.arange(10)))


def test_stratified_needs_classes() -> None:
    with pytest.raises(ConfigError) as raised:
        Stratified().cut(RowFacts(10))
    assert raised.value.problems[0].suggestion == "write `split: random`"


# Predefined


def test_a_missing_subset_is_cut_from_training_as_a_share_of_it() -> None:
    own = {"train": np.arange(60), "test": np.arange(60, 100)}
    subsets = Predefined(validation=0.1).cut(
        RowFacts(100, subsets=own, labels=np.arange(100) % 2, class_names=("a", "b"))
    )
    assert sizes(subsets) == (54, 6, 40)
    assert subsets["validation"].max() < 60
    assert sizes(Predefined(validation=0).cut(RowFacts(100, subsets=own))) == (60, 0, 40)


def test_a_column_names_the_subsets(shared_data: Path) -> None:
    samples = Csv(path=(str(shared_data / "tabular" / "scene.csv.gz"),)).read().samples
    subsets = Predefined(column="split", validation=0).cut(RowFacts(samples.rows, column=samples.columns.get))
    assert sizes(subsets) == (1211, 0, 1196)


def test_an_empty_cell_in_the_column_leaves_its_row_unused() -> None:
    facts = RowFacts(5, column={"fold": Coded.of(["Train", "train", None, "dev", "TEST"])}.get)
    subsets = Predefined(column="fold").cut(facts)
    assert [rows.tolist() for rows in subsets.values()] == [[0, 1], [3], [4]]


def test_values_say_what_a_column_means() -> None:
    facts = RowFacts(4, column={"fold": Coded.of(["A", "A", "B", "C"])}.get)
    split = Predefined(column="fold", values={"train": ("A",), "validation": ("B",), "test": ("C",)})
    assert sizes(split.cut(facts)) == (2, 1, 1)
    with pytest.raises(DataError, match="holds A, B, C, which names no subset"):
        Predefined(column="fold").cut(facts)


def test_predefined_needs_subsets() -> None:
    with pytest.raises(ConfigError, match="no subsets of its own"):
        Predefined().cut(RowFacts(10))


# Classes


def test_a_class_with_too_few_rows_for_each_subset_is_a_problem_that_names_it() -> None:
    labels = np.array([0] * 20 + [1] * 20 + [2] * 2)
    with pytest.raises(DataError) as raised:
        Stratified().cut(RowFacts(42, labels=labels, class_names=("red", "green", "blue")))
    (problem,) = raised.value.problems
    assert problem.code == "class-too-small"
    assert problem.message == "class blue has only 2 rows: too few for one in each of train, validation, test"


def test_a_subset_with_fewer_rows_than_classes_is_a_problem() -> None:
    labels = np.repeat(np.arange(8), 4)
    with pytest.raises(DataError, match="test has 3 rows, too few for 8 classes"):
        Stratified().cut(RowFacts(32, labels=labels, class_names=tuple("abcdefgh")))


def test_too_few_rows_are_a_problem() -> None:
    with pytest.raises(DataError, match="2 rows are too few"):
        Random().cut(RowFacts(2))
    with pytest.raises(DataError, match="too few"):
        Random(test=200).cut(RowFacts(100))


def test_labels_of_scenes_are_spread_in_their_shares(shared_data: Path) -> None:
    samples = Csv(path=(str(shared_data / "tabular" / "scene.csv.gz"),)).read().samples
    names = tuple(samples)[-6:]
    labels = np.stack([samples[name].texts() == "1" for name in names], axis=1).astype(int)
    subsets = Stratified().cut(RowFacts(len(labels), labels=labels, class_names=names))
    assert sizes(subsets) == (1685, 481, 241)
    for rows in subsets.values():
        np.testing.assert_allclose(labels[rows].mean(axis=0), labels.mean(axis=0), atol=0.006)


# Identical rows


@pytest.mark.parametrize("split", [Random(), Stratified()])
def test_identical_wines_go_to_one_subset_and_sizes_stay(shared_data: Path, split: RowSplit) -> None:
    samples = Csv(path=(str(shared_data / "tabular" / "winequality-red.csv"),)).read().samples
    row_hashes = hashes.row_hashes(samples)
    found = duplicates(row_hashes, "together")
    quality = samples["quality"]
    facts = RowFacts(samples.rows, labels=quality.codes, class_names=quality.vocabulary, clusters=found.clusters)
    subsets = split.cut(facts)
    assert not np.isin(row_hashes[subsets["train"]], row_hashes[subsets["test"]]).any()
    assert not np.isin(row_hashes[subsets["validation"]], row_hashes[subsets["train"]]).any()
    assert_disjoint_and_complete(subsets, np.arange(1599))
    assert np.abs(np.array(sizes(subsets)) - (1119, 320, 160)).max() <= 3


def test_identical_rows_fall_to_every_subset_in_its_share() -> None:
    clusters = np.concatenate([np.repeat(np.arange(300), 2), np.arange(300, 2700)])
    subsets = Random().cut(RowFacts(3000, clusters=clusters))
    pairs = [np.sum(rows < 600) / 600 for rows in subsets.values()]
    np.testing.assert_allclose(pairs, [0.7, 0.2, 0.1], atol=0.06)


def test_a_class_of_identical_rows_only_cannot_be_everywhere() -> None:
    labels = np.array([0] * 40 + [1] * 4)
    clusters = np.concatenate([np.arange(40), np.full(4, 40)])
    with pytest.raises(DataError, match="some of them identical"):
        Stratified().cut(RowFacts(44, labels=labels, class_names=("a", "b"), clusters=clusters))
