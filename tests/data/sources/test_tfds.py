"""The tfds source, on a tiny set that is prepared here from local files."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from dlcli import backend
from dlcli.data.sources import text_columns
from dlcli.data.sources import tfds as tfds_source
from dlcli.data.sources.tfds import Tfds
from dlcli.events import silent
from dlcli.problems import DataError, Problem
from dlcli.storage import OnDisk, file_of
from dlcli.words import Words

CLASSES = ("left", "right")
PREPARE = """
import sys
import numpy as np
import tensorflow_datasets as tfds


class TinySides(tfds.core.GeneratorBasedBuilder):
    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        features = {
            "image": tfds.features.Image(shape=(4, 4, 1)),
            "photo": tfds.features.Image(shape=(None, None, 3)),
            "brightness": np.float32,
            "remark": tfds.features.Text(),
            "steps": tfds.features.Sequence(np.int64),
            "sides": tfds.features.Sequence(tfds.features.Text(), length=2),
            "notes": tfds.features.Sequence(tfds.features.Text()),
            "weights": tfds.features.Sequence(np.float32),
            "label": tfds.features.ClassLabel(names=["left", "right"]),
        }
        features = tfds.features.FeaturesDict(features)
        return tfds.core.DatasetInfo(builder=self, features=features, supervised_keys=("image", "label"))

    def _split_generators(self, manager):
        files = {"train": "train.txt", "test": "test.txt"}
        return {split: self._generate_examples(f"{sys.argv[1]}/{name}") for split, name in files.items()}

    def _generate_examples(self, path):
        for line in open(path):
            number = int(line)
            image = np.zeros((4, 4, 1), np.uint8)
            image[:, number % 2 * 2] = number
            photo = np.full((2 + number % 3, 5, 3), number, np.uint8)
            row = {"image": image, "photo": photo, "brightness": number / 2, "remark": f"row {number}"}
            row |= {"label": number % 2, "steps": list(range(number % 3)), "sides": ["left", "right"]}
            row |= {"notes": ["a", "b"], "weights": [0.5]}
            yield number, row


tfds.disable_progress_bar()
TinySides(data_dir=sys.argv[1]).download_and_prepare()
"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the set `tiny_sides` is prepared by TFDS's own code, without a network."""
    return prepare_tiny_sides(tmp_path_factory.mktemp("tfds"))


def prepare_tiny_sides(folder: Path) -> Path:
    (folder / "tiny_sides.py").write_text(PREPARE)
    (folder / "train.txt").write_text("".join(f"{number}\n" for number in range(40)))
    (folder / "test.txt").write_text("".join(f"{number}\n" for number in range(40, 50)))
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "no_proxy": "*"}
    arguments = [sys.executable, str(folder / "tiny_sides.py"), str(folder)]
    done = subprocess.run(arguments, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def problem_of(source: Tfds) -> Problem:
    with pytest.raises(DataError) as raised:
        source.read()
    (problem,) = raised.value.problems
    assert problem.suggestion
    return problem


@pytest.mark.slow
def test_a_prepared_set_is_read_with_its_own_subsets_and_class_names(
    prepared: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    backend.load()
    capfd.readouterr()
    found = Tfds(name="tiny_sides", data_dir=str(prepared)).read()
    assert capfd.readouterr() == ("", "")
    assert (found.inputs, found.target) == (("image",), ("label",))
    assert found.subsets is not None
    assert {name: len(rows) for name, rows in found.subsets.items()} == {"train": 40, "test": 10}
    image, label = found.samples["image"], found.samples["label"]
    assert (image.shape, image.dtype, label.vocabulary) == ((50, 4, 4, 1), np.uint8, CLASSES)
    numbers = image.reshape(50, -1).max(axis=1)
    assert sorted(numbers[:40]) == list(range(40))
    assert (label.codes == numbers % 2).all()


@pytest.mark.slow
def test_other_features_and_slices_of_splits_can_be_named(prepared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TFDS_DATA_DIR", str(prepared))
    source = Tfds(
        name="tiny_sides", inputs=("remark", "brightness", "steps"), train="train[:50%]", validation="train[50%:]"
    )
    found = source.read()
    assert found.subsets is not None
    assert {name: len(rows) for name, rows in found.subsets.items()} == {"train": 20, "validation": 20, "test": 10}
    numbers = [int(text.removeprefix("row ")) for text in found.samples["remark"].texts()]
    assert list(found.samples["brightness"]) == [number / 2 for number in numbers]
    steps = found.samples["steps"]
    assert [steps.row(row).tolist() for row in range(50)] == [list(range(number % 3)) for number in numbers]


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [("remark",), ("remark", "photo")])
def test_texts_may_lie_on_disk(
    inputs: tuple[str, ...], prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Tfds(name="tiny_sides", data_dir=str(prepared), inputs=inputs, target="label", size=(4, 6))
    held = source.read().samples["remark"]
    monkeypatch.setattr(text_columns, "HELD_BYTES", 0)
    with OnDisk(tmp_path) as storage:
        kept = source.read_into(storage, silent).samples["remark"]
    assert isinstance(kept.vocabulary, Words)
    assert kept.texts().tolist() == held.texts().tolist()


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [("steps",), ("steps", "photo")])
def test_sequences_may_lie_on_disk(inputs: tuple[str, ...], prepared: Path, tmp_path: Path) -> None:
    source = Tfds(name="tiny_sides", data_dir=str(prepared), inputs=inputs, target="label", size=(4, 6))
    held = source.read().samples["steps"]
    with OnDisk(tmp_path) as storage:
        kept = source.read_into(storage, silent).samples["steps"]
    assert file_of(kept.values) is not None
    assert [kept.row(row).tolist() for row in range(50)] == [held.row(row).tolist() for row in range(50)]


@pytest.mark.slow
@pytest.mark.parametrize("inputs", [("brightness", "image"), ("remark",), ("steps",)])
def test_it_tells_before_it_reads_how_much_that_will_be(inputs: tuple[str, ...], prepared: Path) -> None:
    source = Tfds(name="tiny_sides", data_dir=str(prepared), inputs=inputs, target="label")
    extent = source.extent()
    assert extent is not None
    assert extent.nbytes == pytest.approx(source.read().samples.nbytes, rel=0.1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("feature", "code"), [("sides", "unknown-values"), ("notes", "wrong-shape"), ("weights", "wrong-shape")]
)
def test_what_is_neither_numbers_nor_one_text_per_row_is_a_problem(feature: str, code: str, prepared: Path) -> None:
    problem = problem_of(Tfds(name="tiny_sides", data_dir=str(prepared), inputs=(feature,), target="label"))
    assert problem.code == code
    assert feature in problem.message


@pytest.mark.slow
def test_images_that_differ_in_size_are_brought_to_one(prepared: Path) -> None:
    source = Tfds(name="tiny_sides", data_dir=str(prepared), inputs=("photo",), target="label")
    assert "`size: [96, 96]`" in problem_of(source).suggestion
    found = source.model_copy(update={"size": (4, 6)}).read()
    photo, label = found.samples["photo"], found.samples["label"]
    assert (photo.shape, photo.dtype) == ((50, 4, 6, 3), np.uint8)
    assert (photo == photo[:, :1, :1]).all()
    assert (photo[:, 0, 0, 0] % 2 == label.codes).all()


@pytest.mark.slow
def test_a_split_a_feature_and_a_version_that_are_not_there_are_problems(prepared: Path) -> None:
    place = str(prepared)
    assert problem_of(Tfds(name="tiny_sides", data_dir=place, test="tset")).suggestion == "its splits: train, test"
    assert "brightness" in problem_of(Tfds(name="tiny_sides", data_dir=place, target="lable")).suggestion
    assert problem_of(Tfds(name="tiny_sides", data_dir=place, version="9.9.9")).code == "unknown-set"


@pytest.mark.slow
def test_a_set_that_is_not_prepared_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tfds_source, "_network_answers", lambda: False)
    backend.load()
    problem = problem_of(Tfds(name="mnist", data_dir=str(tmp_path)))
    assert problem.code == "set-not-prepared"
    assert str(tmp_path / "mnist") in problem.message
    assert "download_and_prepare()" in problem.suggestion


@pytest.mark.slow
def test_a_misspelt_set_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    assert problem_of(Tfds(name="mnits", data_dir=str(tmp_path))).suggestion == "did you mean mnist?"
