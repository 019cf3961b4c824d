"""`dlcli diagnose` as a user meets it, and that whatever it proposes can be trained."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from dlcli import diagnose
from dlcli.config.document import load
from dlcli.config.writer import to_yaml
from dlcli.evaluation.diagnosis.remedies import Situation, Verdict, suggestions
from dlcli.problems import ConfigError
from dlcli.runs.record import Record
from dlcli.task import Goal, Task
from dlcli.workflows.diagnose import proposal
from dlcli.workflows.run_reading import breakdown, setup
from tests.commands.configs import SMALL, write_small
from tests.conftest import Dlcli


def as_json(dlcli: Dlcli, *arguments: str) -> dict[str, Any]:
    done = dlcli("diagnose", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and ".output" not in str(path)}


def test_draws_the_ladder_and_proposes_what_can_be_pasted(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--set", "training.epochs=3")
    before = files(dlcli.folder / "runs")
    done = dlcli("diagnose")
    assert done.exit_code == 0
    assert done.stdout.startswith("small-001: still improving\n")
    for words in ("baseline", "reference", "training", "validation*", "avoidable bias", "at most", "1 - accuracy"):
        assert words in done.stdout
    assert f"extends: {dlcli.folder / 'runs/small-001/resolved.yaml'}" in done.stdout
    assert "dlcli train runs/small-001/resolved.yaml --set training.epochs=30" in done.stdout
    assert files(dlcli.folder / "runs") == before


def test_json_holds_the_same(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--evaluate")
    found = as_json(dlcli, "small-001")
    kept = json.loads((dlcli.folder / "runs/small-001/scores.json").read_text())
    rungs = {rung["name"]: rung for rung in found["ladder"]["rungs"]}
    for name, subset in (("training", "train"), ("validation", "validation"), ("test", "test")):
        assert rungs[name]["score"] == kept[subset]["scores"][0]["value"]
        assert rungs[name]["error"] == pytest.approx(1 - rungs[name]["score"])
        assert rungs[name]["low"] <= rungs[name]["error"] <= rungs[name]["high"]
    assert [gap["name"] for gap in found["ladder"]["gaps"]] == ["avoidable bias", "variance", "validation to test"]
    assert found["findings"][0]["code"] == found["verdict"]
    assert all({"code", "why", "snippet", "yaml", "set", "command"} <= each.keys() for each in found["suggestions"])


def test_proposals_fit_in_whatever_folder_they_are_pasted(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--set", "training.epochs=3")
    elsewhere = dlcli.folder / "elsewhere"
    elsewhere.mkdir()
    snippets = [each["yaml"] for each in as_json(dlcli)["suggestions"] if each["yaml"]]
    assert snippets
    for text in snippets:
        (elsewhere / "better.yaml").write_text(text)
        assert dlcli("check", "elsewhere/better.yaml").exit_code == 0


def test_without_validation_rows_nothing_is_proposed_that_needs_them(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("validation: 0.2", "validation: 0"))
    assert dlcli("train", "small.yaml", "--set", "training.epochs=6", "--set", "optimizer.adam=0.001").exit_code == 0
    found = as_json(dlcli)
    assert found["verdict"] == "still_improving"
    assert [each["problem"] for each in found["suggestions"]] == [None] * len(found["suggestions"])


def test_a_known_level_is_the_reference(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL + "evaluation: {human_level: {accuracy: 0.99}}\n")
    dlcli("train", "small.yaml")
    found = as_json(dlcli)["ladder"]
    assert found["human"]
    assert next(rung["error"] for rung in found["rungs"] if rung["name"] == "reference") == pytest.approx(0.01)


def test_the_first_proposal_can_be_written_and_trained(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml", "--set", "training.epochs=3")
    (dlcli.folder / "next").mkdir()
    assert dlcli("diagnose", "--write", "next/better.yaml").exit_code == 0
    assert load(dlcli.folder / "next/better.yaml").experiment.training.epochs == 30
    assert dlcli("train", "next/better.yaml").exit_code == 0
    again = dlcli("diagnose", "--write", "next/better.yaml")
    assert again.exit_code == 2
    assert "exists and is not overwritten" in again.stderr


def test_a_run_that_diverged_is_told_so(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("adam: 0.02", "sgd: 1e12"))
    assert dlcli("train", "small.yaml").exit_code == 1
    found = as_json(dlcli)
    assert found["verdict"] == "diverged"
    assert found["suggestions"][0]["set"] == ["optimizer.sgd.learning_rate=0.01"]


def test_folds_are_read_together(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("kfold", "small.yaml", "--folds", "3")
    found = as_json(dlcli)
    assert found["ladder"]["metric"] == "loss"
    assert "over_folds" in [finding["code"] for finding in found["findings"]]
    assert {each["command"] for each in found["suggestions"] if each["yaml"]} <= {"kfold"}
    assert dlcli("diagnose").exit_code == 0


def test_what_cannot_be_diagnosed_is_said(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    nothing = dlcli("diagnose")
    assert (nothing.exit_code, "no runs" in nothing.stderr) == (2, True)
    dlcli("train", "small.yaml")
    assert dlcli("diagnose", "smal-001").exit_code == 2
    (dlcli.folder / "runs/small-001/history.csv").write_text("epoch,loss\n1,?\n")
    damaged = dlcli("diagnose")
    assert (damaged.exit_code, "history.csv is damaged" in damaged.stderr) == (3, True)
    unwritable = dlcli("diagnose", "--write", "nowhere/better.yaml")
    assert unwritable.exit_code != 0
    assert "Traceback" not in unwritable.stderr


def test_a_run_that_was_stopped_is_refused(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    dlcli("train", "small.yaml")
    path = dlcli.folder / "runs/small-001/record.json"
    entry = json.loads(path.read_text())
    path.write_text(json.dumps(entry | {"status": "interrupted"}))
    done = dlcli("diagnose", "small-001")
    assert (done.exit_code, "dlcli train --resume small-001" in done.stderr) == (2, True)
    with pytest.raises(ConfigError, match="interrupted"):
        diagnose(path.parent)


def test_where_the_loss_was_not_finite_is_read_from_what_the_run_warned_of() -> None:
    warned = "the loss is not finite in epoch 3 (learning rate up to 10): back to epoch 2, rates times 0.3 from here"
    failure = "fold 2/5: the loss is not finite in epoch 2 (learning rate up to 3), also after going back 1 times"
    entry = Record(name="a", command="train", warnings=(warned,))
    recovered = breakdown(entry)
    assert recovered is not None
    assert (recovered.epoch, recovered.times, recovered.rate, recovered.failed) == (3, 1, 10.0, False)
    failed = breakdown(entry.closed("failed", failure))
    assert failed is not None
    assert (failed.epoch, failed.times, failed.rate, failed.failed) == (2, 1, 3.0, True)
    assert breakdown(Record(name="a", command="train")) is None


CONFIGS = {
    "table": SMALL,
    "linear": "data: {source: {builtin: wine}}\narchitecture: []\nsplit: stratified\n",
    "images": "data: {source: {builtin: digits}}\nsplit: {stratified: {train: 500}}\n"
    "architecture: [conv2d: 8, max_pooling2d, flatten, dropout: 0.5, dense: 16]\n",
    "one_cycle with a peak": "data: {source: {builtin: wine}}\narchitecture: [dense: 8]\noptimizer: sgd\n"
    "schedule: {one_cycle: {peak: 0.1}}\nsplit: stratified\n",
    "piecewise": "data: {source: {builtin: wine}}\narchitecture: [dense: 8]\nsplit: stratified\n"
    "schedule: {piecewise: {boundaries: [3], values: [0.01, 0.001]}}\n",
    "stopping": "data: {source: {builtin: wine}}\narchitecture: [dense: 8]\nsplit: stratified\n"
    "early_stopping: {patience: 3, loss_below: 0.1}\ntraining: {time_limit: 60}\nregularization: {l2: 1}\n",
    "numbers": "data: {source: {builtin: diabetes}}\ntask: regression\npreprocessing: none\n"
    "architecture: [dense: 8]\nsplit: random\n",
    "given subsets": "data: {source: {csv: a.csv}, target: y}\ntask: binary\nsplit: {predefined: part}\n"
    "architecture: [dense: {units: 8, activation: tanh, kernel_regularizer: {l2: 1}}]\n",
    "time": "data: {source: {csv: a.csv}, target: y, time: when}\ntask: binary\nsplit: chronological\n"
    "architecture: [dense: 8]\n",
    "own output": "data: {source: {builtin: wine}}\nsplit: stratified\noutput: none\n"
    "architecture: [dense: 8, dense: {units: 3, activation: softmax}]\n",
}
SITUATIONS = (
    Situation({"train": 100, "validation": 20, "test": 10}, variance=0.3, gap="variance"),
    Situation({"train": 100, "validation": 60}, "patience", failed_rate=5.0, chosen=3, wait=2, oscillates=True),
    Situation({"train": 100, "validation": 0}, failed_rate=1e-4),
)
STOPPED_SHORT = (
    Situation({"train": 100, "validation": 20}, "time_limit"),
    Situation({"train": 100, "validation": 20}, "loss_below"),
)
"""Only a config that has those limits can meet them."""


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("command", ["train", "kfold"])
def test_every_snippet_fits_the_config_and_does_what_it_says(tmp_path: Path, name: str, command: str) -> None:
    path = tmp_path / "resolved.yaml"
    path.write_text(CONFIGS[name])
    path.write_text(to_yaml(load(path, command=command).experiment))
    document = load(path, command=command)
    task = Task.REGRESSION if name == "numbers" else Task.BINARY
    entry = Record(name="a", command=command, goal=Goal(task, ("y",), () if name == "numbers" else ("a", "b")))
    met = SITUATIONS + STOPPED_SHORT if name == "stopping" else SITUATIONS
    made = 0
    for verdict in get_args(Verdict):
        for situation in met:
            for suggestion in suggestions(verdict, setup(entry, document.experiment, {}), situation):
                found = proposal(document, suggestion)
                assert found.problem == "", suggestion
                if suggestion.snippet is not None:
                    made += 1
                    laid = load(tmp_path / "laid.yaml", text=found.yaml, command=suggestion.command)
                    assert laid.experiment != document.experiment or suggestion.command != command, suggestion
                    assert found.overrides or suggestion.command != command, suggestion
                    same = load(path, found.overrides, command=suggestion.command)
                    assert same.experiment == laid.experiment
    assert made > 10


@pytest.mark.slow
@pytest.mark.parametrize("number", range(8))
def test_really_trained_situations_are_told_apart(tmp_path: Path, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2] / "benchmarks")
    from benchmarks.diagnosis import SITUATIONS, situation_trained

    situation = SITUATIONS[number]
    found = situation_trained(situation, tmp_path, seed=11)
    assert found.diagnosis.verdict == situation.verdict, found.diagnosis.findings
    assert not any(each.problem for each in found.proposals)
