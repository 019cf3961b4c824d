"""The ledger: every look is a whole, synced line before its score; changes show."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcli.problems import DlcliError, RefusedError
from dlcli.runs import looks
from dlcli.runs.directory import create
from dlcli.runs.ledger import Look, append, verify, written
from dlcli.runs.record import Record

ROWS = np.arange(10, dtype=np.uint64)
SPAWN = multiprocessing.get_context("spawn")


def look(rows: np.ndarray = ROWS, run: str = "wine-001") -> Look:
    return Look(run, "evaluate", "data", rows)


def lines(root: Path) -> list[bytes]:
    return (root / "ledger.jsonl").read_bytes().split(b"\n")[:-1]


def look_often(root: Path, count: int) -> None:
    for _ in range(count):
        append(root, look())


def messages(root: Path) -> list[str]:
    return [finding.message for finding in verify(root)]


@pytest.fixture
def three(tmp_path: Path) -> Path:
    """A folder of runs with three looks."""
    look_often(tmp_path, 3)
    return tmp_path


def rewrite(root: Path, changed: list[bytes]) -> None:
    (root / "ledger.jsonl").write_bytes(b"".join(line + b"\n" for line in changed))


def test_a_look_says_what_looked_at_which_rows(tmp_path: Path) -> None:
    entry = append(tmp_path, look())
    (line,) = (json.loads(line) for line in lines(tmp_path))
    assert (line["run"], line["command"], line["data_hash"], line["rows"]) == ("wine-001", "evaluate", "data", 10)
    assert line["hash"] == entry.line_hash
    assert verify(tmp_path) == ()


def counted(root: Path, *sets: np.ndarray) -> list[tuple[int, int]]:
    """Looks and seen rows of looks at sets of rows, one after the other."""
    entries = [append(root, look(rows)) for rows in sets]
    return [(entry.looks, entry.seen_rows) for entry in entries]


def test_looks_at_the_same_rows_are_counted_whatever_their_order(tmp_path: Path) -> None:
    assert counted(tmp_path, ROWS, ROWS[::-1]) == [(1, 0), (2, 10)]


def test_every_look_that_saw_any_of_the_rows_counts(tmp_path: Path) -> None:
    """As after a changed split, and for a file with some of the rows."""
    other, apart = ROWS + np.uint64(7), ROWS + np.uint64(50)
    found = counted(tmp_path, ROWS, other, apart, ROWS[:4], np.concatenate([ROWS, apart]))
    assert found == [(1, 0), (2, 3), (1, 0), (2, 4), (5, 20)]


def test_rows_that_repeat_are_one_row_of_a_set_and_each_counts_as_seen(tmp_path: Path) -> None:
    assert counted(tmp_path, ROWS, np.repeat(ROWS, 2)) == [(1, 0), (2, 20)]


def test_a_look_at_no_rows_overlaps_with_none(tmp_path: Path) -> None:
    assert counted(tmp_path, ROWS, ROWS[:0], ROWS[:0]) == [(1, 0), (1, 0), (2, 0)]


@given(st.lists(st.frozensets(st.integers(0, 30)), min_size=1, max_size=6))
def test_looks_are_those_of_sets(sets: list[frozenset[int]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = counted(Path(folder), *(np.array(sorted(rows), dtype=np.uint64) for rows in sets))
    for number, rows in enumerate(sets):
        met = [each for each in sets[:number] if each & rows or each == rows]
        assert found[number] == (1 + len(met), len(rows & frozenset().union(*met)))


def test_the_overlap_of_large_sets_is_estimated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "KEPT_ROWS", 2_000)
    hashes = np.random.default_rng(0).integers(0, 2**64, 15_000, dtype=np.uint64)
    append(tmp_path, look(hashes[:10_000]))
    later = append(tmp_path, look(hashes[5_000:]))
    assert later.seen_rows == pytest.approx(5_000, rel=0.1)
    assert later.looks == 2
    assert counted(tmp_path, hashes[:10_000]) == [(3, 10_000)]


@pytest.mark.parametrize(
    "change", [Path.unlink, lambda kept: np.save(kept, ROWS[:3]), lambda kept: kept.write_text("")]
)
def test_rows_of_a_look_that_are_gone_or_changed_are_noticed_and_refused(three: Path, change: object) -> None:
    (kept,) = (three / "looks").iterdir()
    change(kept)
    assert messages(three)[0] == "the rows of line 1, kept in looks, are missing or changed"
    with pytest.raises(RefusedError, match="has been changed"):
        append(three, look(ROWS[:5]))
    assert len(lines(three)) == 3


def test_a_look_that_is_written_already_counts_once(tmp_path: Path) -> None:
    append(tmp_path, look(run="other-001"))
    first = append(tmp_path, look())
    append(tmp_path, look(run="later-001"))
    again = written(tmp_path, look(), known=[first.line_hash], since="9999")
    assert again is not None
    assert (again.line_hash, again.looks, again.seen_rows) == (first.line_hash, 2, 10)
    assert written(tmp_path, look(), known=[], since="9999") is None
    assert len(lines(tmp_path)) == 3


def test_the_rows_of_a_test_set_are_kept_once(tmp_path: Path) -> None:
    look_often(tmp_path, 2)
    (kept,) = (tmp_path / "looks").iterdir()
    np.testing.assert_array_equal(np.load(kept), ROWS)


def test_processes_that_look_at_once_leave_whole_chained_lines(tmp_path: Path) -> None:
    processes = [SPAWN.Process(target=look_often, args=(tmp_path, 10)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(lines(tmp_path)) == 20
    assert verify(tmp_path) == ()


def test_the_line_is_synced_before_the_look_is_granted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []

    def record_sync(handle: int) -> None:
        synced.append(os.fstat(handle).st_ino)

    monkeypatch.setattr(os, "fsync", record_sync)
    append(tmp_path, look())
    assert synced[-1] == (tmp_path / "ledger.jsonl").stat().st_ino


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda old: [old[0], old[1].replace(b'"rows":10', b'"rows":11'), old[2]], "line 2 has been edited"),
        (lambda old: [old[0], old[1], old[2].replace(b"evaluate", b"nothing")], "line 3 has been edited"),
        (lambda old: [old[0], old[2]], "line 2 does not follow the line before"),
        (lambda old: [old[1], old[2]], "line 1 does not follow the line before"),
        (lambda old: [old[1], old[0], old[2]], "line 1 does not follow the line before"),
        (lambda old: [old[0], b"garbage", old[1], old[2]], "line 2 is not a line of a ledger"),
    ],
    ids=["edited", "edited-last", "removed", "removed-first", "reordered", "inserted"],
)
def test_a_changed_ledger_is_noticed_and_refused(three: Path, change: object, message: str) -> None:
    rewrite(three, change(lines(three)))
    assert message in messages(three)[0]
    with pytest.raises(RefusedError, match="has been changed") as caught:
        append(three, look())
    assert caught.value.problems[0].code == "tampered-ledger"


@pytest.mark.parametrize("left", [0, 2])
def test_a_cut_end_shows_because_a_record_keeps_the_hash(three: Path, left: int) -> None:
    run = create(three, "wine")
    entry = append(three, look())
    run.write_record(Record(name=run.name, command="evaluate", status="completed", ledger_lines=(entry.line_hash,)))
    assert verify(three) == ()
    rewrite(three, lines(three)[:left])
    assert messages(three) == ["a line about run wine-001 is missing"]


def test_a_torn_last_line_is_closed_and_said(three: Path) -> None:
    path = three / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    assert messages(three) == ["line 3 is torn: that look was never scored"]
    assert append(three, look()).notes == ("the last line of the ledger was torn and has been closed",)
    assert append(three, look()).notes == ()
    assert [finding.tampered for finding in verify(three)] == [False]
    assert len(lines(three)) == 5


def test_a_line_that_lacks_only_its_end_counts(three: Path) -> None:
    path = three / "ledger.jsonl"
    path.write_bytes(path.read_bytes()[:-1])
    assert append(three, look()).looks == 4
    assert verify(three) == ()


def test_a_full_disk_leaves_no_part_of_a_line(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, write = (three / "ledger.jsonl").read_bytes(), os.write
    full = iter([False, True])

    def write_some(handle: int, data: bytes) -> int:
        if next(full):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data[:20])

    monkeypatch.setattr(os, "write", write_some)
    with pytest.raises(DlcliError, match="the disk is full"):
        append(three, look())
    assert (three / "ledger.jsonl").read_bytes() == before


def test_a_ledger_that_cannot_be_opened_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(DlcliError, match="cannot write"):
        append(tmp_path / "runs", look())


def test_no_ledger_is_no_finding(tmp_path: Path) -> None:
    assert verify(tmp_path) == ()
