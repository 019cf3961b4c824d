"""What else a run shows, beside the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from dlcli.evaluation.diagnosis import courses as reading
from dlcli.evaluation.diagnosis.run_facts import CERTAIN, MATERIAL, Facts, Finding, amount, described, share
from dlcli.evaluation.diagnosis.verdicts import too_few, turned
from dlcli.evaluation.intervals import student_quantile
from dlcli.numbers import number
from dlcli.task import CLASSIFICATION

_ONCE_IN_A_THOUSAND = 0.001
_EPOCHS_TO_JUMP = 10


def _turn(facts: Facts) -> Finding | None:
    sign = reading.agreed(facts.courses, reading.turn)
    return Finding("turned", turned(sign), sign.epoch) if sign else None


def _oscillation(facts: Facts) -> Finding | None:
    sign = reading.agreed(facts.courses, reading.oscillation)
    if sign is None:
        return None
    sentence = f"training loss jumps by {share(sign.size)} from epoch to epoch: the learning rate is high"
    return Finding("oscillates", sentence, sign.epoch)


def _jumps(facts: Facts) -> Finding | None:
    """How the validation score jumps, beside what so many rows explain."""
    ladder = facts.ladder
    validation = ladder.rung("validation") if ladder else None
    if ladder is None or validation is None or not ladder.percent or len(facts.courses) != 1:
        return None
    course = facts.courses[0]
    if course.score is None or not course.validation_rows:
        return None
    jumps = reading.noise(course.score) if course.epochs >= _EPOCHS_TO_JUMP else 0.0
    drawn = math.sqrt(max(validation.error * (1 - validation.error), 0.0) / course.validation_rows)
    if jumps <= MATERIAL * ladder.unit or jumps <= drawn:
        return None
    sentence = (
        f"val_{ladder.metric} jumps by {amount(ladder, jumps)} from epoch to epoch, more than the "
        f"{amount(ladder, drawn)} that {course.validation_rows:,} rows explain"
    )
    return Finding("noisy_validation", sentence)


def _linear(facts: Facts) -> Finding | None:
    """Whether a model without hidden layers does better on the validation rows."""
    ladder = facts.ladder
    linear, ours = (ladder.rung("linear"), ladder.rung("validation")) if ladder else (None, None)
    if ladder is None or linear is None or ours is None or linear.high is None:
        return None
    if linear.high >= ours.error:
        return None
    errors = f"{amount(ladder, linear.error)} on the validation rows, the network {amount(ladder, ours.error)}"
    return Finding("linear_is_better", f"a model without hidden layers has an error of {errors}")


def _classes(facts: Facts) -> Finding | None:
    """Whether training and validation rows hold the classes in other shares (Pearson's chi-square test)."""
    train, validation = (facts.class_rows.get(name) for name in ("train", "validation"))
    if facts.task not in CLASSIFICATION or not train or not validation:
        return None
    tail, apart = _homogeneity(train, validation)
    if tail > _ONCE_IN_A_THOUSAND or apart < MATERIAL:
        return None
    sentence = f"the classes of {share(apart)} of the validation rows would have to change to be as in training"
    return Finding("class_shares_differ", sentence)


def _homogeneity(first: Sequence[float], second: Sequence[float]) -> tuple[float, float]:
    """The p value, and the share of the second rows that would have to change class."""
    from scipy.special import chdtrc

    table = np.array([first, second], dtype=np.float64)
    table = table[:, table.sum(axis=0) > 0]
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    statistic = float(np.sum((table - expected) ** 2 / expected))
    shares = table / table.sum(axis=1, keepdims=True)
    return float(chdtrc(max(table.shape[1] - 1, 1), statistic)), float(np.abs(shares[0] - shares[1]).sum() / 2)


def _test(facts: Facts) -> Finding | None:
    """Whether test rows are harder than validation rows."""
    ladder = facts.ladder
    gap = ladder.gap("validation to test") if ladder else None
    if ladder is None or gap is None or gap.low is None or gap.low <= CERTAIN * ladder.unit / 2:
        return None
    why = "what was chosen fits the validation rows too well, or the test rows differ"
    return Finding("test_gap", f"test rows are harder than validation rows: {described(ladder, gap)}; {why}")


def _power(facts: Facts) -> Finding | None:
    return Finding("no_power", facts.powerless) if facts.powerless else None


def _human(facts: Facts) -> Finding | None:
    ladder = facts.ladder
    validation = ladder.rung("validation") if ladder else None
    if ladder is None or not ladder.human or validation is None or validation.low is None:
        return None
    if validation.low > ladder.least:
        return None
    sentence = f"validation cannot be told from the reference of {amount(ladder, ladder.least)}"
    return Finding("reference_reached", sentence)


def _folds(facts: Facts) -> Finding | None:
    if facts.over_folds is None:
        return None
    name, score = facts.over_folds
    interval = f" [{number(score.low)}, {number(score.high)}]" if score.low is not None and score.high else ""
    sentence = f"{name} over the folds: {number(score.value)}{interval}; training rows were not scored"
    return Finding("over_folds", sentence)


def _seeds(facts: Facts) -> Finding | None:
    """What the seed alone changes: a share `confidence` of the differences between two runs is smaller."""
    repeats = facts.repeats
    if repeats is None or len(repeats.values) < 2:
        return None
    luck = student_quantile(facts.confidence, len(repeats.values) - 1) * math.sqrt(2) * repeats.sd
    sentence = (
        f"{len(repeats.values)} seeds: {repeats.name} varies with sd {number(repeats.sd)}; "
        f"differences between two runs below {number(luck)} are luck of the seed"
    )
    validation = facts.scores.get("validation", {}).get(repeats.name)
    if validation is not None and validation.low is not None and validation.high is not None:
        sentence += f" (the draw of validation rows: ±{number((validation.high - validation.low) / 2)})"
    return Finding("seed_luck", sentence)


REMARKS: tuple[Callable[[Facts], Finding | None], ...] = (
    _turn,
    _oscillation,
    too_few,
    _jumps,
    _linear,
    _classes,
    _test,
    _power,
    _human,
    _folds,
    _seeds,
)
"""In the order in which they are told."""
