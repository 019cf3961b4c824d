"""`extends` and `--set`."""

from pathlib import Path

import pytest

from dlcli.config.document import load
from dlcli.network.layers.dense import Dense
from dlcli.training.optimizers import SGD, Adam
from tests.config.configs import NETWORK, SHORT, problem, problems, read, underlined, written


def test_mappings_merge_key_by_key(tmp_path: Path) -> None:
    written(tmp_path, SHORT + "training: {epochs: 3, batch_size: 8}\n", "base.yaml")
    training = read(tmp_path, "extends: base.yaml\ntraining: {epochs: 4}\n").experiment.training
    assert (training.epochs, training.batch_size) == (4, 8)


def test_lists_are_replaced(tmp_path: Path) -> None:
    written(tmp_path, SHORT, "base.yaml")
    experiment = read(tmp_path, "extends: base.yaml\narchitecture: [dense: 1, dense: 2]\n").experiment
    assert experiment.architecture == (Dense(units=1), Dense(units=2))


def test_a_part_merges_with_the_same_part(tmp_path: Path) -> None:
    written(tmp_path, SHORT + "optimizer: {adam: {learning_rate: 0.1, beta_1: 0.5}}\n", "base.yaml")
    optimizer = read(tmp_path, "extends: base.yaml\noptimizer: {adam: 0.2}\n").experiment.optimizer
    assert optimizer == Adam(learning_rate=0.2, beta_1=0.5)


def test_a_part_replaces_another(tmp_path: Path) -> None:
    written(tmp_path, SHORT + "optimizer: {adam: {learning_rate: 0.1}}\n", "base.yaml")
    assert read(tmp_path, "extends: base.yaml\noptimizer: sgd\n").experiment.optimizer == SGD()


def test_default_restores_a_default(tmp_path: Path) -> None:
    written(tmp_path, SHORT + "seed: 7\nsplit: random\ntraining: {epochs: 3, batch_size: 8}\n", "base.yaml")
    text = "extends: base.yaml\nseed: default\nsplit: default\ntraining: {epochs: default}\n"
    experiment = read(tmp_path, text).experiment
    assert experiment.seed == 0
    assert experiment.split.part_name == "auto"
    assert (experiment.training.epochs, experiment.training.batch_size) == (20, 8)


def test_a_column_may_be_called_default(tmp_path: Path) -> None:
    target = read(tmp_path, "data: {source: {csv: a.csv}, target: default}\n" + NETWORK).experiment.data.target
    assert target is not None
    assert target.column == ("default",)


def test_of_several_bases_the_later_wins(tmp_path: Path) -> None:
    written(tmp_path, SHORT + "seed: 1\n", "one.yaml")
    written(tmp_path, "seed: 2\n", "two.yaml")
    assert read(tmp_path, "extends: [one.yaml, two.yaml]\n").experiment.seed == 2


def test_paths_of_a_base_are_relative_to_the_base(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    written(tmp_path / "inner", "data: {source: {csv: a.csv}, target: y}\n" + NETWORK, "base.yaml")
    document = read(tmp_path, "extends: inner/base.yaml\n")
    assert document.experiment.data.source.model_dump()["path"] == (f"{tmp_path}/inner/a.csv",)
    assert [path.name for path, _ in document.texts] == ["config.yaml", "base.yaml"]


def test_a_problem_of_a_base_shows_the_base(tmp_path: Path) -> None:
    written(tmp_path, SHORT + "seed: x\n", "base.yaml")
    place = problem(tmp_path, "extends: base.yaml\n").place
    assert place is not None
    assert (Path(place.file).name, place.line, place.column) == ("base.yaml", 3, 7)


def test_what_is_overridden_need_not_be_right(tmp_path: Path) -> None:
    written(tmp_path, SHORT + "seed: x\n", "base.yaml")
    assert read(tmp_path, "extends: base.yaml\nseed: 1\n").experiment.seed == 1


@pytest.mark.parametrize("text", ["extends: config.yaml\n", "extends: other.yaml\n", "extends: ./config.yaml\n"])
def test_a_cycle_is_a_problem_at_extends(tmp_path: Path, text: str) -> None:
    written(tmp_path, "extends: config.yaml\n" + SHORT, "other.yaml")
    found = problem(tmp_path, text + SHORT)
    assert found.code == "extends-cycle"


def test_a_missing_base_is_a_problem_at_extends(tmp_path: Path) -> None:
    found = problem(tmp_path, SHORT + "extends: bas.yaml\n")
    assert found.code == "config-not-found"
    assert underlined(found) == "bas.yaml"


def test_a_base_of_many_layers_is_read_once_each(tmp_path: Path) -> None:
    written(tmp_path, SHORT, "b0.yaml")
    for number in range(1, 25):
        written(tmp_path, f"extends: [b{number - 1}.yaml, b{number - 1}.yaml]\n", f"b{number}.yaml")
    assert len(load(tmp_path / "b24.yaml").texts) == 25


@pytest.mark.parametrize(
    ("option", "path", "value"),
    [
        ("training.epochs=3", ("training", "epochs"), 3),
        ("seed=5", ("seed",), 5),
        ("architecture.0.dense.units=32", ("architecture", 0, "units"), 32),
        ("optimizer.sgd.momentum=0.9", ("optimizer", "momentum"), 0.9),
        ("optimizer.adam=0.5", ("optimizer", "learning_rate"), 0.5),
        ("early_stopping.patience=9", ("early_stopping", "patience"), 9),
        ("data.target.positive=1", ("data", "target", "positive"), "1"),
        ("training={epochs: 7}", ("training", "epochs"), 7),
        ("architecture=[dense: 3, dropout: 0.5]", ("architecture", 1, "rate"), 0.5),
        ("training.class_weight.1=2.5", ("training", "class_weight", "1"), 2.5),
    ],
)
def test_set_changes_one_setting(tmp_path: Path, option: str, path: tuple[str | int, ...], value: object) -> None:
    found: object = read(tmp_path, SHORT, option).experiment
    for step in path:
        found = found[step] if isinstance(found, tuple | dict) else getattr(found, str(step))  # type: ignore[index]
    assert found == value


def test_set_keeps_the_rest(tmp_path: Path) -> None:
    text = SHORT + "optimizer: {adam: {learning_rate: 0.1, beta_1: 0.5}}\n"
    assert read(tmp_path, text, "optimizer.adam.beta_1=0.6").experiment.optimizer == Adam(learning_rate=0.1, beta_1=0.6)


def test_later_options_win(tmp_path: Path) -> None:
    assert read(tmp_path, SHORT, "seed=1", "seed=2").experiment.seed == 2


def test_set_restores_a_default(tmp_path: Path) -> None:
    assert read(tmp_path, SHORT + "seed: 4\n", "seed=default").experiment.seed == 0


def test_an_option_makes_a_broken_config_right(tmp_path: Path) -> None:
    assert read(tmp_path, SHORT + "seed: x\n", "seed=1").experiment.seed == 1


@pytest.mark.parametrize(
    ("option", "code", "place", "hint"),
    [
        ("training.epochs=x", "wrong-type", "x", "20"),
        ("training.epoch=3", "no-such-path", "epoch", "epochs"),
        ("architecture.3.dense.units=1", "no-such-path", "3", "items go by number"),
        ("optimizer.learning_rate=1", "no-such-path", "learning_rate", "adam.learning_rate"),
        ("optimizer.adam.clip_norm=1", "no-such-path", "clip_norm", "clipnorm"),
        ("seed.x=1", "no-such-path", "x", ""),
        ("seed", "set-syntax", "seed", "training.epochs=3"),
        ("=1", "set-syntax", "=1", ""),
        ("a..b=1", "set-syntax", "a..b=1", ""),
        ("seed=[", "yaml-syntax", "", ""),
        ("seed=", "empty-field", "", ""),
    ],
)
def test_problems_name_the_option(tmp_path: Path, option: str, code: str, place: str, hint: str) -> None:
    found = problem(tmp_path, SHORT, option)
    assert found.place is not None
    assert found.place.file == f"--set {option}"
    assert found.code == code
    assert hint in found.suggestion
    if place:
        assert underlined(found) == place


def test_problems_of_files_and_options_come_together(tmp_path: Path) -> None:
    found = problems(tmp_path, SHORT + "kfold: {folds: 1}\n", "training.epoch=3", "seed=x")
    assert [each.code for each in found] == ["value-out-of-range", "no-such-path", "wrong-type"]
