"""Rules between fields, on what is written and on what was found."""

from pathlib import Path

import pytest

from dlcli.config import rules
from dlcli.config.rules import Facts
from dlcli.task import Task
from tests.config.configs import NETWORK, SHORT, problem, read, underlined

TABLE = "data: {source: {csv: a.csv}, target: y%s}\n" + NETWORK

PROBLEMS = [
    ("task: binary\nearly_stopping: {monitor: val_acc}", "unknown-monitor", "val_acc"),
    ("task: binary\nselect: roc", "unknown-monitor", "roc"),
    ("metrics: [accuracy]\nselect: val_f1", "unknown-monitor", "val_f1"),
    ("split: {random: {validation: 0}}\nearly_stopping: {}", "needs-validation", "early_stopping"),
    ("split: {random: {validation: 0}}\nselect: val_loss", "needs-validation", "val_loss"),
    ("early_stopping: {start: 21}", "no-effect", "21"),
    ("task: binary\nloss: mse", "does-not-fit", "mse"),
    ("task: regression\nloss: sparse_categorical_crossentropy", "does-not-fit", "sparse_categorical_crossentropy"),
    ("task: regression\nmetrics: [mae, accuracy]", "does-not-fit", "accuracy"),
    ("task: multiclass\nmetrics: {f1: {average: binary}}", "does-not-fit", "f1"),
    ("metrics: [mae, rmse, mae]", "no-effect", "mae"),
    ("task: multiclass\noutput: {activation: sigmoid}", "does-not-fit", "activation"),
    ("task: binary\noutput: {activation: relu}", "does-not-fit", "activation"),
    ("task: binary\noutput: {units: 2}", "does-not-fit", "2"),
    ("task: regression\ntraining: {class_weight: balanced}", "no-effect", "balanced"),
    ("task: regression\nsplit: stratified", "does-not-fit", "stratified"),
    ("split: grouped", "missing-key", "grouped"),
    ("optimizer: {adam: 0.1}\nschedule: {one_cycle: {peak: 0.2}}", "contradiction", "0.2"),
    ("augmentation: [random_crop]", "does-not-fit", "random_crop"),
    ("augmentation: [mix_up]\ntraining: {batch_size: 1}", "no-effect", "mix_up"),
    (
        "augmentation: [mix_up]\nloss: sparse_categorical_crossentropy",
        "does-not-fit",
        "sparse_categorical_crossentropy",
    ),
    ("augmentation: [word_dropout: 0.1]", "does-not-fit", "word_dropout"),
    ("augmentation: [random_zoom: 0.1]\ntraining: {engine: xla}", "does-not-fit", "xla"),
    (
        "optimizer: {adam: {loss_scale_factor: 512}}\ntraining: {precision: mixed_float16}",
        "no-effect",
        "512",
    ),
    ("optimizer: {sgd: 0.1}\nschedule: {piecewise: {boundaries: [1], values: [1, 2]}}", "contradiction", "values"),
    ("schedule: {polynomial: {end_learning_rate: 0.01}}", "contradiction", "0.01"),
    ("schedule: {performance: {min_learning_rate: 0.01}}", "contradiction", "0.01"),
    ("schedule: {cosine: {warm_up: 500}}", "contradiction", "500"),
    ("optimizer: ftrl\nschedule: cosine", "does-not-fit", "schedule"),
    ("task: binary\nschedule: {performance: {monitor: val_acc}}", "unknown-monitor", "val_acc"),
    ("split: {random: {validation: 0}}\nschedule: performance", "needs-validation", "performance"),
    ("split: {random: {validation: 0}}\nschedule: {performance: {monitor: val_f1}}", "needs-validation", "val_f1"),
    ("task: binary\nearly_stopping: {patience: 3}\nschedule: {performance: {patience: 3}}", "no-effect", "3"),
    ("task: binary\nsplit: {random: {validation: 0}}\nevaluation: {threshold: f1}", "needs-validation", "f1"),
    (
        "task: binary\nsplit: {random: {validation: 0}}\nevaluation: {calibrate: temperature}",
        "needs-validation",
        "temperature",
    ),
    ("task: binary\nevaluation: {threshold: {recall: 0.9, precision: 0.9}}", "contradiction", "threshold"),
    ("task: multiclass\nevaluation: {threshold: 0.3}", "no-effect", "0.3"),
    ("task: regression\nevaluation: {threshold: f1}", "no-effect", "f1"),
    ("task: regression\nevaluation: {calibrate: temperature}", "no-effect", "temperature"),
    ("task: multilabel\nevaluation: {costs: {a: {b: 1}}}", "no-effect", "costs"),
    ("metrics: []", "missing-metrics", "metrics"),
    ("task: binary\nevaluation: {human_level: {acuracy: 0.9}}", "unknown-name", "acuracy"),
    ("task: regression\nevaluation: {human_level: {error: 0.1}}", "no-effect", "error"),
    ("task: binary\nevaluation: {human_level: {error: 0.1, accuracy: 0.9}}", "contradiction", "human_level"),
    ("split: chronological\nkfold: {ensemble: true}", "does-not-fit", "true"),
]


@pytest.mark.parametrize(("text", "code", "place"), PROBLEMS)
def test_settings_that_contradict_each_other(tmp_path: Path, text: str, code: str, place: str) -> None:
    found = problem(tmp_path, TABLE % "" + text + "\n")
    assert (found.code, underlined(found)) == (code, place)


DATA_PROBLEMS = [
    ("weight: y", "y"),
    ("time: y", "y"),
    ("inputs: [x, y]", "y"),
    ("ignore: [y]", "y"),
    ("inputs: [x], ignore: [x]", "x"),
    ("weight: w, inputs: [x, w]", "w"),
    ("numeric: [x], categorical: [x]", "x"),
]


@pytest.mark.parametrize(("fields", "place"), DATA_PROBLEMS)
def test_columns_have_one_role(tmp_path: Path, fields: str, place: str) -> None:
    found = problem(tmp_path, TABLE % f", {fields}")
    assert (found.code, underlined(found)) == ("column-in-two-roles", place)


def test_auto_does_not_choose_between_time_and_group(tmp_path: Path) -> None:
    found = problem(tmp_path, TABLE % ", time: t, group: g" + "split: auto\n")
    assert (found.code, underlined(found)) == ("contradiction", "split")


@pytest.mark.parametrize(
    ("target", "task", "code", "place"),
    [
        ("{column: y, scale: standardize}", "binary", "no-effect", "standardize"),
        ("{column: [y, z], scale: {x: log1p}}", "regression", "unknown-name", "log1p"),
        ("{column: y, positive: c, classes: [a, b]}", "binary", "contradiction", "c"),
        ("{column: y, classes: [a, b, c]}", "binary", "contradiction", "classes"),
        ("{column: y, classes: [a, a]}", "binary", "contradiction", "a"),
        ("{column: y, positive: 1}", "regression", "no-effect", "1"),
        ("{column: y, classes: [1, 2]}", "regression", "no-effect", "classes"),
        ("[y, z]", "multiclass", "contradiction", "multiclass"),
    ],
)
def test_the_target_goes_with_the_task(tmp_path: Path, target: str, task: str, code: str, place: str) -> None:
    found = problem(tmp_path, f"task: {task}\ndata: {{source: {{csv: a.csv}}, target: {target}}}\n" + NETWORK)
    assert (found.code, underlined(found)) == (code, place)


@pytest.mark.parametrize(
    "text",
    [
        "early_stopping: {monitor: val_whatever}",  # the task, and so the metrics, are not known
        "loss: mse",
        "task: binary\nselect: last",
        "task: binary\nearly_stopping: {monitor: loss}\nsplit: {random: {validation: 0}}",
        "split: {predefined: {validation: 0}}\nearly_stopping: {}",
        "split: {auto: {validation: 0}}\nselect: val_loss",
        "task: multilabel\nmetrics: [f1: {average: macro}, f1: {average: micro}]",
        "schedule: {one_cycle: {peak: 0.2}}",
        "optimizer: {adam: 0.2}\nschedule: {one_cycle: {peak: 0.2}}",
        "task: bounded_regression\nloss: binary_crossentropy",
        "augmentation: [random_flip, mix_up, drop_values: 0.1]",  # rows may be images or a table
        "augmentation: [mix_up]\nloss: categorical_crossentropy",
        "task: binary\naugmentation: [mix_up]\nloss: binary_crossentropy",
        "augmentation: [random_flip, mix_up]\ntraining: {engine: graph}",
        "optimizer: {adam: 0.2}\nschedule: {polynomial: {end_learning_rate: 0.1}}",
        "schedule: {cosine: {warm_up: 20}}",
        "optimizer: ftrl\nschedule: constant",
        "optimizer: {adam: {loss_scale_factor: 512}}\ntraining: {precision: mixed_bfloat16}",
        "schedule: performance",
        "split: {random: {validation: 0}}\nschedule: {performance: {monitor: loss}}",
        "task: binary\nearly_stopping: {patience: 4}\nschedule: {performance: {patience: 3}}",
        "task: binary\nearly_stopping: {monitor: loss, patience: 3}\nschedule: {performance: {patience: 3}}",
    ],
)
def test_what_is_right_or_not_yet_known_is_no_problem(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, TABLE % "" + text + "\n")


def test_a_command_has_rules_of_its_own(tmp_path: Path) -> None:
    text = SHORT + "split: {stratified: {validation: 0}}\nearly_stopping: {}\n"
    assert problem(tmp_path, text).code == "needs-validation"
    assert read(tmp_path, text, command="kfold")
    assert problem(tmp_path, text + "kfold: {inner: 0}\n", command="kfold").code == "needs-validation"
    text = SHORT + "schedule: performance\nkfold: {inner: 0}\n"
    assert read(tmp_path, text)
    assert problem(tmp_path, text, command="kfold").code == "needs-validation"


def codes(tmp_path: Path, text: str, facts: Facts) -> list[str]:
    experiment = read(tmp_path, TABLE % "" + text + "\n").experiment
    return [found.code for found in rules.check(experiment, facts, "train")]


def test_facts_wake_rules(tmp_path: Path) -> None:
    assert codes(tmp_path, "loss: mse", Facts(task=Task.BINARY)) == ["does-not-fit"]
    assert codes(tmp_path, "select: val_acc", Facts(task=Task.BINARY)) == ["unknown-monitor"]
    assert codes(tmp_path, "select: val_acc", Facts(task=Task.BINARY, rows={"train": 9})) == ["needs-validation"]
    assert codes(tmp_path, "split: predefined", Facts(source_subsets=frozenset())) == ["does-not-fit"]
    assert codes(tmp_path, "split: predefined", Facts(source_subsets=frozenset({"test"}))) == []
    facts = Facts(task=Task.MULTICLASS, classes=("a", "b", "c"))
    assert codes(tmp_path, "training: {class_weight: {a: 2, d: 1}}", facts) == ["unknown-name"]
    assert codes(tmp_path, "output: {units: 4}", facts) == ["does-not-fit"]
    assert codes(tmp_path, "augmentation: [random_flip]", Facts(shape=(None,))) == ["does-not-fit"]
    assert codes(tmp_path, "augmentation: [random_flip]", Facts(shape=(8, 8, 1))) == []
    assert codes(tmp_path, "augmentation: [drop_values: 0.1]", Facts(left_gaps=("a", "b"))) == ["does-not-fit"]
    assert codes(tmp_path, "augmentation: [drop_values: 0.1]", Facts(left_gaps=())) == []


def test_a_schedule_that_names_a_rate_gives_it_to_the_optimizer(tmp_path: Path) -> None:
    experiment = read(tmp_path, SHORT + "schedule: {one_cycle: {peak: 0.2}}\n").experiment
    assert experiment.optimizer.learning_rate == 0.2


@pytest.mark.parametrize("loss", ["poisson", "msle"])
def test_losses_of_amounts_refuse_targets_around_zero(tmp_path: Path, loss: str) -> None:
    text = "data: {source: {csv: a.csv}, target: {column: y, scale: standardize}}\narchitecture: []\n"
    found = problem(tmp_path, f"{text}task: regression\nloss: {loss}\n")
    assert (found.code, underlined(found)) == ("does-not-fit", "standardize")
