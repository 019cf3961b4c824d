"""Who a row is, and what is done about rows that repeat."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.data.hashes import among, distinct, row_hashes, subset_hash
from dlcli.data.leakage.repeats import as_divided, clusters_to_keep, duplicates
from dlcli.data.row_facts import RowFacts
from dlcli.data.sources.delimited import Csv
from dlcli.problems import RefusedError
from dlcli.samples import Coded, Ragged, Samples


def test_a_copied_file_with_other_columns_order_and_rows_order_has_the_same_hashes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x,y,z\n1,a,\n2,b,é\n3,c,q\n")
    (tmp_path / "b.csv").write_text("z;x;y\n;1;a\nq;3;c\n")
    first = row_hashes(Csv(path=(str(tmp_path / "a.csv"),)).read().samples)
    second = row_hashes(Csv(path=(str(tmp_path / "b.csv"),)).read().samples)
    assert second.tolist() == [first[0], first[2]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"x": Coded.of(["a"]), "y": Coded.of(["b"])}, {"x": Coded.of(["b"]), "y": Coded.of(["a"])}),
        ({"x": Coded.of(["a"])}, {"y": Coded.of(["a"])}),
        ({"x": Coded.of([None])}, {"x": Coded.of([""])}),
        ({"x": np.array([1.0])}, {"x": np.array([np.nan])}),
        ({"x": np.array([2**53])}, {"x": np.array([2**53 + 1])}),
        ({"x": np.array([[0, 1]], np.uint8)}, {"x": np.array([[1, 0]], np.uint8)}),
        ({"x": Ragged.of([np.array([1, 2])])}, {"x": Ragged.of([np.array([1, 3])])}),
    ],
)
def test_different_rows_have_different_hashes(one: dict[str, object], other: dict[str, object]) -> None:
    assert row_hashes(Samples.of(one))[0] != row_hashes(Samples.of(other))[0]


def test_a_hash_stays_the_same_for_ever() -> None:
    samples = Samples.of({"n": np.array([1.5]), "t": Coded.of(["a"]), "i": np.ones((1, 2, 2), np.uint8)})
    assert [hex(value) for value in row_hashes(samples)] == ["0x45f546a94e57719f"]


def test_whole_numbers_hash_alike_in_every_dtype_and_zero_has_no_sign() -> None:
    hashes = [row_hashes(Samples.of({"x": np.array([0], dtype)}))[0] for dtype in (np.int8, np.int64, np.float32, bool)]
    assert len({*hashes, row_hashes(Samples.of({"x": np.array([-0.0])}))[0]}) == 1


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
def test_a_row_hash_does_not_depend_on_other_rows(values: list[int]) -> None:
    together = row_hashes(Samples.of({"x": np.array(values, dtype=np.int64)}))
    alone = [row_hashes(Samples.of({"x": np.array([value], dtype=np.int64)}))[0] for value in values]
    assert together.tolist() == alone


def test_a_set_of_rows_has_one_hash_in_any_order() -> None:
    hashes = np.array([3, 1, 2], dtype=np.uint64)
    assert subset_hash(hashes) == subset_hash(np.sort(hashes))
    assert subset_hash(hashes) != subset_hash(hashes[:2])


# Rows that repeat

HASHES = np.array([5, 7, 5, 9, 11, 12, 13], dtype=np.uint64)


def test_equal_rows_form_a_cluster() -> None:
    found = duplicates(HASHES, "together")
    assert found.clusters is not None
    assert found.clusters[0] == found.clusters[2]
    assert len(set(found.clusters.tolist())) == 6
    assert found.notes == ("1 of 7 rows repeats an earlier row: equal rows go to one subset",)


def test_where_more_than_a_fifth_of_the_rows_repeat_they_are_only_reported() -> None:
    found = duplicates(np.array([1, 1, 1, 2], dtype=np.uint64), "together")
    assert found.clusters is not None
    assert clusters_to_keep(found.clusters) is None
    assert "too many" in found.notes[0]


def test_only_the_rows_that_are_divided_decide_whether_equal_ones_stay_together() -> None:
    facts = RowFacts(8, clusters=np.array([0, 1, 2, 3, 4, 4, 4, 4]))
    assert facts.clusters_of(np.arange(5)) is None
    assert facts.clusters_of(np.arange(6)) is not None
    assert facts.clusters_of(np.arange(8)) is None


def test_drop_keeps_the_first_and_keep_keeps_all() -> None:
    assert duplicates(HASHES, "drop").keep.tolist() == [0, 1, 3, 4, 5, 6]
    assert duplicates(HASHES, "keep").clusters is None
    assert duplicates(np.unique(HASHES), "refuse").notes == ()


def test_refuse_refuses_with_the_count_and_the_first_row() -> None:
    with pytest.raises(RefusedError, match="1 of 7 rows repeats an earlier row; it is row 3"):
        duplicates(HASHES, "refuse")


def test_refused_rows_are_numbered_as_in_the_source_where_others_were_left_out() -> None:
    with pytest.raises(RefusedError, match="it is row 13"):
        duplicates(HASHES, "refuse", np.arange(10, 17))


def test_equal_rows_that_a_split_parts_are_said_to_be_apart() -> None:
    found = duplicates(HASHES, "together")
    rows = np.arange(7)
    assert as_divided(found, found.clusters, {"train": rows[:4], "test": rows[4:]}) == found.notes
    assert (
        "some of them in other subsets" in as_divided(found, found.clusters, {"train": rows[:2], "test": rows[2:]})[0]
    )


@given(
    st.lists(st.integers(0, 30) | st.integers(2**64 - 3, 2**64 - 1)),
    st.lists(st.integers(0, 30) | st.integers(2**64 - 3, 2**64 - 1)),
)
def test_among_and_distinct_are_those_of_sets(some: list[int], others: list[int]) -> None:
    found = among(np.array(some, dtype=np.uint64), np.array(others, dtype=np.uint64))
    assert found.tolist() == [each in others for each in some]
    assert distinct(np.array(some, dtype=np.uint64)) == len(set(some))
