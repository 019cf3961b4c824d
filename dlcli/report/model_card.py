"""`model_card.md`: what a model is, what it was made from and how good it is (Mitchell et al. 2019).

Facts are filled in from the run directory; what only a person can know is left open, and marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dlcli.numbers import number
from dlcli.report.card_caveats import caveats, where
from dlcli.report.card_usage import usage
from dlcli.report.markdown import bullets, code, document, plain, table
from dlcli.report.run_files import SUBSETS, Run
from dlcli.report.settings import settings
from dlcli.runs import whole_files
from dlcli.task import Task

FILE_NAME = "model_card.md"
MODEL = "model.keras"
_MOST_NAMES = 30
_MOST_ROWS = 50
_HASH = 16
"""Digits of a hash that tell it apart."""
_MOST_LINES = 200
"""Of a config."""


def write_model_card(run: Run, folder: Path) -> Path:
    """Writes `model_card.md` of a run directory, in place of an older one.

    Args:
        run: what the directory holds.
        folder: the run directory.

    Raises:
        DlcliError: it cannot be written.
    """
    path = folder / FILE_NAME
    whole_files.write_text(path, model_card(run, has_model=(folder / MODEL).exists()))
    return path


def model_card(run: Run, *, has_model: bool) -> str:
    """The card in Markdown; whatever comes from data and configs is escaped."""
    sections: list[tuple[str, Iterator[str]]] = [
        ("Model details", _details(run)),
        ("Intended use", iter(_open("what the model is for", "who should use it", "what it must not be used for"))),
        ("Factors", _factors(run)),
        ("Metrics", _metrics(run)),
        ("Evaluation data", _evaluation_data(run)),
        ("Training data", _training_data(run)),
        ("Training procedure", _training(run)),
        ("Quantitative analyses", _results(run)),
        ("Ethical considerations", iter(_open("whom mistakes could harm, and how", "which data are sensitive"))),
        ("Caveats and recommendations", iter([bullets(caveats(run))])),
        ("How to use it", usage(run.record, has_model=has_model)),
        ("Versions", _versions(run)),
    ]
    return document(f"Model card: {plain(run.record.name)}", sections)


def _open(*questions: str) -> list[str]:
    """What a person has to write."""
    return [bullets(f"**[to be written: {question}]**" for question in questions)]


def _details(run: Run) -> Iterator[str]:
    record, goal = run.record, run.record.goal
    if (description := settings(run.resolved).get("description", "none")) not in ("", "none"):
        yield plain(description)
    lines = [f"Made by `dlcli {record.command}` on {_day(record.started)}: {_status(run)}"]
    if goal is not None:
        lines.append(f"Predicts {_names(goal.names)} ({str(goal.task).replace('_', ' ')})")
        if goal.classes:
            positive = f"; the positive class is {plain(goal.classes[1])}" if goal.task is Task.BINARY else ""
            lines.append(f"Classes: {_names(goal.classes)}{positive}")
    if record.parameters is not None:
        size = f", {number(record.model_bytes / 1e6)} MB" if record.model_bytes else ""
        lines.append(f"A Keras network of {record.parameters:,} parameters with its preprocessing{size}")
    if record.seconds_per_row is not None and record.seconds_per_batch is not None:
        single, batch = (number(1000 * each) for each in (record.seconds_per_row, record.seconds_per_batch))
        lines.append(f"Predicts one row in {single} ms and 32 rows in {batch} ms, on the machine that trained it")
    yield bullets(lines)
    yield bullets(["**[to be written: who made it, under which licence, whom to ask]**"])


def _status(run: Run) -> str:
    return run.record.status + (f" ({plain(run.record.failure)})" if run.record.failure else "")


def _day(time: str) -> str:
    return f"{time[:10]} {time[11:16]} UTC"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(plain(name) for name in names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else shown


def _factors(run: Run) -> Iterator[str]:
    columns = dict.fromkeys(each["column"] for _, slices in run.details("slices") for each in slices)
    if columns:
        yield f"Scored by the values of {_names(tuple(columns))}; see the quantitative analyses."
    found = run.importance
    if found and found["features"]:
        needed = [each for each in found["features"] if each["low"] is not None and each["low"] > 0]
        rows = f"{found['rows']:,} {SUBSETS.get(found['subset'], found['subset'])} rows"
        if needed:
            named = ", ".join(f"{plain(each['name'])} ({number(each['drop'])})" for each in needed[:10])
            yield f"Inputs without which {plain(found['metric'])} gets worse, by how much, on {rows}: {named}."
        else:
            yield f"No single input is needed for certain: {plain(found['metric'])} may do as well without ({rows})."
    yield bullets(["**[to be written: groups of people or conditions in which it may do worse]**"])


def _metrics(run: Run) -> Iterator[str]:
    names = dict.fromkeys(score["name"] for subset in run.subsets() for score in run.scores[subset]["scores"])
    names |= dict.fromkeys(score["name"] for score in run.scores.get("folds") or ())
    if not names:
        yield "Nothing was scored."
        return
    lines = [f"Scores: {', '.join(plain(name) for name in names)}"]
    lines += [plain(sentence) for key in ("rows", "folds", "repeats") if (sentence := run.meaning(key))]
    decision = run.scores.get("decision") or {}
    if run.record.goal and decision:
        lines += _decision(decision, run.record.goal.task)
    lines += [f"Baseline: {plain(each['name'])}" for each in run.baselines()]
    yield bullets(lines)


def _decision(decision: Mapping[str, Any], task: Task) -> Iterator[str]:
    rows = decision.get("chosen_on")
    chosen = f", chosen on {plain(SUBSETS.get(rows, rows))} rows" if rows else ""
    if decision["temperature"] != 1:
        yield f"Probabilities are tempered: logits are divided by {number(decision['temperature'])}{chosen}"
    if task not in (Task.BINARY, Task.MULTILABEL):
        return
    threshold = decision["threshold"]
    values = ", ".join(number(each) for each in threshold) if isinstance(threshold, list) else number(threshold)
    rule = f" ({plain(str(decision['threshold_rule']))})" if str(decision["threshold_rule"]) != values else ""
    yield f"Counts as predicted from a probability of {values} on{rule}{chosen if rule else ''}"


def _evaluation_data(run: Run) -> Iterator[str]:
    told = [f"{SUBSETS[subset]}: {run.scores[subset]['rows']:,} rows" for subset in run.subsets() if subset != "train"]
    if folds := run.scores.get("folds"):
        told.append(f"{len(folds[0]['folds'])} folds, each scored by a model that never saw its rows")
    if run.record.rows.get("test") and "test" not in run.scores:
        told.append(f"test: {run.record.rows['test']:,} rows, still sealed")
    if looks := run.scores.get("looks"):
        told.append(f"The test set was opened {'once' if looks == 1 else f'{looks:,} times'}")
    yield bullets(told)
    yield _hashes(run, ("validation", "test"))


def _training_data(run: Run) -> Iterator[str]:
    record = run.record
    lines = []
    if record.files:
        lines.append(f"Read from {_names([Path(file).name for file in record.files])}")
    if run.rows:
        lines.append(", ".join(f"{count:,} {name} rows" for name, count in run.rows.items()))
    if run.trained_on:
        lines.append(f"The model was trained on the {run.trained_on}")
    split = {path: value for path, value in settings(run.resolved).items() if path.startswith("split.")}
    if split:
        lines.append(f"Divided by {_set(split)}")
    if record.data_schema is not None:
        lines.append(f"{len(record.data_schema.columns):,} input columns: {_names(tuple(record.data_schema.columns))}")
    yield bullets(lines)
    yield _hashes(run, ("train",))
    yield bullets(["**[to be written: where the data come from, whom they are about, what they leave out]**"])


def _hashes(run: Run, names: Sequence[str]) -> str:
    """Hashes over rows, by which the same data are known again."""
    found = {name: run.record.subset_hashes.get(name, "") for name in names if run.rows.get(name)}
    if run.record.data_hash and "train" in names:
        found = {"all": run.record.data_hash} | found
    shown = [f"{name} `{digest[:_HASH]}`" for name, digest in found.items() if digest]
    return f"Row hashes: {', '.join(shown)}" if shown else ""


def _set(values: Mapping[str, str]) -> str:
    return ", ".join(f"{plain(path)} = {plain(value)}" for path, value in values.items() if value not in ("", "none"))


def _training(run: Run) -> Iterator[str]:
    record = run.record
    lines = []
    if record.seeds:
        lines.append("Seeds: " + ", ".join(f"{name} {seed}" for name, seed in record.seeds.items()))
    if record.epochs_run is not None:
        kept = f", weights of epoch {record.chosen_epoch:,} kept" if record.chosen_epoch else ""
        lines.append(f"{record.epochs_run:,} epochs{kept}; ended by {plain(record.stopped_by or 'the last epoch')}")
    if record.chosen_epochs:
        low, high = min(record.chosen_epochs), max(record.chosen_epochs)
        lines.append(f"Epochs kept in the folds: {low:,} to {high:,}")
    if changed := record.options.get("overrides"):
        lines.append(f"Changed on the command line: {_names([str(each) for each in changed])}")  # type: ignore[union-attr]
    yield bullets(lines)
    if run.config:
        config = run.config.splitlines()
        yield "The config; `resolved.yaml` beside this file has every default spelled out:"
        yield code("\n".join([*config[:_MOST_LINES], *(["..."] if len(config) > _MOST_LINES else [])]), "yaml")


def _results(run: Run) -> Iterator[str]:
    yield _scores(run)
    yield _over_folds(run)
    yield _repeats(run)
    yield bullets(f"{where(name)}: {plain(found['sentence'])}" for name, found in _verdicts(run))
    if run.primary is not None:
        subset = run.scores[run.primary]
        yield _breakdown(f"By class, {SUBSETS[run.primary]} rows:", subset.get("classes"), lambda each: each["name"])
        yield _breakdown(
            f"By slice, {SUBSETS[run.primary]} rows:",
            subset.get("slices"),
            lambda each: f"{each['column']} = {each['value']}",
        )


def _verdicts(run: Run) -> Iterator[tuple[str, Mapping[str, Any]]]:
    return iter((run.scores.get("verdicts") or {}).items())


def _scores(run: Run) -> str:
    rows = [
        [
            SUBSETS[subset],
            f"{run.scores[subset]['rows']:,}",
            plain(score["name"]),
            _value(score),
            _interval(score),
            _number(run.baseline(subset, score["name"])),
        ]
        for subset in run.subsets()
        for score in run.scores[subset]["scores"]
    ]
    heads = ["rows of", "rows", "score", "value", f"{run.confidence} interval", "baseline"]
    return table(heads, rows) if rows else ""


def _value(score: Mapping[str, Any]) -> str:
    return _number(score["value"]) + _star(score)


def _star(score: Mapping[str, Any]) -> str:
    return r"\*" if score.get("starred") else ""


def _number(value: float | None) -> str:
    return "-" if value is None else number(value)


def _interval(score: Mapping[str, Any]) -> str:
    return "-" if score["low"] is None else f"{number(score['low'])} to {number(score['high'])}"


def _over_folds(run: Run) -> str:
    rows = [
        [
            plain(score["name"]),
            _number(score["mean"]),
            _number(score["sd"]),
            _interval(score),
            _number(run.baseline("folds", score["name"])),
        ]
        for score in run.scores.get("folds") or ()
    ]
    heads = ["score over folds", "mean", "standard deviation", f"{run.confidence} interval of the mean", "baseline"]
    return table(heads, rows) if rows else ""


def _repeats(run: Run) -> str:
    rows = [
        [plain(each["name"]), str(len(each["values"])), _number(each["mean"]) + _star(each), _number(each["sd"])]
        for each in run.scores.get("repeats") or ()
    ]
    return table(["score over seeds", "seeds", "mean", "standard deviation"], rows) if rows else ""


def _breakdown(title: str, parts: Sequence[Mapping[str, Any]] | None, name: Any) -> str:
    """A table of parts of the rows, a column per score."""
    if not parts:
        return ""
    heads = ["", "rows", *(plain(score["name"]) for score in parts[0]["scores"])]
    rows = [
        [plain(name(part)), f"{part['rows']:,}", *(_with_ends(score) for score in part["scores"])]
        for part in parts[:_MOST_ROWS]
    ]
    more = f"\n\n{len(parts) - _MOST_ROWS:,} more are left out." if len(parts) > _MOST_ROWS else ""
    return f"{title}\n\n{table(heads, rows)}{more}"


def _with_ends(score: Mapping[str, Any]) -> str:
    return _value(score) if score["low"] is None else f"{_value(score)} ({_interval(score)})"


def _versions(run: Run) -> Iterator[str]:
    yield bullets(f"{plain(name)} {plain(version)}" for name, version in run.record.versions.items())
    config = run.record.config_hashes[-1:] or ("",)
    yield f"Config hash: `{config[0][:_HASH]}`" if config[0] else ""
