"""Reading rows for prediction with the schema of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcli.data.kinds import infer
from dlcli.data.layout import lay_out
from dlcli.data.new_rows import NewRows, read_new_rows
from dlcli.data.sources.builtin import Builtin
from dlcli.data.sources.delimited import Csv
from dlcli.data.sources.npz import Npz
from dlcli.problems import DataError

TRAINING = "age;city;price\n3;Rome;1\n4;Oslo;2\n5;Rome;3\n6;Oslo;4\n7;Rome;5\n"


def new_rows(folder: Path, text: str) -> NewRows:
    (folder / "train.csv").write_text(TRAINING)
    (folder / "new.csv").write_text(text)
    source = Csv(path=(str(folder / "train.csv"),), delimiter="semicolon", missing=("?",))
    samples = source.read().samples
    schema = infer(samples, ("age", "city"), np.arange(samples.rows), {})
    return read_new_rows(source, folder / "new.csv", schema)


def test_the_target_may_be_absent_and_other_columns_are_ignored(tmp_path: Path) -> None:
    read = new_rows(tmp_path, "extra;city;age\nx;Bern;9\n;?;?\n")
    np.testing.assert_array_equal(read.samples["age"], [9, np.nan])
    assert list(read.samples["city"].texts("-")) == ["Bern", "-"]
    assert list(read.samples) == ["age", "city"]
    assert read.misfits == {}


def test_cells_that_do_not_fit_are_counted(tmp_path: Path) -> None:
    assert new_rows(tmp_path, "city;age\nBern;nine\nOslo;3\n").misfits == {"age": 1}


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError) as raised:
        new_rows(tmp_path, "city;ages\nBern;9\n")
    (problem,) = raised.value.problems
    assert (problem.code, problem.message) == ("missing-column", "column missing: age")


def test_images_of_an_npz_file_serve_a_builtin_source_whatever_their_name(tmp_path: Path) -> None:
    found = Builtin(name="digits").read()
    schema = infer(found.samples, ("image",), np.arange(found.samples.rows), {})
    np.savez(tmp_path / "new.npz", pictures=found.samples["image"][:5, :, :, 0])
    read = read_new_rows(Builtin(name="digits"), tmp_path / "new.npz", schema)
    assert (read.samples["image"] == found.samples["image"][:5]).all()


def test_flat_rows_get_the_shape_of_the_run(tmp_path: Path) -> None:
    (tmp_path / "flat.csv").write_text("a,b,c,d,y\n0,1,2,3,x\n9,8,7,6,z\n")
    source: Any = Csv(path=(str(tmp_path / "flat.csv"),))
    samples, inputs = lay_out(source.read().samples, ("a", "b", "c", "d"), (2, 2, 1), "last")
    schema = infer(samples, inputs, np.arange(2), {})
    (tmp_path / "new.csv").write_text("d,c,b,a\n3,2,1,0\n")
    read = read_new_rows(source, tmp_path / "new.csv", schema, inputs=("a", "b", "c", "d"), shape=(2, 2, 1))
    assert read.samples["image"][0, :, :, 0].tolist() == [[0, 1], [2, 3]]
    np.savez(tmp_path / "new.npz", image=np.arange(4).reshape(1, 4))
    read = read_new_rows(source, tmp_path / "new.npz", schema, inputs=("a", "b", "c", "d"), shape=(2, 2, 1))
    assert read.samples["image"].shape == (1, 2, 2, 1)


def test_an_npz_source_reads_a_new_npz(tmp_path: Path) -> None:
    np.savez(tmp_path / "train.npz", x=np.ones((4, 3)), y=np.array([0, 1, 0, 1]))
    np.savez(tmp_path / "new.npz", x=np.zeros((2, 3)))
    source = Npz(path=str(tmp_path / "train.npz"), target="y")
    schema = infer(source.read().samples, ("x",), np.arange(4), {})
    assert read_new_rows(source, tmp_path / "new.npz", schema).samples["x"].shape == (2, 3)
