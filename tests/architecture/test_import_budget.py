"""No command pays for a library that it does not need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
HEAVY = ("tensorflow", "keras", "sklearn", "polars", "matplotlib", "scipy", "tensorflow_datasets")


def modules_after(*arguments: str) -> set[str]:
    """The modules that a process of the console script holds after a command, which must end well."""
    code = (
        "import sys; from dlcli import backend; backend.own_this_process();"
        "from dlcli.__main__ import run; code = run(sys.argv[1:]);"
        "print('\\n' + '\\n'.join(sys.modules)); sys.exit(code)"
    )
    process = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    return set(process.stdout.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("check", "configs/churn.yaml"),
        ("check", "configs/mnist-convnet.yaml"),
        ("parts",),
        ("parts", "layer", "conv2d"),
        ("parts", "schedule", "one_cycle", "--plot"),
        ("schema",),
        ("doctor", "--json"),
        ("train", "--help"),
        ("lr-find", "--help"),
    ],
    ids=" ".join,
)
def test_needs_no_heavy_library(arguments: tuple[str, ...]) -> None:
    if arguments[0] == "doctor" and Path("/dev/nvidia0").exists():
        pytest.skip("a GPU is asked about through TensorFlow")
    assert modules_after(*arguments).isdisjoint(HEAVY)


def test_help_needs_no_pydantic_either() -> None:
    assert "pydantic" not in modules_after("--help")


def test_a_training_draws_nothing_and_reads_no_data_sets(tmp_path: Path) -> None:
    modules = modules_after("train", "configs/wine.yaml", "--set", "training.epochs=1", "--runs", str(tmp_path))
    assert "sklearn.linear_model" in modules
    assert modules.isdisjoint({"matplotlib", "tensorflow_datasets", "tensorboard", "scipy.stats"})
