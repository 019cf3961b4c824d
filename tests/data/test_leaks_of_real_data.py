"""What the leak guard finds in real data: each fault that is there, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.data.real_data import SETS, Real, prepared


@pytest.mark.parametrize(
    "real", [pytest.param(real, id=real.name, marks=[pytest.mark.slow] if real.slow else []) for real in SETS]
)
def test_known_faults_are_found_and_no_others(real: Real, shared_data: Path, tmp_path: Path) -> None:
    dataset, said = prepared(real, shared_data, tmp_path)
    assert tuple((each.code, each.message.split(" ", 1)[0]) for each in dataset.findings) == real.found
    counted = [text for text in said if " an earlier row" in text]
    assert [text.split(" ", 1)[0] for text in counted] == ([str(real.repeated)] if real.repeated else [])


@pytest.mark.slow
def test_the_benchmark_finds_every_planted_leak_and_nothing_in_clean_data(shared_data: Path) -> None:
    script = REPOSITORY / "benchmarks" / "leaks.py"
    done = subprocess.run(
        [sys.executable, script], env=os.environ | {"DLCLI_DATA": str(shared_data)}, capture_output=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
