"""The leak guard: which planted leaks it finds, what it says of clean data, and what it costs.

    python benchmarks/leaks.py [--json FILE]

Every kind of leak is planted into real tables, images, texts and a series (`tests/data/planted.py`); each must be found
under its own code, and the clean originals must raise nothing. Then it looks at every real data set
(`tests/data/real_data.py`), which must raise what is known of it and nothing else, and the guard is timed on them and
on 50,000 rows of 20 columns. It exits with 1 where a leak is missed, or anything else is found. The data sets lie in
DLCLI_DATA.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from unittest.mock import patch

import click
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from dlcli.data.leakage.findings import Divided, Finding
from dlcli.data.leakage.guard import findings
from dlcli.samples import ColumnSchema, Samples, Schema, Subset
from dlcli.task import Goal, Task
from dlcli.workflows import preparation
from tests.data.planted import LEAKS, found_in, originals
from tests.data.real_data import SETS, prepared

ROWS, COLUMNS, ROUNDS = 50_000, 20, 5


def planted(data: Path) -> dict[str, dict[str, Any]]:
    """By kind of data, by leak (or `clean`): the codes that were raised; None where a kind cannot have the leak."""
    table: dict[str, dict[str, Any]] = {}
    for original in originals(data):
        for code, plant in {"clean": lambda clean: clean, **LEAKS}.items():
            leaking = plant(original)
            found = None
            if leaking is not None:
                with tempfile.TemporaryDirectory() as folder:
                    found = sorted({finding.code for finding in found_in(leaking, Path(folder))})
            table.setdefault(original.kind, {})[code] = found
    return table


def known(data: Path) -> dict[str, dict[str, Any]]:
    """By real data set: rows, seconds of the guard, what it found, and whether that is what is there."""
    table: dict[str, dict[str, Any]] = {}
    for real in SETS:
        taken: list[float] = []

        def timed(divided: Divided, taken: list[float] = taken) -> tuple[Finding, ...]:
            start = time.process_time()
            found = findings(divided)
            taken.append(time.process_time() - start)
            return found

        with tempfile.TemporaryDirectory() as folder, patch.object(preparation, "findings", timed):
            dataset, _ = prepared(real, data, Path(folder))
        told = tuple((each.code, each.message.split(" ", 1)[0]) for each in dataset.findings)
        rows = len(dataset.hashes)
        table[real.name] = {"rows": rows, "seconds": taken[0], "found": told, "right": told == real.found}
    return table


def seconds() -> float:
    """The least time of some rounds over a table of numbers."""
    generator = np.random.default_rng(0)
    columns = {f"x{number}": generator.normal(size=ROWS) for number in range(COLUMNS)}
    order = generator.permutation(ROWS)
    subsets: dict[Subset, Any] = dict(
        zip(("train", "validation", "test"), np.split(order, [35_000, 45_000]), strict=True)
    )
    schema = Schema(columns={name: ColumnSchema(kind="numeric") for name in columns})
    values = generator.integers(0, 2, ROWS)
    goal, hashes = Goal(Task.BINARY, ("y",), ("0", "1")), np.arange(ROWS, dtype=np.uint64)
    divided = Divided(Samples(columns, ROWS), schema, subsets, hashes, goal, values, {}, "stratified")
    taken = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        findings(divided)
        taken.append(time.perf_counter() - start)
    return min(taken)


def word(code: str, found: list[str] | None) -> str:
    """Whether a leak was found, or clean data were left in peace."""
    if found is None:
        return "-"
    if code == "clean":
        return "WRONG" if found else "quiet"
    return "found" if code in found else "WRONG"


def main() -> int:
    """Plants, prints a table, times."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    data = Path(os.environ.get("DLCLI_DATA", "../shared/data")).resolve()
    table = planted(data)
    click.echo(f"{'':20}" + "".join(f"{kind:>10}" for kind in table))
    faults = 0
    for code in ("clean", *LEAKS):
        words = [word(code, rows[code]) for rows in table.values()]
        faults += words.count("WRONG")
        click.echo(f"{code:20}" + "".join(f"{word:>10}" for word in words))
    real = known(data)
    click.echo(f"\n{'':30}{'rows':>8}{'CPU s':>8}  found")
    for name, row in real.items():
        told = ", ".join(" ".join(each) for each in row["found"]) or "nothing"
        click.echo(f"{name:30}{row['rows']:8,}{row['seconds']:8.2f}  {told}{'' if row['right'] else '  WRONG'}")
        faults += not row["right"]
    cost = seconds()
    click.echo(f"\n{ROWS:,} rows x {COLUMNS} columns: {cost:.2f} s")
    if options.json:
        options.json.write_text(json.dumps({"planted": table, "real": real, "seconds": cost}, indent=2))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
