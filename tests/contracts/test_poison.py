"""What a step has learned, and what it makes of the rows that it learned from, hangs on no other row.

Other rows get values that are valid for their kind and nothing else: every step, over single rows and over windows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

from dlcli.config import catalog
from dlcli.data.window_section import Window
from dlcli.data.windows import Series
from dlcli.part import Step
from dlcli.preprocessing import pipeline
from dlcli.samples import Coded, ColumnSchema, Ragged, Samples, Schema

ROWS = 36
SCHEMA = {
    "age": ColumnSchema(kind="numeric"),
    "pay": ColumnSchema(kind="numeric"),
    "city": ColumnSchema(kind="categorical", dtype="string"),
    "size": ColumnSchema(kind="categorical", dtype="string"),
    "note": ColumnSchema(kind="text", dtype="string"),
    "born": ColumnSchema(kind="datetime", dtype="int64"),
    "image": ColumnSchema(kind="image", shape=(4, 5, 3), dtype="uint8"),
    "codes": ColumnSchema(kind="sequence", dtype="int64"),
    "counts": ColumnSchema(kind="numeric", shape=(3,), dtype="int32"),
}
NUMBERS = "age pay"
CASES: dict[str, tuple[tuple[str, str], ...]] = {
    "drop": (("age pay city", "[drop: city, impute]"),),
    "impute": tuple(
        ("age pay city", f"[impute: {{with: {how}, indicator: true}}, one_hot]")
        for how in ("mean", "median", "mode", "'5'")
    ),
    "standardize": (
        (NUMBERS, "[impute, standardize: {keep: true}]"),
        ("image", "[standardize]"),
        ("counts", "[standardize]"),
    ),
    "min_max": ((NUMBERS, "[impute, min_max]"), ("counts", "[min_max]")),
    "robust": ((NUMBERS, "[impute, robust]"), ("counts", "[robust]")),
    "log": ((NUMBERS, "[log, impute]"),),
    "clip": ((NUMBERS, "[clip: {quantiles: [0.1, 0.9]}, impute]"), (NUMBERS, "[clip: {range: [0.0, 1.0]}, impute]")),
    "one_hot": (("city size", "[one_hot]"), ("city", "[one_hot: {min_count: 3, unknown: zeros}]")),
    "ordinal": (("city", "[ordinal]"), ("size", "[ordinal: {order: [small, large]}]")),
    "binary_code": (("city size", "[binary_code]"),),
    "hash": (("city", "[hash: {columns: city, buckets: 4}]"),),
    "embed": (("city", "[embed: city]"),),
    "discretize": tuple(
        (NUMBERS, f"[discretize: {{bins: 3, strategy: {how}}}, one_hot]") for how in ("quantile", "uniform")
    ),
    "piecewise_linear": ((NUMBERS, "[impute, piecewise_linear: {bins: 3}]"),),
    "periodic": (("age", "[impute, periodic: {keep: true}]"), ("age", "[impute, periodic: {period: 12.0}]")),
    "pca": (
        (NUMBERS, "[impute, pca: {components: 1}]"),
        (NUMBERS, "[impute, standardize, pca: {components: 0.9, keep: true}]"),
    ),
    "polynomial": ((NUMBERS, "[impute, polynomial: {columns: [age, pay], degree: 3}]"),),
    "cross": (("city size", "[cross: {columns: [city, size], keep: true}, one_hot]"),),
    "date_parts": (("born", "[date_parts: {parts: [month, days, minute]}, impute]"),),
    "expression": (
        (
            "age pay city",
            "[expression: {name: x, formula: \"where(city == 'Oslo', nan, age / (1 + abs(pay)))\"}, impute, one_hot]",
        ),
    ),
    "custom": ((NUMBERS, f"[impute, custom: {{object: '{Path(__file__).parent / 'own_step.py'}:Ratios'}}]"),),
    "rescale": (("image", "[rescale]"),),
    "resize": (("image", "[resize: {size: [3, 2]}, rescale]"),),
    "grayscale": (("image", "[grayscale, standardize]"),),
    "tokens": tuple(
        ("note", f"[tokens: {{{fields}}}]")
        for fields in (
            "output: multi_hot, max_tokens: 12",
            "output: count, ngrams: 2, max_tokens: 12",
            "output: tf_idf",
            "output: ids",
            "level: character",
        )
    ),
    "pad": (("codes", "[pad]"), ("codes", "[pad: {length: 3}]")),
    "multi_hot": (("codes", "[multi_hot]"),),
    "auto": (("age pay city note born", "[auto]"), ("image", "[auto]"), ("codes", "[auto]"), ("counts", "[auto]")),
}
"""For every step: columns, and a list of steps that ends with numbers alone. A new step is a line here."""

EVERY = list(dict.fromkeys(case for cases in CASES.values() for case in cases))
SINGLE = [(columns, steps) for columns, steps in EVERY if columns not in ("image", "codes", "counts")]
"""Those whose rows a window can hold."""


def cells(seed: int) -> dict[str, list[Any]]:
    """Raw cells, None for a gap."""
    draw = np.random.default_rng(seed)
    words = ["the", "good", "bad", "film", "was", "long", "and", "short"]
    return {
        "age": [None if row % 7 == 3 else float(value) for row, value in enumerate(draw.normal(40, 9, ROWS))],
        "pay": [float(value) for value in draw.exponential(1e3, ROWS)],
        "city": [None if row % 9 == 4 else str(draw.choice(["Oslo", "Lima", "Rome"])) for row in range(ROWS)],
        "size": [str(draw.choice(["small", "large"])) for _ in range(ROWS)],
        "note": [" ".join(draw.choice(words, 4)) for _ in range(ROWS)],
        "born": [int(value) for value in draw.integers(0, 10**9, ROWS)],
        "image": [draw.integers(20, 90, (4, 5, 3)).astype(np.uint8) for _ in range(ROWS)],
        "codes": [draw.integers(1, 6, draw.integers(1, 5)) for _ in range(ROWS)],
        "counts": [draw.integers(0, 9, 3).astype(np.int32) for _ in range(ROWS)],
    }


POISON: dict[str, tuple[Any, ...]] = {
    "age": (1e300, -1e300, None, float("inf"), 0.0),
    "pay": (float("-inf"), -1e-300, None, 1e17),
    "city": ("Aa", None, "Zürich\n", "Oslo "),
    "size": ("medium", "", None),
    "note": (None, "\0", "zebra " * 50, "the the the the the the the the", "[UNK]"),
    "born": (-(2**63), 253402300799, -62135596800),
    "image": (np.full((4, 5, 3), 255, np.uint8), np.zeros((4, 5, 3), np.uint8)),
    "codes": (np.array([999]), np.zeros(0, np.int64), np.arange(40)),
    "counts": (np.full(3, 10**9, np.int32), np.zeros(3, np.int32), np.full(3, -5, np.int32)),
}
"""By column, values of its kind that no training row has, or more of than any."""


def samples_of(columns: str, poisoned: NDArray[np.int64]) -> Samples:
    """The named columns; the given rows are poisoned."""
    found: dict[str, Any] = {}
    for name, values in cells(0).items():
        for place, row in enumerate(poisoned.tolist()):
            values[row] = POISON[name][place % len(POISON[name])]
        if name in columns.split():
            found[name] = _column(SCHEMA[name], values)
    return Samples.of({name: found[name] for name in columns.split()})


def _column(schema: ColumnSchema, values: list[Any]) -> Any:
    if schema.dtype == "string":
        return Coded.of(values)
    if schema.kind == "sequence":
        return Ragged.of([np.asarray(row, np.int64) for row in values])
    return np.array([np.nan if value is None else value for value in values], dtype=schema.dtype)


def training_sides() -> Iterator[NDArray[np.int64]]:
    """Training rows as splits and folds give them: every third row left out, the first half in time, any rows."""
    every = np.arange(ROWS)
    yield every[every % 3 != 1]
    yield every[: ROWS // 2]
    yield np.random.default_rng(1).permutation(ROWS)[: ROWS // 2]


def made(text: str) -> tuple[Step, ...]:
    """The steps that a config lists."""
    found = []
    for item in yaml.safe_load(text):
        name, value = (item, {}) if isinstance(item, str) else next(iter(item.items()))
        part = catalog.find("preprocessing", name)
        assert part is not None
        fields = value if isinstance(value, dict) else {part.main_field: value}
        several = {key: (each,) if key == "columns" and isinstance(each, str) else each for key, each in fields.items()}
        step = part.model_validate(
            {key: tuple(each) if isinstance(each, list) else each for key, each in several.items()}
        )
        assert isinstance(step, Step)
        found.append(step)
    return tuple(found)


def learned(steps: str, samples: Samples, train: NDArray[np.int64]) -> tuple[Any, ...]:
    """The whole fitted state, what the network would get, and the training rows as it gets them."""
    schema = Schema(columns={name: SCHEMA[name] for name in samples})
    fitted = pipeline.fit(made(steps), samples, schema, train)
    rows = fitted.transform(samples, train)
    output = (fitted.output.shape, fitted.output.names, fitted.output.cardinality, fitted.output.origins)
    notes = [note.text for note in fitted.notes]
    return json.dumps(fitted.state, allow_nan=False), output, notes, rows.tobytes(), fitted.gap_row().tobytes()


@pytest.mark.parametrize("name", catalog.names("preprocessing"))
def test_every_step_has_a_case(name: str) -> None:
    assert CASES.get(name)
    assert all(name in [step.part_name for step in made(steps)] for _, steps in CASES[name])


@pytest.mark.parametrize(("columns", "steps"), EVERY)
def test_no_other_row_changes_what_a_step_learns(columns: str, steps: str) -> None:
    for train in training_sides():
        others = np.setdiff1d(np.arange(ROWS), train)
        clean = learned(steps, samples_of(columns, others[:0]), train)
        assert learned(steps, samples_of(columns, others), train) == clean
        alone = samples_of(columns, others).take(train)
        assert learned(steps, alone, np.arange(len(train))) == clean


@pytest.mark.parametrize(("columns", "steps"), SINGLE)
def test_no_row_outside_the_training_windows_changes_what_a_step_learns(columns: str, steps: str) -> None:
    series = Series.of(Window(length=3, horizon=1), np.arange(ROWS), ROWS, None, None)
    for rows in (np.arange(20), np.arange(12, ROWS)):
        train = series.within(rows)
        others = np.setdiff1d(np.arange(ROWS), series.ending_at_each_row().take(train).rows())
        clean, poisoned = (series.of_rows(samples_of(columns, each)) for each in (others[:0], others))
        assert learned(steps, poisoned, train) == learned(steps, clean, train)


def test_poison_in_training_rows_does_show() -> None:
    """The tests above could not fail if this one did not hold."""
    train = np.arange(20)
    for name in SCHEMA:
        clean, poisoned = (samples_of(name, rows) for rows in (train[:0], train[:5]))
        assert learned("[auto]", clean, train) != learned("[auto]", poisoned, train), name
