"""Thresholds: as good as the best of all ways to part the rows, and between two probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.metrics as reference
from hypothesis import given
from hypothesis import strategies as st

from dlcli.evaluation.thresholds import Choice, choose, title
from dlcli.task import Goal, Task

BINARY = Goal(Task.BINARY, ("y",), ("no", "yes"))
LABELS = Goal(Task.MULTILABEL, ("sun", "rain"))


@st.composite
def both_classes(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """Truth with both classes, probabilities with many ties (0 and 1 among them), weights of some, some of them 0."""
    rows = draw(st.integers(2, 25))
    generator = np.random.default_rng(draw(st.integers(0, 2**32)))
    steps = draw(st.sampled_from([1, 4, 1000]))
    truth = generator.integers(0, 2, rows)
    truth[:2] = 0, 1
    weight = None if draw(st.booleans()) else generator.integers(0, 4, rows) / 2
    if weight is not None:
        weight[:2] = 1.5
    return truth, generator.integers(0, steps + 1, rows) / steps, weight


def every_threshold(score: Any) -> list[float]:
    """One threshold below, between and above all distinct probabilities."""
    edges = np.unique([0.0, *score, 1.0])
    return [float(each) for each in (edges[:-1] + edges[1:]) / 2]


def measured(name: str, truth: Any, answer: Any, weight: Any) -> float:
    if name == "youden":
        return sum(reference.recall_score(truth, answer, pos_label=c, sample_weight=weight) for c in (0, 1)) - 1
    of = {"f1": reference.f1_score, "recall": reference.recall_score, "precision": reference.precision_score}
    return float(of[name](truth, answer, sample_weight=weight, zero_division=0))


@given(both_classes(), st.sampled_from(["f1", "youden"]))
def test_f1_and_youden_reach_the_best_of_all_cuts(rows: Any, rule: Any) -> None:
    truth, score, weight = rows
    found = choose(BINARY, truth, score, weight, rule)
    best = max(measured(rule, truth, score >= each, weight) for each in every_threshold(score))
    assert measured(rule, truth, score >= found.threshold, weight) == pytest.approx(best, abs=1e-9)
    assert found.notes == ()


@given(both_classes(), st.sampled_from(["recall", "precision"]), st.sampled_from([0.3, 0.5, 0.9, 1.0]))
def test_recall_takes_the_highest_and_precision_the_lowest_threshold_that_reaches_it(
    rows: Any, measure: str, wanted: float
) -> None:
    truth, score, weight = rows
    found = choose(BINARY, truth, score, weight, {measure: wanted})
    of = {each: measured(measure, truth, score >= each, weight) for each in every_threshold(score)}
    enough = [each for each, value in of.items() if value >= wanted - 1e-12]
    if not enough:
        assert "out of reach" in found.notes[0]
        assert measured(measure, truth, score >= found.threshold, weight) == pytest.approx(max(of.values()))
        return
    expected = max(enough) if measure == "recall" else min(enough)
    if weight is None:
        assert found.threshold == pytest.approx(expected, abs=1e-12)
    else:
        answers = np.array([score >= found.threshold, score >= expected])[:, weight > 0]
        assert (answers[0] == answers[1]).all()


@given(both_classes(), st.sampled_from(["f1", "youden", {"recall": 0.8}, {"precision": 0.8}]))
def test_a_threshold_lies_inside_0_and_1_and_hits_no_probability(rows: Any, rule: Any) -> None:
    truth, score, weight = rows
    found = choose(BINARY, truth, score, weight, rule).threshold
    assert isinstance(found, float)
    assert 0 < found < 1
    assert found not in (score if weight is None else score[weight > 0])
    again = choose(BINARY, truth[::-1], score[::-1], None if weight is None else weight[::-1], rule)
    assert again.threshold == found


def test_it_stands_midway_between_the_neighbours() -> None:
    truth, score = np.array([0, 0, 1, 1]), np.array([0.1, 0.2, 0.6, 0.9])
    assert choose(BINARY, truth, score, None, "f1") == Choice(pytest.approx(0.4))
    assert choose(BINARY, truth, score, None, {"recall": 0.5}) == Choice(pytest.approx(0.75))


def test_neighbours_with_no_number_between_them_are_still_parted() -> None:
    low = 0.3
    score = np.array([low, np.nextafter(low, 1)])
    found = choose(BINARY, np.array([0, 1]), score, None, "f1").threshold
    assert (score >= found).tolist() == [False, True]


def test_of_equally_good_thresholds_the_nearest_to_a_half_is_taken() -> None:
    assert choose(BINARY, np.array([0, 1]), np.array([0.4, 0.4]), None, "youden").threshold == pytest.approx(0.7)


def test_rows_of_weight_0_have_no_say() -> None:
    truth, score = np.array([0, 1, 1]), np.array([0.2, 0.3, 0.8])
    assert choose(BINARY, truth, score, np.array([1.0, 0.0, 1.0]), "f1").threshold == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("truth", "score", "why"),
    [([1, 1], [0.2, 0.9], "one class"), ([], [], "no rows"), ([0, 1], [0.2, np.nan], "not finite")],
)
def test_rows_that_cannot_choose_leave_a_half_and_say_so(truth: Any, score: Any, why: str) -> None:
    found = choose(BINARY, np.array(truth, dtype=int), np.array(score, dtype=float), None, "f1")
    assert found.threshold == 0.5
    assert why in found.notes[0]


def test_each_label_has_a_threshold_and_a_note_of_its_own() -> None:
    truth, score = np.array([[0, 1], [1, 1]]), np.array([[0.1, 0.5], [0.3, 0.6]])
    found = choose(LABELS, truth, score, None, "f1")
    assert found.threshold == (pytest.approx(0.2), 0.5)
    assert found.notes == ("rain: threshold 0.5, since only one class is among the rows to choose on",)


def test_a_number_stays_as_it_is() -> None:
    assert choose(LABELS, np.zeros((0, 2)), np.zeros((0, 2)), None, 0.3) == Choice(0.3)


@pytest.mark.parametrize(
    ("rule", "words"), [(0.5, "0.5"), ("f1", "f1"), ({"recall": 0.9}, "recall 0.9"), ({"precision": 1}, "precision 1")]
)
def test_a_rule_has_a_title(rule: Any, words: str) -> None:
    assert title(rule) == words
