"""A small dose of `benchmarks/fuzz_configs.py`."""

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "fuzz_configs.py"


def test_mutated_configs_read_or_give_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("fuzz_configs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    results, _ = fuzz.run(300, seed=3)
    assert results["ok"] > 10
    assert results["yaml-syntax"] > 10
    assert results["config-is-directory"] == 1
