"""`dlcli parts schedule ... --plot`: what a schedule does with the learning rate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlcli.__main__ import run
from dlcli.config import catalog

SCHEDULES = [name for name in catalog.names("schedule") if name != "custom"]


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["parts", *arguments]) == 0
    return capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert run(["parts", *arguments]) == 2
    return capsys.readouterr().err


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_is_drawn_within_80_columns(capsys: pytest.CaptureFixture[str], name: str) -> None:
    text = printed(capsys, "schedule", name, "--plot")
    assert text.startswith(f"{name}: {{")
    assert "learning rate\n" in text
    assert text.endswith("epoch\n")
    assert max(map(len, text.split("\n"))) <= 80


def test_fields_epochs_and_rate_can_be_set(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "schedule", "one_cycle", "--plot", "--set", "peak=0.01", "--epochs", "30")
    assert text.startswith("one_cycle: {peak: 0.01}\n")
    assert "  0.01 ┤ " in text
    assert text.split("\n")[-3].split() == ["0", "7.5", "15", "22.5", "30"]
    text = printed(capsys, "cosine", "--plot", "--set", "alpha=1/2", "--learning-rate", "2", "--epochs", "3")
    assert "cosine: {alpha: 0.5}\nfrom the optimizer's rate, 2\n" in text


def test_the_points_are_the_rates_of_training(capsys: pytest.CaptureFixture[str]) -> None:
    drawn = json.loads(printed(capsys, "step", "--plot", "--set", "factor=0.5", "--epochs", "60", "--json"))
    assert drawn["schedule"] == {"step": {"every": 30, "factor": 0.5}}
    assert {epoch < 30: rate for epoch, rate in zip(drawn["epochs"], drawn["rates"], strict=True)} == {
        True: 0.001,
        False: 0.0005,
    }
    assert drawn["epochs"][0] == 0


def test_performance_says_that_it_depends_on_the_scores(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "performance", "--plot", "--set", "factor=0.2")
    assert "it falls from there to 0.2 of itself whenever val_loss stops improving" in text


def test_all_schedules_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    text = printed(capsys, "schedule", "--plot")
    assert [line.split()[0] for line in text.split("\n")[: len(SCHEDULES)]] == SCHEDULES


def test_a_custom_schedule_is_drawn_once_it_is_trusted(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "rates.py").write_text("def falling(epoch):\n    return 1 / (1 + epoch)\n")
    arguments = ("custom", "--plot", "--set", f"object={tmp_path}/rates.py:falling")
    assert "needs-trust" in refused(capsys, *arguments)
    assert " 1 ┤╮" in printed(capsys, *arguments, "--trust")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("layer", "--plot"), "layer is no schedule"),
        (("cosin", "--plot"), "did you mean cosine?"),
        (("step", "--plot", "--set", "factor=2"), "step.factor must be above 0 and at most 1, got 2"),
        (("step", "--plot", "--set", "fctor=2"), "did you mean factor?"),
        (("step", "--plot", "--set", "factor"), "--set takes path=value"),
        (("exponential", "--plot", "--set", "decay=.9", "--set", "constant=3"), "exponential takes decay, or every"),
        (("schedule", "--plot", "--set", "factor=.2"), "--set changes the fields of one schedule"),
        (("schedule", "--epochs", "3"), "go with --plot"),
        (("step", "--plot", "--epochs", "0"), "--epochs"),
    ],
)
def test_what_cannot_be_drawn_is_said(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    assert words in refused(capsys, *arguments)
