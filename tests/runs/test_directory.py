"""Run directories: numbered, locked, found again, whole or not there."""

from __future__ import annotations

import errno
import multiprocessing
import os
import time
from pathlib import Path

import pytest

from dlcli.problems import ConfigError, DataError, DlcliError, RefusedError
from dlcli.runs import directory, whole_files
from dlcli.runs.directory import RunDirectory, create, find, list_runs, runs_root
from dlcli.runs.record import Record

FORK = multiprocessing.get_context("spawn")


def made(
    root: Path, name: str = "wine", started: str = "2026-01-01T00:00:00+00:00", status: str = "completed"
) -> RunDirectory:
    run = create(root, name)
    run.write_record(Record(name=run.name, command="train", started=started, status=status))
    return run


def hold_and_wait(path: Path, ready: object) -> None:
    run = RunDirectory(path)
    with run.lock():
        run.write_record(Record(name=run.name, command="train"))
        ready.set()
        time.sleep(60)


def make_runs(root: Path, count: int) -> None:
    for _ in range(count):
        create(root, "wine")


@pytest.fixture
def held_run(tmp_path: Path) -> tuple[RunDirectory, object]:
    """A run that another process has begun and holds."""
    run = create(tmp_path, "wine")
    ready = FORK.Event()
    process = FORK.Process(target=hold_and_wait, args=(run.path, ready))
    process.start()
    assert ready.wait(30)
    yield run, process
    process.kill()
    process.join()


def test_runs_are_numbered_from_one(tmp_path: Path) -> None:
    assert [create(tmp_path, name).name for name in ("wine", "wine", "iris", "wine")] == [
        "wine-001", "wine-002", "iris-001", "wine-003",
    ]  # fmt: skip


def test_a_number_is_not_given_again_while_a_later_run_is_there(tmp_path: Path) -> None:
    first = create(tmp_path, "wine")
    create(tmp_path, "wine")
    first.path.rmdir()
    assert create(tmp_path, "wine").name == "wine-003"


@pytest.mark.parametrize(
    ("name", "folder"), [("a/b c", "a-b-c-001"), ("../up", "up-001"), ("", "run-001"), ("größe", "größe-001")]
)
def test_odd_names_become_plain_folders(tmp_path: Path, name: str, folder: str) -> None:
    assert create(tmp_path, name).path == tmp_path / folder


def test_processes_never_share_a_directory(tmp_path: Path) -> None:
    processes = [FORK.Process(target=make_runs, args=(tmp_path, 20)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(list(tmp_path.iterdir())) == 40


def test_the_folder_of_runs_is_the_option_else_the_variable_else_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DLCLI_RUNS", raising=False)
    assert runs_root() == tmp_path / "runs"
    monkeypatch.setenv("DLCLI_RUNS", str(tmp_path / "mine"))
    assert runs_root() == tmp_path / "mine"
    assert runs_root(tmp_path / "given") == tmp_path / "given"


def test_a_run_is_found_by_name_and_by_path(tmp_path: Path) -> None:
    run = made(tmp_path)
    assert find(tmp_path, "wine-001") == run
    assert find(tmp_path / "elsewhere", str(run.path)) == run


def test_latest_is_the_run_that_started_last(tmp_path: Path) -> None:
    later = made(tmp_path, "a", "2026-01-03T00:00:00+00:00")
    made(tmp_path, "b", "2026-01-02T00:00:00+00:00")
    assert find(tmp_path, "latest") == later


def test_an_absent_run_is_answered_with_the_nearest_names(tmp_path: Path) -> None:
    made(tmp_path)
    with pytest.raises(ConfigError) as caught:
        find(tmp_path, "wien-001")
    (problem,) = caught.value.problems
    assert problem.code == "no-such-run"
    assert "wine-001" in problem.suggestion


@pytest.mark.parametrize("which", ["latest", "wine-001"])
def test_a_folder_without_runs_says_so(tmp_path: Path, which: str) -> None:
    with pytest.raises(ConfigError, match=r"there (are|is) no run"):
        find(tmp_path / "none", which)


def test_a_living_run_is_running_and_cannot_be_taken(held_run: tuple[RunDirectory, object]) -> None:
    run, process = held_run
    assert run.record().status == "running"
    with (
        pytest.raises(RefusedError, match=f"run wine-001 is in use by another process .number {process.pid}"),
        run.lock(),
    ):
        pass


def test_a_killed_run_is_interrupted_and_free_again(held_run: tuple[RunDirectory, object]) -> None:
    run, process = held_run
    process.kill()
    process.join()
    assert [listed.status for listed in list_runs(run.root)] == ["interrupted"]
    with run.lock():
        assert run.record().status == "running"
    assert not (run.path / ".lock").exists()


def test_a_damaged_record_is_listed_and_named(tmp_path: Path) -> None:
    run = made(tmp_path)
    (run.path / "record.json").write_text('{"status": ')
    assert [listed.status for listed in list_runs(tmp_path)] == ["unreadable"]
    with pytest.raises(DataError, match=r"record\.json is damaged"):
        run.record()


def test_a_folder_without_a_record_is_no_run_and_can_be_discarded(tmp_path: Path) -> None:
    run = create(tmp_path, "wine")
    run.write_text("config.yaml", "x: 1")
    assert list_runs(tmp_path) == ()
    run.discard()
    assert not run.path.exists()
    kept = made(tmp_path)
    kept.discard()
    assert kept.path.exists()


def test_files_are_written_with_the_folders_in_their_names(tmp_path: Path) -> None:
    run = create(tmp_path, "wine")
    assert run.write_json("folds/1/scores.json", {"ä": None}).read_text() == '{\n  "ä": null\n}\n'
    assert [path.name for path in (run.path / "folds/1").iterdir()] == ["scores.json"]


def test_nan_is_no_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Out of range float"):
        whole_files.write_json(tmp_path / "x.json", {"a": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("number", "reason"), [(errno.ENOSPC, "the disk is full"), (errno.EROFS, "the file system is read-only")]
)
def test_a_file_that_cannot_be_finished_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    whole_files.write_text(tmp_path / "a.txt", "old")

    def fail(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DlcliError, match=reason) as caught:
        whole_files.write_text(tmp_path / "a.txt", "new")
    assert caught.value.exit_code == 1
    assert caught.value.problems[0].code == "cannot-write"
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_run_cannot_be_made_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(DlcliError, match="cannot write") as caught:
        create(tmp_path / "runs", "wine")
    assert "--runs" in caught.value.problems[0].suggestion


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_a_folder_that_takes_no_files_is_one_clear_error() -> None:
    with pytest.raises(DlcliError, match="cannot write"):
        create(Path("/proc/runs"), "wine")


def test_a_directory_that_cannot_be_synced_is_not_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_handle: int) -> None:
        raise OSError(errno.EINVAL, "no")

    monkeypatch.setattr(os, "fsync", fail)
    assert create(tmp_path, "wine").path.is_dir()


def test_the_lock_of_a_run_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    gone = directory.RunDirectory(tmp_path / "gone")
    with pytest.raises(DlcliError, match="cannot write"), gone.lock():
        pass
