"""A unit of work: one training, in an engine that it may share with others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dlcli import backend
from dlcli.config.document import load
from dlcli.events import silent
from dlcli.seeds import Seeds
from dlcli.training.reuse import Bench
from dlcli.workflows.kfold import divide
from dlcli.workflows.preparation import prepare
from dlcli.workflows.unit import Assignment, set_up, train_unit

TABLE = """\
data: {source: {builtin: wine}}
preprocessing: [impute, standardize]
architecture: [dense: 8, batch_normalization, dropout: 0.3]
"""
IMAGES = """\
data: {source: {builtin: digits}}
split: {stratified: {train: 150, validation: 50, test: 20}}
preprocessing: [standardize]
architecture: [conv2d: 4, flatten]
"""
SHARED = {
    "a table": TABLE,
    "weighted classes": TABLE + "training: {class_weight: balanced}\n",
    "values that go missing": TABLE + "augmentation: [drop_values: {rate: 0.2}]\n",
    "images that are changed": IMAGES + "augmentation: [random_brightness: 0.2, random_translation: 0.1]\n",
}


def units(folder: Path, text: str, *more: str):
    """The experiment, its data, and an assignment for each of five folds."""
    path = folder / "config.yaml"
    path.write_text(text)
    document = load(path, more, command="kfold")
    backend.load()
    experiment, dataset = prepare(document, "kfold", silent)
    seeds = [Seeds(0, fold.repeat, fold.number) for fold in divide(experiment, dataset)]
    folds = zip(divide(experiment, dataset), seeds, strict=True)
    return experiment, dataset, [Assignment(fold.train, fold.inner, seed, count=5) for fold, seed in folds]


@pytest.mark.parametrize("text", SHARED.values(), ids=SHARED.keys())
def test_all_folds_share_one_engine(tmp_path: Path, text: str):
    experiment, dataset, folds = units(tmp_path, text)
    bench = Bench()
    assert len({id(set_up(experiment, dataset, fold, bench).engine) for fold in folds}) == 1


@pytest.mark.parametrize(
    ("name", "engine"),
    [*((name, "graph") for name in SHARED), *((name, "xla") for name in SHARED if "augmentation" not in SHARED[name])],
)
def test_a_shared_engine_gives_the_bits_of_one_of_its_own(tmp_path: Path, name: str, engine: str):
    more = ("training.epochs=3", f"training.engine={engine}")
    experiment, dataset, folds = units(tmp_path, SHARED[name], *more)
    bench = Bench()
    for fold in folds[:3]:
        shared = train_unit(experiment, dataset, fold, silent, bench)
        expected = shared.predict(dataset, fold.validation)
        alone = train_unit(experiment, dataset, fold, silent, Bench())
        assert np.array_equal(alone.predict(dataset, fold.validation), expected)


def test_seeds_of_folds_differ(tmp_path: Path):
    experiment, dataset, folds = units(tmp_path, TABLE)
    weights = [set_up(experiment, dataset, fold, Bench()).engine.snapshot()[0] for fold in folds]
    assert len({array.tobytes() for array in weights}) == 5


@pytest.mark.parametrize("seed", [1, 2])
def test_another_seed_changes_the_result_but_not_the_split(tmp_path: Path, seed: int):
    one, data, folds = units(tmp_path, TABLE, "training.epochs=2")
    other, same, again = units(tmp_path, TABLE, "training.epochs=2", f"seed={seed}")
    assert data.subset_hashes() == same.subset_hashes()
    assert all(np.array_equal(a.train, b.train) for a, b in zip(folds, again, strict=True))
    results = [
        train_unit(
            experiment, data, Assignment(folds[0].train, folds[0].validation, Seeds(experiment.seed)), silent, Bench()
        )
        for experiment in (one, other)
    ]
    predictions = [trained.predict(data, folds[0].validation) for trained in results]
    assert not np.array_equal(*predictions)
