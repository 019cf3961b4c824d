"""Runs side by side, as they are printed."""

from __future__ import annotations

from typing import Any

import pytest

from dlcli.terminal.comparison import print_comparison


def run(name: str, *scores: dict[str, Any]) -> dict[str, Any]:
    return {"run": name, "path": f"runs/{name}", "command": "train", "scores": list(scores)}


def score(name: str, value: float | None, low: float | None, high: float | None, *, starred: bool) -> dict[str, Any]:
    return {"name": name, "value": value, "low": low, "high": high, "starred": starred}


def difference(
    metric: str, value: float | None, low: float | None = None, high: float | None = None, **more: Any
) -> Any:
    known = {
        "run": "b[1]-001",
        "metric": metric,
        "difference": value,
        "low": low,
        "high": high,
        "p": None,
        "p_holm": None,
    }
    return known | {"method": None, "reason": None} | more


RESULT = {
    "runs": [
        run("a-001", score("accuracy", 0.9, 0.8, 0.95, starred=True), score("gini", 0.5, None, None, starred=True)),
        run(
            "b[1]-001", score("accuracy", 0.8, 0.7, 0.88, starred=False), score("gini", None, None, None, starred=False)
        ),
    ],
    "rows": 60,
    "where": "60 validation rows",
    "confidence": 0.9,
    "settings": [
        {"path": "optimizer", "values": ["adam", "sgd: {momentum: 0.9}"]},
        {"path": "data.ignore", "values": ["[]", "[bold, red]"]},
    ],
    "differences": [
        difference("accuracy", -0.1, -0.18, -0.02, p=0.00001, method="Bonett-Price"),
        difference("gini", None, reason="no formula for a function of one's own"),
    ],
    "verdicts": ["a-001 is better than b[1]-001"],
    "monitor": "val_loss",
    "curves": [
        {"run": "a-001", "epochs": [1, 2, 3], "values": [1.0, 0.5, 0.4]},
        {"run": "b[1]-001", "epochs": [1, 2], "values": [1.0, 0.8]},
    ],
    "notes": ["only validation rows"],
}


def printed(result: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> list[str]:
    print_comparison(result)
    return [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_what_differs_what_was_scored_and_what_that_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(RESULT, capsys)[:21] == [
        "compared on the same 60 validation rows",
        "",
        "setting      a-001              b[1]-001",
        "optimizer     adam  sgd: {momentum: 0.9}",
        "data.ignore     []           [bold, red]",
        "",
        "metric                 a-001           b[1]-001",
        "accuracy  0.9* (0.8 to 0.95)  0.8 (0.7 to 0.88)",
        "gini                    0.5*                  -",
        "",
        "metric    against a-001  difference   90 % interval         p  test",
        "accuracy  b[1]-001            -0.10  -0.18 to -0.02  < 0.0001  Bonett-Price",
        "gini      b[1]-001                -               -         -  -",
        "",
        "a-001 is better than b[1]-001",
        "* these rows chose something (epoch, threshold, temperature), so this score flatters",
        "no interval of the difference of gini: no formula for a function of one's own",
        "only validation rows",
        "",
        "1 a-001   2 b[1]-001   + several",
        "val_loss",
    ]


def test_runs_with_the_same_settings_and_without_curves(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(RESULT | {"settings": [], "curves": []}, capsys)
    assert "no setting differs" in lines
    assert lines[-1] == "only validation rows"
