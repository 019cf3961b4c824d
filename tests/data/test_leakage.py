"""The leak guard: what is planted is found under its own code, and clean data raise nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlcli.data.leakage.findings import CODES
from tests.data import planted
from tests.data.planted import LEAKS, Original, found_in

KINDS: tuple[Callable[[Path], Original], ...] = (
    planted.table,
    planted.images,
    planted.signs,
    planted.text,
    planted.series,
)


@pytest.mark.parametrize("make", KINDS)
def test_clean_data_raise_nothing(make: Callable[[Path], Original], shared_data: Path, tmp_path: Path) -> None:
    assert found_in(make(shared_data), tmp_path) == ()


@pytest.mark.parametrize("code", LEAKS)
@pytest.mark.parametrize("make", KINDS)
def test_a_planted_leak_is_found(
    code: str, make: Callable[[Path], Original], shared_data: Path, tmp_path: Path
) -> None:
    leaking = LEAKS[code](make(shared_data))
    if leaking is None:
        return  # images have no columns, series no classes
    assert code in {finding.code for finding in found_in(leaking, tmp_path)}


def test_every_code_is_planted() -> None:
    assert LEAKS.keys() == CODES.keys()
