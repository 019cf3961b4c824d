"""Follows the memory of 50 trainings in one process: iterated k-fold, hand-written Keras and dlcli.

    python benchmarks/memory.py [--repeats 10] [--epochs 2] [--json FILE]

Wine, 5 folds, repeated; each side has a process of its own. After each fold the resident memory is read; what
counts is how much it grows after the first five folds.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import timing
from kfold import CASES, Case, by_dlcli, by_keras, divided, warm_up

MEGABYTE = 2**20
FIRST = 5
BAR_MEGABYTES = 30.0
SIDES = ("keras", "keras, sessions cleared", "dlcli")


def resident() -> float:
    """Megabytes of this process that lie in memory."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux: the most so far, in kilobytes but on macOS in bytes
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MEGABYTE
    return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE


def follow(side: str, case: Case) -> list[float]:
    """Megabytes after each fold."""
    seen: list[float] = []

    def cleared() -> None:
        import keras

        keras.backend.clear_session()
        seen.append(resident())

    warm_up()
    with tempfile.TemporaryDirectory() as name:
        config = case.write(Path(name))
        if side == "dlcli":
            by_dlcli(case, config, lambda: seen.append(resident()))
        else:
            folds, _ = divided(config)
            by_keras(case, config, folds, (lambda: seen.append(resident())) if side == "keras" else cleared)
    return seen


def in_own_process(side: str, options: Sequence[str]) -> list[float]:
    """Megabytes after each fold, of a new process.

    Raises:
        RuntimeError: it failed.
    """
    arguments = [sys.executable, __file__, "--side", side, *options]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        message = f"{side} failed:\n{done.stderr[-2000:]}"
        raise RuntimeError(message)
    return [float(each) for each in json.loads(done.stdout.splitlines()[-1])]


def main() -> None:
    """Measures every side, or one of them in this process."""
    parser = argparse.ArgumentParser(description="Memory of many folds: hand-written Keras against dlcli.")
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--side", choices=SIDES, help="only this one, in this process; prints its figures as JSON")
    options = parser.parse_args()
    if options.side:
        case = replace(CASES[0], repeats=options.repeats, epochs=options.epochs)
        timing.say(json.dumps(follow(options.side, case)))
        return
    begun = timing.begin("memory")
    seen = {
        side: in_own_process(side, ["--repeats", str(options.repeats), "--epochs", str(options.epochs)])
        for side in SIDES
    }
    growth = {side: megabytes[-1] - megabytes[FIRST - 1] for side, megabytes in seen.items()}
    header = ("megabytes", "folds", f"after {FIRST}", "at the end", "growth")
    rows = [
        [side, str(len(each)), f"{each[FIRST - 1]:.0f}", f"{each[-1]:.0f}", f"{growth[side]:.1f}"]
        for side, each in seen.items()
    ]
    timing.say(timing.table(header, rows) + f"wanted: dlcli grows by less than {BAR_MEGABYTES:g}")
    timing.write_json(options.json, {"setting": begun, "resident": seen, "growth": growth})


if __name__ == "__main__":
    main()
