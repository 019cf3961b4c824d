"""The npz source."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.data.sources.npz import Npz
from dlcli.problems import DataError, Problem

IMAGES = np.arange(6 * 4 * 4, dtype=np.uint8).reshape(6, 4, 4)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def save(folder: Path, **arrays: Any) -> str:
    path = folder / "data.npz"
    np.savez(path, **arrays)
    return str(path)


def problem_of(source: Npz) -> Problem:
    with pytest.raises(DataError) as raised:
        source.read()
    (problem,) = raised.value.problems
    assert problem.suggestion
    return problem


def test_images_stay_uint8_and_a_test_subset_follows(tmp_path: Path) -> None:
    path = save(tmp_path, x_train=IMAGES[:4], y_train=LABELS[:4], x_test=IMAGES[4:], y_test=LABELS[4:])
    found = Npz(path=path, inputs=("x_train",), target="y_train", test=("x_test", "y_test")).read()
    assert (found.samples["x_train"] == IMAGES).all()
    assert found.samples["x_train"].dtype == np.uint8
    assert found.target == ("y_train",)
    assert found.subsets is not None
    assert list(found.subsets["test"]) == [4, 5]


def test_without_names_every_array_is_a_column(tmp_path: Path) -> None:
    found = Npz(path=save(tmp_path, a=np.ones(3), b=np.array(["x", "y", "x"])), target="b").read()
    assert list(found.samples) == ["a", "b"]
    assert list(found.samples["b"].texts()) == ["x", "y", "x"]
    assert found.inputs == ("a",)


def test_a_pickled_array_is_never_loaded(tmp_path: Path) -> None:
    problem = problem_of(Npz(path=save(tmp_path, x=np.array([{"a": 1}, None], dtype=object))))
    assert problem.code == "pickled-array"
    assert "pickled Python objects" in problem.message


def test_an_array_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    problem = problem_of(Npz(path=save(tmp_path, x=LABELS, y=LABELS), inputs=("z",)))
    assert problem.code == "missing-column"
    assert problem.suggestion == "its arrays: x, y"
    assert problem.path[-1] == "inputs"


def test_arrays_with_different_rows_are_a_problem(tmp_path: Path) -> None:
    assert problem_of(Npz(path=save(tmp_path, x=IMAGES, y=LABELS[:5]))).code == "different-rows"


def test_a_subset_needs_one_array_per_column(tmp_path: Path) -> None:
    source = Npz(path=save(tmp_path, x=IMAGES, y=LABELS), inputs=("x",), target="y", test=("x",))
    assert problem_of(source).code == "wrong-names"


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04 and then nothing"])
def test_a_file_that_is_no_npz_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "data.npz"
    path.write_bytes(content)
    assert problem_of(Npz(path=str(path))).code == "damaged-file"


def test_complex_numbers_and_single_values_are_problems(tmp_path: Path) -> None:
    assert problem_of(Npz(path=save(tmp_path, x=np.ones(3, dtype=complex)))).code == "unknown-values"
    assert problem_of(Npz(path=save(tmp_path, x=np.float64(3)))).code == "not-a-column"


def test_another_file_gives_every_array_that_it_has(tmp_path: Path) -> None:
    path = save(tmp_path, x=IMAGES)
    found = Npz(path="elsewhere.npz", inputs=("x",), target="y").other_file(path).read()
    assert list(found.samples) == ["x"]


def test_a_flat_array_beside_its_offsets_is_a_column_of_sequences(tmp_path: Path) -> None:
    path = tmp_path / "reviews.npz"
    flat = {"train_ids": np.arange(5, dtype=np.uint16), "train_offsets": np.array([0, 2, 2, 5])}
    test = {"test_ids": np.array([7], np.uint16), "test_offsets": np.array([0, 1]), "test_labels": np.array([1])}
    np.savez(path, **flat, **test, train_labels=np.array([0, 1, 0]))
    test_names = ("test_ids", "test_labels")
    found = Npz(path=str(path), inputs=("train_ids",), target="train_labels", test=test_names).read()
    column = found.samples["train_ids"]
    assert [column.row(row).tolist() for row in range(4)] == [[0, 1], [], [2, 3, 4], [7]]
    assert Npz(path=str(path), target="train_labels", test=test_names).read().inputs == ("train_ids",)


def test_text_beside_offsets_is_a_problem(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array(["a", "b"]), x_offsets=np.array([0, 2]))
    with pytest.raises(DataError, match="x holds <U1 values; rows that start where x_offsets says hold numbers"):
        Npz(path=str(tmp_path / "x.npz")).read()


def test_what_is_no_unicode_is_a_damaged_file(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array(["a", "b"]))
    broken = b"\xff\xff\xff\x7f" + "b".encode("utf-32-le")
    with zipfile.ZipFile(tmp_path / "x.npz") as archive:
        array = archive.read("x.npy")
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("x.npy", array[: -len(broken)] + broken)
    with pytest.raises(DataError, match="holds no text"):
        Npz(path=str(tmp_path / "x.npz")).read()


def test_texts_need_room_twice_while_they_are_sorted(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.zeros(100), text=np.array(["word"] * 100))
    extent = Npz(path=str(tmp_path / "x.npz")).extent()
    assert extent is not None
    assert extent.meanwhile_bytes == 1600
    assert extent.nbytes >= 2400


def test_texts_in_bytes_that_are_no_utf8_are_still_told_apart_by_what_can_be_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array([b"a", b"\xff", b"\xfe", b"a"]))
    column = Npz(path=str(tmp_path / "x.npz")).read().samples["x"]
    assert column.vocabulary == ("a", "\N{REPLACEMENT CHARACTER}")
    assert column.codes.tolist() == [0, 1, 1, 0]


def test_offsets_that_do_not_divide_their_array_are_a_problem(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.arange(5), x_offsets=np.array([0, 3, 6]))
    with pytest.raises(DataError, match="x_offsets does not say where the rows of x start"):
        Npz(path=str(tmp_path / "x.npz")).read()
