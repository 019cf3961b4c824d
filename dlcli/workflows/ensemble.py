"""The models of all folds as one: the mean of what they predict."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dlcli import backend
from dlcli.config.experiment import Experiment
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.workflows import exported
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.fold import RESULT, Fold, Reached
from dlcli.workflows.fold_summary import out_of_fold_decision
from dlcli.workflows.recording import MODEL, Recording

if TYPE_CHECKING:
    import keras


def keep_ensemble(
    experiment: Experiment, dataset: Dataset, plan: Sequence[Fold], reached: Sequence[Reached], run: Recording
) -> tuple[keras.Model, Pipeline]:
    """Saves the mean of the folds' models as the model of the run.

    The threshold is the one that the out-of-fold predictions choose; each fold's model keeps its own temperature.

    Returns:
        the model, and the preprocessing of the first fold, which stands for all where rows are checked.
    """
    trust = bool(run.entry.options.get("trust"))
    paths = [run.folder.path / fold.place / MODEL for fold in plan]
    state = json.loads((run.folder.path / plan[0].place / RESULT).read_bytes())["fitted"]
    fitted = Pipeline.restore(experiment.preprocessing, dataset.schema, state)
    model = _mean([exported.load_model(path, experiment, trust=trust) for path in paths], fitted)
    run.save_model(model, MODEL)
    for_one, for_batch = exported.seconds(model, fitted, dataset.samples)
    tempered = [replace(each, prediction=each.tempered(dataset.answer.goal)) for each in reached]
    decision = out_of_fold_decision(experiment, dataset, plan, tempered, calibrate=False).as_json()
    run.write_scores(run.result().scores | {"decision": decision})
    run.update(
        preprocessing_state=state,
        parameters=model.count_params(),
        decision=decision,
        model_bytes=(run.folder.path / MODEL).stat().st_size,
        seconds_per_row=for_one,
        seconds_per_batch=for_batch,
        trained_on=("train", "validation"),
    )
    return model, fitted


def _mean(models: Sequence[keras.Model], fitted: Pipeline) -> keras.Model:
    import keras

    for number, model in enumerate(models):
        model.name = f"fold_{number + 1}"
    inputs, _ = fitted.keras_inputs_and_output()
    outputs = [model(inputs) for model in models]
    with backend.free_input_names():
        return keras.Model(inputs, keras.ops.mean(keras.ops.stack(outputs), axis=0), name="dlcli")
