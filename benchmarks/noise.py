"""Labels of pure noise: does a k-fold say that there is nothing to learn?

    python benchmarks/noise.py [--seeds 100] [--json FILE]

For each task and seed a table of 200 rows and 20 columns of normal numbers, with labels that are drawn apart from
them. `dlcli kfold` trains on it twice: plainly, and with early stopping, a threshold and a temperature that rows
choose. Two things are counted: how often the interval of the mean AUC holds 0.5, and how often the verdict is that the
model has no statistical power. It exits with 1 where the one is true in less than 92 % or the other in less than 95 %.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import numpy as np

ROWS, COLUMNS = 200, 20
HOLDS, NO_POWER = 0.92, 0.95
CONFIG = """\
data: {{source: {{npz: {{path: noise.npz, inputs: x, target: y}}}}}}
task: {task}
split: {{random: {{validation: 0.2, test: 0}}}}
architecture: [dense: 16]
optimizer: {{adam: 0.01}}
training: {{epochs: 15, batch_size: 32, threads: 1}}
metrics: [roc_auc]
"""
CHOOSING = "early_stopping: {{patience: 3}}\nevaluation: {{{threshold}calibrate: temperature}}\n"
THRESHOLD = {"binary": "threshold: f1, ", "multiclass": "", "multilabel": "threshold: f1, "}


def labels(task: str, generator: np.random.Generator) -> np.ndarray:
    """Labels that nothing explains."""
    if task == "multilabel":
        return generator.integers(0, 2, (ROWS, 3))
    return generator.integers(0, 3 if task == "multiclass" else 2, ROWS)


def write(folder: Path, task: str, seed: int, *, choosing: bool) -> Path:
    """The table and the config of one case."""
    generator = np.random.default_rng([seed, len(task)])
    np.savez(folder / "noise.npz", x=generator.normal(size=(ROWS, COLUMNS)), y=labels(task, generator))
    text = CONFIG.format(task=task) + (CHOOSING.format(threshold=THRESHOLD[task]) if choosing else "")
    (folder / "noise.yaml").write_text(text)
    return folder / "noise.yaml"


def judge(task: str, seed: int, *, choosing: bool) -> dict[str, Any]:
    """What a k-fold says of one table."""
    from dlcli import kfold

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        found = kfold(write(folder, task, seed, choosing=choosing), runs=folder / "runs").scores
    (auc,) = found["folds"]
    return {"holds": auc["low"] <= 0.5 <= auc["high"], "power": found["verdicts"]["folds"]["power"]}


def main() -> int:
    """Prints a line per task and way, and says whether all keep the promise."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    results, kept = [], True
    click.echo("| task | what rows choose | 0.5 in the interval of the AUC | no statistical power |\n|---|---|---|---|")
    for task in ("binary", "multiclass", "multilabel"):
        for choosing in (False, True):
            said = [judge(task, seed, choosing=choosing) for seed in range(arguments.seeds)]
            holds, powerless = sum(each["holds"] for each in said), sum(each["power"] is False for each in said)
            chosen = "epoch, threshold, temperature" if choosing else "epoch"
            click.echo(f"| {task} | {chosen} | {holds} of {len(said)} | {powerless} of {len(said)} |")
            results.append({"task": task, "choosing": choosing, "seeds": len(said), "holds": holds, "no": powerless})
            kept &= holds >= HOLDS * len(said) and powerless >= NO_POWER * len(said)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
