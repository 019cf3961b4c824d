"""However small the pieces are in which a text file is read, the table is the same."""

from __future__ import annotations

import gzip
import lzma
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlcli.data.reading import read
from dlcli.data.sources import delimited, pieces
from dlcli.data.sources.delimited import Csv
from dlcli.data.sources.pieces import Pieces, TextFile
from dlcli.events import Event, Progress, silent
from dlcli.problems import DataError, Problem
from dlcli.storage import InMemory, OnDisk

LINES = st.lists(
    st.text(st.sampled_from('a1,;"# \t\u00e4\x85'), max_size=9)
    | st.sampled_from(["1,2", '"a ""b"" c",2', '"x\ny",3', "", "#no,row"]),
    max_size=12,
)


@contextmanager
def of_bytes(size: int) -> Iterator[None]:
    """Pieces of so many bytes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "PIECE_BYTES", size)
        patch.setattr(delimited, "PIECE_BYTES", size)
        yield


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pieces") / "t.csv"


def told(path: Path, **fields: Any) -> Any:
    """What a reader tells of a file: the table, or what is wrong."""
    try:
        found = Csv(path=(str(path),), **fields).read()
    except DataError as error:
        (problem,) = error.problems
        return problem
    cells = {name: column.texts("-").tolist() for name, column in found.samples.items()}
    numbers = None if found.numbers is None else found.numbers.tolist()
    return cells, numbers, found.notes, found.settings


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(1, 40), st.sampled_from([0, 0, 1, 3]))
@example(["a,b", "1,2", '"x,1'], "\n", 4, 0)
@example(["a,b", '"x"y,1'], "\n", 4, 0)
@settings(max_examples=300, deadline=None)
def test_a_table_is_the_same_in_pieces_of_any_size(
    path: Path, lines: list[str], end: str, size: int, skip: int
) -> None:
    lines = [line.replace("\n", end) for line in lines]
    path.write_bytes(end.join(["k,v", *lines, ""]).encode())
    fields = {"delimiter": "comma", "comment": "#", "skip_rows": skip}
    whole = told(path, **fields)
    with of_bytes(size):
        in_pieces = told(path, **fields)
    if isinstance(whole, Problem):  # of several faults it may be another one that is met first
        assert isinstance(in_pieces, Problem)
    else:
        assert in_pieces == whole


@given(LINES, st.sampled_from(["utf-8", "utf-16", "latin-1"]), st.sampled_from(["", ".gz", ".xz"]), st.integers(50, 99))
@settings(max_examples=60, deadline=None)
def test_pieces_are_whole_lines_of_the_text(
    path: Path, lines: list[str], encoding: str, packed: str, size: int
) -> None:
    text = "".join(f"{line}\n" for line in lines)
    file = path.with_name(f"t.csv{packed}")
    content = text.encode(encoding)
    file.write_bytes({"": bytes, ".gz": gzip.compress, ".xz": lzma.compress}[packed](content))
    with of_bytes(size):
        parts = list(Pieces(TextFile(file, (), encoding, ()), lambda _: None))
    assert b"".join(parts).decode() == text
    assert all(piece.endswith(b"\n") for piece in parts)
    assert all(len(piece) <= 3 * size for piece in parts)


def test_a_last_line_without_an_end_tells_the_delimiter_too(path: Path) -> None:
    path.write_text("price (EUR; net),size\n3,4")
    assert told(path)[0] == {"price (EUR; net)": ["3"], "size": ["4"]}


def test_a_pipe_is_read_once() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a,b\n1,2\n3,4\n")
    os.close(writing)
    source = Csv(path=(f"/dev/fd/{reading}",))
    try:
        assert read(source, None, "auto", silent).found.samples["b"].texts().tolist() == ["2", "4"]
    finally:
        os.close(reading)


def test_names_that_look_like_patterns_are_names_on_disk_too(path: Path, tmp_path: Path) -> None:
    path.write_text("^x$,*,b\n1,2,3\n")
    with OnDisk(tmp_path) as storage:
        samples = Csv(path=(str(path),)).read_into(storage, silent).samples
    assert {name: column.texts().tolist() for name, column in samples.items()} == {"^x$": ["1"], "*": ["2"], "b": ["3"]}


@pytest.mark.parametrize("zeros", [0, 4, 400])
def test_packed_streams_may_follow_each_other(zeros: int, path: Path) -> None:
    file = path.with_name("two.csv.xz")
    file.write_bytes(lzma.compress(b"a,b\n1,2\n") + bytes(zeros) + lzma.compress(b"3,4\n"))
    with of_bytes(100):
        found = told(file)
    assert found[0] == {"a": ["1", "3"], "b": ["2", "4"]}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1,2,3", "line 802: 3 cells, but line 1 has 2"),
        ('"x"y,1', "line 802: a quoted cell that begins here"),
        (b"\xff,1", "line 802: not utf-8 text"),
    ],
)
def test_line_numbers_are_those_of_the_file(line: str | bytes, words: str, path: Path) -> None:
    odd = line if isinstance(line, bytes) else line.encode()
    path.write_bytes(b"a,b\n" + b"1,2\n" * 800 + odd + b"\n1,2\n")
    with of_bytes(1000):
        assert words in told(path).message


def test_a_quote_that_never_closes_is_found_without_reading_on_again_and_again(path: Path) -> None:
    path.write_text('a,b\n"x,1\n' + "1,2\n" * 5000)
    with of_bytes(100):
        assert "line 2: a quoted cell that begins here" in told(path).message


def test_how_far_it_is_is_told_of_files_that_take_long(path: Path) -> None:
    heard: list[Event] = []
    path.write_text("a,b\n" + "1,2\n" * 1_000_000)
    with of_bytes(1_000_000):
        Csv(path=(str(path),)).read_into(InMemory(), heard.append)
    megabytes = [event.done for event in heard if isinstance(event, Progress) and event.what == "MB read"]
    assert megabytes == [1, 2, 3, 4, 4]
