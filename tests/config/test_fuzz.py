"""A small dose of `benchmarks/fuzz_configs.py`."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz_configs.py"


def test_mutated_configs_read_or_give_problems(tmp_path: Path) -> None:
    # In a process of its own: the script bounds the memory of the whole process.
    ended = subprocess.run(
        [sys.executable, SCRIPT, "300", "3"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    lines = [line.split() for line in ended.stdout.splitlines()]
    results = {code: int(times) for times, code in lines[:-1]}
    assert results["ok"] > 10
    assert results["yaml-syntax"] > 10
    assert results["config-is-directory"] == 1
