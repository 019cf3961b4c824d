"""What limits a score: the ladder of errors, what courses show, and the verdict."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2_contingency

from dlcli.evaluation import intervals
from dlcli.evaluation.diagnosis import courses
from dlcli.evaluation.diagnosis.changes import Setup
from dlcli.evaluation.diagnosis.courses import Course, Floats
from dlcli.evaluation.diagnosis.judge import Diagnosis, diagnose
from dlcli.evaluation.diagnosis.ladder import Measured, from_losses, from_scores
from dlcli.evaluation.diagnosis.run_facts import Breakdown, Facts, Repeats
from dlcli.task import Task

SETUP = Setup(
    architecture=({"dense": 16},),
    keeps_last=False,
    optimizer="adam",
    rate=0.001,
    usual_rate=0.001,
    schedule=None,
    own_rate=None,
    epochs=40,
    patience=None,
    l1=0.0,
    l2=0.0,
    dropout=0.0,
    max_norm=False,
    batch_normalization=False,
    augmented=False,
    images=False,
    unscaled=None,
    large_target=False,
    split="stratified",
    split_seed=0,
    sizes={"train": None, "validation": 0.2, "test": 0.1},
    drawn=True,
    subset_column=None,
    ordered=False,
    grouped=False,
    folds=None,
    parameters=5_000,
)


def share_right(right: float, rows: int) -> Measured:
    """An accuracy with Wilson's interval."""
    interval = intervals.wilson(right, rows, 0.95)
    return Measured(right, interval.low, interval.high)


def accuracies(train: float, validation: float, rows: int = 2_000, **more: float) -> dict[str, dict[str, Measured]]:
    subsets = {"train": train, "validation": validation, **more}
    return {name: {"accuracy": share_right(value, rows)} for name, value in subsets.items()}


def decay(start: float, end: float, epochs: int = 40, half_life: float = 4.0) -> Floats:
    """A loss that falls ever more slowly."""
    falls: Floats = end + (start - end) * 0.5 ** (np.arange(epochs) / half_life)
    return falls


def jitter(size: float, epochs: int = 40, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).normal(scale=size, size=epochs)


def course(loss: Floats, val_loss: Floats | None, rows: int = 2_000, **more: Any) -> Course:
    chosen = len(loss) if val_loss is None else int(np.argmin(val_loss)) + 1
    held = 0 if val_loss is None else rows
    given: dict[str, Any] = {"chosen": chosen, "validation_rows": held, "spread": 0.75} | more
    return Course(loss, val_loss, np.full(len(loss), 0.001), **given)


FLAT = course(decay(0.7, 0.1), decay(0.68, 0.12))
BASELINE = {"accuracy": Measured(0.5)}


def facts(**more: Any) -> Facts:
    """A good fit of two balanced classes, with something else."""
    given: dict[str, Any] = {
        "task": Task.BINARY,
        "setup": SETUP,
        "courses": (FLAT,),
        "scores": accuracies(0.97, 0.965),
        "baseline": BASELINE,
        "rows": {"train": 2_000, "validation": 2_000, "test": 500},
    }
    return Facts(**(given | more))


def codes(found: Diagnosis) -> list[str]:
    return [finding.code for finding in found.findings]


# The ladder.


def test_errors_are_1_minus_accuracy_and_gaps_their_differences() -> None:
    ladder = facts(scores=accuracies(0.95, 0.9, test=0.89), human_level={"error": 0.003}).ladder
    assert ladder is not None
    errors = {rung.name: rung.error for rung in ladder.rungs}
    expected = {"baseline": 0.5, "reference": 0.003, "training": 0.05, "validation": 0.1, "test": 0.11}
    assert errors == pytest.approx(expected)
    gaps = {gap.name: gap.value for gap in ladder.gaps}
    assert gaps == pytest.approx({"avoidable bias": 0.047, "variance": 0.05, "validation to test": 0.01})
    assert ladder.largest is not None
    assert ladder.largest.name == "variance"


def test_a_gap_has_the_interval_of_newcombe_for_two_proportions() -> None:
    """Newcombe 1998, method 10, his example (a): 56/70 and 48/80, difference .2, interval .0524 to .3339."""
    scores = {"train": {"accuracy": share_right(56 / 70, 70)}, "validation": {"accuracy": share_right(48 / 80, 80)}}
    ladder = from_scores(Task.BINARY, scores, BASELINE, {})
    assert ladder is not None
    gap = ladder.gap("variance")
    assert gap is not None
    assert (gap.value, gap.low, gap.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=1e-4)
    assert gap.established


def test_a_gap_that_rows_explain_is_not_established_and_never_the_largest() -> None:
    ladder = facts(scores=accuracies(1.0, 0.9, rows=10)).ladder
    assert ladder is not None
    assert not any(gap.established for gap in ladder.gaps)
    assert ladder.largest is None


def test_the_reference_may_be_a_value_of_a_metric() -> None:
    by_error = facts(human_level={"error": 0.02}).ladder
    by_metric = facts(human_level={"accuracy": 0.98}).ladder
    assert by_error is not None
    assert by_metric is not None
    assert by_error.least == pytest.approx(by_metric.least) == pytest.approx(0.02)
    assert by_error.human
    unknown = facts().ladder
    assert unknown is not None
    assert (unknown.least, unknown.human) == (0.0, False)


def test_numbers_are_judged_by_the_share_of_the_spread_that_is_left() -> None:
    def rmse(value: float, low: float, high: float) -> Measured:
        return Measured(value, low, high, greater_is_better=False)

    scores = {
        "train": {"mae": rmse(1.0, 0.9, 1.1), "rmse": rmse(2.0, 1.5, 2.5)},
        "validation": {"mae": rmse(1.0, 0.9, 1.1), "rmse": rmse(3.0, 2.0, 4.0)},
    }
    baseline = {"mae": rmse(4.0, 3.0, 5.0), "rmse": rmse(5.0, 4.0, 6.0)}
    ladder = from_scores(Task.REGRESSION, scores, baseline, {}, {"rmse": 1.0})
    assert ladder is not None
    assert (ladder.metric, ladder.percent) == ("rmse", False)
    training, reference = ladder.rung("training"), ladder.rung("reference")
    assert training is not None
    assert reference is not None
    assert (training.error, training.low, training.high) == pytest.approx((0.16, 0.09, 0.25))
    assert reference.error == pytest.approx(0.04)
    assert ladder.unit == pytest.approx(0.96)


def test_folds_are_compared_by_their_losses() -> None:
    folds = [course(decay(0.7, 0.1), decay(0.7, 0.1 + 0.02 * number), rows=50) for number in range(5)]
    ladder = from_losses(folds, math.log(2), 5, 0.95)
    assert ladder is not None
    gap = ladder.gap("variance")
    assert gap is not None
    assert gap.value == pytest.approx(0.04, abs=1e-2)
    assert gap.low is not None
    assert gap.low < gap.value
    assert ladder.note


# Courses.


def test_validation_turned_where_its_smooth_course_is_lowest() -> None:
    epochs = np.arange(60)
    val_loss = 0.3 + 0.4 * np.exp(-epochs / 6) + 0.004 * epochs
    expected = 1 + 6 * math.log(0.4 / (6 * 0.004))
    sign = courses.turn(course(decay(0.7, 0.0, 60), val_loss + jitter(0.005, 60)))
    assert sign is not None
    assert sign.epoch == pytest.approx(expected, abs=3)
    assert sign.size == pytest.approx(val_loss[-1] / val_loss.min() - 1, rel=0.15)


def test_one_odd_epoch_is_no_turn() -> None:
    val_loss = decay(0.7, 0.2)
    val_loss[20] = 0.05
    assert courses.turn(course(decay(0.7, 0.1), val_loss)) is None


@given(st.integers(0, 10_000))
def test_noise_around_a_flat_course_is_no_turn(seed: int) -> None:
    assert courses.turn(course(decay(0.7, 0.1), decay(0.7, 0.3) + jitter(0.01, seed=seed))) is None


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.7])
def test_what_a_geometric_fall_still_promises(ratio: float) -> None:
    """A loss that falls by the same factor each quarter: four more quarters are a geometric sum.

    Smoothing bends it a little.
    """
    quarters = 0.2 + ratio ** (np.arange(41) / 10)
    left = (ratio**4 - ratio**8) / (0.2 + ratio**4)
    assert courses.prospect(quarters) == pytest.approx(left, abs=0.02)


def test_a_flat_end_promises_nothing() -> None:
    assert courses.prospect(decay(1.0, 0.2, 100)) < 0.01
    assert courses.prospect(np.array([0.5, 0.4, 0.45, 0.41, 0.44, 0.42])) == 0


def test_a_loss_that_jumps_is_told_from_one_that_falls() -> None:
    jumping = course(0.3 + jitter(0.1) ** 2 * 10, None)
    assert courses.oscillation(jumping) is not None
    assert courses.oscillation(FLAT) is None


def test_a_finite_loss_that_rises_by_factors_blew_up() -> None:
    losses = np.concatenate([decay(0.7, 0.3, 10), [0.6, 5.0, 80.0, 900.0]])
    sign = courses.blow_up(course(losses, None))
    assert sign is not None
    assert sign.epoch == 10
    assert courses.blow_up(course(np.array([0.7, 0.01, 0.04, 0.05, 0.05]), None)) is None


def test_the_first_epoch_shows_rows_that_are_harder_from_the_start() -> None:
    harder = course(decay(0.7, 0.1), decay(1.2, 0.6), rows=200)
    assert courses.starts_apart(harder, sure=2) is not None
    assert courses.starts_apart(replace(harder, validation_rows=4), sure=2) is None
    assert courses.starts_apart(FLAT, sure=2) is None


def test_patience_must_outlast_the_longest_wait_before_the_chosen_epoch() -> None:
    waited = course(decay(0.7, 0.1, 8), np.array([0.9, 0.8, 0.85, 0.83, 0.84, 0.7, 0.75, 0.8]))
    assert (waited.chosen, courses.longest_wait(waited)) == (6, 4)


def test_folds_agree_by_majority_on_the_median_epoch() -> None:
    turning = [course(decay(0.7, 0.0), np.concatenate([decay(0.7, 0.3, at), np.linspace(0.4, 0.9, 40 - at)]))
               for at in (10, 12, 20)]  # fmt: skip
    sign = courses.agreed([*turning, FLAT, FLAT], courses.turn)
    assert sign is not None
    assert sign.epoch == pytest.approx(12, abs=1)
    assert courses.agreed([turning[0], FLAT, FLAT], courses.turn) is None


# Verdicts.

RISING = course(decay(0.7, 0.0), np.concatenate([decay(0.69, 0.35, 12), np.linspace(0.38, 1.2, 28)]))
CREEPING = course(np.linspace(0.700, 0.690, 30), np.linspace(0.701, 0.692, 30))
FALLING = course(decay(2.3, 0.1, 8), decay(2.2, 0.12, 8))
SHIFTED = course(decay(0.7, 0.05), decay(1.4, 1.1))
TINY = replace(SETUP, rate=1e-6)

SITUATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "training rows themselves are missed": ("underfit", {"scores": accuracies(0.72, 0.715)}),
    "a known level is missed": ("underfit", {"human_level": {"error": 0.001}}),
    "a linear model is better": (
        "underfit",
        {"scores": accuracies(0.93, 0.93), "linear": {"accuracy": share_right(0.99, 2_000)}},
    ),
    "new rows are missed": ("overfit", {"scores": accuracies(0.99, 0.85)}),
    "validation loss turned": ("overfit", {"courses": (RISING,)}),
    "all is well": ("good", {}),
    "all is well, at a known level": ("good", {"human_level": {"error": 0.03}}),
    "the loss was not finite": ("diverged", {"breakdown": Breakdown(3, 2, 10.0, failed=True), "scores": {}}),
    "training went back": ("diverged", {"breakdown": Breakdown(3, 1, 10.0, failed=False)}),
    "the loss exploded": (
        "diverged",
        {"courses": (course(np.array([0.7, 0.6, 9.0, 70.0, 800.0]), np.array([0.7, 0.6, 9.0, 70.0, 800.0])),)},
    ),
    "10 rows": (
        "too_few_validation_rows",
        {
            "scores": accuracies(0.97, 0.97) | {"validation": {"accuracy": share_right(1.0, 10)}},
            "courses": (replace(FLAT, validation_rows=10),),
        },
    ),
    "30 rows": (
        "too_few_validation_rows",
        {
            "scores": accuracies(0.97, 0.97) | {"validation": {"accuracy": share_right(0.9, 30)}},
            "courses": (replace(FLAT, validation_rows=30),),
        },
    ),
    "no rows": (
        "too_few_validation_rows",
        {"scores": {"train": {"accuracy": share_right(0.97, 2_000)}}, "courses": (course(decay(0.7, 0.1), None),)},
    ),
    "validation rows are harder from the start": (
        "mismatched_validation",
        {"courses": (SHIFTED,), "scores": accuracies(0.98, 0.7)},
    ),
    "validation rows are easier than training rows": ("mismatched_validation", {"scores": accuracies(0.9, 0.97)}),
    "few parameters cannot learn so many rows by heart": (
        "mismatched_validation",
        {
            "courses": (course(decay(0.7, 0.05), decay(0.69, 0.6)),),
            "scores": accuracies(0.98, 0.75),
            "setup": replace(SETUP, parameters=60),
        },
    ),
    "the loss creeps": ("small_rate", {"courses": (CREEPING,), "setup": TINY, "scores": accuracies(0.52, 0.51)}),
    "the loss stands still": (
        "small_rate",
        {
            "courses": (course(0.7 + jitter(1e-4), 0.7 + jitter(1e-4, seed=1)),),
            "setup": TINY,
            "scores": accuracies(0.52, 0.51),
        },
    ),
    "losses still fall": ("still_improving", {"courses": (FALLING,), "scores": accuracies(0.8, 0.79)}),
    "two epochs": (
        "still_improving",
        {"courses": (course(decay(0.7, 0.5, 2), decay(0.68, 0.5, 2)),), "scores": accuracies(0.7, 0.7)},
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_the_verdict(name: str) -> None:
    verdict, changes = SITUATIONS[name]
    found = diagnose(facts(**changes))
    assert found.verdict == verdict, found.findings
    assert found.findings[0].code == verdict
    assert found.findings[0].sentence


def test_without_intervals_nothing_is_said_of_what_rows_explain() -> None:
    scores = {"train": {"f1": Measured(0.9)}, "validation": {"f1": Measured(0.8)}}
    found = diagnose(facts(scores=scores, baseline={}))
    assert found.verdict == "good"
    assert found.findings[0].sentence.endswith("without intervals of f1 no gap is established")


def test_a_flat_start_at_a_usual_rate_is_no_small_rate() -> None:
    """Most of what there is to learn may lie within the first of many large epochs."""
    settled = course(np.linspace(0.335, 0.330, 30), np.linspace(0.336, 0.331, 30))
    found = diagnose(facts(courses=(settled,), naive_loss=math.log(2), scores=accuracies(0.85, 0.85)))
    assert found.verdict != "small_rate"


def test_the_turn_that_early_stopping_waited_for_is_no_overfitting() -> None:
    assert diagnose(facts(courses=(RISING,))).verdict == "overfit"
    stopped = diagnose(facts(courses=(replace(RISING, stopped_by="patience"),)))
    assert stopped.verdict == "good"
    assert "turned" in codes(stopped)


def test_rows_drawn_by_lot_are_suspected_less() -> None:
    slightly = replace(course(decay(0.7, 0.05), decay(0.85, 0.6)), validation_rows=150)
    given_rows = replace(SETUP, split="predefined", drawn=False)
    scores = accuracies(0.98, 0.75)
    assert diagnose(facts(courses=(slightly,), scores=scores)).verdict == "overfit"
    assert diagnose(facts(courses=(slightly,), scores=scores, setup=given_rows)).verdict == "mismatched_validation"


def test_of_two_known_gaps_the_larger_decides() -> None:
    human = {"error": 0.01}
    assert diagnose(facts(scores=accuracies(0.9, 0.87), human_level=human)).verdict == "underfit"
    assert diagnose(facts(scores=accuracies(0.97, 0.87), human_level=human)).verdict == "overfit"


def test_a_level_that_is_reached_is_said() -> None:
    assert "reference_reached" in codes(diagnose(facts(human_level={"error": 0.035})))


def test_harder_test_rows_are_said() -> None:
    assert "test_gap" in codes(diagnose(facts(scores=accuracies(0.97, 0.965, test=0.9))))
    assert "test_gap" not in codes(diagnose(facts(scores=accuracies(0.97, 0.965, test=0.963))))


def test_other_class_shares_are_said_where_a_chi_square_test_finds_them() -> None:
    train, validation = (600.0, 400.0), (210.0, 290.0)
    assert chi2_contingency([train, validation], correction=False).pvalue < 0.001
    assert "class_shares_differ" in codes(diagnose(facts(class_rows={"train": train, "validation": validation})))
    alike = {"train": train, "validation": (285.0, 215.0)}
    assert "class_shares_differ" not in codes(diagnose(facts(class_rows=alike)))


def test_what_the_seed_alone_changes_is_beside_what_the_rows_decide() -> None:
    values = (0.95, 0.96, 0.97, 0.96, 0.96)
    sd = float(np.std(values, ddof=1))
    found = diagnose(facts(repeats=Repeats("accuracy", values, sd)))
    sentence = next(finding.sentence for finding in found.findings if finding.code == "seed_luck")
    # Student's t with 4 degrees of freedom ends at 2.7764; the difference of two runs has sqrt(2) sd.
    assert f"below {2.7764 * math.sqrt(2) * sd:.4g} are luck" in sentence


def test_nothing_is_read_from_the_scores_of_a_network_that_blew_up() -> None:
    assert codes(diagnose(facts(breakdown=Breakdown(3, 1, 10.0, failed=False), courses=(RISING,)))) == ["diverged"]


# What to try.


def test_a_diverged_run_is_told_a_rate_below_those_that_failed() -> None:
    fast = replace(SETUP, rate=0.5)
    found = diagnose(facts(breakdown=Breakdown(1, 2, 0.5, failed=True), scores={}, courses=(), setup=fast))
    first = found.suggestions[0]
    assert first.snippet == {"optimizer": {"adam": {"learning_rate": 0.001}}}
    usual = diagnose(facts(breakdown=Breakdown(1, 2, 0.0009, failed=True), scores={}, courses=(),
                           setup=replace(SETUP, unscaled=("one_hot",))))  # fmt: skip
    assert usual.suggestions[0].snippet == {"preprocessing": ["one_hot", "standardize"]}


def test_a_rate_that_the_schedule_names_is_changed_there_too() -> None:
    cycle = replace(TINY, schedule="one_cycle", own_rate="peak")
    found = diagnose(facts(courses=(CREEPING,), setup=cycle, scores=accuracies(0.52, 0.51)))
    assert found.suggestions[0].snippet == {
        "optimizer": {"adam": {"learning_rate": 0.001}},
        "schedule": {"one_cycle": {"peak": 0.001}},
    }


@pytest.mark.parametrize(
    ("layers", "larger"),
    [
        ((), [{"dense": 32}, {"dense": 32}]),
        (({"dense": 4},), [{"dense": 32}, {"dense": 32}]),
        (({"dense": {"units": 16, "activation": "tanh"}}, "flatten"), None),
        (({"conv2d": 8}, "flatten", {"dense": 64}), [{"conv2d": 32}, "flatten", {"dense": 256}, {"dense": 256}]),
    ],
)
def test_an_underfit_network_is_made_larger(layers: tuple[Any, ...], larger: list[Any] | None) -> None:
    if larger is None:
        larger = [{"dense": {"units": 64, "activation": "tanh"}}, "flatten"]
    found = diagnose(facts(scores=accuracies(0.6, 0.6), setup=replace(SETUP, architecture=layers)))
    assert found.suggestions[0].snippet == {"architecture": larger}


def test_what_holds_a_network_back_is_loosened_first() -> None:
    held = replace(SETUP, l2=1.0, architecture=({"dense": {"units": 8, "kernel_regularizer": {"l2": 1.0}}},))
    first = diagnose(facts(scores=accuracies(0.6, 0.6), setup=held)).suggestions[0]
    assert first.code == "less-regularisation"
    assert first.snippet is not None
    assert first.snippet["architecture"] == [{"dense": {"units": 8}}]


def test_an_output_layer_of_one_s_own_keeps_its_width() -> None:
    own = replace(SETUP, architecture=({"dense": 8}, {"dense": 1}), keeps_last=True)
    first = diagnose(facts(scores=accuracies(0.6, 0.6), setup=own)).suggestions[0]
    assert first.snippet == {"architecture": [{"dense": 32}, {"dense": 32}, {"dense": 1}]}


def test_the_sealed_test_rows_are_proposed_only_while_they_are_sealed() -> None:
    assert "evaluate" in [each.code for each in diagnose(facts()).suggestions]
    opened = diagnose(facts(scores=accuracies(0.97, 0.965, test=0.963)))
    assert "evaluate" not in [each.code for each in opened.suggestions]


def test_early_stopping_keeps_the_epoch_that_was_chosen() -> None:
    val_loss = np.concatenate([decay(0.69, 0.2, 12), np.full(80, 0.21)])
    found = diagnose(facts(courses=(course(decay(0.7, 0.1, 92), val_loss),), setup=replace(SETUP, epochs=92)))
    stop = next(each for each in found.suggestions if each.code == "early-stopping")
    assert stop.snippet == {"early_stopping": {"patience": 9}}


def test_folds_are_trained_again_as_folds() -> None:
    folds = replace(SETUP, folds=5)
    found = diagnose(facts(courses=(RISING,) * 5, setup=folds, scores={}))
    assert found.verdict == "overfit"
    assert {each.command for each in found.suggestions if each.snippet} == {"kfold"}


def test_groups_and_time_are_never_mixed_to_make_subsets_alike() -> None:
    for dependent in ({"ordered": True}, {"grouped": True}):
        setup = replace(SETUP, drawn=False, split="predefined", **dependent)
        found = diagnose(facts(courses=(SHIFTED,), scores=accuracies(0.98, 0.7), setup=setup))
        assert not any(each.snippet and "split" in each.snippet for each in found.suggestions)
