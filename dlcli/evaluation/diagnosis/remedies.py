"""What to try next: for each verdict the changes of the config that are most likely to help, the first one first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dlcli.evaluation.diagnosis import changes
from dlcli.evaluation.diagnosis.changes import Plain, Setup

Verdict = Literal[
    "underfit",
    "overfit",
    "good",
    "diverged",
    "too_few_validation_rows",
    "mismatched_validation",
    "small_rate",
    "still_improving",
]
_LARGE_RATE = 50
_LONGER, _FEWEST_EPOCHS = 3, 30
_SEVERE = 0.15
"""Share of what there was to gain from which on a gap between training and validation asks for firm penalties."""
_LARGEST_VALIDATION_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to try.

    Attributes:
        code: a stable word.
        why: what it should do.
        snippet: what to lay over the config; None where the config stays.
        command: the command that then does it: "train", "kfold", "lr-find" or "evaluate"; empty for none.
    """

    code: str
    why: str
    snippet: Plain | None = None
    command: str = "train"


@dataclass(frozen=True, slots=True)
class Situation:
    """What remedies must know of the run beside its config.

    Attributes:
        rows: of each subset.
        stopped_by: why training ended.
        failed_rate: the smallest rate at which the loss was not finite, or rose by factors; None if none was.
        chosen: the epoch whose weights are kept; wait: how long it, or one before it, was waited for.
        gap: the largest established gap of the ladder.
        variance: the gap between training and validation, as a share of what there was to gain.
        test_opened: whether test rows were scored.
        oscillates: whether the training loss jumps up and down.
    """

    rows: Mapping[str, int]
    stopped_by: str = "epochs"
    failed_rate: float | None = None
    chosen: int | None = None
    wait: int = 0
    gap: str | None = None
    variance: float = 0.0
    test_opened: bool = False
    oscillates: bool = False


def suggestions(verdict: Verdict, setup: Setup, situation: Situation) -> tuple[Suggestion, ...]:
    """What to try, the most promising first."""
    found = _REMEDIES[verdict](setup, situation)
    if verdict in ("good", "still_improving") and situation.gap == "variance":
        found += _against_variance(setup, situation)[:1]
    if setup.folds is not None:
        found = [_for_folds(each) for each in found if each.command != "evaluate"]
    return tuple(found)


def _for_folds(suggestion: Suggestion) -> Suggestion:
    command = "kfold" if suggestion.command == "train" else suggestion.command
    return Suggestion(suggestion.code, suggestion.why, suggestion.snippet, command)


def _diverged(setup: Setup, situation: Situation) -> list[Suggestion]:
    failed = situation.failed_rate or setup.rate
    if not setup.own_rate:
        failed = min(failed, setup.rate)
    lower = min(failed / 10, setup.usual_rate) if failed > setup.usual_rate else failed / 10
    scaling = _scaling(setup)
    why = f"a learning rate far below {failed:.3g}, which was too much"
    slower = Suggestion("lower-rate", why, changes.rate(setup, lower))
    clipped = {"optimizer": {setup.optimizer: {"learning_rate": lower, "clipnorm": 1.0}}}
    clip = Suggestion("clip", "bounds the length of each step, also where a few rows are extreme", clipped)
    # A rate that is usual points to the sizes of the numbers, one that is not to itself.
    first = [*scaling, slower] if failed <= 3 * setup.usual_rate else [slower, *scaling]
    return [*first, *([] if setup.own_rate else [clip]), _find_rate()]


def _small_rate(setup: Setup, situation: Situation) -> list[Suggestion]:
    del situation
    higher = max(10 * setup.rate, setup.usual_rate)
    faster = Suggestion("higher-rate", f"steps {higher / setup.rate:,.3g} times as long", changes.rate(setup, higher))
    return [*_scaling(setup), faster, _find_rate()]


def _still_improving(setup: Setup, situation: Situation) -> list[Suggestion]:
    stopped = situation.stopped_by
    if stopped == "time_limit":
        return [Suggestion("no-time-limit", "the time limit ended the training", {"training": {"time_limit": None}})]
    if stopped in ("loss_below", "loss_change_below"):
        return [Suggestion("no-loss-limit", f"{stopped} ended the training", {"early_stopping": {stopped: None}})]
    if stopped == "patience" and setup.patience:
        patience = {"early_stopping": {"patience": _LONGER * setup.patience}}
        return [Suggestion("more-patience", "the training ended while it still paid", patience)]
    epochs = max(_LONGER * setup.epochs, _FEWEST_EPOCHS)
    longer: dict[str, Any] = {"training": {"epochs": epochs}}
    why = "gives it time until the loss has flattened"
    if setup.patience is None and situation.rows.get("validation", 1):
        longer["early_stopping"] = {"patience": max(10, epochs // 10)}
        why = "trains until validation no longer improves"
    more = Suggestion("more-epochs", why, longer)
    scaling = _scaling(setup)
    if setup.own_rate or setup.rate > setup.usual_rate:
        return [*scaling, more]
    faster = Suggestion("higher-rate", "gets there in fewer epochs", changes.rate(setup, 3 * setup.rate))
    return [*scaling, more, faster]


def _against_bias(setup: Setup, *, oscillates: bool) -> list[Suggestion]:
    found = []
    relaxed = changes.relaxed(setup)
    if relaxed is not None:
        found.append(Suggestion("less-regularisation", "penalties or dropout hold the network back", relaxed))
    if oscillates or setup.rate > _LARGE_RATE * setup.usual_rate:
        slower = changes.rate(setup, min(setup.usual_rate, setup.rate / 3))
        found.append(Suggestion("lower-rate", "at this rate the network may jump over what it could learn", slower))
    found += _scaling(setup)
    larger = changes.larger(setup)
    if larger is not None:
        why = "more units and layers, until it overfits: then regularise"
        found.append(Suggestion("larger-network", why, {"architecture": larger}))
    return found


def _underfit(setup: Setup, situation: Situation) -> list[Suggestion]:
    longer = {"training": {"epochs": _LONGER * setup.epochs}}
    return [
        *_against_bias(setup, oscillates=situation.oscillates),
        Suggestion("more-epochs", "gives losses the time to flatten, of which a larger network needs more", longer),
    ]


def _against_variance(setup: Setup, situation: Situation) -> list[Suggestion]:
    found = []
    if setup.images and not setup.augmented:
        variants = [{"random_rotation": 0.05}, {"random_zoom": 0.1}, {"random_translation": 0.1}]
        found.append(Suggestion("augmentation", "new variants of the training images", {"augmentation": variants}))
    penalty = {"regularization": changes.penalty(setup, firm=situation.variance >= _SEVERE)}
    found.append(Suggestion("regularisation", "keeps the network from learning rows by heart", penalty))
    smaller = changes.smaller(setup)
    if smaller is not None:
        found.append(Suggestion("smaller-network", "fewer units remember less", {"architecture": smaller}))
    return found


def _overfit(setup: Setup, situation: Situation) -> list[Suggestion]:
    found = _against_variance(setup, situation)
    found += _early_stopping(setup, situation)
    rows = "more training rows are the best remedy where they can be had"
    return [*found, Suggestion("more-rows", rows, command="")]


def _too_few(setup: Setup, situation: Situation) -> list[Suggestion]:
    if setup.ordered and setup.folds is not None:
        return []  # Each row after the first has validated already, and order allows one division only.
    divisions = {"folds": 5, "repeats": 1} if setup.ordered else {"folds": 10, "repeats": 3}
    every = Suggestion("k-fold", "every row validates once, in each division", {"kfold": divisions}, "kfold")
    if setup.folds is not None:
        return [every]
    validation = situation.rows.get("validation", 0)
    pool = situation.rows.get("train", 0) + validation
    share = validation / pool if pool else 1.0
    larger = _LARGEST_VALIDATION_SHARE
    if setup.split == "predefined" or share > larger / 1.5:
        return [every]
    sizes: dict[str, Any] = {"validation": larger}
    if setup.sizes.get("train") is not None:
        sizes["train"] = None  # the rest
    more = Suggestion("more-validation-rows", "knows the score better", {"split": {setup.split: sizes}})
    return [more, every]


def _mismatched(setup: Setup, situation: Situation) -> list[Suggestion]:
    like = "if the validation rows are what the model will meet, rows like them must come into training"
    training = Suggestion("training-like-validation", like, command="")
    if setup.ordered or setup.grouped or not (setup.drawn or setup.subset_column):
        return [training]
    fields: dict[str, Any] = {"seed": setup.split_seed + 1}
    if not setup.drawn:
        # Only the border between training and validation is drawn anew: the test rows stay sealed.
        rows = situation.rows
        total = rows.get("train", 0) + rows.get("validation", 0)
        values = {"train": ["train", "training", "validation", "valid", "val", "dev"], "validation": []}
        share = round(rows.get("validation", 0) / total, 3) if total else 0.2
        fields = {"column": setup.subset_column, "values": values, "validation": share}
    why = "draws validation rows from the same rows as the training rows"
    return [Suggestion("same-rows", why, {"split": {setup.split: fields}}), training]


def _good(setup: Setup, situation: Situation) -> list[Suggestion]:
    found = _early_stopping(setup, situation)
    if situation.rows.get("test") and not situation.test_opened:
        found.insert(0, Suggestion("evaluate", "the test rows say how good it is, once", command="evaluate"))
    return found


_REMEDIES = {
    "underfit": _underfit,
    "overfit": _overfit,
    "good": _good,
    "diverged": _diverged,
    "too_few_validation_rows": _too_few,
    "mismatched_validation": _mismatched,
    "small_rate": _small_rate,
    "still_improving": _still_improving,
}


def _find_rate() -> Suggestion:
    return Suggestion("find-rate", "tries rates from small to large on a few batches", command="lr-find")


def _early_stopping(setup: Setup, situation: Situation) -> list[Suggestion]:
    """Stops soon after the epoch that was chosen anyway, if that saves epochs: the same weights are kept."""
    patience = max(5, setup.epochs // 10, situation.wait + 1)
    chosen = situation.chosen
    if setup.patience is not None or chosen is None or chosen + patience >= setup.epochs:
        return []
    why = f"ends training after epoch {chosen + patience} of {setup.epochs}, with the weights of epoch {chosen} as now"
    return [Suggestion("early-stopping", why, {"early_stopping": {"patience": patience}})]


def _scaling(setup: Setup) -> list[Suggestion]:
    found = []
    if setup.large_target:
        why = "the target's values are large: the loss is then too, and so are its gradients"
        found.append(Suggestion("scale-target", why, {"data": {"target": {"scale": "standardize"}}}))
    if setup.unscaled is not None:
        steps = [*setup.unscaled, "standardize"] if setup.unscaled else ["auto"]
        why = "numbers enter the network unscaled: large ones drown the others"
        found.append(Suggestion("scale-inputs", why, {"preprocessing": steps}))
    return found
