"""`dlcli compare` as a user meets it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from dlcli import compare
from dlcli.evaluation.comparison import mcnemar
from dlcli.evaluation.metrics import MeanAbsoluteError
from tests.commands.configs import SMALL, flowers, scores, write_csv, write_small
from tests.conftest import Dlcli

WIDER, OTHER_ROWS = "architecture.0.dense.units=16", "split.stratified.seed=5"
KFOLD = ("kfold", "small.yaml", "--quiet", "--set", "training.epochs=2", "--folds", "3")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Dlcli:
    """small-001, -002 (wider), -003 (slower) on the same rows; other-001 on other rows; folds-001, -002 (wider)."""
    dlcli = Dlcli(tmp_path_factory.mktemp("compared"))
    write_small(dlcli.folder)
    for name, *settings in (
        ("small",),
        ("small", WIDER),
        ("small", "optimizer.adam.learning_rate=0.0001", "metrics=[accuracy, roc_auc, log_loss]"),
        ("other", OTHER_ROWS, "training.epochs=1"),
    ):
        words = [word for setting in settings for word in ("--set", setting)]
        assert dlcli("train", "small.yaml", "--name", name, "--quiet", *words).exit_code == 0
    for settings in ((), ("--set", WIDER)):
        assert dlcli(*KFOLD, "--name", "folds", *settings).exit_code == 0
    return dlcli


def found(runs: Dlcli, *which: str) -> dict[str, Any]:
    done = runs("compare", *which, "--json")
    assert (done.exit_code, done.stderr) == (0, "")
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def kept(runs: Dlcli, run: str) -> pl.DataFrame:
    return pl.read_parquet(runs.folder / "runs" / run / "predictions/validation.parquet").sort("row")


def by_metric(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["metric"]: each for each in result["differences"]}


def test_only_settings_that_differ_are_listed(runs: Dlcli) -> None:
    assert found(runs, "small-001", "small-002")["settings"] == [
        {"path": "architecture.0.dense.units", "values": ["8", "16"]}
    ]
    assert [each["path"] for each in found(runs, "small-001", "small-003")["settings"]] == [
        "metrics",
        "optimizer.adam.learning_rate",
    ]


def test_scores_are_those_of_the_runs(runs: Dlcli) -> None:
    for run in found(runs, "small-001", "small-002")["runs"]:
        own = scores(runs.folder, run["run"])["validation"]["scores"]
        assert run["scores"] == [
            {key: each[key] for key in ("name", "value", "low", "high", "starred")} for each in own
        ]


def test_answers_are_compared_row_by_row(runs: Dlcli) -> None:
    first, other = (kept(runs, run) for run in ("small-001", "small-003"))
    right = [(each["kind"] == each["actual_kind"]).to_numpy() for each in (other, first)]
    more, less = int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum())
    accuracy = by_metric(found(runs, "small-001", "small-003"))["accuracy"]
    assert accuracy["difference"] == pytest.approx((more - less) / len(first))
    assert (accuracy["p"], accuracy["n"]) == (pytest.approx(mcnemar(more, less)), len(first))


def test_only_metrics_that_all_runs_have_are_compared(runs: Dlcli) -> None:
    assert by_metric(found(runs, "small-001", "small-003")).keys() == {"accuracy", "roc_auc"}


def test_a_worse_run_is_called_worse(runs: Dlcli) -> None:
    done = runs("compare", "small-001", "small-003")
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert done.exit_code == 0
    assert lines[0] == "compared on the same 24 validation rows"
    assert f"{'setting':<28}  {'small-001':>19}  {'small-003':>29}" in lines
    assert "metrics                       [accuracy, roc_auc]  [accuracy, roc_auc, log_loss]" in lines
    assert "optimizer.adam.learning_rate                 0.02                         0.0001" in lines
    assert any(line.startswith("small-001 is better than small-003: accuracy +0.") for line in lines)
    assert "* these rows chose something (epoch, threshold, temperature), so this score flatters" in lines
    assert "1 small-001   2 small-003" in "\n".join(lines)


def test_runs_that_cannot_be_told_apart_say_what_could(runs: Dlcli) -> None:
    (sentence,) = found(runs, "small-001", "small-002")["verdicts"]
    assert sentence.startswith("no difference between small-002 and small-001 that 24 validation rows could show")
    assert sentence.endswith("would be found in 4 of 5 tries")


def test_of_several_runs_p_is_corrected_too(runs: Dlcli) -> None:
    result = found(runs, "small-001", "small-002", "small-003")
    pairs = [each for each in result["differences"] if each["metric"] == "accuracy"]
    assert [each["run"] for each in pairs] == ["small-002", "small-003"]
    assert min(each["p_holm"] for each in pairs) == pytest.approx(min(1, 2 * min(each["p"] for each in pairs)))
    assert any("p (Holm) allows for 2 comparisons" in note for note in result["notes"])
    assert "p (Holm)" in runs("compare", "small-001", "small-002", "small-003").stdout


def test_folds_are_compared_by_the_corrected_t(runs: Dlcli) -> None:
    result = found(runs, "folds-001", "folds-002")
    folds = [scores(runs.folder, run)["folds"][0]["folds"] for run in ("folds-002", "folds-001")]
    accuracy = by_metric(result)["accuracy"]
    assert accuracy["difference"] == pytest.approx(np.mean(folds[0]) - np.mean(folds[1]))
    assert (result["where"], result["rows"]) == ("3 folds", 96)
    assert accuracy["method"] in ("corrected t", None)
    assert [len(curve["epochs"]) for curve in result["curves"]] == [2, 2]


def test_the_curves_go_into_a_picture(runs: Dlcli) -> None:
    picture = runs.folder / "curves.png"
    assert runs("compare", "small-001", "small-002", "--plot", picture).exit_code == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    again = runs("compare", "small-001", "small-002", "--plot", picture)
    assert (again.exit_code, "is not overwritten" in again.stderr) == (2, True)


def test_the_python_function_gives_the_same(runs: Dlcli) -> None:
    result = compare("small-001", "small-002", runs=runs.folder / "runs").as_json()
    assert json.loads(json.dumps(result)) | {"plot": None} == found(runs, "small-001", "small-002")


@pytest.mark.parametrize(
    ("which", "code", "why"),
    [
        (["small-001"], 2, "two runs or more"),
        (["small-001", "small-001"], 2, "named twice"),
        (["small-001", "nowhere"], 2, 'no run "nowhere"'),
        (["small-001", "other-001"], 4, "other validation rows"),
        (["small-001", "folds-001"], 4, "dlcli kfold"),
    ],
)
def test_what_cannot_be_compared_is_refused(runs: Dlcli, which: Sequence[str], code: int, why: str) -> None:
    done = runs("compare", *which)
    assert (done.exit_code, done.stdout) == (code, "")
    assert why in done.stderr


def copied(runs: Dlcli, tmp_path: Path) -> Path:
    """A copy of a run, to be damaged."""
    return shutil.copytree(runs.folder / "runs" / "small-002", tmp_path / "copy")


def test_an_unfinished_run_is_refused(runs: Dlcli, tmp_path: Path) -> None:
    copy = copied(runs, tmp_path)
    record = json.loads((copy / "record.json").read_text())
    (copy / "record.json").write_text(json.dumps(record | {"status": "failed"}))
    done = runs("compare", "small-001", copy)
    assert (done.exit_code, "is failed, not completed" in done.stderr) == (2, True)


def test_a_run_without_predictions_is_refused(runs: Dlcli, tmp_path: Path) -> None:
    copy = copied(runs, tmp_path)
    (copy / "predictions/validation.parquet").unlink()
    done = runs("compare", "small-001", copy)
    assert (done.exit_code, "kept no validation predictions" in done.stderr) == (2, True)


def test_a_damaged_table_is_named(runs: Dlcli, tmp_path: Path) -> None:
    copy = copied(runs, tmp_path)
    (copy / "predictions/validation.parquet").write_bytes(b"no table")
    done = runs("compare", "small-001", copy)
    assert (done.exit_code, str(copy) in done.stderr) == (3, True)


def test_other_targets_of_the_same_rows_are_refused(runs: Dlcli, tmp_path: Path) -> None:
    copy = copied(runs, tmp_path)
    table = kept(runs, "small-002")
    swapped = table["actual_kind"].replace({"rose": "daisy", "daisy": "rose"})
    table.with_columns(swapped).write_parquet(copy / "predictions/validation.parquet")
    done = runs("compare", "small-001", copy)
    assert (done.exit_code, "had other targets" in done.stderr) == (4, True)


def test_runs_of_one_name_are_told_apart_by_their_folders(runs: Dlcli, tmp_path: Path) -> None:
    copy = copied(runs, tmp_path).rename(tmp_path / "small-001")
    names = [run["run"] for run in found(runs, "small-001", str(copy))["runs"]]
    assert names == [str(runs.folder / "runs/small-001"), str(copy)]


def at_two_rates(dlcli: Dlcli, name: str) -> dict[str, Any]:
    """The difference of two runs of one config, the second with another learning rate."""
    for rate in ("0.01", "0.1"):
        setting = f"optimizer.adam.learning_rate={rate}"
        assert dlcli("train", f"{name}.yaml", "--quiet", "--set", setting).exit_code == 0
    (pair,) = found(dlcli, f"{name}-001", f"{name}-002")["differences"]
    return dict(pair)


@pytest.mark.slow
def test_weighted_numbers_of_groups_are_compared(dlcli: Dlcli) -> None:
    """Weights and groups travel with the predictions of a run."""
    draw = np.random.default_rng(0)
    x, group = draw.normal(size=200), draw.integers(0, 40, 200)
    cells = zip(x, 3 * x + draw.normal(size=200), draw.random(200) + 0.5, group, strict=True)
    write_csv(dlcli.folder / "numbers.csv", [["x", "y", "w", "patient"], *([str(c) for c in row] for row in cells)])
    (dlcli.folder / "numbers.yaml").write_text(
        "data: {source: {csv: numbers.csv}, target: y, weight: w, group: patient}\n"
        "split: {grouped: {column: patient, validation: 0.3, test: 0.1}}\n"
        "architecture: [dense: 4]\ntraining: {epochs: 2}\nmetrics: [mae]\n"
    )
    pair = at_two_rates(dlcli, "numbers")
    tables = [kept(dlcli, run) for run in ("numbers-002", "numbers-001")]
    means = [np.average(abs(t["y"] - t["actual_y"]), weights=t["weight"]) for t in tables]
    assert pair["difference"] == pytest.approx(means[0] - means[1])
    assert pair["method"] == "paired jackknife over groups"
    assert MeanAbsoluteError.greater_is_better is pair["greater_is_better"]


@pytest.mark.slow
def test_the_same_model_twice_and_losses_of_other_scales(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, SMALL.replace("target: kind", "target: width").replace("stratified", "random"))
    scaled = ("--set", "data.target.scale=standardize", "--set", "metrics=[rmse, mae]")
    for settings in ((), (), scaled):
        assert dlcli("train", "small.yaml", "--quiet", "--set", "metrics=[rmse]", *settings).exit_code == 0
    assert found(dlcli, "small-001", "small-002")["verdicts"] == [
        "small-002 and small-001 predict the same for every row"
    ]
    assert found(dlcli, "small-001", "small-002")["monitor"] == "val_loss"
    assert found(dlcli, "small-001", "small-003")["monitor"] == "val_rmse"


def test_rows_in_time_order_are_put_in_it(dlcli: Dlcli) -> None:
    draw = np.random.default_rng(0)
    days = draw.permutation(300)
    cells = [[str(np.datetime64("2020-01-01") + int(day)), f"{day % 7}", f"{draw.normal() + day % 7}"] for day in days]
    write_csv(dlcli.folder / "days.csv", [["day", "weekday", "y"], *cells])
    (dlcli.folder / "days.yaml").write_text(
        "data: {source: {csv: days.csv}, target: y, time: day}\ntask: regression\n"
        "split: {chronological: {validation: 0.3, test: 0.1}}\n"
        "architecture: [dense: 4]\ntraining: {epochs: 2}\nmetrics: [mae]\n"
    )
    pair = at_two_rates(dlcli, "days")
    assert (pair["method"], pair["n"]) == ("paired cosine t over time", 90)
    assert (kept(dlcli, "days-001").sort("time")["row"].to_numpy() == np.argsort(days)[180:270]).all()


@pytest.mark.slow
def test_targets_named_otherwise_are_refused(dlcli: Dlcli) -> None:
    rows = flowers()
    write_csv(
        dlcli.folder / "flowers.csv", [[*row, row[2]] if place else [*row, "hue"] for place, row in enumerate(rows)]
    )
    text = SMALL.replace("metrics: [accuracy, roc_auc]", "metrics: [accuracy]").replace("epochs: 6", "epochs: 1")
    for name, target in (("kinds", "kind"), ("hues", "hue")):
        config = text.replace("target: kind", f"target: {target}").replace("stratified", "random")
        (dlcli.folder / f"{name}.yaml").write_text(config)
        assert dlcli("train", f"{name}.yaml", "--quiet").exit_code == 0
    done = dlcli("compare", "kinds-001", "hues-001")
    assert (done.exit_code, "had other targets" in done.stderr) == (4, True)
