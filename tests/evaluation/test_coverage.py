"""A small dose of `benchmarks/coverage.py`: intervals hold the truth as often as they promise."""

from __future__ import annotations

from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


@pytest.mark.slow
def test_intervals_hold_the_truth_as_often_as_they_promise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(PROJECT / "benchmarks")
    from benchmarks import coverage

    found = [coverage.simulate(case, 200) for case in coverage.cases()]
    assert [(each.case.name, each.coverage) for each in found if not each.kept] == []
    assert len(found) > 40
    page = (PROJECT / "docs" / "statistics.md").read_text()
    assert [each.case.name for each in found if f"| {each.case.score} | {each.case.rows} |" not in page] == []
