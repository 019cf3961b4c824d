"""Rules between fields: pure functions of the experiment, the facts known so far, and the command.

A rule that needs an unknown fact, or a value about which a problem is already known, stays silent.
The rules run on what is written, and again once data are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from dlcli.config import catalog
from dlcli.config.augmentation_rules import AUGMENTATION_RULES
from dlcli.config.evaluation_rules import EVALUATION_RULES
from dlcli.config.experiment import Experiment
from dlcli.config.facts import Case
from dlcli.config.facts import Facts as Facts
from dlcli.config.facts import default_metrics as default_metrics
from dlcli.config.nearest import did_you_mean
from dlcli.config.nodes import KEY
from dlcli.config.rate_rules import RATE_RULES
from dlcli.config.unknown import UnknownValueError, known
from dlcli.config.window_rules import WINDOW_RULES
from dlcli.config.writer import long_form
from dlcli.part import Loss, Metric
from dlcli.problems import ConfigPath, Problem
from dlcli.task import CLASSIFICATION, LABELS, NUMBERS, Task
from dlcli.training.schedules import Performance

_LAST = "last"


def check(experiment: Experiment, facts: Facts, command: str) -> list[Problem]:
    """Every problem between fields, with config paths but no places."""
    case = Case(experiment, facts, command)
    found: list[Problem] = []
    for rule in RULES:
        try:
            # One at a time: what a rule said before it met something unknown stays said.
            for problem in rule(case):
                found.append(problem)  # noqa: PERF402
        except UnknownValueError:
            continue
    return found


def _monitor(case: Case, name: str, path: ConfigPath) -> Iterator[Problem]:
    """A monitor that is watched must exist."""
    if name.startswith("val_") and _surely_without_validation(case):
        yield _needs_validation(case, f"{name} cannot be watched", path)
    elif name not in case.monitors:
        yield Problem("unknown-monitor", f"there is no monitor {name}", did_you_mean(name, case.monitors), path)


def _surely_without_validation(case: Case) -> bool:
    """Whether there are no validation rows; False where that is not known."""
    try:
        return not case.has_validation
    except UnknownValueError:
        return False


def _needs_validation(case: Case, what: str, path: ConfigPath) -> Problem:
    if case.command == "kfold":
        return Problem("needs-validation", f"{what} without inner validation rows", "write kfold: {inner: 0.2}", path)
    hint = f"write {_split_name(case)}: {{validation: 0.2}} under split, or watch loss"
    return Problem("needs-validation", f"{what} without validation rows", hint, path)


def _split_name(case: Case) -> str:
    return case.experiment.split.part_name


def _early_stopping_monitor(case: Case) -> Iterator[Problem]:
    """What early stopping watches exists."""
    if case.experiment.early_stopping is not None:
        yield from _monitor(case, case.experiment.early_stopping.monitor, ("early_stopping", "monitor"))


def _performance_monitor(case: Case) -> Iterator[Problem]:
    """What lowers the learning rate exists."""
    schedule = case.experiment.schedule
    if isinstance(schedule, Performance):
        yield from _monitor(case, schedule.monitor, ("schedule", "performance", "monitor"))


def _selection(case: Case) -> Iterator[Problem]:
    """What chooses the weights exists."""
    select = case.experiment.select
    if select is not None and select != _LAST:
        yield from _monitor(case, select, ("select",))


def _late_stopping(case: Case) -> Iterator[Problem]:
    """Early stopping begins before training ends."""
    stopping, epochs = case.experiment.early_stopping, case.experiment.training.epochs
    if stopping is not None and stopping.start > epochs:
        message = f"early stopping starts at epoch {stopping.start}, training ends at epoch {epochs}"
        yield Problem("no-effect", message, "start earlier, or train longer", ("early_stopping", "start"))


def _loss_fits(case: Case) -> Iterator[Problem]:
    """The loss serves the task."""
    loss = case.experiment.loss
    if loss is None or case.task in loss.tasks:
        return
    fitting = [name for name in catalog.names("loss") if name != "custom" and case.task in _tasks("loss", name)]
    message = f"{loss.part_name} does not fit {_article(case.task)} task"
    yield Problem("does-not-fit", message, f"losses that do: {', '.join(fitting)}", ("loss", loss.part_name))


def _loss_fits_scale(case: Case) -> Iterator[Problem]:
    """A loss of amounts gets amounts: standardized targets are negative in half of the rows."""
    loss, target = case.experiment.loss, case.experiment.data.target
    if loss is None or target is None or not loss.needs_amounts:
        return
    scales = target.scale.values() if isinstance(target.scale, dict) else (target.scale,)
    if "standardize" in scales:
        message = f"{loss.part_name} needs targets of 0 or more, but standardize makes half of them negative"
        yield Problem("does-not-fit", message, "write scale: log1p or min_max", ("data", "target", "scale"))


def _metrics_fit(case: Case) -> Iterator[Problem]:
    """Every metric serves the task."""
    from dlcli.evaluation.metrics import misfit

    for number, metric in enumerate(case.experiment.metrics or ()):
        message = misfit(metric, case.task)
        if message is None:
            continue
        if case.task in metric.tasks:
            hint = f"write {metric.part_name}: its defaults fit"
        else:
            fitting = [
                name for name in catalog.names("metric") if name != "custom" and case.task in _tasks("metric", name)
            ]
            hint = f"write task: {' or '.join(sorted(metric.tasks))}, or a metric that does: {', '.join(fitting)}"
        yield Problem("does-not-fit", message, hint, ("metrics", number, metric.part_name))


def _metrics_once(case: Case) -> Iterator[Problem]:
    """No metric is listed twice with the same fields."""
    metrics = case.experiment.metrics or ()
    for number, metric in enumerate(metrics):
        if metric in metrics[:number]:
            path = ("metrics", number, metric.part_name)
            yield Problem("no-effect", f"{metric.part_name} is already listed", "take one of the two away", path)


def _tasks(family: str, name: str) -> frozenset[Task]:
    part = catalog.find(family, name)
    return part.tasks if part is not None and issubclass(part, Loss | Metric) else frozenset()


def _article(task: Task) -> str:
    return f"a {task}"


def _output_activation(case: Case) -> Iterator[Problem]:
    """The last activation gives what the task needs: probabilities or numbers."""
    output = case.experiment.output
    activation = None if output is None or output == "none" else output.activation
    if activation is None or activation.part_name == "auto":
        return
    name = activation.part_name
    path = ("output", "activation")
    if case.task is Task.MULTICLASS and name != "softmax":
        yield Problem("does-not-fit", f"{name} gives no probabilities of classes", "write activation: softmax", path)
    elif case.task in (Task.BINARY, Task.MULTILABEL) and name not in ("sigmoid", "hard_sigmoid"):
        yield Problem("does-not-fit", f"{name} gives no probability", "write activation: sigmoid", path)
    elif case.task is Task.REGRESSION and name in ("softmax", "log_softmax"):
        yield Problem("does-not-fit", f"{name} cannot give any number", "leave activation out", path)


def _output_units(case: Case) -> Iterator[Problem]:
    """The output layer has as many units as the task has answers."""
    output = case.experiment.output
    if output is None or output == "none" or output.units is None:
        return
    needed = len(case.classes) if case.task is Task.MULTICLASS else len(case.targets)
    if case.task is Task.FORECAST and case.experiment.data.window is not None:
        needed *= case.experiment.data.window.horizon
    if output.units != needed:
        message = f"this {case.task} task needs {needed} output units, got {output.units}"
        yield Problem("does-not-fit", message, "leave units out", ("output", "units"))


def _roles(case: Case) -> Iterator[Problem]:
    """A column has one role."""
    data = case.experiment.data
    taken = dict.fromkeys(case.targets, "the target")
    for role in ("weight", "group", "time"):
        column = getattr(data, role)
        if column is not None and column in taken:
            yield _two_roles(column, taken[column], f"the {role}", ("data", role))
        elif column is not None and role != "group":
            taken[column] = f"the {role}"
    for field in ("inputs", "ignore"):
        for number, column in enumerate(getattr(data, field) or ()):
            other = "an input" if field == "inputs" else "ignored"
            past = data.past_is_input and column in case.targets
            if column in taken and (field == "ignore" or not (past or taken[column] == "the time")):
                yield _two_roles(column, taken[column], other, ("data", field, number))
            elif field == "ignore" and column in (data.inputs or ()):
                yield _two_roles(column, "an input", other, ("data", field, number))


def _one_kind(case: Case) -> Iterator[Problem]:
    """A column is listed under one kind."""
    data, listed = case.experiment.data, dict[str, str]()
    for kind in ("numeric", "categorical", "text", "datetime"):
        for number, column in enumerate(getattr(data, kind)):
            if column in listed:
                yield _two_roles(column, f"listed as {listed[column]}", f"as {kind}", ("data", kind, number))
            listed.setdefault(column, kind)


def _two_roles(column: str, one: str, other: str, path: ConfigPath) -> Problem:
    return Problem("column-in-two-roles", f"{column} is {one} and {other}", "choose one", path)


def _target_scale(case: Case) -> Iterator[Problem]:
    """Only numbers can be scaled."""
    target = case.experiment.data.target
    if target is None or target.scale is None:
        return
    path = ("data", "target", "scale")
    if case.task in LABELS:
        yield Problem("no-effect", f"the target of {_article(case.task)} task holds classes", "take scale away", path)
    elif isinstance(target.scale, Mapping):
        for name in target.scale:
            if name not in case.targets:
                hint = did_you_mean(name, case.targets)
                yield Problem("unknown-name", f"there is no target {name}", hint, (*path, name))


def _target_classes(case: Case) -> Iterator[Problem]:
    """`classes`, `positive` and `aliases` agree with each other and with the task."""
    target = case.experiment.data.target
    if target is None:
        return
    path: ConfigPath = ("data", "target")
    classes, positive = target.classes, target.positive
    for number, name in enumerate(classes or ()):
        if name in (classes or ())[:number]:
            yield Problem(
                "contradiction", f"the class {name} is listed twice", "take one away", (*path, "classes", number)
            )
    if classes is not None and positive is not None and positive not in classes:
        hint = did_you_mean(positive, classes)
        yield Problem("contradiction", f"positive: {positive} is none of the classes", hint, (*path, "positive"))
    if classes is not None and case.task is Task.BINARY and len(classes) != 2:
        message = f"a binary task has two classes, got {len(classes)}"
        yield Problem("contradiction", message, "write two classes, or task: multiclass", (*path, "classes"))
    if positive is not None and case.task is not Task.BINARY:
        message = f"a {case.task} task has no positive class"
        yield Problem("no-effect", message, "take positive away, or write task: binary", (*path, "positive"))
    if classes is not None and case.task not in CLASSIFICATION:
        message = f"the target of {_article(case.task)} task is no list of classes"
        yield Problem("no-effect", message, "take classes away, or name another task", (*path, "classes"))


def _task_and_targets(case: Case) -> Iterator[Problem]:
    """The task goes with the number of targets."""
    task = case.experiment.task
    if task in CLASSIFICATION and len(case.targets) > 1:
        message = f"a {task} task has one target, got {len(case.targets)}"
        yield Problem("contradiction", message, "name one target, or write task: multilabel", ("task",))


def _class_weight(case: Case) -> Iterator[Problem]:
    """Class weights need classes."""
    weights = case.experiment.training.class_weight
    if weights is None:
        return
    path: ConfigPath = ("training", "class_weight")
    if case.task not in CLASSIFICATION:
        message = f"a {case.task} task has no classes that could be weighted"
        yield Problem("no-effect", message, "take class_weight away", path)
    elif isinstance(weights, Mapping):
        classes = case.classes
        for name in weights:
            if name not in classes:
                yield Problem(
                    "unknown-name", f"there is no class {name}", did_you_mean(name, classes), (*path, name, KEY)
                )


def _loss_scale(case: Case) -> Iterator[Problem]:
    """Where float16 makes Keras find the factor of the loss, an optimizer's own gives way to it."""
    optimizer = case.experiment.optimizer
    written = getattr(optimizer, "loss_scale_factor", None) is not None
    if written and case.experiment.training.precision == "mixed_float16":
        message = "precision: mixed_float16 finds a factor of its own, which takes the place of this one"
        path = ("optimizer", optimizer.part_name, "loss_scale_factor")
        yield Problem("no-effect", message, "take loss_scale_factor away", path)


def _split_fits(case: Case) -> Iterator[Problem]:
    """The kind of split has what it needs."""
    split, data = case.experiment.split, case.experiment.data
    path: ConfigPath = ("split", split.part_name)
    column: str | None = getattr(split, "column", None)
    if split.part_name == "auto" and data.time is not None and data.group is not None:
        hint = "name the kind: split: chronological, or split: grouped"
        yield Problem("contradiction", "data has a time and a group, so auto cannot choose", hint, ("split",))
    elif split.part_name == "grouped" and data.group is None and column is None:
        yield Problem("missing-key", "a grouped split needs a column", "write group: COLUMN under data", path)
    elif split.part_name == "stratified" and case.task in NUMBERS:
        message = f"a stratified split needs classes, and {_article(case.task)} task has none"
        yield Problem("does-not-fit", message, "write split: random", path)
    elif split.part_name == "predefined" and column is None and not known(case.facts.source_subsets):
        message = "the source has no subsets of its own"
        yield Problem("does-not-fit", message, "name the column that holds them, or another split", path)


def _tuned_paths(case: Case) -> Iterator[Problem]:
    """What `tune` changes is there, and what it improves exists."""
    tune = case.experiment.tune
    if tune is None:
        return
    for name in tune.space:
        step = _lost_step(long_form(case.experiment), name)
        if step is not None:
            yield Problem("no-such-path", f"{name} leads nowhere", step, ("tune", "space", name))
    if case.command == "tune" and not tune.folds and not case.has_validation:
        yield _needs_validation(case, "tune cannot choose", ("tune",))
    if tune.objective is not None:
        yield from _monitor(case, tune.objective, ("tune", "objective"))


def _lost_step(data: Any, path: str) -> str | None:
    """Why a path of settings leads nowhere: a suggestion, or None if it leads somewhere."""
    for step in path.split("."):
        if isinstance(data, list):
            if not step.isdecimal() or int(step) >= len(data):
                return f"there are {len(data)} items, from 0 on"
            data = data[int(step)]
        elif isinstance(data, Mapping):
            if step not in data:
                return did_you_mean(step, data)
            data = data[step]
        else:
            return f"nothing is below {step}"
    return None


Rule = Callable[[Case], Iterable[Problem]]
RULES: tuple[Rule, ...] = (
    *RATE_RULES,
    *AUGMENTATION_RULES,
    *EVALUATION_RULES,
    *WINDOW_RULES,
    _performance_monitor,
    _early_stopping_monitor,
    _selection,
    _late_stopping,
    _loss_fits,
    _loss_fits_scale,
    _metrics_fit,
    _metrics_once,
    _output_activation,
    _output_units,
    _roles,
    _one_kind,
    _target_scale,
    _target_classes,
    _task_and_targets,
    _class_weight,
    _loss_scale,
    _split_fits,
    _tuned_paths,
)
"""Every rule, each about one thing."""
