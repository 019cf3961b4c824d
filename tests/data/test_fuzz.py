"""A small dose of damaged files; `benchmarks/fuzz_files.py` gives the large one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.fuzz_files import extremes, run, seeds


def test_damaged_files_lead_to_a_table_or_a_problem_in_time(tmp_path: Path) -> None:
    generator = np.random.default_rng(1)
    results = run(seeds(None, generator), 120, generator, tmp_path)
    assert [result.outcome for result in results if result.wrong] == []
    assert len(results) == 120 + len(extremes())


def test_damaged_real_files_do_so_too(shared_data: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(2)
    results = run(seeds(shared_data, generator), 60, generator, tmp_path)
    assert [result.outcome for result in results if result.wrong] == []
