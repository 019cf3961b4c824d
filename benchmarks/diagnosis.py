"""Does `dlcli diagnose` say what is wrong, and does it help? Eight situations, made by really training.

Each situation is a small data set and a config with one known fault. The verdict is compared with it; then the
first proposal that changes the config is trained, and the validation score before and after is printed.

    python benchmarks/diagnosis.py --seeds 5
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from timing import begin, say, table, write_json

from dlcli.problems import TrainingError
from dlcli.workflows.diagnose import RunDiagnosis, diagnose
from dlcli.workflows.kfold import kfold
from dlcli.workflows.train import train

Rows = tuple[NDArray[np.float64], NDArray[np.int64]]


@dataclass(frozen=True)
class Situation:
    """A fault on purpose.

    Attributes:
        verdict: what it is.
        rows: makes inputs (rows, columns) and classes (rows,) from a generator.
        config: all but the data section.
        moved: how many rows validate in a predefined split, read by another instrument than the rest.
    """

    verdict: str
    rows: Callable[[np.random.Generator], Rows]
    config: str
    moved: int = 0


def ring(rows: int, *, noise: float = 0.0, useless: int = 0) -> Callable[[np.random.Generator], Rows]:
    """Points inside and outside a circle, about as many of each: no line divides them."""

    def make(generator: np.random.Generator) -> Rows:
        inputs = generator.normal(size=(rows, 2 + useless))
        inside = np.hypot(inputs[:, 0], inputs[:, 1]) < 1.18
        flipped = generator.random(rows) < noise
        return inputs, (inside ^ flipped).astype(np.int64)

    return make


def slope(rows: int, *, columns: int, used: int, noise: float) -> Callable[[np.random.Generator], Rows]:
    """Classes that follow the sum of a few of many columns; a share of the labels is wrong."""

    def make(generator: np.random.Generator) -> Rows:
        inputs = generator.normal(size=(rows, columns))
        flipped = generator.random(rows) < noise
        return inputs, ((inputs[:, :used].sum(axis=1) > 0) ^ flipped).astype(np.int64)

    return make


SITUATIONS = (
    Situation(
        "underfit",
        ring(2500),
        "split: {stratified: {train: 500, validation: 2000, test: 0}}\n"
        "architecture: [dense: 2]\noptimizer: {adam: 0.02}\ntraining: {epochs: 40}\n",
    ),
    Situation(
        "overfit",
        slope(2160, columns=20, used=3, noise=0.1),
        "split: {stratified: {train: 160, validation: 2000, test: 0}}\n"
        "architecture: [dense: 128, dense: 128]\noptimizer: {adam: 0.003}\ntraining: {epochs: 60}\n",
    ),
    Situation(
        "good",
        ring(3500, noise=0.02),
        "split: {stratified: {train: 1500, validation: 2000, test: 0}}\n"
        "architecture: [dense: 16, dense: 16]\noptimizer: {adam: 0.01}\ntraining: {epochs: 100}\n"
        "early_stopping: {patience: 10}\n",
    ),
    Situation(
        "diverged",
        ring(2500),
        "split: {stratified: {train: 500, validation: 2000, test: 0}}\n"
        "architecture: [dense: 32, dense: 32]\noptimizer: {sgd: 1e5}\ntraining: {epochs: 20}\n",
    ),
    Situation(
        "too_few_validation_rows",
        ring(700),
        "split: {stratified: {validation: 10, test: 0}}\n"
        "architecture: [dense: 16, dense: 16]\noptimizer: {adam: 0.01}\ntraining: {epochs: 60}\n",
    ),
    Situation(
        "mismatched_validation",
        ring(1200),
        "split: {predefined: part}\n"
        "architecture: [dense: 16, dense: 16]\noptimizer: {adam: 0.01}\ntraining: {epochs: 30}\n",
        moved=300,
    ),
    Situation(
        "small_rate",
        ring(2500),
        "split: {stratified: {train: 500, validation: 2000, test: 0}}\n"
        "architecture: [dense: 32, dense: 32]\noptimizer: {adam: 1e-6}\ntraining: {epochs: 30}\n",
    ),
    Situation(
        "still_improving",
        ring(3000),
        "split: {stratified: {train: 1000, validation: 2000, test: 0}}\n"
        "architecture: [dense: 16, dense: 16]\noptimizer: {adam: 0.002}\ntraining: {epochs: 8}\n",
    ),
)


@dataclass(frozen=True)
class Case:
    """A situation that was trained and diagnosed; scores are validation accuracies, `low` the end of an interval."""

    found: str
    remedy: str
    before: float | None
    low: float | None
    after: float | None
    sentence: str


def prepare(situation: Situation, folder: Path, seed: int) -> Path:
    """Writes the data and the config of a situation."""
    inputs, classes = situation.rows(np.random.default_rng(seed))
    names = [f"x{number}" for number in range(inputs.shape[1])]
    part = [""] * len(inputs)
    if situation.moved:
        # Another instrument: its readings are shifted, the classes mean the same.
        part = ["validation"] * situation.moved + ["train"] * (len(inputs) - situation.moved)
        inputs[: situation.moved, 0] += 1.5
    header = [*names, "kind", *(["part"] if situation.moved else [])]
    lines = [",".join(header)]
    for row, kind, subset in zip(inputs, classes, part, strict=True):
        cells = [*(f"{value:.4f}" for value in row), "yes" if kind else "no", *([subset] if subset else [])]
        lines.append(",".join(cells))
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")
    config = folder / f"{situation.verdict}.yaml"
    data = "data: {source: {csv: rows.csv}, target: kind}\nmetrics: [accuracy]\n"
    config.write_text(f"seed: {seed}\n{data}{situation.config}")
    return config


def situation_trained(situation: Situation, folder: Path, seed: int) -> RunDiagnosis:
    """Trains a situation and diagnoses it."""
    config = prepare(situation, folder, seed)
    with suppress(TrainingError):
        train(config, runs=folder / "runs")
    return diagnose(runs=folder / "runs")


def case(situation: Situation, folder: Path, seed: int) -> Case:
    """The verdict on a situation, and what the first proposal does to the validation score."""
    result = situation_trained(situation, folder, seed)
    before, low = validation_score(result.path)
    found, sentence = result.diagnosis.verdict, result.diagnosis.findings[0].sentence
    proposal = next((each for each in result.proposals if each.yaml), None)
    if proposal is None:
        return Case(found, "none needed", before, low, before, sentence)
    config = folder / "proposal.yaml"
    config.write_text(proposal.yaml)
    try:
        run = (kfold if proposal.suggestion.command == "kfold" else train)(config, runs=folder / "runs")
    except TrainingError:
        return Case(found, proposal.suggestion.code, before, low, None, sentence)
    return Case(found, proposal.suggestion.code, before, low, validation_score(run.path)[0], sentence)


def validation_score(run: Path) -> tuple[float | None, float | None]:
    """The validation accuracy of a run and the low end of its interval; of a k-fold, its mean over folds."""
    path = run / "scores.json"
    if not path.exists():
        return None, None
    scores = json.loads(path.read_text())
    if scores["folds"]:
        return scores["folds"][0]["mean"], scores["folds"][0]["low"]
    found = scores["validation"]["scores"][0]
    return found["value"], found["low"]


def improved(each: Case) -> bool:
    """Whether the score is higher; a run that failed before had none."""
    return each.after is not None and (each.before is None or each.after > each.before)


def kept(each: Case) -> bool:
    """Whether the score is no lower, or still inside the interval that it had."""
    if improved(each):
        return True
    return each.after is not None and each.low is not None and each.after >= each.low


def rows_of(results: dict[str, list[Case]]) -> Iterator[list[str]]:
    """A line per situation."""
    for verdict, cases in results.items():
        right = sum(each.found == verdict for each in cases)
        others = sorted({each.found for each in cases if each.found != verdict})
        yield [
            verdict,
            f"{right}/{len(cases)}" + (f" ({', '.join(others)})" if others else ""),
            ", ".join(sorted({each.remedy for each in cases})),
            f"{sum(map(improved, cases))}/{len(cases)}",
            f"{sum(map(kept, cases))}/{len(cases)}",
            shown([each.before for each in cases]),
            shown([each.after for each in cases]),
        ]


def shown(scores: list[float | None]) -> str:
    """Scores, one per seed."""
    return " ".join("-" if score is None else f"{score:.3f}" for score in scores)


def main() -> None:
    """Runs every situation with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", help="one situation")
    parser.add_argument("--verbose", action="store_true", help="print what each verdict rests on")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    machine = begin("diagnosis")
    results: dict[str, list[Case]] = {}
    for situation in SITUATIONS:
        if options.only not in (None, situation.verdict):
            continue
        for seed in range(options.seeds):
            with tempfile.TemporaryDirectory() as folder:
                found = case(situation, Path(folder), seed)
            results.setdefault(situation.verdict, []).append(found)
            if options.verbose:
                say(f"{situation.verdict} seed {seed}: {found.found}, {found.remedy}: {found.sentence}")
    say(
        table(
            ["situation", "verdict right", "first proposal", "better", "better or kept", "before", "after"],
            list(rows_of(results)),
        )
    )
    plain = {verdict: [vars(each) for each in cases] for verdict, cases in results.items()}
    write_json(options.json, {"machine": machine, "situations": plain})


if __name__ == "__main__":
    main()
