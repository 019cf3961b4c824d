"""Rules about the learning rate: what the optimizer, the schedule and early stopping say goes together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from dlcli.config.experiment import Experiment
from dlcli.config.facts import Case
from dlcli.part import Schedule
from dlcli.problems import Problem
from dlcli.training.schedules import Constant, Performance

_LOWEST = {"end_learning_rate": "ends at", "min_learning_rate": "falls no further than"}


def named_rate(schedule: Schedule | None) -> float | None:
    """The learning rate that a schedule names for itself."""
    peak: float | None = getattr(schedule, "peak", None)
    values: tuple[float, ...] = getattr(schedule, "values", ())
    return peak if peak is not None else values[0] if values else None


def settled(experiment: Experiment) -> Experiment:
    """The experiment with one learning rate: that of a schedule that names its own, where the optimizer's is not."""
    rate = named_rate(experiment.schedule)
    optimizer = experiment.optimizer
    if rate is None or "learning_rate" in optimizer.model_fields_set:
        return experiment
    return experiment.model_copy(update={"optimizer": optimizer.model_copy(update={"learning_rate": rate})})


def _one_rate(case: Case) -> Iterator[Problem]:
    """The optimizer and the schedule name the same rate, or only one does."""
    optimizer, schedule = case.experiment.optimizer, case.experiment.schedule
    rate = named_rate(schedule)
    written = "learning_rate" in optimizer.model_fields_set
    if schedule is None or rate is None or not written or optimizer.learning_rate == rate:
        return
    field = "peak" if getattr(schedule, "peak", None) is not None else "values"
    message = f"the learning rate is {rate:g} here and {optimizer.learning_rate:g} in the optimizer"
    hint = f"write it once: optimizer: {optimizer.part_name}, without a rate"
    yield Problem("contradiction", message, hint, ("schedule", schedule.part_name, field))


def _falling_rate(case: Case) -> Iterator[Problem]:
    """A schedule that falls to a given rate begins above it."""
    optimizer, schedule = case.experiment.optimizer, case.experiment.schedule
    for field, verb in _LOWEST.items():
        lowest: float | None = getattr(schedule, field, None)
        if schedule is not None and lowest is not None and lowest > optimizer.learning_rate:
            message = f"the rate {verb} {lowest:g}, but begins below it, at {optimizer.learning_rate:g}"
            hint = f"lower it, or write optimizer: {{{optimizer.part_name}: RATE}} with a higher one"
            yield Problem("contradiction", message, hint, ("schedule", schedule.part_name, field))


def _ftrl_keeps_its_rate(case: Case) -> Iterator[Problem]:
    """Ftrl has no schedule: it makes the weights anew from sums at every step, times the rate of the moment."""
    optimizer, schedule = case.experiment.optimizer, case.experiment.schedule
    if optimizer.part_name == "ftrl" and schedule is not None and schedule != Constant():
        message = "ftrl's weights are in proportion to the learning rate of the moment, so a schedule would scale them"
        yield Problem("does-not-fit", message, "take it away: ftrl's own steps shrink", ("schedule",))


def _warm_up_ends(case: Case) -> Iterator[Problem]:
    """The warm-up is over before training ends."""
    schedule, epochs = case.experiment.schedule, case.experiment.training.epochs
    warm_up: float = getattr(schedule, "warm_up", 0.0)
    if schedule is not None and warm_up > epochs:
        message = f"the warm-up takes {warm_up:g} epochs, training {epochs}"
        hint = "warm_up counts epochs, not updates: write 1, or a fraction such as 0.1"
        yield Problem("contradiction", message, hint, ("schedule", schedule.part_name, "warm_up"))


def _rate_falls_before_the_stop(case: Case) -> Iterator[Problem]:
    """Where one score both lowers the rate and stops training, the rate comes first."""
    schedule, stopping = case.experiment.schedule, case.experiment.early_stopping
    if not isinstance(schedule, Performance) or stopping is None:
        return
    same = (schedule.monitor, schedule.min_delta) == (stopping.monitor, stopping.min_delta) and stopping.start == 1
    if same and stopping.patience <= schedule.patience:
        message = (
            f"training stops after {stopping.patience} epochs without improvement, "
            f"so the rate, which waits for {schedule.patience}, never falls"
        )
        hint = f"write early_stopping: {{patience: {3 * schedule.patience}}}"
        yield Problem("no-effect", message, hint, ("schedule", "performance", "patience"))


RATE_RULES: tuple[Callable[[Case], Iterable[Problem]], ...] = (
    _one_rate,
    _falling_rate,
    _ftrl_keeps_its_rate,
    _warm_up_ends,
    _rate_falls_before_the_stop,
)
"""Every rule of this file, each about one thing."""
