"""Folds and inner sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlcli.data.folds import folds, inner
from dlcli.data.row_facts import RowFacts
from dlcli.data.splits import Auto, Chronological, Grouped, Random, Stratified
from dlcli.problems import ConfigError, DataError


@given(st.lists(st.integers(2, 40), min_size=2, max_size=5), st.integers(2, 6), st.integers(0, 9))
@settings(max_examples=60, deadline=None)
def test_stratified_folds_validate_each_row_once_and_classes_evenly(counts: list[int], count: int, repeat: int) -> None:
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    pool = np.random.default_rng(1).permutation(len(labels))
    facts = RowFacts(len(labels) + 5, labels=np.append(labels, [0] * 5), class_names=tuple("abcdef"))
    if len(pool) < count:
        return
    made = folds(Stratified(), facts, count, repeat, pool)
    assert sorted(np.concatenate([part for _, part in made]).tolist()) == sorted(pool.tolist())
    lengths = [len(part) for _, part in made]
    assert max(lengths) - min(lengths) <= 1
    for number in range(len(counts)):
        held = [int(np.sum(labels[part] == number)) for _, part in made]
        assert max(held) - min(held) <= 1
    for train, part in made:
        assert sorted([*train.tolist(), *part.tolist()]) == sorted(pool.tolist())


def test_the_same_seed_gives_the_same_folds_and_another_repeat_others() -> None:
    facts, pool = RowFacts(50), np.arange(50)
    first, again, other = (folds(Random(), facts, 5, repeat, pool)[0][1].tolist() for repeat in (0, 0, 1))
    assert first == again != other


@given(st.lists(st.integers(1, 9), min_size=5, max_size=30), st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_grouped_folds_keep_a_patient_on_one_side(members: list[int], count: int) -> None:
    groups = np.random.default_rng(0).permutation(np.repeat(np.arange(len(members)), members))
    facts = RowFacts(len(groups), groups=groups)
    made = folds(Grouped(), facts, count, 0, np.arange(len(groups)))
    assert len(made) == count
    for train, part in made:
        assert len(part)
        assert not set(groups[train].tolist()) & set(groups[part].tolist())


def test_folds_in_time_train_on_the_past_only_and_keep_the_gap() -> None:
    times = np.random.default_rng(0).permutation(60)
    made = folds(Chronological(gap=2), RowFacts(60, times=times), 5, 0, np.arange(60))
    assert [(len(train), len(part)) for train, part in made] == [(8, 10), (18, 10), (28, 10), (38, 10), (48, 10)]
    assert all(times[train].max() + 2 < times[part].min() for train, part in made)


def test_repeats_in_time_would_be_the_same_and_are_a_problem() -> None:
    with pytest.raises(ConfigError, match="the same in every repeat"):
        folds(Chronological(), RowFacts(60), 5, 1, np.arange(60))


def test_identical_rows_share_a_fold() -> None:
    clusters = np.concatenate([np.repeat(np.arange(10), 3), np.arange(10, 80)])
    for _, part in folds(Random(), RowFacts(100, clusters=clusters), 5, 0, np.arange(100)):
        inside, counts = np.unique(clusters[part], return_counts=True)
        assert (counts[inside < 10] == 3).all()


def test_a_class_with_one_row_cannot_be_learnt_in_every_fold() -> None:
    facts = RowFacts(21, labels=np.array([0] * 10 + [1] * 10 + [2]), class_names=("a", "b", "c"))
    with pytest.raises(DataError, match="class c has only one row"):
        folds(Auto(), facts, 5, 0, np.arange(21))


def test_too_few_rows_or_groups_for_the_folds_are_a_problem() -> None:
    with pytest.raises(DataError, match="4 rows are too few for 5 folds"):
        folds(Random(), RowFacts(4), 5, 0, np.arange(4))
    with pytest.raises(DataError, match="3 groups cannot be divided into 5 parts"):
        folds(Grouped(), RowFacts(9, groups=np.arange(9) % 3), 5, 0, np.arange(9))
    with pytest.raises(DataError, match="no rows left"):
        folds(Chronological(gap=20), RowFacts(30), 5, 0, np.arange(30))


# Inner sets


def test_an_inner_set_is_cut_like_the_split() -> None:
    labels = np.array([0] * 80 + [1] * 20)
    facts = RowFacts(100, labels=labels, class_names=("a", "b"))
    rows = np.arange(0, 100, 2)
    train, chosen = inner(Auto(), facts, rows, 0.2, repeat=0, fold=1)
    assert (len(chosen), int(labels[chosen].sum())) == (10, 2)
    assert sorted([*train.tolist(), *chosen.tolist()]) == rows.tolist()
    assert inner(Auto(), facts, rows, 0.2, repeat=0, fold=2)[1].tolist() != chosen.tolist()


def test_in_time_the_inner_set_is_the_last_part() -> None:
    train, chosen = inner(Chronological(gap=1), RowFacts(50), np.arange(20), 0.25, repeat=0, fold=0)
    assert (train.tolist(), chosen.tolist()) == (list(range(14)), list(range(15, 20)))


def test_a_class_too_rare_for_an_inner_set_stays_in_training() -> None:
    facts = RowFacts(41, labels=np.array([0] * 20 + [1] * 20 + [2]), class_names=("a", "b", "c"))
    train, _ = inner(Stratified(), facts, np.arange(41), 0.2, repeat=0, fold=0)
    assert 40 in train


def test_no_inner_set_leaves_all_rows_to_training() -> None:
    train, chosen = inner(Random(), RowFacts(10), np.arange(10), 0, repeat=0, fold=0)
    assert (len(train), len(chosen)) == (10, 0)
