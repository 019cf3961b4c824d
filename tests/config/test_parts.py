"""How Parts and fields are written."""

from pathlib import Path

import pytest

from dlcli.config import catalog
from dlcli.network.layers.dense import Dense
from dlcli.network.layers.shaping import Flatten
from dlcli.task import Task
from tests.config.configs import DATA, NETWORK, SHORT, problem, problems, read, underlined


def test_the_three_forms_mean_the_same(tmp_path: Path) -> None:
    for text in ("dense: 16", "dense: {units: 16}", "{dense: {units: 16}}"):
        experiment = read(tmp_path, DATA + f"architecture: [{text}]").experiment
        assert experiment.architecture == (Dense(units=16),)
    for text in ("flatten", "flatten: {}"):
        assert read(tmp_path, DATA + f"architecture: [{text}]").experiment.architecture == (Flatten(),)


def test_one_part_stands_for_a_list_of_one(tmp_path: Path) -> None:
    for text in ("architecture: {dense: 16}", "architecture:\n  dense: {units: 16}"):
        assert read(tmp_path, DATA + text).experiment.architecture == (Dense(units=16),)
    assert len(read(tmp_path, SHORT + "metrics: accuracy").experiment.metrics or ()) == 1


def test_a_scalar_stands_for_a_list_of_one(tmp_path: Path) -> None:
    assert read(tmp_path, "data: {source: {builtin: wine}, ignore: ash}\n" + NETWORK).experiment.data.ignore == ("ash",)


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("Exited", ("Exited",)),
        ("1", ("1",)),
        ("[Y1, Y2]", ("Y1", "Y2")),
        ("{column: yes}", ("yes",)),
        ("1.50", ("1.50",)),
    ],
)
def test_a_target_is_a_name_a_list_or_a_mapping(tmp_path: Path, text: str, columns: tuple[str, ...]) -> None:
    target = read(tmp_path, f"data: {{source: {{csv: a.csv}}, target: {text}}}\n" + NETWORK).experiment.data.target
    assert target is not None
    assert target.column == columns


def test_scalars_count_as_written_where_a_class_is_meant(tmp_path: Path) -> None:
    text = "data: {source: {csv: a.csv}, target: {column: y, positive: 1.0, aliases: {01: yes, null: no}}}\n"
    target = read(tmp_path, text + NETWORK).experiment.data.target
    assert target is not None
    assert target.positive == "1.0"
    assert target.aliases == {"01": "yes", "null": "no"}


def test_number_fields_take_fractions(tmp_path: Path) -> None:
    (step,) = read(tmp_path, SHORT + "preprocessing: {rescale: {scale: 1/255}}").experiment.preprocessing
    assert step.model_dump()["scale"] == 1 / 255


def test_none_switches_off(tmp_path: Path) -> None:
    experiment = read(tmp_path, SHORT + "preprocessing: none\ndivergence: none\noutput: none\n").experiment
    assert experiment.preprocessing == ()
    assert experiment.divergence is None
    assert experiment.output == "none"


def test_an_empty_section_is_its_default(tmp_path: Path) -> None:
    experiment = read(tmp_path, SHORT + "training:\nearly_stopping: {}\n").experiment
    assert experiment.training.epochs == 20
    assert experiment.early_stopping is not None


def test_a_task_is_read(tmp_path: Path) -> None:
    assert read(tmp_path, SHORT + "task: multiclass").experiment.task is Task.MULTICLASS


def test_the_name_is_that_of_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, SHORT).experiment.name == "config"
    assert read(tmp_path, SHORT + "name: first").experiment.name == "first"


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLES", "/tables")
    monkeypatch.setenv("HOME", "/home/someone")
    text = "data: {source: {csv: {path: [a.csv, ../b/*.csv, '${TABLES}/c.csv', ~/d.csv]}}}\n"
    source = read(tmp_path, text + NETWORK).experiment.data.source.model_dump()
    expected = (f"{tmp_path}/a.csv", f"{tmp_path.parent}/b/*.csv", "/tables/c.csv", "/home/someone/d.csv")
    assert source["path"] == expected


def test_a_variable_in_other_fields_stays(tmp_path: Path) -> None:
    assert read(tmp_path, SHORT + 'description: "${HOME}"').experiment.description == "${HOME}"


def test_code_needs_trust(tmp_path: Path) -> None:
    text = DATA + 'architecture: [custom: {object: "gates.py:Gate"}]\n'
    assert problem(tmp_path, text).code == "needs-trust"
    (layer,) = read(tmp_path, text, trusted=True).experiment.architecture
    assert layer.model_dump()["object"] == f"{tmp_path}/gates.py:Gate"


def test_every_example_reads(tmp_path: Path) -> None:
    places = {
        "source": "data: {source: %s}\n" + NETWORK,
        "layer": DATA + "architecture: [%s]\n",
        "activation": DATA + "architecture: [dense: {units: 1, activation: %s}]\n",
        "initializer": DATA + "architecture: [dense: {units: 1, kernel_initializer: %s}]\n",
        "regularizer": DATA + "architecture: [dense: {units: 1, kernel_regularizer: %s}]\n",
        "constraint": DATA + "architecture: [dense: {units: 1, kernel_constraint: %s}]\n",
    }
    keys = {"metric": "metrics"}
    for family in catalog.families():
        for name in catalog.names(family):
            part = catalog.find(family, name)
            assert part is not None
            place = places.get(family, SHORT + f"{keys.get(family, family)}: %s\n")
            item = f"{{{part.example}}}" if ": " in part.example else part.example
            if name in ("grouped", "word_dropout"):
                continue  # needs a group, or an embedding, beside it
            assert read(tmp_path, place % item, trusted=True), part.example


@pytest.mark.parametrize(
    ("item", "code", "place", "hint"),
    [
        ("dense:16", "missing-blank", "dense:16", "dense: 16"),
        ("{dense: 16, activation: relu}", "two-keys", "activation", "dense: {units: 16, activation: relu}"),
        ("flatten: 3", "main-field", "3", "flatten alone"),
        ("batch_normalization: 0.9", "main-field", "0.9", "batch_normalization: {momentum: 0.9}"),
        ("dense:", "empty-field", "", "dense"),
        ("Dense: 16", "unknown-name", "Dense", "dense"),
        ("dense: '16'", "wrong-type", "'16'", "without quotes"),
        ("dense: 2.0", "wrong-type", "2.0", "write 2"),
        ("dropout: 25", "value-out-of-range", "25", "0.25"),
        ("dense: {units: 3, use_bias: no}", "wrong-type", "no", "false"),
        ("dense: {units: 3, activation: rleu}", "unknown-name", "rleu", "relu"),
        ("dense: {activation: relu}", "missing-key", "{activation: relu}", "units"),
        ("[dense: 16]", "wrong-type", "[dense: 16]", ""),
    ],
)
def test_a_slip_is_answered_with_what_to_type(tmp_path: Path, item: str, code: str, place: str, hint: str) -> None:
    found = problem(tmp_path, DATA + f"architecture:\n  - {item}\n")
    assert found.code == code
    assert underlined(found) == place
    assert hint in found.suggestion


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("preprocessing: {impute: median}", "impute: {with: median}"),
        ("preprocessing: {min_max: [0, 1]}", "min_max: {range: [0, 1]}"),
        ("split: {validation: 0.1}", "split: {auto: {validation: 0.1}}"),
        ("split: {validation: 0.1, test: 0.2}", "split: {auto: {validation: 0.1, test: 0.2}}"),
        ("optimizer: {learning_rate: 0.1}", "optimizer: {adam: {learning_rate: 0.1}}"),
        ("optimizer: 0.1", "adam: 0.1"),
        ("optimizer: {adam: {clip_norm: 1}}", "clipnorm"),
        ("training: {epochs:5}", "epochs: 5"),
        ("data:\n  source: {csv: {path: a.csv, comment: #}}", ""),
    ],
)
def test_what_was_meant_is_suggested(tmp_path: Path, text: str, hint: str) -> None:
    base = NETWORK if text.startswith("data") else SHORT
    assert hint in problems(tmp_path, base + text + "\n")[0].suggestion


def test_a_comment_sign_in_place_of_a_value_wants_quotes(tmp_path: Path) -> None:
    text = "data:\n  source:\n    csv:\n      path: a.csv\n      comment: #\n" + NETWORK
    assert "'#'" in problem(tmp_path, text).suggestion
