"""The text source: folders of text files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlcli import predict, train
from dlcli.data.sources.text import Text
from dlcli.problems import DataError, Problem
from dlcli.samples import Coded

CONFIG = """\
data: {source: {text: reviews}}
split: {stratified: {validation: 0.25, test: 0}}
architecture: [dense: 4]
training: {epochs: 2}
"""


def write(root: Path, files: dict[str, str | bytes]) -> Path:
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def cells(column: Coded) -> list[str]:
    return list(column.texts("(missing)"))


def problem_of(source: Text) -> Problem:
    with pytest.raises(DataError) as raised:
        source.read()
    (problem,) = raised.value.problems
    assert problem.suggestion
    return problem


def test_each_file_is_a_row_and_its_folder_the_label(tmp_path):
    write(
        tmp_path,
        {"pos/b.txt": "good\r\nfilm", "pos/a.TXT": "\ufeffgreat\x85", "neg/deep/c.txt": " \n", "neg/d.txt": ""},
    )
    found = Text(path=str(tmp_path)).read()
    assert cells(found.samples["text"]) == ["(missing)", "(missing)", "great\x85", "good\r\nfilm"]
    assert cells(found.samples["label"]) == ["neg", "neg", "pos", "pos"]
    assert (found.inputs, found.target, found.subsets, found.notes) == (("text",), ("label",), None, ())


def test_folders_of_subsets_are_the_subsets(tmp_path):
    names = ["test/pos/1.txt", "val/neg/1.txt", "train/pos/1.txt", "train/neg/1.txt"]
    found = Text(path=str(write(tmp_path, {name: name for name in names}))).read()
    assert found.subsets is not None
    assert {name: rows.tolist() for name, rows in found.subsets.items()} == {
        "train": [0, 1],
        "validation": [2],
        "test": [3],
    }
    assert cells(found.samples["text"])[3] == "test/pos/1.txt"


def test_what_is_left_out_is_said(tmp_path):
    write(tmp_path, {"pos/a.txt": "a", "pos/a.html": "a", ".git/b.txt": "b", "README.txt": "c", "empty/.keep": ""})
    found = Text(path=str(tmp_path)).read()
    assert found.samples.rows == 1
    assert found.notes == (
        "left out: 1 files that are no texts",
        f"left out: 1 texts that lie in {tmp_path.name}/ beside the folders of the classes",
        "no text in empty",
    )


def test_other_encodings_can_be_named(tmp_path):
    write(tmp_path, {"pos/a.txt": "Käse".encode("latin-1")})
    problem = problem_of(Text(path=str(tmp_path)))
    assert problem.code == "wrong-encoding"
    assert str(tmp_path / "pos" / "a.txt") in problem.message
    assert cells(Text(path=str(tmp_path), encoding="latin-1").read().samples["text"]) == ["Käse"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({}, "no-rows"),
        ({"a.txt": "a"}, "no-classes"),
        ({"train/pos/a.txt": "a", "extra/b.txt": "b"}, "unknown-subset"),
    ],
    ids=["nothing", "no folders", "a folder beside the subsets"],
)
def test_a_folder_without_classes_is_a_problem(tmp_path, files, code):
    assert problem_of(Text(path=str(write(tmp_path, files)))).code == code


def test_a_folder_that_is_not_there_is_a_problem(tmp_path):
    (tmp_path / "reviews").mkdir()
    assert problem_of(Text(path=str(tmp_path / "review"))).suggestion == f"did you mean {tmp_path / 'reviews'}?"


@pytest.mark.slow
def test_a_run_predicts_files_folders_and_tables_alike(tmp_path):
    words = {"pos": ["good", "great", "fine"], "neg": ["bad", "dull", "poor"]}
    draw = np.random.default_rng(0)
    names = {f"{label}/{number}.txt": " ".join(draw.choice(words[label], 4)) for label in words for number in range(30)}
    write(tmp_path / "reviews", names)
    (tmp_path / "reviews.yaml").write_text(CONFIG)
    run = train(tmp_path / "reviews.yaml", runs=tmp_path / "runs")
    write(tmp_path / "new", {"1.txt": "a good one", "2.txt": "", "3.txt": "unheard-of"})
    (tmp_path / "new.csv").write_text("id,text\n1,a good one\n2,\n3,unheard-of\n")
    folder = predict(run.path, tmp_path / "new").values
    assert folder.shape == (3,)
    assert np.array_equal(folder, predict(run.path, tmp_path / "new.csv").values)
    assert np.array_equal(folder[:1], predict(run.path, tmp_path / "new" / "1.txt").values)
