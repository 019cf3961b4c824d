"""Simulates how often intervals hold the true score: worlds whose truth is known, scored as dlcli scores a run.

    python benchmarks/coverage.py [--sets 2000] [--only accuracy,k-fold] [--json FILE] [--write docs/statistics.md]

Each case draws many sets of scored rows from one world, asks the metric for its 95 % interval on each, and counts
how often the interval holds the metric's value in that world. Ends with exit code 1 if a case does not keep its
promise: 92 to 98 %, or what is known of its formula where that is another range.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import timing
import worlds
from numpy.typing import NDArray

from dlcli.evaluation.estimate import estimate
from dlcli.evaluation.intervals import Interval
from dlcli.evaluation.metrics import (
    F1,
    R2,
    Accuracy,
    AveragePrecision,
    BalancedAccuracy,
    Brier,
    LogLoss,
    MeanAbsoluteError,
    RocAuc,
    RootMeanSquaredError,
)
from dlcli.evaluation.rows import ScoredRows
from dlcli.part import Metric

Floats = NDArray[np.float64]
Draw = Callable[[np.random.Generator], ScoredRows]

CONFIDENCE = 0.95
PROMISE = (92.0, 98.0)
STRICT_SETS = 2000
"""With fewer sets the promise is wider, by the error of the simulation."""
BEGIN, END = "<!-- coverage table: begin -->", "<!-- coverage table: end -->"


@dataclass(frozen=True, slots=True)
class Case:
    """A world, a metric and what its intervals promise.

    Attributes:
        score, rows: what is scored and on which rows, in words.
        interval: draws a set and gives its interval.
        truth: the score that the interval is for.
        promise: lowest and highest accepted coverage in percent.
    """

    score: str
    rows: str
    interval: Callable[[np.random.Generator], Interval]
    truth: float
    promise: tuple[float, float] = PROMISE

    @property
    def name(self) -> str:
        """Names the case, and seeds it."""
        return f"{self.score}, {self.rows}"


@dataclass(frozen=True, slots=True)
class Found:
    """What a simulation found.

    Attributes:
        coverage: percent of the intervals that hold the truth.
        width: the median.
        without: percent of the sets that have no interval.
        methods: which formulas were used.
    """

    case: Case
    sets: int
    coverage: float
    width: float
    without: float
    methods: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether the promise is kept, with allowance for the error of a simulation with few sets."""
        slack = 0.0 if self.sets >= STRICT_SETS else 300 * math.sqrt(0.05 * 0.95 / self.sets)
        low, high = self.case.promise
        return low - slack <= self.coverage <= high + slack

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "score": self.case.score,
            "rows": self.case.rows,
            "truth": self.case.truth,
            "promise": list(self.case.promise),
            "sets": self.sets,
            "coverage": self.coverage,
            "width": self.width,
            "without": self.without,
            "methods": list(self.methods),
            "kept": self.kept,
        }


def simulate(case: Case, sets: int) -> Found:
    """Draws the sets of a case; the same ones whichever other cases there are."""
    rng = np.random.default_rng(zlib.crc32(case.name.encode()))
    found = [case.interval(rng) for _ in range(sets)]
    ends = np.array([(each.low, each.high) for each in found if each.low is not None], dtype=np.float64).reshape(-1, 2)
    holds = (ends[:, 0] <= case.truth) & (case.truth <= ends[:, 1])
    return Found(
        case,
        sets,
        100 * float(holds.mean()) if len(ends) else math.nan,
        float(np.median(ends[:, 1] - ends[:, 0])) if len(ends) else math.nan,
        100 * (1 - len(ends) / sets),
        tuple(sorted({each.method for each in found if each.method})),
    )


def scored(
    metric: Metric, rows: str, draw: Draw, truth: float, *, score: str = "", promise: tuple[float, float] = PROMISE
) -> Case:
    """A case of a metric on rows that are drawn anew for each set."""
    return Case(
        score or metric.part_name, rows, lambda rng: estimate(metric, draw(rng), CONFIDENCE), truth, promise
    )  # fmt: skip


def cases() -> Iterator[Case]:
    """All that is promised."""
    yield from of_classes()
    yield from of_rankings_and_probabilities()
    yield from of_numbers()
    yield from of_dependent_rows()
    yield from of_folds()


def of_classes() -> Iterator[Case]:
    """Shares and their means."""
    for n in (18, 300):
        for share in (0.7, 0.97, 1.0):
            promise = (92.0, 100.0) if share == 1 else (89.0, 98.0) if (n, share) == (18, 0.97) else PROMISE
            rows = f"{n} rows, true {share:g}"
            yield scored(Accuracy(), rows, partial(worlds.share_right, share=share, n=n), share, promise=promise)
    rows = "300 rows of lognormal weights, true 0.9"
    yield scored(Accuracy(), rows, partial(worlds.weighted_right, share=0.9, n=300), 0.9)
    two, rare = worlds.Confusions.of((0.6, 0.4), (0.9, 0.8)), worlds.Confusions.of((0.95, 0.05), (0.97, 0.7))
    three, ten = worlds.Confusions.of((0.6, 0.3, 0.1), (0.9, 0.8, 0.7)), worlds.Confusions.of((0.1,) * 10, (0.8,) * 10)
    for world, rows in ((two, "300 rows, 40 % positive"), (rare, "300 rows, 5 % positive")):
        yield scored(F1(), rows, partial(world.draw, n=300), float(world.f1s[1]))
    macro = F1(average="macro")
    for world, rows in (
        (rare, "300 rows, 5 % positive"),
        (three, "300 rows, 3 classes"),
        (ten, "300 rows, 10 classes"),
    ):
        yield scored(macro, rows, partial(world.draw, n=300), float(world.f1s.mean()), score="macro-F1")
        yield scored(BalancedAccuracy(), rows, partial(world.draw, n=300), float(world.recalls.mean()))


def of_rankings_and_probabilities() -> Iterator[Case]:
    """AUC, average precision, log loss, Brier."""
    for share in (0.5, 0.05):
        for apart in (0.75, 1.8):
            world = worlds.Ranking(share, apart)
            rows = f"300 rows, {100 * share:g} % positive, true AUC {world.area:.2f}"
            draw = partial(world.draw, n=300)
            yield scored(RocAuc(), rows, draw, world.area)
            yield scored(AveragePrecision(), rows, draw, world.average_precision)

    def surprise(p: Floats, true: Floats) -> Floats:
        return np.asarray(-true * np.log(p) - (1 - true) * np.log(1 - p))

    def square(p: Floats, true: Floats) -> Floats:
        return np.asarray(true * (1 - p) ** 2 + (1 - true) * p**2)

    for factor, kind in ((1, "calibrated"), (2, "overconfident")):
        draw = partial(worlds.said, n=300, overconfidence=factor)
        yield scored(LogLoss(), f"300 rows, {kind}", draw, worlds.true_loss(surprise, factor))
        yield scored(Brier(), f"300 rows, {kind}", draw, worlds.true_loss(square, factor))


MEAN_ABSOLUTE = math.sqrt(2 / math.pi)
"""Of a standard normal error."""


def of_numbers() -> Iterator[Case]:
    """Independent normal errors of deviation 1; the target's variance is 5."""
    for metric, truth in ((MeanAbsoluteError(), MEAN_ABSOLUTE), (RootMeanSquaredError(), 1.0), (R2(), 0.8)):
        yield scored(metric, "300 rows, normal errors", partial(worlds.independent, n=300), truth)
    draw, rows = partial(worlds.heavy_tailed, n=300), "300 rows, heavy-tailed errors"
    yield scored(MeanAbsoluteError(), rows, draw, 2 * math.sqrt(3) / math.pi)
    yield scored(RootMeanSquaredError(), rows, draw, math.sqrt(3), promise=(70.0, 92.0))  # no formula is better


def of_dependent_rows() -> Iterator[Case]:
    """Time and groups."""
    for metric, truth in ((MeanAbsoluteError(), MEAN_ABSOLUTE), (RootMeanSquaredError(), 1.0), (R2(), 0.8)):
        yield scored(metric, "300 rows in time order, errors AR(0.8)", partial(worlds.over_time, n=300), truth)
    for share in (0.7, 0.9):
        rows = f"300 rows in time order, AR(0.8), true {share:g}"
        yield scored(Accuracy(), rows, partial(worlds.ordered_right, share=share, n=300), share)
    for equal, sizes in ((True, "20 groups of 15 rows"), (False, "20 groups of unequal size")):
        yield scored(MeanAbsoluteError(), sizes, partial(worlds.in_groups, equal=equal), MEAN_ABSOLUTE)
        for share in (0.7, 0.95):
            yield scored(
                Accuracy(), f"{sizes}, true {share:g}", partial(worlds.grouped_right, share=share, equal=equal), share
            )


def of_folds() -> Iterator[Case]:
    """Logistic regression, cross-validated."""
    truth = worlds.Recipe().truth()
    rows = "100 rows, logistic regression"
    wide = (92.0, 99.0)  # few folds: wider than it need be
    for repeats, pool, name, promise in (
        (10, False, "k-fold accuracy, 10 x 5 folds", PROMISE),
        (1, False, "k-fold accuracy, 5 folds, as of any metric", wide),
        (1, True, "k-fold accuracy, 5 folds, pooled rows", PROMISE),
    ):
        yield Case(
            name,
            rows,
            partial(worlds.Recipe(repeats=repeats).interval, pool=pool, confidence=CONFIDENCE),
            truth,
            promise,
        )


HEADER = ("score", "rows", "interval", "holds the truth", "median width")


def shown(found: Found) -> tuple[str, ...]:
    """A line of the table."""
    mark = "" if found.kept else f"  NOT {found.case.promise[0]:g} to {found.case.promise[1]:g}"
    few = f"; {found.without:.1f} % of sets have none" if found.without else ""
    holds = f"{found.coverage:.1f} %{few}{mark}"
    return found.case.score, found.case.rows, " or ".join(found.methods), holds, f"{found.width:.3f}"


def markdown(results: Sequence[Found]) -> str:
    """The table as in the documentation."""
    lines = [HEADER, ("---",) * len(HEADER), *(shown(each) for each in results)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write_table(path: Path, results: Sequence[Found]) -> None:
    """Puts the table between the two marks of a page.

    Raises:
        ValueError: the page lacks the marks.
    """
    before, begin, rest = path.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        message = f"{path} lacks {BEGIN} or {END}"
        raise ValueError(message)
    sets = f"Made by `python benchmarks/coverage.py`, {results[0].sets:,} sets a line."
    path.write_text(f"{before}{BEGIN}\n{sets}\n\n{markdown(results)}\n{END}{after}")
    timing.say(f"written: {path}")


def main() -> None:
    """Simulates what the command line asks for."""
    parser = argparse.ArgumentParser(description="How often intervals hold the true score.")
    parser.add_argument("--sets", type=int, default=STRICT_SETS)
    parser.add_argument("--only", default="", help="cases whose names hold one of these, for example auc,k-fold")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", type=Path, help="a page whose table is replaced")
    options = parser.parse_args()
    if options.only and options.write:
        parser.error("a page gets all cases: --write goes without --only")
    words = options.only.lower().split(",")
    results = []
    for case in cases():
        if any(word in case.name.lower() for word in words):
            results.append(simulate(case, options.sets))
            timing.say("  ".join(shown(results[-1])))
    if not results:
        parser.error(f"no case with {options.only}")
    timing.say("\n" + timing.table(HEADER, [shown(each) for each in results]))
    middle = statistics.median(each.coverage for each in results)
    broken = [each.case.name for each in results if not each.kept]
    timing.say(f"{len(results)} cases of {options.sets} sets, median coverage {middle:.1f} %, {len(broken)} broken")
    timing.write_json(options.json, {"confidence": CONFIDENCE, "cases": [each.as_json() for each in results]})
    if options.write:
        write_table(options.write, results)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
