"""A small dose of damaged files; `benchmarks/fuzz_files.py` gives the large one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks import fuzz_files
from benchmarks.fuzz_files import extremes, run, seeds


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what never seems to end counts as slow here."""
    monkeypatch.setattr(fuzz_files, "SECONDS_ALLOWED", 60.0)


def test_damaged_files_lead_to_a_table_or_a_problem(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    results = run(seeds(None, generator), 120, generator, tmp_path)
    assert [result.outcome for result in results if result.wrong] == []
    assert len(results) == 120 + len(extremes())


def test_damaged_real_files_do_so_too(shared_data: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    results = run(seeds(shared_data, generator), 60, generator, tmp_path)
    assert [result.outcome for result in results if result.wrong] == []
