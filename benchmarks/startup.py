"""Times commands that train nothing, as whole processes.

    python benchmarks/startup.py [ROUNDS]

Rounds alternate between the commands; the median of user and system seconds is what a person waits for on
an idle machine.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CONFIGS = Path(__file__).parents[1] / "configs"
MISTAKES = """\
data: {source: {builtin: wine}}
task: multiclass
sead: 3
split: {stratifed: {test: 0.2}}
architecture: [dense: sixteen, dropout: 1.5]
optimizer: adm
early_stopping: {monitor: val_acuracy}
loss: mse
"""


def seconds(arguments: list[str]) -> float:
    """User and system seconds of one process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "dlcli", *arguments], capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def main(rounds: int) -> None:
    """Prints the median of each command."""
    with tempfile.TemporaryDirectory() as folder:
        mistakes = Path(folder) / "mistakes.yaml"
        mistakes.write_text(MISTAKES)
        commands = {
            "--help": ["--help"],
            "check churn.yaml": ["check", str(CONFIGS / "churn.yaml")],
            "check, seven mistakes": ["check", str(mistakes)],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(rounds):
            for name, arguments in commands.items():
                times[name].append(seconds(arguments))
    for name, measured in times.items():
        sys.stdout.write(f"{name:24} {statistics.median(measured):.3f} s (max {max(measured):.3f})\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
