"""A state that was written is read back as it was, or not at all."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from dlcli.problems import DataError
from dlcli.training import checkpoint

ARRAYS = npst.arrays(
    st.one_of(
        npst.boolean_dtypes(),
        npst.integer_dtypes(),
        npst.unsigned_integer_dtypes(),
        npst.floating_dtypes(),
        npst.unicode_string_dtypes(max_len=3),
    ),
    npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3),
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
VALUES = st.recursive(
    SCALARS | ARRAYS,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.lists(inside, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=6) | st.sampled_from(["array", "dict", "tuple"]), inside, max_size=3)
    ),
    max_leaves=12,
)
SMALL = {
    "engine": {"model": [np.arange(6, dtype=np.float32).reshape(2, 3)], "seeds": np.uint64([2**64 - 1])},
    "history": [{"epoch": 1, "loss": math.nan}],
    "best": math.inf,
}


def same(one: Any, other: Any) -> bool:
    """Equal in type, in order of keys, and in every bit."""
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(repr(one) == repr(other))


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkpoint") / "state.npz"


@settings(max_examples=200)
@given(state=st.dictionaries(st.text(max_size=6), VALUES, max_size=4))
def test_any_state_is_read_back_as_it_was(path: Path, state: dict[str, Any]) -> None:
    checkpoint.write(state, path)
    assert same(checkpoint.read(path), state)


def test_numbers_of_numpy_are_kept_as_plain_numbers(path: Path) -> None:
    checkpoint.write({"loss": np.float32(0.5), "epoch": np.int64(3), "rate": np.float64(0.1)}, path)
    assert same(checkpoint.read(path), {"loss": 0.5, "epoch": 3, "rate": 0.1})


@pytest.mark.parametrize("value", [{1: 2}, {3}, b"bytes", np.array([None]), np.zeros(2, dtype="i4,f4")])
def test_what_no_file_gives_back_is_refused_before_anything_is_written(tmp_path: Path, value: object) -> None:
    with pytest.raises(TypeError):
        checkpoint.write({"value": value}, tmp_path / "state.npz")
    assert not list(tmp_path.iterdir())


def test_a_file_cut_anywhere_is_refused(path: Path) -> None:
    checkpoint.write(SMALL, path)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(DataError, match="is damaged"):
            checkpoint.read(path)


def test_a_file_with_one_byte_changed_is_refused_or_reads_the_same(path: Path) -> None:
    checkpoint.write(SMALL, path)
    content = path.read_bytes()
    refused = 0
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :])
        try:
            assert same(checkpoint.read(path), SMALL)
        except DataError:
            refused += 1
    assert refused > len(content) // 2


def test_a_pickle_is_never_opened(path: Path) -> None:
    with path.open("wb") as file:
        np.savez(file, document=np.array([{"format": 1}], dtype=object))
    with pytest.raises(DataError, match="is damaged"):
        checkpoint.read(path)


def test_a_missing_file_and_another_format_are_named(path: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no checkpoint"):
        checkpoint.read(tmp_path / "none.npz")
    with path.open("wb") as file:
        np.savez(file, document=np.frombuffer(json.dumps({"format": 2, "state": {}}).encode(), dtype=np.uint8))
    with pytest.raises(DataError, match="format 2"):
        checkpoint.read(path)
