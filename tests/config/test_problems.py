"""All problems of a config, at once and at their places."""

import os
import subprocess
import sys
from pathlib import Path

from dlcli.config.document import load
from dlcli.problems import Problem
from tests.config.configs import DATA, NETWORK, SHORT, problems, read, underlined

SEVEN_MISTAKES = """\
task: binary
data: {source: {csv: churn.csv}, target: Exited, ignor: [RowNumber]}
split: {stratified: {validation: 0.1, test: 0.2}}
preprocessing: [one_hot, standardise]
architecture: [dense: 16, dropout: 1.5, dens: 8]
optimizer: {adam: {learning_rate: fast}}
loss: mse
early_stopping: {monitor: val_acuracy}
metrics: [accuracy]
"""


def test_seven_mistakes_are_found_in_one_pass(tmp_path: Path) -> None:
    found = problems(tmp_path, SEVEN_MISTAKES)
    assert [(each.code, underlined(each), each.place.line, each.place.column) for each in found if each.place] == [
        ("unknown-key", "ignor", 2, 50),
        ("unknown-name", "standardise", 4, 26),
        ("value-out-of-range", "1.5", 5, 36),
        ("unknown-name", "dens", 5, 41),
        ("wrong-type", "fast", 6, 35),
        ("does-not-fit", "mse", 7, 7),
        ("unknown-monitor", "val_acuracy", 8, 27),
    ]
    assert [each.suggestion for each in found if "did you mean" in each.suggestion] == [
        "did you mean ignore?",
        "did you mean standardize?",
        "did you mean dense?",
        "did you mean val_accuracy?",
    ]


def run_python(code: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "DLCLI_DATA": str(folder)}
    result = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_reading_a_config_imports_nothing_heavy(tmp_path: Path) -> None:
    config = Path(__file__).parents[2] / "configs" / "churn.yaml"
    code = f"""
import sys
from dlcli.config.document import load
load({str(config)!r})
print(*({{"tensorflow", "keras", "polars", "sklearn", "scipy", "matplotlib", "numpy"}} & sys.modules.keys()))
"""
    assert run_python(code, tmp_path) == ""


def test_one_mistake_is_one_problem(tmp_path: Path) -> None:
    for text in (
        "training: {ephocs: 3}",
        "seed: [1]",
        "training: {class_weight: [1, 2]}",
        "select: {a: 1}",
        "metrics: [[f1]]",
    ):
        assert len(problems(tmp_path, SHORT + text + "\n")) == 1, text


def test_a_misspelt_required_key_is_not_missing_too(tmp_path: Path) -> None:
    assert [each.code for each in problems(tmp_path, "dta: {source: {builtin: wine}}\n" + NETWORK)] == ["unknown-key"]
    found = problems(tmp_path, DATA + "architecture: [dense: {unit: 3}]\n")
    assert [each.code for each in found] == ["unknown-key"]


def test_a_broken_field_silences_only_rules_that_need_it(tmp_path: Path) -> None:
    text = SHORT + "task: multiclass\ntraining: {epochs: x}\nearly_stopping: {start: 30, monitor: val_x}\n"
    assert [each.code for each in problems(tmp_path, text)] == ["wrong-type", "unknown-monitor"]
    text = SHORT + "task: multiclass\nmetrics: [acuracy]\nselect: val_x\nloss: mse\n"
    assert [each.code for each in problems(tmp_path, text)] == ["unknown-name", "does-not-fit"]


def test_problems_of_yaml_and_of_fields_come_together(tmp_path: Path) -> None:
    text = SHORT + "seed: 1\nseed: 2\ntraining: {epochs: 0}\n"
    assert [each.code for each in problems(tmp_path, text)] == ["duplicate-key", "value-out-of-range"]


def test_a_hundred_problems_are_enough(tmp_path: Path) -> None:
    text = DATA + "architecture: [" + "dens: 1, " * 10_000 + "]\n"
    assert len(problems(tmp_path, text)) == 100


def test_a_document_locates_problems_found_later(tmp_path: Path) -> None:
    document = read(
        tmp_path, "data: {source: {builtin: wine}, target: class}\narchitecture:\n  - dense: 16\n  - flatten\n"
    )

    def place(*path: str | int) -> tuple[int, int]:
        found = document.locate(Problem("code", "message", path=path)).place
        assert found is not None
        return found.line, found.column

    assert place("architecture", 0, "dense", "units") == (3, 12)
    assert place("architecture", 0, "units") == (3, 12)
    assert place("architecture", 0, "dense", "activation") == (3, 5)
    assert place("architecture", 1) == (4, 5)
    assert place("data", "target") == (1, 33)
    assert place("data", "target", "column") == (1, 41)
    unwritten = Problem("code", "message", path=("optimizer", "adam"))
    assert document.locate(unwritten).place is None


def test_a_document_keeps_the_texts(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    document = read(tmp_path, SHORT)
    assert document.path == path
    assert document.texts == ((path, SHORT),)
    assert load(path).experiment == document.experiment
