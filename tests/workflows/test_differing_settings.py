"""What differs between experiments, path by path."""

from __future__ import annotations

from pathlib import Path

from dlcli.config.document import load
from dlcli.workflows.differing_settings import differing_settings
from tests.commands.configs import SMALL


def differ(folder: Path, *overrides: str) -> dict[str, tuple[str, ...]]:
    config = folder / "small.yaml"
    config.write_text(SMALL)
    experiments = [load(config, settings).experiment for settings in ((), overrides)]
    return {each.path: each.values for each in differing_settings(experiments, unused=frozenset({"kfold"}))}


def test_a_leaf_has_the_path_that_sets_it(tmp_path: Path) -> None:
    assert differ(tmp_path, "architecture.0.dense.units=9", "seed=3") == {
        "seed": ("0", "3"),
        "architecture.0.dense.units": ("8", "9"),
    }


def test_another_part_is_written_as_short_as_it_can_be(tmp_path: Path) -> None:
    found = differ(tmp_path, "optimizer={sgd: {momentum: 0.9}}", "schedule={exponential: {decay: 0.95}}")
    assert found == {
        "optimizer": ("adam: 0.02", "sgd: {momentum: 0.9}"),
        "schedule": ("none", "exponential: {decay: 0.95}"),
    }


def test_lists_of_other_lengths_are_shown_whole(tmp_path: Path) -> None:
    found = differ(tmp_path, "architecture=[dense: 8, dropout: 0.3, dense: {units: 4, activation: tanh}]")
    assert found == {"architecture": ("[dense: 8]", "[dense: 8, dropout: 0.3, dense: {units: 4, activation: tanh}]")}


def test_names_and_sections_that_were_not_used_do_not_count(tmp_path: Path) -> None:
    assert differ(tmp_path, "name=other", "kfold.folds=3") == {}
