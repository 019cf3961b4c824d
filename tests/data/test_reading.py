"""What is too large for memory is read once, onto the disk, and is the same there."""

from __future__ import annotations

import os
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from dlcli import storage
from dlcli.data import cache, reading
from dlcli.data.reading import read
from dlcli.data.sources import npz_arrays, text_columns
from dlcli.data.sources import parquet as parquet_source
from dlcli.data.sources.builtin import Builtin
from dlcli.data.sources.delimited import Csv
from dlcli.data.sources.images import Images
from dlcli.data.sources.npz import Npz
from dlcli.data.sources.parquet import Parquet
from dlcli.data.sources.text import Text
from dlcli.events import silent
from dlcli.part import Source
from dlcli.problems import DataError
from dlcli.samples import Coded, Found, Ragged
from dlcli.storage import file_of
from dlcli.words import Words

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("DLCLI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def csv(path: Path) -> Source:
    (path / "t.csv").write_text("x,kind\n1,a\n2.5,\n3,b\n4,a\n")
    return Csv(path=(str(path / "t.csv"),))


def parquet(path: Path) -> Source:
    columns = {"x": [1, 2, None], "y": [0.5, 1.5, 2.5], "kind": ["a", None, "b"], "v": [[1.0, 2], [3, 4], [5, 6]]}
    pl.DataFrame(columns).write_parquet(path / "one.parquet")
    pl.DataFrame(columns).reverse().write_parquet(path / "two.parquet")
    return Parquet(path=(str(path / "one.parquet"),), test=(str(path / "two.parquet"),))


def npz(path: Path) -> Source:
    x = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    arrays = {"x": x, "y": np.array(list("aabbab")), "more": x[:2], "answers": np.array(list("ab"))}
    np.savez_compressed(path / "t.npz", **arrays)
    return Npz(path=str(path / "t.npz"), inputs=("x",), target="y", test=("more", "answers"))


def sequences(path: Path) -> Source:
    arrays = {"words": np.arange(7), "words_offsets": np.array([0, 2, 2, 7]), "label": np.array(list("aba"))}
    more = {"others": np.arange(9, 12), "others_offsets": np.array([0, 0, 3]), "labels": np.array(list("cb"))}
    np.savez(path / "s.npz", **arrays, **more)
    return Npz(path=str(path / "s.npz"), inputs=("words",), target="label", test=("others", "labels"))


def images(path: Path) -> Source:
    for name, color in {"a/1": 5, "a/2": 9, "b/1": 200}.items():
        (path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (3, 2), color).save(path / "photos" / f"{name}.png")
    return Images(path=str(path / "photos"))


def table_of_images(path: Path) -> Source:
    images(path)
    (path / "photos" / "t.csv").write_text("file,price\nb/1.png,3\na/1.png,4\na/2.png,5\n")
    return Images(table=str(path / "photos" / "t.csv"), column="file")


def texts(path: Path) -> Source:
    for name, text in {"good/1": "fine", "good/2": " ", "bad/1": "poor \x85 thing"}.items():
        (path / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "texts" / f"{name}.txt").write_text(text)
    return Text(path=str(path / "texts"))


SOURCES = [csv, parquet, npz, sequences, images, table_of_images, texts]


def plain(found: Found) -> dict[str, Any]:
    """All that was found, as values that can be compared."""

    def cells(column: Any) -> Any:
        if isinstance(column, Coded):
            return [None if code < 0 else column.vocabulary[code] for code in column.codes.tolist()]
        if isinstance(column, Ragged):
            return [column.row(number).tolist() for number in range(len(column))]
        return str(column.dtype), np.asarray(column).tolist().__repr__()

    return {
        "columns": {name: cells(column) for name, column in found.samples.items()},
        "rows": found.samples.rows,
        "subsets": found.subsets and {name: rows.tolist() for name, rows in found.subsets.items()},
        "numbers": None if found.numbers is None else found.numbers.tolist(),
        **{name: getattr(found, name) for name in ("target", "inputs", "notes", "files", "settings", "row_names")},
    }


@pytest.mark.parametrize("held_bytes", [text_columns.HELD_BYTES, 0])
@pytest.mark.parametrize("make", SOURCES)
def test_what_is_on_disk_is_what_would_be_in_memory(
    make: Any, held_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_columns, "HELD_BYTES", held_bytes)
    monkeypatch.setattr(parquet_source, "_SLICE_BYTES", 8)
    monkeypatch.setattr(npz_arrays, "_BLOCK_BYTES", 16)
    monkeypatch.setattr(storage, "_READ_AT_ONCE", 0)
    source = make(tmp_path)
    held, kept = (read(source, None, in_memory, silent) for in_memory in (True, False))
    assert plain(kept.found) == plain(held.found)
    assert kept.on_disk
    assert not held.on_disk
    for column in kept.found.samples.values():
        array = column.values if isinstance(column, Ragged) else getattr(column, "codes", column)
        assert file_of(array) is not None


@pytest.mark.parametrize("make", [csv, parquet, texts])
def test_long_texts_lie_on_disk_too(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_columns, "HELD_BYTES", 0)
    found = read(make(tmp_path), None, in_memory=False, emit=silent).found
    vocabularies = [column.vocabulary for column in found.samples.values() if isinstance(column, Coded)]
    assert vocabularies
    assert isinstance(vocabularies[0], Words)


def reviews(path: Path) -> Source:
    texts = [f"review {number} " + "of a long film " * 100 for number in range(200)]
    pl.DataFrame({"text": texts, "number": range(200)}).write_parquet(path / "t.parquet", row_group_size=30)
    return Parquet(path=(str(path / "t.parquet"),))


def test_long_texts_of_a_packed_file_count_as_long_as_they_are(tmp_path: Path) -> None:
    extent = reviews(tmp_path).extent()
    assert extent is not None
    assert extent.nbytes > 200 * 1500 > 5 * sum(file.stat().st_size for file in extent.files)


def test_rows_that_pass_keep_their_own_texts_alone(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_columns, "HELD_BYTES", 0)
    source = reviews(tmp_path)
    kept = read(source, "number < 3", in_memory=False, emit=silent).found.samples["text"]
    assert isinstance(kept.vocabulary, Words)
    assert kept.vocabulary.content.nbytes == sum(map(len, kept.texts()))
    held = read(source, "number < 3", in_memory="auto", emit=silent).found.samples["text"]
    monkeypatch.setattr(reading, "IN_MEMORY_BYTES", 100_000)
    small = read(source, "number < 3", in_memory="auto", emit=silent)
    shutil.rmtree(folder)
    assert not small.on_disk
    assert small.found.samples["text"].vocabulary == held.vocabulary
    assert held.vocabulary == tuple(sorted(held.texts()))


def test_rows_that_pass_keep_their_own_sequences_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "_BLOCK_BYTES", 16)
    held, kept = (
        read(sequences(tmp_path), "label != 'b'", in_memory, silent).found.samples["words"]
        for in_memory in (True, False)
    )
    assert kept.values.tolist() == held.values.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert kept.offsets.tolist() == held.offsets.tolist() == [0, 2, 7, 7]
    assert file_of(kept.values) is not None


def test_a_file_of_the_cache_that_is_empty_is_made_anew(tmp_path: Path, folder: Path) -> None:
    first = plain(read(csv(tmp_path), None, in_memory=False, emit=silent).found)
    for file in folder.rglob("*.npy"):
        file.write_bytes(b"")
    assert plain(read(csv(tmp_path), None, in_memory=False, emit=silent).found) == first


@pytest.mark.parametrize("make", SOURCES)
def test_it_is_read_only_once(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make(tmp_path)
    first = plain(read(source, None, in_memory=False, emit=silent).found)
    monkeypatch.setattr(type(source), "read_into", lambda *_: pytest.fail("read again"))
    assert plain(read(source, None, in_memory=False, emit=silent).found) == first


def test_another_content_of_the_file_is_read_anew(tmp_path: Path) -> None:
    source = csv(tmp_path)
    read(source, None, in_memory=False, emit=silent)
    (tmp_path / "t.csv").write_text("x,kind\n7,c\n8,d\n")
    assert read(source, None, in_memory=False, emit=silent).found.samples["x"].texts().tolist() == ["7", "8"]


def test_a_small_source_stays_in_memory_by_itself_and_a_large_one_does_not(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = npz(tmp_path)
    assert not read(source, None, "auto", silent).on_disk
    assert not folder.exists()
    monkeypatch.setattr(reading, "IN_MEMORY_BYTES", 20)
    assert read(source, None, "auto", silent).on_disk


def test_a_set_without_files_is_in_memory_but_what_is_made_of_it_need_not_be() -> None:
    found = read(Builtin(name="iris"), None, in_memory=False, emit=silent)
    assert found.on_disk
    assert found.cache is not None


@pytest.mark.parametrize("make", [csv, parquet])
def test_where_leaves_out_the_same_rows(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make(tmp_path)
    held = plain(read(source, "x > 1", in_memory=True, emit=silent).found)
    assert held["numbers"]
    assert plain(read(source, "x > 1", in_memory=False, emit=silent).found) == held
    monkeypatch.setattr(type(source), "read_into", lambda *_: pytest.fail("read again"))
    assert plain(read(source, "x > 1", in_memory=False, emit=silent).found) == held


def test_a_damaged_entry_is_made_anew(tmp_path: Path, folder: Path) -> None:
    source = parquet(tmp_path)
    first = plain(read(source, None, in_memory=False, emit=silent).found)
    for damage in (lambda path: path.write_bytes(b"damaged"), Path.unlink):
        (entry,) = folder.iterdir()
        for file in entry.iterdir():
            damage(file)
        assert plain(read(source, None, in_memory=False, emit=silent).found) == first


def test_a_full_disk_is_an_error_that_says_how_much_is_needed(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = npz(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(100, 90, 10))
    with pytest.raises(DataError) as caught:
        read(source, None, in_memory=False, emit=silent)
    (problem,) = caught.value.problems
    assert problem.code == "disk-full"
    assert "on disk need" in problem.message
    assert "10 bytes free" in problem.message
    assert not list(folder.iterdir())


def test_an_interrupted_reading_leaves_nothing_that_counts(tmp_path: Path, folder: Path) -> None:
    source = images(tmp_path)
    (tmp_path / "photos" / "b" / "2.png").write_bytes(b"no image")
    with pytest.raises(DataError):
        read(source, None, in_memory=False, emit=silent)
    assert not list(folder.iterdir())


class TestCache:
    def entry(self, kept: cache.Cache, key: str, nbytes: int, used: float) -> None:
        """An entry that another process has made."""
        with cache.Cache(kept.folder).making(key, nbytes) as made:
            (made.folder / "array").write_bytes(bytes(nbytes))
        os.utime(kept.at(key), (used, used))

    def test_what_was_used_least_recently_makes_room(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache, "MOST_BYTES", 100)
        kept = cache.Cache(tmp_path / "c")
        self.entry(kept, "old", 40, used=1e9)
        self.entry(kept, "older", 40, used=1e8)
        assert kept.entry("older") is not None  # used now
        self.entry(kept, "new", 40, used=2e9)
        assert kept.entry("old") is None
        assert kept.entry("older") is not None
        assert kept.nbytes == 80

    def test_what_is_in_use_does_not(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache, "MOST_BYTES", 100)
        kept = cache.Cache(tmp_path / "c")
        self.entry(kept, "others", 20, used=2e9)
        for key in ("rows", "inputs"):
            with kept.making(key, 80) as made:
                (made.folder / "array").write_bytes(bytes(80))
        assert [kept.at(key).exists() for key in ("others", "rows", "inputs")] == [False, True, True]

    def test_one_that_is_larger_than_all_may_be_stands_alone(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(cache, "MOST_BYTES", 100)
        kept = cache.Cache(tmp_path / "c")
        self.entry(kept, "old", 40, used=1e9)
        self.entry(kept, "large", 400, used=2e9)
        assert list(kept.folder.iterdir()) == [kept.at("large")]

    def test_clearing_says_how_much_it_freed(self, tmp_path: Path) -> None:
        kept = cache.Cache(tmp_path / "c")
        assert kept.clear() == 0
        self.entry(kept, "a", 30, used=1e9)
        assert (kept.clear(), kept.nbytes) == (30, 0)

    def test_what_else_lies_in_its_folder_stays(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(cache, "MOST_BYTES", 100)
        (tmp_path / "thesis").mkdir()
        (tmp_path / "thesis" / "chapter").write_bytes(bytes(200))
        kept = cache.Cache(tmp_path)
        self.entry(kept, "a", 30, used=1e9)
        assert kept.nbytes == 30
        kept.clear()
        assert [path.name for path in tmp_path.iterdir()] == ["thesis"]
        assert (tmp_path / "thesis" / "chapter").exists()

    def test_of_two_that_make_the_same_entry_at_once_both_find_it(self, tmp_path: Path) -> None:
        kept = cache.Cache(tmp_path / "c")
        with kept.making("a", 1) as one:
            (one.folder / "array").write_bytes(b"1")
            with kept.making("a", 1) as other:
                (other.folder / "array").write_bytes(b"1")
            found = kept.entry("a")
        assert found is not None
        assert (kept.entry("a"), (found / "array").read_bytes()) == (found, b"1")
        assert list(kept.folder.iterdir()) == [found]

    def test_what_is_removed_while_it_is_made_is_an_error(self, tmp_path: Path) -> None:
        kept = cache.Cache(tmp_path / "c")
        with pytest.raises(DataError, match="no longer there"), kept.making("a", 1):
            kept.clear()
