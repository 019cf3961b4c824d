"""What the leak guard finds in real data: each fault that is there, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.real_data import SETS, Real, prepared


@pytest.mark.parametrize(
    "real", [pytest.param(real, id=real.name, marks=[pytest.mark.slow] if real.slow else []) for real in SETS]
)
def test_known_faults_are_found_and_no_others(real: Real, shared_data: Path, tmp_path: Path) -> None:
    dataset, said = prepared(real, shared_data, tmp_path)
    assert tuple((each.code, each.message.split(" ", 1)[0]) for each in dataset.findings) == real.found
    counted = [text for text in said if " an earlier row" in text]
    assert [text.split(" ", 1)[0] for text in counted] == ([str(real.repeated)] if real.repeated else [])
