"""Scores of subsets beside their baselines, and the one place that opens the sealed test set.

What `scores.json` holds grows by subsets: `Scorer.sheet` begins it, `Scored.added_to` adds a subset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dlcli.config.experiment import Experiment
from dlcli.evaluation.baselines import LINEAR, standing
from dlcli.evaluation.costs import mean_cost
from dlcli.evaluation.decision import Decision
from dlcli.evaluation.details import details
from dlcli.evaluation.estimate import meaning
from dlcli.evaluation.looks import looks_bound
from dlcli.evaluation.power import fair, verdict
from dlcli.evaluation.rows import ScoredRows
from dlcli.evaluation.scores import labels, score, score_table
from dlcli.preprocessing.pipeline import Pipeline
from dlcli.problems import ConfigError, Problem
from dlcli.workflows import exported
from dlcli.workflows.baseline_answers import Answers, FittedBaselines, in_time_order
from dlcli.workflows.dataset import Dataset
from dlcli.workflows.predictions import Predictions
from dlcli.workflows.recording import Recording

if TYPE_CHECKING:
    import keras
    from numpy.typing import NDArray

    from dlcli.part import Threshold

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scored:
    """A subset with its scores, as plain data.

    Attributes:
        subset: scores and figures.
        baselines: name, kind, reference, and the scores of each on the same rows.
        verdict: whether the model is better than the reference; None without one.
    """

    subset: Json
    baselines: tuple[Json, ...]
    verdict: Json | None

    def added_to(self, scores: Json, name: str) -> Json:
        """The scores with this subset added, or replaced."""
        known = {each["kind"]: each for each in scores["baselines"]}
        merged = []
        for each in self.baselines:
            earlier = known.pop(each["kind"], {"subsets": {}, "folds": None})
            told = {key: each[key] for key in ("name", "kind", "reference")}
            merged.append({**earlier, **told, "subsets": {**earlier["subsets"], name: each["scores"]}})
        verdicts = scores["verdicts"] | ({name: self.verdict} if self.verdict else {})
        return {**scores, name: self.subset, "baselines": [*merged, *known.values()], "verdicts": verdicts}


class Scorer:
    """Scores rows of one data set as an experiment asks for."""

    def __init__(self, experiment: Experiment, dataset: Dataset, decision: Decision) -> None:
        """Settles what is scored, and how.

        Args:
            experiment: which metrics, slices and costs.
            dataset: whose rows are scored.
            decision: the model's threshold and temperature.
        """
        self.experiment, self.dataset, self.decision = experiment, dataset, decision
        self.goal = dataset.answer.goal
        costs = experiment.evaluation.costs
        self.metrics = (*(experiment.metrics or ()), *(() if costs is None else (mean_cost(self.goal, costs),)))
        self.ordered = in_time_order(experiment)

    def sheet(self) -> Json:
        """What `scores.json` holds before a subset is scored."""
        grouped = self.dataset.groups is not None
        return {
            "folds": None,
            "repeats": None,
            "baselines": [],
            "verdicts": {},
            "decision": self.decision.as_json(),
            "looks": None,
            "looks_bound": None,
            "confidence": self.confidence,
            "meaning": {"rows": meaning(self.confidence, grouped=grouped, ordered=self.ordered)},
        }

    def score(
        self,
        rows: NDArray[np.int64],
        prediction: NDArray[np.float64],
        answers: Sequence[Answers],
        *,
        truth: NDArray[Any] | None = None,
        threshold: Threshold | None = None,
        starred: bool = False,
        figures: bool = True,
    ) -> Scored:
        """The scores of predictions of rows beside those of baselines.

        Args:
            rows: row numbers.
            prediction: of each, at the decided temperature.
            answers: what baselines say of the same rows.
            truth: where the data set does not hold it.
            threshold: where it is not the decided one.
            starred: whether these rows chose something.
            figures: whether classes, curves, slices and the verdict are wanted too.
        """
        model = self.rows(rows, prediction, truth=truth, threshold=threshold)
        subset = self._plain(model, starred=starred)
        if figures:
            tempered = starred and self.experiment.evaluation.calibrate is not None
            subset |= details(model, confidence=self.confidence, fitted_temperature=tempered, starred=starred)
            subset["slices"] = list(self._slices(model, self.in_order(rows), starred=starred)) or None
        found, verdicts = [], {}
        for number, answer in enumerate(answers):
            guess = self.rows(rows, answer.prediction, truth=truth, threshold=answer.threshold)
            told = {"name": answer.name, "kind": answer.kind, "reference": number == 0}
            found.append(told | {"scores": self._plain(guess)})
            if figures and (number == 0 or answer.kind == LINEAR):
                compared = verdict(self.metrics, model, guess, self.confidence, chosen_threshold=self.chosen_threshold)
                verdicts[number > 0] = replace(compared, against=standing(answer.name, answer.kind))
        judged = replace(verdicts[False], linear=verdicts.get(True)).as_json() if verdicts else None
        return Scored(subset, tuple(found), judged)

    def bare(
        self, rows: NDArray[np.int64], prediction: NDArray[np.float64], answers: Sequence[Answers]
    ) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
        """The bare scores of predictions of rows, and those of each baseline by its kind."""
        # The verdict may rest on a metric that nobody has asked for.
        more = fair(self.metrics, self.goal.task, chosen_threshold=self.chosen_threshold)
        metrics = (*self.metrics, *(each for name, each in more.items() if name not in labels(self.metrics)))
        return score(metrics, self.rows(rows, prediction)), {
            each.kind: score(metrics, self.rows(rows, each.prediction, threshold=each.threshold)) for each in answers
        }

    def rows(
        self,
        rows: NDArray[np.int64],
        prediction: NDArray[np.float64],
        *,
        truth: NDArray[Any] | None = None,
        threshold: Threshold | None = None,
    ) -> ScoredRows:
        """Rows with what is known of how they depend on each other; in order of time where there is one."""
        order, dataset = self._order(rows), self.dataset
        truth = dataset.answer.values[rows] if truth is None else truth
        threshold = self.decision.threshold_for(self.goal) if threshold is None else threshold
        if isinstance(threshold, np.ndarray) and threshold.shape == truth.shape:
            threshold = threshold[order]
        weight, groups, ordered = dataset.weight, dataset.groups, rows[order]
        return ScoredRows(
            self.goal,
            truth[order],
            prediction[order],
            None if weight is None else weight[ordered],
            threshold,
            None if groups is None else groups[ordered],
            self.ordered,
        )

    def in_order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The rows as `rows` puts them."""
        return rows[self._order(rows)]

    def _order(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        if not self.ordered:
            return np.arange(len(rows))
        times = self.dataset.times
        return np.lexsort((rows,) if times is None else (rows, times[rows]))

    def predictions(
        self, rows: NDArray[np.int64], prediction: NDArray[np.float64], *, sealed: bool = False, **more: Any
    ) -> Predictions:
        """Predictions of rows as they are kept, with the truth unless it is sealed."""
        dataset = self.dataset
        beside = {"weight": dataset.weight, "group": dataset.groups, "time": dataset.times}
        return Predictions(
            self.goal,
            prediction,
            dataset.numbers_in_source(rows),
            self.decision.threshold_for(self.goal),
            actual=None if sealed else dataset.answer.values[rows],
            beside={} if sealed else {name: each[rows] for name, each in beside.items() if each is not None},
            **more,
        )

    @property
    def chosen_threshold(self) -> bool:
        """Whether rows choose the threshold."""
        return not isinstance(self.experiment.evaluation.threshold, float)

    @property
    def confidence(self) -> float:
        """Of all intervals."""
        return self.experiment.evaluation.confidence

    def _slices(self, model: ScoredRows, rows: NDArray[np.int64], *, starred: bool) -> Iterator[Json]:
        for each in self.dataset.slices:
            for value, places in each.of(rows):
                if not model.weights()[places].any():  # rows that do not count have no score
                    continue
                yield {"column": each.column, "value": value, **self._plain(model.take(places), starred=starred)}

    def _plain(self, rows: ScoredRows, *, starred: bool = False) -> Json:
        table = score_table(self.metrics, rows, confidence=self.confidence, starred=starred)
        return {"rows": len(rows), "scores": [each.as_json() for each in table]}


def require_test_rows(dataset: Dataset) -> None:
    """Refuses to open a test set that cannot be scored.

    Raises:
        ConfigError: it has no rows.
        DataError: the weight of each of them is 0.
    """
    if not len(dataset.sealed.rows):
        message = "there are no test rows to evaluate on"
        raise ConfigError(Problem("no-test-rows", message, "write a `test` share under split", ("split",)))
    dataset.require_weight(dataset.sealed.rows, "test row")


def open_test(
    run: Recording,
    scorer: Scorer,
    model: keras.Model,
    fitted: Pipeline,
    fitted_baselines: FittedBaselines,
    command: str,
) -> None:
    """Opens the sealed test set once: the look is written to the ledger, then the model is scored.

    Args:
        run: test predictions, scores and the ledger line's hash are added to it.
        scorer: of the experiment.
        model: the exported model, on raw rows.
        fitted: its preprocessing.
        fitted_baselines: of its training rows.
        command: which command looks.
    """
    rows = scorer.dataset.sealed.rows
    prediction = exported.predict(model, fitted, scorer.dataset.samples, rows, scorer.goal)
    scores = look(run, scorer, prediction, fitted_baselines, command, (run.result().scores, "test"))
    run.write_predictions("test", scorer.predictions(rows, prediction, sealed=True))
    run.write_scores(scores)


def look(
    run: Recording,
    scorer: Scorer,
    prediction: NDArray[np.float64],
    fitted_baselines: FittedBaselines | None,
    command: str,
    added_to: tuple[Json, str],
    *,
    starred: bool = False,
) -> Json:
    """Scores predictions of sealed rows, whose targets are opened once the look is written to the ledger.

    Args:
        run: the hash of the ledger's line is added to its record.
        scorer: of the rows.
        prediction: of the sealed rows.
        fitted_baselines: what they are compared with, if it is known.
        command: which command looks.
        added_to: the scores that they join, and as which subset.
        starred: whether these rows chose something.

    Returns:
        all scores, with the count of looks and how much too good the best of so many looks.
    """
    dataset, rows = scorer.dataset, scorer.dataset.sealed.rows
    truth = dataset.sealed.open(lambda hashes: run.look(command, dataset.data_hash, hashes))
    answers = fitted_baselines.answers(rows, truth=truth) if fitted_baselines else ()
    scores, name = added_to
    scores = scorer.score(rows, prediction, answers, truth=truth, starred=starred).added_to(scores, name)
    first = scores[name]["scores"][0]
    bound = looks_bound(first["low"], first["high"], scorer.confidence, run.looks or 1)
    return scores | {"looks": run.looks, "looks_bound": bound}
