"""Copies are told from rows that happen to be equal."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dlcli.data.leakage.coincidence import by_chance
from dlcli.data.leakage.findings import Divided
from dlcli.data.leakage.repeats import input_hashes
from dlcli.samples import Coded, ColumnSchema, Samples, Schema
from dlcli.task import Goal, Task

ROWS = np.arange(600)


def chance(columns: dict[str, NDArray[np.float64]], **others: Coded) -> bool:
    """Whether the equal rows of a table are coincidences."""
    kinds = dict.fromkeys(columns, ColumnSchema(kind="numeric")) | dict.fromkeys(others, ColumnSchema(kind="text"))
    samples = Samples({**columns, **others}, len(ROWS))
    goal, values = Goal(Task.REGRESSION, ("y",)), np.zeros((len(ROWS), 1))
    none = np.zeros(len(ROWS), dtype=np.uint64)
    divided = Divided(samples, Schema(columns=kinds), {"train": ROWS}, none, goal, values, {}, "random")
    return by_chance(divided, input_hashes(samples, tuple(others)), ROWS)


def drawn(*values: int, seed: int = 0) -> dict[str, NDArray[np.float64]]:
    """Columns of so many values each."""
    generator = np.random.default_rng(seed)
    return {f"x{place}": generator.integers(0, many, len(ROWS)) * 1.0 for place, many in enumerate(values)}


@pytest.mark.parametrize("values", [(5,), (2, 3, 60), (8, 8, 8, 8), (2, 500)])
def test_rows_of_few_and_coarse_columns_are_equal_by_chance(values: tuple[int, ...]) -> None:
    assert chance(drawn(*values))


def test_columns_that_depend_on_each_other_are_still_chance() -> None:
    columns = drawn(4, 4, 30)
    columns["of x0"] = columns["x0"] * 7 + (np.random.default_rng(1).random(len(ROWS)) < 0.1)
    assert chance(columns)


@pytest.mark.parametrize("copies", [1, 10, 300])
def test_copies_are_no_coincidence(copies: int) -> None:
    columns = {name: np.random.default_rng(2).permutation(600) / 7 for name in ("a", "b")} | drawn(3, 3)
    for column in columns.values():
        column[-copies:] = column[:copies]
    assert not chance(columns)


def test_equal_texts_are_never_a_coincidence() -> None:
    words = tuple(f"text {number}" for number in range(300))
    assert not chance({}, text=Coded(np.tile(np.arange(300), 2).astype(np.int32), words))
