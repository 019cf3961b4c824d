"""Times whole processes, from shell to prompt: short commands, and a training against a bare TensorFlow import.

    python benchmarks/startup.py [--rounds 9] [--json FILE]

Rounds alternate between the commands, after one that is not counted, in which Python keeps what it compiled.
User and system seconds are what a person waits for on an idle machine with one core.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import timing

CONFIGS = Path(__file__).parents[1] / "configs"
DLCLI = [sys.executable, "-m", "dlcli"]
BARE, TRAIN = "python -c 'import tensorflow'", "train wine.yaml"
BAR = 1.0
"""What the training may take, in bare imports."""
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


@dataclass(frozen=True, slots=True)
class Seconds:
    """What a process took: by the clock, and of the processor, user and system together."""

    wall: float
    processor: float


def seconds(command: list[str], expected: int = 0) -> Seconds:
    """Runs one process, which must end with the expected exit code."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.run(command, capture_output=True, env=environment, text=True, check=False)
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode != expected:
        sys.exit(f"{' '.join(command)} ended with exit code {process.returncode}:\n{process.stderr}")
    return Seconds(wall, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def median(measured: list[Seconds]) -> Seconds:
    """The medians of both clocks."""
    return Seconds(statistics.median(s.wall for s in measured), statistics.median(s.processor for s in measured))


def main(rounds: int, json: Path | None) -> None:
    """Prints medians and the ratio of training to bare import."""
    setting = timing.begin("start-up")
    with tempfile.TemporaryDirectory() as folder:
        mistakes = Path(folder) / "mistakes.yaml"
        mistakes.write_text(MISTAKES)
        methods = {
            "--help": partial(seconds, [*DLCLI, "--help"]),
            "check churn.yaml": partial(seconds, [*DLCLI, "check", str(CONFIGS / "churn.yaml")]),
            "check, seven mistakes": partial(seconds, [*DLCLI, "check", str(mistakes)], expected=2),
            BARE: partial(seconds, [sys.executable, "-c", "import tensorflow"]),
            TRAIN: partial(seconds, [*DLCLI, "train", str(CONFIGS / "wine.yaml"), "--runs", folder]),
        }
        timing.alternate(methods, 1)
        measured = timing.alternate(methods, rounds)
    medians = {name: median(results) for name, results in measured.items()}
    rows = [[name, f"{found.wall:.2f}", f"{found.processor:.2f}"] for name, found in medians.items()]
    timing.say(timing.table(["seconds", "clock", "processor"], rows))
    ratio = medians[TRAIN].wall / medians[BARE].wall
    of_processor = medians[TRAIN].processor / medians[BARE].processor
    timing.say(f"{TRAIN} / bare import: {ratio:.2f} by the clock, {of_processor:.2f} of the processor (bar {BAR})")
    result = {
        "setting": setting,
        "rounds": {name: [asdict(one) for one in results] for name, results in measured.items()},
        "medians": {name: asdict(found) for name, found in medians.items()},
        "ratio": {"wall": ratio, "processor": of_processor, "bar": BAR},
    }
    timing.write_json(json, result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    main(arguments.rounds, arguments.json)
