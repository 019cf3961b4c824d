"""The verdicts, each with the test that finds it.

A difference counts when its interval says so; what has no interval counts when it is far beyond what so many
rows explain. Tests are tried in order: a score says nothing of a network that did not train.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

from dlcli.evaluation.diagnosis import courses as reading
from dlcli.evaluation.diagnosis.changes import Setup
from dlcli.evaluation.diagnosis.courses import Course, Sign
from dlcli.evaluation.diagnosis.ladder import Gap, Ladder
from dlcli.evaluation.diagnosis.remedies import Verdict
from dlcli.evaluation.diagnosis.run_facts import CERTAIN, MATERIAL, Facts, Finding, above, amount, described, share
from dlcli.task import CLASSIFICATION

_PART_OF_ERROR = 0.25
"""Share of the validation error that a gap must be to be called overfitting."""
_HIGH_BIAS, _VERY_HIGH_BIAS = 0.2, 0.5
"""Shares of what there was to gain that the training rows themselves may lack, where no level is known."""
_UNSURE = 0.25
"""Share that a gap may reach, though it may as well be none, before the rows are too few."""
_RISE = 0.1
"""Rise of the validation loss from which on a turn is overfitting."""
_GAIN = 0.05
"""Share by which as many epochs again must bring losses down for a training to be unfinished."""
_FLAT = 0.01
_CREEPS, _SLOWLY, _STILL = 0.1, 0.25, 0.02
"""Falls of the training loss: too little for a steady course, for one at a small rate, and no fall to speak of."""
_STEADY = 0.5
_EPOCHS_TO_CREEP, _EPOCHS_TO_FLATTEN = 20, 4
_LATE = 0.8
"""Share of the epochs after which the best one counts as late."""
_SURE_OF_DRAWN, _SURE_OF_GIVEN = 4.0, 2.0
"""Standard errors by which validation rows must be harder from the start: rows that were drawn by lot, and others."""
_FEW_PARAMETERS_DRAWN, _FEW_PARAMETERS_GIVEN = 0.1, 0.5
"""Parameters per training row below which no network learns many rows by heart."""
_TIMES_CAPACITY = 5.0
_FEWEST_ROWS, _ROWS_FOR_AN_INTERVAL = 20, 50


def diverged(facts: Facts) -> Finding | None:
    """The loss was not finite, or rose by factors."""
    if (broken := facts.breakdown) is not None:
        where = f"the loss was not finite in epoch {broken.epoch}"
        went = "once" if broken.times == 1 else f"{broken.times} times"
        if broken.failed:
            back = f", also after going back {went}" if broken.times else ""
            return Finding("diverged", f"{where}{back}, at learning rates down to {broken.rate:.3g}", broken.epoch)
        return Finding("diverged", f"{where}: training went back {went} and took a smaller rate", broken.epoch)
    if sign := reading.agreed(facts.courses, reading.blow_up):
        sentence = f"the training loss rose to {sign.size:.3g} times its lowest value, from epoch {sign.epoch} on"
        return Finding("diverged", sentence, sign.epoch)
    return None


def small_rate(facts: Facts) -> Finding | None:
    """The training loss creeps in a straight line, or stands still at a tiny learning rate."""
    if facts.gained > 1 - _HIGH_BIAS:
        return None
    setup = facts.setup

    def creeps(course: Course) -> Sign | None:
        fallen, steady = reading.fall(course, facts.naive_loss), reading.steadiness(course) >= _STEADY
        if setup.rate < setup.usual_rate / 3:
            slow = fallen < _SLOWLY and (steady or fallen < _STILL)
        else:
            slow = fallen < _CREEPS and steady and course.epochs >= _EPOCHS_TO_CREEP
        return Sign(course.epochs, max(fallen, 0.0)) if slow else None

    sign = reading.agreed(facts.courses, creeps)
    if sign is None:
        return None
    sentence = (
        f"the training loss fell by only {share(sign.size)} of its start in {sign.epoch} epochs and has not "
        f"flattened: the steps are too small (learning rate {setup.rate:g})"
    )
    return Finding("small_rate", sentence, 1)


def mismatched(facts: Facts) -> Finding | None:
    """Validation rows are unlike the training rows: they were harder before anything was learned, or are easier."""
    ladder = facts.ladder
    gap = ladder.gap("variance") if ladder else None
    if ladder is None or gap is None or facts.setup.grouped:
        return None
    if gap.high is not None and gap.high < -CERTAIN * ladder.unit and gap.value < -MATERIAL * ladder.unit:
        sentence = f"validation rows are easier than the very rows that were trained on: {described(ladder, gap)}"
        return Finding("mismatched_validation", sentence)
    matters = _matters(gap, ladder.unit)
    if sign := reading.agreed(facts.courses, lambda course: _apart(facts.setup, course, matters=matters)):
        sentence = (
            f"validation loss began {above(sign.size, 'training loss')}, in the first epochs, "
            f"when nothing can be learned by heart yet: {described(ladder, gap)}"
        )
        return Finding("mismatched_validation", sentence, 1)
    given = not facts.setup.drawn and _no_better_than_baseline(ladder)
    if given and (sign := reading.agreed(facts.courses, reading.never_helped)):
        sentence = (
            f"what was learned from the training rows never helped on the validation rows: their loss ended "
            f"{above(sign.size, 'that of the first epoch')}, unless nothing can be learned from these inputs"
        )
        return Finding("mismatched_validation", sentence, 1)
    return _beyond_capacity(facts) if matters or given else None


def _no_better_than_baseline(ladder: Ladder) -> bool:
    """Whether nothing that was learned holds for the validation rows."""
    baseline, validation = ladder.rung("baseline"), ladder.rung("validation")
    if baseline is None or validation is None:
        return True
    return (validation.error if validation.high is None else validation.high) >= baseline.error


def _apart(setup: Setup, course: Course, *, matters: bool) -> Sign | None:
    """Whether validation rows were harder from the start, and remained so.

    Batch normalization predicts with averages of many batches, which one epoch does not fill yet.
    """
    if setup.batch_normalization or not (matters or reading.never_helped(course)):
        return None
    return reading.starts_apart(course, sure=_SURE_OF_DRAWN if setup.drawn else _SURE_OF_GIVEN)


def _beyond_capacity(facts: Facts) -> Finding | None:
    """A gap far larger than so few parameters can make on so many rows.

    Fitting p parameters to n rows makes the cross-entropy of new rows larger by p / n (Akaike 1974).
    """
    parameters, rows = facts.setup.parameters or 0, facts.rows.get("train", 0)
    few = _FEW_PARAMETERS_DRAWN if facts.setup.drawn else _FEW_PARAMETERS_GIVEN
    if facts.task not in CLASSIFICATION or facts.setup.ordered or not 0 < parameters < few * rows:
        return None

    def excess(course: Course) -> Sign | None:
        if course.val_loss is None:
            return None
        held, fitted = float(reading.smoothed(course.val_loss)[-1]), float(reading.smoothed(course.loss)[-1])
        allowed = _TIMES_CAPACITY * parameters / rows + 2 * reading.loss_error(held, course.validation_rows)
        return Sign(course.epochs, held / fitted - 1) if fitted > 0 and held - fitted > allowed else None

    sign = reading.agreed(facts.courses, excess)
    if sign is None:
        return None
    sentence = (
        f"validation loss ended {above(sign.size, 'training loss')}, more than {parameters:,} parameters "
        f"can learn by heart of {rows:,} rows"
    )
    return Finding("mismatched_validation", sentence, sign.epoch)


def overfit(facts: Facts) -> Finding | None:
    """New rows are much harder than those trained on, or validation loss turned and rose."""
    ladder = facts.ladder
    gap = ladder.gap("variance") if ladder else None
    sign = reading.agreed(facts.courses, _overfits)
    if ladder is not None and gap is not None and _is_variance(ladder, gap):
        since = f"; validation turned at epoch {sign.epoch}" if sign else ""
        sentence = f"the network knows the training rows better than new ones: {described(ladder, gap)}{since}"
        return Finding("overfit", sentence, sign.epoch if sign else None)
    if sign is not None:
        return Finding("overfit", turned(sign), sign.epoch)
    if facts.powerless and gap is None and facts.gained > 1 - _HIGH_BIAS:
        return Finding("overfit", f"the training rows are learned, but new ones are not: {facts.powerless}")
    return None


def _is_variance(ladder: Ladder, gap: Gap) -> bool:
    """Whether the gap is a good part of the error, and not outdone by a bias that is known to be avoidable."""
    above, bias = ladder.rung(gap.above), ladder.gap("avoidable bias")
    if ladder.human and bias is not None and bias.value > gap.value:
        return False
    return _matters(gap, ladder.unit) and above is not None and gap.value >= _PART_OF_ERROR * above.error


def _overfits(course: Course) -> Sign | None:
    """A turn beyond what so few validation rows explain; a short one is what early stopping waits for."""
    sign = reading.turn(course)
    if sign is None or sign.size < _RISE or course.stopped_by == "patience":
        return None
    return sign if reading.ends_apart(course) else None


def turned(sign: Sign) -> str:
    """Says where validation turned."""
    return (
        f"validation loss turned at epoch {sign.epoch} and ended {above(sign.size, 'its lowest value')}, "
        "while training loss went on falling"
    )


def still_improving(facts: Facts) -> Finding | None:
    """Training and validation loss still fall where training ended."""
    validation = facts.ladder.rung("validation") if facts.ladder else None
    if validation is not None and validation.error <= 0:
        return None

    def falls(course: Course) -> Sign | None:
        if course.val_loss is not None and course.chosen < _LATE * course.epochs:
            return None
        sign = reading.still_falls(course, least=_GAIN)
        if sign is None and facts.gained < 1 - _HIGH_BIAS:
            fallen = reading.fall(course, None)
            on_its_way = fallen > _STILL and reading.steadiness(course) >= _STEADY
            return Sign(course.epochs, fallen) if on_its_way or course.epochs < _EPOCHS_TO_FLATTEN else None
        return sign

    sign = reading.agreed(facts.courses, falls)
    if sign is None:
        return None
    if sign.epoch < _EPOCHS_TO_FLATTEN:
        return Finding("still_improving", f"losses cannot flatten in so few epochs ({sign.epoch})", sign.epoch)
    which = "training" if facts.courses[0].val_loss is None else "validation"
    sentence = (
        f"{which} loss still fell when training ended, after epoch {sign.epoch}: "
        f"as many epochs again might take another {share(sign.size)} off it"
    )
    return Finding("still_improving", sentence, sign.epoch)


def underfit(facts: Facts) -> Finding | None:
    """The training rows themselves are far from what is known to be within reach."""
    ladder = facts.ladder
    training = ladder.rung("training") if ladder else None
    if ladder is None or training is None or not _more_bias_than_variance(ladder):
        return None
    reached = f"an error of {amount(ladder, training.error)} on the training rows themselves"
    error = training.error if training.low is None else training.low
    if ladder.human:
        allowed = max(CERTAIN * ladder.unit, ladder.least / 2)
        sentence = f"{reached}, where {amount(ladder, ladder.least)} can be reached: high bias"
        return Finding("underfit", sentence) if error - ladder.least > allowed else None
    linear = ladder.rung("linear")
    if linear is not None and linear.high is not None and linear.high < error:
        better = f"where a model without hidden layers has {amount(ladder, linear.error)} on new ones"
        return Finding("underfit", f"{reached}, {better}: high bias")
    return _flat(facts, ladder, reached) if error > _VERY_HIGH_BIAS * ladder.unit else None


def perhaps_underfit(facts: Facts) -> Finding | None:
    """The training rows themselves are far from 0, and validation rows are not much farther."""
    ladder = facts.ladder
    training = ladder.rung("training") if ladder else None
    if ladder is None or training is None or ladder.human or not _more_bias_than_variance(ladder):
        return None
    error = training.error if training.low is None else training.low
    reached = f"an error of {amount(ladder, training.error)} on the training rows themselves"
    return _flat(facts, ladder, reached) if error > _HIGH_BIAS * ladder.unit else None


def _more_bias_than_variance(ladder: Ladder) -> bool:
    gap, bias = ladder.gap("variance"), ladder.gap("avoidable bias")
    return gap is None or bias is None or gap.value < bias.value


def _flat(facts: Facts, ladder: Ladder, reached: str) -> Finding:
    ahead = median(reading.prospect(course.loss) for course in facts.courses) if facts.courses else 0.0
    flat = "losses have flattened" if ahead < _FLAT else f"as many epochs again may take {share(ahead)} off the loss"
    validation = ladder.rung("validation")
    close = f", {amount(ladder, validation.error)} on validation rows" if validation else ""
    unless = "unless the inputs say no more (evaluation.human_level tells what can be reached)"
    return Finding("underfit", f"{reached}{close}, and {flat}: high bias, {unless}")


def too_few(facts: Facts) -> Finding | None:
    """The validation rows cannot tell a good fit from a bad one."""
    ladder, rows = facts.ladder, facts.validation_rows
    if facts.setup.folds is not None:
        return None
    if facts.courses and not rows:
        return Finding("too_few_validation_rows", "there are no validation rows: nothing to choose or to judge by")
    validation = ladder.rung("validation") if ladder else None
    if ladder is None or validation is None:
        return None
    if validation.low is None or validation.high is None:
        sentence = f"{rows:,} validation rows are too few for an interval of the score"
        return Finding("too_few_validation_rows", sentence) if rows < _ROWS_FOR_AN_INTERVAL else None
    if rows < _FEWEST_ROWS:
        return Finding("too_few_validation_rows", f"{rows:,} validation rows decide nothing, whatever they say")
    half, gap = (validation.high - validation.low) / 2, ladder.gap("variance")
    if gap is not None and gap.low is not None and gap.high is not None:
        is_open = gap.low <= CERTAIN * ladder.unit and gap.high > _UNSURE * ladder.unit
    else:
        is_open = True
    if not is_open or half <= _UNSURE / 2 * ladder.unit:
        return None
    between = f"between {amount(ladder, validation.low)} and {amount(ladder, validation.high)}"
    sentence = f"{rows:,} validation rows place the error only {between}: a good fit and a bad one look alike"
    return Finding("too_few_validation_rows", sentence)


def good(facts: Facts) -> Finding:
    """Nothing of the above."""
    ladder = facts.ladder
    if ladder is None:
        return Finding("good", "nothing in the course of training speaks against it")
    if all(gap.low is None for gap in ladder.gaps):
        return Finding(
            "good", f"no curve speaks against it; without intervals of {ladder.metric} no gap is established"
        )
    if (largest := ladder.largest) is None:
        return Finding("good", "no gap between the errors is larger than so many rows explain")
    return Finding("good", f"training and validation agree; the largest gap is {described(ladder, largest)}")


def _matters(gap: Gap, unit: float) -> bool:
    """Whether a gap is established and worth a change."""
    return gap.value > MATERIAL * unit and gap.low is not None and gap.low > CERTAIN * unit


TESTS: tuple[tuple[Verdict, Callable[[Facts], Finding | None]], ...] = (
    ("diverged", diverged),
    ("small_rate", small_rate),
    ("mismatched_validation", mismatched),
    ("overfit", overfit),
    ("still_improving", still_improving),
    ("underfit", underfit),
    ("too_few_validation_rows", too_few),
    ("underfit", perhaps_underfit),
)
"""In the order in which they are tried; the first that finds something gives the verdict."""
