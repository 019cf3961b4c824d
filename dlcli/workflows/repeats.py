"""The same training with other seeds on the same rows: how much of a score is luck of the seed."""

from __future__ import annotations

from typing import Any

from dlcli.config.document import Document
from dlcli.config.experiment import Experiment
from dlcli.evaluation.fold_scores import meaning_over_runs, spread
from dlcli.events import Listener
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.fold import Fold
from dlcli.workflows.fold_summary import bare_scores
from dlcli.workflows.fold_trainings import FoldTrainings
from dlcli.workflows.recording import Recording
from dlcli.workflows.scoring import Scorer
from dlcli.workflows.workers import Crew


def plan(dataset: Dataset, count: int) -> list[Fold]:
    """The repeats after the first training, which is a run's own: one fold each, scored on the validation rows."""
    train, validation = dataset.subsets["train"], dataset.subsets["validation"]
    return [
        Fold(number, 0, number - 1, count - 1, f"seed {number + 1}/{count}", train, validation, validation, "repeats")
        for number in range(1, count)
    ]


def repeat(
    document: Document,
    experiment: Experiment,
    dataset: Dataset,
    run: Recording,
    crew: Crew,
    count: int,
    listener: Listener,
) -> None:
    """Trains the repeats that are not there yet, and adds the spread over seeds to the scores of a run.

    Args:
        document: the config.
        experiment: what is trained again.
        dataset: on what.
        run: whose first training is done and scored.
        crew: where trainings run.
        count: how many seeds, that of the run included.
        listener: hears of the trainings.
    """
    trainings = FoldTrainings(document, experiment, dataset, plan(dataset, count), run, listener)
    reached = trainings.train(crew)
    others = [
        bare_scores(experiment, dataset, fold, each)[0] for fold, each in zip(trainings.plan, reached, strict=True)
    ]
    scores = run.result().scores
    first = scores["validation"]["scores"]
    own: dict[str, Any] = {each["name"]: each["value"] for each in first}
    metrics = Scorer(experiment, dataset, reached[0].decision).metrics
    confidence = experiment.evaluation.confidence
    found = spread(metrics, [own, *others], confidence=confidence)
    meaning = scores["meaning"] | {"repeats": meaning_over_runs(confidence)}
    # What the rows chose in the first training they chose in each.
    starred = [each["starred"] for each in first]
    told = [each.as_json() | {"starred": star} for each, star in zip(found, starred, strict=True)]
    run.write_scores(scores | {"repeats": told, "meaning": meaning})
