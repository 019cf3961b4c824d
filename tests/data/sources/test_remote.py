"""Files at an address, here in fsspec's own storage in memory."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from dlcli.config.document import load
from dlcli.data.reading import read
from dlcli.data.sources import remote
from dlcli.data.sources.delimited import Csv
from dlcli.data.sources.images import Images
from dlcli.data.sources.npz import Npz
from dlcli.data.sources.parquet import Parquet
from dlcli.events import silent
from dlcli.part import Source
from dlcli.problems import DataError, Problem

fsspec = pytest.importorskip("fsspec")


def put(place: str, content: bytes) -> str:
    fsspec.filesystem("memory").pipe_file(f"/{place}", content)
    return f"memory://{place}"


def problem_of(source: Source) -> Problem:
    with pytest.raises(DataError) as raised:
        source.read()
    (problem,) = raised.value.problems
    assert problem.suggestion
    return problem


def test_tables_and_arrays_are_read_as_if_they_were_here() -> None:
    text = put("a/table.csv.gz", gzip.compress(b"x,y\n1,b\n2,a\n"))
    table, arrays = io.BytesIO(), io.BytesIO()
    pl.DataFrame({"x": [3, 4]}).write_parquet(table)
    np.savez(arrays, x=np.arange(2))
    assert list(Csv(path=(text,)).read().samples["y"].texts()) == ["b", "a"]
    assert Parquet(path=(put("a/t.parquet", table.getvalue()),)).read().samples["x"].tolist() == [3, 4]
    assert Npz(path=put("a/t.npz", arrays.getvalue())).read().samples["x"].tolist() == [0, 1]


def test_a_glob_names_several() -> None:
    for number in range(2):
        put(f"many/{number}.csv", f"x\n{number}\n".encode())
    assert list(Csv(path=("memory://many/*.csv",)).read().samples["x"].texts()) == ["0", "1"]


def test_a_folder_of_images() -> None:
    for label in ("cat", "dog"):
        stream = io.BytesIO()
        Image.new("L", (3, 2), 9).save(stream, "png")
        put(f"photos/{label}/1.png", stream.getvalue())
    found = Images(path="memory://photos").read()
    assert (found.samples["image"].shape, found.samples["label"].vocabulary) == ((2, 2, 3, 1), ("cat", "dog"))


def test_what_is_not_there_is_a_problem() -> None:
    assert problem_of(Csv(path=("memory://none/a.csv",))).message == "file not found: memory://none/a.csv"
    assert problem_of(Csv(path=("memory://none/*.csv",))).code == "file-not-found"
    assert problem_of(Images(path="memory://none/photos")).code == "file-not-found"
    assert "Protocol not known" in problem_of(Csv(path=("sftpp://host/a.csv",))).message


@pytest.mark.parametrize(("address", "package"), [("s3://b/a.csv", "s3fs"), ("gs://b/a.csv", "gcsfs")])
def test_what_is_not_installed_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, address: str, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    problem = problem_of(Parquet(path=(address,)))
    assert package in problem.message
    assert problem.suggestion == "pip install 'dlcli[remote]'"


def test_an_address_in_a_config_stays_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUCKET", "bucket")
    config = "data: {source: {csv: 's3://${BUCKET}/rows//a.csv'}}\narchitecture: [dense: 2]\n"
    (tmp_path / "far.yaml").write_text(config)
    source = load(tmp_path / "far.yaml").experiment.data.source
    assert isinstance(source, Csv)
    assert source.path == ("s3://bucket/rows//a.csv",)


@pytest.mark.parametrize("package", ["fsspec.core", "aiohttp"])
def test_the_web_needs_the_extra_too(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.delitem(sys.modules, "fsspec.implementations.http", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    problem = problem_of(Csv(path=("https://127.0.0.1:9/a.csv",)))
    assert problem.code == "not-installed"
    assert problem.suggestion == "pip install 'dlcli[remote]'"


def test_what_is_far_away_and_too_large_for_memory_is_kept_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLCLI_CACHE", str(tmp_path))
    source = Csv(path=(put("far/t.csv", b"x,y\n1,b\n2,a\n"),))
    first = read(source, None, in_memory=False, emit=silent)
    assert first.on_disk
    remote._folder().cleanup()  # as another process
    remote._copies.cache_clear()
    remote._folder.cache_clear()
    monkeypatch.setattr(Csv, "read_into", lambda *_: pytest.fail("read again"))
    again = read(source, None, in_memory=False, emit=silent)
    assert list(again.found.samples["y"].texts()) == list(first.found.samples["y"].texts()) == ["b", "a"]


def test_a_file_is_brought_here_once(monkeypatch: pytest.MonkeyPatch) -> None:
    source = Csv(path=(put("once/t.csv", b"x\n1\n"),))
    source.extent()
    monkeypatch.setattr(remote, "_fetched", lambda *_: pytest.fail("fetched again"))
    assert source.read().samples.rows == 1
