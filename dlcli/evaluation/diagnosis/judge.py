"""What limits the score: one verdict from the ladder of errors and the courses of training, and what to try next."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from dlcli.evaluation.diagnosis import courses as reading
from dlcli.evaluation.diagnosis.ladder import Ladder
from dlcli.evaluation.diagnosis.remarks import REMARKS
from dlcli.evaluation.diagnosis.remedies import Situation, Suggestion, Verdict, suggestions
from dlcli.evaluation.diagnosis.run_facts import Facts, Finding
from dlcli.evaluation.diagnosis.verdicts import TESTS, good


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What limits a run's score.

    Attributes:
        verdict: the first thing to see to.
        ladder: where the error is; None where nothing was scored.
        findings: what the verdict rests on, first, and what else shows.
        suggestions: what to try, the most promising first.
    """

    verdict: Verdict
    ladder: Ladder | None
    findings: tuple[Finding, ...]
    suggestions: tuple[Suggestion, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "verdict": self.verdict,
            "ladder": self.ladder.as_json() if self.ladder else None,
            "findings": [asdict(finding) for finding in self.findings],
            "suggestions": [asdict(suggestion) for suggestion in self.suggestions],
        }


def diagnose(facts: Facts) -> Diagnosis:
    """The verdict on a run, what it rests on, and what to try."""
    verdict, first = _verdict(facts)
    # Nothing is to be read from the scores of a network that blew up.
    remarks = [] if verdict == "diverged" else [finding for remark in REMARKS if (finding := remark(facts))]
    others = (finding for finding in remarks if finding.code != first.code and finding.sentence != first.sentence)
    proposed = suggestions(verdict, facts.setup, _situation(facts))
    return Diagnosis(verdict, facts.ladder, (first, *others), proposed)


def _verdict(facts: Facts) -> tuple[Verdict, Finding]:
    for verdict, test in TESTS:
        if (finding := test(facts)) is not None:
            return verdict, finding
    return "good", good(facts)


def _situation(facts: Facts) -> Situation:
    failed = facts.breakdown.rate if facts.breakdown else None
    if failed is None and reading.agreed(facts.courses, reading.blow_up):
        failed = max(float(course.rate.max()) for course in facts.courses)
    ladder = facts.ladder
    largest, gap = (ladder.largest, ladder.gap("variance")) if ladder else (None, None)
    return Situation(
        facts.rows,
        facts.courses[0].stopped_by if facts.courses else "epochs",
        failed,
        round(median(course.chosen for course in facts.courses)) if facts.courses else None,
        max(map(reading.longest_wait, facts.courses), default=0),
        largest.name if largest else None,
        gap.value / ladder.unit if ladder and gap else 0.0,
        test_opened="test" in facts.scores,
        oscillates=reading.agreed(facts.courses, reading.oscillation) is not None,
    )
