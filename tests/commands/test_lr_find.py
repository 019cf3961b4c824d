"""`dlcli lr-find`: a curve, two suggestions, a plot, and on request a copy of the config."""

from __future__ import annotations

import json
from difflib import ndiff
from pathlib import Path
from typing import Any

import pytest

from dlcli.config.document import load
from dlcli.config.writer import long_form
from dlcli.problems import ConfigError
from dlcli.workflows.lr_find import RateRange, lr_find
from tests.commands.configs import SMALL, write_small
from tests.conftest import Dlcli

COMMENTED = SMALL.replace("optimizer:", "# How fast?\noptimizer:").replace("0.02}", "0.5}  # guessed")


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_two_rates_are_suggested_and_the_curve_is_drawn(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("lr-find", "small.yaml")
    assert done.exit_code == 0
    assert "a tenth of the rate where the loss was smallest" in done.stdout
    assert "where the loss fell fastest" in done.stdout
    assert "training loss, smoothed" in done.stdout
    assert "next  dlcli lr-find small.yaml --write" in done.stdout
    assert "plot  small-lr-find.png" in done.stdout
    assert (dlcli.folder / "small-lr-find.png").read_bytes().startswith(b"\x89PNG")


def test_nothing_else_is_left_and_nothing_overwritten(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    assert dlcli("lr-find", "small.yaml", "--write").exit_code == 0
    before = {name: (dlcli.folder / name).read_bytes() for name in files(dlcli.folder)}
    assert before.keys() == {"flowers.csv", "small.yaml", "small-lr.yaml", "small-lr-find.png"}
    assert dlcli("lr-find", "small.yaml", "--write", "--max", "1").exit_code == 0
    assert files(dlcli.folder) == before.keys() | {"small-lr-2.yaml", "small-lr-find-2.png"}
    assert {name: (dlcli.folder / name).read_bytes() for name in before} == before


def test_json_holds_the_curve(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    result = json.loads(dlcli("lr-find", "small.yaml", "--json").stdout)
    assert [each["name"] for each in result["suggestions"]] == ["minimum", "steepest"]
    assert result["learning_rates"][0] == 1e-6
    # 72 rows in batches of 16 are 5 batches an epoch, so the test went through many epochs.
    assert len(result["losses"]) == len(result["smoothed"]) == len(result["learning_rates"]) > 50
    assert (result["blew_up"], result["warnings"], result["copy"]) == (True, [], None)
    assert result["plot"] == "small-lr-find.png"


def test_write_puts_the_first_suggestion_into_a_copy_with_comments_kept(dlcli: Dlcli) -> None:
    write_small(dlcli.folder, COMMENTED)
    result = json.loads(dlcli("lr-find", "small.yaml", "--json", "--write").stdout)
    rate = result["suggestions"][0]["learning_rate"]
    copy = (dlcli.folder / result["copy"]).read_text()
    assert result["copy"] == "small-lr.yaml"
    assert [line for line in ndiff(COMMENTED.splitlines(), copy.splitlines()) if line[0] in "+-"] == [
        "- optimizer: {adam: 0.5}  # guessed",
        f"+ optimizer: {{adam: {rate}}}  # guessed",
    ]
    assert (dlcli.folder / "small.yaml").read_text() == COMMENTED


def test_without_a_suggestion_nothing_is_written(dlcli: Dlcli) -> None:
    write_small(dlcli.folder)
    done = dlcli("lr-find", "small.yaml", "--max", "1e-5", "--write")
    assert done.exit_code == 1
    assert "fell no more than its noise up to 1e-05: raise --max" in done.stdout
    assert not (dlcli.folder / "small-lr.yaml").exists()
    assert dlcli("lr-find", "small.yaml", "--max", "1e-5").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--min", "1", "--max", "0.1"], "--min must lie below --max"),
        (["--min", "0"], "x>0"),
        (["--steps", "3"], "20"),
        (["--plot", "curve.pdf"], "does not end in .png"),
        (["--plot", "taken.png"], "taken.png exists"),
        (["--write", "small.yaml"], "small.yaml exists and is not overwritten"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_refused_and_nothing_changed(dlcli: Dlcli, arguments: list[str], words: str) -> None:
    write_small(dlcli.folder)
    (dlcli.folder / "taken.png").write_text("a plot of mine")
    before = {name: (dlcli.folder / name).read_bytes() for name in files(dlcli.folder)}
    done = dlcli("lr-find", "small.yaml", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert "Traceback" not in done.output
    assert {name: (dlcli.folder / name).read_bytes() for name in files(dlcli.folder)} == before


def found(config: Path, **options: Any) -> RateRange:
    return lr_find(config, lowest=1e-4, highest=1, steps=60, **options)


def test_the_same_seed_gives_the_same_curve(tmp_path: Path) -> None:
    config = write_small(tmp_path)
    first, again, other = (found(config, overrides=[f"seed={seed}"]).curve.losses.tolist() for seed in (3, 3, 4))
    assert first == again != other


@pytest.mark.parametrize(
    ("optimizer", "changes"),
    [
        ("", {"optimizer.adam.learning_rate"}),
        ("optimizer: {sgd: {momentum: 0.9}}\nschedule: {exponential: {decay: 0.9}}\n", {"optimizer.sgd.learning_rate"}),
        ("optimizer: sgd\nschedule: one_cycle\n", {"optimizer.sgd.learning_rate"}),
        (
            "optimizer: sgd\nschedule: {one_cycle: {peak: 0.1}}\n",
            {"optimizer.sgd.learning_rate", "schedule.one_cycle.peak"},
        ),
        (
            "optimizer: {sgd: 0.1}\nschedule: {one_cycle: {peak: 0.1}}\n",
            {"optimizer.sgd.learning_rate", "schedule.one_cycle.peak"},
        ),
        ("extends: base.yaml\n", {"optimizer.rmsprop.learning_rate"}),
    ],
    ids=["no optimizer", "schedule", "one_cycle", "peak", "peak and rate", "extends"],
)
def test_the_copy_differs_in_the_rate_alone(tmp_path: Path, optimizer: str, changes: set[str]) -> None:
    (tmp_path / "base.yaml").write_text("optimizer: {rmsprop: {learning_rate: 0.5, momentum: 0.1}}\n")
    config = write_small(tmp_path, SMALL.replace("optimizer: {adam: 0.02}\n", optimizer))
    result = found(config, write=True)
    assert result.copy == tmp_path / "small-lr.yaml"
    before, after = (flat(long_form(load(path).experiment)) for path in (config, result.copy))
    rate = result.reading.suggestions[0].rate
    assert {path: after[path] for path in after if after[path] != before[path]} == dict.fromkeys(changes, rate) | {
        "name": "small-lr"
    }


def flat(data: Any, path: str = "") -> dict[str, Any]:
    """The values of nested data by their paths."""
    if not isinstance(data, dict):
        return {path: data}
    return {
        key: value for name, inner in data.items() for key, value in flat(inner, f"{path}.{name}".strip(".")).items()
    }


def test_a_copy_elsewhere_is_right_where_no_path_depends_on_it(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    config = write_small(tmp_path, SMALL.replace("flowers.csv", str(tmp_path / "flowers.csv")))
    result = found(config, write=tmp_path / "elsewhere/mine.yaml")
    assert result.copy is not None
    assert load(result.copy).experiment.optimizer.learning_rate == result.reading.suggestions[0].rate


def test_the_copy_does_not_hold_what_set_changes(tmp_path: Path) -> None:
    result = found(write_small(tmp_path), write=True, overrides=["training.batch_size=8"])
    assert result.copy is not None
    assert load(result.copy).experiment.training.batch_size == 16


@pytest.mark.parametrize(
    ("where", "overrides", "words"),
    [
        ("small.yaml", [], "small.yaml exists and is not overwritten"),
        ("nowhere/copy.yaml", [], "cannot write into"),
        ("elsewhere/copy.yaml", [], "cannot be put into"),
        ("copy.yaml", ["optimizer=sgd"], "cannot be put into"),
        ("copy.yaml", ["schedule={piecewise: {boundaries: [3], values: [0.02, 0.01]}}"], "names its rates itself"),
    ],
    ids=["exists", "no folder", "relative paths", "other optimizer", "piecewise"],
)
def test_a_copy_that_cannot_be_is_refused_before_the_data_are_read(
    tmp_path: Path, where: str, overrides: list[str], words: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    config = write_small(tmp_path, SMALL.replace("flowers.csv", "absent.csv"))
    with pytest.raises(ConfigError, match=words):
        found(config, write=tmp_path / where, overrides=overrides)
    assert not (tmp_path / "copy.yaml").exists()


def test_the_config_s_own_schedule_does_not_matter_but_its_clipping_does(tmp_path: Path) -> None:
    plain, scheduled, clipped = (
        found(write_small(tmp_path, SMALL.replace("optimizer: {adam: 0.02}", optimizer))).curve.losses.tolist()
        for optimizer in (
            "optimizer: {sgd: 0.02}",
            "optimizer: {sgd: 0.5}\nschedule: {exponential: {decay: 0.1}}",
            "optimizer: {sgd: {learning_rate: 0.02, clipnorm: 0.001}}",
        )
    )
    assert plain == scheduled != clipped


def test_only_training_rows_matter(tmp_path: Path) -> None:
    config = write_small(tmp_path, SMALL.replace("stratified: {validation: 0.2, test: 0.2}", "predefined: part"))
    header, *rows = (tmp_path / "flowers.csv").read_text().splitlines()
    subsets = ["train"] * 80 + ["validation"] * 20 + ["test"] * 20

    def losses(*, poisoned: bool) -> list[float]:
        held = [
            row if not poisoned or part == "train" else "-3,1e12,black,daisy"
            for row, part in zip(rows, subsets, strict=True)
        ]
        table = [f"{row},{part}" for row, part in zip(held, subsets, strict=True)]
        (tmp_path / "flowers.csv").write_text("\n".join([f"{header},part", *table]) + "\n")
        losses: list[float] = found(config).curve.losses.tolist()
        return losses

    assert losses(poisoned=False) == losses(poisoned=True)


def test_full_batches_are_an_epoch_each(tmp_path: Path) -> None:
    config = write_small(tmp_path, SMALL.replace("batch_size: 16", "batch_size: full"))
    assert len(found(config).curve.losses) == 60
