"""The custom source."""

from __future__ import annotations

from pathlib import Path

import pytest

from dlcli.data.sources.custom import CustomSource
from dlcli.problems import DataError

CODE = """
import numpy as np

def load(rows):
    return {"x": np.arange(rows) / 2, "name": ["a", None, "b"][:rows], "pair": [[1, 2]] * rows}

def table(rows):
    return [1] * rows

def uneven():
    return {"x": [1, 2], "y": [1]}
"""


def source(folder: Path, name: str, **arguments: int) -> CustomSource:
    path = folder / "sensors.py"
    path.write_text(CODE)
    return CustomSource(object=f"{path}:{name}", arguments=arguments)


def test_a_function_returns_columns(tmp_path: Path) -> None:
    samples = source(tmp_path, "load", rows=3).read().samples
    assert list(samples["x"]) == [0, 0.5, 1]
    assert list(samples["name"].texts("-")) == ["a", "-", "b"]
    assert samples["pair"].shape == (3, 2)


@pytest.mark.parametrize(
    ("name", "arguments", "code"), [("table", {"rows": 2}, "custom-source"), ("uneven", {}, "different-rows")]
)
def test_what_is_no_table_is_a_problem(tmp_path: Path, name: str, arguments: dict[str, int], code: str) -> None:
    with pytest.raises(DataError) as raised:
        source(tmp_path, name, **arguments).read()
    assert raised.value.problems[0].code == code
