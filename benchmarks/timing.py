"""What the benchmarks share: alternating rounds, medians, ratios, the machine, a text table."""

from __future__ import annotations

import gc
import json
import math
import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

Result = TypeVar("Result")
_WINDOWS = 5
_BUSY = 0.5


def alternate(
    methods: Mapping[str, Callable[[], Result]],
    rounds: int,
    hopeless: Callable[[Mapping[str, list[Result]]], set[str]] = lambda _: set(),
) -> dict[str, list[Result]]:
    """Runs every method once per round, each round beginning with another one.

    Args:
        methods: by name.
        rounds: how many.
        hopeless: names, given the results so far, that later rounds leave out.

    Returns:
        the results by method, a list over rounds.
    """
    results: dict[str, list[Result]] = {name: [] for name in methods}
    for number in range(rounds):
        left_out = hopeless(results) if number else set()
        names = [name for name in methods if name not in left_out]
        start = number % len(names)
        for name in (*names[start:], *names[:start]):
            gc.collect()
            results[name].append(methods[name]())
    return results


def epoch_seconds(ends: Sequence[float]) -> float:
    """Median seconds of an epoch after the first one, from the times at which epochs ended.

    The epochs are cut into at most five windows, and the median is that of the windows' means: a method may
    report several epochs at once.
    """
    gaps = len(ends) - 1
    if gaps < 1:
        message = "an epoch's seconds need the ends of two epochs"
        raise ValueError(message)
    windows = min(_WINDOWS, gaps)
    borders = [round(gaps * window / windows) for window in range(windows + 1)]
    return statistics.median((ends[last] - ends[first]) / (last - first) for first, last in pairwise(borders))


def geometric_mean(values: Sequence[float]) -> float:
    """The geometric mean of positive numbers; NaN of none."""
    return math.exp(statistics.fmean(map(math.log, values))) if values else math.nan


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns of text: the first to the left, the others to the right."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]

    def line(cells: Sequence[str]) -> str:
        first, *others = (cell.ljust if not i else cell.rjust for i, cell in enumerate(cells))
        texts = [first(widths[0]), *(fit(width) for fit, width in zip(others, widths[1:], strict=True))]
        return "  ".join(texts).rstrip()

    return "\n".join(line(row) for row in (header, ["-" * width for width in widths], *rows)) + "\n"


def say(text: str) -> None:
    """Prints a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def setting() -> dict[str, Any]:
    """What figures depend on: machine, versions, and how busy the machine was."""
    packages = ("dlcli", "tensorflow", "keras", "numpy")
    return {
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def begin(title: str) -> dict[str, Any]:
    """Prints what figures depend on, with a warning where others are at work; gives it back for the JSON."""
    found = setting()
    say(f"{title}: " + ", ".join(f"{name} {value}" for name, value in found.items()))
    if (found["load"] or 0) > _BUSY:
        say(f"the machine is busy (load {found['load']:.1f}): figures will not be comparable")
    return found


def write_json(path: Path | None, result: Mapping[str, Any]) -> None:
    """Keeps a result, if a path is given."""
    if path is not None:
        path.write_text(json.dumps(result, indent=1) + "\n")
        say(f"written: {path}")
