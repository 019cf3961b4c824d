"""Trains on tables of more and more rows and 20 columns: peak memory, rows per second, cost per row.

    python benchmarks/large.py [--rows 5000000] [--kind parquet] [--rounds 3] [--folder FOLDER] [--json FILE]

Each size is trained on twice by `dlcli train`, a process each: what does not fit into memory is decoded and
preprocessed by the first into a cache, where the second finds it. The memory of a process is the most that ever lay in
it at once, mapped files included; that of TensorFlow alone is what a process needs that imports it and multiplies two
matrices. A fifth of the largest table from memory, the same from disk, and all of it are trained on in turn.
"""

from __future__ import annotations

import argparse
import csv
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import timing

CONFIG = """\
data: {{source: {{{kind}: {table}}}, target: y, in_memory: {in_memory}}}
split: {{random: {{validation: 0.1, test: 0.1}}}}
preprocessing: [standardize]
architecture: [dense: 64, dense: 32]
training: {{epochs: {epochs}, batch_size: 100}}
metrics: [accuracy]
"""
TABLE = """\
import sys
import numpy as np
import polars as pl

rows, path = int(sys.argv[1]), sys.argv[2]
generator = np.random.default_rng(0)
x = {f"x{number}": generator.normal(size=rows) for number in range(19)}
signal = sum(x.values()) / 19**0.5 + np.sin(3 * x["x0"] * x["x1"])
y = (signal + generator.logistic(size=rows) / 2 > 0).astype(np.int64)
table = pl.DataFrame(x | {"y": y})
table.write_csv(path, float_precision=6) if path.endswith(".csv") else table.write_parquet(path)
"""
TENSORFLOW = "import tensorflow as tf; tf.linalg.matmul(tf.ones((64, 64)), tf.ones((64, 64)))"
SMALLEST = 10_000
TRAINED = 0.8
EPOCHS = 8
LEAST_ROWS = 2_000_000
"""So many rows are trained on in all, so that of small tables too it is the steps that take the time."""
BAR_GIGABYTES = 1.5
BAR_THROUGHPUT = 0.8
GIGABYTE = 10**9


@dataclass(frozen=True, slots=True)
class Measured:
    """A process. `epoch_seconds`: the median epoch after the first; `seconds`: from shell to prompt."""

    rows: int
    peak_bytes: int
    seconds: float
    epoch_seconds: float

    @property
    def rows_per_second(self) -> float:
        """Training rows."""
        return self.rows * TRAINED / self.epoch_seconds


def peak_of(command: list[str], folder: Path) -> tuple[int, float]:
    """Runs a process to its end: the most memory that it held, in bytes, and the seconds that it took."""
    environment = os.environ | {"DLCLI_CACHE": str(folder / "cache")}
    begin = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    complaint = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command)} failed:\n{complaint.decode(errors='replace')[-2000:]}")
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit, time.perf_counter() - begin


def trained(folder: Path, kind: str, rows: int, in_memory: str) -> Measured:
    """Trains on the table of so many rows."""
    config = folder / f"{rows}-{in_memory}.yaml"
    path = table(folder, kind, rows)
    count = max(EPOCHS, LEAST_ROWS // rows)
    config.write_text(CONFIG.format(kind=kind, table=path, in_memory=in_memory, epochs=count))
    runs = folder / "runs"
    peak, seconds = peak_of([sys.executable, "-m", "dlcli", "train", str(config), "--runs", str(runs)], folder)
    newest = max(runs.glob(f"{config.stem}-*"), key=lambda run: run.name)
    with (newest / "history.csv").open() as file:
        epochs = [float(row["seconds"]) for row in csv.DictReader(file)]
    return Measured(rows, peak, seconds, statistics.median(epochs[1:]))


def table(folder: Path, kind: str, rows: int) -> Path:
    """The table of so many rows, made by a process of its own so that this one stays small."""
    path = folder / f"{rows}.{kind}"
    if not path.exists():
        subprocess.run([sys.executable, "-c", TABLE, str(rows), str(path)], check=True)
    return path


def sizes(most: int) -> list[int]:
    """From ten thousand rows on, ten times as many each, up to `most`."""
    found = [SMALLEST]
    while found[-1] * 10 < most:
        found.append(found[-1] * 10)
    return [*found, most]


def main() -> None:
    """Measures every size, and memory against disk."""
    parser = argparse.ArgumentParser(description="Tables of up to millions of rows.")
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--kind", choices=["parquet", "csv"], default="parquet")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    begun = timing.begin("large")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        peak_of([sys.executable, "-c", TENSORFLOW], folder)
        bare, _ = peak_of([sys.executable, "-c", TENSORFLOW], folder)
        of_size = partial(trained, folder, options.kind)
        measured = []
        for rows in sizes(options.rows):
            measured.append((of_size(rows, "auto"), of_size(rows, "auto")))
            timing.say(f"{rows:,} rows: {measured[-1][1].rows_per_second:,.0f} rows/s")
        part = options.rows // 5
        methods = {in_memory: partial(of_size, part, in_memory) for in_memory in ("true", "false")}
        methods["auto"] = partial(of_size, options.rows, "auto")
        both = timing.alternate(methods, options.rounds)
    lines = [
        [
            f"{first.rows:,}",
            f"{again.epoch_seconds * 1e6 / (again.rows * TRAINED):.2f}",
            f"{again.rows_per_second:,.0f}",
            f"{first.seconds:.1f}",
            f"{again.seconds:.1f}",
            f"{(max(first.peak_bytes, again.peak_bytes) - bare) / GIGABYTE:.2f}",
        ]
        for first, again in measured
    ]
    header = ("rows", "us per row and epoch", "rows/s", "first run, s", "next run, s", "GB above TensorFlow")
    timing.say(timing.table(header, lines))
    held, kept, largest = (statistics.median(each.rows_per_second for each in both[name]) for name in methods)
    timing.say(f"TensorFlow alone: {bare / GIGABYTE:.2f} GB; wanted: at most {BAR_GIGABYTES:g} GB above it")
    timing.say(f"{part:,} rows: {kept:,.0f} rows/s from disk, {held:,.0f} from memory, ratio {kept / held:.2f}")
    ratio = f"{largest / held:.2f} (wanted: {BAR_THROUGHPUT:g})"
    timing.say(f"{options.rows:,} rows from disk: {largest:,.0f} rows/s; / {part:,} from memory: {ratio}")
    result = {
        "setting": begun,
        "tensorflow_bytes": bare,
        "sizes": [{"first": asdict(first), "again": asdict(again)} for first, again in measured],
        "memory_against_disk": {kind: [asdict(each) for each in found] for kind, found in both.items()},
    }
    timing.write_json(options.json, result)


if __name__ == "__main__":
    main()
