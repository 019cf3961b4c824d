"""Texts that lie in files are those that were put there."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.data.sources import text_columns
from dlcli.data.sources.text_columns import Texts
from dlcli.samples import Coded
from dlcli.storage import InMemory, OnDisk, file_of
from dlcli.words import Words, lengths, picked

CELLS = st.lists(st.none() | st.text(max_size=4) | st.sampled_from(["a", "ab", "b", ""]), max_size=20)


def cells(column: Coded) -> list[str | None]:
    return [None if code < 0 else column.vocabulary[code] for code in column.codes.tolist()]


def written(parts: Sequence[Sequence[str | None]], folder: Path, held_bytes: int = 0) -> Coded:
    with patch.object(text_columns, "HELD_BYTES", held_bytes), OnDisk(folder) as storage:
        texts = Texts(storage)
        for part in parts:
            texts.append(Coded.of(list(part)))
        return texts.end()


@given(st.lists(CELLS, min_size=1, max_size=4), st.sampled_from([0, 3, 1000]))
def test_a_column_in_parts_is_the_column_whole(parts: list[list[str | None]], held_bytes: int) -> None:
    with TemporaryDirectory() as folder:
        column = written(parts, Path(folder), held_bytes)
        whole = Coded.of([cell for part in parts for cell in part])
        assert list(column.vocabulary) == list(whole.vocabulary)
        assert column.codes.tolist() == whole.codes.tolist()
        assert column.codes.dtype == whole.codes.dtype


@given(st.lists(st.text("ab\0é\ud800\U0001f600", max_size=6).map(lambda text: text[:1] * 70 + text[1:]), max_size=20))
def test_long_beginnings_in_common_are_sorted_too(texts: list[str]) -> None:
    with TemporaryDirectory() as folder:
        column = written([texts[:5], texts[5:]], Path(folder))
        assert list(column.vocabulary) == sorted(set(texts))
        assert cells(column) == texts


@given(st.lists(CELLS, min_size=1, max_size=4))
def test_in_memory_too(parts: list[list[str | None]]) -> None:
    texts = Texts(InMemory())
    for part in parts:
        texts.append(Coded.of(part))
    column, whole = texts.end(), Coded.of([cell for part in parts for cell in part])
    assert column.vocabulary == whole.vocabulary
    assert column.codes.tolist() == whole.codes.tolist()


def test_few_texts_are_held_and_many_lie_in_files(tmp_path: Path) -> None:
    parts = [["b", "c"], [None, "a", "b"]]
    assert written(parts, tmp_path, held_bytes=3).vocabulary == ("a", "b", "c")
    kept = written(parts, tmp_path, held_bytes=2).vocabulary
    assert isinstance(kept, Words)
    assert all(file_of(array) is not None for array in kept.arrays)


def test_each_text_is_written_once_and_told_apart_by_its_bytes(tmp_path: Path) -> None:
    column = written([["é", "e\u0301", "é", "\ud800"], ["é"]] * 9, tmp_path)
    assert cells(column) == ["é", "e\u0301", "é", "\ud800", "é"] * 9
    assert isinstance(column.vocabulary, Words)
    assert bytes(column.vocabulary.content) == "".join(["e\u0301", "é", "\ud800"]).encode("utf-8", "surrogatepass")
    needed = {file_of(array) for array in (column.codes, *column.vocabulary.arrays)}
    assert set(tmp_path.iterdir()) == needed


def test_few_texts_leave_nothing_but_their_codes(tmp_path: Path) -> None:
    column = written([["a", "b"]] * 9, tmp_path, held_bytes=4)
    assert column.vocabulary == ("a", "b")
    assert set(tmp_path.iterdir()) == {file_of(column.codes)}


@pytest.fixture
def film_reviews(tmp_path: Path) -> Words:
    found = written([["good", "", "très bon", "bad"]], tmp_path).vocabulary
    assert isinstance(found, Words)
    return found


def test_they_are_a_sequence(film_reviews: Words) -> None:
    texts = list(film_reviews)
    assert texts == ["", "bad", "good", "très bon"]
    assert [film_reviews[place] for place in range(4)] == texts
    assert film_reviews[-1] == texts[-1]
    assert list(film_reviews[1:3]) == texts[1:3]
    assert texts[2] in film_reviews
    with pytest.raises(IndexError):
        film_reviews[4]


def test_some_of_them_are_picked_without_being_read(film_reviews: Words) -> None:
    texts = list(film_reviews)
    some = picked(film_reviews, np.array([3, 0, 3]))
    assert isinstance(some, Words)
    assert list(some) == [texts[3], texts[0], texts[3]] == list(picked(tuple(texts), np.array([3, 0, 3])))


def test_lengths_are_those_of_utf_8(film_reviews: Words) -> None:
    texts = tuple(film_reviews)
    assert lengths(film_reviews).tolist() == lengths(texts).tolist() == [len(text.encode()) for text in texts]


def test_another_process_is_told_their_place_and_not_their_content(tmp_path: Path) -> None:
    found = written([["long " * 10_000, "short"]], tmp_path).vocabulary
    message = pickle.dumps(found)
    assert len(message) < 1000
    assert list(pickle.loads(message)) == list(found)
