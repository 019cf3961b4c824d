"""`dlcli diagnose`: what limits a run's score, read from its directory, and what to try next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import Any

from dlcli.config.document import Document, load
from dlcli.config.writer import dump, inline, scalar
from dlcli.evaluation.diagnosis.judge import Diagnosis
from dlcli.evaluation.diagnosis.judge import diagnose as judge
from dlcli.evaluation.diagnosis.remedies import Suggestion
from dlcli.problems import ConfigError, Problem
from dlcli.runs import directory
from dlcli.runs.directory import RunDirectory
from dlcli.runs.record import Record
from dlcli.runs.whole_files import whole
from dlcli.workflows.recording import RESOLVED
from dlcli.workflows.run_reading import breakdown, facts

_ELSEWHERE = "name another file with --write"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A suggestion as it is put to use.

    Attributes:
        suggestion: what to try, and why.
        yaml: a config, to be saved in any folder, that extends the run's; empty without a snippet.
        overrides: the same as `path=value` texts of `--set`; empty where they would not do the same.
        problem: why the snippet does not fit the config, if it does not.
    """

    suggestion: Suggestion
    yaml: str = ""
    overrides: tuple[str, ...] = ()
    problem: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        suggestion = self.suggestion
        return {
            "code": suggestion.code,
            "why": suggestion.why,
            "command": suggestion.command or None,
            "snippet": suggestion.snippet,
            "yaml": self.yaml or None,
            "set": list(self.overrides),
            "problem": self.problem or None,
        }


@dataclass(frozen=True, slots=True)
class RunDiagnosis:
    """The diagnosis of a run.

    Attributes:
        path: the run's directory.
        diagnosis: verdict, ladder and findings.
        proposals: what to try, each as a config that reads without a problem.
        written: the config that was written, if one was.
    """

    path: Path
    diagnosis: Diagnosis
    proposals: tuple[Proposal, ...]
    written: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data, as `--json` prints it and a report keeps it."""
        return {
            "run": self.path.name,
            "path": str(self.path),
            **self.diagnosis.as_json(),
            "suggestions": [proposal.as_json() for proposal in self.proposals],
            "written": str(self.written) if self.written else None,
        }


def diagnose(
    run: Path | str = directory.LATEST, *, runs: Path | str | None = None, write: Path | str | None = None
) -> RunDiagnosis:
    """Says from a run's curves and scores where its error is, and what to try next. Trains and scores nothing.

    Args:
        run: name or folder of a run that is completed, or failed because it diverged; or "latest".
        runs: the folder of the runs.
        write: also write the first proposal that changes the config, as a config that extends the run's.

    Raises:
        ConfigError: there is no such run, it has not ended, or the config cannot be written there.
        DataError: its files are damaged.
    """
    folder = directory.find(directory.runs_root(runs), str(run))
    entry = folder.record()
    _require_ended(folder, entry)
    target = _free(Path(write)) if write is not None else None
    document = load(folder.path / RESOLVED, trusted=True, command=entry.command)
    diagnosis = judge(facts(folder, entry, document.experiment))
    proposals = tuple(proposal(document, each) for each in diagnosis.suggestions)
    if target is not None:
        _write(target, folder.path, proposals)
    return RunDiagnosis(folder.path, diagnosis, proposals, target)


def _require_ended(folder: RunDirectory, entry: Record) -> None:
    failed_in_training = entry.status == "failed" and (entry.stopped_by == "diverged" or breakdown(entry) is not None)
    if entry.status == "completed" or failed_in_training:
        return
    message = f"run {folder.name} is {entry.status}: there is no whole training to diagnose"
    hint = f"go on with: dlcli {entry.command} --resume {folder.name}"
    raise ConfigError(Problem("unfinished-run", message, hint))


def proposal(document: Document, suggestion: Suggestion) -> Proposal:
    """The suggestion as a config that extends another one, read to see that it fits."""
    if suggestion.snippet is None:
        return Proposal(suggestion)
    text = overlay(suggestion.snippet, document.path.absolute())
    command = suggestion.command if suggestion.command == "kfold" else "train"
    try:
        laid = load(Path.cwd() / "proposal.yaml", trusted=True, command=command, text=text)
    except ConfigError as error:
        return Proposal(suggestion, problem="; ".join(problem.message for problem in error.problems))
    words = tuple(_words(suggestion.snippet))
    try:
        same = load(document.path, words, trusted=True, command=command).experiment == laid.experiment
    except ConfigError:
        same = False
    return Proposal(suggestion, text, words if same else ())


def overlay(snippet: Mapping[str, Any], base: Path) -> str:
    """A config that extends another one with a snippet."""
    return f"extends: {scalar(str(base))}\n{dump(snippet)}"


def _words(snippet: Mapping[str, Any], above: str = "") -> list[str]:
    """The snippet as texts of `--set`, one per value."""
    found = []
    for key, value in snippet.items():
        path = f"{above}{key}"
        found += _words(value, f"{path}.") if isinstance(value, Mapping) else [f"{path}={inline(value)}"]
    return found


def _free(path: Path) -> Path:
    """A path at which a config may be written.

    Raises:
        ConfigError: something is there.
    """
    if path.exists():
        raise ConfigError(Problem("file-exists", f"{path} exists and is not overwritten", _ELSEWHERE))
    return path


def _write(path: Path, folder: Path, proposals: tuple[Proposal, ...]) -> None:
    """Writes the first proposal that changes the config.

    Raises:
        ConfigError: none does.
        DlcliError: it cannot be written.
    """
    first = next((proposal for proposal in proposals if proposal.yaml), None)
    if first is None or first.suggestion.snippet is None:
        message = "nothing is proposed that a config could say"
        raise ConfigError(Problem("nothing-to-write", message, "leave --write out"))
    base = Path(relpath(folder / RESOLVED, path.absolute().parent))
    with whole(path, _ELSEWHERE) as temporary:
        temporary.write_text(f"# {first.suggestion.why}\n{overlay(first.suggestion.snippet, base)}", encoding="utf-8")
