"""What is written reads back as the same."""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from dlcli.config import catalog, rules
from dlcli.config.document import load
from dlcli.config.experiment import Experiment
from dlcli.config.forms import (
    Anything,
    Choice,
    Either,
    Form,
    Named,
    Nothing,
    Number,
    OnePart,
    OneSection,
    Several,
    Switch,
    Text,
    fields,
)
from dlcli.config.nodes import plain_data
from dlcli.config.writer import dump, inline, long_form, scalar, to_yaml
from dlcli.part import Part, Record
from tests.config.configs import NETWORK, SHORT, composed, read, written

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))
WORDS = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    ["none", "default", "null", "~", "1", "1e3", "0x1F", "true", "no", "a: b", "- x", "#", "x #y", "'", '"', "\\", "\n",
     "\t", "2024-01-01", "", " ", "a ", "<<", "=", "%", "@x", "*", "&a", "!t", "?", ":", "-", "---", "[", "{}", "\x85"]
)  # fmt: skip
SCALARS = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | WORDS
DATA = st.dictionaries(
    WORDS, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4))
)


@given(DATA)
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_plain_data_read_back_as_they_are(data: dict[str, Any]) -> None:
    assume("<<" not in str(data))
    for text in (dump(data), inline(data)):
        node, problems = composed(text)
        assert problems == []
        assert node is not None
        assert plain_data(node) == data


@given(SCALARS)
def test_a_scalar_reads_back_with_its_type(value: object) -> None:
    node, _ = composed(f"[{scalar(value)}]")
    assert node is not None
    (found,) = plain_data(node)  # type: ignore[misc]
    assert found == value
    assert type(found) is type(value)


def numbers(form: Number) -> st.SearchStrategy[float]:
    bounds = dict(form.bounds)
    low, high = bounds.get("ge", bounds.get("gt", -1e6)), bounds.get("le", bounds.get("lt", 1e6))
    return st.integers(int(low), int(high)) if form.whole else st.floats(low, high)


SIMPLE: dict[type[Form], Callable[[Any], st.SearchStrategy[Any]]] = {
    Nothing: lambda _: st.none(),
    Switch: lambda _: st.booleans(),
    Choice: lambda form: st.sampled_from([form.kind(value) if form.kind else value for value in form.values]),
    Number: numbers,
    Text: lambda form: st.just("/a/file.py:Name") if form.code else st.just("/a/b.csv") if form.path else WORDS,
    Anything: lambda _: st.dictionaries(WORDS.filter(lambda word: word != "<<"), st.integers(0, 9), max_size=2),
}


def values(form: Form) -> st.SearchStrategy[Any]:
    """Values that a field may hold."""
    match form:
        case Several():
            several = st.lists(values(form.item), max_size=3).map(tuple)
            return st.tuples(*map(values, form.places)) if form.places else several
        case Named():
            return st.dictionaries(values(form.key), values(form.item), max_size=3)
        case OnePart():
            return parts(form.family)
        case OneSection():
            return records(form.section)
        case Either():
            return st.one_of(*map(values, form.forms))
    return SIMPLE[type(form)](form)


def parts(family: str) -> st.SearchStrategy[Any]:
    found = [catalog.find(family, name) for name in catalog.names(family)]
    if not found:
        return st.nothing()
    return st.deferred(lambda: st.one_of(*(records(part) for part in found if part is not None)))


@st.composite
def records(draw: st.DrawFn, record: type[Record]) -> Record:
    """A Part or section, most of its fields at their defaults."""
    chosen = {}
    for key, field in fields(record).items():
        if field.info.is_required() or draw(st.integers(0, 4)) == 0:
            strategy = values(field.form)
            if strategy.is_empty:
                continue
            chosen[key] = draw(strategy)
    try:
        return record.model_validate(chosen)
    except ValidationError:
        assume(False)
        raise


def parts_of_experiments() -> list[tuple[str, type[Part]]]:
    keys = {"split": "split", "preprocessing": "preprocessing", "loss": "loss", "optimizer": "optimizer"}
    keys |= {"schedule": "schedule", "metric": "metrics", "layer": "architecture", "source": "source"}
    found = [(key, catalog.find(family, name)) for family, key in keys.items() for name in catalog.names(family)]
    return [(key, part) for key, part in found if part is not None]


@pytest.mark.parametrize(("key", "part"), parts_of_experiments(), ids=lambda value: getattr(value, "part_name", value))
@given(data=st.data())
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)
def test_any_part_reads_back_equal(key: str, part: type[Part], data: st.DataObject, tmp_path: Path) -> None:
    made = data.draw(records(part))
    experiment = read(tmp_path, SHORT).experiment
    if key == "source":
        changed = experiment.model_copy(update={"data": experiment.data.model_copy(update={"source": made})})
    else:
        several = key in ("preprocessing", "metrics", "architecture")
        changed = experiment.model_copy(update={key: (made,) if several else made})
    assert_reads_back(changed, tmp_path)


@given(data=st.data())
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)
def test_any_section_reads_back_equal(data: st.DataObject, tmp_path: Path) -> None:
    experiment = read(tmp_path, SHORT).experiment
    sections = {
        key: field.form
        for key, field in fields(Experiment).items()
        if key in ("training", "kfold", "evaluation", "regularization", "divergence", "description", "seed")
    }
    changed = experiment.model_copy(update={key: data.draw(values(form)) for key, form in sections.items()})
    target = data.draw(values(fields(type(experiment.data))["target"].form))
    assert_reads_back(
        changed.model_copy(update={"data": experiment.data.model_copy(update={"target": target})}), tmp_path
    )


def assert_reads_back(experiment: Experiment, folder: Path) -> None:
    path = written(folder, to_yaml(experiment), "again.yaml")
    with patch.object(rules, "RULES", ()):  # what was drawn need not go together
        assert load(path, trusted=True).experiment == experiment


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_read_back_equal(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLCLI_DATA", "/data")
    experiment = load(path).experiment
    (tmp_path / "elsewhere").mkdir()
    text = to_yaml(experiment)
    again = load(written(tmp_path / "elsewhere", text)).experiment
    assert again == experiment
    assert to_yaml(again) == text


def test_every_field_is_written(tmp_path: Path) -> None:
    written_out = long_form(read(tmp_path, SHORT).experiment)
    assert written_out["training"]["batch_size"] == 32
    assert written_out["optimizer"]["adam"]["beta_1"] == 0.9
    assert written_out["architecture"] == [
        {"dense": written_out["architecture"][0]["dense"]},
    ]
    assert set(written_out) == set(fields(Experiment)) - {"metrics", "output"}


def test_paths_are_written_absolute(tmp_path: Path) -> None:
    experiment = read(tmp_path, "data: {source: {csv: a.csv}, target: y}\n" + NETWORK).experiment
    assert f"path: [{tmp_path}/a.csv]" in to_yaml(experiment)
