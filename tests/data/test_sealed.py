"""The test targets stay closed until the look is written down."""

from __future__ import annotations

import numpy as np
import pytest

from dlcli.data.sealed import seal
from dlcli.data.target import resolve
from dlcli.data.target_section import Target
from dlcli.samples import Coded, Found, Samples

FOUND = Found(Samples.of({"y": Coded.of(["a", "b", "a", "b"]), "z": Coded.of(["1.5", "2", "3", "9"])}))
TEST_ROWS = np.array([3, 1])
HASHES = np.array([10, 11, 12, 13], dtype=np.uint64)


def test_sealed_targets_are_gone_from_the_answer() -> None:
    for column, gone in (("y", [0, -1, 0, -1]), ("z", [1.5, np.nan, 3, np.nan])):
        answer = resolve(Target(column=(column,)), FOUND, None, "refuse")
        closed, _ = seal(answer, TEST_ROWS, HASHES)
        np.testing.assert_array_equal(closed.values.reshape(-1), gone)
        assert not np.array_equal(answer.values.reshape(-1), gone)


def test_opening_logs_the_rows_before_it_hands_out() -> None:
    _, sealed = seal(resolve(Target(column=("y",)), FOUND, None, "refuse"), TEST_ROWS, HASHES)
    looks: list[list[int]] = []
    assert sealed.open(lambda hashes: looks.append(hashes.tolist())).tolist() == [1, 1]
    assert looks == [[13, 11]]


def test_a_look_that_cannot_be_written_down_gets_nothing() -> None:
    _, sealed = seal(resolve(Target(column=("y",)), FOUND, None, "refuse"), TEST_ROWS, HASHES)

    def full_disk(_hashes: object) -> None:
        message = "no space left"
        raise OSError(message)

    with pytest.raises(OSError, match="no space left"):
        sealed.open(full_disk)


def test_targets_are_no_public_attribute() -> None:
    _, sealed = seal(resolve(Target(column=("y",)), FOUND, None, "refuse"), TEST_ROWS, HASHES)
    assert {name for name in dir(sealed) if not name.startswith("_")} == {"hashes", "open", "rows"}
